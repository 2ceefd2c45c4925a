# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a node requires a signature of an image: image policies of the cluster and of a namespace. Pure.

openshift/api config/v1 (ClusterImagePolicy, ImagePolicy) and their design in the machine config operator: the most specific scope
counts. A policy of the cluster takes precedence over one of a namespace within its scope.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..core.json_types import as_dict, as_list, as_str
from ..core.objects import Json, Kind, ObjectRef, metadata
from .references import Reference
from .registry_sources import is_within

__all__ = ["CLUSTER_POLICIES", "IMAGE_POLICY", "Policy", "policy_for"]

_CONFIG = "config.openshift.io/v1"
#: Reference to the list of all policies of the cluster.
CLUSTER_POLICIES = ObjectRef(
    Kind(_CONFIG, "ClusterImagePolicy", "clusterimagepolicies", "cluster image policy", namespaced=False), "", ""
)
IMAGE_POLICY = Kind(_CONFIG, "ImagePolicy", "imagepolicies", "image policy")


@dataclass(frozen=True)
class Policy:
    """The policy that requires the signature, and the scope of images that it is for."""

    object: str
    scope: str


def policy_for(reference: Reference, of_cluster: Iterable[Json], of_namespace: Iterable[Json]) -> Policy | None:
    """Return the policy that counts for an image, or None."""
    for kind, policies in ((CLUSTER_POLICIES.kind, of_cluster), (IMAGE_POLICY, of_namespace)):
        found = [each for policy in policies for each in _scopes(kind, policy) if _is_for(each.scope, reference)]
        if found:
            return max(found, key=lambda each: (not each.scope.startswith("*."), len(each.scope)))
    return None


def _scopes(kind: Kind, policy: Json) -> Iterator[Policy]:
    meta = metadata(policy)
    namespace = as_str(meta.get("namespace")) if kind.namespaced else ""
    named = str(ObjectRef(kind, namespace, as_str(meta.get("name"))))
    for scope in as_list(as_dict(policy.get("spec")).get("scopes")):
        if as_str(scope):
            yield Policy(named, scope)


def _is_for(scope: str, reference: Reference) -> bool:
    """Whether the image is in the scope. A scope may also be one image, with its tag or digest."""
    return scope == str(reference) or is_within(reference.repository, scope)
