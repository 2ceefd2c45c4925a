# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes pods that pull an image, waits for what their nodes say, and deletes them again.

A pod has a name that is made here, so one whose creation was never answered is known, too. A namespace is begun when there is room for
its pods, and all pods under way are seen by one list, so that neither the cluster nor the time it takes depends on the slowest one.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from secrets import token_hex
from typing import Any, Union

from ...clients.kube.client import Cluster
from ...clients.kube.errors import (
    AlreadyExists,
    ClusterError,
    Conflict,
    Forbidden,
    NamespaceMissing,
    NamespaceTerminating,
    NotFound,
    Unanswered,
)
from ...core.changes import Change
from ...core.errors import ImagePullError
from ...core.objects import Json, ObjectRef, metadata, trimmed
from ...core.phrases import pluralize
from ...discovery.probe_leftovers import delete_leftovers, is_leftover
from ...engine.polling import poll
from ...engine.result import NamespaceResult, Outcome
from ...engine.run import Run, RunSettings, running
from ...engine.workers import Workers
from ...images.probe_pods import NAME, PROBE_POD, SELECTOR, deletion, edition_of, is_probe, uid_of
from .judgement import OUTCOMES, PULLED, Judgement, complaint, deleted, doubt, edited, judged, row
from .options import PullProbe
from .pods import pod_for

__all__ = ["probe"]

#: So many pods are under way at the same time; those of one namespace are never fewer than it needs.
_PODS_AT_ONCE = 100
#: More namespaces than that are seen by one list of the whole cluster.
_FEW = 8
#: After a list of the whole cluster, so many times as long as it took nothing is listed, this many seconds at most.
_LEFT_IN_PEACE, _LONGEST_PEACE = 4, 10.0
#: So often a write is sent whose answers are lost.
_SENDS = 3
#: Seconds that an interrupted run waits for the answers to pods that it has just made.
_SETTLING = 2.0

_CUT_SHORT = (
    "the task stopped before all pods had answered; it may have left pods, which end by themselves and which the next run in this "
    "namespace deletes"
)

_Listed = Union[Mapping[str, Json], ImagePullError]


def probe(cluster: Cluster, asked: PullProbe, namespaces: Sequence[str], settings: RunSettings) -> Outcome:
    """The outcome with `pulls` for each namespace, and the count of each outcome. A namespace in which not all was pulled has failed.

    No pod is left, but those that `keep_failed` keeps, which are reported as changes; also when this ends by an exception.
    """
    works = [_NamespaceProbes(name, asked) for name in dict.fromkeys(namespaces)]
    with running(cluster, len(works), settings) as run:
        probing = _ProbeRun(run, asked, works)
        probing.find_leftovers()
        elsewhere = probing.delete_leftovers_elsewhere()
        if settings.check_mode:
            probing.plan()
        else:
            try:
                probing.delete_leftovers()
                poll(works, lambda: math.inf, probing.look, settings.clock)
            finally:
                probing.clean_up()
        results = [work.result or run.not_attempted(work.namespace) for work in works]
    counts = Counter(each["outcome"] for result in results for each in result.extra.get("pulls", ()))
    outcome = run.outcome(results)
    told = {"outcomes": {name: counts.get(name, 0) for name in OUTCOMES}}
    return replace(outcome, remarks=(*outcome.remarks, *elsewhere), extra=told)


@dataclass
class _Probe:
    """One pod on its way. `edition` is the one that was made, None while it is not known. `sent`: it may exist. `settled`: it was deleted,
    or is meant to stay. `left`: why it could not be deleted."""

    image: str
    selector: Mapping[str, str]
    ref: ObjectRef
    uid: str = ""
    edition: tuple[int | None, str] | None = None
    began: float = 0.0
    seconds: float = 0.0
    judgement: Judgement | None = None
    error: ImagePullError | None = None
    sent: bool = False
    answered: bool = False
    there: bool = False
    kept: bool = False
    settled: bool = False
    left: str = ""

    def conclude(self, judgement: Judgement, now: float) -> None:
        self.judgement, self.seconds = judgement, max(now - self.began, 0.0)

    def row(self, judgement: Judgement) -> dict[str, Any]:
        return row(self.image, self.selector, judgement, self.seconds, self.ref.name if self.kept else "")


@dataclass
class _NamespaceProbes:
    """One namespace, from its leftovers to its result."""

    namespace: str
    asked: PullProbe
    leftovers: list[Json] = field(default_factory=list)
    notes: tuple[str, ...] = ()
    probes: list[_Probe] = field(default_factory=list)
    is_begun: bool = False
    result: NamespaceResult | None = None

    def __post_init__(self) -> None:
        for image, selector in self.asked.pods:
            ref = ObjectRef(PROBE_POD, self.namespace, f"{NAME}{token_hex(5)}")
            self.probes.append(_Probe(image, selector, ref))

    @property
    def pending(self) -> bool:
        return self.result is None

    @property
    def open_probes(self) -> list[_Probe]:
        return [each for each in self.probes if each.judgement is None]

    @property
    def concluded(self) -> list[tuple[_Probe, Judgement]]:
        return [(each, each.judgement) for each in self.probes if each.judgement is not None]

    @property
    def changes(self) -> tuple[Change, ...]:
        """The pods that stay."""
        return tuple(pod_for(each.ref, self.asked, each.image, each.selector) for each in self.probes if each.kept)

    def finished(self) -> NamespaceResult:
        """Its result, once all of its pods have been judged."""
        found = [(each.image, each.selector, judgement) for each, judgement in self.concluded]
        left = [f"{each.ref} could not be deleted: {each.left}" for each in self.probes if each.left]
        error = "; ".join([part for part in (complaint(self.asked, found), *left) if part])
        rows = [each.row(judgement) for each, judgement in self.concluded]
        return NamespaceResult(
            self.namespace,
            "failed" if error else "unchanged",
            self.changes,
            self.notes,
            error,
            {"pulls": rows},
            unremarkable=not error,
        )

    def cut_short(self) -> NamespaceResult:
        """Its result when the cluster failed meanwhile."""
        rows = [each.row(judgement) for each, judgement in self.concluded]
        return NamespaceResult(self.namespace, "failed", self.changes, self.notes, _CUT_SHORT, {"pulls": rows})


@dataclass
class _ProbeRun:
    run: Run
    asked: PullProbe
    works: Sequence[_NamespaceProbes]
    _one_by_one: bool = False
    _is_over: bool = False
    _pause: float = 0.0
    _elsewhere: dict[str, Json] = field(default_factory=dict)

    def find_leftovers(self) -> None:
        """The pods that killed runs have left. A namespace whose pods cannot be listed has failed: its pods could not be judged."""
        found = self._everywhere([work.namespace for work in self.works])
        for work in self.works:
            pods = found.get(work.namespace)
            if pods is None:
                work.result = self.run.not_attempted(work.namespace)
            elif isinstance(pods, ImagePullError):
                self._failed(work, pods)
            else:
                work.leftovers = [pod for pod in pods.values() if uid_of(pod)]

    def delete_leftovers_elsewhere(self) -> tuple[str, ...]:
        """Deletes the pods past their deadline that the first list showed in namespaces that this run does not probe."""
        settings = self.run.settings
        try:
            return delete_leftovers(
                self.run.cluster, self.run.workers, self._elsewhere.values(), check_mode=settings.check_mode
            )
        except ImagePullError as error:
            self.run.stop(error)
            return ()

    def plan(self) -> None:
        """What check mode says: nothing is made, so nothing is proven."""
        works = [work for work in self.works if work.pending]
        wrong = self.run.workers.map(lambda work: self.run.what_is_wrong_with(work.namespace, was_there=False), works)
        for work, why in zip(works, wrong, strict=True):
            if why:
                work.result = NamespaceResult(work.namespace, "failed", error=why)
                continue
            for each in work.probes:
                each.judgement = doubt("check_mode", "The image would be pulled: check mode makes no pod")
            rows = [each.row(judgement) for each, judgement in work.concluded]
            notes = _of_leftovers(work, "would delete")
            work.result = NamespaceResult(work.namespace, "unchanged", notes=notes, extra={"pulls": rows})

    def delete_leftovers(self) -> None:
        """Where that fails, no further pod is made."""
        items = [(work, pod) for work in self.works for pod in work.leftovers]
        refs = [ObjectRef(PROBE_POD, work.namespace, metadata(pod)["name"]) for work, pod in items]
        errors = self.run.workers.map(
            lambda item: self._deleted(*item),
            [(ref, uid_of(pod)) for ref, (_work, pod) in zip(refs, items, strict=True)],
        )
        for (work, _pod), ref, error in zip(items, refs, errors, strict=True):
            if error and work.pending:
                self._failed(work, ImagePullError(f"{ref}, which an earlier run left, could not be deleted: {error}"))
        for work in self.works:
            work.notes = _of_leftovers(work, "deleted")

    def look(self, pending: Sequence[_NamespaceProbes]) -> None:
        """Begins what there is room for, judges what is under way, deletes what is judged."""
        self._begin([work for work in pending if work.pending and not work.is_begun])
        active = [work for work in self.works if work.pending and work.is_begun]
        seen = self._listed([work.namespace for work in active])
        for work in active:
            self._judge(work, seen.get(work.namespace))
        self._settle([each for work in active for each, _judgement in work.concluded])
        for work in active:
            if not work.open_probes:
                self._finish(work, work.finished())
        if self.run.stopped:
            for work in self.works:
                if work.pending:
                    self._finish(work, work.cut_short() if work.is_begun else self.run.not_attempted(work.namespace))
        self.run.progress.tick()
        if self._pause and any(work.pending for work in self.works):
            self.run.settings.clock.sleep(self._pause)
            self._pause = 0.0

    def clean_up(self) -> None:
        """Deletes what is left when the run ends early, so far as the cluster answers."""
        self._is_over = True
        left = [each for work in self.works for each in work.probes if each.sent and not each.settled]
        if not left:
            return
        clock = self.run.settings.clock
        until = clock.now() + _SETTLING
        # A pod may be made at this moment: its deletion must not come first.
        while not all(each.answered for each in left) and clock.now() < until:
            clock.sleep(0.1)
        # The threads of the run may be busy with requests whose answers nobody awaits any more.
        with Workers(self.run.settings.concurrency) as workers:
            workers.map(lambda each: self._deleted(each.ref, each.uid), left)

    def _begin(self, waiting: Sequence[_NamespaceProbes]) -> None:
        """Makes the pods of the namespaces for which there is room, of one at least."""
        under_way = sum(len(work.open_probes) for work in self.works if work.pending and work.is_begun)
        begun: list[_NamespaceProbes] = []
        for work in waiting:
            if self.run.stopped or self.run.is_over:
                self._finish(work, self.run.not_attempted(work.namespace))
                continue
            if under_way and under_way + len(work.probes) > _PODS_AT_ONCE:
                break
            under_way += len(work.probes)
            work.is_begun = True
            begun.append(work)
        self.run.workers.map(self._make, [each for work in begun for each in work.probes])
        for work in begun:
            self._note_errors(work)

    def _make(self, each: _Probe) -> None:
        each.began, each.sent = self.run.settings.clock.now(), True
        try:
            if self._is_over:
                each.sent = False
            else:
                self._create(each)
        except ImagePullError as error:
            each.error = error
            # What was refused does not exist.
            each.sent = isinstance(error, Unanswered) or (isinstance(error, ClusterError) and error.unanswered)
        finally:
            each.answered = True

    def _create(self, each: _Probe) -> None:
        """Makes the pod. Its uid is not known yet where the answer was lost."""
        change = pod_for(each.ref, self.asked, each.image, each.selector)
        for send in range(_SENDS):
            try:
                pod = self.run.cluster.write(change) or {}
            except AlreadyExists:
                if send == 0:
                    raise
                return
            except Unanswered:
                if send == _SENDS - 1:
                    raise
            else:
                each.uid, each.edition = uid_of(pod), edition_of(pod)
                return

    def _note_errors(self, work: _NamespaceProbes) -> None:
        for each in work.probes:
            error = each.error
            if error is None:
                continue
            if isinstance(error, (NamespaceMissing, NamespaceTerminating)):
                self._failed(work, error)
                return
            if isinstance(error, ClusterError):
                self.run.stop(error)
            else:
                self.run.count(work.namespace, error)
                each.conclude(doubt("not_created", "The pod could not be made", str(error)), each.began)

    def _judge(self, work: _NamespaceProbes, pods: _Listed | None) -> None:
        if pods is None or self.run.stopped:
            return
        now = self.run.settings.clock.now()
        for each in work.open_probes:
            if isinstance(pods, ImagePullError):
                each.conclude(doubt("not_read", "The pod could not be read", str(pods)), now)
                continue
            judgement = _seen(each, pods.get(each.ref.name))
            if judgement.is_final or now >= each.began + self.asked.timeout:
                each.conclude(judgement, now)

    def _settle(self, probes: Sequence[_Probe]) -> None:
        """Deletes the pods that are judged, but for those that are to be kept."""
        judged_now = [each for each in probes if each.sent and not each.settled]
        for each in judged_now:
            proven = each.judgement is not None and each.judgement.outcome == PULLED
            each.kept = each.there and self.asked.keep_failed and not proven
        going = [each for each in judged_now if not each.kept]
        for each, error in zip(
            going, self.run.workers.map(lambda each: self._deleted(each.ref, each.uid), going), strict=True
        ):
            each.left = error
        for each in judged_now:
            each.settled = True

    def _deleted(self, ref: ObjectRef, uid: str) -> str:
        """Why the pod is still there; empty when it is gone."""
        error = ""
        for _send in range(_SENDS):
            try:
                self.run.cluster.write(deletion(ref, uid))
                return ""
            except (NotFound, Conflict):  # Conflict: another pod has this name
                return ""
            except Unanswered as lost:
                error = str(lost)
            except ImagePullError as refused:
                if isinstance(refused, ClusterError):
                    self.run.stop(refused)
                return str(refused)
        return error

    def _listed(self, namespaces: Sequence[str]) -> Mapping[str, _Listed]:
        """The pods of each namespace by name, or why they cannot be listed; nothing once the run has stopped."""
        if not namespaces or self.run.stopped:
            return {}
        if len(namespaces) > _FEW and not self._one_by_one:
            try:
                return self._by_namespace(namespaces)
            except Forbidden:
                self._one_by_one = True
            except ImagePullError as error:
                self.run.stop(error)
                return {}
        found: dict[str, _Listed] = dict(zip(namespaces, self.run.workers.map(self._of_one, namespaces), strict=True))
        for pods in found.values():
            if isinstance(pods, ClusterError):
                self.run.stop(pods)
        return found

    def _everywhere(self, namespaces: Sequence[str]) -> Mapping[str, _Listed]:
        """The same by one list of the whole cluster, also for few namespaces, where the caller may have it."""
        if len(namespaces) > _FEW:
            return self._listed(namespaces)
        try:
            return self._by_namespace(namespaces)
        except ClusterError as error:
            self.run.stop(error)
            return {}
        except ImagePullError:
            return self._listed(namespaces)
        finally:
            self._pause = 0.0

    def _by_namespace(self, namespaces: Sequence[str]) -> dict[str, _Listed]:
        clock = self.run.settings.clock
        found: dict[str, dict[str, Json]] = {name: {} for name in namespaces}
        began = clock.now()
        for pod in self.run.cluster.list(PROBE_POD, label_selector=SELECTOR, keep=_kept):
            meta = metadata(pod)
            if meta["namespace"] in found:
                found[meta["namespace"]][meta["name"]] = pod
            elif is_leftover(pod):
                self._elsewhere[uid_of(pod)] = pod
        # An older API server reads all pods of the cluster for it.
        self._pause = min(_LEFT_IN_PEACE * (clock.now() - began), _LONGEST_PEACE)
        return dict(found)

    def _of_one(self, namespace: str) -> _Listed:
        try:
            pods = self.run.cluster.list(PROBE_POD, namespace=namespace, label_selector=SELECTOR, keep=_kept)
            return {metadata(pod)["name"]: pod for pod in pods}
        except ImagePullError as error:
            return error

    def _failed(self, work: _NamespaceProbes, error: ImagePullError) -> None:
        self._finish(work, self.run.failed(work.namespace, error))

    def _finish(self, work: _NamespaceProbes, result: NamespaceResult) -> None:
        work.result = result
        self.run.progress.finished(changed=bool(result.changes), failed=result.status == "failed")


def _seen(each: _Probe, pod: Json | None) -> Judgement:
    """What is known of the pod as the last list shows it."""
    each.there = pod is not None and (not each.uid or uid_of(pod) == each.uid)
    if pod is None or not each.there:
        return deleted()
    each.uid, found = uid_of(pod), edition_of(pod)
    each.edition = each.edition or found
    return judged(pod) if each.edition == found else edited()


def _kept(pod: Json) -> Json | None:
    """What is kept of a pod in a list: nothing of one that no run of this module has made."""
    return trimmed(PROBE_POD, pod) if is_probe(pod) else None


def _of_leftovers(work: _NamespaceProbes, what: str) -> tuple[str, ...]:
    if not work.leftovers:
        return ()
    return (f"in namespace {work.namespace}, {what} {pluralize(len(work.leftovers), 'pod')} that an earlier run left",)
