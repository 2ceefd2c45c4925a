# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the options of `pull_secret`. Pure: the caller passes the function that reads files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ...core.errors import OptionError
from ...core.names import check_name
from ...core.ownership import OWNERSHIP_LABELS, Ownership
from ...dockerconfig.auth_file import FILE_ARGUMENTS, SOURCES, auth_file_from_options
from ...dockerconfig.registry_keys import check_key
from ...explain import verification
from ...explain.verification import Verification
from ...platform.protected import check_size, refuse_platform_name
from ...secrets.content import DATA_KEYS, DOCKERCONFIGJSON, Target
from ...secrets.metadata import SecretMetadata
from .plan import MODES, PullSecret

__all__ = ["ARGUMENTS", "SOURCES", "from_options", "identity_from_options"]

_REGISTRY = {
    "registry": {"type": "str", "required": True},
    "username": {"type": "str"},
    "password": {"type": "raw", "no_log": True},
    "email": {"type": "str"},
}

#: The options of one declaration in addition to its namespaces, as an argument spec.
ARGUMENTS: dict[str, Any] = {
    "name": {"type": "str"},
    "owner": {"type": "str"},
    "adopt": {"type": "bool", "default": False},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "mode": {"type": "str", "choices": list(MODES), "default": MODES[0]},
    "update_existing": {"type": "bool", "default": True},
    "only_managed": {"type": "bool", "default": False},
    "delete_empty": {"type": "bool", "default": False},
    "recreate": {"type": "bool", "default": False},
    "type": {"type": "str", "choices": list(DATA_KEYS), "default": DOCKERCONFIGJSON},
    "registries": {"type": "list", "elements": "dict", "options": _REGISTRY},
    **FILE_ARGUMENTS,
    "labels": {"type": "dict"},
    "annotations": {"type": "dict"},
    "immutable": {"type": "bool"},
    "drop_platform_registries": {"type": "list", "elements": "str"},
    **verification.WRITE_ARGUMENTS,
}


def from_options(options: Mapping[str, Any], read_file: Callable[[str], str]) -> PullSecret:
    """Return the secret that the module's options declare. `read_file` returns the text of the file at a path.

    :raises OptionError: for options that cannot work, before anything is read from the cluster.
    """
    name, mode = _name(options), options.get("mode") or MODES[0]
    ownership = _ownership(options)
    target = Target(options["type"], DATA_KEYS[options["type"]])
    _check_combination(options, mode)
    if options["state"] == "absent":
        only_managed, allowed = bool(options.get("only_managed")), _droppable_registries(options)
        return PullSecret(
            name, target, "absent", only_managed=only_managed, ownership=ownership, drop_platform_registries=allowed
        )
    settings: dict[str, Any] = {
        "secret_metadata": SecretMetadata.of(options),
        "ownership": ownership,
        "recreate": bool(options.get("recreate")),
        "update_existing": options.get("update_existing") is not False,
        "drop_platform_registries": _droppable_registries(options),
    }
    if mode == "remove":
        names, delete_empty = _registries(options, read_file), bool(options.get("delete_empty"))
        return PullSecret(name, target, mode, registries=names, delete_empty=delete_empty, **settings)
    auth_file = auth_file_from_options(options, read_file)
    check_size(f"secret {name}", target.encode(auth_file))
    return PullSecret(name, target, mode, auth_file, verification=Verification.of(options), **settings)


def identity_from_options(options: Mapping[str, Any], _read_file: Callable[[str], str] | None = None) -> PullSecret:
    """Return the secret that the options declare, or declare absent, without its content, for callers that need only its identity.

    :raises OptionError: for an invalid name or owner.
    """
    mode = "absent" if options["state"] == "absent" else options.get("mode") or MODES[0]
    return PullSecret(_name(options), Target(options["type"], ""), mode, ownership=Ownership.of(options))


def _droppable_registries(options: Mapping[str, Any]) -> tuple[str, ...] | None:
    given = options.get("drop_platform_registries")
    return None if given is None else tuple(given)


def _name(options: Mapping[str, Any]) -> str:
    name = options.get("name")
    if name is None:
        raise OptionError("option 'name' is missing: name the secret")
    check_name("name", name)
    refuse_platform_name(name)
    return str(name)


def _ownership(options: Mapping[str, Any]) -> Ownership:
    ownership = Ownership.of(options)
    twice = [name for name in OWNERSHIP_LABELS if name in (options.get("labels") or {})]
    if ownership.owner and twice:
        raise OptionError(f"option 'owner' sets the label {twice[0]}: leave it out of 'labels'")
    return ownership


def _check_combination(options: Mapping[str, Any], mode: str) -> None:
    """:raises OptionError: for options that are missing, or contradict each other."""
    absent, keeps = options["state"] == "absent", options.get("update_existing") is False
    if absent and mode == "remove":
        raise OptionError(
            "state=absent deletes the whole secret. To remove single registries, use state=present with mode=remove"
        )
    if options.get("only_managed") and not absent:
        raise OptionError("option 'only_managed' only works with state=absent: leave it out")
    if options.get("delete_empty") and mode != "remove":
        raise OptionError("option 'delete_empty' only works with mode=remove: leave it out")
    if mode == "remove":
        _check_remove(options, keeps=keeps)
    if not absent and all(options.get(source) is None for source in SOURCES):
        raise OptionError("state=present needs the registries: give one of 'registries', 'auth_file' and 'auth_config'")
    if keeps and options.get("recreate"):
        raise OptionError("options 'recreate' and 'update_existing=false' contradict each other: leave out one")
    if options.get("include") is not None and (options.get("registries") is not None or not options["include"]):
        raise OptionError(
            "option 'include' selects entries of 'auth_file' or 'auth_config': name at least one, or leave it out"
        )


def _check_remove(options: Mapping[str, Any], *, keeps: bool) -> None:
    if keeps:
        raise OptionError("mode=remove changes a secret that exists: leave out 'update_existing'")
    if not (options.get("registries") or options.get("auth_file") or options.get("auth_config")):
        raise OptionError(
            "mode=remove needs the registries to remove: name them in 'registries', without user or password"
        )


def _registries(options: Mapping[str, Any], read_file: Callable[[str], str]) -> tuple[str, ...]:
    """Return the registries to remove: the given names, or all that a merge of the file or data would add."""
    if options.get("registries") is None:
        return tuple(auth_file_from_options(options, read_file).registries)
    names = tuple(item["registry"] for item in options["registries"])
    for name in names:
        check_key("option 'registries'", name)
    return names
