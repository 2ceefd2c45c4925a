# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide on images that a node already has shows the effects of a policy, and sets it."""

from __future__ import annotations

import pytest
from support.lab_nodes import KUBELET_CONFIGS, LabNode, described_nodes

pytestmark = pytest.mark.slow


def test_the_verification_guide_works_as_written(installed, own_lab):
    config = f"{KUBELET_CONFIGS}/image-pull-verification"
    with described_nodes(own_lab, LabNode("worker-1", "worker")):
        installed.follow("verification", before={"apply=true": lambda: own_lab.api("GET", config, expect=(404,))})
        settings = own_lab.api("GET", config)["spec"]["kubeletConfig"]
        own_lab.api("DELETE", config)
    assert settings == {"imagePullCredentialsVerificationPolicy": "AlwaysVerify"}
