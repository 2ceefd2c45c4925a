# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdict on an image for other architectures agrees with the lab's nodes, which choose from an index with containers/image."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from support.lab import Lab
from support.modules import run_module
from support.objects import auth_file, pull_secret
from support.registry_settings import registry_settings

BOTH, ARM = ("--architecture=amd64", "--architecture=arm64"), ("--architecture=arm64",)
ONLY_ARM = ("--only=arm64",)
WILL_NOT = "will_not_pull"


@dataclass(frozen=True)
class Case:
    """An image below `platforms/` of the private registry.

    `flags` are those of `lab sign`, `at_mirror` the flags for the copy at the delegated registry, None without a mirror. `pulls`: whether
    nodes with amd64 and with arm64 pull it. `verdict` and `text` are expected of the collection in a cluster with amd64, `mixed` in one with
    both.
    """

    name: str
    flags: Sequence[str]
    pulls: tuple[bool, bool]
    verdict: str
    mixed: str
    text: str = ""
    at_mirror: Sequence[str] | None = None
    by_digest: str = ""


CASES = (
    Case("one", [], (True, True), "pulls", "pulls", "gives"),
    Case("one-of-arm", ONLY_ARM, (True, True), "pulls", "pulls", "gives"),
    Case("index", BOTH, (True, True), "pulls", "pulls", "gives"),
    Case("index-by-digest", BOTH, (True, True), "pulls", "pulls", "gives", by_digest="index"),
    Case("index-of-arm", ARM, (False, True), WILL_NOT, "unknown", "has no image for amd64 in {image}"),
    Case("arm-by-digest", ARM, (False, True), WILL_NOT, "unknown", "has no image for amd64 in {image}", by_digest="index"),
    Case("copy", BOTH, (True, True), "pulls", "pulls", "gives", BOTH),
    Case("copy-of-arm", BOTH, (False, True), WILL_NOT, "unknown", "skopeo sync --all", ARM),
    Case("copy-of-amd", BOTH, (True, False), "pulls", "unknown", "gives", ("--architecture=amd64",)),
    Case("copy-of-both", ARM, (True, True), "pulls", "pulls", "gives", BOTH),
    Case("copy-by-digest", BOTH, (True, True), "pulls", "pulls", "gives", BOTH, by_digest="index"),
    Case("other-copy-by-digest", BOTH, (True, True), "pulls", "pulls", "gives", ARM, by_digest="index"),
    Case("arm-by-digest-copy", ARM, (False, True), WILL_NOT, "unknown", "skopeo sync --all", ARM, by_digest="index"),
    Case("single-copy-of-arm", BOTH, (True, True), "pulls", "pulls", "only for arm64, and its programs do not run on", ONLY_ARM),
    Case("single-copy-of-amd", BOTH, (True, True), "pulls", "pulls", "gives", ()),
)  # fmt: skip
#: The cases in which nodes pull an image whose program they cannot run.
RUNS_ELSEWHERE = {"single-copy-of-arm"}
NAMESPACE = "platforms"


@pytest.fixture(scope="module")
def lab(lab_factory: Callable[..., Lab]) -> Lab:
    """A separate lab, because the tests change the configuration of its nodes."""
    found: Lab = lab_factory()
    add_node(found, "worker-1", "amd64")
    return found


def add_node(lab: Lab, name: str, architecture: str) -> None:
    info = {"architecture": architecture, "kubeletVersion": "v1.34.2", "containerRuntimeVersion": "cri-o://1.34.1"}
    lab.api("POST", "/api/v1/nodes", {"metadata": {"name": name}, "status": {"nodeInfo": info}})


def login(lab: Lab, name: str) -> tuple[str, str]:
    account = lab.registry(name)["accounts"][0]
    return account["username"], account["password"]


@pytest.fixture(scope="module")
def images(lab: Lab) -> Mapping[str, str]:
    """The image of each case, with a pod that uses it."""
    host, found = lab.registry("private")["host"], {}
    lab.namespace(NAMESPACE)
    lab.create(NAMESPACE, "secrets", pull_secret("pull", auth_file({host: login(lab, "private")})))
    for case in CASES:
        digests = lab.sign(f"platforms/{case.name}:v1", *case.flags)
        if case.at_mirror is not None:
            lab.sign(f"copies/{case.name}:v1", *case.at_mirror, registry="delegated")
        version = f"@{digests[case.by_digest]}" if case.by_digest else ":v1"
        found[case.name] = f"{host}/platforms/{case.name}{version}"
        spec = {
            "containers": [{"name": "app", "image": found[case.name]}],
            "imagePullSecrets": [{"name": "pull"}],
        }
        lab.create(NAMESPACE, "pods", {"metadata": {"name": case.name}, "spec": spec})
    return found


@pytest.fixture(scope="module")
def settings(lab: Lab, images: Mapping[str, str]) -> Iterator[None]:
    private, delegated = lab.registry("private")["host"], lab.registry("delegated")["host"]
    mirrors: dict[str, list[dict[str, Any]]] = {"tag": [], "digest": []}
    for case in CASES:
        if case.at_mirror is not None:
            mirrors["digest" if case.by_digest else "tag"].append(
                {"source": f"{private}/platforms/{case.name}", "mirrors": [f"{delegated}/copies/{case.name}"]}
            )
    with registry_settings(lab, node={delegated: login(lab, "delegated")}, **mirrors):
        yield


@pytest.fixture(scope="module")
def pulled(lab: Lab, settings: None) -> Mapping[str, tuple[bool, bool]]:
    """Whether nodes with amd64 and with arm64 pull the image of each case."""
    pods = [(NAMESPACE, case.name) for case in CASES]
    done = [lab.pull_all(pods, f"--architecture={each}") for each in ("amd64", "arm64")]
    return {case.name: (one["pulled"], two["pulled"]) for case, one, two in zip(CASES, *done, strict=True)}


def verdicts(lab: Lab) -> Mapping[str, Mapping[str, Any]]:

    result = run_module("pull_access_info", kubeconfig=lab.kubeconfig, namespaces=[NAMESPACE], **lab.asking)
    assert not result["failed"], result["msg"]
    return {row["name"]: row for row in result["namespaces"][0]["access"]}


@pytest.fixture(scope="module")
def asked(lab: Lab, settings: None) -> Mapping[str, Mapping[str, Any]]:
    return verdicts(lab)


@pytest.fixture(scope="module")
def asked_mixed(lab: Lab, asked: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    """The verdicts after a node of another architecture has joined."""
    add_node(lab, "worker-2", "arm64")
    return verdicts(lab)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
class TestPlatforms:
    def test_the_nodes_pull_what_an_index_has_for_them(self, case: Case, pulled: Mapping[str, Any]) -> None:
        assert pulled[case.name] == case.pulls

    def test_the_verdict_agrees_with_the_node(
        self, case: Case, images: Mapping[str, str], asked: Mapping[str, Any], pulled: Mapping[str, Any]
    ) -> None:
        found = asked[case.name]
        assert found["verdict"] == case.verdict == ("pulls" if pulled[case.name][0] else WILL_NOT), found["reason"]
        assert case.text.format(image=images[case.name]) in found["reason"]
        doubts = [step for step in found.get("steps", ()) if step["step"] == "copy"]
        assert [step["ok"] for step in doubts] == ([False] if "skopeo" in found["reason"] else [])
        assert ("its programs do not run" in found["reason"]) == (case.name in RUNS_ELSEWHERE)

    def test_the_verdict_for_nodes_of_two_kinds_names_those_that_do_not_pull(
        self, case: Case, asked_mixed: Mapping[str, Any], pulled: Mapping[str, Any]
    ) -> None:
        found, names = asked_mixed[case.name], ("worker-1", "worker-2")
        assert found["verdict"] == case.mixed, found["reason"]
        assert (found["verdict"] == "pulls") == all(pulled[case.name])
        if found["verdict"] == "unknown":
            failing = [name for name, done in zip(names, pulled[case.name], strict=True) if not done]
            assert [name for name in names if name in found["reason"]] == failing
