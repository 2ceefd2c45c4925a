# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide on registries that delegate their login works as written."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.slow


def test_the_delegated_auth_guide_works_as_written(installed, own_lab, pulls):
    own_lab.namespace("project-c")
    installed.follow("delegated_auth")
    assert pulls("project-c", own_lab.registry("delegated")["image"])
    assert own_lab.get("project-c", "secrets", "redhat-connect-sso")
