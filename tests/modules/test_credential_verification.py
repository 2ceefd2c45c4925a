# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""credential_verification estimates the pulls of a policy, and writes it into the KubeletConfig of a pool."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from support.lab import Lab, path_of
from support.lab_nodes import KUBELET_CONFIGS, LabNode, add_kubelet_config, described_nodes
from support.modules import run_module
from support.project_user import ProjectUser, auth_file

LISTED = "NeverVerifyAllowlistedImages"
NAME = "image-pull-verification"
Set = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def lab(lab_factory: Any) -> Lab:
    """A separate lab, because an estimate covers the pods of all namespaces."""
    found: Lab = lab_factory("--platform", "standalone")
    return found


@pytest.fixture
def nodes(lab: Lab) -> Iterator[None]:
    with described_nodes(
        lab,
        LabNode("new", "worker"),
        LabNode("old", "infra", kubelet="v1.34.2", runtime="cri-o://1.34.1"),
        configs={"infra": {"maxPods": 250}},
    ):
        yield
        lab.api("DELETE", f"{KUBELET_CONFIGS}/{NAME}", expect=(200, 404))


@pytest.fixture
def set_policy(lab: Lab, nodes: None) -> Set:
    return lambda **options: run_module("credential_verification", kubeconfig=lab.kubeconfig, **options)


def stored(lab: Lab, name: str = NAME) -> dict[str, Any]:
    spec: dict[str, Any] = lab.api("GET", f"{KUBELET_CONFIGS}/{name}")["spec"]["kubeletConfig"]
    return spec


def start_pod(lab: Lab, namespace: str, name: str, image: str, *secrets: str) -> None:
    spec = {
        "nodeName": "new",
        "containers": [{"name": "c", "image": image, "imagePullPolicy": "IfNotPresent"}],
        "imagePullSecrets": [{"name": each} for each in secrets],
    }
    lab.create(namespace, "pods", {"metadata": {"name": name}, "spec": spec})


def test_check_mode_predicts_the_write_and_a_second_run_writes_nothing(lab: Lab, set_policy: Set) -> None:
    given = {"policy": LISTED, "allow_list": ["quay.io/team/*"]}
    audit = lab.audit()
    planned = set_policy(**given, check=True)
    assert audit.writes() == []
    done = set_policy(**given)
    assert not done["failed"], done["msg"]
    assert (planned["changes"], planned["diff"]) == (done["changes"], done["diff"])
    assert stored(lab) == {
        "imagePullCredentialsVerificationPolicy": LISTED,
        "preloadedImagesVerificationAllowlist": ["quay.io/team/*"],
    }
    audit = lab.audit()
    again = set_policy(**given)
    assert (again["failed"], again["changed"], audit.writes()) == (False, False, [])


def test_the_policy_joins_the_settings_of_an_existing_config(lab: Lab, set_policy: Set) -> None:
    add_kubelet_config(lab, "worker", {"maxPods": 500})
    try:
        refused = set_policy(policy="AlwaysVerify")
        assert refused["failed"]
        assert "set option 'name' to worker-settings, so that the policy is added to it" in refused["msg"]
        done = set_policy(policy="AlwaysVerify", name="worker-settings")
        assert (done["failed"], stored(lab, "worker-settings")["maxPods"]) == (False, 500)
        gone = set_policy(state="absent", name="worker-settings")
        assert (gone["changed"], stored(lab, "worker-settings")) == (True, {"maxPods": 500})
    finally:
        lab.api("DELETE", f"{KUBELET_CONFIGS}/worker-settings", expect=(200, 404))


def test_a_policy_that_stops_the_kubelets_of_a_pool_is_refused(lab: Lab, set_policy: Set) -> None:
    audit = lab.audit()
    refused = set_policy(policy="AlwaysVerify", pool="infra", name="infra-settings")
    assert refused["failed"]
    assert "would not start with this policy" in refused["msg"]
    assert "kubelet 1.34 (node old)" in refused["msg"]
    assert audit.writes() == []


def test_a_policy_of_worker_is_refused_for_the_kubelets_of_a_custom_pool_with_its_settings(
    lab: Lab, set_policy: Set
) -> None:
    lab.api("DELETE", f"{KUBELET_CONFIGS}/infra-settings")
    refused = set_policy(policy="AlwaysVerify")
    assert refused["failed"]
    assert "the kubelets of machine config pool infra would not start with this policy" in refused["msg"]
    lab.api("GET", f"{KUBELET_CONFIGS}/{NAME}", expect=(404,))


def test_state_absent_deletes_an_own_config_once(lab: Lab, set_policy: Set) -> None:
    set_policy(policy="NeverVerify")
    assert set_policy(state="absent")["changed"]
    lab.api("GET", f"{KUBELET_CONFIGS}/{NAME}", expect=(404,))
    assert not set_policy(state="absent")["changed"]


def test_the_estimate_names_registries_pulls_and_pods_without_a_login(
    lab: Lab, set_policy: Set, namespaces: Any
) -> None:
    (namespace,) = namespaces(1)
    host, account = lab.registry("private")["host"], lab.registry("private")["accounts"][0]
    content = base64.b64encode(auth_file({host: (account["username"], account["password"])}).encode()).decode()
    data = {".dockerconfigjson": content}
    lab.create(
        namespace, "secrets", {"metadata": {"name": "s"}, "type": "kubernetes.io/dockerconfigjson", "data": data}
    )
    start_pod(lab, namespace, "with", f"{host}/team/app:v1", "s")
    start_pod(lab, namespace, "without", f"{host}/team/app:v1")
    found = set_policy(policy="AlwaysVerify", check=True)["estimate"]
    (row,) = (each for each in found["images"] if each["image"] == f"{host}/team/app:v1")
    assert (row["asks"], row["pods"], row["logins"]) == ("once", 2, ["none", "pod"])
    assert row["without_login"] == [f"{namespace}/without"]
    assert {"registry": host, "pulls": 2} in found["registries"]
    assert found["busiest_node"]["name"] == "new"
    assert found["pools"] == ["worker"]
    assert found["nodes"] == [{"kubelet": "1.36", "runtime": "cri-o 1.36.0", "effect": "verifies", "nodes": 1}]


def test_images_of_a_project_user_never_reach_the_allow_list(lab: Lab, set_policy: Set, namespaces: Any) -> None:
    (own,) = namespaces(1)
    mallory = ProjectUser.create(lab, "mallory", own)
    spec = {"nodeName": "new", "containers": [{"name": "c", "image": "quay.io/private/of-others:v1"}]}
    mallory.create_object("pods", {"metadata": {"name": "p"}, "spec": spec})
    lab.namespace("kube-trusted")
    start_pod(lab, "kube-trusted", "p", "quay.io/platform/agent:v1")
    try:
        found = set_policy(policy=LISTED, allow_images_of=["kube-trusted"])
        assert (found["failed"], found["allow_list"]) == (False, ["quay.io/platform/agent"])
        assert stored(lab)["preloadedImagesVerificationAllowlist"] == ["quay.io/platform/agent"]
        assert set_policy(policy=LISTED, allow_images_of=[f"{own[:-1]}*"])["failed"]
    finally:
        lab.api("DELETE", path_of("kube-trusted", "pods", "p") + "?gracePeriodSeconds=0", expect=(200, 404))
