# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a node may refuse the next start of a container that has its image. Pure.

In a namespace with an ImagePolicy, CRI-O checks the policies again at each start, also those of the cluster. It looks for signatures only
in the node's storage (CRI-O server/container_create.go, and container_create_linux.go for the mount of a volume).
"""

from __future__ import annotations

from collections.abc import Iterator

from ...core.objects import ObjectRef
from ...images.image_policies import CLUSTER_POLICIES, IMAGE_POLICY, policy_for
from ...images.references import Reference
from ..lookup import Lookup
from ..reading import items_of, try_lookup
from ..subjects import ContainerPull
from ..verdict import StepResult, info

__all__ = ["explain_restart"]


def explain_restart(subject: ContainerPull, reference: Reference, evidence: Lookup) -> Iterator[StepResult]:
    """Yield an informational step. It does not affect the verdict, which is about the image that runs.

    :raises ReadRequired: when the policies have to be read first.
    """
    if not subject.is_pulled:
        return
    refs = (CLUSTER_POLICIES, ObjectRef(IMAGE_POLICY, subject.namespace, ""))
    of_cluster, of_namespace = (items_of(try_lookup(evidence, ref)[0]) for ref in refs)
    policy = policy_for(reference, of_cluster, of_namespace) if of_namespace else None
    if policy is not None:
        text = (
            f"{policy.object} requires a signature for images in {policy.scope}. Because namespace {subject.namespace} has an ImagePolicy, "
            "the node checks this again at each start of a container, with the signatures that it stored when it pulled the image: a "
            "restart may be refused with CreateContainerError"
        )
        yield info("restart", text, ok=None)
