# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the options of `sa_link` ask for. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...core.errors import OptionError
from ...core.names import check_name, is_pattern
from .desired import SaLink
from .lists import LISTS

__all__ = ["LISTS", "from_options"]


def from_options(options: Mapping[str, Any]) -> SaLink:
    """The wish that the module's options express.

    :raises OptionError: for an empty list, a name that cannot exist, or options that contradict each other.
    """
    for option in ("secrets", "service_accounts", "link_for"):
        if not options[option]:
            raise OptionError(f"option {option!r} is empty: give at least one")
    for option in ("secrets", "service_accounts"):
        for name in options[option]:
            if option == "secrets" or not is_pattern(name):
                check_name(option, name)
    _refuse_contradictions(options)
    return SaLink(
        secrets=tuple(dict.fromkeys(options["secrets"])),
        service_accounts=tuple(dict.fromkeys(options["service_accounts"])),
        lists=tuple(key for purpose, key in LISTS.items() if purpose in options["link_for"]),
        present=options["state"] == "present",
        exclusive=options["exclusive"],
        create=options["create"],
        require=options["require"],
        restart_pods=options["restart_pods"],
        verify_after=options["verify_after"],
    )


def _refuse_contradictions(options: Mapping[str, Any]) -> None:
    for option in ("exclusive", "create"):
        if options[option] and options["state"] == "absent":
            raise OptionError(
                f"option {option!r} goes with state present only: absent takes exactly the given secrets away"
            )
    if options["restart_pods"] != "never" and (options["state"] == "absent" or "pull" not in options["link_for"]):
        raise OptionError(
            "option 'restart_pods' goes with state present and link_for pull only: pods pull with that list"
        )
    if options["verify_after"] < 0:
        raise OptionError("option 'verify_after' must not be negative")
