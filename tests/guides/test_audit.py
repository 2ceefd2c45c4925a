# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide on the audit works on a cluster with findings. Tests in tests/modules cover each rule's finding and fix."""

from __future__ import annotations

import pytest
from support.guided import broken_pod, inventory

pytestmark = pytest.mark.slow


def test_the_audit_guide_works_as_written(installed, own_lab):
    own_lab.namespace("project-a")
    broken_pod(own_lab, "project-a")
    inventory(installed)
    installed.follow("audit", only_shown={"mirror.example.com": "the lab has no release"})
