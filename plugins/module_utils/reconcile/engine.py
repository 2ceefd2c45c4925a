# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine: observe, plan, apply, in parallel, until every namespace is as desired or a deadline has passed."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from ..clients.kube.client import Cluster
from ..clients.kube.errors import (
    AlreadyExists,
    Conflict,
    Forbidden,
    NamespaceMissing,
    NamespaceTerminating,
    NotFound,
    Unanswered,
)
from ..core.changes import Change
from ..core.errors import ImagePullError, Refusal
from ..core.objects import Json, ObjectRef
from ..core.protocols import Desired, Plan, Related
from .polling import poll
from .progress import Progress
from .reader import look_up, missing_sentence, observe, terminating_sentence, what_is_wrong_with
from .related import updated
from .replacement import carry_out
from .result import NamespaceResult, Outcome, Status

__all__ = ["Settings", "reconcile"]

#: So many writes of one namespace may go unanswered: a webhook that fails always must not hold up a fleet.
_MOST_LOST = 6
#: How long one object that others keep changing is planned again.
_STUBBORN_SECONDS = 60.0


@dataclass(frozen=True)
class Settings:
    """How a task runs.

    `wait_timeout`: seconds to wait for what the plan waits for. `max_failures`: once more namespaces than that have
    failed, the others are left as they are; None goes on to the end. `say` is given the progress lines.
    """

    check_mode: bool
    concurrency: int = 8
    wait_timeout: float = 0.0
    max_failures: int | None = None
    task: str = ""
    say: Callable[[str], None] | None = None


@dataclass(frozen=True)
class _Run:
    """What all namespaces of one task share."""

    cluster: Cluster
    desired: Desired
    settings: Settings
    pool: ThreadPoolExecutor
    progress: Progress

    @property
    def is_over(self) -> bool:
        limit = self.settings.max_failures
        return limit is not None and self.progress.failed > limit


@dataclass
class _Work:
    """One namespace on its way. `objects` is what is known of it now, `doubtful` the writes whose answer was lost."""

    namespace: str
    objects: dict[str, Json] = field(default_factory=dict)
    found: Related = field(default_factory=dict)
    applied: list[Change] = field(default_factory=list)
    doubtful: dict[tuple[ObjectRef, str], Change] = field(default_factory=dict)
    plan: Plan = field(default_factory=Plan)
    result: NamespaceResult | None = None
    checked: bool = False
    retries: int = 0

    @property
    def pending(self) -> bool:
        return self.result is None and bool(self.plan.waiting_for)


def reconcile(cluster: Cluster, desired: Desired, namespaces: Sequence[str], settings: Settings) -> Outcome:
    """Brings every namespace to the desired state; with `check_mode`, only says what that would change.

    A namespace that fails does not stop the others.

    :raises ImagePullError: when the task as a whole makes no sense: the precondition is missing, the cluster does not answer.
    """
    _require(cluster, desired)
    works = [_Work(namespace) for namespace in namespaces]
    with ThreadPoolExecutor(settings.concurrency) as pool:
        run = _Run(cluster, desired, settings, pool, Progress(settings.task, len(works), settings.say))
        poll(works, settings.wait_timeout, lambda pending: _round(run, pending))
    retries = cluster.retries + sum(work.retries for work in works)
    return Outcome([_finished(work) for work in works], retries)


def _require(cluster: Cluster, desired: Desired) -> None:
    if desired.precondition is None:
        return
    try:
        found = cluster.get(desired.precondition)
    except Forbidden:
        return
    if found is None:
        raise Refusal(
            f"{desired.precondition} does not exist on {cluster.name}, so granting it would give nobody any right"
        )


def _round(run: _Run, pending: Sequence[_Work]) -> None:
    """One look at all pending namespaces: those with nothing to do are done with it, the others go to the pool."""
    _see(run, pending)
    busy = [work for work in pending if not _is_settled(run, work)]
    for _done in run.pool.map(lambda work: _settle(run, work), busy):
        pass
    run.progress.tick()


def _see(run: _Run, pending: Sequence[_Work]) -> None:
    """Reads what the plans of all pending namespaces need."""
    observed = observe(run.cluster, run.pool, run.desired.selection, [work.namespace for work in pending])
    wanted: dict[str, Sequence[ObjectRef]] = {}
    for work in pending:
        seen = observed[work.namespace]
        if isinstance(seen, ImagePullError):
            work.result = _ended(run.cluster, work, seen)
            continue
        work.objects = dict(seen)
        wanted[work.namespace] = run.desired.related(work.namespace, work.objects)
    found = look_up(run.cluster, run.pool, {ref for refs in wanted.values() for ref in refs})
    for work in pending:
        work.found = {ref: found[ref] for ref in wanted.get(work.namespace, ()) if ref in found}


def _is_settled(run: _Run, work: _Work) -> bool:
    """Plans one namespace; whether that was all, without a request."""
    if work.result is None:
        try:
            work.plan = run.desired.plan(work.namespace, work.objects, work.found)
        except ImagePullError as error:
            work.result = _ended(run.cluster, work, error)
    to_send = bool(work.plan.changes) and not run.settings.check_mode
    settled = work.result is not None or not (to_send or _needs_namespace(run, work))
    if settled:
        _count(run, work)
    return settled


def _settle(run: _Run, work: _Work) -> None:
    """Carries out the plan of one namespace, in a thread of the pool."""
    try:
        if run.is_over:
            reason = f"not attempted: more than {run.settings.max_failures} namespaces had failed (max_failures)"
            work.result = NamespaceResult(work.namespace, "skipped", error=reason)
        elif _needs_namespace(run, work):
            work.checked = True
            _require_namespace(run.cluster, work.namespace)
        if work.result is None and not run.settings.check_mode:
            _apply(run.cluster, run.desired, work)
    except ImagePullError as error:
        work.result = _ended(run.cluster, work, error)
    _count(run, work)


def _count(run: _Run, work: _Work) -> None:
    if not work.pending:
        done = _finished(work)
        run.progress.finished(changed=bool(done.changes), failed=done.status == "failed")


def _needs_namespace(run: _Run, work: _Work) -> bool:
    """Whether the namespace itself has to be looked at: what is awaited may never come, what is only planned may be refused."""
    creates = any(change.action == "create" for change in work.plan.changes)
    return not work.checked and bool(work.plan.waiting_for or (run.settings.check_mode and creates))


def _require_namespace(cluster: Cluster, namespace: str) -> None:
    wrong = what_is_wrong_with(cluster, namespace)
    if wrong == "missing":
        raise NamespaceMissing()
    if wrong == "terminating":
        raise NamespaceTerminating()


def _apply(cluster: Cluster, desired: Desired, work: _Work) -> None:
    """Carries out the plan; after a conflict or a lost answer reads that one object again and plans anew."""
    given_up_at = time.monotonic() + _STUBBORN_SECONDS
    attempt = lost = 0
    while work.plan.changes:
        change = work.plan.changes[0]
        try:
            now = carry_out(cluster, change)
        except (Conflict, AlreadyExists, NotFound, Unanswered) as error:
            if isinstance(error, Unanswered):
                lost += 1
                work.doubtful[change.ref, change.action] = change
            if time.monotonic() > given_up_at or lost > _MOST_LOST:
                raise
            attempt += 1
            time.sleep(min(0.01 * 2**attempt, 1.0) * random.random())
            _look_again(cluster, desired, work, change.ref)
            continue
        work.doubtful.pop((change.ref, change.action), None)
        work.applied.append(change)
        _store(desired, work, change.ref, now)
        work.plan = replace(work.plan, changes=work.plan.changes[1:])


def _look_again(cluster: Cluster, desired: Desired, work: _Work, ref: ObjectRef) -> None:
    work.retries += 1
    _store(desired, work, ref, cluster.get(ref))
    work.plan = desired.plan(work.namespace, work.objects, work.found)
    planned = {(change.ref, change.action) for change in work.plan.changes}
    for key in [key for key in work.doubtful if key[0] == ref and key not in planned]:
        # The answer was lost, the write was not.
        work.applied.append(work.doubtful.pop(key))


def _store(desired: Desired, work: _Work, ref: ObjectRef, now: Json | None) -> None:
    if ref.kind != desired.selection.kind:
        work.found = updated(work.found, ref, now)
    elif now is None:
        work.objects.pop(ref.name, None)
    else:
        work.objects[ref.name] = now


def _ended(cluster: Cluster, work: _Work, error: ImagePullError) -> NamespaceResult:
    changes, notes = tuple(work.applied), work.plan.notes
    if isinstance(error, NamespaceTerminating):
        return NamespaceResult(work.namespace, "skipped", changes, notes, terminating_sentence(cluster))
    message = missing_sentence(cluster) if isinstance(error, NamespaceMissing) else str(error)
    return NamespaceResult(work.namespace, "failed", changes, notes, message)


def _finished(work: _Work) -> NamespaceResult:
    if work.result is not None:
        return work.result
    changes, extra = (*work.applied, *work.plan.changes), dict(work.plan.extra)
    if work.plan.waiting_for:
        error = f"{', '.join(work.plan.waiting_for)} did not appear in time; create it, or wait longer"
        return NamespaceResult(work.namespace, "failed", changes, work.plan.notes, error, extra)
    status: Status = "changed" if changes else "unchanged"
    return NamespaceResult(work.namespace, status, changes, work.plan.notes, extra=extra)
