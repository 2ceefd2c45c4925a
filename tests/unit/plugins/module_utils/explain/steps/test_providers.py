# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Credential providers of the nodes are named, but never decide the verdict."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.verdict import PullVerdict
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.cluster_kind import INFRASTRUCTURE
from support.pull_evidence import AUTH, REFUSED, known, pod, secret, steps, told

ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"


def on(platform: Any, says: str = "", **secrets: Any) -> PullVerdict:
    infrastructure = platform if platform is REFUSED else {"status": {"platformStatus": {"type": platform}}}
    subject = pod(*secrets, image=f"{ECR}/app:v1", says=says)
    return told(subject, known(more={INFRASTRUCTURE: infrastructure}, **secrets))


class TestClouds:
    @pytest.mark.parametrize(
        ("platform", "text", "ok"),
        [
            (
                "AWS",
                f"the nodes run on AWS, whose credential provider gives them a login for {ECR}: whether it may",
                None,
            ),
            ("VSphere", f"the nodes run on VSphere, so they have no credential provider of their own for {ECR}", False),
            (
                None,
                f"on AWS the nodes have a credential provider for {ECR}, but the platform of these nodes is not known",
                None,
            ),
            (REFUSED, "the platform of these nodes is not known: the caller may not read it", None),
        ],
    )
    def test_the_credential_provider_of_each_cloud_is_reported(self, platform: Any, text: str, ok: Any) -> None:
        found = on(platform)
        (seen,) = steps(found, "providers")
        assert (found.verdict, seen[2]) == ("unknown", ok)
        assert text in seen[1]

    def test_a_login_of_the_pod_needs_no_credential_provider(self) -> None:
        assert steps(on("AWS", a=secret({ECR: AUTH})), "providers") == []

    def test_a_denied_node_had_no_credential_provider(self) -> None:
        assert on("AWS", says="no basic auth credentials").verdict == "will_not_pull"
