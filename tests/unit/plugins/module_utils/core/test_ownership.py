# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What this collection created is known by its label alone."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.ownership import is_managed

LABEL = "app.kubernetes.io/managed-by"


class TestIsManaged:
    @pytest.mark.parametrize(
        ("metadata", "managed"),
        [
            ({"labels": {LABEL: "openshift_ops.image_pull"}}, True),
            ({"labels": {LABEL: "openshift_ops.image_pull", "team": "a"}}, True),
            ({"labels": {LABEL: "helm"}}, False),
            ({"labels": {}}, False),
            ({"labels": None}, False),
            ({"labels": [LABEL]}, False),
            ({"annotations": {LABEL: "openshift_ops.image_pull"}}, False),
            ({}, False),
            (None, False),
        ],
        ids=repr,
    )
    def test_by_its_label(self, metadata: Any, managed: bool) -> None:
        assert is_managed({"metadata": metadata}) is managed
