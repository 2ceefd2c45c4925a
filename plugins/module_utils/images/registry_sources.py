# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From where the cluster's configuration lets its nodes pull an image: mirrors, allowed and blocked registries. Pure.

Objects: openshift/api config/v1 (ImageDigestMirrorSet, ImageTagMirrorSet, Image) and operator/v1alpha1 (ImageContentSourcePolicy).
Their effect on the nodes: openshift/runtime-utils pkg/registries (EditRegistriesConfig), the container-runtime-config controller of the
machine config operator, containers/image pkg/sysregistriesv2.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..core.json_types import as_dict, as_list, as_str, as_strs
from ..core.objects import Json, Kind, ObjectRef, metadata
from .references import Reference

__all__ = [
    "IMAGE_CONFIG",
    "MIRROR_KINDS",
    "MirrorItem",
    "Mirrors",
    "RegistrySources",
    "is_nested",
    "is_within",
    "mirror_items",
    "mirrors_for",
    "registry_sources_of",
    "why_sets_not_rendered",
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


@dataclass(frozen=True)
class Mirrors:
    """The most specific source for an image, with its mirrors as references.

    `never_source`: nodes use only mirrors. A source without a mirror for this type of pull is blocked then. `objects` are the names of the
    objects that configure the source. `locations` are the mirrors of both types of pulls, as the objects have them. `unreachable` are the
    hosts of the image's places that the nodes do not reach, if that is known.
    """

    source: str
    mirrors: Sequence[str]
    never_source: bool
    objects: Sequence[str]
    locations: Sequence[str] = ()
    unreachable: Sequence[str] = ()


@dataclass(frozen=True)
class RegistrySources:
    """`spec.registrySources` of the image config. `allowed` None allows all. For `insecure`, the nodes do not verify certificates."""

    blocked: Sequence[str] = ()
    allowed: Sequence[str] | None = None
    insecure: Sequence[str] = ()

    def is_insecure(self, repository: str) -> bool:
        return any(_is_source_of(scope, repository) for scope in self.insecure)

    def why_not(self, repository: str) -> str:
        """Return the setting that prevents nodes from pulling from the repository, as the rest of a sentence. Empty when there is none."""
        for scope in self.blocked:
            if _is_source_of(scope, repository):
                return f"registrySources.blockedRegistries of {IMAGE_CONFIG} has {scope}"
        if self.allowed is not None and not any(is_within(repository, scope) for scope in self.allowed):
            return f"registrySources.allowedRegistries of {IMAGE_CONFIG} has no entry for it"
        return ""


def registry_sources_of(config: Json | None) -> RegistrySources:
    """Return the settings of the image config, which is None where it does not exist."""
    found = as_dict(as_dict(as_dict(config).get("spec")).get("registrySources"))
    allowed = as_strs(found.get("allowedRegistries"))
    return RegistrySources(
        as_strs(found.get("blockedRegistries")), allowed or None, as_strs(found.get("insecureRegistries"))
    )


def mirrors_for(reference: Reference, items: Sequence[MirrorItem]) -> Mirrors | None:
    """Return the mirrors of an image by the items of all sets. None when no item has a source for the image."""
    found = {item.source for item in items if _is_source_of(item.source, reference.repository)}
    if not found:
        return None
    # An exact host is more specific than a wildcard, and a longer path more than a shorter one.
    source = max(found, key=lambda each: (not each.startswith("*."), len(each)))
    same = [item for item in items if item.source == source]
    wanted = [item for item in same if item.by_digest == reference.is_by_digest]
    mirrors = dict.fromkeys(_rewrite_source(reference, source, mirror) for item in wanted for mirror in item.mirrors)
    locations = dict.fromkeys(mirror for item in same for mirror in item.mirrors)
    # Sets that disagree do not reach the nodes (`why_sets_not_rendered`), which may contact the source then.
    never_source, objects = all(item.never_source for item in same), [item.object for item in same]
    return Mirrors(source, list(mirrors), never_source, objects, list(locations))


def why_sets_not_rendered(items: Sequence[MirrorItem]) -> str:
    """Return why the operator does not write the nodes' files, as a clause. Empty if the sets do not prevent it.

    The rules are those of validateRegistriesConfScopes of the machine config operator. They apply to the sets of all kinds together.
    """
    never = {item.source: item.object for item in items if item.never_source}
    for item in items if never else ():
        begin = f"mirrorSourcePolicy of source {item.source} is NeverContactSource in"
        if item.source in never and not item.never_source:
            return f"{begin} {never[item.source]}, but not in {item.object}"
        if item.never_source and item.source in item.mirrors:
            return f"{begin} {item.object}, which also has the source as a mirror"
    return ""


@dataclass(frozen=True)
class MirrorItem:
    """One source of a mirror set. `object` names the set."""

    object: str
    by_digest: bool
    source: str
    mirrors: Sequence[str]
    never_source: bool


def mirror_items(kind: Kind, objects: Iterable[Json]) -> Iterator[MirrorItem]:
    """Yield the sources in the sets of one kind."""
    for obj in objects:
        named = str(ObjectRef(kind, "", as_str(metadata(obj).get("name"))))
        for item in map(as_dict, as_list(as_dict(obj.get("spec")).get(MIRROR_KINDS[kind]))):
            never = kind != _OLD and item.get("mirrorSourcePolicy") == "NeverContactSource"
            yield MirrorItem(named, kind != _TAG, as_str(item.get("source")), as_strs(item.get("mirrors")), never)


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


def _rewrite_source(reference: Reference, source: str, mirror: str) -> str:
    prefix = reference.host if source.startswith("*.") else source
    return f"{mirror}{str(reference)[len(prefix) :]}"
