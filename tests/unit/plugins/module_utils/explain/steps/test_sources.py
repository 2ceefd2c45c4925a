# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Registries that are blocked or allowed, names without a registry, and required signatures are explained."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import ImagePullError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SERVICE_ACCOUNT, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.credentials import credentials_of
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import Lookup, ReadRequired
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.steps.sources import (
    ImageCandidates,
    RegistrySignatures,
    RequiredSignature,
    explain_sources,
    find_signature,
    required_signature,
    resolve_short_name,
    source_refs,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.subjects import ContainerPull
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_questions import SIGNATURE_QUESTION
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_verification import NODES
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
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.cluster import CLUSTER_VERSION
from support.pull_evidence import (
    AUTH,
    DIGEST_SETS,
    GOOD,
    IMAGE,
    REFUSED,
    TAG_SETS,
    known,
    mirrored,
    node,
    openshift,
    pod,
    secret,
    steps,
    summary,
    template,
    told,
)

# --- Blocked and allowed registries and signature policies are reported, including the unreadable ones

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


# --- A name without a registry is explained for each runtime

HUB = secret({"docker.io": AUTH})

SHORT = "team/app:v1"


def asked(more: dict[Any, Any], image: str = SHORT, **options: Any) -> Any:
    return told(pod("hub", image=image, **options), known(more=more, hub=HUB))


def named(more: dict[Any, Any], image: str = SHORT) -> ImageCandidates:
    reference = reference_of(image)
    assert reference is not None
    return resolve_short_name(pod(image=image), reference, Lookup(known(more=more)))


class TestOpenShift:
    @pytest.mark.parametrize("version", ["4.20.3", "4.21.0", "4.22.1", "5.0.0-rc.1", None, "", "new", 4.21])
    def test_all_search_registries_are_asked_in_each_version(self, version: Any) -> None:
        """From 4.21 on, the machine config operator sets short_name_mode = "disabled"."""
        found = asked(openshift(version, "a.io", "docker.io"))
        assert found.verdict == "pulls"
        assert [str(each) for each in named(openshift(version, "a.io", "docker.io")).references] == [
            "a.io/team/app:v1",
            "docker.io/team/app:v1",
        ]
        assert [seen for _name, seen, _ok in steps(found, "image")] == [
            "the kubelet looks for credentials of docker.io/team/app:v1",
            "team/app:v1 names no registry: CRI-O asks its search registries one after the other: a.io, docker.io. Write the image with its "
            "registry's host",
        ]

    def test_a_single_search_registry_is_asked(self) -> None:
        found = asked(openshift("4.21.0", "docker.io"))
        assert found.verdict == "pulls"
        assert "its only search registry, docker.io" in steps(found, "image")[1][1]

    def test_the_login_is_that_of_docker_hub_for_any_search_registry(self) -> None:
        text = "the kubelet uses credentials of Docker Hub, even for q.io. Write the image with its registry's host"
        assert ("image", text, None) in steps(asked(openshift("4.21.0", "q.io")))

    def test_an_alias_of_the_nodes_cannot_be_seen(self) -> None:
        found = asked(openshift("4.21.0"), image="ubi9/ubi")
        assert found.verdict == "unknown"
        assert found.reason.startswith("ubi9/ubi names no registry: the nodes may have an alias for it")
        found = asked(openshift("4.21.0", "a.io", "docker.io"), image="ubi9/ubi")
        assert "Without one, CRI-O asks a.io, docker.io. Write the image with" in found.reason

    def test_a_node_of_an_early_4_21_that_refuses_the_name_is_believed(self) -> None:
        denied = asked(openshift("4.21.0"), says="reading manifest v1: denied")
        assert (denied.verdict, denied.cause) == ("unknown", "denied")
        refused = asked(
            openshift("4.21.0"), says="short name mode is enforcing, but image name x returns ambiguous list"
        )
        assert (refused.verdict, refused.cause) == ("will_not_pull", "short_name_ambiguous")
        assert refused.reason.startswith(
            "the image name has no registry, and several could be meant (short name mode is"
        )

    def test_unreadable_search_registries_leave_a_doubt(self) -> None:
        found = asked({**openshift("4.21.0"), IMAGE_CONFIG: REFUSED})
        assert found.verdict == "unknown"
        assert (
            named({**openshift("4.21.0"), IMAGE_CONFIG: REFUSED})
            .seen[-1]
            .reason.endswith(
                "The runtime or the configuration of these nodes is not known: the caller may not read it. Write the image with its registry's host"
            )
        )

    def test_a_short_name_fails_only_if_every_search_registry_is_blocked(self) -> None:
        blocked = openshift("4.20.0", "a.io", "docker.io")
        sources = blocked[IMAGE_CONFIG]["spec"]["registrySources"]
        sources["blockedRegistries"] = ["a.io"]
        found = asked(blocked)
        assert found.verdict == "pulls"
        assert [ok for _name, _seen, ok in steps(found, "registries")] == [False]
        sources["blockedRegistries"] = ["a.io", "docker.io"]
        assert asked(blocked).reason.startswith("the nodes are not allowed to pull a.io/team/app:v1")


class TestNodes:
    def on(self, *runtimes: str, version: Any = None) -> dict[Any, Any]:
        nodes = [node(f"n{number}", runtime) for number, runtime in enumerate(runtimes)]
        return {NODES: {"items": nodes}, CLUSTER_VERSION: version}

    def test_containerd_takes_docker_hub(self) -> None:
        found = asked(self.on("containerd://2.0.1", "containerd://1.7.2"))
        assert found.verdict == "pulls"
        assert "team/app:v1 names no registry: containerd takes Docker Hub" in [
            seen for _name, seen, _ok in steps(found)
        ]

    def test_the_node_of_the_pod_decides(self) -> None:
        both = self.on("containerd://2.0.1", "cri-o://1.34.0")
        assert asked(both, node="n0").verdict == "pulls"
        assert asked(both, node="n1").verdict == "unknown"
        assert asked(both).verdict == "unknown"

    def test_cri_o_without_openshift_has_search_registries_that_cannot_be_seen(self) -> None:
        assert asked(self.on("cri-o://1.34.0")).verdict == "unknown"

    def test_an_image_config_shows_that_it_is_openshift_if_the_version_cannot_be_read(self) -> None:
        config = {IMAGE_CONFIG: openshift("")[IMAGE_CONFIG]}
        for runtimes in (["cri-o://1.33.4"], ["cri-o://1.34.0"], ["cri-o://1.34.0", "cri-o://1.33.0"]):
            assert asked({**self.on(*runtimes, version=REFUSED), **config}).verdict == "pulls"
            assert asked(self.on(*runtimes, version=REFUSED)).verdict == "unknown", "it may be plain Kubernetes"

    def test_unreadable_nodes_and_version_leave_a_doubt(self) -> None:
        found = asked({NODES: REFUSED, CLUSTER_VERSION: REFUSED})
        assert found.verdict == "unknown"
        assert (
            "The runtime or the configuration of these nodes is not known: the caller may not read it" in found.reason
        )


def test_a_name_with_a_registry_needs_no_cluster_version() -> None:
    reference = reference_of("q.io/a")
    assert reference is not None
    assert resolve_short_name(pod(image="q.io/a"), reference, Lookup()).references == [reference]
    short = reference_of("a")
    assert short is not None
    evidence = Lookup()
    with pytest.raises(ReadRequired):
        resolve_short_name(pod(image="a"), short, evidence)
    assert evidence.take_wanted() == [CLUSTER_VERSION]


# --- The images that need a signature are found, and the registry that serves them is asked, whether or not a node has them already


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
