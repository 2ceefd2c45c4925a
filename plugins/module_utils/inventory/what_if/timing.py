# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a pull that breaks is missed: a container that runs goes on, and a node may have the image. Pure.

The decision of a kubelet about an image on its node is in `images/image_verification.py`. Its records are in no object, so a start on
the same node may be unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...core.what_if_format import AT_ONCE, AT_RESTART, AT_ROLLOUT, MOMENTS, ON_ANOTHER_NODE
from ...explain.node_settings import NodeGroup, SettledNode
from ...explain.subjects import ContainerPull
from ...images.image_verification import USES, VerificationPolicy, decide_cached_image

__all__ = ["Moment", "NodeCaches"]


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


@dataclass(frozen=True)
class NodeCaches:
    """The nodes with the settings that they will have. `is_empty`: no node has an image."""

    nodes: Mapping[str, tuple[SettledNode, NodeGroup]]
    is_empty: bool = False

    def moment_of_next_pod(self) -> Moment:
        """Return when an image that no pod has today is missed."""
        return _NEW_NODES if self.is_empty else _NEW_POD

    def moment_of(self, subject: ContainerPull, *, checks_at_start: bool = False) -> Moment:
        """Return when a pull that breaks is missed. `checks_at_start`: the failure is one that nodes check at each start."""
        if self.is_empty or not subject.is_pod:
            return self.moment_of_next_pod()
        if not subject.is_pulled:
            return _WAITING
        if subject.pull_policy == "Always":
            return _ALWAYS
        return _AT_START if checks_at_start else self._of_cached(subject)

    def _of_cached(self, subject: ContainerPull) -> Moment:
        found = self.nodes.get(subject.node)
        if found is None:
            why = "the settings of its node are not known"
            return Moment(
                ON_ANOTHER_NODE, AT_RESTART, f"{why}, so the next start on the same node may ask the registry"
            )
        node, group = found
        policy = group.coming.policy or VerificationPolicy()
        decision = decide_cached_image(subject.image, node.versions, policy)
        if decision.answer == USES:
            return _USED
        why = (
            f"with policy {policy.effective}, the kubelet decides by its own record of the image, which no object shows"
        )
        return Moment(ON_ANOTHER_NODE, AT_RESTART, f"{why}: the next start on the same node may ask the registry")
