# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A list of nodes keeps their versions, and the labels and the annotation that lead to their configuration."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import trim_object
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_verification import (
    NODES,
    lists_image,
)
from support.node_configs import node_in


def test_versions_labels_and_the_rendered_configuration_are_kept() -> None:
    node = node_in("worker", current="rendered-worker-1")
    node["metadata"]["annotations"]["other"] = "x" * 1000
    assert trim_object(NODES.kind, node) == {
        "metadata": {
            "name": "n",
            "labels": {"node-role.kubernetes.io/worker": ""},
            "annotations": {"machineconfiguration.openshift.io/currentConfig": "rendered-worker-1"},
        },
        "status": {"nodeInfo": node["status"]["nodeInfo"]},
    }


def test_nodes_without_openshift_need_no_annotation() -> None:
    assert "annotations" not in trim_object(NODES.kind, node_in("worker"))["metadata"]


class TestImages:
    """A node lists the names of its largest images, as the runtime knows them."""

    DIGEST = "sha256:" + "0" * 64

    def node(self, *images: Any) -> Any:
        return {"status": {"images": [*images]}}

    @pytest.mark.parametrize(
        ("image", "expected"),
        [
            ("q.io/team/app:v1", True),
            (f"q.io/team/app:v9@{DIGEST}", True),
            ("q.io/team/app", False),
            ("q.io/team/app:v2", False),
            ("q.io/team/other:v1", False),
            ("docker.io/nginx", True),
        ],
    )
    def test_an_image_is_found_under_the_name_that_the_pod_means(self, image: str, expected: bool) -> None:
        found = {"names": [f"q.io/team/app@{self.DIGEST}", "q.io/team/app:v1"]}
        assert lists_image(self.node(found, {"names": ["docker.io/library/nginx:latest"]}), image) is expected

    def test_a_short_name_may_mean_another_registry(self) -> None:
        assert not lists_image(self.node({"names": ["docker.io/library/nginx:latest"]}), "nginx")

    @pytest.mark.parametrize(
        "images", [[], ["odd"], [{}], [{"names": None}], [{"names": [3, "UPPER", "<none>:<none>"]}]]
    )
    def test_odd_lists_contain_nothing(self, images: Any) -> None:
        assert not lists_image(self.node(*images), "q.io/team/app:v1")
        assert not lists_image({}, "UPPER")

    def test_the_list_of_all_nodes_does_not_keep_images(self) -> None:
        assert "images" not in trim_object(NODES.kind, self.node({"names": ["q.io/a:1"]}))["status"]
