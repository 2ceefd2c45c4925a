# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the manifests of an image as a node does, and the pull rate limit in their headers. Pure.

docker/docs content/manuals/docker-hub/usage/pulls.md: `ratelimit-limit: 100;w=21600`, `ratelimit-remaining: 76;w=21600`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ...core.objects import as_dict, as_list, as_str
from ..https.exchange import HttpResponse

__all__ = [
    "ANY_ARCHITECTURE",
    "DIGEST",
    "IMAGE_TYPES",
    "INDEX_TYPES",
    "MANIFEST_TYPES",
    "OCI_INDEX",
    "OCI_MANIFEST",
    "IndexEntry",
    "RateLimit",
    "chosen_entries",
    "linux_entries",
    "parse_architecture",
    "parse_json",
    "rate_limit_of",
]

OCI_INDEX, OCI_MANIFEST = "application/vnd.oci.image.index.v1+json", "application/vnd.oci.image.manifest.v1+json"
_DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
_DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
#: The media types of manifests that nodes accept: indexes, images, and all of them.
INDEX_TYPES = (OCI_INDEX, _DOCKER_LIST)
IMAGE_TYPES = (OCI_MANIFEST, _DOCKER_MANIFEST)
MANIFEST_TYPES = (
    OCI_INDEX,
    OCI_MANIFEST,
    _DOCKER_LIST,
    _DOCKER_MANIFEST,
    "application/vnd.docker.distribution.manifest.v1+prettyjws",
)
#: A digest of a registry becomes a part of a path only in this form.
DIGEST = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)
#: The architecture of an entry that has no platform: nodes of each architecture choose it if no other entry is for them.
ANY_ARCHITECTURE = "*"

_ARCHITECTURE = re.compile(r"[a-z0-9]{1,20}", re.ASCII)
#: The variants that a node chooses (containers/image internal/pkg/platform/platform_matcher.go). Without one here, only an empty one.
_VARIANTS: Mapping[str, tuple[str, ...]] = {"arm": ("", "v5", "v6", "v7", "v8"), "arm64": ("", "v8")}


@dataclass(frozen=True)
class IndexEntry:
    """A manifest of an index. `digest` is empty if the registry gave an invalid one."""

    architecture: str
    digest: str


def linux_entries(index: Mapping[str, Any], media_type: str) -> Iterator[IndexEntry]:
    """Yield the manifests of an index that a node can choose, without attestations, whose platform is unknown.

    An entry of an OCI index without a platform has `ANY_ARCHITECTURE` (containers/image internal/manifest/oci_index.go).
    """
    for each in map(as_dict, as_list(index.get("manifests"))):
        digest = as_str(each.get("digest"))
        checked = digest if DIGEST.fullmatch(digest) else ""
        if "platform" not in each and media_type == OCI_INDEX:
            yield IndexEntry(ANY_ARCHITECTURE, checked)
        elif architecture := _architecture_of(as_dict(each.get("platform"))):
            yield IndexEntry(architecture, checked)


def chosen_entries(entries: list[IndexEntry], architecture: str) -> list[IndexEntry]:
    """Return the manifests that a node of an architecture can choose. There are several if they differ by the variant."""
    own = [each for each in entries if each.architecture == architecture]
    return own or [each for each in entries if each.architecture == ANY_ARCHITECTURE][:1]


def parse_architecture(configuration: Mapping[str, Any]) -> str:
    """Return the architecture in the configuration of an image, or an empty text if it has none that a node can have."""
    found = as_str(configuration.get("architecture"))
    return found if _ARCHITECTURE.fullmatch(found) else ""


def parse_json(body: bytes) -> Mapping[str, Any]:
    """Return the JSON object in a body. Empty for anything else."""
    try:
        return as_dict(json.loads(body))
    except (ValueError, RecursionError):
        return {}


def _architecture_of(platform: Mapping[str, Any]) -> str:
    """The architecture of the nodes that can choose this platform. Empty if there are none."""
    found, variant = parse_architecture(platform), as_str(platform.get("variant"))
    is_chosen = platform.get("os") == "linux" and found != "unknown" and variant in _VARIANTS.get(found, ("",))
    return found if is_chosen else ""


_VALUE = re.compile(r"[ \t]*([0-9]{1,9})[ \t]*(?:;[ \t]*w=([0-9]{1,9})[ \t]*)?\Z")


@dataclass(frozen=True)
class RateLimit:
    """The number of pulls in a window, and how many of them remain. `window` is in seconds. An unknown number is None."""

    limit: int | None
    remaining: int | None
    window: int | None


def rate_limit_of(answer: HttpResponse) -> RateLimit | None:
    """Return the rate limit, or None if the response has none. A header of another form, or one that appears twice, is ignored."""
    limit, window = _number(answer, "RateLimit-Limit")
    remaining, other_window = _number(answer, "RateLimit-Remaining")
    if limit is None and remaining is None:
        return None
    return RateLimit(limit, remaining, other_window if window is None else window)


def _number(answer: HttpResponse, name: str) -> tuple[int | None, int | None]:
    """The number and its window."""
    values = answer.all_of(name)
    found = _VALUE.match(values[0]) if len(values) == 1 else None
    if found is None:
        return None, None
    return int(found[1]), None if found[2] is None else int(found[2])
