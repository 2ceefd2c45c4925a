# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the objects that explanations need, in rounds, until no explanation needs another one. It writes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from ...clients.kube.client import Cluster
from ...core.changes import ALL, ListedBy
from ...core.errors import ImagePullError, Refusal
from ...core.objects import NAMESPACE, POD, SECRET, SERVICE_ACCOUNT, Json, Kind, ObjectRef, as_dict, as_list
from ...discovery.lookup_reader import read_lookups
from ...engine.namespaces import missing_in
from ...engine.result import NamespaceResult, Outcome
from ...engine.run import NamespaceWork, Run, RunSettings, open_run
from ...explain.chain import explain
from ...explain.lookup import Lookup, ReadRequired, UnreadableObject
from ...explain.secretless import SecretlessPlan, plan_secretless
from ...explain.subjects import WORKLOADS, ContainerPull, pull_of_account, pulls_of_pod, pulls_of_workload
from ...explain.verdict import PULLS, UNKNOWN, WILL_NOT_PULL, PullVerdict
from ...explain.workload_pods import (
    PodOwners,
    added_containers,
    explain_each,
    explain_together,
    intermediate_of,
    with_pods,
)
from ...images.image_streams import IMAGE_STREAM
from ...images.node_registries import IMAGE_POLICY
from ...secrets.content import DATA_KEYS
from .options import PullAccess

#: Maximum number of containers of a workload's pods for which events are read.
_PODS_WITH_EVENTS = 10

_LISTED_BY: ListedBy = {
    SECRET: tuple(f"type={each}" for each in DATA_KEYS),
    **dict.fromkeys((SERVICE_ACCOUNT, IMAGE_POLICY, IMAGE_STREAM, POD, *WORKLOADS.values()), ALL),
}


def explain_access(cluster: Cluster, asked: PullAccess, namespaces: Sequence[str], settings: RunSettings) -> Outcome:
    """Return the outcome with `access` for each namespace, and the number of each verdict in `verdicts`."""
    cluster.forbid_writes()
    with open_run(cluster, len(namespaces), settings) as run:
        works = [_NamespaceAccess(name, asked) for name in namespaces]
        _Explanation(run, asked, Lookup()).answer(works)
        results = [work.finish() for work in works]
    counts = Counter(row["verdict"] for result in results for row in result.extra.get("access", ()))
    extra = {"verdicts": {name: counts.get(name, 0) for name in (PULLS, WILL_NOT_PULL, UNKNOWN)}}
    return replace(run.outcome(results), extra=extra)


@dataclass
class _NamespaceAccess(NamespaceWork):
    """The verdicts of one namespace, None until they are known."""

    asked: PullAccess
    verdicts: list[PullVerdict] | None = None
    plans: Sequence[SecretlessPlan] = ()

    @property
    def has_more(self) -> bool:
        return self.verdicts is None

    def summarize(self) -> NamespaceResult:
        # For all pods and workloads, only problems are remarkable.
        verdicts, brief = self.verdicts or [], self.asked.is_of_all
        rows = [verdict.report(self.asked.access_options, brief=brief) for verdict in verdicts]
        for row, plan in zip(rows, self.plans, strict=bool(self.plans)):
            row["secretless"] = plan.report()
        well = brief and not self.plans and all(verdict.verdict == PULLS for verdict in verdicts)
        return NamespaceResult(self.namespace, "unchanged", extra={"access": rows}, unremarkable=well)


@dataclass(frozen=True)
class _Explanation:
    run: Run
    asked: PullAccess
    evidence: Lookup

    def answer(self, works: Sequence[_NamespaceAccess]) -> None:
        """Find the verdicts of each namespace. Those that were not finished when the cluster failed are skipped."""
        while waiting := [work for work in works if work.pending]:
            for work in waiting:
                self.run.guard(self._answer_namespace, work)
            self.run.check_namespaces([work for work in waiting if work.verdicts == []])
            self.run.count_finished(waiting)
            try:
                self.evidence.add(
                    read_lookups(self.run.cluster, self.run.workers, self.evidence, _LISTED_BY, self.asked.registries)
                )
            except ImagePullError as error:
                self.run.stop(error)
                for work in waiting:
                    if work.pending:
                        self.run.end(work)

    def _answer_namespace(self, work: _NamespaceAccess) -> None:
        with suppress(ReadRequired):  # More objects must be read first.
            found = self._accesses(work.namespace)
            work.plans = self._plans(found) if self.asked.secretless else ()
            work.verdicts = found

    def _accesses(self, namespace: str) -> list[PullVerdict]:
        """:raises ReadRequired: when more objects must be read first.
        :raises Refusal: when the object in question does not exist or may not be read.
        """
        asked = self.asked
        if asked.image:
            found = self._explain(pull_of_account(namespace, asked.account, asked.image))
            self._refuse_missing_namespace(ObjectRef(SERVICE_ACCOUNT, namespace, asked.account))
            return [found]
        if asked.pod:
            pod = self._require(ObjectRef(POD, namespace, asked.pod))
            return explain_each(_mark_alone(pulls_of_pod(pod, namespace)), self._explain)
        if asked.pods_of:
            return self._explain_workload(*asked.pods_of, namespace)
        return self._explain_all(namespace)

    def _plans(self, verdicts: Sequence[PullVerdict]) -> list[SecretlessPlan]:
        """:raises ReadRequired: when more objects must be read first. Those for all containers are then requested."""
        config, is_of_all, found = self.asked.provider_config, self.asked.is_of_all, []
        for each in verdicts:
            with suppress(ReadRequired):
                found.append(plan_secretless(each.subject, self.evidence, config, is_of_all=is_of_all))
        if len(found) < len(verdicts):
            raise ReadRequired
        return found

    def _explain(self, subject: ContainerPull) -> PullVerdict:
        return explain(subject, self.evidence, asks=self.asked.registries is not None)

    def _explain_workload(self, kind: Kind, name: str, namespace: str) -> list[PullVerdict]:
        """Explain a workload together with its pods."""
        workload = self._require(ObjectRef(kind, namespace, name))
        subjects = _mark_alone(pulls_of_workload(kind, workload, namespace))
        between = [each for each in (intermediate_of(kind),) if each]
        listed = self._list_kinds([POD, *between], namespace)
        made = [(each, obj) for each in between for obj in listed[each]]
        pods = PodOwners(namespace, listed[POD], [(kind, workload), *made]).pods_of(kind, workload)
        of_pods = _mark_first_alone(subject for pod in pods for subject in pulls_of_pod(pod, namespace))
        answers = explain_each([*subjects, *of_pods], self._explain)
        of_template, of_its_pods = answers[: len(subjects)], answers[len(subjects) :]
        return [*with_pods(of_template, of_its_pods), *added_containers(of_template, of_its_pods)]

    def _require(self, ref: ObjectRef) -> Json:
        found = self._look(ref)
        if found is None:
            self._refuse_missing_namespace(ref)
            raise Refusal(f"{ref} does not exist: correct the name or the namespace")
        return found

    def _refuse_missing_namespace(self, ref: ObjectRef) -> None:
        """If the object does not exist, perhaps the namespace does not either. A caller need not be allowed to read one of them."""
        with suppress(UnreadableObject):
            looked = (self.evidence.look(each) for each in (ref, ObjectRef(NAMESPACE, "", ref.namespace)))
            if all(each is None for each in looked):
                raise Refusal(missing_in(self.run.cluster))

    def _look(self, ref: ObjectRef) -> Json | None:
        try:
            return self.evidence.look(ref)
        except UnreadableObject as error:
            what = str(ref) if ref.name else f"the {ref.kind.resource} of namespace {ref.namespace}"
            raise Refusal(f"{what} could not be read, so nothing is known about it: {error}") from None

    def _explain_all(self, namespace: str) -> list[PullVerdict]:
        """Explain all pods, and the workloads that no other workload creates."""
        listed = self._list_kinds([POD, *WORKLOADS.values()], namespace)
        workloads = [(kind, obj) for kind in WORKLOADS.values() for obj in listed[kind]]
        owners = PodOwners(namespace, listed[POD], workloads)
        asked = [each for each in workloads if not owners.is_made(*each)]
        return explain_together(owners, owners.pods, asked, self._explain)

    def _list_kinds(self, kinds: Sequence[Kind], namespace: str) -> dict[Kind, Sequence[Json]]:
        """:raises ReadRequired: when they must be read first. All of them are then requested."""
        listed = {kind: self._look_or_want(ObjectRef(kind, namespace, "")) for kind in kinds}
        if any(items is None for items in listed.values()):
            raise ReadRequired
        return {kind: as_list(as_dict(items).get("items")) for kind, items in listed.items()}

    def _look_or_want(self, ref: ObjectRef) -> Json | None:
        """Return the object, or None while it must be read first."""
        try:
            return self._look(ref) or {}
        except ReadRequired:
            return None


def _mark_alone(subjects: Iterable[ContainerPull]) -> list[ContainerPull]:
    return [replace(subject, is_asked_alone=True) for subject in subjects]


def _mark_first_alone(subjects: Iterable[ContainerPull]) -> Iterator[ContainerPull]:
    """Yield the subjects, the first waiting containers as asked alone: their events are read if these decide."""
    left = _PODS_WITH_EVENTS
    for subject in subjects:
        is_asked_alone = bool(subject.reason) and left > 0
        left -= is_asked_alone
        yield replace(subject, is_asked_alone=is_asked_alone)
