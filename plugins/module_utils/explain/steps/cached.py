# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether an image that is already on a node can be used: from Kubernetes 1.35 on, the kubelet checks the pod's access again. Pure.

KEP-2535, pkg/kubelet/images/pullmanager: another pod may use it if it was pulled without a login, with the nodes' own login, with the
same login, or with the same secret.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...core.objects import ObjectRef
from ...images.node_versions import Version
from ...images.pull_messages import PullAttempt
from ..lookup import Lookup
from ..reading import nodes_for, refs_of_nodes
from ..subjects import ContainerPull
from ..verdict import StepResult, failure, info, unknown

__all__ = ["cache_refs", "explain_cache", "explain_never"]

#: First version of the kubelet that checks again.
_CHECKS_SINCE: Version = (1, 35)

_ONLY = "only if it was pulled without a login, with the nodes' own, with the same login, or with the same secret"


def cache_refs(subject: ContainerPull) -> Sequence[ObjectRef]:
    """Return the objects that `cached` needs."""
    return refs_of_nodes(subject) if _is_relevant(subject) else ()


def explain_cache(subject: ContainerPull, evidence: Lookup) -> Iterator[StepResult]:
    """Yield an informational step when one pod or workload is explained. It does not affect the verdict.

    :raises ReadRequired: when the nodes have to be read first.
    """
    if not _is_relevant(subject):
        return
    begin = f"imagePullPolicy is {subject.pull_policy or 'IfNotPresent'}"
    if subject.is_pulled:
        begin = "the container has its image, but that does not mean that the next pod can pull it"
    checks, unread = _cache_check(subject, evidence)
    if checks is None:
        because = f": {unread}" if unread else ""
        text = f"{begin}: kubelets from 1.35 on give a pod the image on its node {_ONLY}. The version of these kubelets is not known{because}"
        yield info("cached", text, ok=None)
    elif checks:
        yield info("cached", f"{begin}: this kubelet gives a pod the image on its node {_ONLY}", ok=None)
    else:
        text = "the kubelet is older than 1.35, so a pod on a node that has the image gets it whatever its secrets are"
        yield info("cached", f"{begin}: {text}. On another node it is pulled")


def explain_never(subject: ContainerPull, told: PullAttempt | None, evidence: Lookup) -> Iterator[StepResult]:
    """Yield the result for `imagePullPolicy: Never`, where nothing is pulled."""
    begin = "imagePullPolicy is Never: nothing is pulled"
    if told is not None:
        yield failure("node", f"{begin}, and the node says: {told.text}. {told.rule.fix}")
        return
    if not subject.is_pulled:
        yield unknown("cached", f"{begin}, and whether the node has the image cannot be seen from here")
    yield from explain_cache(subject, evidence)


def _is_relevant(subject: ContainerPull) -> bool:
    """If the node reports anything about the pull, it had no image for this pod."""
    return subject.is_asked_alone and subject.pull_policy != "Always" and not subject.reason


def _cache_check(subject: ContainerPull, evidence: Lookup) -> tuple[bool | None, str]:
    """Whether a kubelet on which a pod may run checks again. None when a version is unknown, with the reason."""
    found, unread = nodes_for(subject, evidence)
    versions = [node.kubelet for node in found]
    if any(version is not None and version >= _CHECKS_SINCE for version in versions):
        return True, ""
    return (None, unread) if not versions or None in versions else (False, "")
