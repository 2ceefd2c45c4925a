# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster's configuration for an image: search registries, allowed and blocked registries, signatures, mirrors. Pure.

Nodes read signatures at the registry that served the manifest, and ask no other registry if it has none (containers/image
docker/docker_image_src.go). So the question goes to the first mirror that has the image, or to the source.

An explanation asks this for a pull that is due. An audit asks it for all images in use, since a node that has an image does not check its
signature again before the next pull.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ...core.objects import SECRET, Json, ObjectRef, as_dict, as_list, as_str
from ...core.text import join_and
from ...images.image_questions import ImageQuestion, SignatureQuestion
from ...images.node_registries import (
    CLUSTER_POLICIES,
    IMAGE_POLICY,
    KNOWN_IMAGE_POLICIES,
    ImagePolicies,
    NodeRegistries,
    PolicyScope,
    SignatureRequirement,
    scopes_of_all,
)
from ...images.pull_messages import PullAttempt
from ...images.references import Reference, can_have_alias, candidates, reference_of, search_registries
from ...images.registry_sources import IMAGE_CONFIG, MIRROR_KINDS, RegistrySources
from ...platform.cluster import CLUSTER_VERSION
from ...platform.protected import NODE_SECRET
from ..credentials import Credentials, credentials_of
from ..lookup import Lookup, architectures_for, items_of, nodes_for, require_all, try_lookup
from ..node_settings import registries_of, why_release_unknown
from ..subjects import ContainerPull
from ..verdict import UNKNOWN, WILL_NOT_PULL, StepResult, failure, info, unknown
from .asked import PullRoute, RegistryAttempt, read_attempts, serving_attempts
from .mirrors import explain_mirrors, mirrors_of
from .pull_secrets import explain_secret_list
from .streams import resolve_image

_WRITE_IT = "Write the image with its registry's host"
_HUB = "docker.io"


@dataclass(frozen=True)
class ImageCandidates:
    """The possible meanings of an image name: `references` in the order in which they are tried. `seen` are the results of the step."""

    references: Sequence[Reference]
    seen: Sequence[StepResult] = ()


@dataclass(frozen=True)
class _NodeSettings:
    """The settings of the nodes. `registries` are None when unknown. `why` is the reason."""

    runtime: str
    registries: Sequence[str] | None = None
    why: str = ""


def resolve_short_name(subject: ContainerPull, reference: Reference, evidence: Lookup) -> ImageCandidates:
    """Return the references for the image.

    :raises ReadRequired: when the version of the cluster or its nodes have to be read first."""
    if not reference.is_short:
        return ImageCandidates([reference], [info("image", f"{subject.image} is {reference}")])
    nodes = _read_nodes(subject, evidence)
    hub = info("image", f"the kubelet looks for credentials of {reference}")
    if nodes.runtime in ("containerd", "docker"):
        return ImageCandidates(
            [reference], [hub, info("image", f"{subject.image} names no registry: {nodes.runtime} takes Docker Hub")]
        )
    if nodes.registries is None:
        return ImageCandidates([reference], [hub, unknown("image", _describe_unknown(subject.image, nodes))])
    references = candidates(subject.image, nodes.registries) or [reference]
    return ImageCandidates(references, [hub, *_explain_search(subject.image, references)])


def _explain_search(image: str, references: Sequence[Reference]) -> Iterator[StepResult]:
    hosts = [reference.host for reference in references]
    begin = f"{image} names no registry"
    if can_have_alias(image):
        text = f"{begin}: the nodes may have an alias for it, which cannot be seen from here. Without one, CRI-O asks {', '.join(hosts)}"
        yield unknown("image", f"{text}. {_WRITE_IT}")
    elif len(hosts) == 1:
        yield info("image", f"{begin}: CRI-O asks its only search registry, {hosts[0]}")
    else:
        yield info(
            "image", f"{begin}: CRI-O asks its search registries one after the other: {', '.join(hosts)}. {_WRITE_IT}"
        )
    if _HUB not in hosts:
        text = f"the kubelet uses credentials of Docker Hub, even for {', '.join(hosts)}. {_WRITE_IT}"
        yield info("image", text, ok=None)


def _read_nodes(subject: ContainerPull, evidence: Lookup) -> _NodeSettings:
    """The settings of OpenShift, whose nodes have CRI-O. Without a readable version, an image config shows that it is OpenShift.

    On other clusters, the search registries are in files of the nodes.
    """
    version, unread = try_lookup(evidence, CLUSTER_VERSION)
    if version is not None:
        return _openshift_nodes(evidence)
    found, no_nodes = nodes_for(subject, evidence)
    runtimes = {node.runtime for node in found}
    runtime = runtimes.pop() if len(runtimes) == 1 else ""
    if runtime != "cri-o":
        return _NodeSettings(runtime, why=unread or no_nodes)
    if not unread:
        return _NodeSettings(runtime)
    config, _unread = try_lookup(evidence, IMAGE_CONFIG)
    return _NodeSettings(runtime, why=unread) if config is None else _NodeSettings(runtime, search_registries(config))


def _openshift_nodes(evidence: Lookup) -> _NodeSettings:
    config, unread = try_lookup(evidence, IMAGE_CONFIG)
    return _NodeSettings("cri-o", None if unread else search_registries(config), unread)


def _describe_unknown(image: str, nodes: _NodeSettings) -> str:
    because = f". The runtime or the configuration of these nodes is not known: {nodes.why}" if nodes.why else ""
    return (
        f"{image} names no registry: containerd takes Docker Hub, CRI-O its search registries, and from version 1.34 on, except on OpenShift, "
        f"it refuses a name that several of them could have{because}. {_WRITE_IT}"
    )


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


@dataclass(frozen=True)
class RequiredSignature:
    """An image of which image policies require a signature. `why_not_asked`: the reason why no registry can be asked for it, or empty."""

    subject: ContainerPull
    reference: Reference
    requirement: SignatureRequirement
    why_not_asked: str = ""


def required_signature(subject: ContainerPull, evidence: Lookup) -> RequiredSignature | None:
    """Return the signature that the image of a container needs. None if no policy is for the image, or nothing is pulled.

    :raises ReadRequired: when more objects have to be read first.
    """
    if subject.pull_policy == "Never":
        return None
    require_all(evidence, source_refs(subject.namespace))
    policies, registries = policies_of(subject.namespace, evidence), registries_of(evidence)
    if not (policies.of_cluster or policies.of_namespace):
        return None
    reference = reference_of(resolve_image(subject, evidence).image)
    if reference is None:
        return None
    for each in resolve_short_name(subject, reference, evidence).references:
        if found := policies.requirement_for(each, registries.policy):
            why = why_outdated(policies, registries, evidence)
            if why:
                why = f"the nodes keep their previous policy files, because {why}"
            elif reference.is_short:
                why = f"{subject.image} names no registry"
            return RequiredSignature(subject, each, found, why)
    return None


def find_signature(required: RequiredSignature, evidence: Lookup) -> RegistrySignatures:
    """Return the signature at the registry that serves the image, or why it is not known.

    :raises ReadRequired: when a registry has to be asked first.
    """
    subject, reference = required.subject, required.reference
    if required.why_not_asked:
        return RegistrySignatures(None, required.why_not_asked)
    names, seen = explain_secret_list(subject, evidence)
    if seen.verdict:
        return RegistrySignatures(None, seen.reason)
    require_all(evidence, [*(ObjectRef(SECRET, subject.namespace, name) for name in names), NODE_SECRET])
    credentials = credentials_of(subject.namespace, names, reference.repository, evidence)
    if stopped := credentials.in_state("unparsable"):
        return RegistrySignatures(None, f"secret {stopped[0].name} stops every pull, because {stopped[0].detail}")
    route = PullRoute(subject, reference, credentials, mirrors_of(reference, evidence), evidence, asks=True)
    return registry_signatures(route) or RegistrySignatures(None, _why_not_served(route))


def _why_not_served(route: PullRoute) -> str:
    """The reason why no registry serves the image: the first attempt without an answer, otherwise the first refusal."""
    attempts = read_attempts(route)
    first = next((each for each in attempts if not each.is_known), next(iter(attempts), None))
    return "the image has no mirror, and its source is never contacted" if first is None else first.said
