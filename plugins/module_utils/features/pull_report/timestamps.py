# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Marks the creation times in texts, so that comparisons ignore them. Pure.

A file is written again only if it differs in more than these times.
"""

from __future__ import annotations

import re

__all__ = ["MARK", "is_different", "mark_time", "strip_marks"]

#: Precedes each such time while a text is created. No document contains it: `documents.clean` removes it.
MARK = "\ufdd0"
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?Z?")


def mark_time(time: str) -> str:
    """Return the time with a mark, so that `differ` ignores it. It is a date, `T` or a space, and a time of day."""
    return MARK + time


def strip_marks(text: str) -> str:
    """Return the text without marks, as it is written."""
    return text.replace(MARK, "")


def is_different(text: str, there: str) -> bool:
    """Whether a marked text differs from the existing text `there` in more than its times."""
    first, *others = text.split(MARK)
    if not there.startswith(first):
        return True
    at = len(first)
    for part in others:
        ours, theirs = _TIME.match(part), _TIME.match(there, at)
        rest = part[ours.end() :] if ours else part
        if not theirs or not there.startswith(rest, theirs.end()):
            return True
        at = theirs.end() + len(rest)
    return at != len(there)
