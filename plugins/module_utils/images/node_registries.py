# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nodes' registries.conf and policy.json, as the machine config operator makes them of the cluster's objects, and the signatures that they require. Pure.

openshift/runtime-utils pkg/registries (EditRegistriesConfig), the container-runtime-config controller of the machine config operator
(helpers.go), and containers/image pkg/sysregistriesv2, which finds the entry of an image and the names of the image at its mirrors.

openshift/api config/v1 (ClusterImagePolicy, ImagePolicy), and the container-runtime-config controller of the machine config operator, which
writes them to policy.json. containers/image uses the entry of the most specific scope. All policies of this scope apply.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain, pairwise

from ..core.objects import Json, Kind, ObjectRef, as_dict, as_list, as_str, metadata
from ..core.text import join_and
from .references import Reference, reference_of
from .registry_sources import IMAGE_CONFIG, MirrorItem, MirrorItems, Mirrors, RegistrySources, is_nested, is_within

_BLOCKED = f"registrySources.blockedRegistries of {IMAGE_CONFIG} has"


@dataclass(frozen=True)
class _Entry:
    """An entry of registries.conf: a scope, its mirrors with whether they are for digests, the source from which it has them, and the objects
    with this source. `blocked` is the entry of blockedRegistries around it, or empty. `never`: mirrorSourcePolicy is NeverContactSource."""

    scope: str
    mirrors: Sequence[tuple[str, bool]] = ()
    source: str = ""
    objects: Sequence[str] = ()
    blocked: str = ""
    never: bool = False

    def rewrite(self, name: str, mirror: str) -> str:
        """Return the name of an image at a mirror."""
        return f"{mirror}{name[_match(name, self.scope) :]}"


@dataclass(frozen=True, eq=False)
class NodeRegistries:
    """`policy` are the lists that the operator writes to policy.json. `problem` is why it does not write the files, as a clause, or empty.

    `payload` is the repository of the release, if an entry of blockedRegistries covers it: its mirrors serve it, so the operator allows it.
    """

    entries: Mapping[str, _Entry]
    policy: RegistrySources
    problem: str = ""
    payload: str = ""

    def why_not(self, reference: Reference) -> str:
        """Return the setting that prevents nodes from pulling an image, as the rest of a sentence. Empty when there is none."""
        if why := self.why_rejected(reference.repository):
            return why
        entry, mirrors = self._find(reference.repository), self.mirrors_for(reference)
        is_blocked = entry is not None and entry.blocked and (mirrors is None or not mirrors.mirrors)
        return f"{_BLOCKED} {entry.blocked}" if entry is not None and is_blocked else ""

    def why_rejected(self, repository: str) -> str:
        """Return why policy.json rejects a repository, like `why_not`."""
        allowed, blocked = self.policy.allowed, self.policy.blocked
        scopes = (each for each in (*(allowed or ()), *blocked) if is_within(repository, each))
        scope = max(scopes, key=lambda each: (not each.startswith("*."), len(each)), default="")
        if scope in blocked:
            return f"{_BLOCKED} {scope}"
        if scope or allowed is None or blocked:
            return ""
        if self.payload and {*allowed} == {self.payload}:
            release = f"{self.payload}, which is the repository of the release"
            return f"{_BLOCKED} {release}: policy.json of the nodes then allows only this repository and rejects all others"
        return f"registrySources.allowedRegistries of {IMAGE_CONFIG} has no entry for it"

    def mirrors_for(self, reference: Reference) -> Mirrors | None:
        """Return the mirrors of an image. None if no source is for it."""
        entry = self._find(reference.repository)
        if entry is None or not entry.mirrors:
            return None
        wanted = (mirror for mirror, by_digest in entry.mirrors if by_digest == reference.is_by_digest)
        names = list(dict.fromkeys(entry.rewrite(str(reference), mirror) for mirror in wanted))
        locations = list(dict.fromkeys(mirror for mirror, _by_digest in entry.mirrors))
        invalid = next((name for name in names if not _is_whole(name)), "")
        blocked = {name: why for name in names if (why := self._why_blocked(name))}
        return Mirrors(
            entry.source,
            [name for name in names if name not in blocked],
            entry.never or bool(entry.blocked),
            entry.objects,
            locations,
            invalid=invalid,
            blocked=blocked,
        )

    def why_scope_not_rendered(self, scope: str) -> str:
        """Return why an image policy with this scope prevents the files: the operator writes the names of the scope at its mirrors as well."""
        return _scope_problem(self, scope)

    def _why_blocked(self, name: str) -> str:
        """Return why nodes do not ask a mirror, as a clause: its own entry decides (docker/docker_client.go), and no list of policy.json does."""
        mirror = reference_of(name)
        entry = self._find(mirror.repository) if mirror is not None else None
        if entry is None or not (entry.blocked or entry.never):
            return ""
        if entry.blocked:
            return f"{_BLOCKED} {entry.blocked}"
        return (
            f"it is in source {entry.source}, which is never contacted ({' and '.join(dict.fromkeys(entry.objects))})"
        )

    def _find(self, repository: str) -> _Entry | None:
        # Of the longest ones, the first in alphabetical order: `*.example.com` before `a.example.com`.
        found = sorted(
            (scope for scope in self.entries if _match(repository, scope)), key=lambda each: (-len(each), each)
        )
        return self.entries[found[0]] if found else None


@lru_cache(maxsize=16)
def registries_for(sources: RegistrySources, items: Sequence[MirrorItems], payload: str) -> NodeRegistries:
    """Return the files for these settings. `payload` is the image of the release, empty if it is not known or does not matter."""
    every = [item for each in items for item in each.items]
    policy, blocked, added = _limits(sources, every, payload)
    entries, problem = _edit(replace(sources, blocked=blocked), every)
    release = reference_of(payload)
    why = _why_invalid(policy, sources, every, added, release.repository if release is not None else "")
    return NodeRegistries(entries, policy, why or problem, added)


def _limits(
    sources: RegistrySources, items: Sequence[MirrorItem], payload: str
) -> tuple[RegistrySources, Sequence[str], str]:
    """The lists of policy.json, the blocked entries of registries.conf, and the repository of the release if it is allowed nevertheless.

    An entry around the repository of the release is dropped, unless a mirror that is not blocked serves it.
    """
    release = reference_of(payload)
    around = [each for each in sources.blocked if release is not None and is_nested(release.repository, each)]
    if release is None or not around:
        return sources, sources.blocked, ""
    entries, problem = _edit(sources, [item for item in items if item.by_digest])
    found = NodeRegistries(entries, sources).mirrors_for(release)
    is_unreadable = "" in (*sources.blocked, *sources.insecure)
    if problem or is_unreadable or (found is not None and found.invalid):
        # The operator cannot look for the mirrors of the release then, and drops all entries.
        return replace(sources, blocked=(), allowed=None), (), ""
    places = [name.partition("@")[0] for name in (*found.mirrors, *found.blocked)] if found is not None else []
    if all(any(is_nested(place, each) for each in sources.blocked) for place in places):
        kept = tuple(each for each in sources.blocked if each not in around)
        return replace(sources, blocked=kept), kept, ""
    allowed = (*(release.repository for _each in around), *(sources.allowed or ()))
    rejected = tuple(each for each in sources.blocked if each != release.repository)
    return replace(sources, blocked=rejected, allowed=allowed), sources.blocked, release.repository


def _edit(sources: RegistrySources, items: Sequence[MirrorItem]) -> tuple[Mapping[str, _Entry], str]:
    """The entries, and why the operator cannot make them. Only the most specific entry counts, so it has all that applies to its scope."""
    entries: dict[str, _Entry] = {}
    # A set that names no mirror, or only its own source, does not count.
    real = [item for item in items if any(mirror != item.source for mirror in item.mirrors)]
    order = []
    for by_digest in (True, False):
        chains: dict[str, list[Sequence[str]]] = {}
        for item in real:
            if item.by_digest == by_digest:
                chains.setdefault(item.source, []).append(item.mirrors)
        for source in sorted(chains):
            before = entries.get(source, _Entry(source)).mirrors
            merged = [(mirror, by_digest) for mirror in _merge(source, chains[source])]
            entries[source] = _Entry(source, [*before, *merged], source)
            order.append(source)
    for source, entry in entries.items():
        same = [item for item in real if item.source == source]
        # Sets that disagree do not reach the nodes (`_why_invalid`), which may contact the source then.
        never = all(item.never_source for item in same)
        entries[source] = replace(entry, objects=[item.object for item in same], never=never)
    problem = _inherit(entries, order, (*sources.blocked, *sources.insecure))
    for scope, entry in entries.items():
        around = next((each for each in sources.blocked if is_nested(scope, each)), "")
        entries[scope] = replace(entry, blocked=around)
    return entries, problem


def _inherit(entries: dict[str, _Entry], order: Sequence[str], scopes: Iterable[str]) -> str:
    """Add the scopes that have no mirrors of their own. Each has those of the first source around it. Return why that is not possible."""
    problem = ""
    for scope in dict.fromkeys(each for each in scopes if each not in entries):
        source = next((each for each in order if is_nested(scope, each)), "")
        added = _Entry(scope)
        if source.startswith("*."):
            by = " and ".join(dict.fromkeys(entries[source].objects))
            problem = problem or (
                f"registrySources of {IMAGE_CONFIG} has {scope}, which is inside the source {source} in {by}, and the operator cannot add "
                "the mirrors of a wildcard to it"
            )
        elif source:
            rest = scope[len(source) :]
            mirrors = [(f"{mirror}{rest}", by_digest) for mirror, by_digest in entries[source].mirrors]
            added = _Entry(scope, mirrors, source, entries[source].objects)
        entries[scope] = added
    return problem


def _merge(source: str, chains: Sequence[Sequence[str]]) -> list[str]:
    """The mirrors of several lists in one order that keeps theirs if possible, the source after all of them if no list says otherwise."""
    after: dict[str, set[str]] = {}
    for names in chains:
        for name, following in pairwise(names if source in names else (*names, source)):
            after.setdefault(name, set()).add(following)
            after.setdefault(following, set())
    before = Counter(chain.from_iterable(after.values()))
    found: dict[str, None] = {}
    ready, rest = deque(sorted(name for name in after if not before[name])), deque(sorted(after))
    while ready or rest:
        # A circle is cut at its first name.
        name = (ready or rest).popleft()
        if name in found:
            continue
        found[name] = None
        for following in sorted(after[name]):
            before[following] -= 1
            if not before[following] and following not in found:
                ready.append(following)
    merged = list(found)
    return merged[:-1] if merged[-1] == source else merged


def _why_invalid(
    policy: RegistrySources, sources: RegistrySources, items: Sequence[MirrorItem], added: str, release: str
) -> str:
    """Why the operator refuses the settings, as a clause (validateRegistriesConfScopes and updatePolicyJSON). Empty if it does not.

    Only the repository of the release may be allowed next to blocked entries. `added`: the operator allows it by itself.
    """
    for scope in (*sources.insecure, *policy.blocked, *(policy.allowed or ())):
        if not scope or ("*" in scope and not (scope.startswith("*.") and {*"/@:*"}.isdisjoint(scope[2:]))):
            return f"registrySources of {IMAGE_CONFIG} has the invalid entry {scope!a}"
    if policy.allowed and policy.blocked and policy.allowed != (release,):
        more = f", to which the operator adds the repository of the release {added}" if added else ""
        return f"registrySources of {IMAGE_CONFIG} has both blockedRegistries and allowedRegistries{more}"
    never = {item.source: item.object for item in items if item.never_source}
    for item in items:
        # Only a source may be a wildcard.
        invalid = [each for each in item.mirrors if not _is_place(each)]
        invalid += [] if _is_wildcard(item.source) or _is_place(item.source) else [item.source]
        if invalid:
            return f"{item.object} has the invalid name {invalid[0]!a}"
        begin = f"mirrorSourcePolicy of source {item.source} is NeverContactSource in"
        if item.source in never and not item.never_source:
            return f"{begin} {never[item.source]}, but not in {item.object}"
        if item.never_source and item.source in item.mirrors:
            return f"{begin} {item.object}, which also has the source as a mirror"
    return ""


@lru_cache(maxsize=4096)
def _scope_problem(registries: NodeRegistries, scope: str) -> str:
    inside = (each for each in registries.entries if each != scope and is_nested(each, scope))
    for each in (scope, *inside):
        entry = registries._find(each)
        host, slash, path = each.partition("/")
        # Not in its normal form, as the operator leaves it: nodes have no entry for docker.io/app.
        path = path.partition("@")[0].partition(":")[0] if slash else "a"
        named = f"{host.replace('*', 'matched', 1)}/{path}:latest"
        if entry is None or reference_of(named) is None:
            continue
        for mirror in (mirror for mirror, _by_digest in entry.mirrors):
            if not _is_whole(name := entry.rewrite(named, mirror)):
                return f"the mirror {mirror} makes the invalid image name {name} of it"
        if not (entry.scope.startswith("*.") or _is_whole(named)):
            return (
                f"{each} is not the whole name of an image of Docker Hub, and the nodes have an entry for {entry.scope}"
            )
    return ""


def _match(name: str, scope: str) -> int:
    """The length of the part of a name for which a scope of registries.conf stands, 0 if it is not for the name.

    A host without a port includes its ports. A wildcard stands for a host without its port.
    """
    at = name.find(scope[1:]) if scope.startswith("*.") else 0 if name.startswith(scope) else -1
    end = at + len(scope) - (1 if scope.startswith("*.") else 0)
    is_whole = at >= 0 and "/" not in name[:at] and name[end : end + 1] in ("", "/", ":", "@")
    return end if scope and is_whole else 0


def _is_whole(name: str) -> bool:
    """Whether containers/image accepts a name at a mirror, which must have a registry and a repository (ParseNamed)."""
    found = reference_of(name)
    return found is not None and not found.is_short and name.startswith(found.repository)


def _is_wildcard(name: str) -> bool:
    return name.startswith("*.") and {*"/:"}.isdisjoint(name) and _is_place(name[2:])


def _is_place(name: str) -> bool:
    """Whether a mirror set may have this name: a registry, or a part of one."""
    return "*" not in name and reference_of(f"{name}/a") is not None


_CONFIG = "config.openshift.io/v1"
#: Reference to the list of all policies of the cluster.
CLUSTER_POLICIES = ObjectRef(
    Kind(_CONFIG, "ClusterImagePolicy", "clusterimagepolicies", "cluster image policy", namespaced=False), "", ""
)
IMAGE_POLICY = Kind(_CONFIG, "ImagePolicy", "imagepolicies", "image policy")
#: Reference to the list of the known policies of all namespaces. It is never requested: without an answer, they are not known.
KNOWN_IMAGE_POLICIES = ObjectRef(IMAGE_POLICY, "", "")


@dataclass(frozen=True)
class PolicyScope:
    """One scope of a policy. `object` names the policy."""

    object: str
    scope: str


@dataclass(frozen=True)
class SignatureRequirement:
    """The policies of the most specific scope for an image. The image needs a signature for each of them."""

    objects: Sequence[str]
    scope: str

    def __str__(self) -> str:
        verb = "requires" if len(self.objects) == 1 else "each require"
        return f"{join_and(self.objects)} {verb} a signature for images in {self.scope}"


@dataclass(frozen=True)
class ImagePolicies:
    """The scopes that nodes apply to a namespace.

    `hidden`: scopes of the namespace that a scope of the cluster covers, with the latter. The operator drops them (`ConflictScopes`).
    """

    of_cluster: Sequence[PolicyScope]
    of_namespace: Sequence[PolicyScope]
    hidden: Sequence[tuple[PolicyScope, PolicyScope]]

    @classmethod
    def of(cls, of_cluster: Iterable[Json], of_namespace: Iterable[Json]) -> ImagePolicies:
        cluster = [each for policy in of_cluster for each in _scopes(CLUSTER_POLICIES.kind, policy)]
        kept, hidden = [], []
        for each in (each for policy in of_namespace for each in _scopes(IMAGE_POLICY, policy)):
            outer = next((one for one in cluster if is_nested(each.scope, one.scope)), None)
            if outer is None:
                kept.append(each)
            else:
                hidden.append((each, outer))
        return cls(cluster, kept, hidden)

    def requirement_for(self, reference: Reference, sources: RegistrySources) -> SignatureRequirement | None:
        """Return the required signatures of an image, or None.

        An entry of `allowedRegistries` that is more specific than the scope of a policy accepts images without a signature.
        """
        scopes = [*self.of_cluster, *self.of_namespace]
        found = {each.scope for each in scopes if _is_for(each.scope, reference)}
        allowed = {each for each in sources.allowed or () if _is_for(each, reference)}
        if not found:
            return None
        scope = max(found | allowed, key=lambda each: (not each.startswith("*."), len(each)))
        objects = dict.fromkeys(each.object for each in scopes if each.scope == scope)
        return SignatureRequirement(tuple(objects), scope) if objects else None

    def hidden_for(self, reference: Reference) -> Iterator[tuple[PolicyScope, PolicyScope]]:
        """Yield the hidden scopes that are for an image, with the scopes that hide them."""
        return (each for each in self.hidden if _is_for(each[0].scope, reference))

    def why_not_rendered(self, registries: NodeRegistries, everywhere: Iterable[PolicyScope] = ()) -> str:
        """Return why the operator does not write the nodes' files, as a clause. Empty if the known policies do not prevent it.

        `everywhere` are the known scopes of the policies of all namespaces. Unknown ones can prevent it as well.
        """
        config, sources = f"registrySources of {IMAGE_CONFIG}", registries.policy
        kept = (each for each in everywhere if not any(is_nested(each.scope, one.scope) for one in self.of_cluster))
        for each in (*self.of_cluster, *self.of_namespace, *kept):
            begin = f"{each.object} has scope {each.scope}, which is"
            if sources.allowed is not None and not any(is_nested(each.scope, outer) for outer in sources.allowed):
                added = f", and not the repository of the release {registries.payload}" if registries.payload else ""
                return f"{begin} not inside allowedRegistries in {config}{added}"
            if any(is_nested(each.scope, outer) for outer in sources.blocked):
                return f"{begin} inside blockedRegistries in {config}"
            if why := registries.why_scope_not_rendered(each.scope):
                return f"{each.object} has scope {each.scope}, and {why}"
        return ""


def scopes_of_all(policies: Iterable[Json]) -> Sequence[PolicyScope]:
    """Return each scope of the policies of all namespaces once, with the first policy that has it."""
    found: dict[str, PolicyScope] = {}
    for policy in policies:
        for each in _scopes(IMAGE_POLICY, policy):
            found.setdefault(each.scope, each)
    return list(found.values())


def _scopes(kind: Kind, policy: Json) -> Iterator[PolicyScope]:
    meta = metadata(policy)
    namespace = as_str(meta.get("namespace")) if kind.namespaced else ""
    named = str(ObjectRef(kind, namespace, as_str(meta.get("name"))))
    for scope in as_list(as_dict(policy.get("spec")).get("scopes")):
        if as_str(scope):
            yield PolicyScope(named, scope)


def _is_for(scope: str, reference: Reference) -> bool:
    """Whether the image is in the scope. A scope may also be one image, with its tag or digest."""
    return scope == str(reference) or is_within(reference.repository, scope)
