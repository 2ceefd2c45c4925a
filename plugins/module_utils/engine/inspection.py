# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inspection engine: reads and evaluates in parallel until nothing is awaited or a deadline has passed. It writes nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from ..clients.kube.client import Cluster
from ..core.errors import ImagePullError
from ..core.protocols import Evaluation, Inspection
from .polling import poll
from .reader import View
from .result import NamespaceResult, Outcome, Status
from .run import Run, RunSettings, internal_error, open_run

__all__ = ["evaluate_each", "inspect", "with_failures"]


_Inspection = TypeVar("_Inspection", bound=Inspection)
_Seen = TypeVar("_Seen")
_Found = TypeVar("_Found")


@dataclass
class _NamespaceInspection:
    """The inspection of one namespace: the objects that were last read, and their evaluation."""

    namespace: str
    view: View = field(default_factory=View)
    evaluation: Evaluation = field(default_factory=Evaluation)
    result: NamespaceResult | None = None
    checked: bool = False

    @property
    def pending(self) -> bool:
        return self.result is None and bool(self.evaluation.waiting_for)


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
        asked = [inspection]

        def look(pending: Sequence[_NamespaceInspection]) -> None:
            _round(run, asked[-1], pending)
            waiting = [work for work in pending if work.pending]
            if waiting and not run.stopped:
                asked.append(refine(asked[-1]))
                for work in waiting:
                    _evaluate(run, asked[-1], work)
            for work in pending:
                if not work.pending:
                    _count(run, work)
            run.progress.tick()

        poll(works, lambda: settings.wait_timeout, look, settings.clock)
        left = [work for work in works if work.pending]
        run.workers.map(lambda work: _check(run, work, was_there=True), left)
        failed = [_result_of(work, "") for work in left if work.pending]
        advice = hint(failed) if failed else ""
    return run.outcome([_result_of(work, advice) for work in works])


def evaluate_each(
    outcome: Outcome, seen: Mapping[str, _Seen], work: Callable[[str, _Seen], _Found]
) -> tuple[Outcome, dict[str, _Found]]:
    """Return the results of `work` for each namespace. A namespace for which it raises an error has failed."""
    found: dict[str, _Found] = {}
    failures: dict[str, ImagePullError] = {}
    for name, each in seen.items():
        try:
            found[name] = work(name, each)
        except ImagePullError as error:
            failures[name] = error
        except Exception as error:  # an object may contain anything
            failures[name] = internal_error(error)
    return with_failures(outcome, failures), found


def with_failures(outcome: Outcome, failures: Mapping[str, ImagePullError]) -> Outcome:
    """Return the outcome in which these namespaces have failed."""
    results = [
        result.failing(None, str(failures[result.name])) if result.name in failures else result
        for result in outcome.namespaces
    ]
    return replace(outcome, namespaces=results)


def _round(run: Run, inspection: Inspection, pending: Sequence[_NamespaceInspection]) -> None:
    seen = run.read(inspection, [work.namespace for work in pending])
    for work in pending:
        view = seen.get(work.namespace)
        if view is None:
            work.result = run.result_of_skip(work.namespace)
        elif isinstance(view, ImagePullError):
            work.result = run.failed(work.namespace, view)
        else:
            work.view = view
            _evaluate(run, inspection, work)
    empty = [work for work in pending if work.pending and not work.checked and not work.view.objects]
    run.workers.map(lambda work: _check(run, work, was_there=False), empty)


def _evaluate(run: Run, inspection: Inspection, work: _NamespaceInspection) -> None:
    try:
        work.evaluation = inspection.evaluate(work.namespace, work.view.objects, work.view.related)
    except ImagePullError as error:
        work.result = run.failed(work.namespace, error)
    except Exception as error:  # an object may contain anything
        work.result = run.failed(work.namespace, internal_error(error))


def _check(run: Run, work: _NamespaceInspection, *, was_there: bool) -> None:
    """Fail a namespace that does not exist: nothing is awaited in it. Cluster-scoped objects are in no namespace."""
    work.checked = True
    if work.namespace and not run.stopped and (why := run.namespace_problem(work.namespace, was_there=was_there)):
        work.result = NamespaceResult(work.namespace, "failed", error=why, extra=dict(work.evaluation.extra))


def _count(run: Run, work: _NamespaceInspection) -> None:
    run.progress.finished(changed=False, failed=work.result is not None and work.result.status == "failed")


def _result_of(work: _NamespaceInspection, advice: str) -> NamespaceResult:
    if work.result is not None:
        return work.result
    found = work.evaluation
    error = "; ".join(found.waiting_for)
    if error and advice:
        error += f"; {advice}"
    status: Status = "failed" if error else "unchanged"
    return NamespaceResult(work.namespace, status, notes=found.notes, error=error, extra=dict(found.extra))
