# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a node requires a signature of an image: image policies of the cluster and of a namespace. Pure.

openshift/api config/v1 (ClusterImagePolicy, ImagePolicy), and the container-runtime-config controller of the machine config operator, which
writes them to policy.json. containers/image uses the entry of the most specific scope. All policies of this scope apply.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..core.objects import Json, Kind, ObjectRef, as_dict, as_list, as_str, metadata
from ..core.text import join_and
from .node_registries import NodeRegistries
from .references import Reference
from .registry_sources import IMAGE_CONFIG, RegistrySources, is_nested, is_within

__all__ = [
    "CLUSTER_POLICIES",
    "IMAGE_POLICY",
    "KNOWN_IMAGE_POLICIES",
    "ImagePolicies",
    "PolicyScope",
    "SignatureRequirement",
    "scopes_of_all",
]

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
