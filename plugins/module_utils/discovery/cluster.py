# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the facts about a cluster: its kind, whether it generates pull secrets, and the secrets of its node images."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..clients.kube.client import Cluster, list_api_groups
from ..clients.kube.errors import ClusterError, Forbidden, NotFound, UnknownResource
from ..core.errors import ImagePullError, Refusal
from ..core.objects import NODE, Json, ObjectRef, as_dict, as_list, as_str, trim_object
from ..platform.cluster import (
    CLUSTER_VERSION,
    IMAGE_REGISTRY,
    INFRASTRUCTURE,
    MICROSHIFT_VERSION,
    REGISTRY_SERVICE,
    ClusterFacts,
    cluster_kind_of,
    desired_version,
    has_openshift_config,
    platform_of,
)
from ..platform.protected import MACHINE_OS_CONFIG, BuildSecrets


def facts_of(cluster: Cluster) -> ClusterFacts:
    """Return the facts that the caller is allowed to read. Facts that it cannot read, or that fail, stay unknown.

    :raises ClusterError: if the cluster fails.
    """
    facts = ClusterFacts(None)
    try:
        facts = ClusterFacts(list_api_groups(cluster) or None)
    except ClusterError:
        raise
    except Forbidden:
        pass
    except ImagePullError as error:
        facts = ClusterFacts(None, failed=(str(error),))
    if facts.api_groups is not None and "config.openshift.io" not in facts.api_groups:
        return facts
    return with_objects(cluster, facts, CLUSTER_VERSION, IMAGE_REGISTRY)


def with_objects(cluster: Cluster, facts: ClusterFacts, *refs: ObjectRef) -> ClusterFacts:
    """Return the facts with more objects, each of them read, absent, unreadable or failed.

    :raises ClusterError: if the cluster fails.
    """
    for ref in refs:
        try:
            found = cluster.get(ref)
        except NotFound:
            found = None
        except Forbidden:
            facts = replace(facts, unreadable=(*facts.unreadable, ref))
            continue
        except ClusterError:
            raise
        except ImagePullError as error:
            # The service only adds details to known facts.
            facts = facts if ref == REGISTRY_SERVICE else replace(facts, failed=(*facts.failed, str(error)))
            continue
        facts = _add_fact(facts, ref, found)
    return facts


def _add_fact(facts: ClusterFacts, ref: ObjectRef, found: Json | None) -> ClusterFacts:
    if found is None:
        return replace(facts, absent=(*facts.absent, ref))
    if ref == CLUSTER_VERSION:
        return replace(facts, cluster_version=found)
    return replace(facts, image_registry=found) if ref == IMAGE_REGISTRY else facts


@dataclass(frozen=True)
class ClusterKind:
    """The kind of a cluster. `nature` is a constant of `platform/cluster.py`.

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


def has_ready_node(cluster: Cluster) -> bool | None:
    """Return whether a node of the cluster is ready. None if the nodes cannot be listed: no caller needs this right."""
    try:
        return any(True for _node in cluster.list(NODE, keep=_keep_ready))
    except Forbidden as refusal:
        cluster.forgive(refusal)
    except ImagePullError:
        pass
    return None


def _keep_ready(node: Json) -> Json | None:
    conditions = map(as_dict, as_list(as_dict(node.get("status")).get("conditions")))
    is_ready = any(each.get("type") == "Ready" and each.get("status") == "True" for each in conditions)
    return {} if is_ready else None


def read_build_secrets(cluster: Cluster) -> BuildSecrets:
    """Return the secrets that MachineOSConfigs name. They are unknown on a cluster that does not serve the kind in this version.

    :raises ClusterError: if the cluster fails.
    """
    try:
        return BuildSecrets.of(cluster.list(MACHINE_OS_CONFIG, keep=lambda obj: trim_object(MACHINE_OS_CONFIG, obj)))
    except UnknownResource:
        return BuildSecrets()
    except ClusterError:
        raise
    except Forbidden:
        return BuildSecrets(unread="the caller may not list them")
    except ImagePullError as error:
        return BuildSecrets(unread=str(error))
