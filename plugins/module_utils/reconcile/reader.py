# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads what a plan needs to see, in as few requests as the number of namespaces and the caller's rights allow."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from typing import Any, Union

from ..clients.kube.client import Cluster
from ..clients.kube.errors import Forbidden
from ..core.errors import ImagePullError
from ..core.objects import NAMESPACE, Json, Kind, ObjectRef, Objects, metadata
from ..core.protocols import Selection

__all__ = ["Observed", "missing_sentence", "observe", "terminating_sentence", "what_is_wrong_with"]

#: Up to so many namespaces, parallel reads are cheaper for the server than a list over all of the cluster's.
_FEW = 4

#: Up to so many objects besides are read one by one: a list makes the server look at every object of the kind.
_MANY_LOOKUPS = 64

#: Stands for an object that the caller may not read.
UNKNOWN: Json = {"unknown": True}

#: What was read of one namespace, or why that failed.
Observed = Union[Objects, ImagePullError]


def observe(cluster: Cluster, pool: Executor, selection: Selection, namespaces: Sequence[str]) -> dict[str, Observed]:
    """The selected objects of each namespace.

    Many namespaces cost one list; when the caller may not list over all namespaces, each is read on its own.
    """
    if len(namespaces) > _FEW:
        try:
            return dict(_list_all(cluster, selection, namespaces))
        except Forbidden:
            pass
    results = pool.map(lambda namespace: _observe_one(cluster, selection, namespace), namespaces)
    return dict(zip(namespaces, results, strict=True))


def look_up(cluster: Cluster, pool: Executor, refs: Collection[ObjectRef]) -> dict[ObjectRef, Json | None]:
    """Each of the objects, None where there is none; those that the caller may not read are left out.

    Objects of one kind and name in many namespaces cost one list, as does one kind in many; others are read one by one.
    """
    alike: dict[tuple[Kind, str], list[ObjectRef]] = {}
    for ref in refs:
        alike.setdefault((ref.kind, ref.name if ref.namespace else ""), []).append(ref)
    found: dict[ObjectRef, Json | None] = {}
    for (kind, name), group in alike.items():
        if len(group) > _MANY_LOOKUPS:
            with suppress(Forbidden):
                found.update(_look_up_listed(cluster, kind, name, group))
                continue
        answers = pool.map(lambda ref: _look_up_one(cluster, ref), group)
        found.update({ref: answer for ref, answer in zip(group, answers, strict=True) if answer is not UNKNOWN})
    return found


def what_is_wrong_with(cluster: Cluster, namespace: str) -> str:
    """Why nothing can be created in a namespace: `missing`, `terminating`, or empty when it can, or nobody may know."""
    try:
        found = cluster.get(ObjectRef(NAMESPACE, "", namespace))
    except Forbidden:
        return ""
    if found is None:
        return "missing"
    terminating = metadata(found).get("deletionTimestamp") or (found.get("status") or {}).get("phase") == "Terminating"
    return "terminating" if terminating else ""


def missing_sentence(cluster: Cluster) -> str:
    """The sentence for a namespace that is not there."""
    return f"the namespace does not exist on {cluster.name}; create it first, or correct its name"


def terminating_sentence(cluster: Cluster) -> str:
    """The sentence for a namespace that will soon be gone."""
    return f"the namespace is being deleted on {cluster.name}"


def _look_up_listed(
    cluster: Cluster, kind: Kind, name: str, refs: Collection[ObjectRef]
) -> dict[ObjectRef, Json | None]:
    """By one list: objects of a name in many namespaces, all of a kind in many, or many cluster-scoped ones."""
    whole = kind.namespaced and not name
    found: dict[ObjectRef, Any] = {ref: {"items": []} if whole else None for ref in refs}
    for obj in cluster.list(kind, field_selector=f"metadata.name={name}" if name else ""):
        ref = ObjectRef(kind, metadata(obj).get("namespace", ""), "" if whole else metadata(obj)["name"])
        if ref in found and whole:
            found[ref]["items"].append(obj)
        elif ref in found:
            found[ref] = obj
    return found


def _look_up_one(cluster: Cluster, ref: ObjectRef) -> Json | None:
    try:
        if ref.kind.namespaced and not ref.name:
            return {"items": list(cluster.list(ref.kind, namespace=ref.namespace))}
        return cluster.get(ref)
    except Forbidden:
        return UNKNOWN


def _list_all(cluster: Cluster, selection: Selection, namespaces: Sequence[str]) -> dict[str, dict[str, Json]]:
    found: dict[str, dict[str, Json]] = {namespace: {} for namespace in namespaces}
    selector = f"metadata.name={selection.names[0]}" if len(selection.names) == 1 else ""
    for obj in cluster.list(selection.kind, field_selector=selector):
        name, namespace = metadata(obj)["name"], metadata(obj)["namespace"]
        if namespace in found and (not selection.names or name in selection.names):
            found[namespace][name] = _slim(obj)
    return found


def _slim(obj: Json) -> Json:
    """Without the record of field managers, the largest part of most objects: ten thousand of them are kept."""
    return {**obj, "metadata": {key: value for key, value in obj["metadata"].items() if key != "managedFields"}}


def _observe_one(cluster: Cluster, selection: Selection, namespace: str) -> Observed:
    try:
        if not selection.names:
            return {metadata(obj)["name"]: obj for obj in cluster.list(selection.kind, namespace=namespace)}
        read = {name: cluster.get(ObjectRef(selection.kind, namespace, name)) for name in selection.names}
        return {name: obj for name, obj in read.items() if obj is not None}
    except ImagePullError as error:
        return error
