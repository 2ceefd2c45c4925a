# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kind of a cluster, by who manages the pull secret of its nodes. Pure.

Infrastructure: openshift/api config/v1 types_infrastructure.go. Managed clusters: the tags that their installer adds to all cloud
resources, and the API groups of the operators of openshift/managed-cluster-config.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ..core.objects import Json, Kind, ObjectRef, as_dict, as_list, as_str

__all__ = [
    "HOSTED",
    "INFRASTRUCTURE",
    "KUBERNETES",
    "MANAGED",
    "MANAGEMENT",
    "MICROSHIFT",
    "MICROSHIFT_VERSION",
    "STANDALONE",
    "cluster_kind_of",
    "has_external_control_plane",
    "has_openshift_config",
    "platform_of",
    "why_unsupported",
]

#: The machine config operator writes `openshift-config/pull-secret` to the nodes.
STANDALONE = "standalone"
#: The same, on ROSA classic and OpenShift Dedicated: a webhook from Red Hat refuses most callers.
MANAGED = "managed"
#: Hosted control planes: ROSA HCP, ARO HCP, self-managed. `openshift-config/pull-secret` is a copy.
HOSTED = "hosted"
#: A cluster that runs the control planes of hosted clusters, when the task is about one of these.
MANAGEMENT = "management"
MICROSHIFT = "microshift"
KUBERNETES = "kubernetes"

_CONFIG = "config.openshift.io"
INFRASTRUCTURE = ObjectRef(
    Kind(f"{_CONFIG}/v1", "Infrastructure", "infrastructures", "Infrastructure", namespaced=False), "", "cluster"
)
#: MicroShift itself writes this object.
MICROSHIFT_VERSION = ObjectRef(Kind("v1", "ConfigMap", "configmaps", "config map"), "kube-public", "microshift-version")

_MANAGED_GROUP = "managed.openshift.io"
_MANAGED_TAG = "red-hat-managed"


def has_openshift_config(api_groups: Collection[str]) -> bool:
    """Whether the cluster has an `INFRASTRUCTURE` object to read."""
    return _CONFIG in api_groups


def cluster_kind_of(api_groups: Collection[str], infrastructure: Json | None, *, microshift: bool) -> str:
    """Return the kind of the cluster, one of the constants above. `infrastructure` is None where the cluster has no such object."""
    if not has_openshift_config(api_groups):
        return MICROSHIFT if microshift else KUBERNETES
    if has_external_control_plane(infrastructure):
        return HOSTED
    status = as_dict(as_dict(infrastructure).get("status"))
    groups = any(group == _MANAGED_GROUP or group.endswith(f".{_MANAGED_GROUP}") for group in api_groups)
    return MANAGED if groups or _MANAGED_TAG in _tags(status) else STANDALONE


def has_external_control_plane(infrastructure: Json | None) -> bool:
    """Whether another cluster runs the control plane (`HOSTED`)."""
    return as_dict(as_dict(infrastructure).get("status")).get("controlPlaneTopology") == "External"


def platform_of(infrastructure: Json | None) -> str:
    """Return the cloud platform of the cluster, such as `AWS`, `KubeVirt` or `None`. Empty if the object does not show it."""
    return as_str(as_dict(as_dict(as_dict(infrastructure).get("status")).get("platformStatus")).get("type"))


def why_unsupported(nature: str) -> str:
    """Return why there is no global pull secret, and what to use instead. Empty where there is one."""
    return {
        KUBERNETES: (
            "this cluster is not OpenShift, so it has no global pull secret: each node has its own file, which is not in the "
            "cluster. Use pull secrets in the namespaces instead (role private_registry)"
        ),
        MICROSHIFT: (
            "this is MicroShift, which has no global pull secret in the cluster: it reads /etc/crio/openshift-pull-secret on its host. "
            "Write that file there, or use pull secrets in the namespaces instead (role private_registry)"
        ),
    }.get(nature, "")


def _tags(status: Json) -> set[str]:
    """The names of the tags and labels of the cloud resources."""
    return {str(as_dict(tag).get("key")) for tag in _tags_of(as_dict(status.get("platformStatus")))}


def _tags_of(platform: Json) -> Iterator[object]:
    for cloud in platform.values():
        for name in ("resourceTags", "resourceLabels"):
            yield from as_list(as_dict(cloud).get(name))
