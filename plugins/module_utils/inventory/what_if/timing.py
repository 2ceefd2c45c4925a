# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a pull that breaks is missed: a container that runs goes on, and a node may have the image. Pure.

The decision of a kubelet about an image on its node is in `images/image_verification.py`. Its records are in no object, so a start on
the same node may be unknown. The versions and settings of the nodes are those after the changes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from ...core.objects import ObjectRef
from ...core.what_if_document import AT_ONCE, AT_RESTART, AT_ROLLOUT, MOMENTS, ON_ANOTHER_NODE
from ...explain.lookup import Lookup, items_of, require_all, try_lookup
from ...explain.node_settings import NodeSettings, can_verify, group_nodes
from ...explain.subjects import ContainerPull
from ...images.image_verification import ASKS, GATE_OFF, UNKNOWN, USES, VerificationPolicy, decide_cached_image
from ...images.kubelet_settings import NODES
from ...images.node_registries import CLUSTER_POLICIES, IMAGE_POLICY, ImagePolicies
from ...images.nodes import NodeVersions, nodes_of

__all__ = ["Moment", "NodeCaches", "coming_settings"]


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

    def decide(self, subject: ContainerPull) -> str:
        """Return whether the node of a pod uses its image: `USES`, `ASKS` or `UNKNOWN`."""
        versions, settings = self.nodes.get(subject.node, (None, None))
        if versions is None or settings is None:
            return UNKNOWN
        found = decide_cached_image(subject.image, versions, settings.policy or VerificationPolicy())
        is_known = found.rule == GATE_OFF or not (settings.policy is None or settings.is_assumed)
        return found.answer if is_known else UNKNOWN

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


def coming_settings(evidence: Lookup) -> Mapping[str, tuple[NodeVersions, NodeSettings]]:
    """Return the versions and settings of each node by name. Without any node that can verify, settings do not matter.

    :raises ReadRequired: when objects have to be read first.
    """
    nodes = items_of(try_lookup(evidence, NODES)[0])
    if not can_verify(nodes):
        return {name: (each, NodeSettings(VerificationPolicy())) for name, each in nodes_of(nodes).items()}
    groups = group_nodes(nodes, evidence)
    return {each.versions.name: (each.versions, group.coming) for group in groups for each in group.nodes}


def _has_policy(evidence: Lookup, namespace: str) -> bool | None:
    """Whether the nodes have a policy for the images of this namespace. CRI-O then checks them again at each start.

    None if it has none in the policies that could be read, and others could not be read.
    """
    found = [try_lookup(evidence, ref) for ref in (CLUSTER_POLICIES, ObjectRef(IMAGE_POLICY, namespace, ""))]
    of_cluster, of_namespace = (items_of(listed) for listed, _why in found)
    has_policy = bool(ImagePolicies.of(of_cluster, of_namespace).of_namespace)
    return has_policy or (None if any(why for _listed, why in found) else False)
