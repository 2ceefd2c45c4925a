# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Determines the kind of a cluster."""

from __future__ import annotations

from dataclasses import dataclass

from ..clients.kube.client import Cluster, list_api_groups
from ..clients.kube.errors import Forbidden, UnknownResource
from ..core.errors import Refusal
from ..core.objects import Json, ObjectRef, as_dict, as_str
from ..platform.cluster import (
    CLUSTER_VERSION,
    INFRASTRUCTURE,
    MICROSHIFT_VERSION,
    cluster_kind_of,
    desired_version,
    has_openshift_config,
    platform_of,
)

__all__ = ["ClusterKind", "detect_cluster_kind", "get_if_readable"]


@dataclass(frozen=True)
class ClusterKind:
    """The kind of a cluster. `nature` is a constant of `platform/cluster_kind.py`.

    `version`, `cluster_id` and `platform` are empty if unknown. `platform` is the cloud platform, such as `AWS`.
    """

    nature: str
    version: str = ""
    cluster_id: str = ""
    platform: str = ""


def detect_cluster_kind(cluster: Cluster) -> ClusterKind:
    """Return the kind of the cluster.

    :raises ImagePullError: if it cannot be determined.
    """
    groups = list_api_groups(cluster)
    if not groups:
        raise Refusal(f"{cluster.name} lists no API group under /apis, so the kind of cluster is unknown")
    if not has_openshift_config(groups):
        there = get_if_readable(cluster, MICROSHIFT_VERSION) is not None
        return ClusterKind(cluster_kind_of(groups, None, microshift=there))
    infrastructure = cluster.get(INFRASTRUCTURE)
    if infrastructure is None:
        raise Refusal(f"{INFRASTRUCTURE} does not exist on {cluster.name}, so the kind of cluster is unknown")
    version = as_dict(get_if_readable(cluster, CLUSTER_VERSION))
    return ClusterKind(
        cluster_kind_of(groups, infrastructure, microshift=False),
        desired_version(version),
        as_str(as_dict(version.get("spec")).get("clusterID")),
        platform_of(infrastructure),
    )


def get_if_readable(cluster: Cluster, ref: ObjectRef) -> Json | None:
    """Return the object. None if it does not exist, the caller is not allowed to read it, or the cluster does not have its kind."""
    try:
        return cluster.get(ref)
    except (Forbidden, UnknownResource):
        return None
