# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options for credentials: as values, as a file, or as data. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..core.errors import OptionError
from .auth_file import AuthFile, from_registries, parse, parse_text

__all__ = ["FILE_ARGUMENTS", "SOURCES", "auth_file_from_options"]

#: Options of which exactly one is given.
SOURCES = ("registries", "auth_file", "auth_config")

#: Options for a file of Docker's or Podman's, and for the entries to use from it.
FILE_ARGUMENTS: dict[str, Any] = {
    # Not a path: Ansible would replace environment variables, such as one that names the credential of a job.
    "auth_file": {"type": "str"},
    # Redacted by its position in the parameters (core/redaction.py). With `no_log`, Ansible would mask each user name in all output.
    "auth_config": {"type": "raw", "no_log": False},
    "include": {"type": "list", "elements": "str"},
}


def auth_file_from_options(options: Mapping[str, Any], read_file: Callable[[str], str]) -> AuthFile:
    """Return the auth file from the one of `SOURCES` that is given, limited to `include`.

    :raises OptionError: for anything that no node could use.
    """
    if options.get("registries") is not None:
        if not options["registries"]:
            raise OptionError(
                "option 'registries' is empty: give at least one registry, or delete the secret with state=absent"
            )
        return from_registries(options["registries"])
    include = options.get("include")
    if options.get("auth_file") is not None:
        return parse_text(read_file(options["auth_file"]), f"auth file {options['auth_file']}", include)
    config = options["auth_config"]
    read = parse_text if isinstance(config, str) else parse
    return read(config, "option 'auth_config'", include)
