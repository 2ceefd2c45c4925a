# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verification of present images: the decision, and the settings of kubelets and pools that it depends on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import trim_object
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_verification import (
    NO_RECORD,
    NODES,
    PodCredentials,
    PullRecord,
    RecordedAccount,
    RecordedSecret,
    RecordEntry,
    VerificationPolicy,
    config_for,
    decide_cached_image,
    entry_matches,
    finds_records,
    lists_image,
    needs_untagged_image,
    parse_config,
    policy_problems,
    pool_for,
    record_key,
    refusal_of,
    runtime_effect,
    trim_settings,
    unmatchable_entries,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.nodes import NodeVersions
from support.node_configs import kubelet_config, node_in, pool
from support.present_cases import decision_of, policy_of

# --- The decision about an image that is present. tests/oracle compares it with the kubelet's own code

IMAGE = "quay.io/team/app:v1"

NEWEST = (1, 36)


def on(runtime_version: Any = (1, 36, 0), kubelet: Any = NEWEST, runtime: str = "cri-o") -> NodeVersions:
    return NodeVersions("n", kubelet, runtime, runtime_version)


def secret(name: str = "pull", digest: str = "h1", uid: str = "u") -> RecordedSecret:
    return RecordedSecret(uid, "project-a", name, digest)


OURS = PodCredentials([secret()], RecordedAccount("s", "project-a", "default"))


def decided(
    policy: str | VerificationPolicy = "", record: Any = None, pod: Any = OURS, image: str = IMAGE, node: Any = None
) -> str:
    given = VerificationPolicy(policy) if isinstance(policy, str) else policy
    decision = decide_cached_image(image, node or on(), given, pod, record)
    return f"{decision.answer} {decision.rule}"


def pulled_with(
    *secrets: RecordedSecret, accounts: Any = (), key: str = "quay.io/team/app", free: bool = False
) -> PullRecord:
    return PullRecord({key: RecordEntry(secrets, accounts, node_accessible=free)})


class TestPolicies:
    @pytest.mark.parametrize(
        ("policy", "preloaded", "pulled"),
        [
            ("NeverVerify", "uses never_verified", "uses never_verified"),
            ("", "uses preloaded", "asks no_match"),
            ("NeverVerifyPreloadedImages", "uses preloaded", "asks no_match"),
            ("NeverVerifyAllowlistedImages", "asks record_missing", "asks no_match"),
            ("AlwaysVerify", "asks record_missing", "asks no_match"),
            ("Sometimes", "unknown invalid_policy", "unknown invalid_policy"),
        ],
    )
    def test_each_policy_decides_about_preloaded_and_pulled_images(
        self, policy: str, preloaded: str, pulled: str
    ) -> None:
        assert decided(policy, NO_RECORD) == preloaded
        assert decided(policy, pulled_with(secret("other", "h2", "v"))) == pulled

    def test_an_allow_list_also_frees_images_that_the_kubelet_pulled(self) -> None:
        policy = VerificationPolicy("NeverVerifyAllowlistedImages", ["quay.io/team/*"])
        assert decided(policy, pulled_with()) == "uses allow_listed"
        assert decided(policy) == "uses allow_listed"
        assert decided(policy, image="quay.io/other/app") == "unknown unknown_record"

    def test_a_pull_under_way_makes_an_image_one_of_the_kubelet(self) -> None:
        assert decided("", PullRecord(exists=False, has_intent=True)) == "asks record_missing"

    def test_a_preloaded_image_that_was_pulled_under_another_name_is_not_free_any_more(self) -> None:
        assert decided("", pulled_with(secret(), key="mirror.example.com/team/app")) == "asks no_entry"

    @pytest.mark.parametrize("policy", ["", "AlwaysVerify", "NeverVerifyAllowlistedImages"])
    def test_an_unknown_record_is_unknown(self, policy: str) -> None:
        assert decided(policy) == "unknown unknown_record"


class TestVersions:
    def test_a_kubelet_before_1_35_verifies_nothing(self) -> None:
        assert decided("", pulled_with(), node=on((1, 34, 11), (1, 34))) == "uses gate_off"
        assert decided(VerificationPolicy(gate=False), pulled_with()) == "uses gate_off"

    def test_a_gate_that_was_switched_on_in_alpha_is_unknown(self) -> None:
        assert decided(VerificationPolicy(gate=True), pulled_with(), node=on(kubelet=(1, 34))) == "unknown alpha_gate"

    def test_an_unknown_kubelet_is_unknown_unless_nothing_is_verified(self) -> None:
        assert decided("", pulled_with(), node=on(kubelet=None)) == "unknown unknown_version"
        assert decided("NeverVerify", node=on(kubelet=None)) == "uses never_verified"

    @pytest.mark.parametrize(
        ("runtime", "version", "found"),
        [
            ("cri-o", (1, 34, 11), False),
            ("cri-o", (1, 35, 0), False),
            ("cri-o", (1, 35, 1), False),
            ("cri-o", (1, 35, 2), True),
            ("cri-o", (1, 35), None),
            ("cri-o", (1, 36, 0), True),
            ("cri-o", (1, 36), True),
            ("cri-o", None, None),
            ("containerd", (2, 1, 4), True),
            ("docker", (28, 1, 0), None),
            ("", None, None),
        ],
    )
    def test_the_patch_number_of_cri_o_decides_whether_records_are_found(
        self, runtime: str, version: Any, found: Any
    ) -> None:
        assert finds_records(on(version, runtime=runtime)) is found

    @pytest.mark.parametrize(
        ("policy", "decision", "effect"),
        [
            ("NeverVerify", "uses never_verified", ""),
            ("", "uses record_never_found", "verifies_nothing"),
            ("NeverVerifyAllowlistedImages", "asks record_never_found", "always_asks"),
            ("AlwaysVerify", "asks record_never_found", "always_asks"),
        ],
    )
    def test_a_runtime_that_returns_a_digest_makes_a_policy_verify_nothing_or_everything(
        self, policy: str, decision: str, effect: str
    ) -> None:
        node = on((1, 35, 1), (1, 35))
        for record in (None, pulled_with(secret())):
            assert decided(policy, record, node=node) == decision
        assert runtime_effect(VerificationPolicy(policy), node) == effect
        assert runtime_effect(VerificationPolicy(policy), on((1, 35, 2), (1, 35))) == ""
        assert runtime_effect(VerificationPolicy(policy), on((1, 34, 1), (1, 34))) == ""


class TestRecord:
    def test_an_unreadable_record_asks_before_any_policy(self) -> None:
        assert decided("NeverVerify", PullRecord(is_readable=False)) == "asks unreadable_record"

    @pytest.mark.parametrize(
        ("record", "decision"),
        [
            (PullRecord(), "asks no_entry"),
            (pulled_with(free=True), "uses node_accessible"),
            (pulled_with(), "asks empty_entry"),
            (pulled_with(secret("other", "h1", "v")), "uses same_credential"),
            (pulled_with(secret(digest="h2")), "uses same_secret"),
            (pulled_with(secret("other", "h2")), "asks no_match"),
            (pulled_with(secret(uid="recreated", digest="h2")), "asks no_match"),
            (pulled_with(accounts=[RecordedAccount("s", "project-a", "default")]), "uses same_account"),
            (pulled_with(accounts=[RecordedAccount("t", "project-a", "default")]), "asks no_match"),
        ],
    )
    def test_each_rule_of_the_record(self, record: PullRecord, decision: str) -> None:
        assert decided("", record) == decision

    def test_an_empty_hash_equals_no_other(self) -> None:
        pod = PodCredentials([secret("mine", "")])
        assert decided("", pulled_with(secret("other", "")), pod) == "asks no_match"

    def test_unknown_credentials_are_unknown_only_where_they_decide(self) -> None:
        assert decided("", pulled_with(secret()), None) == "unknown unknown_credentials"
        assert decided("", pulled_with(free=True), None) == "uses node_accessible"

    @pytest.mark.parametrize(("others", "decision"), [(98, "uses same_secret"), (99, "asks too_many_secrets")])
    def test_a_secret_changed_in_place_is_recognized_below_100_secrets(self, others: int, decision: str) -> None:
        crowd = [secret(f"other-{number}", f"x{number}", f"v{number}") for number in range(others)]
        assert decided("", pulled_with(*crowd, secret(digest="before"))) == decision

    def test_an_equal_credential_is_recognized_among_any_number_of_secrets(self) -> None:
        crowd = [secret(f"other-{number}", f"x{number}", f"v{number}") for number in range(150)]
        assert decided("", pulled_with(*crowd, secret("other", "h1", "v"))) == "uses same_credential"

    def test_an_invalid_name_asks(self) -> None:
        assert decided("", pulled_with(), image="quay.io/Team/app") == "asks invalid_name"


class TestKeys:
    @pytest.mark.parametrize(
        ("image", "before", "literal"),
        [
            ("nginx", "docker.io/library/nginx", "nginx"),
            ("nginx:1.27", "docker.io/library/nginx", "nginx"),
            ("docker.io/nginx", "docker.io/library/nginx", "docker.io/nginx"),
            ("docker.io/library/nginx@sha256:" + "0" * 64, "docker.io/library/nginx", "docker.io/library/nginx"),
            ("registry:5000/a/b:v1@sha256:" + "0" * 64, "registry:5000/a/b", "registry:5000/a/b"),
            ("registry:5000/a", "registry:5000/a", "registry:5000/a"),
            ("A B", None, None),
        ],
    )
    def test_the_key_is_the_text_of_the_pod_from_1_36_on(self, image: str, before: Any, literal: Any) -> None:
        assert (record_key(image, (1, 35)), record_key(image, NEWEST)) == (before, literal)


#: Generated cases (support/present_cases.py) with the answers of the pull manager of kubelet v1.35.4.
RECORDED = json.loads((Path(__file__).parents[4] / "support/kubelet_1_35.json").read_text(encoding="utf-8"))


def test_the_decision_agrees_with_the_recorded_answers_of_kubelet_1_35() -> None:
    wrong, seen = [], set()
    for case in RECORDED:
        is_refused = bool(policy_problems(policy_of(case), (1, 35)))
        decision = decision_of(case, (1, 35))
        seen.add(decision.rule)
        if case["answer"] != ("refused" if is_refused else decision.answer):
            wrong.append((case, decision))
    assert wrong == []
    assert {"allow_listed", "no_entry", "same_credential", "same_secret", "too_many_secrets", "same_account"} <= seen


def test_a_record_of_1_35_does_not_serve_a_short_name_on_1_36() -> None:
    record = pulled_with(secret(), key="docker.io/library/nginx")
    assert decided("", record, image="nginx:1", node=on(kubelet=(1, 35))) == "uses same_credential"
    assert decided("", record, image="nginx:1") == "asks no_entry"
    assert decided("", record, image="docker.io/library/nginx:1") == "uses same_credential"


class TestAllowList:
    @pytest.mark.parametrize(
        ("entry", "image", "on_1_35", "newest"),
        [
            ("quay.io/team/app", "quay.io/team/app", True, True),
            ("quay.io/team/app", "quay.io/team/app:v1", False, True),
            ("quay.io/team/app", "quay.io/team/app@sha256:" + "0" * 64, False, True),
            ("quay.io/team/app", "quay.io/team/app2", False, False),
            ("quay.io/team/*", "quay.io/team/app:v1", True, True),
            ("quay.io/team/*", "quay.io/team2/app", False, False),
            ("docker.io/library/nginx", "nginx", False, False),
            ("docker.io/library/*", "nginx:1", False, False),
        ],
    )
    def test_an_entry_is_compared_with_the_text_of_the_pod(
        self, entry: str, image: str, on_1_35: bool, newest: bool
    ) -> None:
        assert (entry_matches(entry, image, (1, 35)), entry_matches(entry, image, NEWEST)) == (on_1_35, newest)

    def test_an_exact_entry_needs_an_untagged_image_on_1_35(self) -> None:
        assert needs_untagged_image("quay.io/team/app", (1, 35))
        assert not needs_untagged_image("quay.io/team/*", (1, 35))
        assert not needs_untagged_image("quay.io/team/app", NEWEST)

    def test_accepted_entries_that_no_image_can_match_are_found(self) -> None:
        entries = [
            "https://quay.io/*",
            "quay.io/Team/*",
            "quay.io/team/*",
            "quay.io//*",
            "team/*",
            "quay.io/team/app",
            "*",
        ]
        policy = VerificationPolicy("NeverVerifyAllowlistedImages", entries)
        assert unmatchable_entries(policy, NEWEST) == ["https://quay.io/*", "quay.io/Team/*", "quay.io//*"]


class TestProblems:
    @pytest.mark.parametrize("entry", ["*", "quay.io*", "quay.io/*/app", "quay.io/a*/*", " quay.io/a", "quay.io/a ", "", "/*",
                                       "quay.io/a:v1", "quay.io/a@sha256:" + "0" * 64, "quay.io/A", "https://quay.io/a"])  # fmt: skip
    def test_an_invalid_entry_stops_the_kubelet(self, entry: str) -> None:
        policy = VerificationPolicy("NeverVerifyAllowlistedImages", ["quay.io/team/*", entry])
        assert [problem.startswith(f"entry {entry!r} of ") for problem in policy_problems(policy, NEWEST)] == [True]

    def test_an_entry_must_be_a_full_name_on_1_35(self) -> None:
        policy = VerificationPolicy("NeverVerifyAllowlistedImages", ["nginx"])
        (problem,) = policy_problems(policy, (1, 35))
        assert "a full repository name" in problem
        assert policy_problems(policy, NEWEST) == policy_problems(policy, None) == []

    @pytest.mark.parametrize(
        ("policy", "kubelet", "begins"),
        [
            (VerificationPolicy(), (1, 34), []),
            (VerificationPolicy("NeverVerify"), (1, 34), ["imagePullCredentialsVerificationPolicy must not be set"]),
            (
                VerificationPolicy("NeverVerifyAllowlistedImages", ["quay.io/*"]),
                (1, 34),
                ["imagePullCredentialsVerificationPolicy must not be set", "preloadedImagesVerificationAllowlist must not be set"],
            ),
            (VerificationPolicy("NeverVerify", gate=True), (1, 34), []),
            (VerificationPolicy("NeverVerify", gate=False), NEWEST, ["imagePullCredentialsVerificationPolicy must not be set"]),
            (VerificationPolicy("NeverVerify"), (1, 35), []),
            (VerificationPolicy("neververify"), NEWEST, ["imagePullCredentialsVerificationPolicy neververify is unknown"]),
            (VerificationPolicy("AlwaysVerify", ["quay.io/*"]), NEWEST, ["preloadedImagesVerificationAllowlist is set"]),
            (VerificationPolicy("", ["*"]), NEWEST, ["preloadedImagesVerificationAllowlist is set"]),
            (VerificationPolicy("NeverVerifyAllowlistedImages"), NEWEST, []),
        ],
    )  # fmt: skip
    def test_fields_that_stop_the_kubelet(self, policy: VerificationPolicy, kubelet: Any, begins: list[str]) -> None:
        found = policy_problems(policy, kubelet)
        assert len(found) == len(begins)
        assert all(problem.startswith(begin) for problem, begin in zip(found, begins, strict=True))


# --- The settings of a kubelet, the pool of a node and the KubeletConfig that counts are found as the platform's operator finds them

GATE = "KubeletEnsureSecretPulledImages"

POLICY = "imagePullCredentialsVerificationPolicy"

LISTED = "preloadedImagesVerificationAllowlist"


class TestSettings:
    def test_the_settings_are_read(self) -> None:
        found = parse_config({POLICY: "NeverVerify", LISTED: ["q.io/a"], "featureGates": {GATE: False, "Other": True}})
        assert found == VerificationPolicy("NeverVerify", ("q.io/a",), gate=False)

    @pytest.mark.parametrize(
        "empty", [{}, {"maxPods": 3}, {POLICY: None, LISTED: None, "featureGates": {"Other": True}}]
    )
    def test_unset_settings_are_the_defaults(self, empty: dict[str, Any]) -> None:
        assert parse_config(empty) == VerificationPolicy()

    @pytest.mark.parametrize("odd", [{POLICY: 3}, {LISTED: "q.io"}, {LISTED: ["a", 1]}, {"featureGates": {GATE: "no"}}])
    def test_settings_of_another_type_are_invalid(self, odd: dict[str, Any]) -> None:
        assert parse_config(odd) is None

    def test_only_the_settings_for_images_are_kept(self) -> None:
        assert trim_settings(
            {POLICY: "NeverVerify", "staticPodPath": "/x", "featureGates": {GATE: True, "Other": True}}
        ) == {POLICY: "NeverVerify", "featureGates": {GATE: True}}
        assert trim_settings({LISTED: [], "featureGates": {"Other": True}}) == {LISTED: []}


WORKER, MASTER, INFRA, GPU = pool("worker"), pool("master"), pool("infra"), pool("gpu")

POOLS = [GPU, INFRA, MASTER, WORKER]


def labels(*roles: str) -> dict[str, str]:
    return {f"node-role.kubernetes.io/{role}": "" for role in roles}


class TestPool:
    @pytest.mark.parametrize(
        ("roles", "expected"),
        [
            (("worker",), "worker"),
            (("worker", "infra"), "infra"),
            (("infra",), "infra"),
            (("worker", "master"), "master"),
            (("worker", "infra", "master"), "master"),
            (("worker", "infra", "gpu"), ""),
            ((), ""),
        ],
    )
    def test_the_pool_of_a_node_follows_from_its_labels(self, roles: tuple[str, ...], expected: str) -> None:
        found = pool_for(labels(*roles), POOLS)
        assert (found["metadata"]["name"] if found else "") == expected

    def test_an_arbiter_is_in_no_other_pool(self) -> None:
        arbiter = pool("arbiter")
        assert pool_for(labels("arbiter", "infra"), [INFRA, arbiter]) is arbiter

    def test_a_pool_without_a_selector_has_no_nodes(self) -> None:
        assert pool_for(labels("worker"), [{"metadata": {"name": "worker"}, "spec": {"nodeSelector": {}}}]) is None


class TestConfig:
    def test_the_last_machine_config_counts(self) -> None:
        first, second = kubelet_config("first", "worker", suffix=""), kubelet_config("second", "worker", suffix="2")
        newest, new = kubelet_config("newest", "worker", created="2"), kubelet_config("new", "worker", created="1")
        other = kubelet_config("other", "master", suffix="9")
        assert config_for(WORKER, POOLS, [second, first, other]) is second
        assert config_for(WORKER, POOLS, [newest, second, new, first]) is newest

    def test_a_custom_pool_has_its_own_or_that_of_worker(self) -> None:
        of_worker, own = kubelet_config("w", "worker", suffix="9"), kubelet_config("i", "infra", suffix="")
        assert config_for(INFRA, POOLS, [of_worker, own]) is own
        assert config_for(GPU, POOLS, [of_worker, own]) is of_worker
        assert config_for(MASTER, POOLS, [of_worker, own]) is None
        assert config_for(GPU, [GPU], [of_worker]) is None
        assert config_for(GPU, POOLS, []) is None

    @pytest.mark.parametrize(
        ("conditions", "why"),
        [
            ([], ""),
            ([{"type": "Failure", "message": "no"}, {"type": "Success"}], ""),
            ([{"type": "Success"}, {"type": "Failure", "message": "Error: bad"}], "Error: bad"),
            ([{"type": "Failure"}], "no reason is given"),
            ([{"type": "Accepted", "status": "False", "message": "Error: bad"}], "Error: bad"),
            ([{"type": "Failure", "message": "old"}, {"type": "Accepted", "status": "True"}], ""),
            ([{"type": "Accepted", "status": "False"}, {"type": "Failure", "message": "Error: bad"}], "Error: bad"),
        ],
    )
    def test_the_last_condition_shows_a_refused_config(self, conditions: Any, why: str) -> None:
        assert refusal_of({"status": {"conditions": conditions}}) == why


# --- A list of nodes keeps their versions, and the labels and the annotation that lead to their configuration


def test_versions_labels_and_the_rendered_configuration_are_kept() -> None:
    node = node_in("worker", current="rendered-worker-1")
    node["metadata"]["annotations"]["other"] = "x" * 1000
    assert trim_object(NODES.kind, node) == {
        "metadata": {
            "name": "n",
            "labels": {"node-role.kubernetes.io/worker": ""},
            "annotations": {"machineconfiguration.openshift.io/currentConfig": "rendered-worker-1"},
        },
        "status": {"nodeInfo": node["status"]["nodeInfo"]},
    }


def test_nodes_without_openshift_need_no_annotation() -> None:
    assert "annotations" not in trim_object(NODES.kind, node_in("worker"))["metadata"]


class TestImages:
    """A node lists the names of its largest images, as the runtime knows them."""

    DIGEST = "sha256:" + "0" * 64

    def node(self, *images: Any) -> Any:
        return {"status": {"images": [*images]}}

    @pytest.mark.parametrize(
        ("image", "expected"),
        [
            ("q.io/team/app:v1", True),
            (f"q.io/team/app:v9@{DIGEST}", True),
            ("q.io/team/app", False),
            ("q.io/team/app:v2", False),
            ("q.io/team/other:v1", False),
            ("docker.io/nginx", True),
        ],
    )
    def test_an_image_is_found_under_the_name_that_the_pod_means(self, image: str, expected: bool) -> None:
        found = {"names": [f"q.io/team/app@{self.DIGEST}", "q.io/team/app:v1"]}
        assert lists_image(self.node(found, {"names": ["docker.io/library/nginx:latest"]}), image) is expected

    def test_a_short_name_may_mean_another_registry(self) -> None:
        assert not lists_image(self.node({"names": ["docker.io/library/nginx:latest"]}), "nginx")

    @pytest.mark.parametrize(
        "images", [[], ["odd"], [{}], [{"names": None}], [{"names": [3, "UPPER", "<none>:<none>"]}]]
    )
    def test_odd_lists_contain_nothing(self, images: Any) -> None:
        assert not lists_image(self.node(*images), "q.io/team/app:v1")
        assert not lists_image({}, "UPPER")

    def test_the_list_of_all_nodes_does_not_keep_images(self) -> None:
        assert "images" not in trim_object(NODES.kind, self.node({"names": ["q.io/a:1"]}))["status"]
