# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a set of objects with as few requests as their number and the caller's permissions allow."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Union

from ..clients.kube.client import Cluster
from ..clients.kube.errors import ClusterError, Forbidden
from ..core.errors import ImagePullError
from ..core.objects import Json, Kind, ObjectRef, metadata, trim_object
from ..core.protocols import ALL, NO_SELECTORS, ListedBy
from .workers import Workers

__all__ = ["Answer", "fetch_objects", "read_one"]

#: Up to this number of objects, parallel reads are cheaper for the server than a list filtered by name, for which it examines every
#: object of the kind.
_FEW = 4

#: Up to this number, reads or lists of single namespaces are cheaper than a list of the objects in all namespaces of the
#: cluster.
_FEW_WHOLE = 32

#: The object, None if it does not exist, or the error. For a reference without a name, a list under `items`: the objects that
#: the selectors of its kind find, or all objects.
Answer = Union[Json, ImagePullError, None]


@dataclass(frozen=True)
class _ListRequest:
    """Lists that contain some of the wanted objects. `complete`: all existing ones."""

    kind: Kind
    refs: Sequence[ObjectRef]
    selectors: Sequence[str] = ALL
    complete: bool = True


@dataclass
class _FetchedObjects:
    """The results of lists: `objects` were found or do not exist, `unread` are unknown."""

    objects: dict[ObjectRef, Answer]
    unread: set[ObjectRef]


def fetch_objects(
    cluster: Cluster,
    workers: Workers,
    refs: Collection[ObjectRef],
    listed_by: ListedBy = NO_SELECTORS,
    *,
    strict: bool = False,
) -> tuple[dict[ObjectRef, Answer], set[ObjectRef]]:
    """Return each of the objects, and the references that lists of `listed_by` did not contain: these objects may still exist.

    Objects that the caller is not allowed to list are read one by one. If that is not allowed either, the result is the refusal.

    :raises ImagePullError: with `strict`, if a list over all namespaces fails. Otherwise, the error is the result for its objects.
        `ClusterError` if the cluster fails.
    """
    found = _FetchedObjects({}, set())
    for planned in _lists(refs, listed_by):
        _fetch_list(cluster, workers, planned, found, strict=strict)
    single = [ref for ref in refs if ref not in found.objects and ref not in found.unread]
    answers = workers.map(lambda ref: read_one(cluster, ref, listed_by.get(ref.kind, ALL)), single)
    return {**found.objects, **dict(zip(single, answers, strict=True))}, found.unread


def read_one(cluster: Cluster, ref: ObjectRef, selectors: Sequence[str] = ALL) -> Answer:
    """Return one object or, for a reference without a name, the list of its namespace, or all objects of a cluster-scoped kind."""

    def listed(selector: str) -> Iterator[Json]:
        return cluster.list(
            ref.kind, namespace=ref.namespace, field_selector=selector, keep=lambda obj: trim_object(ref.kind, obj)
        )

    try:
        if not ref.name:
            return {"items": [obj for selector in selectors for obj in listed(selector)]}
        return cluster.get(ref)
    except ImagePullError as error:
        return error


def _lists(refs: Collection[ObjectRef], listed_by: ListedBy) -> Iterator[_ListRequest]:
    """The lists that cost less than reading each object."""
    kinds: dict[Kind, list[ObjectRef]] = {}
    for ref in refs:
        kinds.setdefault(ref.kind, []).append(ref)
    for kind, group in kinds.items():
        if not kind.namespaced:
            yield from [_ListRequest(kind, group)] if len(group) > _FEW_WHOLE else []
            continue
        whole = [ref for ref in group if not ref.name]
        if len(whole) > _FEW_WHOLE:
            yield _ListRequest(kind, whole, listed_by.get(kind, ALL))
        yield from _lists_of_named(kind, [ref for ref in group if ref.name], listed_by.get(kind, ()))


def _lists_of_named(kind: Kind, refs: Sequence[ObjectRef], selectors: Sequence[str]) -> Iterator[_ListRequest]:
    names: dict[str, list[ObjectRef]] = {}
    for ref in refs:
        names.setdefault(ref.name, []).append(ref)
    if len(names) > 1 and selectors:
        if len(refs) > _FEW_WHOLE:
            yield _ListRequest(kind, refs, selectors, complete="" in selectors)
        return
    for name, group in names.items():
        if len(group) > _FEW:
            yield _ListRequest(kind, group, (f"metadata.name={name}",))


def _fetch_list(
    cluster: Cluster, workers: Workers, planned: _ListRequest, found: _FetchedObjects, *, strict: bool
) -> None:
    """Store the results of the lists in `found`. Nothing is stored if the caller is not allowed to list."""
    places: dict[str, list[ObjectRef]] = {}
    for ref in planned.refs:
        places.setdefault(ref.namespace, []).append(ref)
    if len(places) <= _FEW_WHOLE and planned.kind.namespaced and len(places) < len(planned.refs):
        _list_each(cluster, workers, planned, places, found)
        return
    try:
        _keep(planned, planned.refs, _objects(cluster, planned, planned.refs, ""), found)
    except Forbidden:
        several = {name: group for name, group in places.items() if name and len(group) > 1}
        _list_each(cluster, workers, planned, several, found)
    except ImagePullError as error:
        if strict or isinstance(error, ClusterError):
            raise
        found.objects.update(dict.fromkeys(planned.refs, error))


def _list_each(
    cluster: Cluster,
    workers: Workers,
    planned: _ListRequest,
    places: Mapping[str, Sequence[ObjectRef]],
    found: _FetchedObjects,
) -> None:
    """Store the results of separate lists of each namespace."""

    def in_namespace(name: str) -> Mapping[ObjectRef, Json] | ImagePullError:
        try:
            return _objects(cluster, planned, places[name], name)
        except ImagePullError as error:
            return error

    for name, objects in zip(places, workers.map(in_namespace, places), strict=True):
        if isinstance(objects, ClusterError):
            raise objects
        if not isinstance(objects, ImagePullError):
            _keep(planned, places[name], objects, found)
        elif not isinstance(objects, Forbidden):
            found.objects.update(dict.fromkeys(places[name], objects))
        elif planned.refs[0].name:
            cluster.forgive(objects)  # each is read by its name


def _objects(
    cluster: Cluster, planned: _ListRequest, refs: Sequence[ObjectRef], namespace: str
) -> dict[ObjectRef, Json]:
    """The wanted objects in the lists of one namespace or of all."""
    wanted = set(refs)
    whole = not refs[0].name
    found: dict[ObjectRef, Any] = {ref: {"items": []} for ref in refs} if whole else {}

    def ref_of(obj: Json) -> ObjectRef:
        name = "" if whole else metadata(obj)["name"]
        return ObjectRef(planned.kind, metadata(obj).get("namespace", ""), name)

    def keep(obj: Json) -> Json | None:
        return trim_object(planned.kind, obj) if ref_of(obj) in wanted else None

    for selector in planned.selectors:
        for obj in cluster.list(planned.kind, namespace=namespace, field_selector=selector, keep=keep):
            if whole:
                found[ref_of(obj)]["items"].append(obj)
            else:
                found[ref_of(obj)] = obj
    return found


def _keep(
    planned: _ListRequest, refs: Sequence[ObjectRef], objects: Mapping[ObjectRef, Json], found: _FetchedObjects
) -> None:
    if planned.complete:
        found.objects.update({ref: objects.get(ref) for ref in refs})
    else:
        found.objects.update(objects)
        found.unread.update(ref for ref in refs if ref not in objects)
