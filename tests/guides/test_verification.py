# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide on images that a node already has estimates the effects of a policy."""

from __future__ import annotations

import pytest
from support.lab import path_of
from support.lab_nodes import LabNode, described_nodes

pytestmark = pytest.mark.slow


def test_the_verification_guide_works_as_written(installed, own_lab):
    own_lab.namespace("project-a")
    with described_nodes(own_lab, LabNode("worker-1", "worker")):
        container = {"name": "app", "image": own_lab.registry("private")["image"]}
        pod = {"metadata": {"name": "web"}, "spec": {"nodeName": "worker-1", "containers": [container]}}
        own_lab.create("project-a", "pods", pod)
        installed.follow("verification")
        # No kubelet ends the pod.
        own_lab.api("DELETE", path_of("project-a", "pods", "web"), {"gracePeriodSeconds": 0})
