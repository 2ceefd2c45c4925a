# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The name of an image as a pod writes it, and what a node makes of it. Pure.

The grammar is that of distribution/reference. The kubelet completes a name without a registry to Docker Hub's when it looks for
credentials; CRI-O asks its search registries for it (containers/image pkg/shortnames).
"""

from __future__ import annotations

from dataclasses import dataclass

from ..dockerconfig.key_matching import names_registry, repository_of

__all__ = ["PUBLIC_REGISTRIES", "Reference", "reference_of"]

#: Registries with many images that everybody may pull.
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
    """`repository` has the registry's host. `is_short`: the pod wrote none. Without tag and digest, a node takes `latest`."""

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
        """How it is pulled, also where a tag is given beside the digest."""
        return bool(self.digest)

    def __str__(self) -> str:
        return f"{self.repository}@{self.digest}" if self.digest else f"{self.repository}:{self.tag or 'latest'}"


def reference_of(image: str) -> Reference | None:
    """None when it is no name of an image: the kubelet says `InvalidImageName`."""
    repository = repository_of(image)
    if repository is None:
        return None
    name, _at, digest = image.partition("@")
    tag = name.rpartition("/")[2].partition(":")[2]
    return Reference(repository, tag, digest, is_short=not names_registry(name))
