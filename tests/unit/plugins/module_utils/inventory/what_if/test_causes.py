# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The removals that break a pull are found with few evaluations, and are those that the evaluation of each set of removals finds."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterable, Sequence

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.evaluation import (
    choose_refusals,
    find_causes,
)
from hypothesis import given, settings
from hypothesis import strategies as st

#: A pull breaks if all removals of one of its sets are made.
Pull = frozenset[frozenset[int]]
SIZE = 6
SETS = st.frozensets(st.integers(0, SIZE - 1), min_size=1, max_size=3)
PULLS = st.lists(st.frozensets(SETS, max_size=3), max_size=3)


def is_broken(pull: Pull, made: Iterable[int]) -> bool:
    there = frozenset(made)
    return any(each <= there for each in pull)


def choose(pulls: Sequence[Pull], count: int = SIZE) -> dict[int, list[Pull]]:
    def find_broken(refused: Collection[int]) -> list[Pull]:
        return [each for each in pulls if is_broken(each, {*range(count)}.difference(refused))]

    def causes_of(pull: Pull, refused: Collection[int]) -> list[Sequence[int]]:
        left = [key for key in range(count) if key not in refused]
        return find_causes(left, lambda made: is_broken(pull, made))

    return choose_refusals(find_broken, causes_of)


def minimal(pull: Pull, left: Collection[int]) -> list[frozenset[int]]:
    """Return the smallest sets that break the pull. Every set of removals is evaluated."""
    every = (frozenset(some) for size in range(len(left) + 1) for some in itertools.combinations(sorted(left), size))
    found: list[frozenset[int]] = []
    for some in every:
        if is_broken(pull, some) and not any(each <= some for each in found):
            found.append(some)
    return found


def choose_naively(pulls: Sequence[Pull]) -> tuple[set[int], set[int]]:
    """Return the removals that break a pull alone, one after the other, and then those that are in some set that breaks one."""
    left = {*range(SIZE)}
    while alone := {key for pull in pulls for key in left if is_broken(pull, [key])}:
        left -= alone
    return {*range(SIZE)} - left, {key for pull in pulls for each in minimal(pull, left) for key in each}


@settings(max_examples=300)
@given(PULLS)
def test_each_removal_that_breaks_is_refused_and_each_other_one_is_made(pulls: list[Pull]) -> None:
    alone, together = choose_naively(pulls)
    found = choose(pulls)
    assert alone <= {*found} <= alone | together
    made = {*range(SIZE)} - {*found}
    assert not [pull for pull in pulls if is_broken(pull, made)]
    if not together:
        assert {*found} == alone
    for key, broken in found.items():
        assert all(any(key in each for each in pull) for pull in broken)


@settings(max_examples=300)
@given(st.frozensets(SETS, min_size=1, max_size=4))
def test_causes_are_minimal_and_have_nothing_in_common(pull: Pull) -> None:
    found = [frozenset(each) for each in find_causes(range(SIZE), lambda made: is_broken(pull, made))]
    assert {*found} <= {*minimal(pull, range(SIZE))}
    assert {each for each in pull if len(each) == 1} <= {*found}
    assert sum(map(len, found)) == len(frozenset().union(*found))
    rest = {*range(SIZE)}.difference(*found)
    assert not is_broken(pull, rest)


def count_calls(breaks: Callable[[Sequence[int]], bool], size: int) -> int:
    calls = 0

    def count(made: Sequence[int]) -> bool:
        nonlocal calls
        calls += 1
        return breaks(made)

    assert find_causes(range(size), count)
    return calls


@pytest.mark.parametrize(("size", "most"), [(1, 2), (50, 14), (800, 22), (100_000, 36)])
@pytest.mark.parametrize("part", [0.0, 0.5, 0.999])
def test_the_number_of_evaluations_is_logarithmic(size: int, most: int, part: float) -> None:
    wanted = int(size * part)
    assert count_calls(lambda made: wanted in made, size) <= most


def test_a_pull_that_breaks_without_the_removals_has_no_cause() -> None:
    asked: list[Sequence[int]] = []
    assert find_causes([1, 2], lambda made: not asked.append(made)) == []
    assert asked == [()]
    assert find_causes([], lambda _made: True) == []


def test_a_removal_that_breaks_alone_is_refused_before_those_that_break_together() -> None:
    pulls = [frozenset({frozenset({0}), frozenset({1, 2})}), frozenset({frozenset({0, 3})})]
    assert {*choose(pulls)} == {0, 1, 2}
    assert choose([frozenset({frozenset({4})})]) == {4: [frozenset({frozenset({4})})]}
