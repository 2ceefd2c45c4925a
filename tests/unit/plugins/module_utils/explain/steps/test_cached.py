# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An image that a node already has is available to a pod only under certain conditions."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import Lookup
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.steps.cached import (
    cache_refs,
    explain_cache,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.verdict import PullVerdict
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.node_versions import NODES
from support.pull_evidence import GOOD, REFUSED, known, node, pod, steps, summary, told

NEW, OLD = node("new", kubelet="v1.35.0"), node("old", kubelet="v1.34.9")
ONLY = "only if it was pulled without a login, with the nodes' own, with the same login, or with the same secret"


def asked(*nodes: Any, answer: Any = None, **more: Any) -> PullVerdict:
    listed = {"items": [*nodes]} if answer is None else answer
    return told(pod("good", **{"is_asked_alone": True, **more}), known(more={NODES: listed}, good=GOOD))


class TestRunning:
    BEGIN = "the container has its image, but that does not mean that the next pod can pull it: "

    @pytest.mark.parametrize("nodes", [(NEW,), (OLD, NEW)])
    def test_kubelets_from_1_35_on_check_a_cached_image_again(self, nodes: Any) -> None:
        found = asked(*nodes, pulled=True)
        assert found.verdict == "pulls"
        assert steps(found, "cached") == [
            ("cached", f"{self.BEGIN}this kubelet gives a pod the image on its node {ONLY}", None)
        ]

    def test_kubelets_before_1_35_do_not_check_a_cached_image_again(self) -> None:
        text = "the kubelet is older than 1.35, so a pod on a node that has the image gets it whatever its secrets are. On another node it is pulled"
        assert steps(asked(OLD, pulled=True), "cached") == [("cached", f"{self.BEGIN}{text}", True)]

    @pytest.mark.parametrize(
        ("nodes", "answer", "end"),
        [
            ((), None, "is not known"),
            ((OLD, {}), None, "is not known"),
            ((), REFUSED, "is not known: the caller may not read it"),
        ],
    )
    def test_an_unknown_kubelet_version_is_reported(self, nodes: Any, answer: Any, end: str) -> None:
        ((_name, seen, ok),) = steps(asked(*nodes, answer=answer, pulled=True), "cached")
        assert ok is None
        assert (
            seen
            == f"{self.BEGIN}kubelets from 1.35 on give a pod the image on its node {ONLY}. The version of these kubelets {end}"
        )

    def test_the_step_is_omitted_for_the_policy_always(self) -> None:
        assert steps(asked(NEW, pulled=True, pull_policy="Always"), "cached") == []
        assert steps(asked(NEW, pulled=True, is_asked_alone=False), "cached") == []


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

    def test_the_error_of_the_node_is_reported_for_the_policy_never(self) -> None:
        text = 'Container image "q.io/team/app:v1" is not present with pull policy of Never'
        found = asked(NEW, pull_policy="Never", reason="ErrImageNeverPull", message=text)
        assert (found.verdict, found.cause) == ("will_not_pull", "never_pull")
        assert found.reason == (
            f"imagePullPolicy is Never: nothing is pulled, and the node says: {text}. Change imagePullPolicy, or bring the image to the node"
        )

    def test_a_container_that_has_its_image_pulls(self) -> None:
        found = asked(NEW, pull_policy="Never", pulled=True)
        assert (found.verdict, len(steps(found, "cached"))) == ("pulls", 1)

    def test_an_invalid_name_is_reported_before_the_policy_never(self) -> None:
        assert "is not a valid image name" in asked(NEW, pull_policy="Never", image="UPPER").reason
