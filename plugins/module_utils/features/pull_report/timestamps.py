# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts in which some places are the time that they were made. Pure.

A file is written anew only where it says something else; that it was made at another time is nothing else.
"""

from __future__ import annotations

import re

__all__ = ["MARK", "differ", "settled", "stamped"]

#: Stands before each such time while a text is made. No document holds it: `documents.clean`.
MARK = "\ufdd0"
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?Z?")


def stamped(time: str) -> str:
    """A time that `differ` overlooks. It is a date, T or a space, and a time of day."""
    return MARK + time


def settled(text: str) -> str:
    """The text as it is written."""
    return text.replace(MARK, "")


def differ(text: str, there: str) -> bool:
    """Whether a text differs from one that is there already, in more than its times."""
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
