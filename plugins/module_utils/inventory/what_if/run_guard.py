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
from ...core.errors import ImagePullError, Refusal
from ...core.json_types import as_str
from ...core.objects import ROLE_BINDING, ObjectRef, metadata
from ...core.what_if_format import NOT_KNOWN, WOULD_BREAK
from ...engine.reconciliation import Judge
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

    @property
    def judge(self) -> Judge | None:
        """The judge of the engine, None without the option. `judgement` has all its judgements together."""
        return None if self._registries is None else partial(self._judge, self._registries)

    def _judge(self, registries: RegistryAccess, changes: Sequence[Change]) -> Mapping[ObjectRef, str]:
        """The reason for each object whose change would break a workload.

        :raises Refusal: when the cluster failed.
        """
        removals: dict[Hashable, Collection[ObjectRef]] = {
            change.ref: (change.ref,) for change in filter(has_removal, changes)
        }
        if not removals:
            return {}
        scope = GuardScope(self._cluster, self._namespaces(), registries, self._settings)

        def plan(refused: Collection[Hashable], places: Collection[str] | None) -> Sequence[Change]:
            made = (change for change in changes if change.ref not in refused)
            return [change for change in made if places is None or change.ref.namespace in places]

        found = judge_effects(scope, removals, plan)
        self.judgement = self.judgement.join(found)
        return {
            change.ref: describe_broken(f"{change.ref} was not changed", found.refused[change.ref])
            for change in changes
            if change.ref in found.refused
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
