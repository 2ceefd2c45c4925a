# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the options of `pull_access_export` ask for. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...core.errors import OptionError
from ...core.names import check_path_segment
from ...core.variable_files import FilesWanted

__all__ = ["CREDENTIALS", "PLAIN_FILE", "VAULT_FILE", "Export", "from_options"]

#: What becomes of the credentials, the default first.
CREDENTIALS = ("vault", "placeholder")

#: The files that are written: what is declared, and the credentials that it refers to.
PLAIN_FILE, VAULT_FILE = "image_pull.yml", "image_pull_vault.yml"


@dataclass(frozen=True)
class Export:
    """`roles`: the cluster roles whose bindings are read. `files`: what is written, None when nothing is."""

    roles: tuple[str, ...]
    files: FilesWanted | None = None


def from_options(options: Mapping[str, Any]) -> Export:
    """:raises OptionError: for a role that cannot exist, or options that need `dest`."""
    if not options["roles"]:
        raise OptionError("option 'roles' is empty: give at least one cluster role")
    for role in options["roles"]:
        check_path_segment("roles", role)
    return Export(tuple(dict.fromkeys(options["roles"])), _files(options))


def _files(options: Mapping[str, Any]) -> FilesWanted | None:
    directory, in_vault = options["dest"], options["credentials"] == "vault"
    if directory is None:
        for option in ("force", "vault_id"):
            if options[option]:
                raise OptionError(
                    f"option {option!r} is for the files that 'dest' asks for: give 'dest', or leave it out"
                )
        return None
    if not in_vault and options["vault_id"]:
        raise OptionError("option 'vault_id' is for credentials=vault only: nothing is encrypted without them")
    encrypted = (VAULT_FILE,) if in_vault else ()
    otherwise = "credentials=placeholder"
    return FilesWanted(directory, (PLAIN_FILE,), encrypted, options["vault_id"], options["force"], otherwise=otherwise)
