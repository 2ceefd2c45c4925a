# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Blocked and allowed registries and signature policies are reported, including the unreadable ones."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.credentials import credentials_of
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import Lookup
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.steps.sources import (
    explain_sources,
    source_refs,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.node_registries import (
    CLUSTER_POLICIES,
    IMAGE_POLICY,
    KNOWN_IMAGE_POLICIES,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.references import reference_of
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.registry_sources import (
    IMAGE_CONFIG,
    network_ref,
)
from support.pull_evidence import DIGEST_SETS, GOOD, REFUSED, TAG_SETS, known, mirrored, pod, steps, summary, told

INTEGRATED = "image-registry.openshift-image-registry.svc:5000"
POLICY = {"metadata": {"name": "signed"}, "spec": {"scopes": ["q.io/team"]}}
SIGNED = {CLUSTER_POLICIES: {"items": [POLICY]}}


def why_not(image: str, **registry_sources: Any) -> list[str]:
    reference = reference_of(image)
    assert reference is not None
    evidence = Lookup(known(more={IMAGE_CONFIG: {"spec": {"registrySources": registry_sources}}}))
    credentials = credentials_of("ns", (), reference.repository, evidence)
    return [seen.reason for seen in explain_sources(pod(), reference, None, evidence, credentials).seen]


class TestRegistries:
    def test_the_integrated_registry_must_be_allowed_like_any_other(self) -> None:
        image = f"{INTEGRATED}/a/b:c"
        assert "has no entry for it" in why_not(image, allowedRegistries=["q.io"])[0]
        assert why_not(image, allowedRegistries=["q.io", INTEGRATED]) == []

    def test_an_insecure_registry_is_allowed(self) -> None:
        assert why_not("q.io/a", insecureRegistries=["q.io"]) == []


class TestSignatures:
    def test_a_required_signature_leaves_a_doubt(self) -> None:
        assert summary(told(pod("good"), known(more=SIGNED, good=GOOD))) == (
            "unknown",
            "cluster image policy signed requires a signature for images in q.io/team: whether the image has the right one cannot be seen from "
            "here",
        )

    def test_a_required_signature_is_the_cause_if_the_node_reports_it(self) -> None:
        text = "Source image rejected: A signature was required, but no signature exists"
        found = told(pod("good", says=text), known(more=SIGNED, good=GOOD))
        assert summary(found) == (
            "will_not_pull",
            f"cluster image policy signed requires a signature for images in q.io/team, and the node says: {text}",
        )
        assert found.cause == "signature"

    def test_an_image_policy_of_the_namespace_is_named(self) -> None:
        own = {**POLICY, "metadata": {"name": "own", "namespace": "ns"}}
        found = told(pod("good"), known(more={ObjectRef(IMAGE_POLICY, "ns", ""): {"items": [own]}}, good=GOOD))
        assert found.reason.startswith("image policy ns/own requires a signature")

    def test_all_policies_of_a_scope_are_named(self) -> None:
        both = [POLICY, {**POLICY, "metadata": {"name": "too"}}]
        found = told(pod("good"), known(more={CLUSTER_POLICIES: {"items": both}}, good=GOOD))
        assert found.reason.startswith(
            "cluster image policy signed and cluster image policy too each require a signature for images in q.io/team"
        )

    def test_a_policy_of_the_namespace_inside_one_of_the_cluster_is_reported_and_not_used(self) -> None:
        own = {"metadata": {"name": "own", "namespace": "ns"}, "spec": {"scopes": ["q.io/team/app"]}}
        found = told(
            pod("good"), known(more={**SIGNED, ObjectRef(IMAGE_POLICY, "ns", ""): {"items": [own]}}, good=GOOD)
        )
        assert found.reason.startswith("cluster image policy signed requires")
        assert steps(found, "signature")[0] == (
            "signature",
            "scope q.io/team/app of image policy ns/own is not used: cluster image policy signed has q.io/team, which covers it",
            True,
        )

    def test_a_policy_outside_the_allowed_registries_leaves_the_nodes_with_their_previous_files(self) -> None:
        """The pull is not allowed by the objects, but the nodes do not have them."""
        config = {"spec": {"registrySources": {"allowedRegistries": ["x.io"]}}}
        found = told(pod("good"), known(more={**SIGNED, IMAGE_CONFIG: config}, good=GOOD))
        text = (
            "the nodes keep their previous registry and policy files, because cluster image policy signed has scope q.io/team, which is not "
            "inside allowedRegistries in registrySources of image config cluster: the registries that they allow are not known"
        )
        assert summary(found) == ("unknown", text)
        assert steps(found, "registries", "signature", "configuration") == [("configuration", text, None)]

    @pytest.mark.parametrize(("allowed", "verdict"), [(["q.io"], "unknown"), ([], "pulls")], ids=str)
    def test_a_policy_of_another_namespace_has_the_same_effect_if_it_is_known(
        self, allowed: list[str], verdict: str
    ) -> None:
        other = {"metadata": {"name": "o", "namespace": "x"}, "spec": {"scopes": ["x.io"]}}
        config = {"spec": {"registrySources": {"allowedRegistries": allowed}}}
        more: dict[ObjectRef, Any] = {IMAGE_CONFIG: config, KNOWN_IMAGE_POLICIES: {"items": [other]}}
        found = told(pod("good"), known(more=more, good=GOOD))
        assert found.verdict == verdict
        assert ("image policy x/o has scope x.io, which is not inside allowedRegistries" in found.reason) == bool(
            allowed
        )

    def test_a_blocked_registry_is_reported_before_a_required_signature(self) -> None:
        config = {"spec": {"registrySources": {"blockedRegistries": ["q.io/team/app"]}}}
        assert "blockedRegistries" in told(pod("good"), known(more={**SIGNED, IMAGE_CONFIG: config}, good=GOOD)).reason

    def test_an_image_on_the_node_needs_no_signature(self) -> None:
        assert told(pod("good", pulled=True), known(more=SIGNED, good=GOOD)).verdict == "pulls"


class TestConflictingMirrorSets:
    CONFLICT: ClassVar = {
        ObjectRef(DIGEST_SETS, "", ""): {
            "items": [
                {
                    "metadata": {"name": "open"},
                    "spec": {"imageDigestMirrors": [{"source": "q.io", "mirrors": ["n.io"]}]},
                }
            ]
        }
    }
    TEXT = (
        "the nodes keep their previous registry and policy files, because mirrorSourcePolicy of source q.io is NeverContactSource in image "
        "tag mirror set m, but not in image digest mirror set open: the registries that they allow are not known"
    )

    def test_they_leave_the_nodes_with_their_previous_files(self) -> None:
        found = told(pod("good"), known(more={**mirrored(only=True), **self.CONFLICT}, good=GOOD))
        assert summary(found) == ("unknown", self.TEXT)

    def test_images_of_other_sources_are_unknown_as_well(self) -> None:
        found = told(pod("good", image="x.io/app"), known(more={**mirrored(only=True), **self.CONFLICT}, good=GOOD))
        assert summary(found) == ("unknown", self.TEXT)

    @pytest.mark.parametrize("network", [{}, {network_ref("q.io"): {"reached": False}}])
    def test_no_set_shows_that_the_nodes_have_no_other_mirror(self, network: dict[ObjectRef, Any]) -> None:
        """The source has no mirror for a pull by tag, and is never contacted."""
        never = {"source": "q.io/team", "mirrors": ["n.io"], "mirrorSourcePolicy": "NeverContactSource"}
        both = [never, {**never, "source": "z.io", "mirrors": ["z.io"]}]
        sets = {"items": [{"metadata": {"name": "d"}, "spec": {"imageDigestMirrors": both}}]}
        found = told(pod("good"), known(more={**network, ObjectRef(DIGEST_SETS, "", ""): sets}, good=GOOD))
        assert found.verdict == "unknown"
        assert found.reason.startswith("the nodes keep their previous registry and policy files")


class TestNotKnown:
    ALL = dict.fromkeys(source_refs("ns"), REFUSED)
    TEXT = (
        "which registries are allowed, which mirrors the image has and whether a signature is required is not known: the caller may not "
        "read it"
    )

    def test_unknown_configuration_is_reported_once(self) -> None:
        found = told(pod("good"), known(more=self.ALL, good=GOOD))
        assert summary(found) == ("unknown", self.TEXT)
        assert [step for step in steps(found) if step[2] is None] == [("configuration", self.TEXT, None)]

    @pytest.mark.parametrize(("text", "verdict"), [("invalid username/password: x", "will_not_pull"), ("", "unknown")])
    def test_unknown_configuration_counts_only_if_it_decides(self, text: str, verdict: str) -> None:
        assert told(pod("good", says=text), known(more=self.ALL, good=GOOD)).verdict == verdict

    def test_different_reasons_for_unknown_configuration_are_reported_separately(self) -> None:
        more = {IMAGE_CONFIG: REFUSED, ObjectRef(TAG_SETS, "", ""): type(REFUSED)("it timed out")}
        found = told(pod("good"), known(more=more, good=GOOD))
        assert [seen for _name, seen, ok in steps(found) if ok is None] == [
            "which registries are allowed is not known: the caller may not read it",
            "which mirrors the image has is not known: it timed out",
        ]
