# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster's configuration for an image: allowed and blocked registries, signatures, mirrors. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ...core.objects import ObjectRef
from ...core.phrases import join_and
from ...images.image_policies import CLUSTER_POLICIES, IMAGE_POLICY, policy_for
from ...images.pull_messages import PullAttempt
from ...images.references import Reference
from ...images.registry_sources import IMAGE_CONFIG, MIRROR_KINDS, Mirrors, registry_sources_of
from ..lookup import Lookup, UnreadableObject
from ..reading import items_of, try_lookup
from ..verdict import StepResult, failure, unknown
from .mirrors import explain_mirrors, mirrors_of

__all__ = ["Sources", "explain_sources", "source_refs"]


@dataclass(frozen=True)
class Sources:
    """The results of the step, and the mirrors of the image."""

    seen: tuple[StepResult, ...]
    mirrors: Mirrors | None


def source_refs(namespace: str) -> list[ObjectRef]:
    """Return the objects that the step needs."""
    kinds = [ObjectRef(kind, "", "") for kind in MIRROR_KINDS]
    return [IMAGE_CONFIG, *kinds, *_policy_refs(namespace)]


def explain_sources(reference: Reference, namespace: str, told: PullAttempt | None, evidence: Lookup) -> Sources:
    """Return the results and the mirrors. `told` is the node's error for the image. Each unreadable object is reported once."""
    mirrors = mirrors_of(reference, evidence)
    seen = [
        *_explain_registries(reference, evidence),
        *_explain_signature(reference, namespace, told, evidence),
        *_explain_unread(namespace, evidence),
        *(() if mirrors is None else explain_mirrors(reference, mirrors, evidence)),
    ]
    return Sources(tuple(seen), mirrors)


def _explain_registries(reference: Reference, evidence: Lookup) -> Iterator[StepResult]:
    """A blocked or disallowed source stays so even if it has mirrors."""
    try:
        why = evidence.derive(IMAGE_CONFIG, registry_sources_of).why_not(reference.repository)
    except UnreadableObject:
        return
    if why:
        yield failure("registries", f"the nodes are not allowed to pull {reference}: {why}")


def _explain_signature(
    reference: Reference, namespace: str, told: PullAttempt | None, evidence: Lookup
) -> Iterator[StepResult]:
    policies = (items_of(try_lookup(evidence, ref)[0]) for ref in _policy_refs(namespace))
    policy = policy_for(reference, *policies)
    if policy is None:
        return
    begin = f"{policy.object} requires a signature for images in {policy.scope}"
    if told is not None and told.rule.id == "signature":
        yield failure("signature", f"{begin}, and the node says: {told.text}")
    else:
        yield unknown("signature", f"{begin}: whether the image has the right one cannot be seen from here")


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
