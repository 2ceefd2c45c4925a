# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several things in one sentence, and how many they are. Pure."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["join_and", "pluralize", "summarize"]


def join_and(parts: Sequence[str]) -> str:
    """Such as `a, b and c`."""
    return " and ".join(filter(None, (", ".join(parts[:-1]), *parts[-1:])))


def pluralize(number: int, one: str, many: str = "") -> str:
    """Such as `1 pod` and `2,000 pods`. `many` is the plural where an s alone does not make it."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def summarize(parts: Sequence[str], most: int, joint: str = ", ", *, listed: str = "") -> str:
    """The first ones, and how many more there are: `a, b and 3 more`, or, of sentences, `a; b; and 3 more`.

    `listed` is the field of the result that has all of them.
    """
    shown = joint.join(parts[:most])
    if len(parts) <= most:
        return shown
    where = f", listed under {listed!r}" if listed else ""
    return f"{shown}{' ' if joint == ', ' else joint}and {len(parts) - most} more{where}"
