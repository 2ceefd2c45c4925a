# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges planned removals before the first of them is made, and adds the judgement to the result of the task.

The evaluation of pulls (`run_guard.py`) is the larger part of this collection, and few tasks remove something. So it is imported by those only.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Union

from ...clients.kube.client import Cluster
from ...core.changes import Change, Entry
from ...core.errors import ImagePullError, Refusal
from ...core.objects import ObjectRef, as_str, metadata
from ...engine.namespaces import list_namespaces
from ...engine.reconciliation import Judge, PlannedChanges
from ...engine.result import Outcome
from ...engine.run import RunSettings
from .guard import GuardAccess, GuardJudgement, MakePlan, Removals, describe_broken, has_removal

if TYPE_CHECKING:
    from .rows import WhatIfRow

__all__ = ["ChangeGuard", "GuardScope", "judge_effects"]


@dataclass(frozen=True)
class GuardScope:
    """The workloads that are judged: those of the namespaces of a cluster.

    `unlisted` is the refusal to list all namespaces. It is empty if `namespaces` are all.
    """

    cluster: Cluster
    namespaces: Sequence[str]
    access: GuardAccess
    settings: RunSettings
    unlisted: str = ""

    @classmethod
    def read(cls, cluster: Cluster, access: GuardAccess, settings: RunSettings) -> GuardScope:
        """Return the scope with all namespaces that the caller can list.

        :raises Refusal: when it cannot list any.
        """
        try:
            namespaces, unlisted = list_namespaces(cluster)
        except ImagePullError as error:
            raise _refusal(error) from None
        return cls(cluster, [as_str(metadata(each).get("name")) for each in namespaces], access, settings, unlisted)


def judge_effects(scope: GuardScope, removals: Removals, plan: MakePlan) -> GuardJudgement:
    """Find the removals that would break a workload. The others break none.

    :raises Refusal: when the cluster failed. Nothing was written.
    """
    if not removals:
        return GuardJudgement()
    from .run_guard import judge_workloads  # noqa: PLC0415

    try:
        if scope.unlisted and scope.access.is_strict:
            raise ImagePullError(f"the workloads of other namespaces could not be read: {scope.unlisted}")
        found = judge_workloads(
            scope.cluster, scope.settings, scope.access, scope.namespaces, removals=removals, plan=plan
        )
    except ImagePullError as error:
        raise _refusal(error) from None
    return replace(found, unlisted=scope.unlisted)


class ChangeGuard:
    """The judge of the changes that a module has planned. Nothing is read if no change removes anything."""

    def __init__(self, cluster: Cluster, access: GuardAccess | None, settings: RunSettings) -> None:
        self._cluster, self._access, self._settings = cluster, access, settings
        self.judgement = GuardJudgement()
        self._approved: Mapping[str, Sequence[Change]] = {}

    @property
    def judge(self) -> Judge | None:
        """The judge of the engine, None without the option. `judgement` has all its judgements together."""
        return None if self._access is None else partial(self._judge, self._access)

    def _judge(self, access: GuardAccess, planned: PlannedChanges) -> Mapping[Union[ObjectRef, tuple[str, Entry]], str]:
        """The reason for each entry, or without entries for each object, whose change would break a workload.

        :raises Refusal: when the cluster failed.
        """
        removals: dict[Hashable, dict[ObjectRef, None]] = {}
        for change in filter(has_removal, planned):
            for key in _keys_of(change):
                removals.setdefault(key, {})[change.ref] = None
        if not removals or _by_place(planned) == self._approved:
            return {}
        scope = GuardScope.read(self._cluster, access, self._settings)
        plan = partial(_plan_without, planned)
        found = judge_effects(scope, removals, plan)
        rest = plan(found.refused, None)
        # Without the refused entries, another one may remove something that they would have removed.
        is_judged = all(key in removals for change in filter(has_removal, rest) for key in _keys_of(change))
        self._approved = _by_place(rest) if is_judged else {}
        self.judgement = self.judgement.join(found)
        return {
            key: describe_broken(f"{_broken_part(refs, found.refused[key])} was not changed", found.refused[key])
            for key, refs in removals.items()
            if key in found.refused and isinstance(key, (ObjectRef, tuple))
        }

    def add_to(self, outcome: Outcome) -> Outcome:
        """Return the outcome with the judgement."""
        if self._access is None:
            return outcome
        remarks = (*outcome.remarks, *self.judgement.remarks)
        return replace(outcome, remarks=remarks, extra={**outcome.extra, "guard": self.judgement.report()})


def _by_place(changes: Sequence[Change]) -> dict[str, list[Change]]:
    found: dict[str, list[Change]] = {}
    for change in changes:
        found.setdefault(change.ref.namespace, []).append(change)
    return found


def _keys_of(change: Change) -> Sequence[Hashable]:
    """Its entries in its namespace, or without entries the object. One write can be that of several entries."""
    return [(change.ref.namespace, entry) for entry in change.entries] or [change.ref]


def _plan_without(
    planned: PlannedChanges, refused: Collection[Hashable], places: Collection[str] | None
) -> Sequence[Change]:
    """The planned changes without the refused ones: in the given namespaces, or with None in all."""
    entries: dict[str, list[Entry]] = {}
    for key in refused:
        if isinstance(key, tuple):
            entries.setdefault(key[0], []).append(key[1])
    made = [change for change in planned if places is None or change.ref.namespace in places]
    rest = [change for change in made if change.ref.namespace not in entries and change.ref not in refused]
    again = [name for name in entries if places is None or name in places]
    return [*rest, *(change for name in again for change in planned.plan(name, entries[name]))]


def _broken_part(refs: Collection[ObjectRef], rows: Sequence[WhatIfRow]) -> ObjectRef:
    """The first of the changed objects that a broken pull needs."""
    needed = (ref for ref in refs if any(ref in row.deciding.read for row in rows))
    return next(needed, next(iter(refs)))


def _refusal(error: ImagePullError) -> Refusal:
    return Refusal(
        f"no removal was made, because option 'guard' could not check the removals: {error}. Run it again, or set 'guard: false' to "
        "remove without this check"
    )
