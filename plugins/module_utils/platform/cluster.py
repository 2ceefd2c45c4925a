# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kind of a cluster: who manages the pull secret of its nodes, and whether it generates pull secrets for service accounts. Pure.

Infrastructure: openshift/api config/v1 types_infrastructure.go. Managed clusters: the tags that their installer adds to all cloud
resources, and the API groups of the operators of openshift/managed-cluster-config.

Source for when the controllers are off: cluster-openshift-controller-manager-operator pkg/operator/internalimageregistry.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..core.errors import find_similar
from ..core.objects import Json, Kind, ObjectRef, as_dict, as_list, as_str
from ..core.text import join_and

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


#: The objects that show whether pull secrets are generated. `REGISTRY_CONFIG` shows whether the registry was set to Removed.
#: `REGISTRY_SERVICE` matters only after a wait has failed: without it, the secrets are created but stay empty
#: (openshift-controller-manager registry_urls_observation_controller.go).
CLUSTER_VERSION = ObjectRef(
    Kind(f"{_CONFIG}/v1", "ClusterVersion", "clusterversions", "ClusterVersion", namespaced=False), "", "version"
)
IMAGE_REGISTRY = ObjectRef(
    Kind(f"{_CONFIG}/v1", "ClusterOperator", "clusteroperators", "ClusterOperator", namespaced=False),
    "",
    "image-registry",
)
REGISTRY_CONFIG = ObjectRef(
    Kind("imageregistry.operator.openshift.io/v1", "Config", "configs", "image registry config", namespaced=False),
    "",
    "cluster",
)
REGISTRY_SERVICE = ObjectRef(Kind("v1", "Service", "services", "service"), "openshift-image-registry", "image-registry")

#: From this version on, no pull secrets are generated while the image registry is Removed.
_REMOVED_COUNTS_FROM = (4, 15)
_VERSION = re.compile(r"v?([0-9]{1,4})\.([0-9]{1,4})(?![0-9])")
_CAPABILITY = "ImageRegistry"


@dataclass(frozen=True)
class ClusterFacts:
    """Facts about the cluster.

    `api_groups`: names of the API groups that it serves, or None when they could not be read. `cluster_version` and `image_registry`:
    `CLUSTER_VERSION` and `IMAGE_REGISTRY` if they were read. None proves nothing. `absent`: requested objects that do not exist.
    `unreadable`: objects that the caller is not allowed to read. `failed`: reasons why something else could not be read.
    """

    api_groups: Collection[str] | None
    cluster_version: Json | None = None
    image_registry: Json | None = None
    absent: Collection[ObjectRef] = ()
    unreadable: Collection[ObjectRef] = ()
    failed: Sequence[str] = ()


def desired_version(cluster_version: Json) -> str:
    """Return the version that the cluster runs or is about to run, such as `4.20.1`, or an empty text."""
    return as_str(as_dict(as_dict(cluster_version.get("status")).get("desired")).get("version"))


def is_registry_removed(config: Json | None) -> bool:
    """Whether the integrated registry was set to Removed, by `REGISTRY_CONFIG`. Its operator may not have finished."""
    return as_dict(as_dict(config).get("spec")).get("managementState") == "Removed"


def why_not_generated(facts: ClusterFacts) -> str:
    """Return why this cluster generates no pull secrets. Empty when it does, or when that is unknown."""
    if facts.api_groups is not None and _CONFIG not in facts.api_groups:
        return "this cluster is not OpenShift, so nothing generates pull secrets"
    status = as_dict(as_dict(facts.cluster_version).get("status"))
    if _is_switched_off(as_dict(status.get("capabilities"))):
        return f"the {_CAPABILITY} capability of this cluster is off, so nothing generates pull secrets"
    if _is_removed(as_dict(facts.image_registry)) and _version(status) >= _REMOVED_COUNTS_FROM:
        return "the image registry of this cluster is Removed, so nothing generates pull secrets"
    return ""


def describe_unknown(facts: ClusterFacts) -> str:
    """Return a sentence that names the relevant objects that could not be read. Empty when all of them were read."""
    unknown = "so it is not known whether this cluster generates pull secrets at all"
    if facts.failed:
        return f"{'; '.join(facts.failed)}; {unknown}"
    names = [str(ref) for ref in facts.unreadable if ref != REGISTRY_SERVICE]
    if facts.api_groups is None:
        names.append("the list of API groups (/apis)")
    if not names:
        return ""
    return f"the caller is not allowed to read {join_and(names)}, {unknown}. Allow it to 'get' them"


def hint(
    facts: ClusterFacts, *, missing: Iterable[str] = (), existing: Collection[str] = (), unfinished: bool = False
) -> str:
    """Return advice for when service accounts could not pull in time: clauses for the end of a message, or an empty text.

    `missing`: names of accounts that do not exist. `existing`: names of the listed accounts, to find a misspelt one.
    `unfinished`: whether an account exists whose pull secret is missing or does not work yet.
    """
    steps = [_account_advice(name, existing) for name in missing]
    is_openshift = CLUSTER_VERSION not in facts.absent
    if steps or is_openshift:
        steps.append("wait longer ('timeout: 300')")
    advice = ", or ".join(filter(None, (", ".join(steps[:-1]), *steps[-1:])))
    return "; ".join(filter(None, (advice, _secret_advice(facts, is_openshift=is_openshift) if unfinished else "")))


def _account_advice(name: str, existing: Collection[str]) -> str:
    similar = find_similar(name, sorted(existing))
    return f"correct the name {name}" + (f" (there is a service account {similar})" if similar else ", create it")


def _secret_advice(facts: ClusterFacts, *, is_openshift: bool) -> str:
    if not is_openshift:
        return (
            f"{CLUSTER_VERSION} does not exist, so this is probably not OpenShift: nothing generates pull secrets here"
        )
    if REGISTRY_SERVICE in facts.absent:
        return (
            f"{REGISTRY_SERVICE} does not exist, and generated pull secrets stay empty until it does: "
            f"see 'oc describe clusteroperator {IMAGE_REGISTRY.name}'"
        )
    return describe_unknown(facts) or (
        "see 'oc describe clusteroperator openshift-controller-manager' and the pods of namespace "
        "openshift-controller-manager"
    )


def _is_switched_off(capabilities: Json) -> bool:
    """Whether the capability exists in this version and is not enabled. The status omits an empty list."""
    enabled, known = capabilities.get("enabledCapabilities"), capabilities.get("knownCapabilities")
    if enabled is None:
        return _CAPABILITY in as_list(known)
    if not isinstance(enabled, list) or _CAPABILITY in enabled:
        return False
    return known is None or _CAPABILITY in as_list(known)


def _is_removed(operator: Json) -> bool:
    """Whether the first condition of the registry's operator says so. The platform looks only at that one."""
    conditions = as_list(as_dict(operator.get("status")).get("conditions"))
    return bool(conditions) and as_dict(conditions[0]).get("reason") == "Removed"


def _version(status: Json) -> tuple[int, int]:
    """The major and minor version of OpenShift. An unknown version counts as the newest."""
    match = _VERSION.match(desired_version({"status": status}))
    return (int(match[1]), int(match[2])) if match else _REMOVED_COUNTS_FROM
