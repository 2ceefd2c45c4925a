# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns the options into a what-if question. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...core.errors import OptionError
from ...core.json_types import as_dict, as_str
from ...core.objects import Json
from ...core.what_if_format import NOT_KNOWN, WOULD_BREAK
from ...images import image_questions
from ...images.image_questions import RegistryAccess
from . import changes
from .changes import SupposedChange, parse_changes
from .declared import LISTS, InventoryLists, Lists
from .outputs import OUTPUTS, render_outputs

__all__ = ["ARGUMENTS", "WhatIfQuestion", "from_options", "with_inventories"]

ARGUMENTS: dict[str, Any] = {
    "changes": {"type": "list", "elements": "dict", "required": True, "options": changes.ARGUMENTS},
    **image_questions.ARGUMENTS,
    "fail_on": {"type": "str", "choices": ["never", WOULD_BREAK, NOT_KNOWN], "default": "never"},
    "dest": {"type": "path"},
    "junit": {"type": "path"},
    "markdown": {"type": "path"},
}


def with_inventories(lists: Mapping[str, Any]) -> dict[str, Any]:
    """Return `ARGUMENTS` with the options that take an inventory. `lists` are the argument specs of its lists."""
    declared = {"type": "dict", "options": {**lists, **changes.INVENTORY}}
    given = {**ARGUMENTS["changes"], "options": {**changes.ARGUMENTS, changes.DECLARED: declared}}
    shared = {name: changes.INVENTORY[name] for name in ("owner", "adopt")}
    compared = {name: spec for name, spec in lists.items() if name in LISTS}
    return {**ARGUMENTS, "changes": given, "against": {"type": "dict", "options": {**compared, **shared}}}


@dataclass(frozen=True)
class WhatIfQuestion:
    """`supposed` are the changes, applied together in the order given. `registries`: how registries are asked, None if they are not.

    `failing` are the answers that fail the task. `outputs` are the paths of the files to write, by their options, `sources` the files that
    the changes name. `against`: the inventory to compare with, without a cluster.
    """

    supposed: Sequence[SupposedChange]
    registries: RegistryAccess | None = None
    failing: Sequence[str] = ()
    outputs: Mapping[str, str] = field(default_factory=dict)
    sources: Sequence[str] = ()
    against: InventoryLists | None = None

    def render(self, document: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
        """Return the text of each file, by its option. `rows` are those of all containers."""
        return render_outputs(self.outputs, document, rows, self.failing)

    @property
    def target_version(self) -> str | None:
        """The version of the last upgrade among the changes, or None without one."""
        return next((each.value for each in reversed(self.supposed) if each.version is not None), None)

    @property
    def is_about_network(self) -> bool:
        """Whether registries get out of reach, so that images count that no pod has today."""
        return any(each.kind in ("unreachable_registries", "only_registries") for each in self.supposed)

    @property
    def compared(self) -> Sequence[Lists]:
        """The declarations of the two inventories to compare without a cluster: the earlier and the later. Empty on a cluster."""
        return [] if self.against is None else [self.against.lists, *self.inventories.values()]

    @property
    def inventories(self) -> Mapping[int, Lists]:
        """The declarations of each change that applies an inventory, by position."""
        return {at: each.inventory.lists for at, each in enumerate(self.supposed) if each.inventory is not None}

    @property
    def has_new_nodes(self) -> bool:
        return any(each.kind == "new_nodes" for each in self.supposed)


def from_options(
    options: Mapping[str, Any],
    read: Callable[[str], Sequence[Json]],
    declare: Callable[[Mapping[str, Any]], Lists] = lambda _given: {},
) -> WhatIfQuestion:
    """Return the question. `read` returns the objects in a file, and `declare` the declarations in an inventory.

    :raises OptionError: with all invalid changes, or for an invalid timeout.
    """
    registries = image_questions.access_of(options)
    failing = {"never": (), WOULD_BREAK: (WOULD_BREAK,), NOT_KNOWN: (WOULD_BREAK, NOT_KNOWN)}[options["fail_on"]]
    given = [as_dict(each) for each in options["changes"]]
    supposed = parse_changes(given, read, declare)
    against = _parse_against(options, supposed, declare)
    return WhatIfQuestion(
        supposed,
        registries,
        failing,
        {name: options[name] for name in OUTPUTS if options[name] is not None},
        [source for each in given if (source := as_str(as_dict(each.get("add_objects")).get("src")))],
        against,
    )


def _parse_against(
    options: Mapping[str, Any], supposed: Sequence[SupposedChange], declare: Callable[[Mapping[str, Any]], Lists]
) -> InventoryLists | None:
    """:raises OptionError: for other changes than one inventory, for an option that needs a cluster, and for invalid entries."""
    given = options.get("against")
    if given is None:
        return None
    if [each.kind for each in supposed] != [changes.DECLARED]:
        raise OptionError(
            "option 'against' compares one inventory with another: give exactly one change in option 'changes', of kind 'declared'"
        )
    if ignored := [name for name in ("fail_on", "ask_registries") if options[name] not in (False, "never")]:
        raise OptionError(f"option {ignored[0]!r} needs a cluster: leave it out with option 'against'")
    return changes.parse_inventory("option 'against'", given, declare)
