# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a namespace is there to be worked in, and the sentences for one that is not."""

from __future__ import annotations

from ..clients.kube.client import Cluster
from ..clients.kube.errors import Forbidden, NamespaceMissing, NamespaceTerminating
from ..core.objects import NAMESPACE, Json, ObjectRef, metadata

__all__ = ["deleted_sentence", "is_terminating", "missing_sentence", "require_namespace", "terminating_sentence"]


def require_namespace(cluster: Cluster, namespace: str) -> None:
    """Nothing when the namespace is there, or when the caller may not know.

    :raises NamespaceMissing: when it is not there; `NamespaceTerminating` when it is being deleted.
    """
    try:
        found = cluster.get(ObjectRef(NAMESPACE, "", namespace))
    except Forbidden:
        return
    if found is None:
        raise NamespaceMissing(missing_sentence(cluster))
    if is_terminating(found):
        raise NamespaceTerminating(terminating_sentence(cluster))


def is_terminating(namespace: Json) -> bool:
    """Whether it is being deleted: nothing can be created in it any more."""
    status = namespace.get("status")
    phase = status.get("phase") if isinstance(status, dict) else None
    return bool(metadata(namespace).get("deletionTimestamp")) or phase == "Terminating"


def missing_sentence(cluster: Cluster) -> str:
    return f"the namespace does not exist on {cluster.name}; create it first, or correct its name"


def deleted_sentence(cluster: Cluster) -> str:
    return f"the namespace was deleted on {cluster.name} while the task was running; create it again, or take it out of the task"


def terminating_sentence(cluster: Cluster) -> str:
    return f"the namespace is being deleted on {cluster.name}"
