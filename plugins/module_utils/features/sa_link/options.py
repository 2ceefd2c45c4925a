# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the options of `sa_link`. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ...core.errors import OptionError
from ...core.names import check_name, is_name, is_pattern
from ...core.ownership import Ownership
from ...platform.account_lists import LISTS
from .plan import SaLink

__all__ = ["ARGUMENTS", "from_options"]

#: Argument spec of one declaration, without its namespaces.
ARGUMENTS: dict[str, Any] = {
    "secrets": {"type": "list", "elements": "str", "no_log": False},
    "owner": {"type": "str"},
    "adopt": {"type": "bool", "default": False},
    "service_accounts": {"type": "list", "elements": "str", "default": ["default"]},
    "link_for": {"type": "list", "elements": "str", "choices": list(LISTS), "default": ["pull"]},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "exclusive": {"type": "bool", "default": False},
    "only_managed": {"type": "bool", "default": False},
    "create": {"type": "bool", "default": False},
    "require": {"type": "str", "choices": ["usable", "existing", "none"], "default": "usable"},
    "restart_pods": {"type": "str", "choices": ["never", "report", "stuck"], "default": "never"},
    "wait_timeout": {"type": "int", "default": 30},
}

#: Prefixes of a name that `oc secrets link` accepts.
_PREFIXES = ("secret/", "secrets/")


def from_options(options: Mapping[str, Any], _read_file: Callable[[str], str] | None = None) -> SaLink:
    """Return the state that the module's options declare.

    :raises OptionError: for an empty list, an invalid name, or contradictory options.
    """
    for option in ("secrets", "service_accounts", "link_for"):
        if not options[option]:
            raise OptionError(f"option {option!r} is empty: give at least one")
    for option in ("secrets", "service_accounts"):
        for name in options[option]:
            if option == "secrets" or not is_pattern(name):
                _check_secret_name(option, name)
    _refuse_contradictions(options)
    return SaLink(
        secrets=tuple(dict.fromkeys(options["secrets"])),
        service_accounts=tuple(dict.fromkeys(options["service_accounts"])),
        lists=tuple(key for purpose, key in LISTS.items() if purpose in options["link_for"]),
        present=options["state"] == "present",
        exclusive=options["exclusive"],
        only_managed=options["only_managed"],
        create=options["create"],
        require=options["require"],
        restart_pods=options["restart_pods"],
        wait_timeout=options["wait_timeout"],
        ownership=Ownership.of(options),
    )


def _check_secret_name(option: str, name: str) -> None:
    for prefix in _PREFIXES if option == "secrets" else ():
        if name.startswith(prefix) and is_name(name.removeprefix(prefix)):
            raise OptionError(
                f"option 'secrets': write {name.removeprefix(prefix)!r} instead of {name!r}: only secrets can be linked"
            )
    check_name(option, name)


def _refuse_contradictions(options: Mapping[str, Any]) -> None:
    absent = options["state"] == "absent"
    for option in ("exclusive", "create"):
        if options[option] and absent:
            raise OptionError(
                f"option {option!r} is for state present only: state absent unlinks exactly the given secrets"
            )
    if options["only_managed"] and not absent:
        raise OptionError("option 'only_managed' is for state absent only: it limits which secrets are unlinked")
    if options["restart_pods"] != "never" and (absent or "pull" not in options["link_for"]):
        raise OptionError(
            "option 'restart_pods' is for state present with link_for pull only: pods pull with that list"
        )
    if options["wait_timeout"] < 0:
        raise OptionError("option 'wait_timeout' must not be negative: give seconds, or 0 to look once")
