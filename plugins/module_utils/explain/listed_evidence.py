# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Explains for each container of a namespace whether it gets its image, from the lists that were read. Equal pods are explained once. Pure."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace
from functools import cache

from ..core.objects import NAMESPACE, ROLE_BINDING, SECRET, SERVICE_ACCOUNT, Json, Kind, ObjectRef, as_str, metadata
from ..dockerconfig.registry_keys import has_registry_host
from ..images.image_streams import IMAGE_STREAM
from ..images.image_verification import NODES
from ..images.node_registries import IMAGE_POLICY
from ..rbac.subjects import SUBJECT_ACCESS_REVIEW, Subject, is_pull_binding, is_pull_review, puller_of, pullers_of
from .chain import explain
from .lookup import Lookup, UnreadableObject, architectures_for, nodes_for
from .snapshot import ACCOUNTS, BINDINGS, POLICIES, SECRETS, STREAMS, NamespaceSnapshot
from .subjects import ContainerPull
from .verdict import PULLS, WILL_NOT_PULL, PullVerdict
from .workload_pods import can_pull, explain_together, is_ended

_WHAT = {
    SECRET: SECRETS,
    SERVICE_ACCOUNT: ACCOUNTS,
    ROLE_BINDING: BINDINGS,
    IMAGE_STREAM: STREAMS,
    IMAGE_POLICY: POLICIES,
}


class ListedLookup(Lookup):
    """Answers from the lists. Objects that are not in them are requested as usual.

    A role binding proves a right if it gives the right to the account, to all accounts of its namespace, or to everyone. Without such
    a binding the API server is asked, because other roles may give the right. `has_streams`: whether the cluster has image streams.
    """

    def __init__(
        self, places: Mapping[str, NamespaceSnapshot], cluster_bindings: Sequence[Json], *, has_streams: bool
    ) -> None:
        super().__init__()
        self._places = places
        self._everywhere = frozenset(
            subject for _name, subject in pullers_of(filter(is_pull_binding, cluster_bindings))
        )
        self._has_streams = has_streams
        self._pullers = cache(self._pullers_of)
        self._streams = cache(self._streams_of)

    def look(self, ref: ObjectRef) -> Json | None:
        """See `Lookup.look`."""
        if ref.kind == NAMESPACE and ref.name in self._places:
            return {}
        place = self._places.get(ref.namespace)
        if place is None:
            return super().look(ref)
        what = _WHAT.get(ref.kind)
        if what is None:
            is_shown = ref.kind == SUBJECT_ACCESS_REVIEW and is_pull_review(ref) and self._may_pull(ref)
            return {"allowed": True} if is_shown else super().look(ref)
        if what in place.unread:
            raise UnreadableObject(place.unread[what])
        return self._get_listed(place, ref) if ref.name else {"items": _OBJECTS[ref.kind](place)}

    def _get_listed(self, place: NamespaceSnapshot, ref: ObjectRef) -> Json | None:
        if ref.kind == SECRET:
            secret = place.secrets.get(ref.name)
            return None if secret is None else secret.obj
        if ref.kind == SERVICE_ACCOUNT:
            return place.accounts.get(ref.name)
        if ref.kind == IMAGE_STREAM:
            return self._streams(place.namespace).get(ref.name) if self._has_streams else {}
        return next((each for each in _OBJECTS[ref.kind](place) if metadata(each).get("name") == ref.name), None)

    def _streams_of(self, namespace: str) -> Mapping[str, Json]:
        return {as_str(metadata(stream).get("name")): stream for stream in self._places[namespace].streams}

    def _may_pull(self, review: ObjectRef) -> bool:
        return bool(puller_of(review).identities & (self._pullers(review.namespace) | self._everywhere))

    def _pullers_of(self, project: str) -> frozenset[Subject]:
        return frozenset(
            subject for _name, subject in pullers_of(filter(is_pull_binding, self._places[project].bindings))
        )


_OBJECTS: Mapping[Kind, Callable[[NamespaceSnapshot], Sequence[Json]]] = {
    SECRET: lambda place: [secret.obj for secret in place.secrets.values()],
    SERVICE_ACCOUNT: lambda place: [*place.accounts.values()],
    ROLE_BINDING: lambda place: place.bindings,
    IMAGE_STREAM: lambda place: place.streams,
    IMAGE_POLICY: lambda place: place.policies,
}


class ContainerExplanations:
    """Explains containers. It reuses an answer for equal containers, unless the pull fails: then the names in the answer matter.

    `asks`: whether registries are asked.
    """

    def __init__(self, evidence: Lookup, *, asks: bool = False) -> None:
        self._evidence, self._asks = evidence, asks
        self._known: dict[Hashable, PullVerdict] = {}

    def of(self, place: NamespaceSnapshot) -> list[PullVerdict]:
        """Return the verdicts for the containers of pods that have not ended, and of workloads that no other workload creates.

        :raises ReadRequired: when more objects must be read first. All of them are then requested from the lookup.
        """
        workloads = [each for each in place.workloads if not (is_ended(each[1]) or place.owners.is_made(*each))]
        return explain_together(place.owners, [*filter(can_pull, place.pods)], workloads, self._access)

    def _access(self, subject: ContainerPull) -> PullVerdict:
        if subject.reason:
            return self._explain(subject)
        same = explanation_key(subject, self._evidence, asks=self._asks)
        known = self._known.get(same)
        if known is not None:
            return replace(known, subject=subject)
        access = self._explain(subject)
        if access.verdict == WILL_NOT_PULL:
            return access
        # For these two verdicts the report has no steps and no fix.
        brief = replace(access, steps=(), fix=(), reason="" if access.verdict == PULLS else access.reason)
        self._known[same] = brief
        return brief

    def _explain(self, subject: ContainerPull) -> PullVerdict:
        return explain(subject, self._evidence, asks=self._asks)


def explanation_key(subject: ContainerPull, evidence: Lookup | None = None, *, asks: bool = False) -> Hashable:
    """Return a key that is equal for subjects with the same answer. The node counts only for an image name without a registry.

    A container and a volume differ: only names of containers may be those of image streams. With `evidence`, the versions of the node count
    if they are known, because an explanation that needs them reads the nodes. With `asks`, registries are asked for its architecture.
    """
    node = "" if has_registry_host(subject.image) else subject.node
    nowhere = ObjectRef(subject.ref.kind, subject.namespace, "")
    part = "any" if subject.volume else ""
    known = evidence.unrecorded if evidence is not None and subject.node else None
    architectures = tuple(architectures_for(subject, known)[0]) if known is not None and asks else ()
    nodes = nodes_for(subject, known)[0] if known is not None and known.peek(NODES) else ()
    versions = tuple(replace(each, name="") for each in nodes)
    same = replace(subject, ref=nowhere, container="", volume=part, created="", uid="", node=node)
    return same, architectures, versions
