# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks a cluster of what kind it is."""

from __future__ import annotations

from dataclasses import dataclass

from ..clients.kube.api_groups import listed_groups
from ..clients.kube.client import Cluster
from ..clients.kube.errors import Forbidden, UnknownResource
from ..core.errors import Refusal
from ..core.json_types import as_dict, as_str
from ..core.objects import Json, ObjectRef
from ..platform.cluster import CLUSTER_VERSION, desired_version
from ..platform.cluster_kind import INFRASTRUCTURE, MICROSHIFT_VERSION, has_openshift_config, nature_of

__all__ = ["ClusterKind", "if_readable", "recognised"]


@dataclass(frozen=True)
class ClusterKind:
    """`nature` is one of those of `platform/cluster_kind.py`. `version` and `cluster_id` are empty where they are not known."""

    nature: str
    version: str = ""
    cluster_id: str = ""


def recognised(cluster: Cluster) -> ClusterKind:
    """:raises ImagePullError: when it cannot be read: it is not guessed."""
    groups = listed_groups(cluster)
    if not groups:
        raise Refusal(f"{cluster.name} lists no API group under /apis, so it is not known what kind of cluster it is")
    if not has_openshift_config(groups):
        there = if_readable(cluster, MICROSHIFT_VERSION) is not None
        return ClusterKind(nature_of(groups, None, microshift=there))
    infrastructure = cluster.get(INFRASTRUCTURE)
    if infrastructure is None:
        raise Refusal(
            f"{INFRASTRUCTURE} does not exist on {cluster.name}, so it is not known what kind of cluster it is"
        )
    version = as_dict(if_readable(cluster, CLUSTER_VERSION))
    return ClusterKind(
        nature_of(groups, infrastructure, microshift=False),
        desired_version(version),
        as_str(as_dict(version.get("spec")).get("clusterID")),
    )


def if_readable(cluster: Cluster, ref: ObjectRef) -> Json | None:
    """The object; None also where the caller may not read it, or the cluster knows no such kind."""
    try:
        return cluster.get(ref)
    except (Forbidden, UnknownResource):
        return None
