# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges planned removals before the first of them is made. It reads the cluster as a what-if question does, and writes nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ...clients.kube.client import Cluster
from ...core.changes import Change
from ...core.errors import ImagePullError, Refusal
from ...core.json_types import as_str
from ...core.objects import ROLE_BINDING, ObjectRef, metadata
from ...core.what_if_format import NOT_KNOWN, WOULD_BREAK
from ...engine.result import Outcome
from ...engine.run import Run, RunSettings, open_run
from ...engine.selection import list_visible_namespaces
from ...features.pull_audit.options import PullAudit
from ...features.pull_audit.rules_verification import VERIFICATION
from ...features.pull_audit.run import AuditReader
from ...features.pull_audit.survey import ClusterSnapshot
from ...images.image_questions import RegistryAccess
from .evaluation import Comparison, PullEvaluator
from .guard import GuardJudgement, describe_broken, has_removal
from .patches import EvidencePatch
from .rows import WhatIfRow
from .run import compare_subjects, read_rows, settle, unread_workloads
from .timing import NodeCaches
from .writes import objects_after, patches_of_objects

__all__ = ["ChangeGuard", "GuardScope", "Removals", "judge_effects"]

#: The writes of each removal, by a key of the caller.
Removals = Mapping[Hashable, Sequence[Change]]
#: Returns all writes without those of the removals that are refused.
MakePlan = Callable[[Collection[Hashable]], Sequence[Change]]


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
            return _Guard(run, survey, removals, scope.registries).judge(plan)
        except ImagePullError as error:
            raise _refusal(error) from None


class ChangeGuard:
    """The judge of the changes that a module has planned. Nothing is read if no change removes anything."""

    def __init__(self, cluster: Cluster, registries: RegistryAccess | None, settings: RunSettings) -> None:
        self._cluster, self._registries, self._settings = cluster, registries, settings
        self._judgement = GuardJudgement()

    def judge(self, changes: Sequence[Change]) -> Mapping[ObjectRef, str]:
        """Return the reason for each object whose change would break a workload. The result of the task has all judgements together.

        :raises Refusal: when the cluster failed.
        """
        removals: dict[Hashable, list[Change]] = {}
        for change in filter(has_removal, changes):
            removals.setdefault(change.ref, []).append(change)
        if self._registries is None or not removals:
            return {}
        scope = GuardScope(self._cluster, self._namespaces(), self._registries, self._settings)
        found = judge_effects(
            scope, removals, lambda refused: [change for change in changes if change.ref not in refused]
        )
        self._judgement = self._judgement.join(found)
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
        remarks = (*outcome.remarks, *self._judgement.remarks)
        return replace(outcome, remarks=remarks, extra={**outcome.extra, "guard": self._judgement.report()})


def _refusal(error: ImagePullError) -> Refusal:
    return Refusal(
        f"no removal was made, because option 'guard' could not judge the removals: {error}. Run it again, or set 'guard' to false to "
        "remove without this check"
    )


class _Guard:
    """The evaluation of removals on the evidence that was read once."""

    def __init__(self, run: Run, survey: ClusterSnapshot, removals: Removals, registries: RegistryAccess) -> None:
        self._run, self._survey, self._removals, self._registries = run, survey, removals, registries
        self._caches = NodeCaches(survey.nodes_by_name)

    def judge(self, plan: MakePlan) -> GuardJudgement:
        """Leave out removals until no other one breaks anything. What the other writes break is no reason to refuse a removal."""
        refused: dict[Hashable, list[WhatIfRow]] = {}
        while True:
            rows = self._rows(self._patches(plan(refused)))
            broken = [row for row in rows if row.answer == WOULD_BREAK]
            causes = self._causes(broken, plan, refused)
            if not any(causes):
                unknown = [row for row in rows if row.answer == NOT_KNOWN and row.is_touched]
                return GuardJudgement(refused, unknown, unread_workloads(self._survey))
            for row, keys in zip(broken, causes, strict=True):
                for key in keys:
                    refused.setdefault(key, []).append(row)

    def _rows(self, patches: Sequence[EvidencePatch]) -> list[WhatIfRow]:
        evaluator = PullEvaluator(self._survey.evidence, [patches], asks=True)
        return read_rows(self._run, self._survey, evaluator, self._caches, self._registries)

    def _causes(
        self, broken: Sequence[WhatIfRow], plan: MakePlan, refused: Collection[Hashable]
    ) -> Sequence[Sequence[Hashable]]:
        """Return for each row the removals that break it alone. If there are none for any row, those that break it together.

        At last, those without which the plan does not break it. Each binding of a project can be one too many for a right, and all of them
        together are not. So they are also evaluated as a unit.
        """
        keys = [key for key in self._removals if key not in refused]
        if not broken or not keys:
            return []
        alone = self._compare(broken, [self._removals[key] for key in keys])
        causes = [[keys[at] for at in each.causes] for each in alone]
        if any(causes):
            return causes
        units = self._units(keys)
        together = self._compare(broken, [[write for key in unit for write in self._removals[key]] for unit in units])
        touching = [{keys[at] for at in each.touched} for each in alone]
        pairs = list(zip(together, touching, strict=True))
        causes = [_keys_in([units[at] for at in each.causes], own) for each, own in pairs]
        if any(causes):
            return causes
        causes = [_keys_in([units[at] for at in each.touched], own) for each, own in pairs]
        left = self._compare(broken, [plan({*refused, *(key for each in causes for key in each)})])
        return [each if row.answer != WOULD_BREAK else [] for each, row in zip(causes, left, strict=True)]

    def _units(self, keys: Sequence[Hashable]) -> list[list[Hashable]]:
        """The removals, with those of the role bindings of a project together."""
        units: dict[Hashable, list[Hashable]] = {}
        for key in keys:
            projects = (change.ref.namespace for change in self._removals[key] if change.ref.kind == ROLE_BINDING)
            units.setdefault(next(projects, key), []).append(key)
        return list(units.values())

    def _patches(self, writes: Sequence[Change]) -> list[EvidencePatch]:
        """The effects of writes, after the objects that they change have been read."""
        evidence = self._survey.evidence

        def make() -> list[EvidencePatch]:
            return patches_of_objects(objects_after(writes, evidence), self._survey)

        return settle(self._run, make, [evidence], None)

    def _compare(self, rows: Sequence[WhatIfRow], writes: Iterable[Sequence[Change]]) -> list[Comparison]:
        """Compare the deciding container of each row before and after the writes, each sequence of which is one change."""
        patches = [self._patches(each) for each in writes]
        evaluator = PullEvaluator(self._survey.evidence, patches, asks=True)
        return compare_subjects(self._run, evaluator, [row.deciding.subject for row in rows], self._registries)


def _keys_in(units: Iterable[Sequence[Hashable]], touching: Collection[Hashable]) -> list[Hashable]:
    """The removals of these units: of each unit those that touch a row alone, or all if none does."""
    return [key for unit in units for key in [key for key in unit if key in touching] or unit]
