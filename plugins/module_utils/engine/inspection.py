# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inspection engine: reads and evaluates in parallel until nothing is awaited or a deadline has passed. It writes nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from ..clients.kube.client import Cluster
from ..core.changes import Evaluation, Inspection, Question, Related
from ..core.errors import ImagePullError
from ..core.objects import Objects
from .fetching import View
from .result import NamespaceResult, Outcome, Status
from .run import NamespaceWork, Run, RunSettings, attempt, open_run

__all__ = ["evaluate_each", "inspect", "read_each", "with_failures"]


_Inspection = TypeVar("_Inspection", bound=Inspection)
_Seen = TypeVar("_Seen")
_Found = TypeVar("_Found")


@dataclass
class _NamespaceInspection(NamespaceWork):
    """The inspection of one namespace: the objects that were last read, their evaluation, and the advice about objects that it awaits."""

    view: View = field(default_factory=View)
    evaluation: Evaluation = field(default_factory=Evaluation)
    checked: bool = False
    advice: str = ""

    @property
    def has_more(self) -> bool:
        return bool(self.evaluation.waiting_for)

    @property
    def awaited(self) -> str:
        return next(iter(self.evaluation.waiting_for), "")

    def summarize(self) -> NamespaceResult:
        found = self.evaluation
        error = "; ".join(filter(None, (*found.waiting_for, self.advice)))
        status: Status = "failed" if error else "unchanged"
        return NamespaceResult(self.namespace, status, notes=found.notes, error=error, extra=dict(found.extra))

    def evaluate(self, inspection: Inspection) -> None:
        self.evaluation = inspection.evaluate(self.namespace, self.view.objects, self.view.related)


def inspect(
    cluster: Cluster,
    inspection: _Inspection,
    namespaces: Sequence[str],
    settings: RunSettings,
    *,
    refine: Callable[[_Inspection], _Inspection] = lambda inspection: inspection,
    hint: Callable[[Sequence[NamespaceResult]], str] = lambda _left: "",
) -> Outcome:
    """Return the findings in every namespace. A namespace in which something is still awaited at the end has failed.

    `refine`: called after a round in which something is still awaited. It returns the inspection that evaluates the same objects once
    more. `hint`: returns the fix for missing objects, given the namespaces that still await them.

    :raises ImagePullError: if nothing could be read at all.
    """
    works = [_NamespaceInspection(namespace) for namespace in dict.fromkeys(namespaces)]
    with open_run(cluster, len(works), settings) as run:

        def look(pending: Sequence[_NamespaceInspection]) -> None:
            nonlocal inspection
            _round(run, inspection, pending)
            waiting = [work for work in pending if work.pending]
            if waiting and not run.stopped:
                inspection = refine(inspection)
                for work in waiting:
                    run.guard(_NamespaceInspection.evaluate, work, inspection)

        run.poll(works, look, lambda: settings.wait_timeout)
        _check(run, [work for work in works if work.pending], was_there=True)
        left = [work for work in works if work.pending]
        advice = hint([work.summarize() for work in left]) if left else ""
        for work in left:
            work.advice = advice
    return run.outcome([work.finish() for work in works])


@dataclass
class _NamespaceReading(NamespaceWork):
    """One namespace that is read once."""

    has_more = False

    def summarize(self) -> NamespaceResult:
        return NamespaceResult(self.namespace, "unchanged")


def read_each(
    cluster: Cluster,
    question: Question,
    namespaces: Sequence[str],
    settings: RunSettings,
    work: Callable[[str, Objects, Related], _Found],
) -> tuple[Outcome, dict[str, _Found]]:
    """Return the results of `work` for the objects and the related objects of each namespace. A namespace that cannot be read has failed."""
    works = [_NamespaceReading(namespace) for namespace in dict.fromkeys(namespaces)]
    found: dict[str, _Found] = {}

    def keep(each: _NamespaceReading, view: View) -> None:
        found[each.namespace] = work(each.namespace, view.objects, view.related)

    with open_run(cluster, len(works), settings) as run:
        run.share(works, run.read(question, [each.namespace for each in works]), keep)
        run.count_finished(works)
    return run.outcome([each.finish() for each in works]), found


def evaluate_each(
    outcome: Outcome, seen: Mapping[str, _Seen], work: Callable[[str, _Seen], _Found]
) -> tuple[Outcome, dict[str, _Found]]:
    """Return the results of `work` for each namespace. A namespace for which it raises an error has failed."""
    found: dict[str, _Found] = {}
    failures: dict[str, ImagePullError] = {}
    for name, each in seen.items():
        answer = attempt(work, name, each)
        if isinstance(answer, ImagePullError):
            failures[name] = answer
        else:
            found[name] = answer
    return with_failures(outcome, failures), found


def with_failures(outcome: Outcome, failures: Mapping[str, ImagePullError]) -> Outcome:
    """Return the outcome in which these namespaces have failed."""
    results = [
        result.failing(None, str(failures[result.name])) if result.name in failures else result
        for result in outcome.namespaces
    ]
    return replace(outcome, namespaces=results)


def _round(run: Run, inspection: Inspection, pending: Sequence[_NamespaceInspection]) -> None:
    def evaluate(work: _NamespaceInspection, view: View) -> None:
        work.view = view
        work.evaluate(inspection)

    run.share(pending, run.read(inspection, [work.namespace for work in pending]), evaluate)
    empty = [work for work in pending if work.pending and not work.checked and not work.view.objects]
    _check(run, empty, was_there=False)


def _check(run: Run, works: Sequence[_NamespaceInspection], *, was_there: bool) -> None:
    """Fail namespaces that do not exist: nothing is awaited in them. Cluster-scoped objects are in no namespace."""
    if run.stopped:
        return
    run.check_namespaces([work for work in works if work.namespace], was_there=was_there)
    for work in works:
        work.checked = True
        if work.result is not None:
            work.result = replace(work.result, extra=dict(work.evaluation.extra))
