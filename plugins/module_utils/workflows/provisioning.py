# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waits until service accounts are provisioned: they exist and, where the cluster generates one, have a usable pull secret."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..clients.kube.client import Cluster
from ..clients.kube.errors import ApiError
from ..core.objects import Json, Kind, ObjectRef
from ..features.sa_wait.inspection import ProvisionedAccounts
from ..platform.cluster import ClusterFacts, why_none_will_come
from ..reconcile.inspection import inspect
from ..reconcile.result import Outcome
from ..reconcile.run import Settings

__all__ = ["wait_for_provisioned"]

_CLUSTER_VERSION = Kind(
    "config.openshift.io/v1", "ClusterVersion", "clusterversions", "cluster version", namespaced=False
)
_CLUSTER_OPERATOR = Kind(
    "config.openshift.io/v1", "ClusterOperator", "clusteroperators", "cluster operator", namespaced=False
)


def wait_for_provisioned(
    cluster: Cluster, accounts: Sequence[str], namespaces: Sequence[str], settings: Settings
) -> Outcome:
    """One look when all is there; otherwise looks again until it is, or `settings.wait_timeout` seconds have passed."""

    def refine(asked: ProvisionedAccounts) -> ProvisionedAccounts:
        return replace(asked, none_will_come=why_none_will_come(_cluster_facts(cluster)))

    return inspect(
        cluster,
        ProvisionedAccounts(tuple(accounts)),
        namespaces,
        settings,
        refine=refine,
        hint=lambda: "wait longer (timeout), or look at the cluster's openshift-controller-manager",
    )


def _cluster_facts(cluster: Cluster) -> ClusterFacts:
    """What the caller may see of the cluster's nature; what it may not see stays unknown."""
    try:
        groups = {group["name"] for group in cluster.get_path("/apis").get("groups") or []}
    except ApiError:
        return ClusterFacts(None)
    if "config.openshift.io" not in groups:
        return ClusterFacts(groups)
    version = _readable(cluster, ObjectRef(_CLUSTER_VERSION, "", "version"))
    return ClusterFacts(groups, version, _readable(cluster, ObjectRef(_CLUSTER_OPERATOR, "", "image-registry")))


def _readable(cluster: Cluster, ref: ObjectRef) -> Json | None:
    try:
        return cluster.get(ref)
    except ApiError:
        return None
