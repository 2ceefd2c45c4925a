# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reconciling engine: read, plan, apply, in parallel, until every namespace is as declared or a deadline has passed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ..clients.kube.client import Cluster
from ..clients.kube.errors import (
    AlreadyExists,
    ClusterError,
    Conflict,
    Forbidden,
    NamespaceTerminating,
    NotFound,
    Unanswered,
)
from ..core.changes import Change
from ..core.errors import ImagePullError, Refusal
from ..core.objects import Json, ObjectRef
from ..core.protocols import Desired, Plan, Related
from .namespaces import require_namespace
from .polling import poll
from .related import updated
from .replacement import carry_out
from .result import NamespaceResult, Outcome, Status
from .run import Run, Settings, internal_error, running

__all__ = ["Settings", "reconcile"]

#: So many writes of one namespace may go unanswered: a webhook that fails always must not hold up the others.
_MOST_LOST = 6
#: Seconds in which one object that others keep changing is planned again.
_STUBBORN_SECONDS = 60.0


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
    """Brings every namespace to the declared state; with `check_mode`, only says what that would change.

    A namespace that fails does not stop the others. When the cluster fails, the run stops, and the outcome says so once.

    :raises ImagePullError: when the task as a whole makes no sense: the precondition is missing, the cluster does not answer.
    """
    _require(cluster, desired)
    works = [_Work(namespace) for namespace in dict.fromkeys(namespaces)]
    with running(cluster, len(works), settings) as run:
        poll(works, settings.wait_timeout, lambda pending: _round(run, desired, pending), settings.clock)
        run.workers.map(lambda work: _give_up(run, work), [work for work in works if work.pending])
    return run.outcome([_finished(work) for work in works], sum(work.retries for work in works))


def _require(cluster: Cluster, desired: Desired) -> None:
    if desired.precondition is None:
        return
    try:
        found = cluster.get(desired.precondition)
    except Forbidden:
        return
    if found is None:
        raise Refusal(
            f"{desired.precondition} does not exist on {cluster.name}, so a binding to it would grant nothing; "
            "create it, or correct its name"
        )


def _round(run: Run, desired: Desired, pending: Sequence[_Work]) -> None:
    """One look at all pending namespaces: those with nothing to do are done with it, the others go to the workers."""
    _see(run, desired, pending)
    busy = [work for work in pending if not _is_settled(run, desired, work)]
    run.workers.map(lambda work: _settle(run, desired, work), busy)
    run.progress.tick()


def _see(run: Run, desired: Desired, pending: Sequence[_Work]) -> None:
    """Reads what the plans of all pending namespaces need."""
    seen = run.read(desired, [work.namespace for work in pending])
    for work in pending:
        view = seen.get(work.namespace)
        if view is None:
            work.result = _ended(run, work, None)
        elif isinstance(view, ImagePullError):
            work.result = _ended(run, work, view)
        else:
            work.objects, work.found = dict(view.objects), view.related


def _is_settled(run: Run, desired: Desired, work: _Work) -> bool:
    """Plans one namespace; whether that was all, without a request."""
    if work.result is None:
        _plan(run, desired, work)
    to_send = bool(work.plan.changes) and not run.settings.check_mode
    settled = work.result is not None or not (to_send or _needs_namespace(run, work))
    if settled:
        _count(run, work)
    return settled


def _plan(run: Run, desired: Desired, work: _Work) -> None:
    try:
        work.plan = desired.plan(work.namespace, work.objects, work.found)
    except ImagePullError as error:
        work.result = _ended(run, work, error)
    except Exception as error:  # an object may hold anything
        work.result = _ended(run, work, internal_error(error))


def _settle(run: Run, desired: Desired, work: _Work) -> None:
    """Carries out the plan of one namespace, in a thread."""
    try:
        if run.stopped or run.is_over:
            work.result = _ended(run, work, None)
        elif _needs_namespace(run, work):
            work.checked = True
            require_namespace(run.cluster, work.namespace)
        if work.result is None and not run.settings.check_mode:
            _apply(run, desired, work)
    except ImagePullError as error:
        work.result = _ended(run, work, error)
    except Exception as error:
        work.result = _ended(run, work, internal_error(error))
    _count(run, work)


def _count(run: Run, work: _Work) -> None:
    if not work.pending:
        done = _finished(work)
        run.progress.finished(changed=bool(done.changes), failed=done.status == "failed")


def _needs_namespace(run: Run, work: _Work) -> bool:
    """Whether the namespace itself has to be read: what is awaited may never come, what is only planned may be refused."""
    creates = any(change.action == "create" for change in work.plan.changes)
    return not work.checked and bool(work.plan.waiting_for or (run.settings.check_mode and creates))


def _apply(run: Run, desired: Desired, work: _Work) -> None:
    """Carries out the plan; after a conflict or a lost answer reads that one object again and plans again."""
    clock = run.settings.clock
    given_up_at = clock.now() + _STUBBORN_SECONDS
    attempt = lost = 0
    while work.plan.changes:
        change = work.plan.changes[0]
        try:
            now = carry_out(run.cluster, change, clock)
        except (Conflict, AlreadyExists, NotFound, Unanswered) as error:
            if isinstance(error, NotFound) and change.action == "create":
                raise  # there is nothing to create it in, which no second look changes
            if isinstance(error, Unanswered):
                lost += 1
                work.doubtful[change.ref, change.action] = change
            if clock.now() > given_up_at or lost > _MOST_LOST:
                raise
            attempt += 1
            clock.sleep(min(0.01 * 2**attempt, 1.0) * random.random())
            _look_again(run.cluster, desired, work, change.ref)
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


def _ended(run: Run, work: _Work, error: ImagePullError | None) -> NamespaceResult:
    """The result of a namespace that is not brought to its end: by an error, or without one as the run is over."""
    done = run.not_attempted(work.namespace) if error is None else run.failed(work.namespace, error)
    changes, notes = tuple(work.applied), work.plan.notes
    if (changes or work.doubtful) and not isinstance(error, NamespaceTerminating):
        return replace(done, status="failed", changes=changes, notes=notes, error=_interrupted(work, error))
    return replace(done, changes=changes, notes=notes)


def _interrupted(work: _Work, error: ImagePullError | None) -> str:
    """Why a namespace is only half done."""
    is_own = error is not None and not isinstance(error, ClusterError)
    why = str(error) if is_own else "the task stopped before this namespace was finished"
    doubtful = ", ".join(f"{change.action} {change.ref}" for change in work.doubtful.values())
    lost = f"; the answer to this was lost, so it may have been carried out: {doubtful}" if doubtful else ""
    return f"{why}{lost}"


def _give_up(run: Run, work: _Work) -> None:
    """What is still awaited did not come: the namespace may have been deleted meanwhile."""
    if not run.stopped and (why := run.what_is_wrong_with(work.namespace, was_there=True)):
        work.result = NamespaceResult(work.namespace, "failed", tuple(work.applied), work.plan.notes, why)


def _finished(work: _Work) -> NamespaceResult:
    if work.result is not None:
        return work.result
    changes, extra = (*work.applied, *work.plan.changes), dict(work.plan.extra)
    if work.plan.waiting_for:
        error = f"{', '.join(work.plan.waiting_for)} did not appear in time; create it, or wait longer"
        return NamespaceResult(work.namespace, "failed", changes, work.plan.notes, error, extra)
    status: Status = "changed" if changes else "unchanged"
    return NamespaceResult(work.namespace, status, changes, work.plan.notes, extra=extra)
