# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes of a cluster: versions, architectures, and certificate authorities. Pure.

The machine config operator adds `user-ca-bundle` and the bundle of the proxy to the authorities of the system (pkg/operator/sync.go
getTrustedBundle), and writes each key of the ConfigMap in `additionalTrustedCA` to `/etc/docker/certs.d/HOST[:PORT]/ca.crt`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ..core.objects import Json, Kind, ObjectRef, as_dict, as_list, as_str, as_strs, metadata, pick

#: Major and minor version.
Version = tuple[int, int]
#: Major and minor version, and the patch number if there is one. It compares with a `Version`.
Release = tuple[int, ...]

_VERSION = re.compile(r"v?(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?(?!\d)", re.ASCII)


@dataclass(frozen=True)
class NodeVersions:
    """The versions of one node. An unknown version is None, an unknown runtime is empty.

    The patch number of CRI-O decides whether the kubelet finds its records of pulled images (`image_verification.py`).
    """

    name: str
    kubelet: Version | None
    runtime: str
    runtime_version: Release | None


def nodes_of(nodes: Iterable[Json]) -> Mapping[str, NodeVersions]:
    """Return the versions of the nodes, by node name."""
    found = (_versions(as_dict(node)) for node in nodes)
    return {node.name: node for node in found}


def kinds_of(nodes: Iterable[NodeVersions]) -> Sequence[NodeVersions]:
    """Return one node for each combination of versions."""
    return list({replace(node, name=""): node for node in nodes}.values())


def format_version(version: Release | None) -> str:
    """Return the version as text, such as `1.36.0`. Empty when it is unknown."""
    return ".".join(map(str, version or ()))


def version_in(given: str) -> Version | None:
    """Return the version at the beginning of a text, or None."""
    found = release_in(given)
    return (found[0], found[1]) if found else None


def release_in(given: str) -> Release | None:
    """Return the version at the beginning of a text, with its patch number, or None."""
    found = _VERSION.match(given)
    return tuple(int(part) for part in found.groups() if part is not None) if found else None


def _versions(node: Json) -> NodeVersions:
    info = as_dict(as_dict(node.get("status")).get("nodeInfo"))
    runtime, _separator, version = as_str(info.get("containerRuntimeVersion")).partition("://")
    return NodeVersions(
        as_str(metadata(node).get("name")),
        version_in(as_str(info.get("kubeletVersion"))),
        runtime,
        release_in(version),
    )


#: The form of Go's names of architectures, such as `amd64` and `ppc64le`.
_ARCHITECTURE = re.compile(r"[a-z0-9]{1,20}", re.ASCII)
#: The label of a node with its architecture, and its old name. The kubelet writes both.
_LABELS = ("kubernetes.io/arch", "beta.kubernetes.io/arch")
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def nodes_by_architecture(nodes: Iterable[Json]) -> Mapping[str, Sequence[str]]:
    """Return the names of the nodes of each architecture, sorted by architecture. Nodes without a known one are left out."""
    found: dict[str, list[str]] = {}
    for node in nodes:
        architecture = as_str(as_dict(as_dict(node.get("status")).get("nodeInfo")).get("architecture"))
        if _ARCHITECTURE.fullmatch(architecture):
            found.setdefault(architecture, []).append(as_str(metadata(node).get("name")))
    return dict(sorted(found.items()))


def architectures_of(nodes: Iterable[Json]) -> Sequence[str]:
    """Return the different architectures of nodes, sorted."""
    return [*nodes_by_architecture(nodes)]


def limits_of_pod(spec: Json) -> tuple[str, ...]:
    """Return the architectures of the nodes on which a pod with this spec can run, sorted. Empty if they are not limited.

    The node selector and the required node affinity count, in which one of the terms has to match. Other fields of the spec can exclude
    nodes as well.
    """
    selector = as_dict(spec.get("nodeSelector"))
    limits = [{as_str(selector[label])} for label in _LABELS if label in selector]
    terms = [_values_of_term(as_dict(term)) for term in _terms(spec)]
    if terms and all(terms):
        limits.append(set().union(*terms))
    return tuple(sorted(set.intersection(*limits))) if limits else ()


def trim_placement(spec: Json) -> Json:
    """Return the parts of a pod's spec that `limits_of_pod` reads."""
    selector, terms = pick(as_dict(spec.get("nodeSelector")), *_LABELS), _terms(spec)
    return {
        **({"nodeSelector": selector} if selector else {}),
        **({"affinity": {"nodeAffinity": {_REQUIRED: {"nodeSelectorTerms": terms}}}} if terms else {}),
    }


def _terms(spec: Json) -> Sequence[object]:
    affinity = as_dict(as_dict(spec.get("affinity")).get("nodeAffinity"))
    return as_list(as_dict(affinity.get(_REQUIRED)).get("nodeSelectorTerms"))


def _values_of_term(term: Json) -> set[str]:
    """The architectures that a term allows. Empty if it does not limit them."""
    found = [
        set(as_strs(each.get("values")))
        for each in map(as_dict, as_list(term.get("matchExpressions")))
        if each.get("key") in _LABELS and each.get("operator") == "In"
    ]
    return set.intersection(*found) if found else set()


CONFIG_MAP = Kind("v1", "ConfigMap", "configmaps", "config map")
_NAMESPACE = "openshift-config"
_USER_BUNDLE = "user-ca-bundle"
_BUNDLE_KEY = "ca-bundle.crt"
#: The proxy of the cluster, which can name another bundle.
PROXY = ObjectRef(Kind("config.openshift.io/v1", "Proxy", "proxies", "proxy config", namespaced=False), "", "cluster")
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----", re.ASCII)


def bundle_refs(proxy: Json | None) -> Sequence[ObjectRef]:
    """Return the ConfigMaps with authorities for all registries."""
    named = _name_in(proxy, "trustedCA")
    return [_config_map(name) for name in dict.fromkeys((_USER_BUNDLE, named)) if name]


def additional_ref(image_config: Json | None) -> ObjectRef | None:
    """Return the ConfigMap with authorities for single registries, or None if the image config names none."""
    named = _name_in(image_config, "additionalTrustedCA")
    return _config_map(named) if named else None


def key_of_host(host: str) -> str:
    """Return the key of such a ConfigMap for `host[:port]`: `HOST` or `HOST..PORT`."""
    return host.replace(":", "..")


def authorities_for(host: str, bundles: Iterable[Json | None], additional: Json | None) -> Sequence[str]:
    """Return the certificates that nodes trust at `host[:port]` in addition to the public ones, each once, in PEM format."""
    texts = [as_str(as_dict(as_dict(bundle).get("data")).get(_BUNDLE_KEY)) for bundle in bundles]
    texts.append(as_str(as_dict(as_dict(additional).get("data")).get(key_of_host(host))))
    return list(dict.fromkeys(found for text in texts for found in _CERTIFICATE.findall(text)))


def _name_in(config: Json | None, member: str) -> str:
    return as_str(as_dict(as_dict(as_dict(config).get("spec")).get(member)).get("name"))


def _config_map(name: str) -> ObjectRef:
    return ObjectRef(CONFIG_MAP, _NAMESPACE, name)


_TARGET = re.compile(r"v?([1-9][0-9]{0,2})\.([0-9]{1,3})(?:\.[0-9A-Za-z.+-]*)?\Z")


def parse_version(text: str) -> tuple[int, int] | None:
    """Return major and minor of a version such as `4.22.1`, or None if the text is not a version."""
    match = _TARGET.match(text)
    return (int(match[1]), int(match[2])) if match else None


def kubernetes_version(target: Version) -> Version:
    """Return the version of Kubernetes for a version of Kubernetes or OpenShift. OpenShift 5.0 has everything that 4.23 has."""
    major, minor = target
    return target if major == 1 else (1, minor + 13) if major < 5 else (1, minor + 36)
