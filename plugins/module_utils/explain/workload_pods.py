# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pods of workloads, by the uid of each object's controller, and their effect on the verdict for the workload. Pure.

The creator of an object chooses its owner references. They are followed only within one namespace, so forged ones affect only the
answers about that namespace.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain, islice
from typing import TypeVar

from ..core.objects import Json, Kind, as_dict, as_list, as_str, controller_reference, metadata, pick
from ..core.text import pluralize
from ..dockerconfig.registry_keys import has_registry_host
from .lookup import ReadRequired
from .subjects import WORKLOADS, ContainerPull, pulls_of_pod, pulls_of_workload, template_of
from .verdict import UNKNOWN, WILL_NOT_PULL, PullVerdict, Step

#: The kinds that do not create pods themselves, with the kind that they create.
_INTERMEDIATE: Mapping[Kind, Kind] = {
    WORKLOADS["deployment"]: WORKLOADS["replicaset"],
    WORKLOADS["deploymentconfig"]: WORKLOADS["replicationcontroller"],
    WORKLOADS["cronjob"]: WORKLOADS["job"],
}
_FINISHED = ("Succeeded", "Failed")
_HAS_FAILED = ("Failed", "True")

#: Labels with which a controller marks the template of a pod, and the annotation of a daemon set with its template's number.
REVISION_LABELS = _HASH, _GENERATION = ("controller-revision-hash", "pod-template-generation")
TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"


def intermediate_of(kind: Kind) -> Kind | None:
    """Return the kind between a workload and its pods, or None if the workload creates the pods itself."""
    return _INTERMEDIATE.get(kind)


def is_controlled(obj: Json) -> bool:
    """Whether the object is controlled by another object."""
    return bool(controller_reference(obj))


def is_ended(workload: Json) -> bool:
    """Whether the workload is a job that is complete or has failed, so it creates no other pod. Only a complete one has a time of its end."""
    status = as_dict(workload.get("status"))
    return bool(status.get("completionTime")) or bool(failed_conditions(status))


def failed_conditions(status: Json) -> list[Json]:
    """Return the conditions that say that a job has failed. No other workload has such a one."""
    found = map(as_dict, as_list(status.get("conditions")))
    return [pick(each, "type", "status") for each in found if (each.get("type"), each.get("status")) == _HAS_FAILED]


def can_pull(pod: Json) -> bool:
    """Whether the pod has not finished and is not being deleted."""
    return as_dict(pod.get("status")).get("phase") not in _FINISHED and not metadata(pod).get("deletionTimestamp")


@dataclass(frozen=True)
class PodOwners:
    """The pods and workloads of one namespace."""

    namespace: str
    pods: Sequence[Json]
    workloads: Sequence[tuple[Kind, Json]]

    def pods_of(self, kind: Kind, workload: Json) -> list[Json]:
        """Return the pods that may still pull and were created from the workload's current template."""
        if between := intermediate_of(kind):
            made = [obj for made_kind, obj in self._made.get(_uid(workload), ()) if made_kind == between]
            return [pod for obj in made if self._is_present(kind, workload, between, obj) for pod in self._made_by(obj)]
        pods = self._made_by(workload)
        # The template of a job never changes.
        if not pods or kind.kind == "Job":
            return [*pods]
        template = pulls_of_workload(kind, workload, self.namespace)
        return [pod for pod in pods if self._has_template(kind, workload, template, pod)]

    def earlier_pods_of(self, kind: Kind, workload: Json) -> list[Json]:
        """Return the pods that may still pull and that the workload itself created from an earlier template."""
        made = [] if intermediate_of(kind) else self._made_by(workload)
        current = set(map(id, self.pods_of(kind, workload))) if made else set()
        return [pod for pod in made if id(pod) not in current]

    def is_made(self, kind: Kind, workload: Json) -> bool:
        """Whether another workload of the namespace creates this one.

        An object of any other kind is not known here, so it has no answer that covers the workload. The pairs of kinds form no circle, so
        forged owner references do not hide all workloads of one.
        """
        owner = self._by_uid.get(_controller(workload))
        return owner is not None and intermediate_of(owner[0]) == kind

    def top_of(self, kind: Kind, workload: Json) -> tuple[Kind, Json]:
        """Return the workload that makes this one, or the workload itself."""
        return self._by_uid[_controller(workload)] if self.is_made(kind, workload) else (kind, workload)

    @cached_property
    def creators(self) -> Sequence[tuple[Kind, Json]]:
        """The workloads whose templates the next pods have: those that no other one makes, and made ones with pods of an earlier template."""
        tops = [each for each in self.workloads if not (is_ended(each[1]) or self.is_made(*each))]
        return [made for top in tops for made in (top, *self._earlier_made(*top))]

    def _earlier_made(self, kind: Kind, workload: Json) -> Iterator[tuple[Kind, Json]]:
        for between, obj in self._made.get(_uid(workload), ()):
            is_active = intermediate_of(kind) == between and self._made_by(obj) and not is_ended(obj)
            if is_active and not self._is_present(kind, workload, between, obj):
                yield between, obj

    def _made_by(self, obj: Json) -> Sequence[Json]:
        return self._pods_by_owner.get(_uid(obj), ())

    def _is_present(self, kind: Kind, workload: Json, between: Kind, made: Json) -> bool:
        """Whether the created object has the workload's current template. Without pods, it does not matter."""
        if not self._made_by(made):
            return False
        if template_of(workload).get("spec") == template_of(made).get("spec"):
            return True
        return _is_alike(
            pulls_of_workload(kind, workload, self.namespace), pulls_of_workload(between, made, self.namespace)
        )

    @cached_property
    def templated(self) -> frozenset[str]:
        """The names of the pods whose template is judged itself, or that of the workload which makes its owner."""
        return frozenset(as_str(metadata(pod).get("name")) for pod in self.pods if self._is_templated(pod))

    def _is_templated(self, pod: Json) -> bool:
        """Whether a workload of a kind that creates pods owns the pod. An ended job is judged only by the workload that makes it."""
        kind, owner = self._by_uid.get(_controller(pod), (None, {}))
        return kind is not None and not intermediate_of(kind) and (not is_ended(owner) or self.is_made(kind, owner))

    @cached_property
    def _by_uid(self) -> Mapping[str, tuple[Kind, Json]]:
        return {uid: each for each in self.workloads if (uid := _uid(each[1]))}

    @cached_property
    def _pods_by_owner(self) -> Mapping[str, Sequence[Json]]:
        found = defaultdict(list)
        for pod in self.pods:
            if (uid := _controller(pod)) and can_pull(pod):
                found[uid].append(pod)
        return found

    @cached_property
    def _made(self) -> Mapping[str, Sequence[tuple[Kind, Json]]]:
        found = defaultdict(list)
        for kind, workload in self.workloads:
            if uid := _controller(workload):
                found[uid].append((kind, workload))
        return found

    def _has_template(self, kind: Kind, workload: Json, template: Sequence[ContainerPull], pod: Json) -> bool:
        """Whether the pod has the current template. Two kinds mark their pods. Pods of other kinds are compared with the template."""
        marks = _marks(kind, workload, pod)
        if all(marks):
            return marks[0] == marks[1]
        return _is_alike(template, pulls_of_pod(pod, self.namespace))


_Subject = TypeVar("_Subject")
_Verdict = TypeVar("_Verdict")


def explain_each(subjects: Iterable[_Subject], explain: Callable[[_Subject], _Verdict]) -> list[_Verdict]:
    """Return the verdicts, or other answers about anything.

    :raises ReadRequired: when more objects have to be read first. All of them are requested then.
    """
    found, waits = [], False
    for subject in subjects:
        try:
            found.append(explain(subject))
        except ReadRequired:
            waits = True
    if waits:
        raise ReadRequired
    return found


def explain_together(
    owners: PodOwners,
    pods: Sequence[Json],
    workloads: Sequence[tuple[Kind, Json]],
    explain: Callable[[ContainerPull], PullVerdict],
) -> list[PullVerdict]:
    """Return the verdicts for the pods, and then for the workloads, which depend on those for their pods.

    :raises ReadRequired: as `explain_each`.
    """
    namespace = owners.namespace
    groups = [pulls_of_pod(pod, namespace) for pod in pods] + [
        pulls_of_workload(*each, namespace) for each in workloads
    ]
    answers = iter(explain_each(chain.from_iterable(groups), explain))
    found = [list(islice(answers, len(group))) for group in groups]
    of_pods = {id(pod): accesses for pod, accesses in zip(pods, found, strict=False)}
    for at, workload in enumerate(workloads, len(pods)):
        its_pods = (of_pods.get(id(pod), ()) for pod in owners.pods_of(*workload))
        found[at] = with_pods(found[at], list(chain.from_iterable(its_pods)))
    return list(chain.from_iterable(found))


def with_pods(of_template: Sequence[PullVerdict], of_pods: Sequence[PullVerdict]) -> list[PullVerdict]:
    """Return the verdicts for the containers and volumes of a template, adjusted by those for the ones of its pods.

    A pod that does not get its image outweighs a template that looks right. A pod that has its image proves nothing for the next one.
    """
    found: dict[str, list[PullVerdict]] = defaultdict(list)
    for access in of_pods:
        found[access.subject.location].append(access)
    return [_with_pods(access, found.get(access.subject.location, ())) for access in of_template]


def _with_pods(access: PullVerdict, of_pods: Sequence[PullVerdict]) -> PullVerdict:
    if not of_pods:
        return access
    failing = [each for each in of_pods if _is_failing(each)]
    worst = next((each for each in failing if each.verdict == WILL_NOT_PULL), failing[0] if failing else None)
    step = Step("pods", _state_of(of_pods, failing), ok=not failing)
    if worst is None or (access.verdict == WILL_NOT_PULL and worst.verdict == UNKNOWN):
        return replace(access, steps=[*access.steps, step])
    other = f", which has image {worst.subject.image}," if worst.subject.image != access.subject.image else ""
    reason = f"{worst.subject.ref}{other} does not get its image: {worst.reason}"
    return PullVerdict(access.subject, worst.verdict, reason, [step, *worst.steps], worst.fix, worst.cause)


def added_containers(of_template: Sequence[PullVerdict], of_pods: Sequence[PullVerdict]) -> Iterator[PullVerdict]:
    """Yield the verdicts for failing containers and volumes that only the pods have, such as injected ones."""
    known = {access.subject.location for access in of_template}
    added: dict[str, list[PullVerdict]] = defaultdict(list)
    for access in of_pods:
        if access.subject.location not in known:
            added[access.subject.location].append(access)
    for each in added.values():
        first = next((access for access in each if _is_failing(access)), None)
        if first is not None and of_template:
            subject = replace(first.subject, ref=of_template[0].subject.ref, is_pod=False)
            yield _with_pods(replace(first, subject=subject), each)


def _is_failing(access: PullVerdict) -> bool:
    """Whether the pod fails. Without an error from the node, an `unknown` is that of the template."""
    if access.subject.is_pulled:
        return False
    return access.verdict == WILL_NOT_PULL or (access.verdict == UNKNOWN and bool(access.cause))


def _state_of(of_pods: Sequence[PullVerdict], failing: Sequence[PullVerdict]) -> str:
    if failing:
        return f"failed pulls: {len(failing)} of {pluralize(len(of_pods), 'pod')}, such as {failing[0].subject.ref}"
    pulled = sum(access.subject.is_pulled for access in of_pods)
    proof = ", which does not mean that the next pod can pull it" if pulled else ""
    return f"pods with the image: {pulled} of {len(of_pods)}{proof}"


def _is_alike(template: Sequence[ContainerPull], made: Sequence[ContainerPull]) -> bool:
    """Whether all that affects pulls is as in the template. A pod can have more containers, and the account's list if its own is empty."""
    found = {subject.location: subject for subject in made}
    return all(
        (other := found.get(subject.location)) is not None
        and is_same_image(subject.image, other.image)
        and other.account == subject.account
        and list(other.own) == list(subject.own or (other.own if other.is_pod else ()))
        for subject in template
    )


def is_same_image(wanted: str, found: str) -> bool:
    """Return whether the images are equal. OpenShift completes a name without a registry when it admits the object."""
    return found == wanted or (has_registry_host(found) and not has_registry_host(wanted))


def _marks(kind: Kind, workload: Json, pod: Json) -> tuple[str, str]:
    """The mark of the workload's template, and that of the pod. Empty if there is none."""
    labels = as_dict(metadata(pod).get("labels"))
    if kind.kind == "StatefulSet":
        return as_str(as_dict(workload.get("status")).get("updateRevision")), as_str(labels.get(_HASH))
    if kind.kind == "DaemonSet":
        notes = as_dict(metadata(workload).get("annotations"))
        return as_str(notes.get(TEMPLATE_GENERATION)), as_str(labels.get(_GENERATION))
    return "", ""


def _uid(obj: Json) -> str:
    return as_str(metadata(obj).get("uid"))


def _controller(obj: Json) -> str:
    """The uid of the controlling object. Empty if there is none."""
    return as_str(controller_reference(obj).get("uid"))
