# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the options of `image_puller_grant` ask for. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...core.errors import OptionError
from ...rbac.subjects import given
from .desired import DEFAULT_BINDING, DEFAULT_ROLE, RESERVED, ImagePullerGrant

__all__ = ["DEFAULT_ROLE", "from_options"]


def from_options(options: Mapping[str, Any]) -> ImagePullerGrant:
    """The wish that the module's options express.

    :raises OptionError: when no subject is given, a name is reserved or cannot exist, or options contradict each other.
    """
    subjects = given(options)
    if not subjects and (options["exclusive"] or not options["prune"]):
        raise OptionError(
            "give at least one of 'service_accounts', 'projects', 'groups', 'users', 'authenticated' and 'anonymous'"
        )
    name = options.get("binding_name") or _default_binding(options["role"])
    if name in RESERVED:
        raise OptionError(
            f"option 'binding_name': {name} is reserved for the platform, which makes it in every project"
        )
    for option in ("role", "binding_name"):
        value = options.get(option) or "-"
        if "/" in value or "%" in value or value in (".", ".."):
            raise OptionError(f"option {option!r}: {value!r} cannot be an object's name")
    _refuse_contradictions(options)
    return ImagePullerGrant(
        subjects,
        options["role"],
        name,
        present=options["state"] == "present",
        exclusive=options["exclusive"],
        everywhere=options["revoke_from"] == "every_binding",
        prune=options["prune"],
        recreate=options["recreate"],
        verify_access=options["verify_access"],
    )


def _refuse_contradictions(options: Mapping[str, Any]) -> None:
    for option in ("exclusive", "recreate"):
        if options[option] and options["state"] == "absent":
            raise OptionError(
                f"option {option!r} goes with state present only: absent takes exactly the given subjects away"
            )
    if options["revoke_from"] != "ours" and options["state"] == "present":
        raise OptionError("option 'revoke_from' goes with state absent only: present takes nothing from other bindings")


def _default_binding(role: str) -> str:
    return DEFAULT_BINDING if role == DEFAULT_ROLE else f"{DEFAULT_BINDING}-{role}"
