# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster's configuration of mirrors, allowed and blocked registries, and the registries that the nodes can reach. Pure.

Objects: openshift/api config/v1 (ImageDigestMirrorSet, ImageTagMirrorSet, Image) and operator/v1alpha1 (ImageContentSourcePolicy).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from ..core.objects import Json, Kind, ObjectRef, as_dict, as_list, as_str, metadata
from ..dockerconfig.registry_keys import DOCKER_HUB
from .references import Reference, RegistryPath

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
    hosts of the image's places, or paths at them, that the nodes do not reach, if that is known. `invalid` is the first of the mirrors that is
    not the name of an image: no pull succeeds then. `blocked` are the mirrors that nodes do not ask, with the reason as a clause.
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


#: Not an object of the API. The name is the `host[:port]` of a registry. The answer has `reached`, whether the nodes reach it, `limited`,
#: whether they reach only some registries, `unproven`, whether nothing shows that they have used it as a mirror (`is_source`: nor as a source),
#: and `loss`, the authority that they lose for it, with the reason in `unread` if that is not certain. The name can also be a repository. Its
#: answer has `closed`, the path with the repository from which nodes get nothing. Without an answer, nothing is known.
NODE_NETWORK = Kind("", "NodeNetwork", "nodenetworks", "network of the nodes", namespaced=False)

#: The hosts that nodes ask for images of Docker Hub: its registry, and its token service even without a login (containers/image
#: docker/docker_client.go). Its other names stand for all of its hosts.
_HOSTS_OF_HUB = ("registry-1.docker.io", "auth.docker.io")
_NAMES_OF_HUB = DOCKER_HUB.difference(_HOSTS_OF_HUB)
#: The hosts of services. Nodes reach them inside the cluster.
_OF_SERVICES = (".svc", ".svc.cluster.local")
_PORT = re.compile(r":([0-9]+)\Z")
#: The port of a registry without one: that of HTTPS.
_DEFAULT_PORT = "443"


@dataclass(frozen=True)
class NodeNetwork:
    """The registries, as `host[:port]`, that the nodes cannot reach, or the only ones that they reach (None: no such limit).

    A host without a port stands for all its ports, and `*.example.com` for all hosts below it. An image of a host without a port comes from
    port 443. `unreachable` also has paths of registries, as `host[:port]/path`.
    """

    unreachable: Sequence[str] = ()
    only: Sequence[str] | None = None

    def reaches(self, host: str) -> bool:
        """Whether the nodes reach a registry. Services of the cluster are never outside."""
        return all(map(self._reaches_host, _HOSTS_OF_HUB if host in DOCKER_HUB else (host,)))

    def closed_path(self, repository: str) -> str:
        """Return the outermost of the paths in which the repository is. Empty if it is in none."""
        paths = (each for each in self.unreachable if "/" in each and RegistryPath(each).covers(repository))
        return min(paths, key=lambda path: (len(path), path), default="")

    def _reaches_host(self, host: str) -> bool:
        if any(_is_host(host, each) for each in self.unreachable if "/" not in each):
            return False
        return self.only is None or is_cluster_host(host) or any(_is_host(host, each) for each in self.only)


@lru_cache(maxsize=4096)
def network_ref(host: str) -> ObjectRef:
    """Return the reference for the question whether the nodes reach a registry, given as `host[:port]`, or get images of a repository."""
    return ObjectRef(NODE_NETWORK, "", host)


def limit_mirrors(reference: Reference, found: Mirrors | None, find_lost: Callable[[str], str]) -> Mirrors | None:
    """Return the mirrors of an image without those that the nodes do not reach. `find_lost` returns the registry or the path of a place that the
    nodes do not reach, or an empty text.

    Nodes try the next place if a registry does not answer, so an unreachable source is like one that is never contacted.
    """
    locations = found.mirrors if found is not None else ()
    lost = {each: name for each in locations if (name := find_lost(each))}
    of_source = find_lost(reference.repository)
    if not lost and not of_source:
        return found
    known = found or Mirrors(reference.repository, (), False, ())
    return replace(
        known,
        mirrors=[each for each in known.mirrors if each not in lost],
        never_source=known.never_source or bool(of_source),
        unreachable=tuple(dict.fromkeys([*lost.values(), *filter(None, [of_source])])),
    )


def is_cluster_host(host: str) -> bool:
    """Whether the host is that of a service of the cluster, such as the integrated registry."""
    return host.partition(":")[0].endswith(_OF_SERVICES)


def _is_host(host: str, wanted: str) -> bool:
    name, port = _split(host)
    wanted_name, wanted_port = _split(wanted)
    if wanted_port and wanted_port != (port or _DEFAULT_PORT):
        return False
    if wanted_name.startswith("*."):
        return name.endswith(wanted_name[1:])
    return name == wanted_name or (wanted_name in _NAMES_OF_HUB and name in _HOSTS_OF_HUB)


def _split(host: str) -> tuple[str, str]:
    """Name and port of `host[:port]`. The port is empty if none is given. An IPv6 address is in brackets."""
    found = _PORT.search(host)
    return (host[: found.start()], found[1]) if found else (host, "")
