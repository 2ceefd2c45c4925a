# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists objects in many namespaces: with one list if the caller is allowed to, otherwise with one for each namespace."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Union

from ..clients.kube.client import Cluster
from ..clients.kube.errors import ClusterError, Forbidden
from ..core.errors import ImagePullError
from ..core.objects import Json, Kind, metadata
from ..core.protocols import ALL
from .workers import Workers

__all__ = ["FEW", "FEW_POLLED", "FEW_UNFILTERED", "ListRequest", "Listing", "list_each_kind", "list_in_namespaces"]

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
