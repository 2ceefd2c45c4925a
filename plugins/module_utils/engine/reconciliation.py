# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reconciliation engine: reads, plans and applies in parallel until every namespace is as declared or a deadline has passed."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn, Union

from ..clients.kube.client import Cluster
from ..clients.kube.errors import (
    AlreadyExists,
    ClusterError,
    Conflict,
    ConnectError,
    NamespaceMissing,
    NamespaceTerminating,
    NotFound,
    Unanswered,
)
from ..core.changes import Change, Entry, Failure, Plan, Related, copy_ref, delete, is_copy, restore, store_copy
from ..core.errors import ImagePullError, Refusal
from ..core.objects import SECRET, Json, ObjectRef, metadata
from ..core.text import join_and
from ..declarations.batch import Batch, store_object
from .fetching import View
from .namespaces import require_namespace
from .result import NamespaceResult, Outcome, Status
from .run import Clock, NamespaceWork, Run, RunSettings, open_run

#: Seconds for which a create is repeated while the object that was just deleted is missing.
_PATIENCE_SECONDS = 15.0
_PAUSE_SECONDS = 0.25


def apply_change(cluster: Cluster, change: Change, clock: Clock) -> Json | None:
    """Carry out the change and return the object after it, or None after a deletion. Errors are those of `Cluster.write`.

    A secret that is replaced has a copy meanwhile, from which the next run restores it if this one is killed.

    :raises Refusal: if a replacement failed after the deletion. The message reports whether the old object was restored.
    """
    if change.action != "replace":
        return cluster.write(change)
    creation = replace(change, action="create")
    try:
        # The dry run may only fail because the name is taken. Any other refusal is found before the deletion.
        with suppress(AlreadyExists):
            cluster.write(creation, dry_run=True)
        copy = _store_copy(cluster, change, clock) if change.ref.kind == SECRET else None
    except Unanswered as error:
        raise Conflict(str(error)) from None  # the replacement itself was not begun
    _remove(cluster, change)
    try:
        made = _create(cluster, creation, clock, (ConnectError, Unanswered))
    except AlreadyExists as error:
        raise _UnknownOwner(str(error)) from None  # the old object is gone, so this is no mere conflict
    except _UnknownOwner:
        raise
    except ImagePullError as error:
        _put_back(cluster, change, clock, error, copy)
    try:
        _delete_copy(cluster, change, copy)
    except ImagePullError as error:
        raise _UnknownOwner(str(error)) from None  # the next plan deletes it
    return made


def _store_copy(cluster: Cluster, change: Change, clock: Clock) -> Json:
    """Create the copy. One of an earlier version of the same secret is replaced.

    :raises Refusal: if its name is taken. `Conflict` if the secret or the copy was changed by another run.
    """
    copy = store_copy(change)
    try:
        return _create_copy(cluster, copy, clock)
    except AlreadyExists:
        found = _require_copy(copy, cluster.get(copy.ref))
    if _has_content(found, copy.body):
        return found
    if not is_copy(found):
        raise Refusal(
            f"{copy.ref}, which must hold the secret while it is replaced, is another secret, so nothing was changed. "
            "Check it, delete it, then run again"
        )
    now = cluster.get(change.ref) or {}
    if metadata(now).get("resourceVersion") != metadata(change.old).get("resourceVersion"):
        # Then another run may just be replacing the secret, and needs the copy.
        raise Conflict(f"{change.ref} was changed in the meantime")
    cluster.write(delete(copy.ref, found, {}, {}))
    return _create_copy(cluster, copy, clock)


def _create_copy(cluster: Cluster, copy: Change, clock: Clock) -> Json:
    return _require_copy(copy, _create(cluster, copy, clock, (ConnectError, Unanswered)))


def _require_copy(copy: Change, found: Json | None) -> Json:
    """:raises Conflict: if another run has just deleted the copy. Without one, the secret must not be deleted."""
    if found is None:
        raise Conflict(f"{copy.ref} was deleted in the meantime")
    return found


def _delete_copy(cluster: Cluster, change: Change, copy: Json | None) -> None:
    with suppress(NotFound):
        if copy is not None:
            cluster.write(delete(copy_ref(change.ref), copy, {}, {}))


class _UnknownOwner(Unanswered):
    """The old object was deleted, and one of that name exists, but not known to be ours, or its copy remains. It is read and planned again."""


def _remove(cluster: Cluster, change: Change) -> None:
    try:
        cluster.write(delete(change.ref, change.old, {}, {}))
    except Unanswered:
        if cluster.get(change.ref) is not None:
            raise


def _create(
    cluster: Cluster, creation: Change, clock: Clock, worth_another_try: tuple[type[ImagePullError], ...]
) -> Json | None:
    given_up_at, doubtful = clock.now() + _PATIENCE_SECONDS, False
    while True:
        try:
            return cluster.write(creation)
        except AlreadyExists:
            if not doubtful:
                raise
            return _find_own_object(cluster, creation)
        except worth_another_try as error:
            doubtful = doubtful or isinstance(error, Unanswered)
            if clock.now() > given_up_at:
                raise
        clock.sleep(_PAUSE_SECONDS)


def _find_own_object(cluster: Cluster, creation: Change) -> Json | None:
    """The object of an earlier attempt whose response was lost.

    :raises AlreadyExists: if another client created another one in the meantime. `_UnknownOwner` if it cannot be read.
    """
    try:
        found = cluster.get(creation.ref)
    except ImagePullError as error:
        raise _UnknownOwner(
            f"{creation.ref} exists, and may be the new one or another client's: {error}. Run again"
        ) from None
    if found is not None and not _has_content(found, creation.body):
        raise AlreadyExists(f"{creation.ref} was created by another client in the meantime")
    return found


def _has_content(found: Json, wanted: Json) -> bool:
    """Whether an object contains everything that was sent, except its version. The server may have added more."""
    return all(
        _has_content(found[key], value)
        if isinstance(value, Mapping) and isinstance(found.get(key), Mapping)
        else found.get(key) == value
        for key, value in wanted.items()
        if key != "resourceVersion"
    )


def _put_back(cluster: Cluster, change: Change, clock: Clock, error: ImagePullError, copy: Json | None) -> NoReturn:
    try:
        _create(cluster, restore(change), clock, (ImagePullError,))
    except (AlreadyExists, _UnknownOwner):
        raise Refusal(f"{error}. In the meantime, another {change.ref} was created: check it, then run again") from None
    except ImagePullError as second:
        is_gone = "may be gone" if isinstance(second, (ConnectError, Unanswered)) else "is gone"
        way_out = f"Run again to restore it from {copy_ref(change.ref)}" if copy else "Create it again"
        raise Refusal(
            f"{change.ref} {is_gone}: {error}. Restoring the old one also failed: {second}. {way_out}"
        ) from None
    with suppress(ImagePullError):  # the next run deletes it
        _delete_copy(cluster, change, copy)
    raise Refusal(f"{error}. The old {change.ref} was restored") from None


class PlannedChanges(Sequence[Change]):
    """The planned changes of many namespaces. `plan` plans one of them without some of its entries."""

    def __init__(
        self, changes: Sequence[Change], plan: Callable[[str, Collection[Entry]], Sequence[Change]] = lambda *_given: ()
    ) -> None:
        self._changes, self.plan = changes, plan

    def __getitem__(self, at: Any) -> Any:
        return self._changes[at]

    def __len__(self) -> int:
        return len(self._changes)


_Reasons = Mapping[Union[ObjectRef, tuple[str, Entry]], str]
#: Returns the reason for each object whose planned changes must not be made, and for each entry that must not be carried out in a namespace.
Judge = Callable[[PlannedChanges], _Reasons]

#: Maximum number of unanswered writes per object and per namespace, so that a permanently failing webhook does not block the
#: others.
_MOST_LOST = 6
_MOST_LOST_IN_ALL = 4 * _MOST_LOST
#: Maximum number of seconds for planning one object again that others keep changing, and for all objects of a namespace.
_STUBBORN_SECONDS = 60.0
_STUBBORN_SECONDS_IN_ALL = 4 * _STUBBORN_SECONDS


@dataclass
class _Reconciliation(NamespaceWork):
    """The changes of one namespace. `objects` is their currently known state, `doubtful` are the writes whose response was lost.

    `unread` are names of objects that may exist although a list did not contain them. `failures` are entries whose writes failed.
    `waited` is the number of seconds since the start. `is_guarded`: whether each plan must be judged before its first write.
    """

    objects: dict[str, Json] = field(default_factory=dict)
    found: Related = field(default_factory=dict)
    unread: set[str] = field(default_factory=set)
    applied: list[Change] = field(default_factory=list)
    doubtful: dict[tuple[ObjectRef, str], Change] = field(default_factory=dict)
    failures: dict[Entry, str] = field(default_factory=dict)
    plan: Plan = field(default_factory=Plan)
    checked: bool = False
    retries: int = 0
    waited: float = 0.0
    is_guarded: bool = False
    is_judged: bool = False
    patience: _Patience | None = None

    @property
    def may_write(self) -> bool:
        return self.is_judged or not self.is_guarded

    @property
    def has_more(self) -> bool:
        return not self.may_write or any(awaited.within > self.waited for awaited in self.plan.waiting_for)

    @property
    def awaited(self) -> str:
        return next((f"waits for {awaited.what}" for awaited in self.plan.waiting_for), "")

    @property
    def entry_failures(self) -> tuple[Failure, ...]:
        """The failures of single entries in their order: refused in planning, or failed in a write."""
        refused = {failure.entry: failure.error for failure in self.plan.failures}
        found = {**self.failures, **refused}
        return tuple(Failure(entry, found[entry]) for entry in sorted(found, key=lambda entry: entry.position))

    def interrupt(self, ended: NamespaceResult, error: ImagePullError | None) -> NamespaceResult:
        ended = replace(ended, changes=tuple(self.applied), notes=self.plan.notes, failures=self.entry_failures)
        is_begun = ended.changes or self.doubtful or (ended.failures and ended.status == "skipped")
        if not is_begun or isinstance(error, NamespaceTerminating):
            return ended
        is_own = error is not None and not isinstance(error, ClusterError)
        why = str(error) if is_own else "the task stopped before this namespace was finished"
        return replace(ended, status="failed", error=f"{why}{_describe_doubtful(self.doubtful.values())}")

    def summarize(self) -> NamespaceResult:
        changes, extra, failures = (*self.applied, *self.plan.changes), dict(self.plan.extra), self.entry_failures
        missing: dict[Entry | None, list[str]] = {}
        for awaited in self.plan.waiting_for:
            missing.setdefault(awaited.entry, []).append(awaited.what)
        reasons = {
            entry: f"{', '.join(what)} did not appear in time. Create it, correct its name, or wait longer ('wait_timeout: 300')"
            for entry, what in missing.items()
        }
        error = reasons.pop(None, "")
        failures += tuple(Failure(entry, why) for entry, why in reasons.items() if entry is not None)
        status: Status = "failed" if error or failures else "changed" if changes else "unchanged"
        return NamespaceResult(self.namespace, status, changes, self.plan.notes, error, extra, failures)


def reconcile(
    cluster: Cluster,
    desired: Batch[Any],
    settings: RunSettings,
    seen: Mapping[str, View | ImagePullError] | None = None,
    judge: Judge | None = None,
    *,
    is_judged: bool = False,
) -> Outcome:
    """Bring every namespace to the declared state. With `check_mode`, only report the changes.

    `seen`: the objects of each namespace that the plans need, or the error, if they have been read. With None, they are read. `judge` is asked about
    the planned changes of all namespaces before the first of them is made. Its error stops the run before that. If a namespace is planned again,
    for example after a conflict, it is asked again. `is_judged`: the plans of `seen` have been judged.

    A failed namespace does not stop the others. If the cluster fails, the run stops, and the outcome reports it once.
    """
    works = [_Reconciliation(namespace, is_guarded=judge is not None) for namespace in desired.namespaces]
    started = settings.clock.now()
    with open_run(cluster, len(works), settings) as run:

        def look(pending: Sequence[_Reconciliation]) -> None:
            nonlocal seen
            waited = settings.clock.now() - started
            for work in pending:
                work.waited = waited
            _round(run, desired, pending, seen, judge, is_judged=is_judged and seen is not None)
            seen = None

        run.poll(works, look, lambda: _longest_wait(works))
        if not run.stopped:
            # The namespace of an object that did not appear may have been deleted in the meantime.
            left = [work for work in works if work.result is None and work.plan.waiting_for]
            run.check_namespaces(left, was_there=True)
    return run.outcome([work.finish() for work in works], sum(work.retries for work in works))


def _longest_wait(works: Sequence[_Reconciliation]) -> float:
    """The number of seconds to wait for missing objects."""
    return max((awaited.within for work in works if work.pending for awaited in work.plan.waiting_for), default=0.0)


def _round(
    run: Run,
    desired: Batch[Any],
    pending: Sequence[_Reconciliation],
    known: Mapping[str, View | ImagePullError] | None,
    judge: Judge | None,
    *,
    is_judged: bool,
) -> None:
    """One round over all pending namespaces: those without changes are finished, the others go to the workers."""

    def plan(work: _Reconciliation, view: View) -> None:
        work.objects, work.found, work.unread = dict(view.objects), view.related, set(view.unread)
        work.plan, work.is_judged = _make_plan(desired, work), is_judged

    # A create shows whether the object exists. Without a create, in check mode or for a deletion, it must be read.
    leave_unread, names = not run.settings.check_mode, [work.namespace for work in pending]
    run.share(pending, run.read(desired, names, leave_unread=leave_unread) if known is None else known, plan)
    if not is_judged:
        _judge(run, desired, pending, judge)
    settled: list[_Reconciliation] = []
    busy: list[_Reconciliation] = []
    for work in pending:
        (busy if work.result is None and _needs_requests(run, work) else settled).append(work)
    run.count_finished(settled)
    while busy:
        run.workers.map(lambda work: _settle(run, desired, work), busy)
        changed = [work for work in busy if work.result is None and not work.may_write]
        _judge(run, desired, changed, judge)
        busy = [work for work in changed if work.result is None]


def _judge(run: Run, desired: Batch[Any], pending: Sequence[_Reconciliation], judge: Judge | None) -> None:
    if judge is not None:
        _judge_plans(run, desired, pending, judge)
    for work in pending:
        work.is_judged = True


def _judge_plans(run: Run, desired: Batch[Any], pending: Sequence[_Reconciliation], judge: Judge) -> None:
    """Plan again without the entries whose changes are refused. Without entries, the namespace fails. Without an answer, the run stops.

    An entry that is left out can change the plan of the others, so the judge is asked again, until it has judged the plan that is carried out.
    """
    judged: Sequence[Change] = ()
    works = {work.namespace: work for work in pending}

    def plan(namespace: str, entries: Collection[Entry]) -> Sequence[Change]:
        return _make_plan(desired, works[namespace], entries).changes

    while True:
        writing = [work for work in pending if work.result is None and work.plan.changes]
        planned = [change for work in writing for change in work.plan.changes]
        if not planned or planned == judged:
            return
        try:
            reasons = judge(PlannedChanges(planned, plan))
        except ImagePullError as error:
            run.stop(error)
            for work in writing:
                run.end(work)
            return
        judged = [change for change in planned if not _refused_entries(change, reasons) and change.ref not in reasons]
        for work in writing:
            _refuse(run, desired, work, reasons)


def _refuse(run: Run, desired: Batch[Any], work: _Reconciliation, reasons: _Reasons) -> None:
    refused: dict[Entry, str] = {}
    for change in work.plan.changes:
        if change.ref in reasons and not change.entries:
            run.end(work, Refusal(reasons[change.ref]))
        refused.update(_refused_entries(change, reasons))
    if refused and work.result is None:
        work.failures.update(refused)
        work.plan = _make_plan(desired, work)


def _refused_entries(change: Change, reasons: _Reasons) -> dict[Entry, str]:
    """The entries of a change that must not be carried out, with the reasons: all of them if the object must not be changed."""
    place, whole = change.ref.namespace, reasons.get(change.ref)
    found = {entry: whole or reasons.get((place, entry)) for entry in change.entries}
    return {entry: why for entry, why in found.items() if why is not None}


def _needs_requests(run: Run, work: _Reconciliation) -> bool:
    to_send = bool(work.plan.changes) and not run.settings.check_mode
    return to_send or bool(_unverified_names(work)) or _is_namespace_needed(run, work)


def _unverified_names(work: _Reconciliation) -> set[str]:
    """The objects that must be read, because no create shows whether they exist."""
    created = {change.ref.name for change in work.plan.changes if change.action == "create"}
    return work.unread - created


def _make_plan(desired: Batch[Any], work: _Reconciliation, without: Collection[Entry] = ()) -> Plan:
    """The plan for the currently known objects. It excludes entries with failed writes, because others may depend on their result."""
    return desired.plan(work.namespace, work.objects, work.found, without={*work.failures, *without})


def _settle(run: Run, desired: Batch[Any], work: _Reconciliation) -> None:
    """Carry out the plan of one namespace, in a thread."""
    if run.stopped or run.is_over:
        run.end(work)
    else:
        run.guard(_carry_out, work, run, desired)
    run.count_finished([work])


def _carry_out(work: _Reconciliation, run: Run, desired: Batch[Any]) -> None:
    if _is_namespace_needed(run, work):
        work.checked = True
        require_namespace(run.cluster, work.namespace)
    if _unverified_names(work):
        _read_unverified(run, desired, work)
    if not run.settings.check_mode:
        _apply(run, desired, work)


def _read_unverified(run: Run, desired: Batch[Any], work: _Reconciliation) -> None:
    for name in sorted(_unverified_names(work)):
        ref = ObjectRef(desired.kind, work.namespace, name)
        _store(desired, work, ref, run.cluster.get(ref))
        work.unread.discard(name)
    _plan_again(desired, work)


def _plan_again(desired: Batch[Any], work: _Reconciliation) -> None:
    """Plan the currently known objects. A judgement is about a whole plan, so any other plan has none."""
    before = work.plan.changes
    work.plan = _make_plan(desired, work)
    work.is_judged = work.is_judged and work.plan.changes == before


def _is_namespace_needed(run: Run, work: _Reconciliation) -> bool:
    """Whether the namespace itself must be read, because awaited objects may never appear, and planned creates may be refused."""
    creates = any(change.action == "create" for change in work.plan.changes)
    return not work.checked and bool(work.plan.waiting_for or (run.settings.check_mode and creates))


def _apply(run: Run, desired: Batch[Any], work: _Reconciliation) -> None:
    """Carry out the plan, write by write, as long as it is judged. A failed write fails its entries, if it has any, and the other writes
    continue."""
    work.patience = patience = work.patience or _Patience(run.settings.clock)
    while work.plan.changes and work.may_write:
        change = work.plan.changes[0]
        try:
            _write(run, desired, work, change, patience)
        except (ClusterError, NamespaceMissing, NamespaceTerminating):
            raise
        except ImagePullError as error:
            if change.action == "create":  # an existing object may be the reason for another failure
                run.count(work.namespace, error)
            if not change.entries:
                raise
            lost = work.doubtful.pop((change.ref, change.action), None)
            why = f"{error}{_describe_doubtful([lost] if lost else [])}"
            work.failures.update(dict.fromkeys(change.entries, why))
            _plan_again(desired, work)


class _Patience:
    """Limits repeated writes: for each object by time and by the number of lost responses.

    The whole namespace has its own limits. After these, the first failure of each further object is final.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._every = _Tries(_STUBBORN_SECONDS_IN_ALL, _MOST_LOST_IN_ALL)
        self._tries: dict[ObjectRef, _Tries] = {}

    def ends_with(self, ref: ObjectRef, error: ImagePullError) -> bool:
        """Count a failure of the object. Whether it is final."""
        own = self._tries.setdefault(ref, _Tries(_STUBBORN_SECONDS, _MOST_LOST))
        ended = [tries.end_with(error, self._clock.now()) for tries in (own, self._every)]
        return any(ended)

    def pause(self, ref: ObjectRef) -> None:
        self._clock.sleep(min(0.01 * 2 ** self._tries[ref].count, 1.0) * random.random())


@dataclass
class _Tries:
    """The failures of one object or of all. The seconds count from the first failure."""

    seconds: float
    most_lost: int
    count: int = 0
    lost: int = 0
    began_at: float | None = None

    def end_with(self, error: ImagePullError, now: float) -> bool:
        """Count a failure. Whether there are too many."""
        if self.began_at is None:
            self.began_at = now
        self.count += 1
        self.lost += isinstance(error, Unanswered)
        return now - self.began_at > self.seconds or self.lost > self.most_lost


def _write(run: Run, desired: Batch[Any], work: _Reconciliation, change: Change, patience: _Patience) -> None:
    """Make one write. After a conflict or a lost response, read the object and plan the namespace again."""
    try:
        now = apply_change(run.cluster, change, run.settings.clock)
    except (Conflict, AlreadyExists, NotFound, Unanswered) as error:
        if isinstance(error, NotFound) and change.action == "create":
            raise  # its container does not exist, which reading again does not change
        if isinstance(error, Unanswered):
            work.doubtful[change.ref, change.action] = change
        if patience.ends_with(change.ref, error):
            raise
        patience.pause(change.ref)
        _reread_object(run.cluster, desired, work, change.ref)
        return
    work.doubtful.pop((change.ref, change.action), None)
    work.applied.append(change)
    _store(desired, work, change.ref, now)
    rest = tuple(planned for planned in work.plan.changes if planned is not change)
    work.plan = replace(work.plan, changes=rest)
    if now is not None and not _has_content(now, change.body):
        _check_stored(desired, work, change, now)


def _check_stored(desired: Batch[Any], work: _Reconciliation, change: Change, now: Json) -> None:
    """Check a stored object that differs from the sent one. The cluster may add to an object, unless the next run would write again.

    :raises Refusal: if it would, because each run would then report a change that never lasts.
    """
    if change.ref in {planned.ref for planned in work.plan.changes}:
        return
    if change.ref in {planned.ref for planned in _make_plan(desired, work).changes}:
        parts = [name for name, value in change.body.items() if not _has_content(now, {name: value})]
        raise Refusal(
            f"{change.ref} was written, but the API server stored it with other {join_and(parts)} than it was sent: an admission "
            "webhook or policy of the cluster changes them. Have its owner (oc get mutatingwebhookconfigurations,"
            "mutatingadmissionpolicies) leave them as they are"
        )


def _reread_object(cluster: Cluster, desired: Batch[Any], work: _Reconciliation, ref: ObjectRef) -> None:
    work.retries += 1
    now = cluster.get(ref)
    _store(desired, work, ref, now)
    if (copy := copy_ref(ref)) in work.found:
        # Read after its secret, because another run may just be replacing it.
        _store(desired, work, copy, cluster.get(copy))
    _plan_again(desired, work)
    if ref in {change.ref for change in work.plan.changes}:
        return
    fits = [(ref, action) for action in (("delete",) if now is None else ("create", "update", "replace"))]
    for key in [key for key in fits if key in work.doubtful]:
        # The response was lost, but the write was carried out.
        work.applied.append(work.doubtful.pop(key))


def _store(desired: Batch[Any], work: _Reconciliation, ref: ObjectRef, now: Json | None) -> None:
    work.found = store_object(desired.kind, work.objects, work.found, ref, now)


def _describe_doubtful(changes: Iterable[Change]) -> str:
    doubtful = ", ".join(f"{change.action} {change.ref}" for change in changes)
    return f". The response to this was lost, so it may have been carried out: {doubtful}" if doubtful else ""
