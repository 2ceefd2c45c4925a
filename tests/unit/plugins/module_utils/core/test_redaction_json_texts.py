# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All texts in a JSON-like value are found."""

from __future__ import annotations

from typing import Any

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.redaction import rewrite_texts, texts_of

VALUE = {"a": ["b", {"c/d": "e"}], "f": 1, "g": None, "h": ("i",)}


def test_texts_of_finds_values_and_keys() -> None:
    assert sorted(texts_of(VALUE)) == ["a", "b", "c/d", "e", "f", "g", "h", "i"]


def test_texts_of_takes_any_depth() -> None:
    value: Any = "x"
    for _depth in range(10_000):
        value = [value]
    assert [*texts_of(value)] == ["x"]


def test_rewritten_changes_texts_and_keys_that_are_not_identifiers() -> None:
    changed = {"a": ["B", {"C/D": "E"}], "f": 1, "g": None, "h": ["I"]}
    assert rewrite_texts(VALUE, str.upper) == changed
