# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A pull that breaks is missed at a start of its container, on another node, or by the next pod."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import POD, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import Lookup, UnreadableObject
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.node_settings import NodeSettings
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.subjects import ContainerPull
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_verification import (
    ALWAYS_VERIFY,
    KUBELET_CONFIGS,
    KUBELET_FILE,
    NEVER_VERIFY,
    NODES,
    POLICIES,
    POLICY_FIELD,
    POOLS,
    VerificationPolicy,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.node_registries import (
    CLUSTER_POLICIES,
    IMAGE_POLICY,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.nodes import NodeVersions
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.registry_sources import (
    IMAGE_CONFIG,
    MIRROR_KINDS,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.timing import (
    NodeCaches,
    count_pulls,
)
from support.pull_evidence import pod, template
from support.supposed import rows_about
from support.supposed_changes import signature_policy
from support.surveyed import account, place, secret, survey
from support.surveyed import pod as listed_pod

RUNNING = pod(pulled=True, node="n", pull_policy="IfNotPresent")
CLOSED = {"unreachable_registries": ["q.io"]}


def caches(policy: str = "", kubelet=(1, 36), runtime: str = "containerd", version=None) -> NodeCaches:
    settings = NodeSettings(VerificationPolicy(policy))
    return NodeCaches({"n": (NodeVersions("n", kubelet, runtime, version), settings)})


@pytest.mark.parametrize(
    ("subject", "when", "possibly"),
    [
        (template(), "at_rollout", ""),
        (pod(), "at_once", ""),
        (replace(RUNNING, pull_policy="Always"), "at_restart", ""),
        (RUNNING, "on_another_node", "at_restart"),
        (replace(RUNNING, node="gone"), "on_another_node", "at_restart"),
    ],
)
def test_the_moment_of_a_subject(subject, when, possibly) -> None:
    moment = caches().moment_of(subject)
    assert (moment.when, moment.possibly) == (when, possibly)
    assert moment.reason


@pytest.mark.parametrize(
    ("nodes", "possibly"),
    [(caches(NEVER_VERIFY), ""), (caches(ALWAYS_VERIFY), "at_restart"), (caches(kubelet=(1, 34)), "")],
)
def test_a_kubelet_that_does_not_verify_uses_its_image(nodes, possibly) -> None:
    moment = nodes.moment_of(RUNNING)
    assert (moment.when, moment.possibly) == ("on_another_node", possibly)


@pytest.mark.parametrize(("policy", "when"), [(ALWAYS_VERIFY, "at_restart"), ("", "on_another_node")])
def test_a_kubelet_that_never_finds_its_records_asks_at_each_start_if_its_policy_says_so(policy, when) -> None:
    moment = caches(policy, runtime="cri-o", version=(1, 35, 1)).moment_of(RUNNING)
    assert (moment.when, moment.possibly) == (when, "")


@pytest.mark.parametrize(
    "settings", [NodeSettings(None, why="no object says so"), NodeSettings(VerificationPolicy(), is_assumed=True)]
)
def test_a_policy_that_no_object_shows_may_be_any(settings) -> None:
    node = NodeVersions("n", (1, 36), "cri-o", (1, 35, 1))
    assert NodeCaches({"n": (node, settings)}).moment_of(RUNNING).possibly == "at_restart"
    old = replace(node, kubelet=(1, 34))
    assert NodeCaches({"n": (old, settings)}).moment_of(RUNNING).possibly == ""


def test_new_nodes_have_no_image() -> None:
    assert replace(caches(), is_empty=True).moment_of(RUNNING).when == "at_once"


def test_an_image_policy_is_checked_at_each_start() -> None:
    nodes = replace(caches(), checking=[RUNNING.namespace])
    assert nodes.moment_of(RUNNING, is_checked=True).when == "at_restart"
    assert nodes.moment_of(RUNNING).when == "on_another_node"
    assert caches().moment_of(RUNNING, is_checked=True).when == "on_another_node"


def test_moments_are_ordered() -> None:
    ordered = [caches().moment_of(each).order for each in (pod(), RUNNING, template())]
    assert ordered == sorted(ordered)


def moment_on(kubelet: str, *changes: Any, policy: str = "", crio: str = "1.36.0", **more: Any) -> tuple[str, str]:
    """The moment of a running pod on a node of a pool with this policy. `more` are parts of its namespace."""
    runtime = {"kubeletVersion": f"v{kubelet}", "containerRuntimeVersion": f"cri-o://{crio}"}
    node = {"metadata": {"name": "n", "labels": {"role": "worker"}}, "status": {"nodeInfo": runtime}}
    rendered = {"name": "rendered"}
    pool = {
        "metadata": {"name": "worker", "labels": {"pool": "worker"}},
        "spec": {"nodeSelector": {"matchLabels": {"role": "worker"}}, "configuration": rendered},
        "status": {"configuration": rendered, "conditions": [{"type": "Updated", "status": "True"}]},
    }
    objects = {
        NODES: {"items": [node]},
        POOLS: {"items": [pool]},
        KUBELET_CONFIGS: {"items": [kubelet_config(policy)] if policy else []},
        ObjectRef(KUBELET_FILE, "", "rendered"): UnreadableObject("the caller may not read it"),
    }
    here = place(secrets=[secret("s")], accounts=[account()], pods=[listed_pod("s", runs=True, nodeName="n")])
    (row,) = rows_about(survey(replace(here, **more), objects=objects), CLOSED, *changes)
    assert row.moment is not None
    return row.moment.when, row.moment.possibly


def kubelet_config(policy: str) -> dict[str, Any]:
    return {
        "apiVersion": "machineconfiguration.openshift.io/v1",
        "kind": "KubeletConfig",
        "metadata": {"name": "settings"},
        "spec": {
            "machineConfigPoolSelector": {"matchLabels": {"pool": "worker"}},
            "kubeletConfig": {POLICY_FIELD: policy},
        },
    }


def test_the_settings_after_the_changes_count() -> None:
    assert moment_on("1.36.0", policy=NEVER_VERIFY) == ("on_another_node", "")
    added = {"add_objects": {"definition": [kubelet_config(ALWAYS_VERIFY)]}}
    assert moment_on("1.36.0", added, policy=NEVER_VERIFY) == ("on_another_node", "at_restart")
    assert moment_on("1.36.0", added, policy=NEVER_VERIFY, crio="1.35.1") == ("at_restart", "")
    deleted = {"delete_objects": {"kind": "KubeletConfig", "names": ["settings"]}}
    assert moment_on("1.36.0", deleted, policy=NEVER_VERIFY) == ("on_another_node", "at_restart")


def test_the_versions_after_the_changes_count() -> None:
    assert moment_on("1.34.0") == ("on_another_node", "")
    assert moment_on("1.34.0", {"target_version": "4.22"}) == ("on_another_node", "at_restart")
    assert moment_on("1.35.0", policy=ALWAYS_VERIFY, crio="1.35.1") == ("at_restart", "")
    assert moment_on("1.35.0", {"target_version": "4.23"}, policy=ALWAYS_VERIFY, crio="1.35.1")[1] == "at_restart"


@pytest.mark.parametrize("kubelet", ["1.24.0", "1.32.7"])
def test_old_nodes_without_the_settings_use_their_images(kubelet) -> None:
    assert moment_on(kubelet, crio=kubelet) == ("on_another_node", "")


def test_the_image_policies_after_the_changes_count() -> None:
    policy = signature_policy("own", "q.io/team", "a")
    added = {"add_objects": {"definition": [policy]}}
    assert moment_on("1.34.0", added) == ("on_another_node", "")  # the registry fails first, which no start checks
    blocked = {"kind": "ImagePolicy", "names": ["own"], "namespace": "a"}
    assert moment_on("1.34.0", {"delete_objects": blocked}, policies=[policy]) == ("on_another_node", "")
    assert NodeCaches.of(_evidence(policy), ["a"]).checking == {"a"}
    assert NodeCaches.of(_evidence(), ["a"]).checking == frozenset()


def _evidence(*policies: Any) -> Any:
    return survey(replace(place(), policies=policies)).evidence


def test_nodes_that_could_not_be_read_are_not_asked_for_again() -> None:
    evidence = survey(place()).evidence
    evidence.add({NODES: UnreadableObject("the caller may not list them"), CLUSTER_POLICIES: UnreadableObject("no")})
    found = NodeCaches.of(evidence, ["a"], are_nodes_read=False)
    assert found.moment_of(RUNNING).possibly == "at_restart"
    assert found.checking == frozenset()


def test_a_check_at_a_start_is_possible_if_the_image_policies_could_not_be_read() -> None:
    evidence = survey(place()).evidence
    refs = (CLUSTER_POLICIES, ObjectRef(IMAGE_POLICY, RUNNING.namespace, ""))
    evidence.add(dict.fromkeys(refs, UnreadableObject("no")))
    unread = NodeCaches.of(evidence, [RUNNING.namespace], are_nodes_read=False).unread
    found = replace(caches(NEVER_VERIFY), unread=unread)
    known = found.moment_of(RUNNING)
    assert (known.when, known.possibly) == ("on_another_node", "")
    moment = found.moment_of(RUNNING, is_checked=True)
    assert (moment.when, moment.possibly) == ("on_another_node", "at_restart")
    assert "image policies of the namespace could not be read" in moment.reason


def test_every_policy_has_a_moment() -> None:
    assert {caches(policy).moment_of(RUNNING).when for policy in POLICIES} == {"on_another_node"}


#: The records of a kubelet with this runtime are never found.
_BROKEN = {"runtime": "cri-o", "runtime_version": (1, 35, 1)}


def restarting(*pulls: Any, policy: str = ALWAYS_VERIFY, mirrors: Any = None, **node: Any) -> list[dict[str, Any]]:
    """The pulls when the nodes `n` and `second` start again."""
    versions = NodeVersions("n", (1, 36), **{"runtime": "cri-o", "runtime_version": (1, 36, 0), **node})
    settings = NodeSettings(VerificationPolicy(policy) if policy else None)
    known = dict.fromkeys((IMAGE_CONFIG, *(ObjectRef(kind, "", "") for kind in MIRROR_KINDS)))
    evidence = Lookup({**known, **(mirrors or {})})
    return count_pulls(pulls, {"n": (versions, settings), "second": (versions, settings)}, evidence)


def running(
    name: str, *own: str, node: str = "n", image: str = "q.io/team/app:v1", policy: str = "IfNotPresent"
) -> Any:
    return ContainerPull(
        ObjectRef(POD, "ns", name),
        "default",
        own,
        "app",
        image,
        is_pod=True,
        is_pulled=True,
        node=node,
        pull_policy=policy,
    )


class TestRestartPulls:
    def test_an_image_is_pulled_once_for_each_node_and_list_of_secrets(self) -> None:
        pulls = [running("a", "s"), running("b", "s"), running("c"), running("d", "s", node="second")]
        assert restarting(*pulls) == [{"registry": "q.io", "pulls": 3, "of_one_node": 2}]

    @pytest.mark.parametrize(
        ("policy", "node", "number"),
        [
            (ALWAYS_VERIFY, {}, 1),
            (ALWAYS_VERIFY, _BROKEN, 2),
            (NEVER_VERIFY, {}, 0),
            (NEVER_VERIFY, _BROKEN, 0),
            ("", {}, 1),
            ("", _BROKEN, 2),
        ],
    )
    def test_the_policy_and_the_versions_decide(self, policy: str, node: Any, number: int) -> None:
        found = restarting(running("a", "s"), running("b", "s"), policy=policy, **node)
        assert sum(each["pulls"] for each in found) == number

    def test_pull_policy_always_pulls_at_each_start_and_never_does_not(self) -> None:
        pulls = [*(running(name, policy="Always") for name in "ab"), running("c", policy="Never")]
        assert restarting(*pulls, policy=NEVER_VERIFY) == [{"registry": "q.io", "pulls": 2, "of_one_node": 2}]

    def test_pods_on_other_nodes_and_invalid_images_do_not_count(self) -> None:
        assert restarting(running("a", node="other"), running("b", node=""), running("c", image="Q/:")) == []

    def test_the_first_mirror_is_asked(self) -> None:
        item = {"source": "q.io/team", "mirrors": ["m.io/team", "n.io/team"]}
        sets = {"items": [{"metadata": {"name": "m"}, "spec": {"imageTagMirrors": [item]}}]}
        kind = next(each for each in MIRROR_KINDS if each.kind == "ImageTagMirrorSet")
        found = restarting(running("a", "s"), mirrors={ObjectRef(kind, "", ""): sets})
        assert [each["registry"] for each in found] == ["m.io"]
