# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges planned removals before the first of them is made. It reads the cluster as a what-if question does, and writes nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Union

from ...clients.kube.client import Cluster
from ...core.changes import Change
from ...core.entry import Entry
from ...core.errors import ImagePullError, Refusal
from ...core.json_types import as_str
from ...core.objects import ROLE_BINDING, ObjectRef, metadata
from ...core.what_if_format import NOT_KNOWN, WOULD_BREAK
from ...engine.reconciliation import Judge, PlannedChanges
from ...engine.result import Outcome
from ...engine.run import Run, RunSettings, open_run
from ...engine.selection import list_visible_namespaces
from ...features.pull_audit.options import PullAudit
from ...features.pull_audit.rules_verification import VERIFICATION
from ...features.pull_audit.run import AuditReader
from ...features.pull_audit.survey import ClusterSnapshot
from ...images.image_questions import RegistryAccess
from ...rbac.access_reviews import SUBJECT_ACCESS_REVIEW
from .causes import choose_refusals, find_causes
from .evaluation import PresentPulls, PullEvaluator
from .guard import GuardJudgement, describe_broken, has_removal
from .rows import WhatIfRow
from .run import compare_subjects, make_questions, read_rows, settle, unread_workloads
from .timing import NodeCaches
from .writes import objects_after, patches_of_objects

__all__ = ["ChangeGuard", "GuardScope", "Removals", "judge_effects"]

#: Maximum number of evaluators that are kept for other rows of the same account: each has all objects that its removals leave.
_EVALUATORS = 64
#: The objects that each removal changes, by a key of the caller.
Removals = Mapping[Hashable, Collection[ObjectRef]]
#: Returns all writes without those of the removals that are refused: in the given namespaces, or with None in all.
MakePlan = Callable[[Collection[Hashable], Union[Collection[str], None]], Sequence[Change]]


@dataclass(frozen=True)
class GuardScope:
    """The workloads that are judged: those of the namespaces of a cluster. `registries`: how registries are asked."""

    cluster: Cluster
    namespaces: Sequence[str]
    registries: RegistryAccess
    settings: RunSettings


def judge_effects(scope: GuardScope, removals: Removals, plan: MakePlan) -> GuardJudgement:
    """Find the removals that would break a workload. The others break none.

    :raises Refusal: when the cluster failed. Nothing was written.
    """
    if not removals:
        return GuardJudgement()
    with open_run(scope.cluster, len(scope.namespaces), replace(scope.settings, say=None)) as run:
        try:
            survey = AuditReader(run, PullAudit(rules=VERIFICATION), scope.namespaces).survey(time.time())
            return _Guard(run, survey, removals, scope.registries, plan).judge()
        except ImagePullError as error:
            raise _refusal(error) from None


class ChangeGuard:
    """The judge of the changes that a module has planned. Nothing is read if no change removes anything."""

    def __init__(self, cluster: Cluster, registries: RegistryAccess | None, settings: RunSettings) -> None:
        self._cluster, self._registries, self._settings = cluster, registries, settings
        self.judgement = GuardJudgement()
        self._approved: Mapping[str, Sequence[Change]] = {}

    @property
    def judge(self) -> Judge | None:
        """The judge of the engine, None without the option. `judgement` has all its judgements together."""
        return None if self._registries is None else partial(self._judge, self._registries)

    def _judge(
        self, registries: RegistryAccess, planned: PlannedChanges
    ) -> Mapping[Union[ObjectRef, tuple[str, Entry]], str]:
        """The reason for each entry, or without entries for each object, whose change would break a workload.

        :raises Refusal: when the cluster failed.
        """
        removals: dict[Hashable, dict[ObjectRef, None]] = {}
        for change in filter(has_removal, planned):
            for key in _keys_of(change):
                removals.setdefault(key, {})[change.ref] = None
        if not removals or _by_place(planned) == self._approved:
            return {}
        scope, plan = (
            GuardScope(self._cluster, self._namespaces(), registries, self._settings),
            partial(_plan_without, planned),
        )
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

    def _namespaces(self) -> Sequence[str]:
        try:
            return [as_str(metadata(each).get("name")) for each in list_visible_namespaces(self._cluster)]
        except ImagePullError as error:
            raise _refusal(error) from None

    def add_to(self, outcome: Outcome) -> Outcome:
        """Return the outcome with the judgement."""
        if self._registries is None:
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
        f"no removal was made, because option 'guard' could not judge the removals: {error}. Run it again, or set 'guard' to false to "
        "remove without this check"
    )


class _Guard:
    """The evaluation of removals on the evidence that was read once."""

    def __init__(
        self, run: Run, survey: ClusterSnapshot, removals: Removals, registries: RegistryAccess, plan: MakePlan
    ) -> None:
        self._run, self._survey, self._plan = run, survey, plan
        self._keys = list(removals)
        self._touching = _index(removals)
        self._caches, self._questions = NodeCaches(survey.nodes_by_name), make_questions(registries)
        self._present = PresentPulls(survey.evidence, asks=True)
        self._evaluator_without = lru_cache(_EVALUATORS)(self._evaluate_part)

    def judge(self) -> GuardJudgement:
        """Leave out removals until no other one breaks anything. What the other writes break is no reason to refuse a removal."""
        rows: Sequence[WhatIfRow] = ()

        def find_broken(refused: Collection[Hashable]) -> Sequence[WhatIfRow]:
            nonlocal rows
            evaluator = self._evaluator(self._plan(refused, None))
            rows = read_rows(self._run, self._survey, evaluator, self._caches, self._questions)
            return [row for row in rows if row.answer == WOULD_BREAK]

        refused = choose_refusals(find_broken, self._causes_of)
        unknown = [row for row in rows if row.answer == NOT_KNOWN and row.is_touched]
        return GuardJudgement(refused, unknown, unread_workloads(self._survey))

    def _causes_of(self, row: WhatIfRow, refused: Collection[Hashable]) -> Sequence[Sequence[Hashable]]:
        """Return the causes of a row without the removals that are refused already."""
        found, known = row.deciding, tuple(refused)
        places = frozenset(ref.namespace for ref in found.read)
        touching = self._touching_keys(found.read, refused)

        def breaks(made: Sequence[int]) -> bool:
            it = self._evaluator_without(known, places, touching, tuple(made))
            (now,) = compare_subjects(self._run, it, [found.subject], self._questions)
            return now.answer == WOULD_BREAK

        return [[self._keys[at] for at in cause] for cause in find_causes(touching, breaks)]

    def _evaluate_part(
        self, refused: tuple[Hashable, ...], places: frozenset[str], touching: tuple[int, ...], made: tuple[int, ...]
    ) -> PullEvaluator:
        """An evaluator of the plan in these namespaces, with only these of the touching removals."""
        left_out = (self._keys[at] for at in {*touching}.difference(made))
        return self._evaluator(self._plan([*refused, *left_out], places))

    def _touching_keys(self, read: Collection[ObjectRef], refused: Collection[Hashable]) -> tuple[int, ...]:
        """The positions of the other removals that change something that an explanation reads."""
        found = {at for ref in read for at in self._touching.get(_place_of(ref), ())}
        return tuple(at for at in sorted(found) if self._keys[at] not in refused)

    def _evaluator(self, writes: Sequence[Change]) -> PullEvaluator:
        """An evaluator of these writes, after the objects that they change have been read."""
        evidence = self._survey.evidence
        patches = settle(
            self._run, lambda: patches_of_objects(objects_after(writes, evidence), self._survey), [evidence], None
        )
        return PullEvaluator(self._present, [patches])


def _index(removals: Removals) -> Mapping[ObjectRef, Sequence[int]]:
    """The positions of the removals that change an object, or an object of a list."""
    found: dict[ObjectRef, dict[int, None]] = {}
    for at, refs in enumerate(removals.values()):
        for ref in refs:
            for each in (ref, replace(ref, name="")):
                found.setdefault(each, {})[at] = None
    return {ref: list(each) for ref, each in found.items()}


def _place_of(ref: ObjectRef) -> ObjectRef:
    """The object that an explanation reads, or for a review the role bindings that decide it."""
    return ObjectRef(ROLE_BINDING, ref.namespace, "") if ref.kind == SUBJECT_ACCESS_REVIEW else ref
