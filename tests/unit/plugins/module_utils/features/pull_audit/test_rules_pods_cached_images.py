# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pods without a login for an image of their node, if other pods have one."""

from __future__ import annotations

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_audit.rules_pods import (
    find_pods_without_login,
    repositories_with_login,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_verification import POOLS
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.cluster import INFRASTRUCTURE
from support.surveyed import place, pod, secret, survey

WITH = place("b", secrets=[secret("s")], pods=[pod("s", runs=True)])


def test_repositories_are_those_for_which_a_pod_has_a_login() -> None:
    other = place("c", secrets=[secret("s")], pods=[pod("s", image="r.io/app"), pod("gone", image="q.io/other")])
    assert repositories_with_login(survey(WITH, other)) == {"q.io/team/app"}


def test_a_pod_with_its_image_and_without_a_login_is_found() -> None:
    own = place(
        pods=[
            pod(runs=True),
            pod("s", name="t", runs=True),
            pod(name="waits"),
            pod(name="a", runs=True, policy="Always"),
        ]
    )
    seen = survey(own, WITH)
    found = find_pods_without_login(own, seen, frozenset(["q.io/team/app"]))
    assert [(subject.ref.name, reference.host) for subject, reference in found] == [("app", "q.io"), ("t", "q.io")]
    assert list(find_pods_without_login(own, seen, frozenset())) == []


@pytest.mark.parametrize(("platform", "found"), [("AWS", []), ("VSphere", ["app"])], ids=str)
def test_a_credential_provider_of_the_nodes_is_a_login(platform: str, found: list[str]) -> None:
    image = "1.dkr.ecr.eu-west-1.amazonaws.com/app"
    own = place(pods=[pod(runs=True, image=image)])
    cloud = {INFRASTRUCTURE: {"status": {"platformStatus": {"type": platform}}}}
    seen = survey(own, objects={**cloud, POOLS: None})
    pods = find_pods_without_login(own, seen, frozenset([image]))
    assert [subject.ref.name for subject, _reference in pods] == found
