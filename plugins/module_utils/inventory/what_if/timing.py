# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a pull that breaks is missed: a container that runs goes on, and a node may have the image. Pure.

The decision of a kubelet about an image on its node is in `images/image_verification.py`. Its records are in no object, so a start on
the same node may be unknown. The versions and settings of the nodes are those after the changes.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from ...core.documents import AT_ONCE, AT_RESTART, AT_ROLLOUT, MOMENTS, ON_ANOTHER_NODE
from ...core.objects import SECRET, ObjectRef
from ...explain.credentials import credentials_of
from ...explain.lookup import Lookup, items_of, require_all, try_lookup
from ...explain.node_settings import NodeSettings, can_verify, group_nodes
from ...explain.steps.mirrors import mirrors_of
from ...explain.subjects import ContainerPull
from ...images.image_verification import (
    ASKS,
    GATE_OFF,
    NO_RECORD,
    NODES,
    POLICIES,
    UNKNOWN,
    USES,
    VERIFIES_SINCE,
    PodCredentials,
    PullRecord,
    RecordedSecret,
    RecordEntry,
    VerificationPolicy,
    decide_cached_image,
    record_key,
)
from ...images.node_registries import CLUSTER_POLICIES, IMAGE_POLICY, ImagePolicies
from ...images.nodes import NodeVersions, Version, nodes_of
from ...images.references import reference_of
from ...secrets.content import StoredSecret


@dataclass(frozen=True)
class Moment:
    """`when` is the moment at which the pull fails for certain, `possibly` an earlier one at which it may fail, empty without one.

    `reason` is a sentence.
    """

    when: str
    possibly: str
    reason: str

    @property
    def order(self) -> int:
        """The position in `MOMENTS`, the earliest first."""
        return MOMENTS.index(self.when)


_NEW_POD = Moment(
    AT_ROLLOUT, "", "the next pod that is created does not get the image, at a rollout, a scale-up or an eviction"
)
_NEW_NODES = Moment(AT_ONCE, "", "no new node has the image")
_WAITING = Moment(AT_ONCE, "", "the pod does not have its image yet")
_AT_START = Moment(
    AT_RESTART, "", "the namespace has an image policy, so the node checks the image at each start of a container"
)
_ALWAYS = Moment(AT_RESTART, "", "imagePullPolicy is Always, so the registry is asked at each start of a container")
_USED = Moment(ON_ANOTHER_NODE, "", "the node has the image and uses it for this pod, but another node does not get it")
_NOT_FOUND = Moment(
    AT_RESTART,
    "",
    "the kubelet does not find its records of images that its runtime pulled, so it asks the registry at each start of a container",
)


def _maybe_at_restart(why: str) -> Moment:
    return Moment(ON_ANOTHER_NODE, AT_RESTART, f"{why}: the next start on the same node may ask the registry")


_UNREAD = _maybe_at_restart("the image policies of the namespace could not be read")


@dataclass(frozen=True)
class NodeCaches:
    """The nodes by name, with the settings that they will have. `is_empty`: no node has an image.

    `checking`: the namespaces whose images the nodes check at each start of a container. `unread`: those whose policies could not be read.
    """

    nodes: Mapping[str, tuple[NodeVersions, NodeSettings]]
    is_empty: bool = False
    checking: Collection[str] = ()
    unread: Collection[str] = ()

    @classmethod
    def of(
        cls, evidence: Lookup, namespaces: Collection[str], *, are_nodes_read: bool = True, is_empty: bool = False
    ) -> NodeCaches:
        """Return the nodes in the evidence after the changes, or none if they could not be read.

        :raises ReadRequired: when objects have to be read first.
        """
        require_all(evidence, [CLUSTER_POLICIES, *(ObjectRef(IMAGE_POLICY, name, "") for name in namespaces)])
        found = {name: _has_policy(evidence, name) for name in namespaces}
        checking = frozenset(name for name, has_policy in found.items() if has_policy)
        unread = frozenset(name for name, has_policy in found.items() if has_policy is None)
        return cls(coming_settings(evidence) if are_nodes_read else {}, is_empty, checking, unread)

    def moment_of_next_pod(self) -> Moment:
        """Return when an image that no pod has today is missed."""
        return _NEW_NODES if self.is_empty else _NEW_POD

    def moment_of(self, subject: ContainerPull, *, is_checked: bool = False) -> Moment:
        """Return when a pull that breaks is missed. `is_checked`: the failure is one that nodes check at a start, if they check."""
        if self.is_empty or not subject.is_pod:
            return self.moment_of_next_pod()
        if not subject.is_pulled:
            return _WAITING
        if subject.pull_policy == "Always":
            return _ALWAYS
        if is_checked and subject.namespace in self.checking:
            return _AT_START
        found = self._of_cached(subject)
        return _UNREAD if is_checked and subject.namespace in self.unread and found is _USED else found

    def _of_cached(self, subject: ContainerPull) -> Moment:
        found = self.nodes.get(subject.node)
        if found is None:
            return _maybe_at_restart("the settings of its node are not known")
        versions, settings = found
        policy = settings.policy or VerificationPolicy()
        decision = decide_cached_image(subject.image, versions, policy)
        if decision.rule == GATE_OFF:
            return _USED
        if settings.policy is None:
            return _maybe_at_restart(f"the policy of its kubelet is not known, because {settings.why}")
        if settings.is_assumed and decision.answer in (USES, ASKS):
            return _maybe_at_restart("no object shows the policy of its kubelet")
        certain = {USES: _USED, ASKS: _NOT_FOUND}.get(decision.answer)
        return certain or _maybe_at_restart(
            f"with policy {policy.effective}, the kubelet decides by its own record of the image, which no object shows"
        )


#: The versions and settings of one node.
_SettledNode = tuple[NodeVersions, NodeSettings]
#: A node that may verify, if nothing is known of it.
_ANY_NODE = NodeVersions("", VERIFIES_SINCE, "", None), NodeSettings(None)


def decide_restart(
    subject: ContainerPull,
    nodes: Sequence[Mapping[str, _SettledNode]],
    states: Sequence[Lookup],
    *,
    are_settings_changed: bool,
) -> str:
    """Return the decision of the kubelet after the changes about the image of a running container: `ASKS` if the container would start today.

    `USES` if no record of the kubelet makes its next start worse than today, and `UNKNOWN` if the record decides. `nodes` are those of the two
    `states`, before the changes and after them. `are_settings_changed`: the changes are about settings of kubelets.

    :raises ReadRequired: when objects have to be read first.
    """
    before, after = (each.get(subject.node, _ANY_NODE) for each in nodes)
    secrets = [PodCredentials(_recorded_secrets(subject, state)) for state in states]
    found = {
        tuple(
            decide_cached_image(subject.image, versions, policy, own, record).answer
            for (versions, policy), own in zip(kubelets, secrets, strict=True)
        )
        for kubelets in _possible_kubelets(before, after, are_settings_changed=are_settings_changed)
        for record in _possible_records(subject.image, kubelets[0][0].kubelet or VERIFIES_SINCE, secrets[0])
    }
    later = {answers[1] for answers in found if answers[0] != ASKS}
    if (USES, ASKS) not in found and (USES, UNKNOWN) not in found:
        return USES
    return ASKS if later == {ASKS} else UNKNOWN


def _possible_kubelets(
    before: _SettledNode, after: _SettledNode, *, are_settings_changed: bool
) -> Iterable[Sequence[tuple[NodeVersions, VerificationPolicy]]]:
    """The versions and policies of a kubelet before and after the changes: each policy if no object shows it."""
    ways = [list(_possible_policies(*each)) for each in (before, after)]
    is_same = before == after and (before[1].policy is not None or not are_settings_changed)
    return zip(*ways, strict=True) if is_same else itertools.product(*ways)


def _possible_policies(
    versions: NodeVersions, settings: NodeSettings
) -> Iterator[tuple[NodeVersions, VerificationPolicy]]:
    is_known = settings.policy is not None and not settings.is_assumed
    versions = replace(versions, kubelet=versions.kubelet or VERIFIES_SINCE)
    for policy in [settings.policy] if is_known else map(VerificationPolicy, POLICIES):
        yield versions, policy or VerificationPolicy()


def _possible_records(image: str, kubelet: Version, own: PodCredentials) -> Iterator[PullRecord]:
    """The kinds of records that a kubelet can have of an image. Another secret can have the same login."""
    yield NO_RECORD
    others = RecordedSecret("", "", "", "of others")
    entries = [RecordEntry(node_accessible=True), RecordEntry((others,))]
    for each in own.secrets:
        entries += [RecordEntry((each,)), RecordEntry((replace(others, credential_hash=each.credential_hash),))]
    yield from (PullRecord({record_key(image, kubelet) or image: entry}) for entry in entries)


def _recorded_secrets(subject: ContainerPull, evidence: Lookup) -> list[RecordedSecret]:
    """The logins of a pod for its image, as a kubelet records them. A secret that cannot be read may have one."""
    reference, namespace = reference_of(subject.image), subject.namespace
    if reference is None:
        return []
    found = credentials_of(namespace, subject.own, reference.repository, evidence)
    secrets = [RecordedSecret(each.name, namespace, each.name, "") for each in found.in_state("unread")]
    for login in found.logins:
        secret = evidence.look(ObjectRef(SECRET, namespace, login.secret))
        known = hash(StoredSecret.of(secret or {}).for_kubelet.logins[login.key])
        secrets.append(RecordedSecret(login.secret, namespace, login.secret, str(known)))
    return secrets


def coming_settings(evidence: Lookup) -> Mapping[str, tuple[NodeVersions, NodeSettings]]:
    """Return the versions and settings of each node by name. Without any node that can verify, settings do not matter.

    :raises ReadRequired: when objects have to be read first.
    """
    nodes = items_of(try_lookup(evidence, NODES)[0])
    if not can_verify(nodes):
        return {name: (each, NodeSettings(VerificationPolicy())) for name, each in nodes_of(nodes).items()}
    groups = group_nodes(nodes, evidence)
    return {each.versions.name: (each.versions, group.coming) for group in groups for each in group.nodes}


def count_pulls(
    running: Iterable[ContainerPull], nodes: Mapping[str, _SettledNode], evidence: Lookup
) -> list[dict[str, Any]]:
    """Return the maximum number of pulls if all containers on these nodes start again, by the registry that the nodes ask first.

    No object shows the records of a kubelet, so the first start of each image with each list of secrets counts on each node, and later ones
    count if no record is ever found.

    :raises ReadRequired: when objects have to be read first.
    """
    found: Counter[tuple[str, str]] = Counter()
    counted = set()
    registry_of = cache(lambda image: _first_registry(image, evidence))
    for each in running:
        asks = each.node in nodes and _asks_at_start(each, nodes[each.node])
        first = (each.node, each.image, each.namespace, each.own)
        if asks and not (asks == UNKNOWN and first in counted):
            counted.add(first)
            found[registry_of(each.image), each.node] += 1
    by_registry: dict[str, list[int]] = {}
    for (registry, _node), number in found.items():
        by_registry.setdefault(registry, []).append(number)
    return [
        {"registry": registry, "pulls": sum(numbers), "of_one_node": max(numbers)}
        for registry, numbers in sorted(by_registry.items())
        if registry
    ]


def _asks_at_start(pull: ContainerPull, node: _SettledNode) -> str:
    """`ASKS` if the kubelet asks the registry at each start, `UNKNOWN` if its record decides. Empty if it never asks."""
    if pull.pull_policy in ("Always", "Never"):
        return ASKS if pull.pull_policy == "Always" else ""
    answers = {decide_cached_image(pull.image, *each).answer for each in _possible_policies(*node)}
    return ASKS if ASKS in answers else UNKNOWN if UNKNOWN in answers else ""


def _first_registry(image: str, evidence: Lookup) -> str:
    """The host that nodes ask first. Empty for an invalid name."""
    reference = reference_of(image)
    mirrors = None if reference is None else mirrors_of(reference, evidence)
    if mirrors is not None and mirrors.mirrors:
        return mirrors.mirrors[0].partition("/")[0]
    return "" if reference is None else reference.host


def _has_policy(evidence: Lookup, namespace: str) -> bool | None:
    """Whether the nodes have a policy for the images of this namespace. CRI-O then checks them again at each start.

    None if it has none in the policies that could be read, and others could not be read.
    """
    found = [try_lookup(evidence, ref) for ref in (CLUSTER_POLICIES, ObjectRef(IMAGE_POLICY, namespace, ""))]
    of_cluster, of_namespace = (items_of(listed) for listed, _why in found)
    has_policy = bool(ImagePolicies.of(of_cluster, of_namespace).of_namespace)
    return has_policy or (None if any(why for _listed, why in found) else False)
