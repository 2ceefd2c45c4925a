# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds the removals of a plan, or the changes of a question, that break a pull. Pure.

Most removals have nothing to do with most pulls. So the pull is evaluated with a half of them, then with a half of that half, and so on
(QuickXplain, Junker 2004), and not with each of them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Sequence
from typing import TypeVar

__all__ = ["choose_refusals", "find_causes"]

_Key = TypeVar("_Key", bound=Hashable)
_Pull = TypeVar("_Pull")


def choose_refusals(
    find_broken: Callable[[Collection[_Key]], Sequence[_Pull]],
    causes_of: Callable[[_Pull, Collection[_Key]], Sequence[Sequence[_Key]]],
) -> dict[_Key, list[_Pull]]:
    """Return the removals that must not be made, each with the pulls that it breaks, so that no other removal breaks one.

    `find_broken` returns the pulls that break without the given removals, and `causes_of` the causes of one of them, as `find_causes` does.

    A removal that breaks a pull alone is left out first, because fewer removals may then break a pull together.
    """
    refused: dict[_Key, list[_Pull]] = {}
    while True:
        broken = find_broken(refused)
        causes = [causes_of(pull, refused) for pull in broken]
        if not any(causes):
            return refused
        has_single = any(len(each) == 1 for found in causes for each in found)
        for pull, found in zip(broken, causes, strict=True):
            for key in (key for each in found if len(each) == 1 or not has_single for key in each):
                refused.setdefault(key, []).append(pull)


def find_causes(removals: Sequence[_Key], breaks: Callable[[Sequence[_Key]], bool]) -> list[Sequence[_Key]]:
    """Return the causes of a broken pull: sets of removals that break it together, and of which none can be left out. They have no removal
    in common. Empty if it breaks without any of the removals.

    `breaks`: whether it breaks if exactly these removals are made. With all of them, it does. The number of calls is about twice the
    logarithm of the number of removals, for each one that is returned.
    """
    if not removals or breaks(()):
        return []
    found: list[Sequence[_Key]] = []
    rest = removals
    while not found or (rest and breaks(rest)):
        found.append(_find(breaks, (), rest, is_new=False))
        named = frozenset(found[-1])
        rest = [key for key in rest if key not in named]
    return found


def _find(
    breaks: Callable[[Sequence[_Key]], bool], made: Sequence[_Key], rest: Sequence[_Key], *, is_new: bool
) -> list[_Key]:
    """The part of `rest` in a cause. `made` are made in any case. `is_new`: whether it is not known that these alone do not break it."""
    if is_new and breaks(made):
        return []
    if len(rest) == 1:
        return [*rest]
    first, second = rest[: len(rest) // 2], rest[len(rest) // 2 :]
    of_second = _find(breaks, (*made, *first), second, is_new=True)
    of_first = _find(breaks, (*made, *of_second), first, is_new=bool(of_second))
    return [*of_first, *of_second]
