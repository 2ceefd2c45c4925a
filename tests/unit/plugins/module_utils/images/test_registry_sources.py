# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scopes are inside each other as the machine config operator decides."""

from __future__ import annotations

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.registry_sources import is_nested


class TestNesting:
    @pytest.mark.parametrize(
        ("scope", "outer"),
        [
            ("q.io", "q.io"),
            ("q.io/team", "q.io"),
            ("q.io:5000/team", "q.io:5000"),
            ("a.q.io/team", "*.q.io"),
            ("a.q.io:5000/team", "*.q.io"),
            ("*.a.q.io", "*.q.io"),
        ],
    )
    def test_a_scope_is_inside_another_one(self, scope: str, outer: str) -> None:
        assert is_nested(scope, outer)

    @pytest.mark.parametrize(
        ("scope", "outer"),
        [
            ("q.io", "q.io/team"),
            ("q.io/teams", "q.io/team"),
            ("q.io:5000", "q.io"),
            ("q.io/team:v1", "q.io/team"),
            ("a.q.io/team:v1", "*.q.io"),
            ("q.io", "*.q.io"),
            ("q.io", ""),
        ],
    )
    def test_a_scope_is_not_inside_another_one(self, scope: str, outer: str) -> None:
        assert not is_nested(scope, outer)
