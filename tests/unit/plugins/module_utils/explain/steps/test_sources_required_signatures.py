# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The images that need a signature are found, and the registry that serves them is asked, whether or not a node has them already."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import ImagePullError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SERVICE_ACCOUNT, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import Lookup, ReadRequired
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.steps.sources import (
    RegistrySignatures,
    RequiredSignature,
    find_signature,
    required_signature,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.subjects import ContainerPull
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_questions import SIGNATURE_QUESTION
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.node_registries import CLUSTER_POLICIES
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.registry_sources import IMAGE_CONFIG
from support.pull_evidence import AUTH, GOOD, IMAGE, REFUSED, known, mirrored, openshift, pod, secret, template

POLICY = {"metadata": {"name": "signed"}, "spec": {"scopes": ["q.io/team"]}}
SIGNED = {CLUSTER_POLICIES: {"items": [POLICY]}}


def required(subject: ContainerPull, more: dict[ObjectRef, Any] | None = None) -> RequiredSignature | None:
    return required_signature(subject, Lookup(known(more={**SIGNED, **(more or {})}, good=GOOD)))


def found(
    subject: ContainerPull, pulls: str = "pulls", outcome: str = "unsigned", **secrets: Any
) -> RegistrySignatures:
    """The answer if each registry gives these outcomes."""
    more = {**SIGNED, **secrets.pop("more", {})}
    evidence = Lookup(known(more=more, **{"good": GOOD, **secrets}))
    needed = required_signature(subject, evidence)
    assert needed is not None
    while True:
        try:
            return find_signature(needed, evidence)
        except ReadRequired:
            for ref in evidence.take_wanted():
                platforms = [{"architecture": "", "outcome": outcome, "message": f"it is {outcome}"}]
                answer = {"outcome": pulls, "message": f"said {pulls}"}
                evidence.add({ref: {**answer, "platforms": platforms} if ref.kind == SIGNATURE_QUESTION else answer})


class TestRequired:
    @pytest.mark.parametrize("subject", [pod("good"), pod("good", pulled=True), template("good")])
    def test_an_image_in_the_scope_of_a_policy_needs_a_signature(self, subject: ContainerPull) -> None:
        needed = required(subject)
        assert needed is not None
        assert (str(needed.reference), needed.why_not_asked) == (IMAGE, "")
        assert str(needed.requirement) == "cluster image policy signed requires a signature for images in q.io/team"

    @pytest.mark.parametrize("image", ["q.io/other/app:v1", "UPPER", "docs/app"])
    def test_other_images_need_none(self, image: str) -> None:
        assert required(pod(image=image), openshift("4.20.1", "x.io")) is None

    def test_an_image_that_is_never_pulled_needs_none(self) -> None:
        assert required(pod("good", pull_policy="Never")) is None

    def test_policies_that_cannot_be_read_require_nothing(self) -> None:
        """The audit reports the objects that it cannot read."""
        assert required(pod("good"), {CLUSTER_POLICIES: REFUSED}) is None

    def test_a_name_without_a_registry_is_not_asked_for(self) -> None:
        needed = required(pod(image="team/app:v1"), openshift("4.20.1", "q.io"))
        assert needed is not None
        assert needed.why_not_asked == "team/app:v1 names no registry"

    def test_nodes_with_previous_files_leave_it_open(self) -> None:
        config = {"spec": {"registrySources": {"allowedRegistries": ["x.io"]}}}
        needed = required(pod("good"), {IMAGE_CONFIG: config})
        assert needed is not None
        assert needed.why_not_asked.startswith(
            "the nodes keep their previous policy files, because cluster image policy"
        )
        assert find_signature(needed, Lookup()) == RegistrySignatures(None, needed.why_not_asked)


class TestFound:
    @pytest.mark.parametrize(
        ("outcome", "fails"), [("unsigned", True), ("refused", True), ("signed", False), ("unknown", None)]
    )
    def test_the_registry_that_serves_the_image_is_asked(self, outcome: str, fails: bool | None) -> None:
        assert found(pod("good", pulled=True), outcome=outcome) == RegistrySignatures(fails, f"it is {outcome}")

    def test_a_missing_signature_at_a_mirror_is_reported_with_the_way_to_copy_it(self) -> None:
        answer = found(pod("good"), more=mirrored("m.io/x"))
        assert answer.said.startswith("it is unsigned. Copy the signatures together with the image")

    def test_an_image_that_no_registry_gives_leaves_it_open(self) -> None:
        assert found(pod("good"), pulls="bad_login") == RegistrySignatures(None, "said bad_login")
        assert found(pod("good"), pulls="not_sent") == RegistrySignatures(None, "said not_sent")

    def test_an_image_without_a_place_is_not_asked_for(self) -> None:
        digest = f"q.io/team/app@sha256:{'0' * 64}"
        answer = found(pod("good", image=digest), more=mirrored("m.io/x", only=True))
        assert answer == RegistrySignatures(None, "the image has no mirror, and its source is never contacted")

    def test_a_secret_that_stops_every_pull_leaves_it_open(self) -> None:
        answer = found(pod("bad"), bad=secret({"q.io": AUTH, "x.io": {"auth": "?"}}))
        assert answer.fails is None
        assert answer.said.startswith("secret bad stops every pull, because")

    def test_an_account_that_cannot_be_read_leaves_it_open(self) -> None:
        account = ObjectRef(SERVICE_ACCOUNT, "ns", "default")
        answer = found(template(), more={account: ImagePullError("no right")})
        assert answer == RegistrySignatures(None, "the list of service account ns/default is not known: no right")
