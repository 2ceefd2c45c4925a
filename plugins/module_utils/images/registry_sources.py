# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster's configuration of mirrors, allowed and blocked registries. `node_registries.py` has its effect on the nodes. Pure.

Objects: openshift/api config/v1 (ImageDigestMirrorSet, ImageTagMirrorSet, Image) and operator/v1alpha1 (ImageContentSourcePolicy).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..core.objects import Json, Kind, ObjectRef, as_dict, as_list, as_str, metadata

__all__ = [
    "HOSTED_MIRRORS",
    "IMAGE_CONFIG",
    "MIRROR_KINDS",
    "MirrorItem",
    "MirrorItems",
    "Mirrors",
    "RegistrySources",
    "is_nested",
    "is_within",
    "mirror_items",
    "registry_sources_of",
]

_CONFIG = "config.openshift.io/v1"
IMAGE_CONFIG = ObjectRef(Kind(_CONFIG, "Image", "images", "image config", namespaced=False), "", "cluster")

_DIGEST = Kind(_CONFIG, "ImageDigestMirrorSet", "imagedigestmirrorsets", "image digest mirror set", namespaced=False)
_TAG = Kind(_CONFIG, "ImageTagMirrorSet", "imagetagmirrorsets", "image tag mirror set", namespaced=False)
_OLD = Kind(
    "operator.openshift.io/v1alpha1",
    "ImageContentSourcePolicy",
    "imagecontentsourcepolicies",
    "image content source policy",
    namespaced=False,
)
#: The kinds with mirrors, and the field of each that lists them.
MIRROR_KINDS: Mapping[Kind, str] = {
    _DIGEST: "imageDigestMirrors",
    _TAG: "imageTagMirrors",
    _OLD: "repositoryDigestMirrors",
}

#: Where the mirrors of a hosted cluster are set. Customers of ROSA and ARO cannot change the HostedCluster.
HOSTED_MIRRORS = (
    "spec.imageContentSources of the HostedCluster (on ROSA with 'rosa create image-mirror', on ARO in imageDigestMirrors), "
    "for pulls by digest only"
)


@dataclass(frozen=True)
class Mirrors:
    """The most specific source for an image, with its mirrors as references.

    `never_source`: nodes use only mirrors. A source without a mirror for this type of pull is blocked then. `objects` are the names of the
    objects that configure the source. `locations` are the mirrors of both types of pulls, as the objects have them. `unreachable` are the
    hosts of the image's places that the nodes do not reach, if that is known. `invalid` is the first of the mirrors that is not the name of an
    image: no pull succeeds then. `blocked` are the mirrors that nodes do not ask, with the reason as a clause.
    """

    source: str
    mirrors: Sequence[str]
    never_source: bool
    objects: Sequence[str]
    locations: Sequence[str] = ()
    unreachable: Sequence[str] = ()
    invalid: str = ""
    blocked: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RegistrySources:
    """`spec.registrySources` of the image config. `allowed` None allows all. For `insecure`, the nodes do not verify certificates."""

    blocked: Sequence[str] = ()
    allowed: Sequence[str] | None = None
    insecure: Sequence[str] = ()

    def is_insecure(self, repository: str) -> bool:
        return any(_is_source_of(scope, repository) for scope in self.insecure)


def registry_sources_of(config: Json | None) -> RegistrySources:
    """Return the settings of the image config, which is None where it does not exist."""
    found = as_dict(as_dict(as_dict(config).get("spec")).get("registrySources"))
    names = ("blockedRegistries", "allowedRegistries", "insecureRegistries")
    blocked, allowed, insecure = (_texts(found.get(name)) for name in names)
    return RegistrySources(blocked, allowed or None, insecure)


@dataclass(frozen=True)
class MirrorItem:
    """One source of a mirror set. `object` names the set."""

    object: str
    by_digest: bool
    source: str
    mirrors: Sequence[str]
    never_source: bool


@dataclass(frozen=True, eq=False)
class MirrorItems:
    """The sources in all sets of a kind. An object is equal only to itself, so that a result for many of them can be kept."""

    items: Sequence[MirrorItem] = ()


def mirror_items(kind: Kind, objects: Iterable[Json]) -> Iterator[MirrorItem]:
    """Yield the sources in the sets of one kind."""
    for obj in objects:
        named = str(ObjectRef(kind, "", as_str(metadata(obj).get("name"))))
        for item in map(as_dict, as_list(as_dict(obj.get("spec")).get(MIRROR_KINDS[kind]))):
            never = kind != _OLD and item.get("mirrorSourcePolicy") == "NeverContactSource"
            yield MirrorItem(named, kind != _TAG, as_str(item.get("source")), _texts(item.get("mirrors")), never)


def _texts(value: Any) -> tuple[str, ...]:
    """The texts of a list. Empty ones count, because the operator refuses all settings for one."""
    return tuple(map(as_str, as_list(value)))


def _is_source_of(scope: str, repository: str) -> bool:
    """Matches like `registries.conf`: a host without a port includes its ports."""
    return is_within(repository, scope) or (bool(scope) and repository.startswith(f"{scope}:"))


def is_within(repository: str, scope: str) -> bool:
    """Whether `scope` matches like in `policy.json`: as the repository itself, as the beginning of its path, or `*.` for hosts below."""
    if scope.startswith("*."):
        host = repository.partition("/")[0]
        return (host if ":" in scope else host.partition(":")[0]).endswith(scope[1:])
    return bool(scope) and (repository == scope or repository.startswith(f"{scope}/"))


def is_nested(scope: str, outer: str) -> bool:
    """Whether a scope is another scope or inside it, as ScopeIsNestedInsideScope of openshift/runtime-utils decides.

    Unlike `is_within`, a repository with a tag is not inside the same repository without one.
    """
    if scope == outer or (outer and scope.startswith(f"{outer}/")):
        return True
    if not outer.startswith("*."):
        return False
    host, port, _path = scope.partition(":")
    if port:
        return host.endswith(outer[1:]) and "/" not in host
    return scope.partition("/")[0].endswith(outer[1:])
