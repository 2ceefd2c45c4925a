# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An image that a node already has is available to a pod only under certain conditions."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import Lookup
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.steps.cached import (
    cache_refs,
    explain_cache,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.verdict import PullVerdict
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_verification import (
    KUBEADM_SETTINGS,
    KUBELET_CONFIGS,
    KUBELET_FILE,
    NODES,
    POOLS,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.node_registries import (
    CLUSTER_POLICIES,
    IMAGE_POLICY,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.registry_sources import IMAGE_CONFIG
from support.node_configs import kubelet_config, node_in
from support.node_configs import pool as pool_of
from support.pull_evidence import GOOD, REFUSED, known, node, pod, secret, steps, summary, told

POLICY, LISTED = "imagePullCredentialsVerificationPolicy", "preloadedImagesVerificationAllowlist"

NEW, OLD = node("new", "cri-o://1.36.0", kubelet="v1.36.0"), node("old", kubelet="v1.34.9")

ONLY = (
    "only if no kubelet has pulled it there, or if it was pulled as q.io/team/app without a login, with the nodes' own, with the same login, "
    "with the same secret while fewer than 100 secrets have pulled it, or with a credential provider's login for the same service account"
)

RECORD = "Its record of that cannot be seen from here"

DEFAULT = "Its policy is NeverVerifyPreloadedImages, the kubelet's default"

ASSUMED = "No object shows its policy: NeverVerifyPreloadedImages, its default, is assumed"


def asked(*nodes: Any, answer: Any = None, **more: Any) -> PullVerdict:
    listed = {"items": [*nodes]} if answer is None else answer
    return told(pod("good", **{"is_asked_alone": True, **more}), known(more={NODES: listed}, good=GOOD))


class TestRunning:
    BEGIN = "the container has its image, but that does not mean that the next pod can pull it: "

    def test_kubelets_from_1_35_on_check_a_cached_image_again(self) -> None:
        found = asked(NEW, pulled=True)
        assert found.verdict == "pulls"
        assert steps(found, "cached") == [
            ("cached", f"{self.BEGIN}this kubelet gives a pod the image on its node {ONLY}. {RECORD}. {ASSUMED}", None)
        ]

    def test_nodes_that_differ_are_named(self) -> None:
        old, new = steps(asked(OLD, NEW, pulled=True), "cached")
        assert old[1].startswith(f"{self.BEGIN}on old, the kubelet is older than 1.35")
        assert new[1].startswith(f"{self.BEGIN}on new, this kubelet gives a pod the image")

    def test_kubelets_before_1_35_do_not_check_a_cached_image_again(self) -> None:
        text = "the kubelet is older than 1.35, so a pod on a node that has the image gets it whatever its secrets are. On another node it is pulled"
        assert steps(asked(OLD, pulled=True), "cached") == [("cached", f"{self.BEGIN}{text}", True)]

    @pytest.mark.parametrize(
        ("nodes", "answer", "end"),
        [
            ((), None, "The version of these kubelets is not known"),
            (({},), None, f"The version of this kubelet is not known. {ASSUMED}"),
            ((), REFUSED, "The version of these kubelets is not known: the caller may not read it"),
        ],
    )
    def test_an_unknown_kubelet_version_is_reported(self, nodes: Any, answer: Any, end: str) -> None:
        ((_name, seen, ok),) = steps(asked(*nodes, answer=answer, pulled=True), "cached")
        assert ok is None
        text = "kubelets from 1.35 on verify that a pod may use the image on its node"
        assert seen == f"{self.BEGIN}{text}. {end}"

    def test_the_step_is_omitted_for_the_policy_always(self) -> None:
        assert steps(asked(NEW, pulled=True, pull_policy="Always"), "cached") == []
        assert steps(asked(NEW, pulled=True, is_asked_alone=False), "cached") == []


ELSEWHERE = "On another node it is pulled"

EACH = "a pod on a node that has the image gets it whatever its secrets are"


class TestPolicy:
    """Each policy decides as the kubelet does, and the answer names the object that sets it."""

    def message(
        self, settings: Any = None, image: str = "q.io/team/app:v1", **versions: str
    ) -> tuple[str, bool | None]:
        known_settings: dict[Any, Any] = {KUBEADM_SETTINGS: settings}
        versions = {"kubelet": "v1.36.1", "runtime": "cri-o://1.36.0", **versions}
        evidence = known(more={NODES: {"items": [node("n", **versions)]}, **known_settings}, good=GOOD)
        ((_name, seen, ok),) = steps(told(pod("good", is_asked_alone=True, image=image), evidence), "cached")
        return seen.removeprefix("imagePullPolicy is IfNotPresent: "), ok

    def test_never_verify_gives_each_pod_the_image(self) -> None:
        set_by = "as the config map of kubeadm for new nodes sets"
        assert self.message({POLICY: "NeverVerify"}) == (
            f"the kubelet does not verify, so {EACH}. {ELSEWHERE}. Its policy is NeverVerify, {set_by}",
            True,
        )

    def test_always_verify_makes_no_exception_for_preloaded_images(self) -> None:
        seen, ok = self.message({POLICY: "AlwaysVerify"})
        assert seen.startswith(
            "this kubelet gives a pod the image on its node only if it was pulled as q.io/team/app without a login"
        )
        assert ok is None

    def test_an_image_in_the_allow_list_is_free(self) -> None:
        settings = {POLICY: "NeverVerifyAllowlistedImages", LISTED: ["r.io/x", "q.io/team/*"]}
        seen, ok = self.message(settings)
        assert (seen.startswith(f"the allow-list of the kubelet has q.io/team/*, so {EACH}. {ELSEWHERE}"), ok) == (
            True,
            True,
        )
        assert self.message(settings, "q.io/other/app:v1")[1] is None

    def test_the_fault_of_1_35_with_exact_entries_counts(self) -> None:
        settings = {POLICY: "NeverVerifyAllowlistedImages", LISTED: ["q.io/team/app"]}
        new = {"runtime": "cri-o://1.35.2"}
        assert self.message(settings)[1] is True
        assert self.message(settings, kubelet="v1.35.4", **new)[1] is None
        assert self.message(settings, "q.io/team/app", kubelet="v1.35.4", **new)[1] is True

    @pytest.mark.parametrize("runtime", ["cri-o://1.35.1", "cri-o://1.34.11"])
    def test_an_old_runtime_makes_the_kubelet_miss_its_records(self, runtime: str) -> None:
        name = runtime.replace("cri-o://", "CRI-O ")
        missed = f"the kubelet does not find its records of images that {name} pulled"
        assert self.message({}, kubelet="v1.35.1", runtime=runtime) == (
            f"{missed}, so {EACH}. {ELSEWHERE}. {DEFAULT}",
            True,
        )
        assert self.message(kubelet="v1.35.1", runtime=runtime) == (
            f"{missed}, so {EACH}. {ELSEWHERE}. {ASSUMED}",
            None,
        )
        seen, ok = self.message({POLICY: "AlwaysVerify"}, kubelet="v1.35.1", runtime=runtime)
        assert seen.startswith(f"{missed}, so it pulls the image again at every start. Its policy is AlwaysVerify")
        assert ok is None

    def test_a_missing_patch_number_is_reported(self) -> None:
        seen, _ok = self.message(kubelet="v1.35.1", runtime="cri-o://1.35")
        assert "whether it finds records depends on the patch number of CRI-O 1.35." in seen
        assert "patch number" not in self.message(kubelet="v1.35.1", runtime="cri-o://1.35.2")[0]

    def test_the_record_is_searched_under_the_text_of_the_pod(self) -> None:
        for kubelet, key in (("v1.36.0", "docker.io/nginx"), ("v1.35.4", "docker.io/library/nginx")):
            seen, _ok = self.message(image="docker.io/nginx:1", kubelet=kubelet, runtime="containerd://2.2.0")
            assert f"if it was pulled as {key} without" in seen

    def test_a_feature_gate_counts(self) -> None:
        off = {"featureGates": {"KubeletEnsureSecretPulledImages": False}}
        seen, ok = self.message(off)
        assert seen.startswith(f"its feature gate KubeletEnsureSecretPulledImages is off, so {EACH}")
        assert ok is True
        on = {"featureGates": {"KubeletEnsureSecretPulledImages": True}}
        assert self.message(on, kubelet="v1.34.1")[0].startswith(
            "the kubelet is older than 1.35, but its feature gate is on"
        )
        assert self.message(kubelet="v1.34.1") == (f"the kubelet is older than 1.35, so {EACH}. {ELSEWHERE}", True)

    def test_an_unknown_policy_is_reported(self) -> None:
        seen, ok = self.message({POLICY: "Sometimes"})
        assert seen.startswith("the kubelet does not start with the policy Sometimes, which it does not know")
        assert ok is None

    def test_unreadable_settings_leave_the_policy_unknown(self) -> None:
        unknown = "which policy this kubelet has is not known: the caller may not read it. With its default, NeverVerifyPreloadedImages, "
        assert self.message(REFUSED) == (
            f"{unknown}this kubelet gives a pod the image on its node {ONLY}. {RECORD}",
            None,
        )
        seen, ok = self.message(REFUSED, kubelet="v1.35.1", runtime="cri-o://1.35.1")
        assert seen.startswith(f"{unknown}the kubelet does not find its records")
        assert ok is None

    def test_each_pool_has_its_own_policy(self) -> None:
        versions = {"kubelet": "v1.36.0", "runtime": "cri-o://1.36.0"}
        infra, worker = node_in("infra", name="i", **versions), node_in("worker", name="w", **versions)
        config = kubelet_config("loose", "infra", {POLICY: "NeverVerify"}, suffix="")
        rendered = {ObjectRef(KUBELET_FILE, "", f"rendered-{name}"): REFUSED for name in ("infra", "worker")}
        pools = {POOLS: {"items": [pool_of("infra"), pool_of("worker")]}, KUBELET_CONFIGS: {"items": [config]}}
        evidence = known(more={NODES: {"items": [infra, worker]}, **pools, **rendered}, good=GOOD)
        first, second = steps(told(pod("good", is_asked_alone=True), evidence), "cached")
        assert first[1].endswith(
            f"on i, the kubelet does not verify, so {EACH}. {ELSEWHERE}. Its policy is NeverVerify, as kubelet config loose sets"
        )
        assert second[1].endswith(DEFAULT)
        assert ": on w, this kubelet gives" in second[1]

    def test_a_pod_on_a_node_has_the_policy_of_that_node(self) -> None:
        name = ObjectRef(NODES.kind, "", "n")
        evidence = known(
            more={name: node("n", kubelet="v1.36.0"), KUBEADM_SETTINGS: {POLICY: "NeverVerify"}}, good=GOOD
        )
        ((_name, seen, _ok),) = steps(told(pod("good", is_asked_alone=True, node="n"), evidence), "cached")
        assert "Its policy is NeverVerify" in seen

    def test_settings_are_not_read_for_kubelets_that_cannot_verify(self) -> None:
        evidence = known(more={NODES: {"items": [node("n", kubelet="v1.32.9")]}}, good=GOOD)
        del evidence[POOLS], evidence[KUBELET_CONFIGS], evidence[KUBEADM_SETTINGS]
        assert "older than 1.35" in steps(told(pod("good", is_asked_alone=True), evidence), "cached")[0][1]


class TestIfNotPresent:
    def test_the_step_is_reported_before_a_node_has_tried(self) -> None:
        ((_name, seen, _ok),) = steps(asked(NEW, pull_policy="IfNotPresent"), "cached")
        assert seen.startswith("imagePullPolicy is IfNotPresent: this kubelet")
        assert steps(asked(NEW, says="denied", created=""), "cached") == []

    def test_the_nodes_are_wanted_only_for_a_single_pod_with_a_cached_image(self) -> None:
        assert cache_refs(pod(is_asked_alone=True)) == [NODES]
        assert cache_refs(pod(is_asked_alone=True, pull_policy="Always")) == ()
        assert cache_refs(pod()) == ()
        assert list(explain_cache(pod(), Lookup())) == []


class TestNever:
    def test_the_policy_never_leaves_the_verdict_unknown(self) -> None:
        for alone in (True, False):
            assert summary(asked(NEW, pull_policy="Never", is_asked_alone=alone)) == (
                "unknown",
                "imagePullPolicy is Never: nothing is pulled, and whether the node has the image cannot be seen from here",
            )

    def strict(self, *runtimes: str, **more: Any) -> PullVerdict:
        """The explanation on nodes with the policy AlwaysVerify and these runtimes."""
        nodes = [node(f"n{number}", runtime, kubelet="v1.36.1") for number, runtime in enumerate(runtimes)]
        evidence = {NODES: {"items": nodes}, KUBEADM_SETTINGS: {POLICY: "AlwaysVerify"}}
        return told(pod("good", is_asked_alone=True, pull_policy="Never", **more), known(more=evidence, good=GOOD))

    def test_a_kubelet_that_never_finds_its_records_refuses_the_policy_never(self) -> None:
        found = self.strict("cri-o://1.35.1")
        assert summary(found) == (
            "will_not_pull",
            "imagePullPolicy is Never: the kubelet does not find its records of images that CRI-O 1.35.1 pulled, so it refuses every start. Change "
            "imagePullPolicy, or update CRI-O. Its policy is AlwaysVerify, as the config map of kubeadm for new nodes sets",
        )
        assert [ok for _name, _seen, ok in steps(found, "cached")] == [False]
        assert self.strict("cri-o://1.35.1", pulled=True).verdict == "pulls"

    def test_a_node_that_may_have_a_record_leaves_the_verdict_unknown(self) -> None:
        found = self.strict("cri-o://1.35.1", "cri-o://1.36.0")
        assert found.verdict == "unknown"
        assert [ok for _name, _seen, ok in steps(found, "cached")] == [None, False, None]

    def test_the_error_of_the_node_is_reported_for_the_policy_never(self) -> None:
        text = 'Container image "q.io/team/app:v1" is not present with pull policy of Never'
        found = asked(NEW, pull_policy="Never", reason="ErrImageNeverPull", message=text)
        assert (found.verdict, found.cause) == ("will_not_pull", "never_pull")
        assert [(name, ok) for name, _seen, ok in steps(found, "node")] == [("node", False)]
        assert found.reason == (
            f"imagePullPolicy is Never: nothing is pulled, and the node says: {text}. Change imagePullPolicy, or bring the image to the node"
        )

    def test_nothing_is_pulled_elsewhere(self) -> None:
        ((_name, seen, _ok),) = steps(asked(OLD, pull_policy="Never", pulled=True), "cached")
        assert seen.endswith(EACH)

    def test_a_container_that_has_its_image_pulls(self) -> None:
        found = asked(NEW, pull_policy="Never", pulled=True)
        assert (found.verdict, len(steps(found, "cached"))) == ("pulls", 1)

    def test_an_invalid_name_is_reported_before_the_policy_never(self) -> None:
        assert "is not a valid image name" in asked(NEW, pull_policy="Never", image="UPPER").reason


class TestImagesOfTheNode:
    """The node of a pod lists its largest images: a name there is proof, and a missing one proves nothing."""

    OLD_NODE = node("n", kubelet="v1.34.9")
    NEW_NODE = node("n", "cri-o://1.36.0", kubelet="v1.36.0")

    def asked(self, on: Any, *names: str, settings: Any = None, **more: Any) -> PullVerdict:
        on = {**on, "status": {**on["status"], "images": [{"names": [*names]}]}}
        evidence = known(more={ObjectRef(NODES.kind, "", "n"): on, KUBEADM_SETTINGS: settings}, good=GOOD)
        return told(pod("good", is_asked_alone=True, node="n", **more), evidence)

    def test_a_listed_image_is_reported(self) -> None:
        ((_name, seen, ok),) = steps(self.asked(self.OLD_NODE, "q.io/team/app:v1"), "cached")
        assert seen.startswith("imagePullPolicy is IfNotPresent, and node n has the image: the kubelet is older")
        assert ok is True
        ((_name, seen, _ok),) = steps(self.asked(self.OLD_NODE, "q.io/team/app:v2"), "cached")
        assert seen.startswith("imagePullPolicy is IfNotPresent: the kubelet is older")

    def test_a_listed_image_that_each_pod_gets_decides_the_policy_never(self) -> None:
        found = self.asked(self.OLD_NODE, "q.io/team/app:v1", pull_policy="Never")
        assert found.verdict == "pulls"
        ((_name, seen, ok),) = steps(found, "cached")
        assert seen.startswith("imagePullPolicy is Never, and node n has the image: the kubelet is older than 1.35")
        assert ok is True
        assert self.asked(self.OLD_NODE, pull_policy="Never").verdict == "unknown"

    def test_a_listed_image_may_still_be_for_other_pods_only(self) -> None:
        assert summary(self.asked(self.NEW_NODE, "q.io/team/app:v1", pull_policy="Never")) == (
            "unknown",
            "imagePullPolicy is Never: nothing is pulled. Node n has the image, and whether its kubelet gives it to this pod is not known",
        )

    def test_a_listed_image_without_a_record_is_refused_by_the_policy_never(self) -> None:
        strict = {POLICY: "AlwaysVerify"}
        on = node("n", "cri-o://1.35.1", kubelet="v1.35.1")
        found = self.asked(on, "q.io/team/app:v1", settings=strict, pull_policy="Never")
        assert found.verdict == "will_not_pull"

    def test_a_running_container_needs_no_list(self) -> None:
        ((_name, seen, _ok),) = steps(self.asked(self.OLD_NODE, "q.io/team/app:v1", pulled=True), "cached")
        assert seen.startswith("the container has its image, but")


#: A secret that stops each pull of the pod.
BROKEN = secret({"q.io": {"auth": "?"}})

#: The configuration of a cluster that blocks the registry of the image.
BLOCKED = {IMAGE_CONFIG: {"spec": {"registrySources": {"blockedRegistries": ["q.io"]}}}}

VERSIONS = {
    "old": ("v1.34.9", "cri-o://1.34.1"),
    "new": ("v1.36.0", "cri-o://1.36.0"),
    "misses": ("v1.35.1", "cri-o://1.35.1"),
}

OTHER = "NeverVerifyAllowlistedImages"

RECORDS, GIVES, PULLS_AGAIN = "records", "gives", "pulls"


class TestPresentImage:
    """What a pull would need does not decide if the kubelet gives the image of the node to the pod."""

    @staticmethod
    def asked(versions: str, settings: Any, *own: str, more: Any = None, **fields: Any) -> PullVerdict:
        kubelet, runtime = VERSIONS[versions]
        on = node("n", runtime, kubelet)
        on["status"]["images"] = [{"names": ["q.io/team/app:v1"]}]
        evidence = known(
            more={ObjectRef(NODES.kind, "", "n"): on, KUBEADM_SETTINGS: settings, **(more or {})}, bad=BROKEN
        )
        return told(pod(*own, **{"is_asked_alone": True, "node": "n", **fields}), evidence)

    @pytest.mark.parametrize(
        ("versions", "settings", "answer"),
        [
            ("old", None, GIVES),
            ("old", {POLICY: "AlwaysVerify"}, GIVES),
            ("new", {POLICY: "NeverVerify"}, GIVES),
            ("new", {POLICY: "NeverVerifyPreloadedImages"}, RECORDS),
            ("new", {POLICY: "AlwaysVerify"}, RECORDS),
            ("new", {POLICY: OTHER, LISTED: ["q.io/team/*"]}, GIVES),
            ("new", {POLICY: OTHER, LISTED: ["q.io/other"]}, RECORDS),
            ("new", None, RECORDS),
            ("new", REFUSED, RECORDS),
            ("misses", {}, GIVES),
            ("misses", {POLICY: "AlwaysVerify"}, PULLS_AGAIN),
            ("misses", None, RECORDS),
        ],
    )
    @pytest.mark.parametrize(("own", "more"), [(["bad"], None), ([], BLOCKED), (["bad"], BLOCKED)])
    def test_each_policy_decides_whether_the_failure_of_a_pull_counts(
        self, versions: str, settings: Any, answer: str, own: list[str], more: Any
    ) -> None:
        alone = told(pod(*own), known(more=more, bad=BROKEN))
        found = self.asked(versions, settings, *own, more=more)
        assert alone.verdict == "will_not_pull"
        if answer == GIVES:
            assert (found.verdict, found.fix) == ("pulls", ())
            assert found.reason.startswith("node n has the image: ")
        elif answer == RECORDS:
            doubt = "node n has the image, and whether its kubelet gives it to this pod is not known. If it does not: "
            assert (*summary(found), found.fix) == ("unknown", doubt + alone.reason, alone.fix)
        else:
            assert (*summary(found), found.fix) == (*summary(alone), alone.fix)

    def test_a_doubt_about_the_pull_counts_only_if_the_kubelet_may_pull(self) -> None:
        alone = told(pod(), known())
        assert alone.verdict == "unknown"
        assert self.asked("old", None).verdict == "pulls"
        assert summary(self.asked("new", None)) == summary(alone)

    @pytest.mark.parametrize("fields", [{"node": ""}, {"is_asked_alone": False}, {"pull_policy": "Always"}], ids=str)
    def test_a_pod_that_may_be_on_a_node_without_the_image_pulls_it(self, fields: dict[str, Any]) -> None:
        nodes = {NODES: {"items": [node("n")]}}
        assert self.asked("old", None, "bad", more=nodes, **fields).verdict == "will_not_pull"

    def test_an_error_of_the_node_is_about_a_pull(self) -> None:
        assert self.asked("old", None, "bad", says="illegal base64 data at input byte 0").verdict == "will_not_pull"

    def test_policies_of_the_namespace_are_checked_at_each_start(self) -> None:
        policy = {"metadata": {"name": "i", "namespace": "ns"}, "spec": {"scopes": ["q.io/team"]}}
        own = {ObjectRef(IMAGE_POLICY, "ns", ""): {"items": [policy]}}
        of_cluster = {CLUSTER_POLICIES: {"items": [policy]}}
        assert self.asked("old", None, more=own).reason.startswith("image policy ns/i requires a signature")
        assert self.asked("old", None, more=of_cluster).verdict == "pulls"
        allowed = {
            IMAGE_CONFIG: {"spec": {"registrySources": {"allowedRegistries": ["q.io/team/app:v2", "q.io/other"]}}}
        }
        other = {"metadata": {"name": "i", "namespace": "ns"}, "spec": {"scopes": ["q.io/other"]}}
        elsewhere = {ObjectRef(IMAGE_POLICY, "ns", ""): {"items": [other]}}
        assert self.asked("old", None, more={**allowed, **elsewhere}).verdict == "will_not_pull"
        assert self.asked("old", None, more=allowed).verdict == "pulls"


# --- A container that runs in a namespace with an image policy may not start again

OF_NAMESPACE = ObjectRef(IMAGE_POLICY, "ns", "")


def policies(*scopes: str, namespace: str = "ns") -> dict[str, Any]:
    return {"items": [{"metadata": {"name": "signed", "namespace": namespace}, "spec": {"scopes": [*scopes]}}]}


def restart(of_namespace: Any = None, of_cluster: Any = None, **more: Any) -> list[tuple[str, str, bool | None]]:
    evidence = {OF_NAMESPACE: of_namespace, CLUSTER_POLICIES: of_cluster}
    found = told(pod("good", **{"pulled": True, **more}), known(more=evidence, good=GOOD))
    assert found.verdict == ("pulls" if more.get("pulled", True) else "unknown")
    return steps(found, "restart")


TEXT = (
    "{} requires a signature for images in {}. Because namespace ns has an ImagePolicy, the node checks this again at each start of a "
    "container, with the signatures that it stored when it pulled the image: a restart may be refused with CreateContainerError"
)


@pytest.mark.parametrize("policy", ["IfNotPresent", "Always", "Never"])
def test_a_policy_of_the_namespace_is_checked_at_each_start(policy: str) -> None:
    text = TEXT.format("image policy ns/signed", "q.io/team")
    assert restart(policies("q.io/team"), pull_policy=policy) == [("restart", text, None)]


def test_a_policy_of_the_cluster_is_checked_at_each_start_only_in_such_a_namespace() -> None:
    of_cluster = policies("q.io", namespace="")
    text = TEXT.format("cluster image policy signed", "q.io")
    assert restart(policies("r.io"), of_cluster) == [("restart", text, None)]
    assert restart(None, of_cluster) == []
    assert restart({"items": []}, of_cluster) == []


@pytest.mark.parametrize("config", [{"spec": {"registrySources": {"blockedRegistries": ["q.io"]}}}, REFUSED])
def test_a_blocked_registry_is_checked_at_each_start_only_in_such_a_namespace(config: Any) -> None:
    evidence = known(more={OF_NAMESPACE: policies("r.io"), IMAGE_CONFIG: config}, good=GOOD)
    found = steps(told(pod("good", pulled=True), evidence), "restart")
    assert [ok for _name, _seen, ok in found] == ([] if config is REFUSED else [False])
    assert all(
        seen.endswith("at each start of a container: the next start is refused with CreateContainerError")
        for _name, seen, _ok in found
    )
    evidence = known(more={IMAGE_CONFIG: config}, good=GOOD)
    assert steps(told(pod("good", pulled=True), evidence), "restart") == []


@pytest.mark.parametrize("of_namespace", [None, policies("r.io"), REFUSED])
def test_other_images_and_unknown_policies_have_no_step(of_namespace: Any) -> None:
    assert restart(of_namespace) == []


def test_a_container_without_its_image_has_no_step() -> None:
    assert restart(policies("q.io/team"), pulled=False) == []
