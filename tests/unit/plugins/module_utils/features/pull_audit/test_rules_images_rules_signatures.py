# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images without a required signature are findings. Images that were not asked for, or without an answer, are reported."""

from __future__ import annotations

from typing import Any

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import POD, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.snapshot import (
    ClusterSnapshot,
    ImageSignature,
    SignedImage,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.steps.sources import (
    RegistrySignatures,
    RequiredSignature,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.subjects import ContainerPull
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_audit.checks import Audit
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_audit.findings import PullAudit
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_audit.rules_images import (
    IMAGE_UNSIGNED,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_questions import RegistryAccess
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.node_registries import (
    SignatureRequirement,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.references import reference_of
from support.surveyed import found_by, place, survey

ASKED = RegistryAccess()
MISSING = RegistrySignatures(True, "registry q.io has no signature of q.io/app:v1 that nodes read")


def signature(
    found: RegistrySignatures | None, image: str = "q.io/app:v1", others: int = 0, namespace: str = "a"
) -> ImageSignature:
    user, reference = ObjectRef(POD, namespace, "app"), reference_of(image)
    assert reference is not None
    subject = ContainerPull(user, "default", (), "c", image, True)
    required = RequiredSignature(subject, reference, SignatureRequirement(["cluster image policy signed"], "q.io"))
    return ImageSignature(SignedImage(user, "c", others, [required]), found)


def seen(**signatures: Any) -> ClusterSnapshot:
    return survey(*map(place, signatures), signatures=signatures)


def unknown(**signatures: Any) -> list[str]:
    audit = Audit(PullAudit(rules=(IMAGE_UNSIGNED,), registries=ASKED), seen(**signatures))
    assert audit.findings == []
    return list(audit.unread_sentences())


def test_an_image_without_a_signature_is_a_finding() -> None:
    (found,) = found_by(IMAGE_UNSIGNED, seen(a=[signature(MISSING, others=2)]), registries=ASKED)
    assert (found.ref, found.location, found.effective_severity, found.fix) == (
        ObjectRef(POD, "a", "app"),
        "c",
        "warning",
        (),
    )
    assert found.message == (
        "q.io/app:v1 of pod a/app and 2 other objects: cluster image policy signed requires a signature for images in q.io, but registry "
        "q.io has no signature of q.io/app:v1 that nodes read"
    )
    (alone,) = found_by(IMAGE_UNSIGNED, seen(a=[signature(MISSING)]), registries=ASKED)
    assert alone.message.startswith("q.io/app:v1 of pod a/app: cluster image policy")


def test_a_signed_image_is_not_reported() -> None:
    assert unknown(a=[signature(RegistrySignatures(False, "registry q.io has a signature"))]) == []


def test_images_that_were_not_asked_for_are_reported_with_their_namespaces() -> None:
    assert unknown(a=[signature(None)] * 3, b=[signature(None, namespace="b")]) == [
        "whether 4 images of namespaces a, b have the signature that a policy requires is not known: one audit asks for 2,000 images, and "
        "shares them evenly among the namespaces. Audit these namespaces in a run of their own"
    ]


def test_images_without_an_answer_are_reported_with_the_first_reason() -> None:
    first, second = (RegistrySignatures(None, f"registry {name} is silent") for name in "xy")
    assert unknown(a=[signature(first, "x.io/z:1"), signature(second)]) == [
        "whether 2 images of namespace a have the signature that a policy requires is not known. For x.io/z:1: registry x is silent"
    ]


def test_without_an_answer_of_registries_the_rule_is_not_applied() -> None:
    audit = Audit(PullAudit(), seen(a=[]))
    assert IMAGE_UNSIGNED not in audit.rules
    assert IMAGE_UNSIGNED in Audit(PullAudit(registries=ASKED), seen(a=[])).rules
