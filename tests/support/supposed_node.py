# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A node for generated clusters. It decides without the code of the collection whether it gets an image.

Kubernetes 1.36 pkg/kubelet/images/image_manager.go, CRI-O server/image_pull.go, and containers/image: docker/docker_image_src.go (places of an
image), docker/docker_client.go (a blocked registry stops each attempt at it, at a mirror as well) and pkg/sysregistriesv2. The nodes' files are
those of openshift/runtime-utils pkg/registries. For Docker Hub, the library asks registry-1.docker.io, and auth.docker.io for each token.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .supposed_kubelet import PullRecord, possible_records
from .supposed_worlds import OWN_AUTHORITY, REALMS, World, registry_outcome

__all__ = ["SupposedNode"]

_HUB = "docker.io"
#: The addresses that nodes ask for an image of Docker Hub. The storage of its layers is left out, as for all registries.
_HOSTS_OF_HUB = ("registry-1.docker.io", "auth.docker.io")
_DEFAULT_SEARCH = ("registry.access.redhat.com", _HUB)
_TAGS = "imageTagMirrors"
#: User and password of each form of a login in a world.
_LOGINS: Mapping[str, tuple[str, str]] = {
    "right": ("user", "right"),
    "wrong": ("user", "wrong"),
    "robot": ("robot", "right"),
}
_Login = tuple[str, str]


@dataclass(frozen=True)
class _Entry:
    """An entry of registries.conf. Only mirrors for tags count here."""

    mirrors: Sequence[str] = ()
    is_blocked: bool = False


@dataclass(frozen=True)
class SupposedNode:
    """`refused` are pairs of a registry and a user. `unreachable` and `only` are lists of registries, as an administrator names them, and
    `unreachable` also of paths at them."""

    world: World
    refused: Sequence[tuple[str, str]] = ()
    unreachable: Sequence[str] = ()
    only: Sequence[Sequence[str]] = ()
    #: Whether a change took an authority from the nodes.
    lost_authority: bool = False
    #: Hosts that became mirrors by a change: nothing shows that the nodes trust them.
    new_mirrors: frozenset[str] = frozenset()
    #: The new names of places, and their hosts that no image has before.
    moved: Mapping[str, str] = field(default_factory=dict)
    new_sources: frozenset[str] = frozenset()

    def after(self, change: Mapping[str, Any]) -> SupposedNode:
        """Return the node after a change of `supposed_worlds.CHANGES` that is not about the integrated registry."""
        ((kind, value),) = change.items()
        return _CHANGES[kind](self, value)

    def pulls(self, listed: Sequence[str], image: str) -> bool:
        """Whether the node pulls an image for a pod that lists these secrets."""
        secrets = [self.world.secrets[name] for name in listed if name in self.world.secrets]
        if None in secrets:
            return False
        name, _colon, tag = self._renamed(image).rpartition(":")
        is_short = _is_short(name)
        repository = _full_name(name)
        search = self.world.sources.get("containerRuntimeSearchRegistries") or _DEFAULT_SEARCH
        places = [_full(host, name) for host in search] if is_short else [repository]
        stored = [*(each for each in secrets if each is not None), self.world.nodes]
        logins = [_LOGINS.get(form) for each in stored for key, form in each.items() if _is_of_kubelet(key, repository)]
        return any(self._gets(place, tag, login) for login in logins or [None] for place in places)

    def starts(self, before: SupposedNode, listed: Sequence[str], image: str) -> set[tuple[bool, bool]]:
        """The results of the next start of the pod that runs on a node `before` a change and after it, for each record that the kubelet can have."""
        records = possible_records(before.credentials(listed, image))
        return {tuple(each._starts_with(record, listed, image) for each in (before, self)) for record in records}  # type: ignore[misc]

    def _starts_with(self, record: PullRecord | None, listed: Sequence[str], image: str) -> bool:
        policy, kubelet = self.world.pull_policy, self.world.kubelet
        assert kubelet is not None
        is_used = policy != "Always" and kubelet.uses(image, self.credentials(listed, image), record)
        return is_used or (policy != "Never" and self.pulls(listed, image))

    def credentials(self, listed: Sequence[str], image: str) -> list[tuple[str, str]]:
        """The secrets of a pod with a login for the image, with the form of the login."""
        repository = _full_name(image.rpartition(":")[0])
        return [
            (secret, form)
            for secret in listed
            for key, form in (self.world.secrets.get(secret) or {}).items()
            if _is_of_kubelet(key, repository)
        ]

    def _renamed(self, image: str) -> str:
        """The image of the next pod. A name in no place stays as it is, so a node still searches for one without a registry."""
        name, _colon, tag = image.rpartition(":")
        full = _full_name(name)
        place = max((each for each in self.moved if _is_inside(full, each)), key=len, default="")
        return f"{self.moved[place]}{full[len(place) :]}:{tag}" if place else image

    # --- one login and one name

    def _gets(self, repository: str, tag: str, login: _Login | None) -> bool:
        """Whether a pull of one name with one login works. The policy is for this name, wherever the image comes from."""
        if not self._is_allowed(repository):
            return False
        host = repository.partition("/")[0]
        scope, entry = self._entry_of(repository)
        end = repository.index(scope.removeprefix("*")) + len(scope.removeprefix("*")) if scope else 0
        mirrors = [f"{mirror}{repository[end:]}" for mirror in entry.mirrors]
        for place in (*mirrors, repository):
            if self._entry_of(place)[1].is_blocked or not self._reaches(place):
                continue
            if place in mirrors and not self._trusts_mirror(place.partition("/")[0]):
                continue
            if place == repository and host in self.new_sources and not self._has_authority(host):
                continue
            sent = login if login is not None and place.partition("/")[0] == host else self._node_login(place)
            if self._serves(place, tag, sent):
                return True
        return False

    def _trusts_mirror(self, host: str) -> bool:
        """A new mirror needs an authority that an object names. The nodes may have those of others in their files."""
        return self._has_authority(host) or not (self.only or host in self.new_mirrors)

    def _has_authority(self, host: str) -> bool:
        """Whether objects show that the nodes trust a registry."""
        is_known = self.world.has_authority or host in self.world.sources.get("insecureRegistries", ())
        return host != OWN_AUTHORITY or is_known

    def _serves(self, place: str, tag: str, login: _Login | None) -> bool:
        user, password = login or ("", "")
        insecure = self.world.sources.get("insecureRegistries", ())
        if self.lost_authority and place.partition("/")[0] == OWN_AUTHORITY and OWN_AUTHORITY not in insecure:
            return False
        if (place.partition("/")[0], user) in self.refused:
            return False
        return registry_outcome(f"{place}:{tag}", user, password) == "pulls"

    def _node_login(self, place: str) -> _Login | None:
        """The login for a place in the nodes' file: the longest key of a path, or else the key of its host as a URL."""
        parts = place.split("/")
        keys = ["/".join(parts[:length]) for length in range(len(parts), 0, -1)]
        for key in (*keys, f"https://{parts[0]}/v1/"):
            if key in self.world.nodes:
                return _LOGINS.get(self.world.nodes[key])
        return None

    # --- files of the nodes

    def _is_allowed(self, repository: str) -> bool:
        """policy.json: the longest scope decides. No image has a signature."""
        sources = self.world.sources
        decisions = {each["spec"]["scopes"][0]: False for each in self.world.policies}
        decisions = {**dict.fromkeys(sources.get("allowedRegistries", ()), True), **decisions}
        decisions = {**dict.fromkeys(sources.get("blockedRegistries", ()), False), **decisions}
        scopes = [scope for scope in decisions if _is_inside(repository, scope)]
        return decisions[max(scopes, key=len)] if scopes else not sources.get("allowedRegistries")

    def _entry_of(self, repository: str) -> tuple[str, _Entry]:
        """The entry of registries.conf with the longest scope."""
        entries = self._entries()
        scopes = [scope for scope in entries if _is_inside(repository, scope) or repository.startswith(f"{scope}:")]
        scope = max(scopes, key=len, default="")
        return scope, entries.get(scope, _Entry())

    def _entries(self) -> dict[str, _Entry]:
        blocked = self.world.sources.get("blockedRegistries", ())
        found: dict[str, _Entry] = {}
        for item, mirrors in self._items():
            is_blocked = item.get("mirrorSourcePolicy") == "NeverContactSource"
            found[item["source"]] = _Entry(mirrors, is_blocked)
        for scope in blocked:
            around = next((each for each in found if scope.startswith(f"{each}/")), "")
            inherited = [f"{mirror}{scope[len(around) :]}" for mirror in found[around].mirrors] if around else []
            found.setdefault(scope, _Entry(inherited))
        for scope, entry in found.items():
            if any(_is_inside(scope, each) for each in blocked):
                found[scope] = replace(entry, is_blocked=True)
        return found

    def _items(self) -> Iterator[tuple[Mapping[str, Any], Sequence[str]]]:
        """The sources with their mirrors for tags."""
        for each in self.world.mirrors:
            for member, items in each["spec"].items():
                for item in items:
                    yield item, item["mirrors"] if member == _TAGS else ()

    @property
    def _mirror_hosts(self) -> set[str]:
        items = (item for each in self.world.mirrors for items in each["spec"].values() for item in items)
        return {mirror.partition("/")[0] for item in items for mirror in item["mirrors"]}

    # --- network

    def _reaches(self, place: str) -> bool:
        host = place.partition("/")[0]
        if any(_is_inside(place, each) for each in self.unreachable if "/" in each):
            return False
        asked = _HOSTS_OF_HUB if host == _HUB else (host, REALMS.get(host, host))
        return all(
            not _is_named(each, self.unreachable) and all(_is_named(each, names) for names in self.only)
            for each in asked
        )

    # --- changes

    def _with(self, **parts: Any) -> SupposedNode:
        return replace(self, world=replace(self.world, **parts))

    def _without_secret(self, value: Mapping[str, Any]) -> SupposedNode:
        if "openshift-config" in value.get("namespaces", ()):
            return self._with(nodes={})
        return self._with(secrets={name: each for name, each in self.world.secrets.items() if name != value["name"]})

    def _without_link(self, value: Mapping[str, Any]) -> SupposedNode:
        linked, own, template = self.world.lists
        return self._with(lists=(tuple(each for each in linked if each not in value["secrets"]), own, template))

    def _without_login(self, value: Mapping[str, Any]) -> SupposedNode:
        return replace(self, refused=(*self.refused, (value["registry"], value["username"])))

    def _with_names(self, value: Mapping[str, str]) -> SupposedNode:
        used = {_full_name(image.rpartition(":")[0]).partition("/")[0] for image in self.world.images}
        new = {place.partition("/")[0] for place in value.values()}
        searched = {*(self.world.sources.get("containerRuntimeSearchRegistries") or _DEFAULT_SEARCH)}
        return replace(self, moved=value, new_sources=frozenset(new - used - searched - self._mirror_hosts))

    def _with_object(self, value: Mapping[str, Any]) -> SupposedNode:
        (obj,) = value["definition"]
        if obj["kind"] == "Image":
            is_lost = self.world.has_authority and "additionalTrustedCA" not in obj["spec"]
            changed = self._with(sources=obj["spec"].get("registrySources", {}))
            return replace(changed, lost_authority=self.lost_authority or is_lost)
        if obj["kind"] == "KubeletConfig" and self.world.kubelet is not None:
            policy, *listed = obj["spec"]["kubeletConfig"].values()
            return self._with(kubelet=replace(self.world.kubelet, policy=policy, allow_list=tuple(*listed)))
        member = "policies" if obj["kind"] == "ClusterImagePolicy" else "mirrors"
        known = {each["metadata"]["name"]: each for each in getattr(self.world, member)}
        changed = self._with(**{member: [*{**known, obj["metadata"]["name"]: obj}.values()]})
        return replace(changed, new_mirrors=self.new_mirrors | (changed._mirror_hosts - self._mirror_hosts))

    def _without_mirrors(self, value: Mapping[str, Any]) -> SupposedNode:
        return self._with(
            mirrors=[each for each in self.world.mirrors if each["metadata"]["name"] not in value["names"]]
        )


_CHANGES: Mapping[str, Callable[[SupposedNode, Any], SupposedNode]] = {
    "remove_secrets": SupposedNode._without_secret,
    "remove_links": SupposedNode._without_link,
    "remove_credential": SupposedNode._without_login,
    "unreachable_registries": lambda node, value: replace(node, unreachable=(*node.unreachable, *value)),
    "only_registries": lambda node, value: replace(node, only=(*node.only, value)),
    "moved": SupposedNode._with_names,
    "add_objects": SupposedNode._with_object,
    "delete_objects": SupposedNode._without_mirrors,
    "new_nodes": lambda node, _value: node,
}


def _is_short(name: str) -> bool:
    return not {*".:"} & {*name.partition("/")[0]} or "/" not in name


def _split(name: str) -> tuple[str, str]:
    host, _slash, path = name.partition("/")
    return host, path


def _full(host: str, path: str) -> str:
    return f"{host}/{'' if host != _HUB or '/' in path else 'library/'}{path}"


def _full_name(name: str) -> str:
    return _full(_HUB, name) if _is_short(name) else _full(*_split(name))


def _is_inside(name: str, scope: str) -> bool:
    """Whether a name is a scope, or below it. A wildcard is for the hosts below it, whatever their port is."""
    if scope.startswith("*."):
        return name.partition("/")[0].partition(":")[0].endswith(scope[1:])
    return name == scope or name.startswith(f"{scope}/")


def _is_of_kubelet(key: str, repository: str) -> bool:
    """Whether the kubelet uses a key of a world for a repository. A star is one part of a host."""
    bare = key.removeprefix("https://").removesuffix("/v1/")
    if not bare.startswith("*."):
        return f"{repository}/".startswith(bare) if "/" in bare else repository.partition("/")[0] == bare
    host = repository.partition("/")[0]
    return host.endswith(bare[1:]) and host.count(".") == bare.count(".")


def _is_named(host: str, names: Sequence[str]) -> bool:
    """Whether a list of registries has an address: as it is, below a wildcard, or as part of Docker Hub, which has the name docker.io."""
    own = (host, host.partition(":")[0], *([_HUB] if host in _HOSTS_OF_HUB else []))
    return any(own[1].endswith(name[1:]) if name.startswith("*.") else name in own for name in names)
