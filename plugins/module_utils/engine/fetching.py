# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a set of objects with as few requests as their number and the caller's permissions allow."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Union

from ..clients.kube.client import Cluster
from ..clients.kube.errors import Forbidden
from ..core.errors import ImagePullError
from ..core.objects import Json, Kind, ObjectRef, metadata, trim_object
from ..core.protocols import ALL, NO_SELECTORS, ListedBy
from .listing import FEW, FEW_UNFILTERED, ListRequest, list_each_kind
from .workers import Workers

__all__ = ["Answer", "fetch_objects", "read_one"]

#: The object, None if it does not exist, or the error. For a reference without a name, a list under `items`: the objects that
#: the selectors of its kind find, or all objects.
Answer = Union[Json, ImagePullError, None]


@dataclass(frozen=True)
class _PlannedList:
    """Lists that contain some of the wanted objects. `complete`: all existing ones."""

    kind: Kind
    refs: Sequence[ObjectRef]
    selectors: Sequence[str] = ALL
    complete: bool = True

    @property
    def is_of_names(self) -> bool:
        """Whether the references have names. Otherwise, all objects of their namespaces are wanted."""
        return bool(self.refs[0].name)

    @property
    def request(self) -> ListRequest:
        wanted, is_of_names = set(self.refs), self.is_of_names

        def keep(obj: Json) -> Json | None:
            meta = metadata(obj)
            ref = ObjectRef(self.kind, meta.get("namespace", ""), meta["name"] if is_of_names else "")
            return trim_object(self.kind, obj) if ref in wanted else None

        return ListRequest(self.kind, keep, self.selectors)


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
    # A name that no object can have must not become a part of a field selector.
    found = _FetchedObjects({ref: None for ref in refs if ref.name and not ref.is_possible}, set())
    for planned in _lists([ref for ref in refs if ref not in found.objects], listed_by):
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


def _lists(refs: Collection[ObjectRef], listed_by: ListedBy) -> Iterator[_PlannedList]:
    """The lists that cost less than reading each object."""
    kinds: dict[Kind, list[ObjectRef]] = {}
    for ref in refs:
        kinds.setdefault(ref.kind, []).append(ref)
    for kind, group in kinds.items():
        if not kind.namespaced:
            named = [ref for ref in group if ref.name]
            yield from [_PlannedList(kind, named)] if len(named) > FEW_UNFILTERED else []
            continue
        whole = [ref for ref in group if not ref.name]
        if len(whole) > FEW_UNFILTERED:
            yield _PlannedList(kind, whole, listed_by.get(kind, ALL))
        yield from _lists_of_named(kind, [ref for ref in group if ref.name], listed_by.get(kind, ()))


def _lists_of_named(kind: Kind, refs: Sequence[ObjectRef], selectors: Sequence[str]) -> Iterator[_PlannedList]:
    names: dict[str, list[ObjectRef]] = {}
    for ref in refs:
        names.setdefault(ref.name, []).append(ref)
    if len(names) > 1 and selectors:
        if len(refs) > FEW_UNFILTERED:
            yield _PlannedList(kind, refs, selectors, complete="" in selectors)
        return
    for name, group in names.items():
        if len(group) > FEW:
            yield _PlannedList(kind, group, (f"metadata.name={name}",))


def _fetch_list(
    cluster: Cluster, workers: Workers, planned: _PlannedList, found: _FetchedObjects, *, strict: bool
) -> None:
    """Store the results of the lists in `found`. Nothing is stored for namespaces that the caller is not allowed to list."""
    places: dict[str, list[ObjectRef]] = {}
    for ref in planned.refs:
        places.setdefault(ref.namespace, []).append(ref)
    several = [name for name, refs in places.items() if name and len(refs) > 1]
    few = FEW_UNFILTERED if several else 0
    (listing,) = list_each_kind(cluster, workers, [planned.request], places, few=few, separate=several)
    for name, refs in places.items():
        error = listing.errors.get(name)
        if error is None:
            _store_objects(planned, refs, listing.objects.get(name, []), found)
        elif not isinstance(error, Forbidden):
            if strict and listing.is_whole:
                raise error
            found.objects.update(dict.fromkeys(refs, error))
        else:
            cluster.forgive(error)  # each is read by its name, or in the list of its namespace


def _store_objects(
    planned: _PlannedList, refs: Sequence[ObjectRef], objects: Sequence[Json], found: _FetchedObjects
) -> None:
    """Store the objects of one namespace."""
    if not planned.is_of_names:
        found.objects.update({ref: {"items": objects} for ref in refs})
        return
    by_name = {metadata(obj)["name"]: obj for obj in objects}
    for ref in refs:
        if planned.complete or ref.name in by_name:
            found.objects[ref] = by_name.get(ref.name)
        else:
            found.unread.add(ref)
