# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes text of other people safe to display: each character is visible, and none controls the terminal. Pure.

Users of a cluster choose names and texts that the API server does not check: the name of a role binding, a subject, a key of an auth file,
an annotation. An escape sequence could change the operator's terminal, a character that changes the text direction could display
another name, and a text of a megabyte would fill the log of the job.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from .json_texts import rewrite_texts, texts_of

__all__ = ["MOST", "escape_invisible", "make_visible"]

#: Maximum number of characters of one text in a result.
MOST = 65_536
#: Characters that are not printable but allowed: they structure a text of several lines.
_KEPT = "\n\t"


def escape_invisible(text: str) -> str:
    """Return the text with each unprintable character replaced by its code point, such as `⟨U+202E⟩`. Line ends and tabs are kept."""
    if _is_visible(text):
        return text
    return "".join(letter if letter.isprintable() or letter in _KEPT else f"⟨U+{ord(letter):04X}⟩" for letter in text)


def _is_visible(text: str) -> bool:
    return text.isprintable() or text.replace("\n", "").replace("\t", "").isprintable()


def make_visible(value: Any) -> Any:
    """Return the JSON-like value with visible strings of bounded length. Mask credentials first: a cut credential would not be found."""
    if all(len(text) <= MOST and _is_visible(text) for text in {*texts_of(value)}):
        return value
    return rewrite_texts(value, cache(_truncate))


def _truncate(text: str) -> str:
    if len(text) <= MOST:
        return escape_invisible(text)
    return f"{escape_invisible(text[:MOST])} ... ({len(text) - MOST:,} more characters)"
