# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the options of `pull_access_export`. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...core.errors import OptionError
from ...core.files import FilesWanted
from ...core.names import check_path_segment

__all__ = ["CREDENTIALS", "PLAIN_FILE", "VAULT_FILE", "Export", "from_options"]

#: How credentials are exported, the default first.
CREDENTIALS = ("vault", "placeholder")

#: The written files: the declarations, and the credentials that they refer to.
PLAIN_FILE, VAULT_FILE = "image_pull.yml", "image_pull_vault.yml"


@dataclass(frozen=True)
class Export:
    """The validated options. `roles`: the cluster roles whose bindings are read. `files`: the files to write, None for none."""

    roles: tuple[str, ...]
    files: FilesWanted | None = None


def from_options(options: Mapping[str, Any]) -> Export:
    """Return the validated options. :raises OptionError: for an invalid role, or options that need `dest`."""
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
        raise OptionError("option 'vault_id' is for credentials=vault only: without it, no file is encrypted")
    encrypted = (VAULT_FILE,) if in_vault else ()
    otherwise = "credentials=placeholder"
    return FilesWanted(directory, (PLAIN_FILE,), encrypted, options["vault_id"], options["force"], otherwise=otherwise)
