# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Explains for each container of a namespace whether it gets its image. Equal pods are explained once. Pure."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace

from ...core.objects import ObjectRef
from ...dockerconfig.key_matching import has_registry_host
from ...explain.chain import PULLS, WILL_NOT_PULL, PullVerdict, explain
from ...explain.lookup import Lookup
from ...explain.subjects import ContainerPull
from ...explain.workload_pods import can_pull, explain_together, is_ended
from .survey import NamespaceSnapshot

__all__ = ["ContainerExplanations", "explanation_key"]


class ContainerExplanations:
    """Explains containers. It reuses an answer for equal containers, unless the pull fails: then the names in the answer matter."""

    def __init__(self, evidence: Lookup) -> None:
        self._evidence = evidence
        self._known: dict[Hashable, PullVerdict] = {}

    def of(self, place: NamespaceSnapshot) -> list[PullVerdict]:
        """Return the verdicts for the containers of pods that have not ended, and of workloads that no other workload creates.

        :raises ReadRequired: when more objects must be read first. All of them are then requested from the lookup.
        """
        workloads = [each for each in place.workloads if not (is_ended(each[1]) or place.owners.is_made(*each))]
        return explain_together(place.owners, [*filter(can_pull, place.pods)], workloads, self._access)

    def _access(self, subject: ContainerPull) -> PullVerdict:
        if subject.reason:
            return explain(subject, self._evidence)
        same = explanation_key(subject)
        known = self._known.get(same)
        if known is not None:
            return replace(known, subject=subject)
        access = explain(subject, self._evidence)
        if access.verdict == WILL_NOT_PULL:
            return access
        # For these two verdicts the report has no steps and no fix.
        brief = replace(access, steps=(), fix=(), reason="" if access.verdict == PULLS else access.reason)
        self._known[same] = brief
        return brief


def explanation_key(subject: ContainerPull) -> Hashable:
    """Return a key that is equal for subjects with the same answer. The node counts only for an image name without a registry.

    A container and a volume differ: only names of containers may be those of image streams.
    """
    node = "" if has_registry_host(subject.image) else subject.node
    nowhere = ObjectRef(subject.ref.kind, subject.namespace, "")
    part = "any" if subject.volume else ""
    return replace(subject, ref=nowhere, container="", volume=part, created="", uid="", node=node)
