# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The signatures that a policy requires of an image, and whether the registry that serves the image has them. Pure.

Nodes read signatures at the registry that served the manifest, and ask no other registry if it has none (containers/image
docker/docker_image_src.go). So the question goes to the first mirror that has the image, or to the source.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ...core.objects import Json, as_dict, as_list, as_str
from ...images.image_questions import ImageQuestion, SignatureQuestion
from ...images.node_registries import ImagePolicies
from ...images.pull_messages import PullAttempt
from ...images.registry_sources import RegistrySources
from ..lookup import architectures_for, require_all, try_lookup
from ..verdict import StepResult, failure, info, unknown
from .asked import PullRoute, RegistryAttempt, serving_attempts

__all__ = [
    "SIGNATURE",
    "SIGNATURE_RULES",
    "RegistrySignatures",
    "SignatureContext",
    "explain_signature",
    "registry_signatures",
]

#: The name of the step.
SIGNATURE = "signature"
#: The rule for the node's message at a start from its own copy of the image.
_AT_START = "signature_at_start"
#: The rules for the node's messages about signatures, at a pull and at such a start.
SIGNATURE_RULES = (SIGNATURE, _AT_START)
#: Part of containers/image's text for an image without any signature (signature/policy_eval.go).
_NONE_EXISTS = "no signature exists"
#: Outcomes at which the pull fails.
_FAILURES = ("unsigned", "refused", "no_platform")
_AT_MIRROR = (
    ". Copy the signatures together with the image, as cosign copy does, and oc-mirror without --remove-signatures"
)


@dataclass(frozen=True)
class SignatureContext:
    """The facts about the signatures of an image. `told` is the node's error."""

    route: PullRoute
    policies: ImagePolicies
    sources: RegistrySources
    told: PullAttempt | None


@dataclass(frozen=True)
class RegistrySignatures:
    """The signatures at the registry that serves the image. `fails`: whether nodes refuse the image, None if unknown."""

    fails: bool | None
    said: str


def explain_signature(held: SignatureContext) -> Iterator[StepResult]:
    """Yield the results.

    :raises ReadRequired: when a registry has to be asked first.
    """
    for each, outer in held.policies.hidden_for(held.route.reference):
        text = f"scope {each.scope} of {each.object} is not used: {outer.object} has {outer.scope}, which covers it"
        yield info(SIGNATURE, text)
    required = held.policies.requirement_for(held.route.reference, held.sources)
    if required is None:
        return
    begin = str(required)
    asked = _ask(held)
    if held.told is not None and held.told.rule.id in SIGNATURE_RULES:
        yield _judge_by_node(begin, held.told, asked, pulls_again=held.route.subject.pull_policy == "Always")
    elif asked is None:
        yield unknown(SIGNATURE, f"{begin}: whether the image has the right one cannot be seen from here")
    elif asked.fails:
        yield failure(SIGNATURE, f"{begin}, but {asked.said}")
    elif asked.fails is None:
        yield unknown(SIGNATURE, f"{begin}: {asked.said}")
    else:
        text = f"{begin}, and {asked.said}: whether a key of the policy made it cannot be seen from here"
        yield unknown(SIGNATURE, text)


def _judge_by_node(begin: str, told: PullAttempt, asked: RegistrySignatures | None, *, pulls_again: bool) -> StepResult:
    """The node's error. A start from the node's copy of the image never sees a newer signature, because only a pull stores signatures."""
    also = f". Now, {asked.said}" if asked is not None and asked.fails else ""
    if asked is not None and asked.fails is False and _NONE_EXISTS in told.text:
        if told.rule.id != _AT_START or pulls_again:
            text = f"{begin}, and {asked.said}, but the node found none: the signature may be newer than the node's last attempt"
            return unknown(SIGNATURE, text)
        also = f". Now, {asked.said}, but the node starts its own copy of the image, which has no signature"
    return failure(SIGNATURE, f"{begin}, and the node says: {told.text}{also}")


def _ask(held: SignatureContext) -> RegistrySignatures | None:
    """The answer of the registries, or None if they are not asked, or none of them serves the image."""
    told, route = held.told, held.route
    if not route.asks or route.subject.is_pulled or (told is not None and told.rule.id not in SIGNATURE_RULES):
        return None
    return registry_signatures(route)


def registry_signatures(route: PullRoute) -> RegistrySignatures | None:
    """Return the signatures at the registry that serves the image, or None if no registry gives it to this host.

    :raises ReadRequired: when a registry has to be asked first.
    """
    evidence, attempts = route.evidence, serving_attempts(route)
    if not attempts:
        return None
    architectures, _unread = architectures_for(route.subject, evidence)
    questions = [SignatureQuestion(_plain(each.question), tuple(architectures)).ref for each in attempts]
    require_all(evidence, questions)
    found = []
    for ref, attempt in zip(questions, attempts, strict=True):
        answer, unread = try_lookup(evidence, ref)
        found.append(_signatures_of(as_dict(answer), unread, attempt))
    # The kubelet goes on to the next login if the image has no signature at the registry that the first one reaches.
    return next((each for each in found if not each.fails), found[0])


def _plain(question: ImageQuestion) -> ImageQuestion:
    """The question without the parts that an answer about signatures does not have."""
    return replace(question, reads_index=False, reads_configuration=False)


def _signatures_of(answer: Json, unread: str, attempt: RegistryAttempt) -> RegistrySignatures:
    platforms = [as_dict(each) for each in as_list(answer.get("platforms"))]
    if not platforms:
        return RegistrySignatures(None, as_str(answer.get("message")) or unread or "the registry gave no answer")
    outcomes = [as_str(each.get("outcome")) for each in platforms]
    failing = [as_str(each.get("message")) for each in platforms if each.get("outcome") in _FAILURES]
    if len(failing) == len(platforms):
        return RegistrySignatures(True, f"{failing[0]}{'' if attempt.is_source else _AT_MIRROR}")
    if failing:
        return RegistrySignatures(None, f"it depends on the architecture of the node: {failing[0]}")
    message = next((each for each in platforms if each.get("outcome") != "signed"), platforms[0])
    return RegistrySignatures(False if set(outcomes) == {"signed"} else None, as_str(message.get("message")))
