# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether two names differ by a typing error. Pure."""

from __future__ import annotations

__all__ = ["is_typing_error"]

#: Minimum length of names that may differ in two places. Shorter ones may differ in one.
_LONG = 8
#: Maximum length of compared names: users choose the length of their names.
_LONGEST = 253


def is_typing_error(first: str, second: str) -> bool:
    """Whether the names differ by one or two added, missing, replaced or transposed letters. Equal names do not differ."""
    shorter, longer = sorted((first, second), key=len)
    most = 2 if len(shorter) >= _LONG else 1
    if first == second or len(longer) > _LONGEST or len(longer) - len(shorter) > most:
        return False
    return _distance(first, second, most) <= most


def _distance(first: str, second: str, most: int) -> int:
    """The number of edits, where a transposition counts as one (optimal string alignment). More than `most` when the number is unknown.

    Only positions within `most` edits are compared, so the time is linear in the length, not quadratic.
    """
    far, last = most + 1, len(second)
    before: list[int] = []
    row: list[int] = [*range(last + 1)]
    for index, letter in enumerate(first, 1):
        found: list[int] = [far] * (last + 1)
        found[0] = min(index, far)
        for other in range(max(1, index - most), min(last, index + most) + 1):
            expected = second[other - 1]
            cost = min(row[other] + 1, found[other - 1] + 1, row[other - 1] + (letter != expected))
            if index > 1 and other > 1 and (letter, first[index - 2]) == (second[other - 2], expected):
                cost = min(cost, before[other - 2] + 1)
            found[other] = cost
        before, row = row, found
    return row[-1]
