# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the options of `image_puller_grant`. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ...core.errors import OptionError
from ...core.names import check_path_segment
from ...core.ownership import Ownership
from ...platform.protected import RESERVED_BINDINGS
from ...rbac.subjects import IMAGE_PULLER, subjects_from_options
from .plan import DEFAULT_BINDING, ImagePullerGrant

__all__ = ["ARGUMENTS", "from_options"]

_ACCOUNT = {
    "namespace": {"type": "str", "required": True},
    "name": {"type": "str", "default": "default"},
}

#: Argument spec of one declaration, without its namespaces.
ARGUMENTS: dict[str, Any] = {
    "owner": {"type": "str"},
    "adopt": {"type": "bool", "default": False},
    "service_accounts": {"type": "list", "elements": "dict", "options": _ACCOUNT},
    "projects": {"type": "list", "elements": "str"},
    "groups": {"type": "list", "elements": "str"},
    "users": {"type": "list", "elements": "str"},
    "authenticated": {"type": "bool", "default": False},
    "anonymous": {"type": "bool", "default": False},
    "role": {"type": "str", "default": IMAGE_PULLER},
    "binding_name": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "exclusive": {"type": "bool", "default": False},
    "revoke_from": {"type": "str", "choices": ["ours", "every_binding"], "default": "ours"},
    "prune": {"type": "bool", "default": False},
    "verify_access": {"type": "bool", "default": False},
}


def from_options(options: Mapping[str, Any], _read_file: Callable[[str], str] | None = None) -> ImagePullerGrant:
    """Return the state that the module's options declare.

    :raises OptionError: when there is no subject, a name is reserved or invalid, or options contradict each other.
    """
    check_path_segment("role", options["role"])
    subjects = subjects_from_options(options)
    if not subjects and (options["exclusive"] or not options["prune"]):
        raise OptionError(
            "give at least one of 'service_accounts', 'projects', 'groups', 'users', 'authenticated' and 'anonymous'"
        )
    ownership = Ownership.of(options)
    name = options.get("binding_name") or _default_binding(ownership.owner, options["role"])
    check_path_segment("binding_name", name)
    if name in RESERVED_BINDINGS:
        raise OptionError(
            f"option 'binding_name': {name} is reserved for the platform, which creates it in every project; "
            "choose another name"
        )
    _refuse_contradictions(options)
    return ImagePullerGrant(
        subjects,
        options["role"],
        name,
        present=options["state"] == "present",
        exclusive=options["exclusive"],
        everywhere=options["revoke_from"] == "every_binding",
        prune=options["prune"],
        verify_access=options["verify_access"],
        ownership=ownership,
    )


def _refuse_contradictions(options: Mapping[str, Any]) -> None:
    if options["exclusive"] and options["state"] == "absent":
        raise OptionError(
            "option 'exclusive' is for state present only: state absent removes exactly the given subjects"
        )
    if options["revoke_from"] != "ours" and options["state"] == "present":
        raise OptionError("option 'revoke_from' is for state absent only: state present changes no other binding")


def _default_binding(owner: str, role: str) -> str:
    """Return the default name of a binding: each owner has its own."""
    return "-".join([DEFAULT_BINDING, *([owner] if owner else []), *([role] if role != IMAGE_PULLER else [])])
