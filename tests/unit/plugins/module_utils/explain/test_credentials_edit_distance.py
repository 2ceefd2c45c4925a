# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Misspelled names are recognized, and names that only look similar are not."""

from __future__ import annotations

import time

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.credentials import is_typing_error


@pytest.mark.parametrize(
    ("first", "second", "is_one"),
    [
        ("quay.io", "quai.io", True),
        ("quay.io", "quay.i", True),
        ("quay.io", "qauy.io", True),
        ("quay.io", "quay.oi", True),
        ("quay.io", "qauy.oi", False),
        ("quay.io", "quay.io", False),
        ("quay.io", "ghcr.io", False),
        ("quay.io", "other.io", False),
        ("registry.example.com", "registri.exmple.com", True),
        ("registry.example.com", "regsitry.exampel.com", True),
        ("registry.example.com", "registry.other.com", False),
        ("registry.example.com", "registry.example.org", False),
        ("a", "", True),
        ("", "", False),
        ("ab", "ba", True),
        ("abc", "cab", False),
    ],
)
def test_a_typing_error_is_recognised(first: str, second: str, is_one: bool) -> None:
    for pair in ((first, second), (second, first)):
        assert is_typing_error(*pair) is is_one


def test_very_long_names_are_not_compared() -> None:
    began = time.process_time()
    assert not is_typing_error("a" * 1_000_000, "a" * 999_999)
    assert time.process_time() - began < 1


def test_long_names_that_differ_in_a_few_places_take_little_time() -> None:
    first = "x" + "a" * 118 + "y" + "a" * 118 + ".example"
    others = [f"{number}" + first[3:120] + "b" + first[121:-1] + "f" for number in range(100, 400)]
    began = time.process_time()
    assert not any(is_typing_error(first, other) for other in others)
    assert time.process_time() - began < 1
