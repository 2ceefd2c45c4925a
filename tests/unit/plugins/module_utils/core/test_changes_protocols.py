# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The empty answer about related objects cannot be changed."""

from __future__ import annotations

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.changes import NOTHING_RELATED
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SECRET, ObjectRef


def test_the_empty_answer_cannot_be_changed() -> None:
    assert dict(NOTHING_RELATED) == {}
    with pytest.raises(TypeError):
        NOTHING_RELATED[ObjectRef(SECRET, "a", "b")] = None  # type: ignore[index]
