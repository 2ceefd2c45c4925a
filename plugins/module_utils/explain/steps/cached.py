# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether an image that is already on a node can be used: the kubelet's policy, its version and the runtime's defaults, also at the next start. Pure.

KEP-2535 (`images/image_verification.py`). No object shows the kubelet's records of the images that it has pulled.

In a namespace with an ImagePolicy, CRI-O checks the policies again at each start, also those of the cluster with its allowed and blocked
registries. It looks for signatures only in the node's storage (CRI-O server/container_create.go, and container_create_linux.go for the
mount of a volume).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from ...core.objects import ObjectRef
from ...core.text import join_and, summarize
from ...images.credential_providers import CRIO_PROVIDER, node_problem
from ...images.image_verification import (
    ALLOW_LISTED,
    ALPHA_GATE,
    ASKS,
    GATE_OFF,
    INVALID_POLICY,
    NEVER_VERIFIED,
    NEVER_VERIFY_PRELOADED,
    RECORD_NEVER_FOUND,
    SECRET_LIMIT,
    UNKNOWN_RECORD,
    UNKNOWN_VERSION,
    USES,
    CacheDecision,
    VerificationPolicy,
    decide_cached_image,
    entry_matches,
    finds_records,
    lists_image,
    record_key,
)
from ...images.node_registries import CLUSTER_POLICIES, IMAGE_POLICY, ImagePolicies
from ...images.nodes import NodeVersions, format_version, kinds_of, nodes_of
from ...images.pull_messages import PullAttempt
from ...images.references import Reference
from ...platform.protected import NODE_SECRET
from ..lookup import Lookup, items_of, node_objects_for, refs_of_nodes, try_lookup
from ..node_settings import NodeSettings, SettledNode, can_verify, registries_of, settings_of_nodes
from ..subjects import ContainerPull
from ..verdict import UNKNOWN, UNTESTED, WILL_NOT_PULL, StepResult, failure, info, unknown
from .asked import PullRoute
from .sources import SIGNATURE, policies_of

#: The steps whose failures also prevent a start from the image of the node, if the namespace has an ImagePolicy (`restart`).
_AT_START = ("registries", SIGNATURE)
#: Maximum number of nodes in one message.
_SHOWN = 3

#: The kubelet pulls at every start, which `imagePullPolicy: Never` forbids.
_REFUSED = CacheDecision(ASKS, RECORD_NEVER_FOUND)

_PULLED_BEFORE = (
    "without a login, with the nodes' own, with the same login, with the same secret while fewer than "
    f"{SECRET_LIMIT} secrets have pulled it, or with a credential provider's login for the same service account"
)


def cache_refs(subject: ContainerPull) -> Sequence[ObjectRef]:
    """Return the objects that `cached` needs first."""
    return refs_of_nodes(subject) if _is_relevant(subject) else ()


def is_free_after_pull(route: PullRoute) -> bool:
    """Whether a pull makes the image free for each pod of the node: the kubelet sends no login, and CRI-O has one from its provider.

    The kubelet then records a pull without a login.

    :raises ReadRequired: when more objects have to be read first.
    """
    credentials, mirrors = route.credentials, route.mirrors
    is_known = not (credentials.in_state("unparsable") or credentials.in_state("unread"))
    if mirrors is None or credentials.logins or not is_known or route.provider is None:
        return False
    places = [*mirrors.mirrors, *(() if mirrors.never_source else (str(route.reference),))]
    keys = (route.key_for(place) for place in places)
    return any(key.is_usable and key.secret != NODE_SECRET for key in keys)


def explain_cache(subject: ContainerPull, evidence: Lookup, route: PullRoute | None = None) -> Iterator[StepResult]:
    """Yield informational steps when one pod or workload is explained. They do not affect the verdict. `ok` is true if a node that has the
    image gives it to the pod, and false if it never does so. `route`: the facts about its pull, if it can pull.

    :raises ReadRequired: when the nodes or their settings have to be read first.
    """
    if not _is_relevant(subject):
        return
    begin = f"imagePullPolicy is {subject.pull_policy or 'IfNotPresent'}"
    if _is_listed(subject, evidence):
        begin += f", and node {subject.node} has the image"
    if subject.is_pulled:
        begin = "the container has its image, but that does not mean that the next pod can pull it"
    nodes, unread = _settled_nodes(subject, evidence)
    if not nodes:
        because = f": {unread}" if unread else ""
        text = f"kubelets from 1.35 on verify that a pod may use the image on its node. The version of these kubelets is not known{because}"
        yield info("cached", f"{begin}: {text}", ok=None)
    found: dict[tuple[str, bool | None], list[str]] = {}
    for node in nodes:
        found.setdefault(_describe(subject, node), []).append(node.versions.name)
    for (text, ok), names in found.items():
        where = f"on {summarize(names, _SHOWN)}, " if len(found) > 1 else ""
        yield info("cached", f"{begin}: {where}{text}", ok=ok)
    records = any(_records_pulls(subject, node) for node in nodes)
    if route is not None and records and is_free_after_pull(route):
        text = f"the kubelet does not know the login that {CRIO_PROVIDER[0]} gives for the image, so it records a pull without a login"
        yield info("cached", f"{text}: each pod on that node gets the image then, whatever its secrets are", ok=None)


def explain_never(subject: ContainerPull, told: PullAttempt | None, evidence: Lookup) -> Iterator[StepResult]:
    """Yield the result for `imagePullPolicy: Never`, where nothing is pulled."""
    begin = "imagePullPolicy is Never: nothing is pulled"
    if told is not None:
        yield failure("node", f"{begin}, and the node says: {told.text}. {told.rule.fix}")
        return
    seen = list(explain_cache(subject, evidence))
    if subject.is_pulled:
        yield from seen
    elif seen and all(each.step is not None and each.step.ok is False for each in seen):
        yield from (
            replace(each, verdict=WILL_NOT_PULL, reason=each.step.seen) for each in seen if each.step is not None
        )
    elif not _is_listed(subject, evidence):
        yield unknown("cached", f"{begin}, and whether the node has the image cannot be seen from here")
        yield from seen
    else:
        if not all(each.step is not None and each.step.ok for each in seen):
            doubt = "whether its kubelet gives it to this pod is not known"
            yield unknown("cached", f"{begin}. Node {subject.node} has the image, and {doubt}")
        yield from seen


def judge_present_image(subject: ContainerPull, way: Sequence[StepResult], evidence: Lookup) -> Iterator[StepResult]:
    """Yield the results of a pull as they count for a pod whose node has the image: they matter only if the kubelet pulls.

    :raises ReadRequired: when the nodes or their settings have to be read first.
    """
    nodes = _settled_nodes(subject, evidence)[0] if _is_listed(subject, evidence) else ()
    if not nodes or _decide(subject, nodes[0]).answer == ASKS:
        yield from way
        return
    text, is_given = _describe(subject, nodes[0])
    begin = f"node {subject.node} has the image"
    if is_given:
        yield StepResult(None, "", f"{begin}: {text}")
    at_start = _AT_START if policies_of(subject.namespace, evidence).of_namespace else ()
    fails = any(each.verdict == WILL_NOT_PULL for each in way)
    for each in way:
        is_of_pull = each.verdict in (WILL_NOT_PULL, UNKNOWN, UNTESTED) and (
            each.step is None or each.step.name not in at_start
        )
        if not is_of_pull or not (is_given or fails):
            yield each
        elif is_given or each.verdict != WILL_NOT_PULL:
            yield replace(each, verdict="", reason="", fix=())
        else:
            doubt = f"{begin}, and whether its kubelet gives it to this pod is not known. If it does not: {each.reason}"
            yield replace(each, verdict=UNKNOWN, reason=doubt)


def _is_relevant(subject: ContainerPull) -> bool:
    """If the node reports anything about the pull, it had no image for this pod."""
    return subject.is_asked_alone and subject.pull_policy != "Always" and not subject.reason


def _is_listed(subject: ContainerPull, evidence: Lookup) -> bool:
    """Whether the node of the pod lists the image. If it does not, the image may still be there."""
    if not (_is_relevant(subject) and subject.node):
        return False
    nodes, _unread = node_objects_for(subject, evidence)
    return any(lists_image(node, subject.image) for node in nodes)


def _settled_nodes(subject: ContainerPull, evidence: Lookup) -> tuple[Sequence[SettledNode], str]:
    """The nodes on which a pod may run, with their settings. The settings are read only if a kubelet can verify."""
    objects, unread = node_objects_for(subject, evidence)
    if can_verify(objects):
        return settings_of_nodes(objects, evidence), unread
    kinds = kinds_of(nodes_of(objects).values())
    return [SettledNode(node, NodeSettings(VerificationPolicy())) for node in kinds], unread


def _records_pulls(subject: ContainerPull, node: SettledNode) -> bool:
    """Whether the node may have a record of the image that decides, and its CRI-O reads the files of the provider."""
    return _decide(subject, node).rule == UNKNOWN_RECORD and not node_problem(node.versions)


def _decide(subject: ContainerPull, node: SettledNode) -> CacheDecision:
    return decide_cached_image(subject.image, node.versions, node.settings.policy or VerificationPolicy())


def _describe(subject: ContainerPull, node: SettledNode) -> tuple[str, bool | None]:
    """The sentence for one node, and whether the pod gets the image there: None if that is not known."""
    versions, policy, decision = node.versions, node.settings.policy, _decide(subject, node)
    text = _describe_decision(subject, versions, policy or VerificationPolicy(), decision)
    is_used = decision.answer == USES
    is_refused = decision == _REFUSED and subject.pull_policy == "Never"
    if is_used and subject.pull_policy != "Never":
        text += ". On another node it is pulled"
    if policy is None:
        default = f"which policy this kubelet has is not known: {node.settings.why}. With its default, {NEVER_VERIFY_PRELOADED}"
        return f"{default}, {text}", None
    if decision.rule in (GATE_OFF, INVALID_POLICY) and not node.settings.source:
        return text, is_used or None
    if node.settings.is_assumed:
        return f"{text}. No object shows its policy: {policy.effective}, its default, is assumed", None
    origin = f"as {node.settings.source} sets" if node.settings.source else "the kubelet's default"
    return f"{text}. Its policy is {policy.effective}, {origin}", False if is_refused else is_used or None


def _describe_decision(
    subject: ContainerPull, node: NodeVersions, policy: VerificationPolicy, decision: CacheDecision
) -> str:
    rule, each = decision.rule, "a pod on a node that has the image gets it whatever its secrets are"
    if rule == GATE_OFF:
        why = (
            "its feature gate KubeletEnsureSecretPulledImages is off"
            if policy.gate is False
            else "the kubelet is older than 1.35"
        )
        return f"{why}, so {each}"
    if rule == NEVER_VERIFIED:
        return f"the kubelet does not verify, so {each}"
    if rule == ALLOW_LISTED:
        entry = next(
            entry for entry in policy.allow_list if entry_matches(entry, subject.image, node.kubelet or (1, 36))
        )
        return f"the allow-list of the kubelet has {entry}, so {each}"
    if rule == RECORD_NEVER_FOUND:
        effect = each if decision.answer == USES else _effect_of_missed_records(subject, node)
        return f"the kubelet does not find its records of images that {_runtime(node)} pulled, so {effect}"
    if rule == UNKNOWN_VERSION:
        return "kubelets from 1.35 on verify that a pod may use the image on its node. The version of this kubelet is not known"
    if rule == ALPHA_GATE:
        return f"the kubelet is older than 1.35, but its feature gate is on, so it may give a pod the image only if it was pulled {_PULLED_BEFORE}"
    if rule == INVALID_POLICY:
        return f"the kubelet does not start with the policy {policy.name}, which it does not know"
    return _describe_unknown_record(subject, node, policy)


def _effect_of_missed_records(subject: ContainerPull, node: NodeVersions) -> str:
    if subject.pull_policy == "Never":
        return f"it refuses every start. Change imagePullPolicy, or update {_name(node)}"
    return "it pulls the image again at every start"


def _describe_unknown_record(subject: ContainerPull, node: NodeVersions, policy: VerificationPolicy) -> str:
    key = record_key(subject.image, node.kubelet) if node.kubelet else None
    condition = f"it was pulled{f' as {key}' if key else ''} {_PULLED_BEFORE}"
    if policy.effective == NEVER_VERIFY_PRELOADED:
        condition = f"no kubelet has pulled it there, or if {condition}"
    text = f"this kubelet gives a pod the image on its node only if {condition}. Its record of that cannot be seen from here"
    if node.runtime == "cri-o" and finds_records(node) is None:
        text += f", and whether it finds records depends on the patch number of {_runtime(node)}"
    return text


def _runtime(node: NodeVersions) -> str:
    return f"{_name(node)} {format_version(node.runtime_version)}".rstrip()


def _name(node: NodeVersions) -> str:
    return "CRI-O" if node.runtime == "cri-o" else node.runtime


def explain_restart(subject: ContainerPull, reference: Reference, evidence: Lookup) -> Iterator[StepResult]:
    """Yield an informational step. It does not affect the verdict, which is about the image that runs.

    :raises ReadRequired: when the policies have to be read first.
    """
    if not subject.is_pulled:
        return
    of_namespace = items_of(try_lookup(evidence, ObjectRef(IMAGE_POLICY, subject.namespace, ""))[0])
    policies = ImagePolicies.of(items_of(try_lookup(evidence, CLUSTER_POLICIES)[0]), of_namespace)
    if not policies.of_namespace:
        return
    registries = registries_of(evidence)
    because = f"Because namespace {subject.namespace} has an ImagePolicy, the node checks this again at each start of a container"
    required = policies.requirement_for(reference, registries.policy)
    if required is not None:
        verb = "requires" if len(required.objects) == 1 else "each require"
        text = (
            f"{join_and(required.objects)} {verb} a signature for images in {required.scope}. {because}, with the signatures that it stored when it "
            "pulled the image: a restart may be refused with CreateContainerError"
        )
        yield info("restart", text, ok=None)
    if why := registries.why_rejected(reference.repository):
        yield info("restart", f"{why}. {because}: the next start is refused with CreateContainerError", ok=False)
