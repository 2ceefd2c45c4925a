# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Estimate the pulls that a policy causes when nodes start their containers again, and find the images that it may stop. Pure.

No API shows which credentials a kubelet has recorded for an image, so the numbers are maxima: the first start of each image with each
list of secrets asks the registry once, and later ones do not. With a runtime whose records are never found, each start asks.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...core.namespaces import NamespaceSelector
from ...core.objects import Json, ObjectRef, as_dict, as_str, metadata, pick
from ...explain.credentials import credentials_of
from ...explain.lookup import Lookup, ReadRequired, require_all, try_lookup
from ...explain.node_settings import find_providers
from ...explain.steps.mirrors import key_for, mirrors_of
from ...explain.steps.providers import providers_without_config
from ...explain.subjects import CONTAINERS, images_of
from ...images.credential_providers import CRIO_PROVIDER, cloud_of, crio_match, skipped_entries
from ...images.image_verification import (
    ASKS,
    NEVER_VERIFY,
    USES,
    VerificationPolicy,
    decide_cached_image,
    record_key,
    runtime_effect,
    verifies,
)
from ...images.nodes import NodeVersions, format_version
from ...images.references import Reference, reference_of
from ...images.registry_sources import IMAGE_CONFIG, MIRROR_KINDS, Mirrors
from ...platform.account_lists import names_in
from ...platform.protected import NODE_SECRET

__all__ = ["estimate_pulls", "repositories_of", "trim_pod_images"]

#: The answers for one image on one node. `always`: its pull policy is Always. `each_start`: each start asks, because no record is found.
#: `once`: at most the first start asks. With pull policy Never, the kubelet refuses a container for which it would have to ask.
_NEVER, _ONCE, _EACH_START, _ALWAYS = "never", "once", "each_start", "always"
_REFUSED = "refused"
#: The place of the login for an image: a secret of the pod, the nodes' own pull secret, nowhere, or not known: an object cannot be read, or a
#: credential provider may give one.
_OF_POD, _OF_NODES, _NONE, _UNREAD = "pod", "nodes", "none", "unknown"
_ENDED = ("Succeeded", "Failed")
#: A version of the kubelet that compares the literal text of an image.
_LITERAL = (1, 36)
_MIRROR_SETS = (IMAGE_CONFIG, *(ObjectRef(kind, "", "") for kind in MIRROR_KINDS))
#: Maximum number of pods that a row names.
_SHOWN = 10


def trim_pod_images(pod: Json) -> Json:
    """Return the part of a pod that the estimate reads."""
    spec, meta = as_dict(pod.get("spec")), metadata(pod)
    kept = pick(spec, "nodeName", "imagePullSecrets", "volumes", *CONTAINERS)
    return {
        "metadata": pick(meta, "name", "namespace"),
        "spec": kept,
        "status": pick(as_dict(pod.get("status")), "phase"),
    }


def repositories_of(pods: Iterable[Json], trusted: NamespaceSelector) -> list[str]:
    """Return the images that pods of these namespaces use, as entries of an allow-list: the text without tag and digest."""
    found = {
        record_key(each.image, _LITERAL)
        for pod in pods
        if trusted.matches(as_str(metadata(pod).get("namespace")))
        for each in images_of(as_dict(pod.get("spec")))
    }
    return sorted(filter(None, found))


@dataclass(frozen=True)
class _Use:
    """One image that one pod uses on one node."""

    node: str
    pod: str
    image: str
    secrets: tuple[str, ...]
    namespace: str
    asks: str


@dataclass
class _ImageUses:
    """All uses of one image text: `logins` by place, the pods without a login, and those that the kubelet may refuse."""

    pods: set[str] = field(default_factory=set)
    asks: set[str] = field(default_factory=set)
    logins: set[str] = field(default_factory=set)
    without: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)


def estimate_pulls(
    nodes: Sequence[NodeVersions], pods: Sequence[Json], policy: VerificationPolicy, evidence: Lookup
) -> dict[str, Any]:
    """Return the estimate as the result shows it.

    :raises ReadRequired: when objects have to be read first. All secrets of pods are requested at once.
    """
    by_name = {node.name: node for node in nodes}
    uses = [use for pod in pods for use in _uses_of(pod, by_name, policy)]
    logins = _logins_of(uses, evidence)
    images: dict[str, _ImageUses] = defaultdict(_ImageUses)
    for use in uses:
        found, login = images[use.image], logins[use.namespace, use.secrets, use.image]
        found.pods.add(use.pod)
        found.asks.add(_NEVER if use.asks == _REFUSED else use.asks)
        found.logins.add(login)
        if use.asks == _REFUSED:
            found.refused.add(use.pod)
        elif login == _NONE and use.asks not in (_NEVER, _ALWAYS):
            found.without.add(use.pod)
    registries = {image: _registry_of(image, evidence) for image in sorted(images)}
    return {
        "nodes": _node_rows(nodes, policy),
        "images": [_image_row(image, registry, images[image]) for image, registry in registries.items()],
        **_count_pulls(uses, registries),
    }


def _uses_of(pod: Json, nodes: Mapping[str, NodeVersions], policy: VerificationPolicy) -> Iterator[_Use]:
    spec, meta = as_dict(pod.get("spec")), metadata(pod)
    node = nodes.get(as_str(spec.get("nodeName")))
    if node is None or as_dict(pod.get("status")).get("phase") in _ENDED:
        return
    namespace, secrets = as_str(meta.get("namespace")), tuple(names_in(spec, "imagePullSecrets"))
    for each in images_of(spec):
        if reference_of(each.image) is not None:
            asks = _asks(each.image, each.pull_policy, node, policy)
            yield _Use(node.name, f"{namespace}/{as_str(meta.get('name'))}", each.image, secrets, namespace, asks)


def _asks(image: str, pull_policy: str, node: NodeVersions, policy: VerificationPolicy) -> str:
    if pull_policy == "Always":
        return _ALWAYS
    answer = decide_cached_image(image, node, policy).answer
    if pull_policy == "Never":
        return _NEVER if answer == USES else _REFUSED
    return {USES: _NEVER, ASKS: _EACH_START}.get(answer, _ONCE)


def _logins_of(uses: Sequence[_Use], evidence: Lookup) -> Mapping[tuple[str, tuple[str, ...], str], str]:
    found, waits = {}, False
    try:
        require_all(evidence, _MIRROR_SETS)
    except ReadRequired:
        waits = True
    for namespace, secrets, image in {(use.namespace, use.secrets, use.image) for use in uses}:
        try:
            found[namespace, secrets, image] = _login_of(namespace, secrets, image, evidence)
        except ReadRequired:
            waits = True
    if waits:
        raise ReadRequired
    return found


def _login_of(namespace: str, secrets: Sequence[str], image: str, evidence: Lookup) -> str:
    """Return the place of a login that a node sends to a registry for the image: a mirror, or the source."""
    reference = reference_of(image)
    if reference is None:
        return _NONE
    own = credentials_of(namespace, secrets, reference.repository, evidence)
    nodes = credentials_of(NODE_SECRET.namespace, [NODE_SECRET.name], reference.repository, evidence)
    mirrors = mirrors_of(reference, evidence)
    if mirrors is None or _asks_host(reference.host, mirrors):
        if own.usable_logins:
            return _OF_POD
        if nodes.usable_logins:
            return _OF_NODES
    keys = [key_for(mirror, evidence) for mirror in mirrors.mirrors] if mirrors is not None else []
    if any(key.is_usable for key in keys):
        return _OF_NODES
    is_unread = own.in_state("unread") or nodes.in_state("unread") or any(key.unread for key in keys)
    if is_unread or any(try_lookup(evidence, ref)[1] for ref in _MIRROR_SETS):
        return _UNREAD
    return _UNREAD if _may_have_provider(reference, mirrors, evidence) else _NONE


def _asks_host(host: str, mirrors: Mirrors) -> bool:
    """Whether a node asks the host of the source. The kubelet's credential is for this host only."""
    return not mirrors.never_source or any(mirror.partition("/")[0] == host for mirror in mirrors.mirrors)


def _may_have_provider(reference: Reference, mirrors: Mirrors | None, evidence: Lookup) -> bool:
    """Whether a credential provider of the nodes may give a login: that of their cloud, CRI-O's, or one of the kubelets."""
    if cloud_of(reference.repository):
        return True
    if mirrors is not None and _may_have_crio_login(reference, mirrors, evidence):
        return True
    return _may_have_kubelet_login(reference, mirrors, evidence)


def _may_have_crio_login(reference: Reference, mirrors: Mirrors, evidence: Lookup) -> bool:
    """Whether CRI-O's credential provider may find a login for a mirror, among all secrets of the namespace."""
    if not mirrors.locations:
        return False
    require_all(evidence, CRIO_PROVIDER)
    answers = [try_lookup(evidence, ref) for ref in CRIO_PROVIDER]
    return any(
        unread or crio_match(config, reference.repository) not in ("", *skipped_entries(config))
        for config, unread in answers
    )


def _may_have_kubelet_login(reference: Reference, mirrors: Mirrors | None, evidence: Lookup) -> bool:
    """Whether the machine configs show a provider for a registry that a node asks, or hide whether there is one."""
    found = [providers_without_config(reference, mirrors, evidence)]
    if mirrors is None or _asks_host(reference.host, mirrors):
        found.append(find_providers(reference.repository, evidence))
    return any(known.found or known.hidden or known.unread for known in found if known is not None)


def _registry_of(image: str, evidence: Lookup) -> str:
    """Return the host that nodes ask first. Empty if they ask none."""
    reference = reference_of(image)
    if reference is None:
        return ""
    mirrors = mirrors_of(reference, evidence)
    if mirrors is not None and mirrors.mirrors:
        return mirrors.mirrors[0].partition("/")[0]
    return "" if mirrors is not None and mirrors.never_source else reference.host


def _node_rows(nodes: Sequence[NodeVersions], policy: VerificationPolicy) -> list[dict[str, Any]]:
    count: dict[tuple[str, str, str], int] = defaultdict(int)
    for node in nodes:
        runtime = f"{node.runtime} {format_version(node.runtime_version)}".strip()
        count[format_version(node.kubelet), runtime, _effect(node, policy)] += 1
    return [
        {"kubelet": kubelet, "runtime": runtime, "effect": effect, "nodes": number}
        for (kubelet, runtime, effect), number in sorted(count.items())
    ]


def _effect(node: NodeVersions, policy: VerificationPolicy) -> str:
    does = verifies(node.kubelet, policy.gate)
    if does is False or policy.effective == NEVER_VERIFY:
        return "verifies_nothing"
    return "unknown" if does is None else runtime_effect(policy, node) or "verifies"


def _image_row(image: str, registry: str, found: _ImageUses) -> dict[str, Any]:
    return {
        "image": image,
        "registry": registry,
        "pods": len(found.pods),
        "asks": max(found.asks, key=(_NEVER, _ONCE, _EACH_START, _ALWAYS).index),
        "logins": sorted(found.logins),
        "without_login": sorted(found.without)[:_SHOWN],
        "without_login_total": len(found.without),
        "refused": sorted(found.refused)[:_SHOWN],
        "refused_total": len(found.refused),
    }


def _count_pulls(every: Sequence[_Use], registry_of: Mapping[str, str]) -> dict[str, Any]:
    """The largest number of pulls when each node starts its containers again, by registry and for the node with the most."""
    uses = [use for use in every if registry_of[use.image]]
    pulls: dict[str, list[str]] = defaultdict(list)
    once = {(use.node, use.image, use.namespace, use.secrets) for use in uses if use.asks == _ONCE}
    for node, image, _namespace, _secrets in once:
        pulls[node].append(image)
    for use in uses:
        if use.asks in (_EACH_START, _ALWAYS):
            pulls[use.node].append(use.image)
    registries: dict[str, int] = defaultdict(int)
    for image in (image for images in pulls.values() for image in images):
        registries[registry_of[image]] += 1
    busiest = max(sorted(pulls), key=lambda node: len(pulls[node]), default="")
    return {
        "registries": [{"registry": host, "pulls": number} for host, number in sorted(registries.items())],
        "pulls": sum(registries.values()),
        "busiest_node": {"name": busiest, "pulls": len(pulls.get(busiest, ()))},
    }
