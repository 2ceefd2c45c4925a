# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Combine lists of several kinds into one inventory: all declarations of a task, and the namespaces of the cluster that they cover."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..clients.kube.client import Cluster
from ..core.errors import OptionError
from ..core.namespaces import NamespaceSelector
from ..core.objects import Json
from ..declarations.batch import Batch
from ..declarations.declare import ListForm, TargetedDeclaration, batch_of, read_declarations
from ..declarations.targets import Targets
from ..engine import selection
from ..engine.result import Outcome
from .task import SettingsFor, Task, run_on_cluster

__all__ = ["Inventory", "InventoryList", "run_inventory"]


@dataclass(frozen=True)
class InventoryList:
    """One list: its form, and the argument spec of an entry, with defaults."""

    form: ListForm[Any]
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class Inventory:
    """The declarations of a task, by option. Options that are not given are not included.

    `namespaces` are those that the caller can see, as the API server sent them. `confirmed` are the names of those that an entry selects
    independently of the namespace's users.
    """

    batches: Mapping[str, Batch[Any]]
    namespaces: Sequence[Json] = field(default_factory=list)
    confirmed: frozenset[str] = frozenset()


def run_inventory(
    task: Task,
    parts: Sequence[InventoryList],
    *,
    common: Mapping[str, Any],
    check: Callable[[Sequence[Any]], None],
    work: Callable[[Cluster, Inventory, SettingsFor], Outcome],
) -> dict[str, Any]:
    """Return the result of `work` for all lists of a task together.

    `common`: options of the task that apply to entries without their own value. `check`: called with all declarations before any
    request.

    :raises OptionError: with all invalid or contradictory entries. Nothing was changed then.
    """
    wanted = _parse_lists(task, parts, common)
    check([one.declared.desired for ours in wanted.values() for one in ours])

    def run(cluster: Cluster, settings: SettingsFor) -> Outcome:
        namespaces = selection.list_visible_namespaces(cluster)
        batches, problems, confirmed = {}, [], set[str]()
        for part in parts:
            ours = wanted.get(part.form.option)
            if ours is None:
                continue
            found = selection.resolve_targets(cluster, [one.targets for one in ours], namespaces)
            task.warn([*_warn_of_empty(ours, found), *(remark for meant in found for remark in meant.remarks)])
            confirmed.update(name for meant in found for name in {*meant.namespaces} - {*meant.open_to_users})
            try:
                batches[part.form.option] = batch_of(part.form, ours, found)
            except OptionError as error:
                problems.append(str(error))
        if problems:
            raise OptionError("; ".join(problems))
        return work(cluster, Inventory(batches, namespaces, frozenset(confirmed)), settings)

    return run_on_cluster(task, run)


def _parse_lists(
    task: Task, parts: Sequence[InventoryList], common: Mapping[str, Any]
) -> dict[str, list[TargetedDeclaration[Any]]]:
    wanted, problems = {}, []
    for part in parts:
        option = part.form.option
        items = task.params[option]
        defaults = {name: spec.get("default") for name, spec in part.arguments.items()}
        try:
            if items is not None:
                params = {**defaults, **common, option: items}
                wanted[option] = read_declarations(part.form, params, task.read_file) if items else []
        except OptionError as error:
            problems.append(str(error))
    if problems:
        raise OptionError("; ".join(problems))
    return wanted


def _warn_of_empty(wanted: Sequence[TargetedDeclaration[Any]], found: Sequence[Targets]) -> list[str]:
    return [
        f"{one.declared.entry}: its namespace_selector selects no namespace, so it declares nothing on this cluster"
        for one, meant in zip(wanted, found, strict=True)
        if isinstance(one.targets, NamespaceSelector) and not meant.namespaces
    ]
