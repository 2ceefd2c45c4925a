# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads what a question needs to see, in as few requests as the number of namespaces and the caller's rights allow."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Union

from ..clients.kube.client import Cluster
from ..clients.kube.errors import ClusterError, Forbidden
from ..core.errors import ImagePullError
from ..core.objects import Json, Kind, ObjectRef, Objects, metadata, trimmed
from ..core.protocols import Question, Related, Selection
from .workers import Workers

__all__ = ["View", "look_up", "observe", "read"]

#: Up to so many objects, parallel reads are cheaper for the server than a list that it filters by name: it looks at every
#: object of the kind for that.
_FEW = 4

#: Up to so many reads, they are cheaper than a list that brings every object of the kind from all of the cluster's namespaces.
_FEW_WHOLE = 32

#: Up to so many related objects of one name are read one by one.
_MANY_RELATED = 64

#: The objects of one namespace, or why they could not be read.
Observed = Union[Objects, ImagePullError]


@dataclass(frozen=True)
class View:
    """What was seen in one namespace."""

    objects: Objects = field(default_factory=dict)
    related: Related = field(default_factory=dict)


def read(
    cluster: Cluster, workers: Workers, question: Question, namespaces: Sequence[str]
) -> dict[str, View | ImagePullError]:
    """What the question needs to see of each namespace, or why that could not be read.

    :raises ImagePullError: when a list over all namespaces fails, and with it every namespace.
    """
    observed = observe(cluster, workers, question.selection, namespaces)
    wanted = {
        name: question.related(name, objects)
        for name, objects in observed.items()
        if not isinstance(objects, ImagePullError)
    }
    found = look_up(cluster, workers, dict.fromkeys(ref for refs in wanted.values() for ref in refs))
    return {
        name: objects if isinstance(objects, ImagePullError) else _view(objects, wanted[name], found)
        for name, objects in observed.items()
    }


def _view(
    objects: Objects, refs: Sequence[ObjectRef], found: Mapping[ObjectRef, Json | ImagePullError | None]
) -> View | ImagePullError:
    """One namespace's share of what was looked up; the first failure in it is the namespace's."""
    related: dict[ObjectRef, Json | None] = {}
    for ref in refs:
        answer = found.get(ref)
        if isinstance(answer, ImagePullError):
            return answer
        if ref in found:
            related[ref] = answer
    return View(objects, related)


def observe(cluster: Cluster, workers: Workers, selection: Selection, namespaces: Sequence[str]) -> dict[str, Observed]:
    """The selected objects of each namespace.

    Many namespaces cost one list; when the caller may not list over all namespaces, each is read on its own.
    """
    if _is_listed(selection, len(namespaces)):
        with suppress(Forbidden):
            return dict(_list_all(cluster, selection, namespaces))
    results = workers.map(lambda namespace: _observe_one(cluster, selection, namespace), namespaces)
    return dict(zip(namespaces, results, strict=True))


def _is_listed(selection: Selection, namespaces: int) -> bool:
    """Whether one list over all namespaces costs the server less than reading them one by one."""
    if len(selection.names) == 1:
        return namespaces > _FEW
    return namespaces * max(len(selection.names), 1) > _FEW_WHOLE


def look_up(
    cluster: Cluster, workers: Workers, refs: Collection[ObjectRef]
) -> dict[ObjectRef, Json | ImagePullError | None]:
    """Each of the objects, None where there is none, the error where it could not be read.

    Those that the caller may not read are left out. Objects of one kind and name in many namespaces cost one list, as does
    one kind in many; others are read one by one.
    """
    alike: dict[tuple[Kind, str], list[ObjectRef]] = {}
    for ref in refs:
        alike.setdefault((ref.kind, ref.name if ref.namespace else ""), []).append(ref)
    found: dict[ObjectRef, Json | ImagePullError | None] = {}
    single: list[ObjectRef] = []
    for (kind, name), group in alike.items():
        listed = _look_up_many(cluster, kind, name, group) if len(group) > _MANY_RELATED else None
        if listed is None:
            single += group
        else:
            found.update(listed)
    answers = workers.map(lambda ref: _look_up_one(cluster, ref), single)
    found.update({ref: answer for ref, answer in zip(single, answers, strict=True) if answer is not _FORBIDDEN})
    return found


#: Stands for an object that the caller may not read.
_FORBIDDEN: Json = {"forbidden": True}


def _look_up_many(
    cluster: Cluster, kind: Kind, name: str, refs: Collection[ObjectRef]
) -> Mapping[ObjectRef, Json | ImagePullError | None] | None:
    """By one list; None when the caller may not list, so that each has to be read on its own."""
    try:
        return _look_up_listed(cluster, kind, name, refs)
    except Forbidden:
        return None
    except ClusterError:
        raise
    except ImagePullError as error:
        return dict.fromkeys(refs, error)


def _look_up_listed(
    cluster: Cluster, kind: Kind, name: str, refs: Collection[ObjectRef]
) -> dict[ObjectRef, Json | ImagePullError | None]:
    """Objects of a name in many namespaces, all of a kind in many, or many cluster-scoped ones."""
    whole = kind.namespaced and not name
    found: dict[ObjectRef, Any] = {ref: {"items": []} if whole else None for ref in refs}

    def ref_of(obj: Json) -> ObjectRef:
        return ObjectRef(kind, metadata(obj).get("namespace", ""), "" if whole else metadata(obj)["name"])

    def keep(obj: Json) -> Json | None:
        return trimmed(kind, obj) if ref_of(obj) in found else None

    for obj in cluster.list(kind, field_selector=f"metadata.name={name}" if name else "", keep=keep):
        if whole:
            found[ref_of(obj)]["items"].append(obj)
        else:
            found[ref_of(obj)] = obj
    return found


def _look_up_one(cluster: Cluster, ref: ObjectRef) -> Json | ImagePullError | None:
    try:
        if ref.kind.namespaced and not ref.name:
            return {"items": list(cluster.list(ref.kind, namespace=ref.namespace, keep=_trim(ref.kind)))}
        return cluster.get(ref)
    except Forbidden:
        return _FORBIDDEN
    except ImagePullError as error:
        return error


def _list_all(cluster: Cluster, selection: Selection, namespaces: Sequence[str]) -> dict[str, dict[str, Json]]:
    found: dict[str, dict[str, Json]] = {namespace: {} for namespace in namespaces}
    selector = f"metadata.name={selection.names[0]}" if len(selection.names) == 1 else ""

    def keep(obj: Json) -> Json | None:
        name, namespace = metadata(obj)["name"], metadata(obj)["namespace"]
        wanted = namespace in found and (not selection.names or name in selection.names)
        return trimmed(selection.kind, obj) if wanted else None

    for obj in cluster.list(selection.kind, field_selector=selector, keep=keep):
        found[metadata(obj)["namespace"]][metadata(obj)["name"]] = obj
    return found


def _trim(kind: Kind) -> Callable[[Json], Json]:
    return lambda obj: trimmed(kind, obj)


def _observe_one(cluster: Cluster, selection: Selection, namespace: str) -> Observed:
    try:
        if not selection.names:
            return {
                metadata(obj)["name"]: obj
                for obj in cluster.list(selection.kind, namespace=namespace, keep=_trim(selection.kind))
            }
        read_now = {name: cluster.get(ObjectRef(selection.kind, namespace, name)) for name in selection.names}
        return {name: obj for name, obj in read_now.items() if obj is not None}
    except ImagePullError as error:
        return error
