# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a node may refuse the next start of a container that has its image. Pure.

In a namespace with an ImagePolicy, CRI-O checks the policies again at each start, also those of the cluster with its allowed and blocked
registries. It looks for signatures only in the node's storage (CRI-O server/container_create.go, and container_create_linux.go for the
mount of a volume).
"""

from __future__ import annotations

from collections.abc import Iterator

from ...core.objects import ObjectRef
from ...core.text import join_and
from ...images.node_registries import CLUSTER_POLICIES, IMAGE_POLICY, ImagePolicies
from ...images.references import Reference
from ..lookup import Lookup, items_of, try_lookup
from ..node_settings import registries_of
from ..subjects import ContainerPull
from ..verdict import StepResult, info

__all__ = ["explain_restart"]


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
