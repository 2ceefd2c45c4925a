# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether each container of a namespace gets its image. Pods that are alike are explained once. Pure."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import replace

from ...core.evidence import Evidence, NotYet
from ...core.objects import ObjectRef, metadata
from ...core.shapes import mapping, sequence
from ...dockerconfig.key_matching import names_registry
from ...pulls.chain import PULLS, WILL_NOT_PULL, Access, explain
from ...pulls.subjects import Subject, of_pod, of_workload
from .survey import Place

__all__ = ["Explained", "alike"]

_FINISHED = ("Succeeded", "Failed")


class Explained:
    """Explains containers. What it has said is said again of others that are alike, unless something breaks: then their names matter."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._known: dict[Hashable, Access] = {}

    def of(self, place: Place) -> list[Access]:
        """:raises NotYet: when more has to be read first; all that is needed is wanted then."""
        found, waits = [], False
        for subject in _subjects(place):
            try:
                found.append(self._access(subject))
            except NotYet:
                waits = True
        if waits:
            raise NotYet
        return found

    def _access(self, subject: Subject) -> Access:
        if subject.reason:
            return explain(subject, self._evidence)
        same = alike(subject)
        known = self._known.get(same)
        if known is not None:
            return replace(known, subject=subject)
        access = explain(subject, self._evidence)
        if access.verdict == WILL_NOT_PULL:
            return access
        # Of what pulls, and of what is in doubt, only the verdict is reported.
        brief = replace(access, steps=(), remedy=(), reason="" if access.verdict == PULLS else access.reason)
        self._known[same] = brief
        return brief


def alike(subject: Subject) -> Hashable:
    """All of the subject that decides. What node it is on does only for a name without a registry."""
    node = "" if names_registry(subject.image) else subject.node
    nowhere = ObjectRef(subject.ref.kind, subject.namespace, "")
    return replace(subject, ref=nowhere, own=tuple(subject.own), container="", created="", uid="", node=node)


def _subjects(place: Place) -> Iterator[Subject]:
    """The containers of pods that have not ended, and of workloads that no other one makes."""
    for pod in place.pods:
        if mapping(pod.get("status")).get("phase") not in _FINISHED and not metadata(pod).get("deletionTimestamp"):
            yield from of_pod(pod, place.namespace)
    for kind, workload in place.workloads:
        owners = map(mapping, sequence(metadata(workload).get("ownerReferences")))
        is_done = bool(mapping(workload.get("status")).get("completionTime"))
        if not is_done and not any(owner.get("controller") for owner in owners):
            yield from of_workload(kind, workload, place.namespace)
