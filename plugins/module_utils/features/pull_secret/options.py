# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the options of `pull_secret` ask for. Pure, but for the reading of files, which is handed in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ...core.errors import OptionError
from ...core.names import check_name
from ...dockerconfig.auth_file import AuthFile, from_registries, parse, parse_text
from ...dockerconfig.registry_keys import check_key
from ...platform.protected import check_size, refuse_platform_name
from ...secrets.content import DATA_KEYS, TYPES, Target
from ...secrets.metadata import SecretMetadata
from .desired import MODES, PullSecret

__all__ = ["MODES", "TYPES", "from_options"]


def from_options(options: Mapping[str, Any], read_file: Callable[[str], str]) -> PullSecret:
    """The wish that the module's options express.

    :raises OptionError: for anything that cannot work; nothing has been read from the cluster yet.
    """
    name, mode = options["name"], options.get("mode") or MODES[0]
    check_name("name", name)
    refuse_platform_name(name)
    target = Target(options["type"], DATA_KEYS.get(options["type"]) or _base_name(options))
    _check_combination(options, mode)
    if options["state"] == "absent":
        return PullSecret(name, target, "absent")
    settings: dict[str, Any] = {
        "marks": SecretMetadata.of(options),
        "recreate": bool(options.get("recreate")),
        "update_existing": options.get("update_existing") is not False,
    }
    if mode == "remove":
        return PullSecret(name, target, mode, registries=_names(options, read_file), **settings)
    auth_file = _auth_file(options, read_file)
    check_size(f"secret {name}", target.encode(auth_file))
    return PullSecret(name, target, mode, auth_file, **settings)


def _check_combination(options: Mapping[str, Any], mode: str) -> None:
    """:raises OptionError: for options that contradict each other."""
    absent, keeps = options["state"] == "absent", options.get("update_existing") is False
    if absent and mode == "remove":
        raise OptionError(
            "state=absent deletes the whole secret; to take out single registries use state=present with mode=remove"
        )
    names = options.get("registries") or options.get("auth_file") or options.get("auth_config")
    if mode == "remove" and (keeps or not names):
        way_out = "leave out 'update_existing'" if keeps else "name them in 'registries', without user or password"
        raise OptionError(f"mode=remove takes registries out of a secret that exists: {way_out}")
    if keeps and options.get("recreate"):
        raise OptionError("options 'recreate' and 'update_existing=false' contradict each other: leave out one")
    if options.get("only") is not None and (options.get("registries") is not None or not options["only"]):
        raise OptionError(
            "option 'only' chooses entries of 'auth_file' or 'auth_config': name at least one, or leave it out"
        )


def _names(options: Mapping[str, Any], read_file: Callable[[str], str]) -> tuple[str, ...]:
    """The registries to be taken out: named as they are, or all that a file or data would put in."""
    if options.get("registries") is None:
        return tuple(_auth_file(options, read_file).registries)
    names = tuple(item["registry"] for item in options["registries"])
    for name in names:
        try:
            check_key(name)
        except OptionError as error:
            raise OptionError(f"option 'registries': {error}") from None
    return names


def _auth_file(options: Mapping[str, Any], read_file: Callable[[str], str]) -> AuthFile:
    if options.get("registries") is not None:
        if not options["registries"]:
            raise OptionError(
                "option 'registries' is empty: give at least one registry, or state=absent to take the secret away"
            )
        return from_registries(options["registries"])
    only = options.get("only")
    if options.get("auth_file") is not None:
        return parse_text(read_file(options["auth_file"]), f"auth file {options['auth_file']}", only)
    config = options["auth_config"]
    read = parse_text if isinstance(config, str) else parse
    return read(config, "option 'auth_config'", only)


def _base_name(options: Mapping[str, Any]) -> str:
    """The key that `oc create secret generic --from-file=FILE` gives: the file's base name."""
    return (options.get("auth_file") or "auth.json").replace("\\", "/").rpartition("/")[2]
