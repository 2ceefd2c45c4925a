# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A pull that breaks is missed at a start of its container, on another node, or by the next pod."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.node_settings import (
    NodeGroup,
    NodeSettings,
    SettledNode,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_verification import (
    ALWAYS_VERIFY,
    NEVER_VERIFY,
    VerificationPolicy,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.node_versions import NodeVersions
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.timing import NodeCaches
from support.pull_evidence import pod, template

RUNNING = pod(pulled=True, node="n", pull_policy="IfNotPresent")


def caches(policy: str = "", kubelet=(1, 36), runtime: str = "containerd") -> NodeCaches:
    settings = NodeSettings(VerificationPolicy(policy))
    node = SettledNode(NodeVersions("n", kubelet, runtime, None), settings)
    return NodeCaches({"n": (node, NodeGroup("", [node], settings))})


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


def test_the_settings_after_the_next_start_count() -> None:
    node = SettledNode(NodeVersions("n", (1, 36), "containerd", None), NodeSettings(VerificationPolicy(NEVER_VERIFY)))
    coming = NodeSettings(VerificationPolicy(ALWAYS_VERIFY))
    moment = NodeCaches({"n": (node, NodeGroup("", [node], coming))}).moment_of(RUNNING)
    assert moment.possibly == "at_restart"
    assert "AlwaysVerify" in moment.reason


def test_new_nodes_have_no_image() -> None:
    assert replace(caches(), is_empty=True).moment_of(RUNNING).when == "at_once"


def test_an_image_policy_is_checked_at_each_start() -> None:
    assert caches().moment_of(RUNNING, checks_at_start=True).when == "at_restart"


def test_moments_are_ordered() -> None:
    ordered = [caches().moment_of(each).order for each in (pod(), RUNNING, template())]
    assert ordered == sorted(ordered)
