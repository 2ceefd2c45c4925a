# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds the removals of a plan that break a pull. Pure.

Most removals have nothing to do with most pulls. So the pull is evaluated with a half of them, then with a half of that half, and so on
(QuickXplain, Junker 2004), and not with each of them.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

__all__ = ["find_cause", "keep_singles"]

_Key = TypeVar("_Key", bound=Hashable)


def find_cause(removals: Sequence[_Key], breaks: Callable[[Sequence[_Key]], bool]) -> list[_Key]:
    """Return removals that break the pull together, and of which none can be left out. Empty if it breaks without any of them.

    `breaks`: whether it breaks if exactly these removals are made. With all of them, it does. The number of calls is about twice the
    logarithm of the number of removals, for each one that is returned.
    """
    if not removals or breaks(()):
        return []
    return _find(breaks, (), removals, is_new=False)


def _find(
    breaks: Callable[[Sequence[_Key]], bool], made: Sequence[_Key], rest: Sequence[_Key], *, is_new: bool
) -> list[_Key]:
    """The part of `rest` in the cause. `made` are made in any case. `is_new`: whether it is not known what these do alone."""
    if is_new and breaks(made):
        return []
    if len(rest) == 1:
        return [*rest]
    first, second = rest[: len(rest) // 2], rest[len(rest) // 2 :]
    of_second = _find(breaks, (*made, *first), second, is_new=True)
    of_first = _find(breaks, (*made, *of_second), first, is_new=bool(of_second))
    return [*of_first, *of_second]


def keep_singles(causes: Sequence[Sequence[_Key]]) -> list[Sequence[_Key]]:
    """Return the causes, one for each pull, without those that another one may remedy: if a removal breaks a pull alone, it is left out first,
    and then fewer removals break a pull together.
    """
    alone = [each if len(each) == 1 else () for each in causes]
    return alone if any(alone) else [*causes]
