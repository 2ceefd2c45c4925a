# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers the lookups of explanations from the lists that were read, without further requests. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache

from ...core.objects import ROLE_BINDING, SECRET, SERVICE_ACCOUNT, Json, Kind, ObjectRef, as_str, metadata
from ...explain.lookup import Lookup, UnreadableObject
from ...images.image_streams import IMAGE_STREAM
from ...images.node_registries import IMAGE_POLICY
from ...rbac.access_reviews import SUBJECT_ACCESS_REVIEW, is_pull_review, puller_of
from ...rbac.subjects import Subject
from .rules_grants import is_pull_binding, pullers_of
from .survey import ACCOUNTS, BINDINGS, POLICIES, SECRETS, STREAMS, NamespaceSnapshot

__all__ = ["ListedLookup"]

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
