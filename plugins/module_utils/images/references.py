# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parse the name of an image in a pod as a node does. Pure.

The grammar is that of distribution/reference. For a name without a registry, the kubelet looks for credentials of Docker Hub, and CRI-O
asks its search registries (containers/image pkg/shortnames).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from ..dockerconfig.key_matching import has_registry_host, repository_of

__all__ = ["PUBLIC_REGISTRIES", "Reference", "reference_of"]

#: Registries with many public images.
PUBLIC_REGISTRIES = frozenset(
    {
        "docker.io",
        "quay.io",
        "ghcr.io",
        "gcr.io",
        "registry.k8s.io",
        "public.ecr.aws",
        "mcr.microsoft.com",
        "registry.access.redhat.com",
    }
)


@dataclass(frozen=True)
class Reference:
    """`repository` includes the registry's host. `is_short`: the pod names no registry. Without tag and digest, a node uses `latest`."""

    repository: str
    tag: str
    digest: str
    is_short: bool

    @property
    def host(self) -> str:
        return self.repository.partition("/")[0]

    @property
    def path(self) -> str:
        return self.repository.partition("/")[2]

    @property
    def is_by_digest(self) -> bool:
        """Whether the image is pulled by digest. A tag next to a digest is ignored."""
        return bool(self.digest)

    def __str__(self) -> str:
        return f"{self.repository}@{self.digest}" if self.digest else f"{self.repository}:{self.tag or 'latest'}"


@lru_cache(maxsize=4096)
def reference_of(image: str) -> Reference | None:
    """Return the parsed image, or None for an invalid name, for which the kubelet reports `InvalidImageName`."""
    repository = repository_of(image)
    if repository is None:
        return None
    name, _at, digest = image.partition("@")
    tag = name.rpartition("/")[2].partition(":")[2]
    return Reference(repository, tag, digest, is_short=not has_registry_host(name))
