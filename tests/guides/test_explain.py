# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide on explanations works for a pod whose only secret has a type that no node reads."""

from __future__ import annotations

import pytest
from support.guided import broken_pod, deployment, inventory

pytestmark = pytest.mark.slow


def test_the_explain_guide_works_as_written(installed, own_lab):
    own_lab.namespace("project-a")
    broken_pod(own_lab, "project-a")
    deployment(own_lab, "project-a")
    inventory(installed)
    installed.follow("explain")
