# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Credential providers of the nodes are named, but never decide the verdict."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.verdict import PullVerdict
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.credential_providers import CRIO_PROVIDER
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.cluster_kind import INFRASTRUCTURE
from support.pull_evidence import AUTH, REFUSED, TAG_SETS, known, pod, secret, steps, told

ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
NEW, OLD = CRIO_PROVIDER
TEXT = (
    "CRI-O credential provider config cluster has q.io: for a mirror, the nodes use the pull secrets that the pod's account is allowed "
    "to list in its namespace, linked or not"
)


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


class TestCrio:
    def asked(self, config: Any, *, old: Any = None, mirrored: bool = True) -> PullVerdict:
        item = {"source": "q.io", "mirrors": ["m.io"] if mirrored else []}
        sets = {"items": [{"metadata": {"name": "m"}, "spec": {"imageTagMirrors": [item]}}]}
        return told(pod(), known(more={ObjectRef(TAG_SETS, "", ""): sets, NEW: config, OLD: old}))

    def test_a_crio_provider_that_names_the_image_is_reported(self) -> None:
        config = {"spec": {"matchImages": ["q.io"]}}
        assert steps(self.asked(config), "providers") == [("providers", TEXT, None)]
        assert steps(self.asked(None, old=config), "providers") == [("providers", TEXT, None)]
        assert self.asked(config).verdict == "unknown"

    def test_the_message_of_a_crio_provider_is_reported(self) -> None:
        condition = {"type": "Validated", "status": "False", "message": "q.io is skipped"}
        config = {"spec": {"matchImages": ["q.io"]}, "status": {"conditions": [condition]}}
        assert steps(self.asked(config), "providers") == [("providers", f"{TEXT}. It reports: q.io is skipped", None)]

    def test_a_crio_provider_serves_only_images_with_a_mirror(self) -> None:
        assert steps(self.asked({"spec": {"matchImages": ["q.io"]}}, mirrored=False), "providers") == []
        assert steps(self.asked({"spec": {"matchImages": ["x.io"]}}), "providers") == []

    def test_an_unreadable_crio_provider_leaves_a_doubt(self) -> None:
        (seen,) = steps(self.asked(REFUSED, old=REFUSED), "providers")
        assert seen[1].endswith("config cluster is for the image is not known: the caller may not read it")
