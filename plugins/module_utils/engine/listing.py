# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists all objects of a kind in many namespaces: with one list if the caller is allowed to, otherwise with one for each namespace."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from ..clients.kube.client import Cluster
from ..clients.kube.errors import Forbidden
from ..core.objects import Json, Kind, metadata
from .workers import Workers

__all__ = ["Listing", "list_in_namespaces"]


@dataclass(frozen=True)
class Listing:
    """The objects by namespace, in the given order, and the namespaces in which the caller is not allowed to list."""

    objects: dict[str, list[Json]] = field(default_factory=dict)
    forbidden: Sequence[str] = ()


def list_in_namespaces(
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
    """Return the parts of each object that `keep` returns, which must include the metadata. None drops the object.

    Objects in other namespaces are ignored. Up to `few` namespaces are listed separately from the start.

    :raises ImagePullError: if a list fails for another reason than a missing permission.
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
            return Listing(_group_by_namespace(namespaces, listed("")))
        except Forbidden:
            pass
    answers = dict(zip(namespaces, workers.map(in_namespace, namespaces), strict=True))
    objects = [obj for answer in answers.values() if not isinstance(answer, Forbidden) for obj in answer]
    forbidden = [name for name, answer in answers.items() if isinstance(answer, Forbidden)]
    return Listing(_group_by_namespace(namespaces, objects), forbidden)


def _group_by_namespace(namespaces: Sequence[str], objects: Sequence[Json]) -> dict[str, list[Json]]:
    found: dict[str, list[Json]] = {}
    for namespace, obj in _pair_with_namespace(objects):
        found.setdefault(namespace, []).append(obj)
    return {namespace: found[namespace] for namespace in namespaces if namespace in found}


def _pair_with_namespace(objects: Sequence[Json]) -> Iterator[tuple[str, Json]]:
    for obj in objects:
        yield metadata(obj)["namespace"], obj
