# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Globs in option values that name objects. Pure."""

from __future__ import annotations

from functools import cache

__all__ = ["can_overlap"]


def can_overlap(one: str, other: str) -> bool:
    """Whether a name can match both globs. A set in brackets counts as any character."""
    first, second = _simplify(one), _simplify(other)

    @cache
    def may(i: int, j: int) -> bool:
        if i == len(first) and j == len(second):
            return True
        if i < len(first) and first[i] == "*":
            return may(i + 1, j) or (j < len(second) and may(i, j + 1))
        if j < len(second) and second[j] == "*":
            return may(i, j + 1) or (i < len(first) and may(i + 1, j))
        if i == len(first) or j == len(second):
            return False
        return (first[i] == second[j] or "?" in (first[i], second[j])) and may(i + 1, j + 1)

    return may(0, 0)


def _simplify(pattern: str) -> str:
    """Return the pattern with a question mark for each set in brackets, and without repeated stars."""
    result, rest = "", pattern
    while rest:
        character, rest = rest[0], rest[1:]
        # As in fnmatch, a closing bracket directly after the opening one is part of the set.
        end = rest.find("]", 2 if rest.startswith("!") else 1) if character == "[" else -1
        if end > 0:
            character, rest = "?", rest[end + 1 :]
        if not (character == "*" and result.endswith("*")):
            result += character
    return result
