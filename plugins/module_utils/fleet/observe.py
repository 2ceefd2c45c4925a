# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads what a plan needs to see, in as few requests as the number of namespaces and the caller's rights allow."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from typing import Union

from ..cluster.client import Cluster
from ..cluster.errors import Forbidden
from ..domain.errors import ImagePullError
from ..domain.model import NAMESPACE, Json, Objects, Ref, Selection, metadata

__all__ = ["Observed", "observe", "what_is_wrong_with"]

#: Up to so many namespaces, parallel reads are cheaper for the server than a list over all of the cluster's.
_FEW = 4

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


def what_is_wrong_with(cluster: Cluster, namespace: str) -> str:
    """Why nothing can be created in a namespace: C(missing), C(terminating), or empty when it can, or nobody may know."""
    try:
        found = cluster.get(Ref(NAMESPACE, "", namespace))
    except Forbidden:
        return ""
    if found is None:
        return "missing"
    terminating = metadata(found).get("deletionTimestamp") or (found.get("status") or {}).get("phase") == "Terminating"
    return "terminating" if terminating else ""


def _list_all(cluster: Cluster, selection: Selection, namespaces: Sequence[str]) -> dict[str, dict[str, Json]]:
    found: dict[str, dict[str, Json]] = {namespace: {} for namespace in namespaces}
    selector = f"metadata.name={selection.names[0]}" if len(selection.names) == 1 else ""
    for obj in cluster.list(selection.kind, field_selector=selector):
        name, namespace = metadata(obj)["name"], metadata(obj)["namespace"]
        if namespace in found and (not selection.names or name in selection.names):
            found[namespace][name] = obj
    return found


def _observe_one(cluster: Cluster, selection: Selection, namespace: str) -> Observed:
    try:
        if not selection.names:
            return {metadata(obj)["name"]: obj for obj in cluster.list(selection.kind, namespace=namespace)}
        read = {name: cluster.get(Ref(selection.kind, namespace, name)) for name in selection.names}
        return {name: obj for name, obj in read.items() if obj is not None}
    except ImagePullError as error:
        return error
