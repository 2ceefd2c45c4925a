# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules about kubelets that verify access to images of their node."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_audit.findings import Finding
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.credential_providers import (
    CRIO_AUDIENCE,
    CRIO_PROVIDER,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.rbac.subjects import secrets_review, token_review
from support.node_configs import groups_of, kubelet_config, node_in
from support.node_configs import pool as node_pool
from support.pull_evidence import TAG_SETS
from support.surveyed import auth, deployment, found_by, place, pod, secret, survey

POLICY, LISTED = "imagePullCredentialsVerificationPolicy", "preloadedImagesVerificationAllowlist"
ALWAYS = {POLICY: "AlwaysVerify"}
NEVER = {POLICY: "NeverVerify"}
PRIVATE = place("b", secrets=[secret("s")], pods=[pod("s", runs=True, nodeName="n")])


def listed(*entries: str) -> dict[str, Any]:
    return {POLICY: "NeverVerifyAllowlistedImages", LISTED: [*entries]}


def found(
    rule: str, *places: Any, settings: Any = None, nodes: Any = None, file: Any = None, **versions: str
) -> list[Finding]:
    """Return the findings for a pool with these settings. `file`: the settings that its nodes have, by default the same."""
    versions = {"kubelet": "v1.36.1", "runtime": "cri-o://1.36.0", **versions}
    configs = [kubelet_config("policy", "worker", settings, suffix="")] if settings else []
    files = {} if file is None else {"worker": file}
    groups = groups_of(
        *(nodes or [node_in("worker", **versions)]), pools=[node_pool("worker")], configs=configs, **files
    )
    return found_by(rule, survey(*(places or [place()]), node_groups=groups))


class TestRefusedSettings:
    RULE = "verification-stops-kubelet"

    def test_a_policy_for_a_kubelet_that_cannot_verify_is_an_error(self) -> None:
        (finding,) = found(self.RULE, settings=ALWAYS, file={}, kubelet="v1.34.5")
        assert (finding.effective_severity, str(finding.ref)) == ("error", "machine config pool worker")
        assert finding.message == (
            "1 node (n): the kubelet does not start with the settings of kubelet config policy: "
            "imagePullCredentialsVerificationPolicy must not be set: the feature gate KubeletEnsureSecretPulledImages is off in kubelet "
            "1.34. A node does not return from the restart that brings them"
        )

    @pytest.mark.parametrize("settings", [{POLICY: "Sometimes"}, listed("q.io/*/app"), {**ALWAYS, LISTED: ["q.io/a"]}])
    def test_invalid_settings_are_an_error_for_each_kubelet(self, settings: Any) -> None:
        assert len(found(self.RULE, settings=settings)) == 1

    @pytest.mark.parametrize(
        ("settings", "kubelet"), [(ALWAYS, "v1.35.0"), (None, "v1.34.0"), (listed("q.io/*"), "v1.36.0")]
    )
    def test_valid_settings_are_not_reported(self, settings: Any, kubelet: str) -> None:
        assert found(self.RULE, settings=settings, kubelet=kubelet) == []

    def test_only_the_nodes_with_an_old_kubelet_are_named(self) -> None:
        nodes = [
            node_in("worker", name=name, kubelet=kubelet) for name, kubelet in (("a", "v1.34.1"), ("b", "v1.35.1"))
        ]
        (finding,) = found(self.RULE, settings=ALWAYS, nodes=nodes)
        assert finding.message.startswith("1 node (a): ")

    def test_the_file_of_kubeadm_is_checked_without_pools(self) -> None:
        groups = groups_of(node_in(kubelet="v1.34.1"), kubeadm=ALWAYS)
        (finding,) = found_by(self.RULE, survey(place(), node_groups=groups))
        assert str(finding.ref) == "config map kube-system/kubelet-config"

    def test_a_kubelet_config_that_is_not_applied_is_not_reported(self) -> None:
        refused = kubelet_config("policy", "worker", ALWAYS, refused="no")
        groups = groups_of(node_in("worker"), pools=[node_pool("worker")], configs=[refused])
        assert found_by(self.RULE, survey(place(), node_groups=groups)) == []


class TestRuntimeFault:
    RULE = "verification-runtime-fault"
    MISSED = "1 node (n): the kubelet does not find its records of images that cri-o 1.35.1 pulled, so with its policy"

    def test_the_default_policy_verifies_nothing(self) -> None:
        (finding,) = found(self.RULE, kubelet="v1.35.1", runtime="cri-o://1.35.1")
        assert finding.effective_severity == "info"
        assert finding.message == (
            f"{self.MISSED} NeverVerifyPreloadedImages (the default), pods get every image that is on the node, whatever their secrets are"
        )

    def test_a_policy_that_was_set_to_verify_is_a_warning(self) -> None:
        settings = {POLICY: "NeverVerifyPreloadedImages"}
        (finding,) = found(self.RULE, settings=settings, kubelet="v1.35.1", runtime="cri-o://1.35.1")
        assert finding.effective_severity == "warning"

    @pytest.mark.parametrize("settings", [ALWAYS, listed("q.io/*")])
    def test_other_policies_pull_at_each_start(self, settings: Any) -> None:
        (finding,) = found(self.RULE, settings=settings, kubelet="v1.35.1", runtime="cri-o://1.35.1")
        assert finding.effective_severity == "warning"
        assert finding.message.endswith("(kubelet config policy), each start of a container pulls its image again")

    @pytest.mark.parametrize(
        ("settings", "kubelet", "runtime"),
        [
            (None, "v1.35.1", "cri-o://1.35.2"),
            (None, "v1.35.1", "containerd://2.1.0"),
            (None, "v1.34.1", "cri-o://1.34.1"),
            (NEVER, "v1.35.1", "cri-o://1.35.1"),
        ],
    )
    def test_other_nodes_are_not_reported(self, settings: Any, kubelet: str, runtime: str) -> None:
        assert found(self.RULE, settings=settings, kubelet=kubelet, runtime=runtime) == []

    def test_nodes_are_grouped_by_their_runtime(self) -> None:
        runtimes = {"a": "cri-o://1.35.0", "b": "cri-o://1.35.1", "c": "cri-o://1.35.1"}
        nodes = [node_in("worker", name=name, kubelet="v1.35.1", runtime=each) for name, each in runtimes.items()]
        findings = found(self.RULE, nodes=nodes)
        assert [(each.location, each.message.partition(":")[0]) for each in findings] == [
            ("cri-o 1.35.0", "1 node (a)"),
            ("cri-o 1.35.1", "2 nodes (b, c)"),
        ]


class TestUnmatchedEntries:
    RULE = "verification-entry-unmatched"
    USED = place(pods=[pod(image="q.io/team/app:v1")], workloads=[deployment(image="r.io/job@sha256:" + "0" * 64)])

    def rows(self, *entries: str, seen: Any = None, **versions: str) -> list[tuple[str, str]]:
        findings = found(self.RULE, seen or self.USED, settings=listed(*entries), **versions)
        return [(each.location, each.effective_severity) for each in findings]

    def test_entries_for_images_in_use_are_not_reported(self) -> None:
        assert self.rows("q.io/team/*", "q.io/team/app", "r.io/job") == []

    def test_an_entry_for_no_image_in_use_is_info(self) -> None:
        assert self.rows("q.io/other", "docker.io/library/*") == [
            ("docker.io/library/*", "info"),
            ("q.io/other", "info"),
        ]

    def test_an_entry_that_can_match_no_image_is_a_warning(self) -> None:
        (finding,) = found(self.RULE, self.USED, settings=listed("https://q.io/*"))
        assert finding.effective_severity == "warning"
        assert finding.message == (
            "https://q.io/* in the allow-list of kubelet config policy matches no image: it is not the beginning of an image's name"
        )

    def test_the_fault_of_1_35_is_a_warning(self) -> None:
        (finding,) = found(
            self.RULE, self.USED, settings=listed("q.io/team/app"), kubelet="v1.35.4", runtime="cri-o://1.35.2"
        )
        assert finding.effective_severity == "warning"
        assert finding.message.endswith("because kubelets 1.35 compare it with the tag as well, as in q.io/team/app:v1")

    def test_unread_pods_may_use_the_image(self) -> None:
        unread = place("c", unread={"pods": "no"})
        groups = groups_of(
            node_in("worker", kubelet="v1.36.1"),
            pools=[node_pool("worker")],
            configs=[kubelet_config("policy", "worker", listed("q.io/other", "https://q.io/*"), suffix="")],
        )
        findings = found_by(self.RULE, survey(self.USED, unread, node_groups=groups))
        assert [each.location for each in findings] == ["https://q.io/*"]

    def test_other_policies_have_no_list(self) -> None:
        assert found(self.RULE, self.USED, settings=ALWAYS) == []
        assert self.rows("q.io/other", kubelet="v1.34.1") == []


class TestExemptImages:
    RULE = "verification-exempts-private"

    @pytest.mark.parametrize("settings", [NEVER, listed("q.io/team/*")])
    def test_an_image_with_a_login_that_the_policy_exempts_is_reported(self, settings: Any) -> None:
        (finding,) = found(self.RULE, PRIVATE, settings=settings)
        assert finding.message == (
            f"each pod on these nodes gets q.io/team/app once the image is on its node, because of the policy {settings[POLICY]} (kubelet "
            "config policy): other pods pull it with a login"
        )

    def test_settings_that_the_node_does_not_have_yet_count(self) -> None:
        (finding,) = found(self.RULE, PRIVATE, settings=NEVER, file={})
        assert finding.location == "kubelet config policy"

    def test_a_policy_is_reported_while_the_node_has_it(self) -> None:
        (finding,) = found(self.RULE, PRIVATE, settings=ALWAYS, file=NEVER)
        assert "the policy NeverVerify (machine config " in finding.message

    @pytest.mark.parametrize("settings", [None, ALWAYS, listed("q.io/other")])
    def test_policies_that_verify_it_are_not_reported(self, settings: Any) -> None:
        assert found(self.RULE, PRIVATE, settings=settings) == []

    def test_an_image_without_a_login_is_not_reported(self) -> None:
        assert found(self.RULE, place(pods=[pod(runs=True, nodeName="n")]), settings=NEVER) == []

    def test_a_kubelet_that_never_verifies_is_not_reported(self) -> None:
        assert found(self.RULE, PRIVATE, settings=NEVER, kubelet="v1.34.1") == []


class TestProvidedImages:
    """A login of CRI-O's credential provider makes a private image free for each pod of the node."""

    RULE = "verification-exempts-private"
    MIRRORS: ClassVar = {
        "spec": {"imageTagMirrors": [{"source": "q.io", "mirrors": ["m.io/z"]}]},
        "metadata": {"name": "m"},
    }
    CONFIG: ClassVar = {
        "spec": {"matchImages": ["q.io"]},
        "status": {"conditions": [{"type": "MachineConfigRendered", "status": "True"}]},
    }
    MIRROR_LOGIN: ClassVar = secret("far", {"m.io": auth()})
    RUNS: ClassVar = pod(runs=True, nodeName="n")

    def found(
        self, *pods: Any, secrets: Any = (MIRROR_LOGIN,), config: Any = ..., lists: Any = True, **more: Any
    ) -> list[Finding]:
        objects = {
            ObjectRef(TAG_SETS, "", ""): {"items": [self.MIRRORS]},
            CRIO_PROVIDER[0]: self.CONFIG if config is ... else config,
            token_review("a", "default", CRIO_AUDIENCE): {"allowed": True},
            secrets_review("a", "default"): {"allowed": lists},
        }
        versions = {"kubelet": "v1.36.1", "runtime": "cri-o://1.36.0", **more}
        policy = versions.pop("policy", {})
        groups = groups_of(node_in("worker", **versions), pools=[node_pool("worker")], worker=policy)
        seen = place(secrets=secrets, pods=pods or [self.RUNS])
        return found_by(self.RULE, survey(seen, objects=objects, node_groups=groups))

    @pytest.mark.parametrize("policy", [{}, ALWAYS, NEVER])
    def test_an_image_that_a_pod_pulls_with_it_is_reported(self, policy: Any) -> None:
        (finding,) = self.found(policy=policy)
        assert str(finding.ref) == "CRI-O credential provider config cluster"
        assert finding.message == (
            "pods of 1 namespace (a) pull q.io/team/app with a login that only this object gives. The kubelet records a pull without a "
            "login, so each pod on the node gets it then, whatever its secrets are"
        )

    @pytest.mark.parametrize("auths", [{"q.io": auth()}, {"q.io": {}}])
    def test_the_kubelet_records_a_secret_of_the_pod_instead(self, auths: Any) -> None:
        own = [self.MIRROR_LOGIN, secret("own", auths)]
        assert self.found(pod("own", runs=True, nodeName="n"), secrets=own) == []
        assert len(self.found(secrets=own)) == 1

    @pytest.mark.parametrize(
        "given",
        [
            {"config": None},
            {"lists": False},
            {"secrets": [secret("far", {"x.io": auth()})]},
            {"secrets": [secret("far", {"m.io": {}})]},
            {"kubelet": "v1.34.2"},
            {"runtime": "containerd://2.1.0"},
            {"kubelet": "v1.35.1", "runtime": "cri-o://1.35.1"},
        ],
    )
    def test_other_clusters_are_not_reported(self, given: Any) -> None:
        assert self.found(**given) == []

    def test_a_pod_without_its_image_is_not_reported(self) -> None:
        assert self.found(pod(nodeName="n")) == self.found(pod(runs=True)) == []


class TestRefusedPods:
    RULE = "verification-refuses-pod"
    OWN = place(pods=[pod(runs=True, nodeName="n")])

    @pytest.mark.parametrize("settings", [ALWAYS, listed("q.io/other")])
    def test_a_pod_without_a_login_is_reported(self, settings: Any) -> None:
        (finding,) = found(self.RULE, self.OWN, PRIVATE, settings=settings)
        assert finding.ref.namespace == "a"
        assert finding.message.endswith(
            f"The kubelet asks at the next start, because of the policy {settings[POLICY]} (kubelet config policy)"
        )
        assert [next(iter(set(task) - {"name"})).rpartition(".")[2] for task in finding.fix] == [
            "pull_secret",
            "sa_link",
        ]

    def test_an_image_volume_is_reported_by_its_name(self) -> None:
        volumes = [{"name": "data", "image": {"reference": "q.io/team/app:v1"}}]
        mounting = pod(image="x.io/app:v1", runs=True, nodeName="n", volumes=volumes)
        mounting["spec"]["containers"][0]["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
        (finding,) = found(self.RULE, place(pods=[mounting]), PRIVATE, settings=ALWAYS)
        assert (str(finding.ref), finding.location) == ("pod a/app", "volume data")

    @pytest.mark.parametrize("settings", [None, NEVER, listed("q.io/team/*")])
    def test_a_policy_that_exempts_the_image_is_not_reported(self, settings: Any) -> None:
        assert found(self.RULE, self.OWN, PRIVATE, settings=settings) == []

    def test_settings_that_the_node_does_not_have_yet_count(self) -> None:
        assert len(found(self.RULE, self.OWN, PRIVATE, settings=ALWAYS, file={})) == 1

    def test_a_pod_on_an_unknown_node_is_not_reported(self) -> None:
        assert found(self.RULE, place(pods=[pod(runs=True)]), PRIVATE, settings=ALWAYS) == []

    def test_a_kubelet_that_never_verifies_is_not_reported(self) -> None:
        assert found(self.RULE, self.OWN, PRIVATE, settings=ALWAYS, kubelet="v1.34.1") == []
