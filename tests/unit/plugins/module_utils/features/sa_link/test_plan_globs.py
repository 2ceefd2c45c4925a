# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two globs overlap exactly if fnmatch finds a name that both match."""

from __future__ import annotations

from fnmatch import fnmatchcase
from itertools import product

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.sa_link.plan import can_overlap
from hypothesis import given
from hypothesis import strategies as st

#: Two patterns of up to three characters that match a common name of these letters also match one of at most six letters.
NAMES = ["".join(letters) for length in range(7) for letters in product("ab", repeat=length)]
PATTERNS = st.text(alphabet="ab*?", max_size=3)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("a", "a", True),
        ("a", "b", False),
        ("a", "ab", False),
        ("*", "", True),
        ("*", "a", True),
        ("a*", "*b", True),
        ("a*", "b*", False),
        ("a*c", "ab*", True),
        ("a**b", "ab", True),
        ("?", "", False),
        ("?", "a", True),
        ("a?", "ab", True),
        ("a?", "abc", False),
        ("a?", "b?", False),
        ("*a", "*b", False),
        ("*-ci", "team-*", True),
        ("robot[12]", "robot1", True),
        ("robot[12]", "robot", False),
        ("[ab]x", "cy", False),
        ("[]a]x", "ax", True),
        ("[!]a]x", "bx", True),
        ("[!]a]x", "xx", True),
        ("[]a", "ba", False),
        ("[a", "[a", True),
        ("[a", "a", False),
        ("[!]", "[!]", True),
        ("[!]", "a", False),
    ],
)
def test_the_overlap_is_the_same_in_both_directions(one: str, other: str, expected: bool) -> None:
    for pair in ((one, other), (other, one)):
        assert can_overlap(*pair) is expected


@given(PATTERNS, PATTERNS)
def test_the_overlap_means_that_some_name_matches_both_globs(one: str, other: str) -> None:
    assert can_overlap(one, other) is any(fnmatchcase(name, one) and fnmatchcase(name, other) for name in NAMES)


def test_many_stars_take_no_time() -> None:
    assert not can_overlap("a*" * 40 + "b", "a*" * 40 + "c")
