# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options for all namespaces, turned into a list of different entries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["FORMS", "LISTS", "SEVERAL", "declared", "suffixes"]

FORMS = ("single", "list")
#: The list option of each module.
LISTS = {"pull_secret": "secrets", "sa_link": "links", "image_puller_grant": "grants"}
#: Number of additional entries of the first namespace.
SEVERAL = 4
#: The options that distinguish the entries.
_OWN = {"pull_secret": ("name", "registries"), "sa_link": ("secrets", "link_for"), "image_puller_grant": ("projects",)}


def suffixes(form: str, names: Sequence[str]) -> list[tuple[str, str]]:
    """Each namespace with the suffix of the names in its entries. The single form has no suffix."""
    if form == "single":
        return [(name, "") for name in names]
    more = [(names[0], f"-{names[0]}-{number}") for number in range(SEVERAL)]
    return [*((name, f"-{name}") for name in names), *more]


def declared(module: str, form: str, names: Sequence[str], work: Mapping[str, Any]) -> dict[str, Any]:
    """The options `work` for these namespaces: unchanged, or as one entry for each namespace and several more for the first."""
    if form == "single":
        return {**work, "namespaces": list(names)}
    own = {option: work[option] for option in _OWN[module] if option in work}
    entries = [{**_differing(own, suffix), "namespaces": [name]} for name, suffix in suffixes(form, names)]
    return {**{option: value for option, value in work.items() if option not in own}, LISTS[module]: entries}


def _differing(own: Mapping[str, Any], suffix: str) -> dict[str, Any]:
    """The same options with other names and another password."""
    found = dict(own)
    if "name" in own:
        found["name"] += suffix
    if "registries" in own:
        found["registries"] = [{**login, "password": login["password"] + suffix} for login in own["registries"]]
    for option in ("secrets", "projects"):
        if option in own:
            found[option] = [name + suffix for name in own[option]]
    return found
