# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Joins and counts items in a sentence. Pure."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["join_and", "pluralize", "summarize"]


def join_and(parts: Sequence[str]) -> str:
    """Join the parts, for example as `a, b and c`."""
    return " and ".join(filter(None, (", ".join(parts[:-1]), *parts[-1:])))


def pluralize(number: int, one: str, many: str = "") -> str:
    """Return the number with its noun, such as `1 pod` or `2,000 pods`. `many` is an irregular plural."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def summarize(parts: Sequence[str], most: int, joint: str = ", ", *, listed: str = "") -> str:
    """Join the first `most` parts and count the others: `a, b and 3 more` or, for sentences, `a; b; and 3 more`.

    `listed` is the field of the result that contains all parts.
    """
    shown = joint.join(parts[:most])
    if len(parts) <= most:
        return shown
    where = f", listed under {listed!r}" if listed else ""
    return f"{shown}{' ' if joint == ', ' else joint}and {len(parts) - most} more{where}"
