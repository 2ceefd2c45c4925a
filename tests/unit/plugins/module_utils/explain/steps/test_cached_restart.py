# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A container that runs in a namespace with an image policy may not start again."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.node_registries import (
    CLUSTER_POLICIES,
    IMAGE_POLICY,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.registry_sources import IMAGE_CONFIG
from support.pull_evidence import GOOD, REFUSED, known, pod, steps, told

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
