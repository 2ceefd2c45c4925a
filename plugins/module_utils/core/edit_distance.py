# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether two names differ by a typing error. Pure."""

from __future__ import annotations

__all__ = ["is_typing_error"]

#: Names of at least this length may differ in two places, shorter ones in one.
_LONG = 8
#: Longer names are not compared: users choose how long their names are.
_LONGEST = 253


def is_typing_error(first: str, second: str) -> bool:
    """Whether one or two letters are added, missing, replaced or exchanged with their neighbour. Equal names do not differ."""
    shorter, longer = sorted((first, second), key=len)
    most = 2 if len(shorter) >= _LONG else 1
    if first == second or len(longer) > _LONGEST or len(longer) - len(shorter) > most:
        return False
    return _distance(first, second) <= most


def _distance(first: str, second: str) -> int:
    """The number of edits, where an exchange of two neighbours is one (optimal string alignment)."""
    before: list[int] = []
    row: list[int] = [*range(len(second) + 1)]
    for index, letter in enumerate(first, 1):
        found: list[int] = [index]
        for other, expected in enumerate(second, 1):
            cost = min(row[other] + 1, found[-1] + 1, row[other - 1] + (letter != expected))
            if index > 1 and other > 1 and (letter, first[index - 2]) == (second[other - 2], expected):
                cost = min(cost, before[other - 2] + 1)
            found.append(cost)
        before, row = row, found
    return row[-1]
