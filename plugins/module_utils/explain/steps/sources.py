# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster's configuration for an image: allowed and blocked registries, signatures, mirrors. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ...core.objects import Json, ObjectRef
from ...core.text import join_and
from ...images.node_registries import (
    CLUSTER_POLICIES,
    IMAGE_POLICY,
    KNOWN_IMAGE_POLICIES,
    ImagePolicies,
    NodeRegistries,
    PolicyScope,
    scopes_of_all,
)
from ...images.pull_messages import PullAttempt
from ...images.references import Reference
from ...images.registry_sources import IMAGE_CONFIG, MIRROR_KINDS
from ..credentials import Credentials
from ..lookup import Lookup, items_of, try_lookup
from ..node_settings import registries_of, why_release_unknown
from ..subjects import ContainerPull
from ..verdict import UNKNOWN, WILL_NOT_PULL, StepResult, failure, unknown
from .asked import PullRoute
from .mirrors import explain_mirrors, mirrors_of
from .signatures import SIGNATURE_RULES, SignatureContext, explain_signature

__all__ = ["Sources", "explain_sources", "policies_of", "source_refs", "why_outdated"]


_MIRROR_SETS = [ObjectRef(kind, "", "") for kind in MIRROR_KINDS]


@dataclass(frozen=True)
class Sources:
    """The results of the step, and the facts about the pull. `overtakes_node`: a registry's answer is newer than the node's error."""

    seen: tuple[StepResult, ...]
    route: PullRoute
    overtakes_node: bool = False

    @property
    def is_closed(self) -> bool:
        """Whether the settings of the cluster stop the pull."""
        return any(each.verdict == WILL_NOT_PULL for each in self.seen)


def source_refs(namespace: str) -> list[ObjectRef]:
    """Return the objects that the step needs."""
    return [IMAGE_CONFIG, *_MIRROR_SETS, *_policy_refs(namespace)]


def explain_sources(
    subject: ContainerPull,
    reference: Reference,
    told: PullAttempt | None,
    evidence: Lookup,
    credentials: Credentials,
    *,
    asks: bool = False,
    named: Reference | None = None,
) -> Sources:
    """Return the results and the facts about the pull. Each unreadable object is reported once.

    `told` is the node's error for the image. `asks`: whether registries are asked for signatures, with the `credentials`. `named`: see
    `PullRoute`.

    :raises ReadRequired: when a registry has to be asked first.
    """
    namespace = subject.namespace
    mirrors, policies = mirrors_of(reference, evidence), policies_of(namespace, evidence)
    registries = registries_of(evidence)
    sources = registries.policy
    # The question about signatures also finds the manifest of each architecture.
    is_signed = policies.requirement_for(reference, sources) is not None
    route = PullRoute(
        subject,
        reference,
        credentials,
        mirrors,
        evidence,
        asks,
        reads_index=not is_signed,
        reads_copies=True,
        named=named,
    )
    held = SignatureContext(route, policies, sources, told)
    outdated = why_outdated(policies, registries, evidence)
    signature = [] if outdated else list(explain_signature(held))
    seen = [
        *(_explain_outdated(outdated) if outdated else _explain_registries(reference, registries, evidence)),
        *signature,
        *_explain_unread(namespace, evidence),
        *(() if mirrors is None else explain_mirrors(reference, mirrors, evidence, is_outdated=bool(outdated))),
    ]
    is_newer = (
        told is not None and told.rule.id in SIGNATURE_RULES and any(each.verdict == UNKNOWN for each in signature)
    )
    return Sources(tuple(seen), route, is_newer)


def why_outdated(policies: ImagePolicies, registries: NodeRegistries, evidence: Lookup) -> str:
    """Return why the nodes keep their previous files, as a clause. Empty if nothing that is known prevents new ones."""
    everywhere: Sequence[PolicyScope] = ()
    # Without these settings, no policy prevents it, so no pull depends on the policies of other namespaces.
    if registries.policy.allowed is not None or registries.entries:
        everywhere = evidence.derive(KNOWN_IMAGE_POLICIES, _scopes_of_all)
    return registries.problem or policies.why_not_rendered(registries, everywhere)


def _scopes_of_all(listed: Json | None) -> Sequence[PolicyScope]:
    return scopes_of_all(items_of(listed))


def _explain_outdated(why: str) -> Iterator[StepResult]:
    """The machine config operator writes all files or none, so no object shows what the nodes have."""
    text = f"the nodes keep their previous registry and policy files, because {why}: the registries that they allow are not known"
    yield unknown("configuration", text)


def _explain_registries(reference: Reference, registries: NodeRegistries, evidence: Lookup) -> Iterator[StepResult]:
    """A blocked or disallowed source stays so even if it has mirrors."""
    if why := registries.why_not(reference):
        text = f"the nodes are not allowed to pull {reference}: {why}"
        if doubt := why_release_unknown(evidence):
            yield unknown("registries", f"{text}. {doubt}")
        else:
            yield failure("registries", text)


def policies_of(namespace: str, evidence: Lookup) -> ImagePolicies:
    """Return the image policies for a namespace that can be read.

    :raises ReadRequired: when they have to be read first.
    """
    return ImagePolicies.of(*(items_of(try_lookup(evidence, ref)[0]) for ref in _policy_refs(namespace)))


def _explain_unread(namespace: str, evidence: Lookup) -> Iterator[StepResult]:
    """The unknown facts, grouped by the reason, which is the same for most."""
    reasons: dict[str, dict[str, None]] = {}
    for ref in source_refs(namespace):
        _found, unread = try_lookup(evidence, ref)
        if unread:
            reasons.setdefault(unread, {})[_topic_of(ref)] = None
    for why, missing in reasons.items():
        yield unknown("configuration", f"{join_and(list(missing))} is not known: {why}")


def _topic_of(ref: ObjectRef) -> str:
    if ref == IMAGE_CONFIG:
        return "which registries are allowed"
    return "which mirrors the image has" if ref.kind in MIRROR_KINDS else "whether a signature is required"


def _policy_refs(namespace: str) -> Sequence[ObjectRef]:
    return CLUSTER_POLICIES, ObjectRef(IMAGE_POLICY, namespace, "")
