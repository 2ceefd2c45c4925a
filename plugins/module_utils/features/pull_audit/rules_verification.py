# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about kubelets that verify whether a pod may use an image that is on its node (KEP-2535). Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Final

from ...core.documents import INFO
from ...core.objects import ObjectRef
from ...core.text import pluralize, summarize
from ...explain import fixes
from ...explain.credentials import credentials_of
from ...explain.lookup import Lookup, ReadRequired
from ...explain.node_settings import NodeGroup, NodeSettings, SettledNode
from ...explain.snapshot import PODS, WORKLOADS_READ, ClusterSnapshot, NamespaceSnapshot
from ...explain.steps.asked import PullRoute
from ...explain.steps.cached import is_free_after_pull
from ...explain.steps.mirrors import mirrors_of
from ...explain.subjects import ContainerPull
from ...images.credential_providers import CRIO_PROVIDER, node_problem
from ...images.image_verification import (
    ALWAYS_VERIFY,
    KUBEADM_CONFIG_MAP,
    NEVER_VERIFY,
    NEVER_VERIFY_ALLOWLISTED,
    USES,
    VerificationPolicy,
    decide_cached_image,
    entry_matches,
    policy_problems,
    runtime_effect,
    unmatchable_entries,
    verifies,
)
from ...images.nodes import NodeVersions, format_version
from ...images.references import Reference, reference_of
from ...platform.machine_config import MACHINE_CONFIG_POOL
from .findings import Finding
from .rules_pods import find_pods_without_login

#: Returns the repositories for which some pod has a login. Few clusters have a policy for which they must be found.
Repositories = Callable[[], frozenset[str]]

#: Maximum number of nodes, images or pods in one message.
_SHOWN = 3


def _find_runtime_faults(survey: ClusterSnapshot, _repositories: Repositories) -> Iterator[Finding]:
    """Find runtimes with which the kubelet does not find its records, so that its policy has another effect."""
    for group in survey.node_groups:
        found: dict[tuple[str, str, NodeSettings], list[str]] = {}
        for node in group.nodes:
            policy = node.settings.policy
            effect = runtime_effect(policy, node.versions) if policy else ""
            if effect:
                found.setdefault((_runtime(node.versions), effect, node.settings), []).append(node.versions.name)
        for (runtime, effect, settings), names in found.items():
            result = "pods get every image that is on the node, whatever their secrets are"
            if effect == "always_asks":
                result = "each start of a container pulls its image again"
            message = (
                f"{_nodes(names)}: the kubelet does not find its records of images that {runtime} pulled, so with its policy "
                f"{_policy(settings)}, {result}"
            )
            severity = INFO if effect == "verifies_nothing" and not settings.source else ""
            yield Finding("verification-runtime-fault", _ref(group), runtime, message, (), severity)


def _find_refused_settings(survey: ClusterSnapshot, _repositories: Repositories) -> Iterator[Finding]:
    """Find settings with which the kubelets of the nodes do not start, even before the nodes have them."""
    for group in survey.node_groups:
        if group.coming.policy is None:
            continue
        found: dict[str, list[str]] = {}
        for node in group.nodes:
            for problem in policy_problems(group.coming.policy, node.versions.kubelet) if node.versions.kubelet else ():
                found.setdefault(problem, []).append(node.versions.name)
        if found:
            names = list(dict.fromkeys(name for each in found.values() for name in each))
            message = (
                f"{_nodes(names)}: the kubelet does not start with the settings of {group.coming.source}: {'; '.join(found)}. A node does "
                "not return from the restart that brings them"
            )
            yield Finding("verification-stops-kubelet", _ref(group), "", message)


def _find_unmatched_entries(survey: ClusterSnapshot, _repositories: Repositories) -> Iterator[Finding]:
    """Find entries of allow-lists that match no image, or no image in use. The latter needs all pods and workloads."""
    images = {access.subject.image for accesses in survey.accesses.values() for access in accesses}
    is_whole = not any(what in place.unread for place in survey.places.values() for what in (PODS, WORKLOADS_READ))
    for group in survey.node_groups:
        kubelets = {node.versions.kubelet for node in group.nodes if verifies(node.versions.kubelet)} - {None}
        policy = group.coming.policy
        if policy is None or policy.effective != NEVER_VERIFY_ALLOWLISTED:
            continue
        for kubelet in sorted(each for each in kubelets if each is not None)[-1:]:
            never = unmatchable_entries(policy, kubelet)
            for entry in dict.fromkeys(policy.allow_list):
                begin = f"{entry} in the allow-list of {group.coming.source} matches no image"
                if entry in never:
                    yield Finding(
                        "verification-entry-unmatched",
                        _ref(group),
                        entry,
                        f"{begin}: it is not the beginning of an image's name",
                    )
                elif is_whole and not any(entry_matches(entry, image, kubelet) for image in images):
                    text = f"{begin} of the audited namespaces"
                    bare = {image for image in images if _is_tagged(image, entry)}
                    if bare:
                        text += f", because kubelets {kubelet[0]}.{kubelet[1]} compare it with the tag as well, as in {min(bare)}"
                    yield Finding("verification-entry-unmatched", _ref(group), entry, text, (), "" if bare else INFO)


def _is_tagged(image: str, entry: str) -> bool:
    """Whether the image is that of the entry, with a tag or digest."""
    return entry_matches(entry, image, (1, 36))


def _find_exempt_images(survey: ClusterSnapshot, repositories: Repositories) -> Iterator[Finding]:
    """Find images that pods pull with a login, and that a policy gives to each pod of the node, now or after its next restart."""
    if not survey.policies & {NEVER_VERIFY, NEVER_VERIFY_ALLOWLISTED}:
        return
    found: dict[tuple[ObjectRef, NodeSettings], dict[str, None]] = {}
    for subject in (subject for namespace in survey.places for subject, _access in survey.subject_pods(namespace)):
        node, group = survey.nodes_by_name.get(subject.node, (None, None))
        if node is None or group is None:
            continue
        # After the update, the settings of nodes with the file and those of the pool differ only in their source.
        policies = {each.policy: each for each in (group.coming, node.settings)}
        exempting = [each for each in policies.values() if _exempts(each.policy, node.versions, subject.image)]
        reference = reference_of(subject.image)
        if exempting and reference is not None and reference.repository in repositories():
            for settings in exempting:
                found.setdefault((_ref(group), settings), {})[reference.repository] = None
    for (ref, settings), exempt in found.items():
        names = sorted(exempt)
        message = (
            f"each pod on these nodes gets {summarize(names, _SHOWN)} once the image is on its node, because of the policy "
            f"{_policy(settings)}: other pods pull {'it' if len(names) == 1 else 'them'} with a login"
        )
        yield Finding("verification-exempts-private", ref, settings.source, message)


def _exempts(policy: VerificationPolicy | None, node: NodeVersions, image: str) -> bool:
    """Whether the policy itself gives the image to every pod: NeverVerify, or the allow-list."""
    if policy is None or not verifies(node.kubelet, policy.gate):
        return False
    if policy.effective not in (NEVER_VERIFY, NEVER_VERIFY_ALLOWLISTED):
        return False
    return decide_cached_image(image, node, policy).answer == USES


def _find_provided_images(survey: ClusterSnapshot) -> Iterator[Finding]:
    """Find images that pods pull with a login that only CRI-O gets, so that the kubelet gives them to each pod of the node."""
    images, namespaces = dict[str, None](), dict[str, None]()
    for namespace in survey.places:
        for subject, _access in survey.subject_pods(namespace):
            node, _group = survey.nodes_by_name.get(subject.node, (None, None))
            reference = reference_of(subject.image)
            if node is None or reference is None or not (subject.is_pulled and _records_pulls(node)):
                continue
            if _is_provided(subject, reference, survey.evidence):
                images[reference.repository] = namespaces[namespace] = None
    if images:
        message = (
            f"pods of {pluralize(len(namespaces), 'namespace')} ({summarize(sorted(namespaces), _SHOWN)}) pull "
            f"{summarize(sorted(images), _SHOWN)} with a login that only this object gives. The kubelet records a pull without a "
            f"login, so each pod on the node gets {'it' if len(images) == 1 else 'them'} then, whatever its secrets are"
        )
        yield Finding("verification-exempts-private", CRIO_PROVIDER[0], "", message)


def _records_pulls(node: SettledNode) -> bool:
    """Whether the kubelet verifies and finds its records, and its CRI-O reads the files of the provider."""
    policy = node.settings.policy or VerificationPolicy()
    is_verified = verifies(node.versions.kubelet, policy.gate) and not runtime_effect(policy, node.versions)
    return bool(is_verified) and not node_problem(node.versions)


def _is_provided(subject: ContainerPull, reference: Reference, evidence: Lookup) -> bool:
    try:
        mirrors = mirrors_of(reference, evidence)
        if mirrors is None:
            return False
        credentials = credentials_of(subject.namespace, subject.own, reference.repository, evidence)
        return is_free_after_pull(PullRoute(subject, reference, credentials, mirrors, evidence))
    except ReadRequired:  # an explanation that failed earlier did not ask for it
        return False


REFUSED_PODS: Final = "verification-refuses-pod"


def find_refused_pods(
    place: NamespaceSnapshot, survey: ClusterSnapshot, repositories: Repositories
) -> Iterator[Finding]:
    """Find pods without a login for an image that is on their node, if the kubelet's policy does not exempt preloaded images."""
    if not survey.policies & {ALWAYS_VERIFY, NEVER_VERIFY_ALLOWLISTED}:
        return
    for subject, reference in find_pods_without_login(place, survey, repositories()):
        node, group = survey.nodes_by_name.get(subject.node, (None, None))
        if node is None or group is None:
            continue
        settings = next(
            (
                each
                for each in (node.settings, group.coming)
                if _verifies_all(each.policy, node.versions, subject.image)
            ),
            None,
        )
        if settings is None:
            continue
        message = (
            f"{subject.ref} uses {subject.image}, which is on its node, without a login of its own for it: other pods have one, so the "
            f"registry may require one. The kubelet asks at the next start, because of the policy {_policy(settings)}"
        )
        fix = fixes.create_secret(place.namespace, subject.account, reference.host)
        yield Finding(REFUSED_PODS, subject.ref, subject.location, message, fix)


def _verifies_all(policy: VerificationPolicy | None, node: NodeVersions, image: str) -> bool:
    """Whether the policy verifies the image even if no kubelet has pulled it."""
    if policy is None or policy.effective not in (ALWAYS_VERIFY, NEVER_VERIFY_ALLOWLISTED):
        return False
    return bool(verifies(node.kubelet, policy.gate)) and decide_cached_image(image, node, policy).answer != USES


#: A rule that checks all nodes.
NodeCheck = Callable[[ClusterSnapshot, Repositories], Iterable[Finding]]
CLUSTER_RULES: Mapping[str, NodeCheck] = {
    "verification-stops-kubelet": _find_refused_settings,
    "verification-runtime-fault": _find_runtime_faults,
    "verification-entry-unmatched": _find_unmatched_entries,
    "verification-exempts-private": lambda survey, repositories: chain(
        _find_exempt_images(survey, repositories), _find_provided_images(survey)
    ),
}
#: All rules of this file.
VERIFICATION = (*CLUSTER_RULES, REFUSED_PODS)


def _ref(group: NodeGroup) -> ObjectRef:
    return ObjectRef(MACHINE_CONFIG_POOL, "", group.pool) if group.pool else KUBEADM_CONFIG_MAP


def _policy(settings: NodeSettings) -> str:
    name = settings.policy.effective if settings.policy else ""
    default = "the default, which is assumed" if settings.is_assumed else "the default"
    return f"{name} ({settings.source or default})"


def _nodes(names: Sequence[str]) -> str:
    return f"{pluralize(len(names), 'node')} ({summarize(sorted(names), _SHOWN)})"


def _runtime(node: NodeVersions) -> str:
    return f"{node.runtime} {format_version(node.runtime_version)}".rstrip()
