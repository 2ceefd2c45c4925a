# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads what an explanation wants to see, all at once: objects, the cluster's configuration, and answers about rights."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ..clients.kube.client import Cluster
from ..clients.kube.errors import ClusterError, UnknownResource
from ..core.errors import ImagePullError
from ..core.evidence import Unread
from ..core.objects import ObjectRef
from ..core.protocols import ListedBy
from ..nodes.image_streams import IMAGE_STREAM
from ..rbac.access_reviews import SUBJECT_ACCESS_REVIEW, question
from ..rbac.subjects import Subject
from ..reconcile.fetching import Answer
from ..reconcile.reader import look_up
from ..reconcile.workers import Workers

__all__ = ["read_wanted"]


def read_wanted(
    cluster: Cluster, workers: Workers, wanted: Sequence[ObjectRef], listed_by: ListedBy
) -> Mapping[ObjectRef, Answer]:
    """:raises ImagePullError: when the cluster fails."""
    ways: dict[Callable[[Cluster, ObjectRef], Answer], list[ObjectRef]] = {}
    objects = []
    for ref in wanted:
        if ref.kind == SUBJECT_ACCESS_REVIEW:
            ways.setdefault(_review, []).append(ref)
        elif not ref.kind.namespaced:
            ways.setdefault(_of_cluster, []).append(ref)
        else:
            objects.append(ref)
    found: dict[ObjectRef, Answer] = {}
    for way, refs in ways.items():
        found.update(zip(refs, _mapped(cluster, workers, way, refs), strict=True))
    answers = look_up(cluster, workers, objects, listed_by)
    for ref in objects:
        found[ref] = _without_kind(ref, answers[ref]) if ref in answers else Unread("the caller may not read it")
    for answer in found.values():
        if isinstance(answer, ClusterError):
            raise answer
    return found


def _mapped(
    cluster: Cluster, workers: Workers, way: Callable[[Cluster, ObjectRef], Answer], refs: Sequence[ObjectRef]
) -> list[Answer]:
    return workers.map(lambda ref: way(cluster, ref), refs)


def _review(cluster: Cluster, ref: ObjectRef) -> Answer:
    """Whether an account may pull: the reference's namespace is the project, its name the account's namespace and name."""
    namespace, _slash, name = ref.name.partition("/")
    puller = Subject("ServiceAccount", name, namespace)
    try:
        return cluster.review(ref.kind, question(puller, ref.namespace), f"{puller} may pull from {ref.namespace}")
    except ImagePullError as error:
        return error


def _of_cluster(cluster: Cluster, ref: ObjectRef) -> Answer:
    try:
        return cluster.get(ref) if ref.name else {"items": list(cluster.list(ref.kind))}
    except UnknownResource:
        return None
    except ImagePullError as error:
        return error


def _without_kind(ref: ObjectRef, answer: Answer) -> Answer:
    """A cluster that does not know a kind has no object of it; without image streams, its registry is another one."""
    if not isinstance(answer, UnknownResource):
        return answer
    return {} if ref.kind == IMAGE_STREAM else None
