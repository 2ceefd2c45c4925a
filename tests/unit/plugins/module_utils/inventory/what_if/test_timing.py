# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A pull that breaks is missed at a start of its container, on another node, or by the next pod."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import UnreadableObject
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.node_settings import NodeSettings
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_verification import (
    ALWAYS_VERIFY,
    NEVER_VERIFY,
    POLICIES,
    VerificationPolicy,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.kubelet_settings import (
    KUBELET_CONFIGS,
    KUBELET_FILE,
    NODES,
    POLICY_FIELD,
    POOLS,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.node_registries import (
    CLUSTER_POLICIES,
    IMAGE_POLICY,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.nodes import NodeVersions
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.timing import NodeCaches
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
