# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which registries the runtime asks for an image name without one. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ...images.node_versions import NodeVersions, Release, version_in
from ...images.references import Reference
from ...images.registry_sources import IMAGE_CONFIG
from ...images.short_names import ENFORCING_SINCE, can_have_alias, candidates, search_registries
from ...platform.cluster import CLUSTER_VERSION, desired_version
from ..lookup import Lookup
from ..reading import nodes_for, try_lookup
from ..subjects import ContainerPull
from ..verdict import StepResult, failure, info, unknown

__all__ = ["NO_REGISTRY_ASKED", "ImageCandidates", "resolve_short_name"]

#: Causes that a node reports before it asks any registry.
NO_REGISTRY_ASKED = (
    "short_name_ambiguous",
    "invalid_name",
    "never_pull",
    "node_limit",
    "secret_missing",
    "secret_unparsable",
    "unknown",
)

_WRITE_IT = "Write the image with its registry's host"
_HUB = "docker.io"


@dataclass(frozen=True)
class ImageCandidates:
    """The possible meanings of an image name: `references` in the order in which they are tried. `seen` are the results of the step."""

    references: Sequence[Reference]
    seen: Sequence[StepResult] = ()


@dataclass(frozen=True)
class _NodeSettings:
    """The settings of the nodes. `enforces` and `registries` are None when unknown. `why` is the reason."""

    runtime: str
    enforces: bool | None = None
    registries: Sequence[str] | None = None
    why: str = ""


def resolve_short_name(
    subject: ContainerPull, reference: Reference, evidence: Lookup, *, was_resolved: bool = False
) -> ImageCandidates:
    """Return the references for the image. `was_resolved`: a node has already asked a registry for it, so it found one.

    :raises ReadRequired: when the version of the cluster or its nodes have to be read first."""
    if not reference.is_short:
        return ImageCandidates([reference], [info("image", f"{subject.image} is {reference}")])
    nodes = _read_nodes(subject, evidence)
    hub = info("image", f"the kubelet looks for credentials of {reference}")
    if nodes.runtime in ("containerd", "docker"):
        return ImageCandidates(
            [reference], [hub, info("image", f"{subject.image} names no registry: {nodes.runtime} takes Docker Hub")]
        )
    if nodes.registries is None or (nodes.enforces is None and not was_resolved):
        return ImageCandidates([reference], [hub, unknown("image", _describe_unknown(subject.image, nodes))])
    references = candidates(subject.image, nodes.registries) or [reference]
    return ImageCandidates(
        references,
        [hub, *_explain_search(subject.image, references, enforces=bool(nodes.enforces) and not was_resolved)],
    )


def _explain_search(image: str, references: Sequence[Reference], *, enforces: bool) -> Iterator[StepResult]:
    hosts = [reference.host for reference in references]
    begin = f"{image} names no registry"
    if len(hosts) == 1:
        yield info("image", f"{begin}: CRI-O asks its only search registry, {hosts[0]}")
    elif not enforces:
        yield info(
            "image", f"{begin}: CRI-O asks its search registries one after the other: {', '.join(hosts)}. {_WRITE_IT}"
        )
    elif can_have_alias(image):
        text = f"{begin}: CRI-O refuses a name that several of its search registries could have, {', '.join(hosts)}, unless the nodes have"
        yield unknown("image", f"{text} an alias for it, which cannot be seen from here. {_WRITE_IT}")
    else:
        text = f"{begin}, and CRI-O refuses a name that several of its search registries could have: {', '.join(hosts)}. {_WRITE_IT}"
        yield failure("image", text)
    if _HUB not in hosts:
        text = f"the kubelet uses credentials of Docker Hub, even for {', '.join(hosts)}. {_WRITE_IT}"
        yield info("image", text, ok=None)


def _read_nodes(subject: ContainerPull, evidence: Lookup) -> _NodeSettings:
    """The settings by the version of OpenShift, whose nodes have CRI-O. Without a readable version, the settings by the nodes."""
    version, unread = try_lookup(evidence, CLUSTER_VERSION)
    if version is not None:
        return _openshift_nodes(_is_enforced("openshift", version_in(desired_version(version))), evidence)
    found, no_nodes = nodes_for(subject, evidence)
    runtimes = {node.runtime for node in found}
    runtime = runtimes.pop() if len(runtimes) == 1 else ""
    if runtime != "cri-o":
        return _NodeSettings(runtime, why=unread or no_nodes)
    enforces = _any_enforces(found)
    if unread:
        return _openshift_nodes(enforces, evidence)
    return _NodeSettings(runtime, enforces)


def _openshift_nodes(enforces: bool | None, evidence: Lookup) -> _NodeSettings:
    config, unread = try_lookup(evidence, IMAGE_CONFIG)
    return _NodeSettings("cri-o", enforces, None if unread else search_registries(config), unread)


def _any_enforces(nodes: Sequence[NodeVersions]) -> bool | None:
    """Whether all of the nodes enforce, or none do. None if they differ."""
    answers = {_is_enforced("cri-o", node.runtime_version) for node in nodes}
    return answers.pop() if len(answers) == 1 else None


def _is_enforced(what: str, version: Release | None) -> bool | None:
    return None if version is None else version >= ENFORCING_SINCE[what]


def _describe_unknown(image: str, nodes: _NodeSettings) -> str:
    because = f". The runtime or the configuration of these nodes is not known: {nodes.why}" if nodes.why else ""
    return (
        f"{image} names no registry: containerd takes Docker Hub, CRI-O its search registries, and from OpenShift 4.21 on it refuses a "
        f"name that several of them could have{because}. {_WRITE_IT}"
    )
