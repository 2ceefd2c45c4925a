# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Leave out the removals of a prune that would break a workload, before the first write.

Users of a project choose its workloads. So a workload stops the removals that it needs, and no other one.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from ...core.changes import Change
from ...engine.fetching import View
from ...engine.result import NamespaceResult, Outcome
from ..what_if.guard import GuardJudgement, describe_broken
from ..what_if.run_change_guard import GuardScope, judge_effects
from .plan import Prune
from .removals import Removal, keep_removals, removals_of

__all__ = ["WorkloadGuard"]


@dataclass(frozen=True)
class WorkloadGuard:
    """A prune whose removals are judged. `views` are the objects of its plans, and `planned` the changes, by namespace.

    `judgement` is None until they are judged.
    """

    prune: Prune
    views: Mapping[str, View]
    planned: Mapping[str, Sequence[Change]]
    judgement: GuardJudgement | None = field(default=None)

    def judge(self, scope: GuardScope) -> WorkloadGuard:
        """Return the guard with the judgement of the workloads.

        :raises Refusal: when the cluster failed. Nothing was removed.
        """
        return replace(self, judgement=judge_effects(scope, {each: each.refs for each in self.removals}, self._plan))

    @cached_property
    def removals(self) -> Sequence[Removal]:
        """All removals of the plans."""
        return [
            removal
            for name, changes in self.planned.items()
            for removal in removals_of(name, changes, self.views[name].related)
        ]

    @cached_property
    def _by_namespace(self) -> Mapping[str, Sequence[Removal]]:
        found: dict[str, list[Removal]] = {}
        for removal in self.removals:
            found.setdefault(removal.namespace, []).append(removal)
        return found

    def _plan(self, refused: Collection[Hashable], places: Collection[str] | None = None) -> Sequence[Change]:
        """The changes without these removals: in the given namespaces, or with None in all."""
        left_out: dict[str, list[Removal]] = {}
        for each in refused:
            if isinstance(each, Removal):
                left_out.setdefault(each.namespace, []).append(each)
        return [
            change
            for name in (self.planned if places is None else self.planned.keys() & places)
            for change in self._plan_namespace(name, left_out.get(name, ()))
        ]

    def _plan_namespace(self, namespace: str, kept: Sequence[Removal]) -> Sequence[Change]:
        if not kept:
            return self.planned[namespace]
        view = self.views[namespace]
        return keep_removals(self.prune, kept).plan(namespace, view.objects, view.related).changes

    @property
    def desired(self) -> Prune:
        """The prune without the refused removals."""
        return keep_removals(self.prune, self._refused)

    @property
    def _refused(self) -> Sequence[Removal]:
        return [] if self.judgement is None else [each for each in self.removals if each in self.judgement.refused]

    @property
    def refused(self) -> list[Change]:
        """The changes that were not made."""
        refused = frozenset(self._refused)
        places = {each.namespace for each in refused}
        others = [each for each in self.removals if each.namespace in places and each not in refused]
        return [*self._plan(others, places)]

    def add_to(self, outcome: Outcome, later: GuardJudgement) -> Outcome:
        """Return the outcome with the judgement, and with a later one of changed plans. A namespace with a refused removal has failed."""
        if self.judgement is None:
            return outcome
        judgement = self.judgement.join(later)
        reasons = {name: "; ".join(each) for name, each in _group(self._sentences())}
        results = [_fail(result, reasons.get(result.name, "")) for result in outcome.namespaces]
        extra: dict[str, Any] = {**outcome.extra, "guard": judgement.report()}
        return replace(outcome, namespaces=results, remarks=(*outcome.remarks, *judgement.remarks), extra=extra)

    def _sentences(self) -> Iterator[tuple[str, str]]:
        if self.judgement is not None:
            for removal in self._refused:
                yield (
                    removal.namespace,
                    describe_broken(f"{removal.title} was not removed", self.judgement.refused[removal]),
                )


def _group(sentences: Iterator[tuple[str, str]]) -> Iterator[tuple[str, Sequence[str]]]:
    found: dict[str, list[str]] = {}
    for name, sentence in sentences:
        found.setdefault(name, []).append(sentence)
    yield from found.items()


def _fail(result: NamespaceResult, reason: str) -> NamespaceResult:
    if not reason or result.status == "skipped":
        return result
    return replace(result, status="failed", error="; ".join(filter(None, (result.error, reason))))
