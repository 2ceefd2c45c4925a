# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns the options into a what-if question. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ...core.documents import DECLARED, NOT_ASKED, NOT_KNOWN, WOULD_BREAK
from ...core.errors import OptionError, call_all
from ...core.namespaces import is_platform_namespace
from ...core.objects import Json, as_dict, as_str
from ...images import image_questions
from ...images.image_questions import RegistryAccess
from .changes import CHANGE_ARGUMENTS, INVENTORY, WhatIfChange, parse_changes, parse_inventory
from .declared import AGAINST, InventoryLists, Lists
from .outputs import OUTPUTS, render_outputs

__all__ = ["ARGUMENTS", "WhatIfQuestion", "from_options", "with_inventories"]

#: The answers that fail the task, by the value of `fail_on`.
_FAILING: Mapping[str, Sequence[str]] = {
    "never": (),
    "certain_break": (WOULD_BREAK,),
    WOULD_BREAK: (WOULD_BREAK, NOT_ASKED),
    NOT_KNOWN: (WOULD_BREAK, NOT_KNOWN),
}
ARGUMENTS: dict[str, Any] = {
    "changes": {"type": "list", "elements": "dict", "required": True, "options": CHANGE_ARGUMENTS},
    **image_questions.ARGUMENTS,
    "fail_on": {"type": "str", "choices": [*_FAILING], "default": "never"},
    "dest": {"type": "path"},
    "junit": {"type": "path"},
    "markdown": {"type": "path"},
}
#: Options of the inventory to compare with, besides the lists.
_AGAINST = {**INVENTORY, "on_cluster": {"type": "bool", "default": False}}
_Declare = Callable[[Mapping[str, Any]], Lists]


def with_inventories(lists: Mapping[str, Any]) -> dict[str, Any]:
    """Return `ARGUMENTS` with the options that take an inventory. `lists` are the argument specs of its lists."""
    declared = {"type": "dict", "options": {**lists, **INVENTORY}}
    given = {**ARGUMENTS["changes"], "options": {**CHANGE_ARGUMENTS, DECLARED: declared}}
    return {**ARGUMENTS, "changes": given, "against": {"type": "dict", "options": {**lists, **_AGAINST}}}


@dataclass(frozen=True)
class WhatIfQuestion:
    """The `change_set` is applied together, in the order given. `registries`: how registries are asked, None if they are not.

    `failing` are the answers that fail the task, and `NOT_ASKED`. `outputs` are the paths of the files to write, by their options, `sources` the files that
    the changes name. `against`: the inventory to compare with, which is applied to the cluster with `on_cluster`. Otherwise no cluster is
    read.
    """

    change_set: Sequence[WhatIfChange]
    registries: RegistryAccess | None = None
    failing: Sequence[str] = ()
    outputs: Mapping[str, str] = field(default_factory=dict)
    sources: Sequence[str] = ()
    against: InventoryLists | None = None
    on_cluster: bool = False

    def render(self, document: Mapping[str, Any]) -> dict[str, str]:
        """Return the text of each file, by its option."""
        return render_outputs(self.outputs, document, self.failing)

    @property
    def target_version(self) -> str | None:
        """The version of the last upgrade among the changes, or None without one."""
        return next((each.value for each in reversed(self.change_set) if each.version is not None), None)

    @property
    def concerns_nodes(self) -> bool:
        """Whether a change concerns all nodes, so that the platform's namespaces are evaluated as well."""
        return any(each.concerns_nodes for each in self.change_set)

    def limit_removals(self, namespaces: Iterable[str]) -> WhatIfQuestion:
        """Return the question in these namespaces. If it concerns all nodes, a removal that names none leaves out the platform's."""
        usual = [name for name in namespaces if not is_platform_namespace(name)] if self.concerns_nodes else None
        return replace(self, change_set=[replace(each, usual=usual or None) for each in self.change_set])

    @property
    def is_about_network(self) -> bool:
        """Whether registries get out of reach, so that images count that no pod has today."""
        return any(each.kind in ("unreachable_registries", "only_registries") for each in self.change_set)

    @property
    def compared(self) -> Sequence[Lists]:
        """The declarations of the two inventories to compare without a cluster: the earlier and the later. Empty on a cluster."""
        if self.against is None or self.on_cluster:
            return []
        return [self.against.lists, *(each.inventory.lists for each in self.change_set if each.inventory is not None)]

    @property
    def inventories(self) -> Mapping[int, InventoryLists]:
        """The inventory of each change that applies one, by position. The one to compare with on a cluster is under `AGAINST`."""
        found = {at: each.inventory for at, each in enumerate(self.change_set) if each.inventory is not None}
        return {**found, AGAINST: self.against} if self.against is not None and self.on_cluster else found

    @property
    def lists(self) -> Mapping[int, Lists]:
        """The declarations of each inventory, as `inventories`."""
        return {at: each.lists for at, each in self.inventories.items()}

    @property
    def new_nodes(self) -> int | None:
        """The position of the change after which no node has an image, or None without it."""
        return next((at for at, each in enumerate(self.change_set) if each.kind == "new_nodes"), None)


def from_options(
    options: Mapping[str, Any],
    read: Callable[[str], Sequence[Json]],
    declare: _Declare = lambda _given: {},
    check: Callable[[Mapping[str, str], Sequence[str]], None] = lambda _outputs, _sources: None,
) -> WhatIfQuestion:
    """Return the question. `read` returns the objects in a file, and `declare` the declarations in an inventory.

    `check` gets the paths of the files to write, and of the files that the task reads, and raises OptionError with all its problems.

    :raises OptionError: with the problems of all options.
    """
    given, against = [as_dict(each) for each in options["changes"]], options.get("against")
    outputs, sources = {name: options[name] for name in OUTPUTS if options[name] is not None}, _sources_in(given)
    registries, changes, inventory, *_nothing = call_all(
        lambda: image_questions.access_of(options),
        lambda: parse_changes(given, read, declare),
        lambda: None if against is None else _parse_against(against, declare),
        lambda: _check_comparison(options),
        lambda: check(outputs, sources),
    )
    on_cluster = against is not None and against["on_cluster"]
    failing = _FAILING[options["fail_on"]]
    return WhatIfQuestion(changes, registries, failing, outputs, sources, inventory, on_cluster)


def _parse_against(against: Mapping[str, Any], declare: _Declare) -> InventoryLists:
    try:
        return parse_inventory("against", against, declare)
    except OptionError as error:
        raise OptionError(*(f"option 'against': {problem}" for problem in error.problems)) from None


def _sources_in(changes: Sequence[Mapping[str, Any]]) -> list[str]:
    """The paths of the files that the changes name."""
    added = (as_dict(each.get("add_objects")) for each in changes)
    return [source for each in added if (source := as_str(each.get("src")))]


def _check_comparison(options: Mapping[str, Any]) -> None:
    """:raises OptionError: for other changes than one inventory, and for options that need a cluster."""
    against = options.get("against")
    if against is None:
        return
    kinds = [name for change in options["changes"] for name, value in as_dict(change).items() if value is not None]
    problems = []
    if kinds != [DECLARED]:
        problems.append(
            "option 'against' compares one inventory with another: give exactly one change in option 'changes', of kind 'declared'"
        )
    if not against["on_cluster"]:
        given = {name: options[name] for name in ("fail_on", "ask_registries")}
        given["against.prune"] = against.get("prune")
        problems += [
            f"option {name!r} needs a cluster: leave it out, or set against.on_cluster to true"
            for name, value in given.items()
            if value not in (False, None, "never")
        ]
    if problems:
        raise OptionError(*problems)
