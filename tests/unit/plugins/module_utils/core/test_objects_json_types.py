# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A JSON value of an unexpected type counts as missing, so that reading an answer of a server never fails."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import (
    as_dict,
    as_int,
    as_list,
    as_str,
    as_strs,
)

ODD = [None, True, 0, 1.5, "text", ["list"], {"an": "object"}]


class TestShapes:
    @pytest.mark.parametrize("value", ODD, ids=repr)
    def test_a_value_of_another_type_counts_as_missing(self, value: Any) -> None:
        assert as_dict(value) == (value if isinstance(value, dict) else {})
        assert list(as_list(value)) == (value if isinstance(value, list) else [])
        assert as_str(value) == (value if isinstance(value, str) else "")
        assert as_int(value) == (0 if value == 0 else None)

    @pytest.mark.parametrize("value", [["a", "", 1, None, ["b"], "c"], ("a", "c")], ids=repr)
    def test_the_strings_of_an_array_are_returned(self, value: Any) -> None:
        assert as_strs(value) == ["a", "c"]
        assert as_strs("ac") == []

    def test_a_string_is_not_split_into_letters(self) -> None:
        assert as_list("text") == ()
