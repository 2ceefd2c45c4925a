# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which kubelet and which runtime the nodes of a cluster have, as `status.nodeInfo` says. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ..core.json_types import as_dict, as_list, as_str
from ..core.objects import NODE, Json, ObjectRef, metadata

__all__ = ["NODES", "NodeVersions", "Version", "kinds_of", "nodes_of", "version_in"]

#: Major and minor.
Version = tuple[int, int]

_VERSION = re.compile(r"v?(\d{1,4})\.(\d{1,4})(?!\d)", re.ASCII)


def _trimmed(node: Json) -> Json:
    info = as_dict(as_dict(node.get("status")).get("nodeInfo"))
    return {"metadata": {"name": metadata(node).get("name")}, "status": {"nodeInfo": info}}


#: All nodes of the cluster.
NODES = ObjectRef(replace(NODE, trim=_trimmed), "", "")


@dataclass(frozen=True)
class NodeVersions:
    """Of one node. A version that is not known is None, a runtime that is not known empty."""

    name: str
    kubelet: Version | None
    runtime: str
    runtime_version: Version | None


def nodes_of(listed: Json | None) -> Mapping[str, NodeVersions]:
    """Of a list of nodes, by their names."""
    found = (_versions(as_dict(node)) for node in as_list(as_dict(listed).get("items")))
    return {node.name: node for node in found}


def kinds_of(nodes: Iterable[NodeVersions]) -> Sequence[NodeVersions]:
    """Those that differ by more than their names: one of each."""
    return list({replace(node, name=""): node for node in nodes}.values())


def version_in(given: str) -> Version | None:
    """At the beginning of a text."""
    found = _VERSION.match(given)
    return (int(found[1]), int(found[2])) if found else None


def _versions(node: Json) -> NodeVersions:
    info = as_dict(as_dict(node.get("status")).get("nodeInfo"))
    runtime, _separator, version = as_str(info.get("containerRuntimeVersion")).partition("://")
    return NodeVersions(
        as_str(metadata(node).get("name")),
        version_in(as_str(info.get("kubeletVersion"))),
        runtime,
        version_in(version),
    )
