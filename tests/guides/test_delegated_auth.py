# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide on registries that delegate their login."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.slow


def test_it_is_as_it_says(installed, own_lab, pulls):
    own_lab.namespace("project-c")
    installed.follow("delegated_auth")
    assert pulls("project-c", own_lab.registry("delegated")["image"])
    assert own_lab.get("project-c", "secrets", "redhat-connect-sso")
