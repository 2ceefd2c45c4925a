# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The answer for each container and image volume of a workload, from its template and its pods. Pure.

A pod keeps the secrets that it was created with, so its answer can differ from that of the template. Pods of a workload that another
object creates belong to the workload at the top.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...core.cluster_text import make_printable
from ...core.json_types import as_dict, as_str
from ...core.objects import POD, Json, ObjectRef, metadata
from ...core.what_if_format import ANSWERS, NOT_KNOWN, STILL_PULLS, WOULD_BREAK
from ...explain.lookup import ReadRequired
from ...explain.offers import make_offer
from ...explain.steps.asked import COPY
from ...explain.subjects import ContainerPull, pulls_of_pod, pulls_of_workload
from ...explain.verdict import WILL_NOT_PULL
from ...explain.workload_pods import can_pull, is_controlled
from ...features.pull_audit.survey import NamespaceSnapshot
from ...images.references import reference_of
from .advice import advise
from .evaluation import Comparison
from .timing import Moment, NodeCaches

__all__ = ["WhatIfRow", "row_of_image", "rows_of"]

#: The steps that find no registry within reach, and no copy of the image for the nodes at its mirror.
_OUT_OF_REACH = ("network", COPY)
#: Steps whose failure the node checks at each start of a container, in a namespace with an image policy.
_CHECKED_AT_START = ("signature", "registries")


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
    def image(self) -> str:
        return self.deciding.subject.image

    @property
    def registry(self) -> str:
        """The registry of the image, as `host[:port]`. Empty for an invalid name."""
        reference = reference_of(self.image)
        return "" if reference is None else reference.host

    @property
    def is_touched(self) -> bool:
        """Whether a change touches the evidence of the pull."""
        return bool(self.deciding.touched)

    @property
    def failing_step(self) -> str:
        """The first step that makes the pull fail after the changes. Empty if none does."""
        return _failing_step(self.deciding)

    @property
    def is_out_of_reach(self) -> bool:
        """Whether the nodes reach no registry that serves the image, or its mirror has no copy, after the changes."""
        return any(step.name in _OUT_OF_REACH and step.ok is False for step in self.deciding.after.steps)

    def report(self) -> dict[str, Any]:
        """Return the row for a result."""
        subject, after = self.deciding.subject, self.deciding.after
        moment = self.moment or Moment("", "", "")
        is_broken = self.answer == WOULD_BREAK
        offer = make_offer(after.fix if is_broken else ())
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
            "before": {"verdict": self.deciding.before.verdict, "reason": make_printable(self.deciding.before.reason)},
            "after": {"verdict": after.verdict, "reason": make_printable(after.reason), "step": self.failing_step},
            "changes": list(self.deciding.causes),
            "when": moment.when,
            "possibly": moment.possibly,
            "when_reason": moment.reason,
            "advice": make_printable(advise(self.failing_step, offer)) if is_broken else "",
            **offer.report(),
        }


def rows_of(
    place: NamespaceSnapshot, compare: Callable[[ContainerPull], Comparison], caches: NodeCaches
) -> list[WhatIfRow]:
    """Return the rows of one namespace: of workloads that no other object creates, and of pods without such a workload.

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
    """A workload with the subjects of its template and of its pods, or a pod alone."""

    ref: ObjectRef
    template: Sequence[ContainerPull]
    pods: Sequence[Sequence[ContainerPull]]


def _groups(place: NamespaceSnapshot) -> Iterator[_PodGroup]:
    for kind, workload in place.workloads:
        if is_controlled(workload) or as_dict(workload.get("status")).get("completionTime"):
            continue
        pods = [pulls_of_pod(pod, place.namespace) for pod in place.owners.pods_of(kind, workload)]
        yield _PodGroup(place.ref_of(kind, workload), pulls_of_workload(kind, workload, place.namespace), pods)
    for pod in filter(can_pull, place.pods):
        if _name(pod) not in place.templated:
            yield _PodGroup(place.ref_of(POD, pod), (), [pulls_of_pod(pod, place.namespace)])


def _rows_of_group(
    group: _PodGroup, compare: Callable[[ContainerPull], Comparison], caches: NodeCaches
) -> Iterator[WhatIfRow]:
    of_template, of_pods = _compare_all(group, compare)
    for location in dict.fromkeys([*of_template, *of_pods]):
        own, pods = of_template.get(location), of_pods.get(location, [])
        breaking = [
            (caches.moment_of(each.subject, is_checked=_failing_step(each) in _CHECKED_AT_START), each)
            for each in (*([own] if own else []), *pods)
            if each.answer == WOULD_BREAK
        ]
        if breaking:
            moment, deciding = min(breaking, key=lambda each: each[0].order)
            yield WhatIfRow(group.ref, location, WOULD_BREAK, deciding, len(pods), moment)
            continue
        deciding = _deciding(own, pods)
        yield WhatIfRow(group.ref, location, deciding.answer, deciding, len(pods))


def _compare_all(
    group: _PodGroup, compare: Callable[[ContainerPull], Comparison]
) -> tuple[Mapping[str, Comparison], Mapping[str, Sequence[Comparison]]]:
    """Return the comparisons of the template and of the pods, by location.

    :raises ReadRequired: when more objects must be read first. Those of all containers are then requested.
    """
    of_template: dict[str, Comparison] = {}
    of_pods: dict[str, list[Comparison]] = {}
    waits = False
    for subject in (*group.template, *(subject for pod in group.pods for subject in pod)):
        try:
            found = compare(subject)
        except ReadRequired:
            waits = True
            continue
        if subject.is_pod:
            of_pods.setdefault(subject.location, []).append(found)
        else:
            of_template[subject.location] = found
    if waits:
        raise ReadRequired
    return of_template, of_pods


def _deciding(own: Comparison | None, pods: Sequence[Comparison]) -> Comparison:
    """The comparison that decides if none breaks: that of the template, unless it pulls and that of a pod is not known."""
    if own is None:
        return min(pods, key=lambda each: ANSWERS.index(each.answer))
    unclear = (each for each in pods if each.answer == NOT_KNOWN)
    return next(unclear, own) if own.answer == STILL_PULLS else own


def _failing_step(found: Comparison) -> str:
    return found.after.step if found.after.effect == WILL_NOT_PULL else ""


def _name(pod: Json) -> str:
    return as_str(metadata(pod).get("name"))
