# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The versions of the kubelet and the container runtime on the nodes of a cluster, from `status.nodeInfo`. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ..core.objects import Json, as_dict, as_str, metadata

__all__ = [
    "NodeVersions",
    "Release",
    "Version",
    "format_version",
    "kinds_of",
    "nodes_of",
    "release_in",
    "version_in",
]

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
