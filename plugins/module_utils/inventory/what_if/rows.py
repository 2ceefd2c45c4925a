# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The answer for each container and image volume of a workload, from its template and its pods. Pure.

A pod keeps the secrets that it was created with, so its answer can differ from that of the template. Pods of a workload that another
workload creates belong to the one at the top, unless they have an earlier template. Owner references are written by users of a project:
each pod is in exactly one row for each of its containers, whatever its references are.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from ...core.documents import ANSWERS, NOT_AFFECTED, STILL_PULLS, WOULD_BREAK
from ...core.objects import POD, Json, Kind, ObjectRef, as_dict, as_str, metadata, pick
from ...core.text import make_printable
from ...explain.fixes import make_offer
from ...explain.lookup import ReadRequired
from ...explain.snapshot import NamespaceSnapshot
from ...explain.steps.asked import COPY, MISSING
from ...explain.subjects import ContainerPull, pulls_of_pod, pulls_of_workload
from ...explain.verdict import PULLS, UNKNOWN, WILL_NOT_PULL, PullVerdict
from ...explain.workload_pods import can_pull, is_controlled
from ...images.platform_images import images_of_platform
from ...images.references import reference_of
from .evaluation import Comparison
from .tasks import advise
from .timing import Moment, NodeCaches

#: The steps that find no registry within reach, and no copy of the image for the nodes at its mirror.
_OUT_OF_REACH = ("network", COPY)
#: The effects of a pull, the best first.
_EFFECTS = (PULLS, UNKNOWN, WILL_NOT_PULL)
#: The template of the next pod is not known. The API server gives it the list of its account if it has no list of its own.
_NEXT_POD = "the next pod that its controller creates may get the list of {}: {}"
#: Steps whose failure the node checks at each start of a container, in a namespace with an image policy.
_CHECKED_AT_START = ("signature", "registries")


class Compare(Protocol):
    """Compares one pull, as `PullEvaluator.compare`."""

    def __call__(self, subject: ContainerPull, *, is_reported: bool = False) -> Comparison:
        """Return the comparison. `is_reported`: it decides a row."""


@dataclass(frozen=True)
class WhatIfRow:
    """The answer for one container or volume. `deciding` is the comparison that decides it. `moment` is set if the pull breaks."""

    ref: ObjectRef
    location: str
    answer: str
    deciding: Comparison
    pods: int
    moment: Moment | None = None

    @property
    def namespace(self) -> str:
        return self.ref.namespace

    @property
    def key(self) -> Hashable:
        """Different for each row of a question: pods of earlier templates can have other images."""
        return self.ref, self.location, self.image

    @property
    def image(self) -> str:
        return self.deciding.subject.image

    @property
    def registry(self) -> str:
        """The registry of the image, as `host[:port]`. Empty for an invalid name."""
        reference = reference_of(self.image)
        return "" if reference is None else reference.host

    @property
    def failing_step(self) -> str:
        """The first step that makes the pull fail after the changes. Empty if none does."""
        return _failing_step(self.deciding)

    @property
    def is_out_of_reach(self) -> bool:
        """Whether the nodes reach no registry that serves the image, or its mirror has no copy, after the changes. It may also have lost
        a mirror, and its source does not have it."""
        before, after = self.deciding.before, self.deciding.after
        steps = (*_OUT_OF_REACH, MISSING) if _mirrors_in(before) not in ("", _mirrors_in(after)) else _OUT_OF_REACH
        return any(step.name in steps and step.ok is False for step in after.steps)

    @property
    def is_copy_needed(self) -> bool:
        """Whether an image with a new name is not there, or if that is not known because registries were not asked."""
        steps, found = (*_OUT_OF_REACH, MISSING), self.deciding
        is_missing = any(step.name in steps and step.ok is False for step in found.after.steps)
        return found.is_moved and (is_missing or found.not_asked)

    def report(self, entries: Sequence[str] = (), access_options: Sequence[str] = ()) -> dict[str, Any]:
        """Return the row for a result. `entries` are the titles of the entries of an inventory that break the pull. `access_options`: see `make_offer`."""
        subject, after = self.deciding.subject, self.deciding.after
        moment = self.moment or Moment("", "", "")
        is_broken = self.answer == WOULD_BREAK
        offer = make_offer(after.fix if is_broken else (), access_options)
        pod = ("the pod" if self.ref.kind == POD else "its pods") if subject.is_pod else ""
        return {
            "namespace": self.namespace,
            "kind": self.ref.kind.kind,
            "name": self.ref.name,
            "container": subject.container,
            "volume": subject.volume,
            "service_account": subject.account,
            "image": make_printable(self.image),
            "registry": make_printable(self.registry),
            "pods": self.pods,
            "answer": self.answer,
            "not_asked": self.deciding.not_asked,
            "before": _report_verdict(self.deciding.before),
            "after": {**_report_verdict(after), "step": self.failing_step},
            "changes": list(self.deciding.causes),
            "entries": list(map(make_printable, entries)),
            "when": moment.when,
            "possibly": moment.possibly,
            "when_reason": moment.reason,
            "advice": make_printable(advise(self.failing_step, offer, self.deciding.undone, pod=pod))
            if is_broken
            else "",
            **offer.report(),
        }


def _report_verdict(found: PullVerdict) -> dict[str, Any]:
    return {"verdict": found.verdict, "tested": found.is_tested, "reason": make_printable(found.reason)}


def rows_of(place: NamespaceSnapshot, compare: Compare, caches: NodeCaches) -> list[WhatIfRow]:
    """Return the rows of one namespace: of workloads that no other workload creates, or that have pods of an earlier template, and of all
    other pods.

    :raises ReadRequired: when more objects must be read first. All of them are then requested.
    """
    found: list[WhatIfRow] = []
    waits = False
    for group in _groups(place):
        try:
            found += _rows_of_group(group, compare, caches)
        except ReadRequired:
            waits = True
    if waits:
        raise ReadRequired
    return found


def row_of_image(found: Comparison, caches: NodeCaches) -> WhatIfRow:
    """Return the row of an image that no pod has today."""
    subject = found.subject
    moment = caches.moment_of_next_pod() if found.answer == WOULD_BREAK else None
    return WhatIfRow(subject.ref, subject.location, found.answer, found, 0, moment)


@dataclass(frozen=True)
class _PodGroup:
    """A workload with the subjects of its template and of its pods, or pods of another template, or a pod alone.

    `has_successor`: a controller creates the next pod from a template that is not known.
    """

    ref: ObjectRef
    template: Sequence[ContainerPull]
    pods: Sequence[Sequence[ContainerPull]]
    has_successor: bool = False


def _groups(place: NamespaceSnapshot) -> Iterator[_PodGroup]:
    covered: set[int] = set()
    for kind, workload in place.owners.creators:
        ref, pods = place.ref_of(kind, workload), place.owners.pods_of(kind, workload)
        earlier = place.owners.earlier_pods_of(kind, workload)
        covered.update(map(id, (*pods, *earlier)))
        yield _PodGroup(ref, pulls_of_workload(kind, workload, place.namespace), _pulls_of_pods(place, pods))
        # A stateful set creates pods of an earlier template again, and all other kinds only those of the present one.
        for alike in _by_images(_pulls_of_pods(place, earlier)):
            yield _PodGroup(ref, (), alike, has_successor=kind.kind == "StatefulSet")
    for pod in filter(can_pull, place.pods):
        if id(pod) not in covered:
            pulls = pulls_of_pod(pod, place.namespace)
            yield _PodGroup(place.ref_of(POD, pod), (), [pulls], has_successor=is_controlled(pod))


def _pulls_of_pods(place: NamespaceSnapshot, pods: Iterable[Json]) -> list[Sequence[ContainerPull]]:
    return [pulls_of_pod(pod, place.namespace) for pod in pods]


def _by_images(pods: Iterable[Sequence[ContainerPull]]) -> Iterable[Sequence[Sequence[ContainerPull]]]:
    """The pods in groups of equal images, because a row has one image."""
    found: dict[tuple[tuple[str, str], ...], list[Sequence[ContainerPull]]] = {}
    for pulls in pods:
        found.setdefault(tuple((subject.location, subject.image) for subject in pulls), []).append(pulls)
    return found.values()


def _rows_of_group(group: _PodGroup, compare: Compare, caches: NodeCaches) -> Iterator[WhatIfRow]:
    of_template, of_pods, of_next = _compare_all(group, compare)
    for location in dict.fromkeys([*of_template, *of_pods]):
        own, pods = of_template.get(location), of_pods.get(location, [])
        # A new name in the template gives all pods a successor, which is that of the template.
        every = [own] if own is not None and own.is_moved else [*([own] if own else []), *pods]
        breaking = [(_moment_of(each, caches), each) for each in every if each.answer == WOULD_BREAK]
        if breaking:
            moment, deciding = min(breaking, key=lambda each: each[0].order)
            deciding = _restate(deciding, compare)
            if own is not None and own.answer == WOULD_BREAK:
                deciding = _with_tasks_of(deciding, _restate(own, compare))
            yield WhatIfRow(group.ref, location, WOULD_BREAK, deciding, len(pods), moment)
            continue
        pairs = zip(pods, of_next.get(location, ()), strict=False)
        doubts = [_doubt_of(pod, _restate(later, compare)) for pod, later in pairs if _is_worse(later)]
        # The template decides if the answer of a pod is the same.
        deciding = min([*every, *doubts], key=lambda each: ANSWERS.index(each.answer))
        if not any(deciding is each for each in doubts):
            deciding = _restate(deciding, compare)
        yield WhatIfRow(group.ref, location, deciding.answer, deciding, len(pods))


def _moment_of(found: Comparison, caches: NodeCaches) -> Moment:
    """When a pull that breaks is missed. A new name is that of the next pod."""
    if found.is_moved:
        return caches.moment_of_next_pod()
    return caches.moment_of(found.subject, is_checked=_failing_step(found) in _CHECKED_AT_START)


def _compare_all(
    group: _PodGroup, compare: Compare
) -> tuple[Mapping[str, Comparison], Mapping[str, Sequence[Comparison]], Mapping[str, Sequence[Comparison]]]:
    """Return the comparisons of the template, of the pods and of the next ones in their place, by location.

    :raises ReadRequired: when more objects must be read first. Those of all containers are then requested.
    """
    of_template: dict[str, Comparison] = {}
    of_pods: dict[str, list[Comparison]] = {}
    of_next: dict[str, list[Comparison]] = {}
    waits = False

    def try_compare(subject: ContainerPull) -> Iterator[Comparison]:
        nonlocal waits
        try:
            yield compare(subject)
        except ReadRequired:
            waits = True

    for subject in group.template:
        of_template.update((subject.location, found) for found in try_compare(subject))
    for subject in (subject for pod in group.pods for subject in pod):
        of_pods.setdefault(subject.location, []).extend(try_compare(subject))
        if group.has_successor:
            of_next.setdefault(subject.location, []).extend(try_compare(_next_of(subject)))
    if waits:
        raise ReadRequired
    return of_template, of_pods, of_next


def _restate(found: Comparison, compare: Compare) -> Comparison:
    """The comparison that decides a row."""
    return found if found.answer in (STILL_PULLS, NOT_AFFECTED) else compare(found.subject, is_reported=True)


def _with_tasks_of(found: Comparison, template: Comparison) -> Comparison:
    """The comparison of a pod with the tasks of its template: only these make new pods pull."""
    return replace(found, after=replace(found.after, fix=template.after.fix), undone=template.undone)


def _next_of(subject: ContainerPull) -> ContainerPull:
    """The container in a pod that is created instead of this one, if its template lists no secret."""
    return ContainerPull(
        subject.ref,
        subject.account,
        (),
        subject.container,
        subject.image,
        pull_policy=subject.pull_policy,
        resolves_names=subject.resolves_names,
        volume=subject.volume,
        is_mounted=subject.is_mounted,
        architectures=subject.architectures,
    )


def _is_worse(found: Comparison) -> bool:
    return _EFFECTS.index(found.after.effect) > _EFFECTS.index(found.before.effect)


def _doubt_of(pod: Comparison, later: Comparison) -> Comparison:
    """The comparison for the next pod, which gets worse if its template lists no secret."""
    reason = _NEXT_POD.format(later.subject.account_ref, later.after.reason)
    after = replace(later.after, verdict=UNKNOWN, reason=reason, fix=(), runs=True, is_unasked=False)
    return replace(later, subject=pod.subject, after=after, causes=())


def _mirrors_in(verdict: PullVerdict) -> str:
    """The first sentence about the mirrors of the image, which names all of them. Empty without any."""
    return next((step.seen for step in verdict.steps if step.name == "mirrors"), "")


def _failing_step(found: Comparison) -> str:
    return found.after.step if found.after.effect == WILL_NOT_PULL else ""


# --- images of the platform

#: The namespace of the pods that apply a release.
_OF_RELEASE = "openshift-cluster-version"


def trim_platform_object(obj: Json) -> Json:
    """Keep the names of images."""
    return {
        "metadata": pick(metadata(obj), "name", "namespace"),
        "spec": pick(as_dict(obj.get("spec")), "image", "secrets", "relatedImages"),
        "status": pick(as_dict(obj.get("status")), "desired"),
    }


def subjects_of(kind: Kind, obj: Json) -> list[ContainerPull]:
    """Return the images of one object, as pulls of pods with exactly the secrets that it names. Each image once."""
    # The policies for the images of a namespace count, and the pods of a release are in this one.
    namespace = as_str(metadata(obj).get("namespace")) or _OF_RELEASE
    ref = ObjectRef(kind, namespace, as_str(metadata(obj).get("name")))
    found: dict[str, ContainerPull] = {}
    for each in images_of_platform(kind, obj):
        found.setdefault(each.image, ContainerPull(ref, "", each.secrets, each.location, each.image, is_pod=True))
    return [subject for image, subject in found.items() if image]
