# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parse the name of an image in a pod as a node does, also a name without a registry, and the path of a registry in an option. Pure.

The grammar is that of distribution/reference. For a name without a registry, the kubelet looks for credentials of Docker Hub, and CRI-O
asks its search registries (containers/image pkg/shortnames).

containerd and cri-dockerd use Docker Hub. CRI-O asks its search registries (containers/image pkg/shortnames). Before version 1.34 it tries
one after the other. Since then it refuses a name that may exist in several of them (cri-o pull request 9401), except on OpenShift: from 4.21
on, the machine config operator sets `short_name_mode = "disabled"` (pull request 5628, OCPBUGS-75916), and CRI-O tries one after the other as
before. Aliases from files on the nodes take precedence. The kubelet always looks for credentials of Docker Hub.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from ..core.errors import OptionError
from ..core.objects import Json, as_dict, as_strs
from ..core.text import redact_text
from ..dockerconfig.registry_keys import has_registry_host, repository_of, same_path

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


#: Default search registries of OpenShift nodes (machine-config-operator templates, container-registries).
_DEFAULT = ("registry.access.redhat.com", "docker.io")

#: Red Hat's images with aliases on its nodes (001-rhel-shortnames.conf).
_ALIASED = re.compile(r"(?:ubi\d|rhel\d|rhscl|rhosp|rhceph|openshift\d|jboss|codeready)[\w-]*(?:/|:|@|\Z)", re.ASCII)


def search_registries(config: Json | None) -> Sequence[str]:
    """Return the search registries of an OpenShift cluster, from its image config."""
    sources = as_dict(as_dict(as_dict(config).get("spec")).get("registrySources"))
    given = as_strs(sources.get("containerRuntimeSearchRegistries"))
    return list(dict.fromkeys(given)) or _DEFAULT


def candidates(image: str, registries: Sequence[str]) -> list[Reference]:
    """Return the image in each of the registries, in the same order."""
    found = [reference_of(f"{registry}/{image}") for registry in registries]
    return [reference for reference in found if reference is not None]


def can_have_alias(image: str) -> bool:
    """Whether the nodes may have an alias for the name. The aliases on a node are not visible from outside."""
    return bool(_ALIASED.match(image))


#: The digest at the end of a name, also one that is invalid.
_DIGEST = re.compile(r"@sha[0-9]{3}:[^@/]*\Z", re.ASCII)


def hide_login(image: str) -> str:
    """Return the text of an image without a login that a user wrote into it. A valid name has none."""
    name = _DIGEST.sub("", image)
    if not {"@", "?"} & {*name} or reference_of(image) is not None:
        return image
    scheme = "" if "://" in name else "image://"
    return redact_text(f"{scheme}{name}").removeprefix(scheme) + image[len(name) :]


# --- registries and their paths, as options name them

#: Images of Docker Hub without a user or organization are in this path.
_HUB, _LIBRARY = "docker.io", "docker.io/library"


@dataclass(frozen=True)
class RegistryPath:
    """`text` is `host[:port]` or `host[:port]/path`, in the spelling of an image's repository."""

    text: str

    @classmethod
    def parse(cls, where: str, given: str) -> RegistryPath:
        """Return the path. `where` names its source, such as an option.

        :raises OptionError: for a text that is not a registry or a path of one, such as an image with a tag, or a name without a host.
        """
        text = same_path(given.strip())
        below = f"{text}/team/image"
        has_user = "@" in given  # it may be a login, so it is not shown
        if has_registry_host(below) and repository_of(below) == below and not has_user:
            return cls(text)
        hint = f". Did you mean {f'{_HUB}/{given}'!r}?" if repository_of(f"{given}/image") and not has_user else ""
        shown = "a text with @" if has_user else repr(given)
        raise OptionError(
            f"{where}: {shown} is not host[:port] or host[:port]/path without a tag, such as docker.io/bitnami{hint}"
        )

    @property
    def host(self) -> str:
        return self.text.partition("/")[0]

    def covers(self, repository: str) -> bool:
        """Whether the repository of an image is this path or below it. `docker.io/redis` is also the image `docker.io/library/redis`."""
        return repository == self._official or f"{repository}/".startswith(f"{self.text}/")

    @property
    def _official(self) -> str:
        """The repository of the official image of Docker Hub with this name. Empty for any other path."""
        host, _slash, name = self.text.partition("/")
        return f"{_LIBRARY}/{name}" if host == _HUB and name and "/" not in name else ""

    def move(self, reference: Reference, target: RegistryPath) -> Reference | None:
        """Return the image of this path under another one, with the same tag or digest. None if its name would be too long, or only a host."""
        rest = "" if reference.repository == self._official else reference.repository[len(self.text) :]
        moved = reference_of(f"{target.text}{rest}")
        if moved is None or moved.host != target.host:  # a host alone would be an image of Docker Hub
            return None
        return replace(moved, tag=reference.tag, digest=reference.digest)


def move_image(reference: Reference, moves: Iterable[tuple[RegistryPath, RegistryPath]]) -> Reference | None:
    """Return the image after the moves, each from a path to another one: the longest path in which it is decides. None if no move has it, or as
    `RegistryPath.move`."""
    found = [each for each in moves if each[0].covers(reference.repository)]
    if not found:
        return None
    source, target = max(found, key=lambda each: len(each[0].text))
    return source.move(reference, target)
