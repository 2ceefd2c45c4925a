# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the objects that a question needs, with as few requests as their number and the caller's permissions allow."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Union

from ..clients.kube.client import Cluster
from ..clients.kube.errors import ClusterError, Forbidden
from ..core.changes import ALL, NO_SELECTORS, ListedBy, Question, Related
from ..core.errors import ImagePullError
from ..core.objects import Json, Kind, ObjectRef, Objects, metadata, trim_object
from .workers import Workers

#: Up to this number, separate requests are cheaper for the server than one list over all namespaces, for which it examines every object of
#: the kind.
FEW = 4
#: The same for a list that is repeated until a task ends.
FEW_POLLED = 8
#: The same for a list that also returns many objects that are not wanted.
FEW_UNFILTERED = 32

_Keep = Callable[[Json], Union[Json, None]]


@dataclass(frozen=True)
class ListRequest:
    """A list of a kind, or one for each of the field selectors.

    `keep` returns the needed part of an object, including its metadata, or None to drop it. `elsewhere` does that for objects of other
    namespaces, which only a list over all namespaces returns.
    """

    kind: Kind
    keep: _Keep
    field_selectors: Sequence[str] = ALL
    label_selector: str = ""
    elsewhere: _Keep = lambda _obj: None


@dataclass
class Listing:
    """The objects by namespace, in the given order, and the error of each namespace that could not be listed.

    `is_whole`: they are the answer to a list over all namespaces. If the caller is not allowed to make such a list, the others replace it.
    """

    objects: dict[str, list[Json]] = field(default_factory=dict)
    errors: dict[str, ImagePullError] = field(default_factory=dict)
    is_whole: bool = False


def list_in_namespaces(
    cluster: Cluster, workers: Workers, request: ListRequest, namespaces: Sequence[str], *, few: float = FEW
) -> Listing:
    """Return the listing, in which all errors are refusals.

    :raises ImagePullError: if a list fails for another reason than a missing permission.
    """
    (listing,) = list_each_kind(cluster, workers, [request], namespaces, few=few)
    for error in listing.errors.values():
        if not isinstance(error, Forbidden):
            raise error
    return listing


def list_each_kind(
    cluster: Cluster,
    workers: Workers,
    requests: Sequence[ListRequest],
    namespaces: Collection[str],
    *,
    few: float = FEW,
    separate: Collection[str] | None = None,
) -> list[Listing]:
    """Return the listing of each request. Up to `few` namespaces are listed separately from the start.

    `separate`: the only namespaces to list separately after a refusal. The refusal is then the error of the others.

    :raises ClusterError: if the cluster fails.
    """
    meant = frozenset(namespaces)

    def answer_of(request: ListRequest, namespace: str = "") -> list[Json] | ImagePullError:
        try:
            return list(_objects(cluster, request, namespace, meant))
        except ClusterError:
            raise
        except ImagePullError as error:
            return error

    listings = [Listing() for _request in requests]
    if len(namespaces) > few:
        for listing, answer in zip(listings, workers.map(answer_of, requests), strict=True):
            listing.is_whole = not isinstance(answer, Forbidden)
            _store(listing, namespaces, answer)
    left = [
        (request, listing, name)
        for request, listing in zip(requests, listings, strict=True)
        if not listing.is_whole
        for name in (namespaces if separate is None or not listing.errors else separate)
    ]
    answers = workers.map(lambda each: answer_of(each[0], each[2]), left)
    for (_request, listing, name), answer in zip(left, answers, strict=True):
        _store(listing, [name], answer)
    for listing in listings:
        found = listing.objects
        listing.objects = {name: found[name] for name in dict.fromkeys([*namespaces, *found]) if name in found}
    return listings


def _objects(cluster: Cluster, request: ListRequest, namespace: str, meant: Collection[str]) -> Iterator[Json]:
    def keep(obj: Json) -> Json | None:
        return (request.keep if metadata(obj).get("namespace", "") in meant else request.elsewhere)(obj)

    for selector in request.field_selectors:
        yield from cluster.list(
            request.kind,
            namespace=namespace,
            field_selector=selector,
            label_selector=request.label_selector,
            keep=keep,
        )


def _store(listing: Listing, namespaces: Iterable[str], answer: Sequence[Json] | ImagePullError) -> None:
    """Store the answer to a list of these namespaces."""
    if isinstance(answer, ImagePullError):
        listing.errors.update(dict.fromkeys(namespaces, answer))
        return
    for name in namespaces:
        listing.errors.pop(name, None)
    for obj in answer:
        listing.objects.setdefault(metadata(obj).get("namespace", ""), []).append(obj)


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


#: The objects of one namespace, or the error.
Observed = Union[Objects, ImagePullError]

_NONE: frozenset[str] = frozenset()


@dataclass(frozen=True)
class View:
    """The objects that were read in one namespace. `unread` are names of objects that may exist although a list did not contain them."""

    objects: Objects = field(default_factory=dict)
    related: Related = field(default_factory=dict)
    unread: frozenset[str] = _NONE


def read_views(
    cluster: Cluster, workers: Workers, question: Question, namespaces: Sequence[str], *, leave_unread: bool = False
) -> dict[str, View | ImagePullError]:
    """Return the objects of each namespace that the question needs, or the error.

    `leave_unread`: objects that a list did not contain are left unread, because a write also shows whether they exist.

    :raises ImagePullError: if a list over all namespaces fails.
    """
    observed, unread = observe(cluster, workers, question, namespaces, leave_unread=leave_unread)
    wanted = {
        name: question.related(name, objects)
        for name, objects in observed.items()
        if not isinstance(objects, ImagePullError)
    }
    refs = dict.fromkeys(ref for refs in wanted.values() for ref in refs)
    found = look_up(cluster, workers, refs, question.listed_by)
    return {
        name: objects
        if isinstance(objects, ImagePullError)
        else _view(objects, wanted[name], found, unread.get(name, _NONE))
        for name, objects in observed.items()
    }


def _view(
    objects: Objects, refs: Sequence[ObjectRef], found: Mapping[ObjectRef, Answer], unread: frozenset[str]
) -> View | ImagePullError:
    """One namespace's part of the related objects. The first error in it is the error of the namespace."""
    related: dict[ObjectRef, Json | None] = {}
    for ref in refs:
        answer = found.get(ref)
        if isinstance(answer, ImagePullError):
            return answer
        if ref in found:
            related[ref] = answer
    return View(objects, related, unread)


def observe(
    cluster: Cluster, workers: Workers, question: Question, namespaces: Sequence[str], *, leave_unread: bool = False
) -> tuple[dict[str, Observed], dict[str, frozenset[str]]]:
    """Return the objects of each namespace that the question names, and the names of the unread ones."""
    wanted = {
        name: [ObjectRef(question.kind, name, each) for each in question.names(name) or ("",)] for name in namespaces
    }
    found, unread = fetch_objects(
        cluster, workers, [ref for refs in wanted.values() for ref in refs], question.listed_by, strict=True
    )
    if unread and not leave_unread:
        _read_unlisted(cluster, workers, found, unread)
    return (
        {name: _collect_objects(refs, found) for name, refs in wanted.items()},
        {name: names for name, refs in wanted.items() if (names := _names(refs, unread))},
    )


def _read_unlisted(cluster: Cluster, workers: Workers, found: dict[ObjectRef, Answer], unread: set[ObjectRef]) -> None:
    refs = sorted(unread, key=str)
    found.update(zip(refs, workers.map(lambda ref: read_one(cluster, ref), refs), strict=True))
    unread.clear()


def _names(refs: Sequence[ObjectRef], unread: Collection[ObjectRef]) -> frozenset[str]:
    return frozenset(ref.name for ref in refs if ref in unread) if unread else _NONE


def _collect_objects(refs: Sequence[ObjectRef], found: Mapping[ObjectRef, Answer]) -> Observed:
    """One namespace's objects by name. The first error among them is the error of the namespace."""
    objects: dict[str, Json] = {}
    for ref in refs:
        answer = found.get(ref)
        if isinstance(answer, ImagePullError):
            return answer
        if answer is not None:
            items = [answer] if ref.name else answer["items"]
            objects.update({metadata(obj)["name"]: obj for obj in items})
    return objects


def look_up(
    cluster: Cluster, workers: Workers, refs: Collection[ObjectRef], listed_by: ListedBy = NO_SELECTORS
) -> dict[ObjectRef, Answer]:
    """Return each object, None if it does not exist, or the error.

    Objects that the caller is not allowed to read are left out. If a list over all namespaces fails, its objects get the error.
    """
    found, unread = fetch_objects(cluster, workers, refs, listed_by)
    _read_unlisted(cluster, workers, found, unread)
    return {ref: answer for ref, answer in found.items() if not isinstance(answer, Forbidden)}
