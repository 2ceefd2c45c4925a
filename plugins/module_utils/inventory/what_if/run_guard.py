# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges planned removals by their effects on workloads. It reads the cluster as a what-if question does, and writes nothing."""

from __future__ import annotations

import time
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from ...clients.kube.client import Cluster
from ...core.changes import Change
from ...core.documents import NOT_KNOWN, WOULD_BREAK, describe_unread
from ...core.errors import ImagePullError
from ...core.objects import ROLE_BINDING, ObjectRef
from ...discovery.cluster_reader import ClusterReader
from ...discovery.lookup_reader import settle
from ...discovery.proofs import NamespaceQuestions
from ...engine.run import Run, RunSettings, open_run
from ...explain.snapshot import ClusterSnapshot, SnapshotQuestion
from ...rbac.subjects import SUBJECT_ACCESS_REVIEW
from .effects import objects_after, patches_of_objects
from .evaluation import PresentPulls, PullEvaluator, choose_refusals, find_causes
from .rows import WhatIfRow
from .run import compare_subjects, read_rows, unread_workloads
from .run_change_guard import GuardAccess, GuardJudgement, MakePlan, Removals
from .timing import NodeCaches

#: Maximum number of evaluators that are kept for other rows of the same account: each has all objects that its removals leave.
_EVALUATORS = 64


def judge_workloads(
    cluster: Cluster,
    settings: RunSettings,
    access: GuardAccess,
    namespaces: Sequence[str],
    *,
    removals: Removals,
    plan: MakePlan,
) -> GuardJudgement:
    """Find the removals that would break a workload. The others break none.

    :raises ImagePullError: when the cluster failed, and with a strict guard when workloads could not be read.
    """
    # A caller can have rights in a namespace that is not one of its projects.
    changed = (ref.namespace for refs in removals.values() for ref in refs)
    places = [*dict.fromkeys([*namespaces, *filter(None, changed)])]
    with open_run(cluster, len(places), replace(settings, say=None)) as run:
        reader = ClusterReader(run, SnapshotQuestion(verdicts=False, nodes=True, node_settings=True), places)
        return _Guard(run, reader.read(time.time()), removals, access, plan).judge()


class _Guard:
    """The evaluation of removals on the evidence that was read once."""

    def __init__(
        self, run: Run, survey: ClusterSnapshot, removals: Removals, access: GuardAccess, plan: MakePlan
    ) -> None:
        self._run, self._survey, self._plan = run, survey, plan
        self._keys = list(removals)
        self._touching = _index(removals)
        self._caches, self._questions = NodeCaches({}), NamespaceQuestions.of_task(access.registries)
        self._is_strict = access.is_strict
        #: The answers for which a removal is refused.
        self._failing = (WOULD_BREAK, NOT_KNOWN) if access.is_strict else (WOULD_BREAK,)
        self._present = PresentPulls(survey.evidence, asks=True)
        self._evaluator_without = lru_cache(_EVALUATORS)(self._evaluate_part)

    def judge(self) -> GuardJudgement:
        """Leave out removals until no other one breaks anything. What the other writes break is no reason to refuse a removal.

        :raises ImagePullError: with a strict guard, when workloads could not be read.
        """
        unread = unread_workloads(self._survey)
        if unread and self._is_strict:
            name = next(iter(unread))
            raise ImagePullError(f"{describe_unread([*unread])}, such as in namespace {name}: {unread[name]}")
        rows: Sequence[WhatIfRow] = ()

        def find_broken(refused: Collection[Hashable]) -> Sequence[WhatIfRow]:
            nonlocal rows
            evaluator = self._evaluator(self._plan(refused, None))
            rows = read_rows(self._run, self._survey, evaluator, self._caches, self._questions)
            return [row for row in rows if row.answer in self._failing]

        refused = choose_refusals(find_broken, self._causes_of)
        unknown = [row for row in rows if row.answer == NOT_KNOWN]
        return GuardJudgement(refused, unknown, unread)

    def _causes_of(self, row: WhatIfRow, refused: Collection[Hashable]) -> Sequence[Sequence[Hashable]]:
        """Return the causes of a row without the removals that are refused already."""
        found, known = row.deciding, tuple(refused)
        places = frozenset(ref.namespace for ref in found.read)
        touching = self._touching_keys(found.read, refused)

        def breaks(made: Sequence[int]) -> bool:
            it = self._evaluator_without(known, places, touching, tuple(made))
            (now,) = compare_subjects(self._run, it, [found.subject], self._questions)
            return now.answer in self._failing

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
