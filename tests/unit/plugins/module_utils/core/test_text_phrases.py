# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several items are joined into one phrase."""

from __future__ import annotations

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.text import (
    join_alike,
    join_and,
    pluralize,
    summarize,
)


@pytest.mark.parametrize(("parts", "said"), [("", ""), ("a", "a"), ("ab", "a and b"), ("abc", "a, b and c")])
def test_join_and_lists_all_parts(parts: str, said: str) -> None:
    assert join_and([*parts]) == said


def test_join_alike_has_sentences_that_differ_only_in_a_name_once() -> None:
    """A key is a host, perhaps with a path."""
    said = [
        (name, f"key {name}: {name.partition('/')[0]} refuses the login") for name in ("a.io/b", "c.io/d", "c.io/d")
    ]
    found = join_alike(
        [*said, ("a.io", "key a.io: a.io does not answer"), ("e.io/f", "key e.io/f: sso.io refuses the login")]
    )
    assert found == [
        "key a.io/b: a.io refuses the login (the same for c.io/d)",
        "key a.io: a.io does not answer",
        "key e.io/f: sso.io refuses the login",
    ]


@pytest.mark.parametrize(("number", "said"), [(0, "0 pods"), (1, "1 pod"), (2, "2 pods"), (2000, "2,000 pods")])
def test_pluralize_shows_a_count_with_its_noun(number: int, said: str) -> None:
    assert pluralize(number, "pod") == said


def test_pluralize_accepts_an_irregular_plural() -> None:
    assert [pluralize(number, "entry", "entries") for number in (1, 2)] == ["1 entry", "2 entries"]


class TestFirst:
    @pytest.mark.parametrize(
        ("parts", "said"),
        [("", ""), ("a", "a"), ("ab", "a, b"), ("abc", "a, b and 1 more"), ("abcd", "a, b and 2 more")],
    )
    def test_summarize_names_the_first_parts_and_counts_the_rest(self, parts: str, said: str) -> None:
        assert summarize([*parts], 2) == said

    def test_summarize_accepts_another_separator(self) -> None:
        assert summarize(["a", "b", "c"], 2, "; ") == "a; b; and 1 more"

    def test_summarize_names_the_place_of_the_rest(self) -> None:
        assert summarize(["a", "b"], 2, listed="failures") == "a, b"
        assert summarize(["a", "b", "c"], 1, "; ", listed="failures") == "a; and 2 more, listed under 'failures'"
