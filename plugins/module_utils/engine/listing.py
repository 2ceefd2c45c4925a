# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All objects of a kind in many namespaces: one list where the caller may have that, one for each namespace where not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from ..clients.kube.client import Cluster
from ..clients.kube.errors import Forbidden
from ..core.objects import Json, Kind, metadata
from .workers import Workers

__all__ = ["Listing", "list_in"]


@dataclass(frozen=True)
class Listing:
    """What was found, by namespace, in the order given; and the namespaces in which the caller may not list."""

    objects: dict[str, list[Json]] = field(default_factory=dict)
    forbidden: Sequence[str] = ()


def list_in(
    cluster: Cluster,
    workers: Workers,
    kind: Kind,
    namespaces: Sequence[str],
    keep: Callable[[Json], Json | None],
    *,
    few: int = 0,
    field_selector: str = "",
    label_selector: str = "",
) -> Listing:
    """What `keep` leaves of each object: nothing is held of one for which it returns None. Its metadata must be left.

    What is in a namespace that is not given is not looked at. Up to `few` namespaces are listed one by one at once.

    :raises ImagePullError: when a list fails for another reason than that the caller may not have it.
    """
    meant = frozenset(namespaces)

    def kept(obj: Json) -> Json | None:
        return keep(obj) if metadata(obj).get("namespace") in meant else None

    def listed(namespace: str) -> list[Json]:
        return list(
            cluster.list(
                kind, namespace=namespace, field_selector=field_selector, label_selector=label_selector, keep=kept
            )
        )

    def in_namespace(namespace: str) -> list[Json] | Forbidden:
        try:
            return listed(namespace)
        except Forbidden as error:
            return error

    if len(namespaces) > few:
        try:
            return Listing(_by_namespace(namespaces, listed("")))
        except Forbidden:
            pass
    answers = dict(zip(namespaces, workers.map(in_namespace, namespaces), strict=True))
    objects = [obj for answer in answers.values() if not isinstance(answer, Forbidden) for obj in answer]
    forbidden = [name for name, answer in answers.items() if isinstance(answer, Forbidden)]
    return Listing(_by_namespace(namespaces, objects), forbidden)


def _by_namespace(namespaces: Sequence[str], objects: Sequence[Json]) -> dict[str, list[Json]]:
    found: dict[str, list[Json]] = {}
    for namespace, obj in _placed(objects):
        found.setdefault(namespace, []).append(obj)
    return {namespace: found[namespace] for namespace in namespaces if namespace in found}


def _placed(objects: Sequence[Json]) -> Iterator[tuple[str, Json]]:
    for obj in objects:
        yield metadata(obj)["namespace"], obj
