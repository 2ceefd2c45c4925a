# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks that a namespace exists and is not being deleted, with the messages for the other cases."""

from __future__ import annotations

from ..clients.kube.client import Cluster
from ..clients.kube.errors import Forbidden, NamespaceMissing, NamespaceTerminating
from ..core.objects import NAMESPACE, Json, ObjectRef, metadata

__all__ = ["deleted_sentence", "is_terminating", "missing_sentence", "require_namespace", "terminating_sentence"]


def require_namespace(cluster: Cluster, namespace: str) -> None:
    """Check that the namespace exists. Do nothing if the caller is not allowed to read it, or for objects without a namespace.

    :raises NamespaceMissing: if it does not exist. `NamespaceTerminating` if it is being deleted.
    """
    if not namespace:
        return
    try:
        found = cluster.get(ObjectRef(NAMESPACE, "", namespace))
    except Forbidden:
        return
    if found is None:
        raise NamespaceMissing(missing_sentence(cluster))
    if is_terminating(found):
        raise NamespaceTerminating(terminating_sentence(cluster))


def is_terminating(namespace: Json) -> bool:
    """Whether it is being deleted. Nothing can then be created in it."""
    status = namespace.get("status")
    phase = status.get("phase") if isinstance(status, dict) else None
    return bool(metadata(namespace).get("deletionTimestamp")) or phase == "Terminating"


def missing_sentence(cluster: Cluster) -> str:
    return f"the namespace does not exist on {cluster.name}. Create it first, or correct its name"


def deleted_sentence(cluster: Cluster) -> str:
    return f"the namespace was deleted on {cluster.name} while the task was running. Create it again, or remove it from the task"


def terminating_sentence(cluster: Cluster) -> str:
    return f"the namespace is being deleted on {cluster.name}"
