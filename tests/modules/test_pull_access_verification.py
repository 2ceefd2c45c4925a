# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules and explanations about kubelets that verify images match the lab's node, which runs the kubelet's own code."""

from __future__ import annotations

from typing import Any

import pytest
from support.audited import LISTED, POLICY, Scene
from support.lab_nodes import LabNode, described_nodes, node_pulls
from support.openshift import described

#: Each policy with its allow-list.
POLICIES = [
    ("NeverVerifyPreloadedImages", []),
    ("NeverVerify", []),
    ("AlwaysVerify", []),
    ("NeverVerifyAllowlistedImages", ["{repository}"]),
    ("NeverVerifyAllowlistedImages", ["{host}/*"]),
    ("NeverVerifyAllowlistedImages", ["{host}/elsewhere/*"]),
]


def findings(run: Any, names: list[str], rule: str, **options: Any) -> list[dict[str, Any]]:
    result = run("pull_access_audit", namespaces=names, rules=[rule], **options)
    assert not result["failed"], result["msg"]
    (cluster,) = result["audit"]["clusters"]
    assert cluster["unreadable"] == []
    found: list[dict[str, Any]] = cluster["findings"]
    return found


def pods_in(found: list[dict[str, Any]]) -> set[tuple[str, str]]:
    return {(each["namespace"], each["name"]) for each in found}


def cached(run: Any, namespace: str) -> bool | None:
    """Whether the pod gets the image that its node has, as explained."""
    result = run("pull_access_info", namespaces=[namespace], pod="app")
    assert not result["failed"], result["msg"]
    (access,) = result["namespaces"][0]["access"]
    (step,) = [each for each in access["steps"] if each["step"] == "cached"]
    is_used: bool | None = step["ok"]
    return is_used


class Cached:
    """A pod with a login for an image, and one without, on a node that had the image before it began to verify."""

    def __init__(self, lab: Any, names: list[str], policy: str = "IfNotPresent") -> None:
        self.lab, self.names, self.node = lab, names, f"node-of-{names[0]}"
        self.pods = [(name, "app") for name in names]
        scenes = [Scene(lab, [name]) for name in names]
        scenes[0].secret()
        scenes[0].pod(own=["pull"], nodeName=self.node, policy=policy)
        scenes[1].pod(nodeName=self.node)
        for scene, pod in zip(scenes, self.pods, strict=True):
            assert node_pulls(lab, *pod, "--node", self.node)
            scene.runs()
        host = scenes[0].host
        self.texts = {"host": host, "repository": scenes[0].image.rpartition(":")[0]}

    def verifies(self, pod: tuple[str, str], *options: str) -> bool:
        """Return whether the node, which verifies now, starts the pod."""
        return node_pulls(self.lab, *pod, "--node", self.node, "--recheck", *options)


@pytest.mark.parametrize(("policy", "entries"), POLICIES)
def test_the_audit_names_the_pods_that_the_policy_of_the_node_refuses(
    lab: Any, run: Any, namespaces: Any, policy: str, entries: list[str]
) -> None:
    names = namespaces(2)
    it = Cached(lab, names)
    allowed = [entry.format(**it.texts) for entry in entries]
    settings = {POLICY: policy, **({LISTED: allowed} if allowed else {})}
    with described_nodes(lab, LabNode(it.node, "audited"), configs={"audited": settings}):
        refused = pods_in(findings(run, names, "verification-refuses-pod"))
        exempt = findings(run, names, "verification-exempts-private")
        explained = cached(run, names[1])
    listed = ("--verification-allow-list", ",".join(allowed)) if allowed else ()
    started = {pod: it.verifies(pod, "--verification-policy", policy, *listed) for pod in it.pods}
    assert started[it.pods[0]]
    assert refused == {pod for pod, is_started in started.items() if not is_started}
    # Only the policy of preloaded images leaves the answer to the records of the node.
    is_free = policy == "NeverVerify" or (bool(allowed) and not refused)
    assert (bool(exempt), explained) == (is_free, True if is_free else None)


def test_a_preloaded_image_is_verified_once_the_kubelet_has_pulled_it(lab: Any, run: Any, namespaces: Any) -> None:
    names = namespaces(2)
    it = Cached(lab, names, "Always")
    with described(lab, version="4.21.1"):
        found = findings(run, names, "forecast-cached-image", target_version="4.22")
    assert pods_in(found) == {it.pods[1]}
    assert "once it has pulled the image there" in found[0]["message"]
    assert it.verifies(it.pods[1])
    assert it.verifies(it.pods[0])
    assert not it.verifies(it.pods[1])


@pytest.mark.parametrize(
    "settings",
    [
        {POLICY: "AlwaysVerify", LISTED: ["quay.io/team/app"]},
        {POLICY: "NeverVerifyAllowlistedImages", LISTED: ["quay.io/*/app"]},
        {POLICY: "Sometimes"},
    ],
)
def test_the_audit_finds_settings_that_the_kubelet_refuses(lab: Any, run: Any, namespace: str, settings: Any) -> None:
    with described_nodes(lab, LabNode("refusing", "audited"), configs={"audited": settings}):
        (found,) = findings(run, [namespace], "verification-stops-kubelet")
    assert found["severity"] == "error"
    listed = ("--verification-allow-list", ",".join(settings[LISTED])) if LISTED in settings else ()
    Scene(lab, [namespace]).pod()
    options = ("--node", f"node-of-{namespace}", "--recheck", "--verification-policy", settings[POLICY], *listed)
    done = lab.run("pull", "--dir", str(lab.dir), *options, namespace, "app", check=False)
    assert done.returncode == 2, done.stderr
    assert "the kubelet does not start" in done.stderr
