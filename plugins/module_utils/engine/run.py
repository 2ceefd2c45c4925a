# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The driver of all work in namespaces: one run, its settings, clock and progress, and the reasons to end one namespace early.

Then the inspection engine: it reads and evaluates in parallel until nothing is awaited or a deadline has passed. It writes nothing.
"""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from ..clients.kube.client import Cluster
from ..clients.kube.errors import (
    ApiError,
    ClusterError,
    NamespaceMissing,
    NamespaceTerminating,
    Unanswered,
    WebhookUnanswered,
)
from ..core.changes import Evaluation, Inspection, Question, Related
from ..core.errors import ImagePullError, Refusal, describe_unexpected
from ..core.objects import Objects
from ..core.text import make_printable, pluralize
from .fetching import View, read_views
from .namespaces import deleted_sentence, missing_in, require_namespace, terminating_sentence
from .result import NamespaceResult, Outcome, Status
from .workers import Threads, Workers


@dataclass(frozen=True)
class Clock:
    """A clock. `now` returns seconds from any start, `sleep` waits for a number of seconds. `threads` wait by the same clock."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    threads: Threads = field(default_factory=Threads)


#: Seconds between two lines. A task that ends earlier prints none.
_INTERVAL = 3.0


@dataclass
class Progress:
    """Counts finished namespaces, from several threads. `say` gets each line. With None, no line is printed."""

    task: str
    total: int
    say: Callable[[str], None] | None = None
    now: Callable[[], float] = time.monotonic
    done: int = 0
    changed: int = 0
    failed: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._started = self._said = self.now()

    def count_namespace(self, *, changed: bool, failed: bool) -> None:
        """Count one namespace."""
        with self._lock:
            self.done += 1
            self.changed += changed
            self.failed += failed
        self.tick()

    def tick(self, awaited: str = "") -> None:
        """Report the progress, and the awaited object, if the last line was long enough ago."""
        with self._lock:
            now = self.now()
            due = now - self._said >= _INTERVAL
            if due:
                self._said = now
                text = f"{progress_line(self, now - self._started)}{awaited and f'; {awaited}'}"
        if due and self.say:
            self.say(text)


def progress_line(progress: Progress, seconds: float) -> str:
    """Return a line such as `sa_link 4,210/10,000 namespaces, 12 changed, 1 failed, about 11 s left`, at first without an estimate."""
    text = (
        f"{progress.task} {progress.done:,}/{pluralize(progress.total, 'namespace')}, {progress.changed:,} changed, "
        f"{progress.failed:,} failed"
    )
    if not progress.done:
        return text
    left = seconds / progress.done * (progress.total - progress.done)
    return f"{text}, about {left:.0f} s left"


#: The error of each namespace that is only partly done when the run stops. The reason for stopping is reported once.
_CUT_SHORT = "the task stopped before this namespace was finished. Its last write may have been carried out"

#: Maximum number of characters about an awaited object in a progress line.
_LONGEST_WAIT = 200

#: Seconds between two looks: short at first, because accounts are created within milliseconds of their namespace.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 1.0


@dataclass(frozen=True)
class RunSettings:
    """Settings of a run.

    `wait_timeout`: seconds to wait for objects that do not exist yet. `max_failures`: when the API server has failed in more namespaces
    than that, the others are not attempted. None means no limit. `say` gets the progress lines.
    """

    check_mode: bool
    concurrency: int = 8
    wait_timeout: float = 0.0
    max_failures: int | None = None
    task: str = ""
    say: Callable[[str], None] | None = None
    clock: Clock = field(default_factory=Clock)

    def workers(self) -> Workers:
        """Return a pool of threads."""
        return Workers(self.concurrency, self.clock.threads)


@dataclass
class NamespaceWork(ABC):
    """The work in one namespace. `result` is set if it ended early: it failed, or was not attempted."""

    namespace: str
    result: NamespaceResult | None = field(default=None, kw_only=True)
    is_counted: bool = field(default=False, init=False)

    @property
    def pending(self) -> bool:
        """Whether it must be looked at again."""
        return self.result is None and self.has_more

    @property
    @abstractmethod
    def has_more(self) -> bool:
        """Whether something is left to do or to wait for, unless it ended early."""

    @property
    def awaited(self) -> str:
        """The first awaited object, with the reason. Empty if none is awaited."""
        return ""

    @abstractmethod
    def summarize(self) -> NamespaceResult:
        """Return the result of work that did not end early."""

    def interrupt(self, ended: NamespaceResult, _error: ImagePullError | None) -> NamespaceResult:
        """Return the result of work that ends early: by default `ended`, the result without completed parts."""
        return ended

    def finish(self) -> NamespaceResult:
        return self.result or self.summarize()


_Work = TypeVar("_Work", bound=NamespaceWork)
_Part = TypeVar("_Part")


@dataclass
class Run:
    """The shared state of all namespaces of one task. `stopped` is the reason why no further request makes sense, and empty otherwise.

    `unserved` are the namespaces in which the API server failed.
    """

    cluster: Cluster
    settings: RunSettings
    workers: Workers
    progress: Progress
    stopped: str = ""
    unserved: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def is_over(self) -> bool:
        limit = self.settings.max_failures
        return limit is not None and len(self.unserved) > limit

    def count(self, namespace: str, error: ImagePullError) -> None:
        """Count the failure of a read or a creation for `max_failures`, if it is a failure of the API server.

        The administrator of a namespace can cause all other failures: by an object, a missing role binding, a full quota, their own policy
        or webhook, or the deletion of the namespace. These never end the work in other namespaces.
        """
        if _is_server_error(error):
            self.unserved.add(namespace)

    def stop(self, error: ImagePullError) -> None:
        """End the run. Only the first reason is reported."""
        self.stopped = self.stopped or str(error)

    def read(
        self, question: Question, namespaces: Sequence[str], *, leave_unread: bool = False
    ) -> Mapping[str, View | ImagePullError]:
        """Return the objects that the question needs, or errors. Empty if the run has stopped.

        A failed list over all namespaces stops the run, like an error of the cluster, because neither belongs to one namespace.
        """
        try:
            seen = read_views(self.cluster, self.workers, question, namespaces, leave_unread=leave_unread)
        except ImagePullError as error:
            self.stop(error)
            return {}
        for namespace, answer in seen.items():
            if isinstance(answer, ClusterError):
                self.stop(answer)
            elif isinstance(answer, ImagePullError):
                self.count(namespace, answer)
        return seen

    def share(
        self,
        works: Sequence[_Work],
        parts: Mapping[str, _Part | ImagePullError],
        step: Callable[[_Work, _Part], None],
    ) -> None:
        """Call `step` with each namespace and its part. A namespace without a part is skipped. One with an error instead of a part fails."""
        for work in works:
            part = parts.get(work.namespace)
            if part is None or isinstance(part, ImagePullError):
                self.end(work, part)
            else:
                self.guard(step, work, part)

    def guard(self, step: Callable[..., None], work: NamespaceWork, *arguments: Any) -> None:
        """Call `step` with the work of one namespace. An error of the step ends only this work."""
        if isinstance(error := attempt(step, work, *arguments), ImagePullError):
            self.end(work, error)

    def end(self, work: NamespaceWork, error: ImagePullError | None = None) -> None:
        """End the work of one namespace: it failed or, without an error, was not attempted."""
        ended = self.result_of_skip(work.namespace) if error is None else self.result_of_failure(work.namespace, error)
        work.result = work.interrupt(ended, error)

    def check_namespaces(self, works: Sequence[NamespaceWork], *, was_there: bool = False) -> None:
        """Fail the work in each namespace in which nothing can appear. `was_there`: whether the task has read them before."""

        def check(work: NamespaceWork) -> None:
            if why := self.namespace_problem(work.namespace, was_there=was_there):
                self.end(work, Refusal(why))

        self.workers.map(check, works)

    def poll(
        self, works: Sequence[_Work], look: Callable[[Sequence[_Work]], None], timeout: Callable[[], float]
    ) -> None:
        """Call `look` with all works, then with the pending ones, at least once. Count the finished ones.

        `timeout`: returns the number of seconds after the start at which to stop. It is called after each round.
        """
        clock = self.settings.clock
        started, pause = clock.now(), _FIRST_PAUSE
        pending = works
        while pending:
            look(pending)
            self.count_finished(pending)
            pending = [work for work in pending if work.pending]
            self.progress.tick(next(map(_describe_wait, pending), ""))
            left = started + timeout() - clock.now()
            if not pending or left <= 0:
                return
            clock.sleep(min(pause, left))
            pause = min(pause * 1.5, _LONGEST_PAUSE)

    def count_finished(self, works: Sequence[NamespaceWork]) -> None:
        """Add those that are not pending to the progress, each once. It can be called from several threads."""
        with self._lock:
            finished = [work for work in works if not (work.pending or work.is_counted)]
            for work in finished:
                work.is_counted = True
        for work in finished:
            result = work.finish()
            self.progress.count_namespace(changed=bool(result.changes), failed=result.status == "failed")

    def result_of_failure(self, namespace: str, error: ImagePullError) -> NamespaceResult:
        """Return the result of a namespace in which nothing was changed before an error."""
        if isinstance(error, ClusterError):
            self.stop(error)
            return (
                NamespaceResult(namespace, "failed", error=_CUT_SHORT)
                if error.unanswered
                else self.result_of_skip(namespace)
            )
        if isinstance(error, NamespaceTerminating):
            return NamespaceResult(namespace, "skipped", error=terminating_sentence(self.cluster))
        message = missing_in(self.cluster) if isinstance(error, NamespaceMissing) else str(error)
        return NamespaceResult(namespace, "failed", error=message)

    def result_of_skip(self, namespace: str) -> NamespaceResult:
        """Return the result of a namespace that was not attempted."""
        reason = (
            f"the task stopped ({self.cluster.name} failed)"
            if self.stopped
            else f"the API server failed in more than {pluralize(self.settings.max_failures or 0, 'namespace')} ('max_failures')"
        )
        return NamespaceResult(namespace, "skipped", error=f"not attempted: {reason}")

    def namespace_problem(self, namespace: str, *, was_there: bool) -> str:
        """Return the reason why nothing can appear in a namespace. Empty if it can, or if the caller is not allowed to read the namespace.

        `was_there`: whether the task has read it before.
        """
        try:
            require_namespace(self.cluster, namespace)
        except NamespaceMissing:
            return deleted_sentence(self.cluster) if was_there else missing_in(self.cluster)
        except ImagePullError as error:
            return str(error)
        return ""

    def outcome(self, results: Sequence[NamespaceResult], retries: int = 0) -> Outcome:
        return Outcome(results, self.cluster.retries + retries, self.stopped)


def _describe_wait(work: NamespaceWork) -> str:
    """Return the first awaited object in one line. Some descriptions contain text of the cluster."""
    return make_printable(f"in {work.namespace}: {work.awaited}")[:_LONGEST_WAIT] if work.awaited else ""


def _is_server_error(error: ImagePullError) -> bool:
    if isinstance(error, ApiError):
        return error.status == 429 or error.status >= 500
    return isinstance(error, Unanswered) and not isinstance(error, WebhookUnanswered)


@contextmanager
def open_run(cluster: Cluster, namespaces: int, settings: RunSettings) -> Iterator[Run]:
    """Yield a run with its threads."""
    with settings.workers() as workers:
        progress = Progress(settings.task, namespaces, settings.say, settings.clock.now)
        yield Run(cluster, settings, workers, progress)


def attempt(step: Callable[..., _Part], *arguments: Any) -> _Part | ImagePullError:
    """Return the result of `step` or its error. An unexpected error is one too, because an object may contain anything."""
    try:
        return step(*arguments)
    except ImagePullError as error:
        return error
    except Exception as error:
        return ImagePullError(
            f"an internal error: {describe_unexpected(error)}. Please report it, with the task's options"
        )


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
