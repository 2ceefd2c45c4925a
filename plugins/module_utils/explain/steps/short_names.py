# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which registries the runtime asks for an image name without one. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ...images.references import Reference, can_have_alias, candidates, search_registries
from ...images.registry_sources import IMAGE_CONFIG
from ...platform.cluster import CLUSTER_VERSION
from ..lookup import Lookup, nodes_for, try_lookup
from ..subjects import ContainerPull
from ..verdict import StepResult, info, unknown

__all__ = ["ImageCandidates", "resolve_short_name"]

_WRITE_IT = "Write the image with its registry's host"
_HUB = "docker.io"


@dataclass(frozen=True)
class ImageCandidates:
    """The possible meanings of an image name: `references` in the order in which they are tried. `seen` are the results of the step."""

    references: Sequence[Reference]
    seen: Sequence[StepResult] = ()


@dataclass(frozen=True)
class _NodeSettings:
    """The settings of the nodes. `registries` are None when unknown. `why` is the reason."""

    runtime: str
    registries: Sequence[str] | None = None
    why: str = ""


def resolve_short_name(subject: ContainerPull, reference: Reference, evidence: Lookup) -> ImageCandidates:
    """Return the references for the image.

    :raises ReadRequired: when the version of the cluster or its nodes have to be read first."""
    if not reference.is_short:
        return ImageCandidates([reference], [info("image", f"{subject.image} is {reference}")])
    nodes = _read_nodes(subject, evidence)
    hub = info("image", f"the kubelet looks for credentials of {reference}")
    if nodes.runtime in ("containerd", "docker"):
        return ImageCandidates(
            [reference], [hub, info("image", f"{subject.image} names no registry: {nodes.runtime} takes Docker Hub")]
        )
    if nodes.registries is None:
        return ImageCandidates([reference], [hub, unknown("image", _describe_unknown(subject.image, nodes))])
    references = candidates(subject.image, nodes.registries) or [reference]
    return ImageCandidates(references, [hub, *_explain_search(subject.image, references)])


def _explain_search(image: str, references: Sequence[Reference]) -> Iterator[StepResult]:
    hosts = [reference.host for reference in references]
    begin = f"{image} names no registry"
    if can_have_alias(image):
        text = f"{begin}: the nodes may have an alias for it, which cannot be seen from here. Without one, CRI-O asks {', '.join(hosts)}"
        yield unknown("image", f"{text}. {_WRITE_IT}")
    elif len(hosts) == 1:
        yield info("image", f"{begin}: CRI-O asks its only search registry, {hosts[0]}")
    else:
        yield info(
            "image", f"{begin}: CRI-O asks its search registries one after the other: {', '.join(hosts)}. {_WRITE_IT}"
        )
    if _HUB not in hosts:
        text = f"the kubelet uses credentials of Docker Hub, even for {', '.join(hosts)}. {_WRITE_IT}"
        yield info("image", text, ok=None)


def _read_nodes(subject: ContainerPull, evidence: Lookup) -> _NodeSettings:
    """The settings of OpenShift, whose nodes have CRI-O. Without a readable version, an image config shows that it is OpenShift.

    On other clusters, the search registries are in files of the nodes.
    """
    version, unread = try_lookup(evidence, CLUSTER_VERSION)
    if version is not None:
        return _openshift_nodes(evidence)
    found, no_nodes = nodes_for(subject, evidence)
    runtimes = {node.runtime for node in found}
    runtime = runtimes.pop() if len(runtimes) == 1 else ""
    if runtime != "cri-o":
        return _NodeSettings(runtime, why=unread or no_nodes)
    if not unread:
        return _NodeSettings(runtime)
    config, _unread = try_lookup(evidence, IMAGE_CONFIG)
    return _NodeSettings(runtime, why=unread) if config is None else _NodeSettings(runtime, search_registries(config))


def _openshift_nodes(evidence: Lookup) -> _NodeSettings:
    config, unread = try_lookup(evidence, IMAGE_CONFIG)
    return _NodeSettings("cri-o", None if unread else search_registries(config), unread)


def _describe_unknown(image: str, nodes: _NodeSettings) -> str:
    because = f". The runtime or the configuration of these nodes is not known: {nodes.why}" if nodes.why else ""
    return (
        f"{image} names no registry: containerd takes Docker Hub, CRI-O its search registries, and from version 1.34 on, except on OpenShift, "
        f"it refuses a name that several of them could have{because}. {_WRITE_IT}"
    )
