# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A list of nodes keeps their versions, and the labels and the annotation that lead to their configuration."""

from __future__ import annotations

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import trim_object
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.node_pools import NODES
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
