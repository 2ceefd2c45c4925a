# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever a server sends, looking at it never fails."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.shapes import (
    mapping,
    sequence,
    text,
    texts,
    whole,
)

ODD = [None, True, 0, 1.5, "text", ["list"], {"an": "object"}]


class TestShapes:
    @pytest.mark.parametrize("value", ODD, ids=repr)
    def test_another_shape_counts_as_not_there(self, value: Any) -> None:
        assert mapping(value) == (value if isinstance(value, dict) else {})
        assert list(sequence(value)) == (value if isinstance(value, list) else [])
        assert text(value) == (value if isinstance(value, str) else "")
        assert whole(value) == (0 if value == 0 else None)

    @pytest.mark.parametrize("value", [["a", "", 1, None, ["b"], "c"], ("a", "c")], ids=repr)
    def test_the_strings_of_an_array(self, value: Any) -> None:
        assert texts(value) == ["a", "c"]
        assert texts("ac") == []

    def test_a_string_is_no_sequence_of_letters(self) -> None:
        assert sequence("text") == ()
