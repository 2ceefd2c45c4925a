# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the options of `pull_access_info`, and the objects that explanations need, in rounds, until no explanation needs another one.

It writes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from ..clients.kube.client import Cluster
from ..core.changes import ALL, ListedBy
from ..core.errors import ImagePullError, OptionError, Refusal, format_suggestion
from ..core.names import check_path_segment
from ..core.objects import NAMESPACE, POD, SECRET, SERVICE_ACCOUNT, Json, Kind, ObjectRef, as_dict, as_list
from ..discovery.lookup_reader import read_lookups
from ..engine.namespaces import missing_in
from ..engine.result import NamespaceResult, Outcome
from ..engine.run import NamespaceWork, Run, RunSettings, open_run
from ..explain.chain import explain
from ..explain.fixes import access_options_of
from ..explain.lookup import Lookup, ReadRequired, UnreadableObject
from ..explain.secretless import SecretlessPlan, plan_secretless
from ..explain.subjects import WORKLOADS, ContainerPull, pull_of_account, pulls_of_pod, pulls_of_workload
from ..explain.verdict import PULLS, UNKNOWN, WILL_NOT_PULL, PullVerdict
from ..explain.workload_pods import (
    PodOwners,
    added_containers,
    explain_each,
    explain_together,
    intermediate_of,
    with_pods,
)
from ..images import image_questions
from ..images.image_questions import RegistryAccess, access_of
from ..images.image_streams import IMAGE_STREAM
from ..images.node_registries import IMAGE_POLICY
from ..images.references import reference_of
from ..secrets.content import DATA_KEYS

ARGUMENTS: dict[str, Any] = {
    "pod": {"type": "str"},
    "workload": {"type": "str"},
    "image": {"type": "str"},
    "service_account": {"type": "str"},
    "secretless": {"type": "bool", "default": False},
    "credential_provider_config": {"type": "path"},
    **image_questions.ARGUMENTS,
}


@dataclass(frozen=True)
class PullAccess:
    """The question: about a pod, the pods of a workload (`pods_of`), or an account with an image, in each of the namespaces.

    Without any of them, it is about all pods and workloads. `registries` is how registries are asked, None if they are not asked.
    `access_options` are those of `make_offer`, also if registries are not asked. `secretless`: the answers include what a pull without a
    stored secret lacks, with the credential providers of `provider_config`, or None for those that the nodes have.
    """

    pod: str = ""
    pods_of: tuple[Kind, str] | None = None
    account: str = ""
    image: str = ""
    registries: RegistryAccess | None = None
    access_options: Sequence[str] = ()
    secretless: bool = False
    provider_config: Json | None = None

    @property
    def is_of_all(self) -> bool:
        """Whether the question is about all pods and workloads."""
        return not (self.pod or self.pods_of or self.image)


def from_options(options: Mapping[str, Any], read_objects: Callable[[str], Sequence[Json]]) -> PullAccess:
    """Return the question that the options ask. `read_objects` returns the objects in a file.

    :raises OptionError: for invalid names, a kind of workload that creates no pods, and a file without the configuration.
    """
    asked, path = _question(options), options["credential_provider_config"]
    if path is not None and not options["secretless"]:
        raise OptionError(
            "option 'credential_provider_config' is for 'secretless: true': set it, or leave the file out"
        )
    found = [] if path is None else read_objects(path)
    if path is not None and len(found) != 1:
        raise OptionError(
            f"option 'credential_provider_config': {path!r} has {len(found)} documents: give the file of a kubelet, which has one"
        )
    given = next(iter(found), None)
    return replace(
        asked, access_options=access_options_of(options), secretless=options["secretless"], provider_config=given
    )


def _question(options: Mapping[str, Any]) -> PullAccess:
    for option in ("pod", "service_account"):
        if options[option] is not None:
            check_path_segment(option, options[option])
    if options["image"] is not None:
        if not options["image"].strip():
            raise OptionError("option 'image' is empty: give the image as a pod would name it")
        return PullAccess(
            account=options["service_account"] or "default", image=options["image"], registries=_registries(options)
        )
    if options["service_account"] is not None:
        raise OptionError(
            "option 'service_account' is for 'image': a pod and a workload have their own. Give 'image', or leave it out"
        )
    workload, registries = _workload(options["workload"]), _registries(options)
    if workload is not None and workload[0] == POD:
        return PullAccess(workload[1], registries=registries)
    return PullAccess(options["pod"] or "", workload, registries=registries)


def _registries(options: Mapping[str, Any]) -> RegistryAccess | None:
    access, image = access_of(options), reference_of(options["image"] or "")
    return access and replace(access, named=image.host if image else "")


def _workload(given: str | None) -> tuple[Kind, str] | None:
    """Return kind and name of a workload or of a pod, which `oc` names in the same way, or None without the option."""
    if given is None:
        return None
    kind, slash, name = given.partition("/")
    if not slash or not kind:
        raise OptionError(f"option 'workload' is {given!r}: give KIND/NAME, such as deploy/app")
    found = _KINDS.get(kind.lower())
    if found is None:
        known = ", ".join(sorted(each.kind for each in (POD, *WORKLOADS.values())))
        raise OptionError(
            f"option 'workload' has the unknown kind {kind!r}{format_suggestion(kind.lower(), _KINDS) or '.'} "
            f"It is one of {known}, or its plural or short name in oc"
        )
    check_path_segment("workload", name)
    return found, name


_SHORT_NAMES = {
    "Pod": "po",
    "Deployment": "deploy",
    "StatefulSet": "sts",
    "DaemonSet": "ds",
    "ReplicaSet": "rs",
    "CronJob": "cj",
    "DeploymentConfig": "dc",
    "ReplicationController": "rc",
}


def _names_of(kind: Kind) -> Iterator[str]:
    """Yield the names of a kind that `oc` accepts and prints, such as `deployment.apps`."""
    group, slash, version = kind.api_version.partition("/")
    suffixes = ("", f".{group}", f".{version}.{group}") if slash else ("",)
    yield from (name + suffix for name in (kind.kind.lower(), kind.resource) for suffix in suffixes)
    if kind.kind in _SHORT_NAMES:
        yield _SHORT_NAMES[kind.kind]


_KINDS: Mapping[str, Kind] = {name: kind for kind in (POD, *WORKLOADS.values()) for name in _names_of(kind)}


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
