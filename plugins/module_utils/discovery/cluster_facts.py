# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the facts about a cluster that decide whether it generates pull secrets."""

from __future__ import annotations

from dataclasses import replace

from ..clients.kube.client import Cluster, list_api_groups
from ..clients.kube.errors import ClusterError, Forbidden, NotFound
from ..core.errors import ImagePullError
from ..core.objects import Json, ObjectRef
from ..platform.cluster import CLUSTER_VERSION, IMAGE_REGISTRY, REGISTRY_SERVICE, ClusterFacts

__all__ = ["facts_of", "with_objects"]


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
