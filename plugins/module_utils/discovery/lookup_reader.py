# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the data that an explanation needs in one batch: objects, the cluster's configuration, and access reviews."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from ..clients.kube.client import Cluster, list_api_groups
from ..clients.kube.errors import ClusterError, Forbidden, UnknownResource
from ..core.errors import ImagePullError
from ..core.objects import SECRET, ObjectRef, trim_object
from ..core.protocols import ListedBy
from ..core.times import with_time_of_content
from ..engine.fetching import Answer, look_up
from ..engine.workers import Workers
from ..explain.lookup import Lookup, UnreadableObject
from ..images.image_questions import IMAGE_QUESTION, SIGNATURE_QUESTION, TRUST_QUESTION, RegistryAccess
from ..images.image_streams import IMAGE_STREAM
from ..images.kubelet_settings import KUBELET_FILE
from ..images.pull_messages import POD_EVENTS
from ..rbac.access_reviews import SUBJECT_ACCESS_REVIEW, question_of
from .image_proofs import prove_images
from .kubelet_files import read_kubelet_file

__all__ = ["QUESTIONS", "read_lookups", "read_objects"]

_MAY_NOT = "the caller may not read it"

#: The kinds of references that stand for questions to registries.
QUESTIONS = (IMAGE_QUESTION, SIGNATURE_QUESTION, TRUST_QUESTION)

#: A list keeps the time of the content's last change, which is compared with the node's last attempt.
_SECRET = replace(SECRET, trim=with_time_of_content)


def read_lookups(
    cluster: Cluster,
    workers: Workers,
    evidence: Lookup,
    listed_by: ListedBy,
    registries: RegistryAccess | None = None,
) -> Mapping[ObjectRef, Answer]:
    """Return the data that the evidence needs. Registries are asked only if `registries` is given.

    :raises ImagePullError: if the cluster fails.
    """
    wanted = evidence.take_wanted()
    images = [ref for ref in wanted if ref.kind in QUESTIONS]
    found = read_objects(cluster, workers, [ref for ref in wanted if ref.kind not in QUESTIONS], listed_by)
    if registries is not None:
        found.update(prove_images(images, evidence, registries))
    return found


def read_objects(
    cluster: Cluster, workers: Workers, wanted: Sequence[ObjectRef], listed_by: ListedBy
) -> dict[ObjectRef, Answer]:
    """Return these objects and access reviews, but no answers of registries.

    :raises ImagePullError: if the cluster fails.
    """
    ways: dict[Callable[[Cluster, ObjectRef], Answer], list[ObjectRef]] = {}
    objects = []
    for ref in wanted:
        way = _reader_for(ref)
        if way is None:
            objects.append(replace(ref, kind=_SECRET) if ref.kind == SECRET else ref)
        else:
            ways.setdefault(way, []).append(ref)
    found: dict[ObjectRef, Answer] = {}
    for read, refs in ways.items():
        found.update(zip(refs, _read_each(cluster, workers, read, refs), strict=True))
    answers = look_up(cluster, workers, objects, listed_by)
    for ref in objects:
        found[ref] = _empty_if_unknown(ref, answers[ref]) if ref in answers else UnreadableObject(_MAY_NOT)
    for answer in found.values():
        if isinstance(answer, ClusterError):
            raise answer
    return {
        **found,
        **_find_absent(cluster, [ref for ref, answer in found.items() if isinstance(answer, UnreadableObject)]),
    }


def _find_absent(cluster: Cluster, refused: Sequence[ObjectRef]) -> Mapping[ObjectRef, Answer]:
    """The unreadable references whose kind does not exist: a server also refuses unknown kinds.

    :raises ClusterError: if the cluster fails.
    """
    named = {ref: group for ref in refused if (group := _group_of(ref))}
    try:
        groups = list_api_groups(cluster) if named else frozenset()
    except ClusterError:
        raise
    except ImagePullError:
        return {}
    # A server without any group is not a Kubernetes API server.
    return {ref: _empty_answer(ref) for ref, group in named.items() if groups and group not in groups}


def _group_of(ref: ObjectRef) -> str:
    """The API group. Empty for the core API, which every server has."""
    return ref.kind.api_version.rpartition("/")[0]


def _reader_for(ref: ObjectRef) -> Callable[[Cluster, ObjectRef], Answer] | None:
    """The function that reads a reference that is not an object of a namespace."""
    if ref.kind == SUBJECT_ACCESS_REVIEW:
        return _read_review
    if ref.kind == POD_EVENTS:
        return _read_events
    if ref.kind == KUBELET_FILE:
        return read_kubelet_file
    return None if ref.kind.namespaced else _read_cluster_object


def _read_each(
    cluster: Cluster, workers: Workers, read: Callable[[Cluster, ObjectRef], Answer], refs: Sequence[ObjectRef]
) -> list[Answer]:
    return workers.map(lambda ref: read(cluster, ref), refs)


def _read_review(cluster: Cluster, ref: ObjectRef) -> Answer:
    """The API server's answer about a right."""
    try:
        return cluster.review(ref.kind, *question_of(ref))
    except ImagePullError as error:
        return error


def _read_events(cluster: Cluster, ref: ObjectRef) -> Answer:
    selector = f"involvedObject.kind=Pod,involvedObject.name={ref.name}"
    try:
        return {"items": list(cluster.list(ref.kind, namespace=ref.namespace, field_selector=selector))}
    except ImagePullError as error:
        return error


def _read_cluster_object(cluster: Cluster, ref: ObjectRef) -> Answer:
    try:
        if ref.name:
            return cluster.get(ref)
        return {"items": list(cluster.list(ref.kind, keep=lambda obj: trim_object(ref.kind, obj)))}
    except UnknownResource:
        return None
    except Forbidden:
        return UnreadableObject(_MAY_NOT)
    except ImagePullError as error:
        return error


def _empty_if_unknown(ref: ObjectRef, answer: Answer) -> Answer:
    """A cluster without the kind has no object of it."""
    return _empty_answer(ref) if isinstance(answer, UnknownResource) else answer


def _empty_answer(ref: ObjectRef) -> Answer:
    """The result for a missing object. Without image streams, the cluster's registry is not OpenShift's."""
    return {} if ref.kind == IMAGE_STREAM else None
