# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Creates pods that pull an image, waits for the results of their nodes, and deletes the pods.

The name of a pod is chosen here, so that a pod can be deleted even if the answer to its creation was lost. A namespace begins when there
is room for its pods, and one list shows all pods under way, so that a slow pod does not delay the others.
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
    NamespaceMissing,
    NamespaceTerminating,
    NotFound,
    Unanswered,
)
from ...core.changes import Change
from ...core.errors import ImagePullError
from ...core.objects import Json, ObjectRef, metadata, trim_object
from ...core.text import pluralize
from ...discovery.cluster import has_ready_node
from ...discovery.probe_leftovers import delete_leftovers, is_leftover
from ...engine.fetching import FEW_POLLED, ListRequest, list_each_kind
from ...engine.result import NamespaceResult, Outcome
from ...engine.run import NamespaceWork, Run, RunSettings, open_run
from ...images.probe_pods import NAME, PROBE_POD, SELECTOR, edition_of, is_probe, pod_deletion, uid_of
from .pods import (
    NOT_SCHEDULED,
    OUTCOMES,
    PULLED,
    Judgement,
    PullProbe,
    complaint,
    judge_check_mode,
    judge_deleted,
    judge_edited,
    judge_pod,
    judge_unknown,
    judge_without_nodes,
    pod_for,
    result_row,
)

#: Maximum number of pods at the same time. A single namespace may exceed it, because its pods begin together.
_PODS_AT_ONCE = 100
#: The pause after a list of the whole cluster, as a multiple of its duration, and the maximum pause in seconds.
_LEFT_IN_PEACE, _LONGEST_PEACE = 4, 10.0
#: Seconds without a node after which the nodes of the cluster are listed.
_UNSCHEDULED = 10.0
#: Maximum number of times that a write is sent if its answers are lost.
_SENDS = 3
#: Maximum seconds that an interrupted run waits for the answers to pods that it has just created.
_SETTLING = 2.0

_CUT_SHORT = (
    "the task stopped before all pods had answered. It may have left pods. They end by themselves, and the next run in this namespace "
    "deletes them"
)

#: The pods of a namespace by name, or the error of their list.
_Listed = Union[Mapping[str, Json], ImagePullError]


def probe_images(cluster: Cluster, asked: PullProbe, namespaces: Sequence[str], settings: RunSettings) -> Outcome:
    """Return the outcome with `pulls` for each namespace and the number of each outcome in `outcomes`.

    A namespace fails unless all of its images were pulled. All pods are deleted, even after an exception, except those that `keep_failed`
    keeps, which are reported as changes.
    """
    works = [_NamespaceProbes(name, asked) for name in dict.fromkeys(namespaces)]
    with open_run(cluster, len(works), settings) as run:
        probing = _ProbeRun(run, asked, works)
        elsewhere = probing.delete_leftovers_elsewhere(probing.find_leftovers())
        if settings.check_mode:
            probing.plan()
        else:
            try:
                probing.delete_leftovers()
                run.poll(works, probing.look, lambda: math.inf)
            finally:
                probing.clean_up()
        results = [work.finish() for work in works]
    counts = Counter(each["outcome"] for result in results for each in result.extra.get("pulls", ()))
    outcome = run.outcome(results)
    told = {"outcomes": {name: counts.get(name, 0) for name in OUTCOMES}}
    return replace(outcome, remarks=(*outcome.remarks, *elsewhere), extra=told)


@dataclass
class _Probe:
    """One pod. `edition` is that of the created pod, None while it is unknown. `sent`: it may exist. `settled`: it was deleted or is kept.
    `left`: why it could not be deleted."""

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
        return result_row(self.image, self.selector, judgement, self.seconds, self.ref.name if self.kept else "")


@dataclass
class _NamespaceProbes(NamespaceWork):
    """One namespace, from its leftovers to its result."""

    asked: PullProbe
    leftovers: list[Json] = field(default_factory=list)
    notes: tuple[str, ...] = ()
    probes: list[_Probe] = field(default_factory=list)
    is_begun: bool = False

    def __post_init__(self) -> None:
        for image, selector in self.asked.pods:
            ref = ObjectRef(PROBE_POD, self.namespace, f"{NAME}{token_hex(5)}")
            self.probes.append(_Probe(image, selector, ref))

    @property
    def has_more(self) -> bool:
        return bool(self.open_probes)

    @property
    def open_probes(self) -> list[_Probe]:
        return [each for each in self.probes if each.judgement is None]

    @property
    def concluded(self) -> list[tuple[_Probe, Judgement]]:
        return [(each, each.judgement) for each in self.probes if each.judgement is not None]

    @property
    def changes(self) -> tuple[Change, ...]:
        """The pods that are kept."""
        return tuple(pod_for(each.ref, self.asked, each.image, each.selector) for each in self.probes if each.kept)

    def summarize(self) -> NamespaceResult:
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

    def interrupt(self, ended: NamespaceResult, error: ImagePullError | None) -> NamespaceResult:
        if error is not None or not self.is_begun:
            return ended
        rows = [each.row(judgement) for each, judgement in self.concluded]
        return NamespaceResult(self.namespace, "failed", self.changes, self.notes, _CUT_SHORT, {"pulls": rows})


@dataclass
class _ProbeRun:
    run: Run
    asked: PullProbe
    works: Sequence[_NamespaceProbes]
    _few: float = FEW_POLLED
    _is_over: bool = False
    _pause: float = 0.0
    _has_nodes: bool | None = None

    def find_leftovers(self) -> list[Json]:
        """Find pods of killed runs. A namespace whose pods cannot be listed fails, because its pods could not be judged.

        Return the pods past their deadline in the other namespaces, if the caller is allowed to list the whole cluster.
        """

        def keep(work: _NamespaceProbes, pods: Mapping[str, Json]) -> None:
            work.leftovers = [pod for pod in pods.values() if uid_of(pod)]

        names = {work.namespace: None for work in self.works}
        found = self._list_pods([*names], 0)
        self._pause = 0.0
        self.run.share(self.works, found, keep)
        elsewhere = [pods for name, pods in found.items() if name not in names and not isinstance(pods, ImagePullError)]
        return [pod for pods in elsewhere for pod in pods.values()]

    def delete_leftovers_elsewhere(self, pods: Sequence[Json]) -> tuple[str, ...]:
        """Delete pods past their deadline in namespaces that this run does not probe. Return notes."""
        settings = self.run.settings
        try:
            return delete_leftovers(self.run.cluster, self.run.workers, pods, check_mode=settings.check_mode)
        except ImagePullError as error:
            self.run.stop(error)
            return ()

    def plan(self) -> None:
        """Set the results of check mode: no pod is created, so nothing is proven. Without a ready node, the pods would fail."""
        works = [work for work in self.works if work.pending]
        self.run.check_namespaces(works)
        for work in (work for work in works if work.pending):
            has_nodes = self._may_have_nodes()
            for each in work.probes:
                each.judgement = judge_check_mode() if has_nodes else judge_without_nodes()
            work.notes = _leftover_notes(work, "would delete")
            if has_nodes:
                rows = [each.row(judgement) for each, judgement in work.concluded]
                work.result = NamespaceResult(work.namespace, "unchanged", notes=work.notes, extra={"pulls": rows})

    def delete_leftovers(self) -> None:
        """Delete the pods of killed runs. A namespace in which that fails gets no new pod."""
        items = [(work, pod) for work in self.works for pod in work.leftovers]
        refs = [ObjectRef(PROBE_POD, work.namespace, metadata(pod)["name"]) for work, pod in items]
        errors = self.run.workers.map(
            lambda item: self._delete(*item),
            [(ref, uid_of(pod)) for ref, (_work, pod) in zip(refs, items, strict=True)],
        )
        for (work, _pod), ref, error in zip(items, refs, errors, strict=True):
            if error and work.pending:
                self.run.end(work, ImagePullError(f"{ref}, which an earlier run left, could not be deleted: {error}"))
        for work in self.works:
            work.notes = _leftover_notes(work, "deleted")

    def look(self, pending: Sequence[_NamespaceProbes]) -> None:
        """Begin namespaces for which there is room, judge the pods under way, and delete judged pods."""
        self._begin([work for work in pending if work.pending and not work.is_begun])
        active = [work for work in self.works if work.pending and work.is_begun]
        seen = self._list_pods([work.namespace for work in active], self._few)
        for work in active:
            self._judge(work, seen.get(work.namespace))
        self._settle([each for work in active for each, _judgement in work.concluded])
        if self.run.stopped:
            for work in self.works:
                if work.pending:
                    self.run.end(work)
        if self._pause and any(work.pending for work in self.works):
            self.run.settings.clock.sleep(self._pause)
            self._pause = 0.0

    def clean_up(self) -> None:
        """Delete the remaining pods when the run ends early, as far as the cluster answers."""
        self._is_over = True
        left = [each for work in self.works for each in work.probes if each.sent and not each.settled]
        if not left:
            return
        clock = self.run.settings.clock
        until = clock.now() + _SETTLING
        # A pod may be in creation: its deletion must not come first.
        while not all(each.answered for each in left) and clock.now() < until:
            clock.sleep(0.1)
        # The threads of the run may be busy with requests whose answers are no longer needed.
        with self.run.settings.workers() as workers:
            workers.map(lambda each: self._delete(each.ref, each.uid), left)

    def _begin(self, waiting: Sequence[_NamespaceProbes]) -> None:
        """Create the pods of the namespaces for which there is room, but at least those of one."""
        under_way = sum(len(work.open_probes) for work in self.works if work.pending and work.is_begun)
        begun: list[_NamespaceProbes] = []
        for work in waiting:
            if self.run.stopped or self.run.is_over:
                self.run.end(work)
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
            # A refused pod does not exist.
            each.sent = isinstance(error, Unanswered) or (isinstance(error, ClusterError) and error.unanswered)
        finally:
            each.answered = True

    def _create(self, each: _Probe) -> None:
        """Create the pod. If the answer was lost, its uid is still unknown."""
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
                self.run.end(work, error)
                return
            if isinstance(error, ClusterError):
                self.run.stop(error)
            else:
                self.run.count(work.namespace, error)
                each.conclude(judge_unknown("not_created", "The pod could not be created", str(error)), each.began)

    def _judge(self, work: _NamespaceProbes, pods: _Listed | None) -> None:
        if pods is None or self.run.stopped:
            return
        now = self.run.settings.clock.now()
        for each in work.open_probes:
            if isinstance(pods, ImagePullError):
                each.conclude(judge_unknown("not_read", "The pod could not be read", str(pods)), now)
                continue
            judgement = _observe_pod(each, pods.get(each.ref.name))
            if judgement.cause == NOT_SCHEDULED and now >= each.began + _UNSCHEDULED and not self._may_have_nodes():
                judgement = judge_without_nodes(judgement.message)
            if judgement.is_final or now >= each.began + self.asked.timeout:
                each.conclude(judgement, now)

    def _may_have_nodes(self) -> bool:
        """Whether the cluster has a ready node, or the caller may not list the nodes. They are listed once."""
        if self._has_nodes is None:
            self._has_nodes = has_ready_node(self.run.cluster) is not False
        return self._has_nodes

    def _settle(self, probes: Sequence[_Probe]) -> None:
        """Delete the judged pods, except those to keep."""
        judged_now = [each for each in probes if each.sent and not each.settled]
        for each in judged_now:
            proven = each.judgement is not None and each.judgement.outcome == PULLED
            each.kept = each.there and self.asked.keep_failed and not proven
        going = [each for each in judged_now if not each.kept]
        for each, error in zip(
            going, self.run.workers.map(lambda each: self._delete(each.ref, each.uid), going), strict=True
        ):
            each.left = error
        for each in judged_now:
            each.settled = True

    def _delete(self, ref: ObjectRef, uid: str) -> str:
        """Delete the pod, and return why that failed, or an empty text if the pod is gone."""
        error = ""
        for _send in range(_SENDS):
            try:
                self.run.cluster.write(pod_deletion(ref, uid))
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

    def _list_pods(self, namespaces: Sequence[str], few: float) -> Mapping[str, _Listed]:
        """Return the pods of each namespace, or nothing once the run has stopped. More than `few` namespaces are listed at once."""
        if not namespaces or self.run.stopped:
            return {}
        clock = self.run.settings.clock
        began = clock.now()
        request = ListRequest(PROBE_POD, _keep_probe, label_selector=SELECTOR, elsewhere=_keep_leftover)
        try:
            (found,) = list_each_kind(self.run.cluster, self.run.workers, [request], namespaces, few=few)
        except ClusterError as error:
            self.run.stop(error)
            return {}
        if found.is_whole and found.errors:
            if len(namespaces) <= FEW_POLLED:  # The list of the cluster was not necessary.
                return self._list_pods(namespaces, self._few)
            self.run.stop(found.errors[namespaces[0]])
            return {}
        if found.is_whole:
            # An older API server reads all pods of the cluster for this list.
            self._pause = min(_LEFT_IN_PEACE * (clock.now() - began), _LONGEST_PEACE)
        elif len(namespaces) > few:
            self._few = math.inf  # The caller is not allowed to list the cluster.
        names = dict.fromkeys([*namespaces, *found.objects])
        pods = {name: {metadata(pod)["name"]: pod for pod in found.objects.get(name, ())} for name in names}
        return {**pods, **found.errors}


def _observe_pod(each: _Probe, pod: Json | None) -> Judgement:
    """Return the result for the pod as the last list shows it."""
    each.there = pod is not None and (not each.uid or uid_of(pod) == each.uid)
    if pod is None or not each.there:
        return judge_deleted()
    each.uid, found = uid_of(pod), edition_of(pod)
    each.edition = each.edition or found
    return judge_pod(pod) if each.edition == found else judge_edited()


def _keep_probe(pod: Json) -> Json | None:
    """Trim a listed pod, or return None for a pod that this module did not create."""
    return trim_object(PROBE_POD, pod) if is_probe(pod) else None


def _keep_leftover(pod: Json) -> Json | None:
    return _keep_probe(pod) if is_leftover(pod) else None


def _leftover_notes(work: _NamespaceProbes, what: str) -> tuple[str, ...]:
    if not work.leftovers:
        return ()
    return (f"in namespace {work.namespace}, {what} {pluralize(len(work.leftovers), 'pod')} that an earlier run left",)
