# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Markdown for comments of merge requests and for change tickets. Pure.

Sites turn more than Markdown into links and messages: names of users, numbers of issues, addresses, hashes of commits. Some look for them
in the text that the Markdown gives, so no escape sequence is safe. All of them leave code alone, so a text of a cluster is only shown as
code. Within code, an escape sequence means nothing, so the two characters that could end the code or a cell of a table are replaced by
their code points.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .text import escape_invisible, truncate

__all__ = ["as_code", "as_code_block", "as_table"]

#: Maximum number of characters of one text.
_MOST = 300
_ENDS = {"`": "⟨U+0060⟩", "|": "⟨U+007C⟩"}


def as_code(text: str, most: int = _MOST) -> str:
    """Return the text as code in a line or a cell, cut after `most` characters. A dash stands for an empty text."""
    # One character more than shown is enough to see that the text is cut.
    shown = escape_invisible(" ".join(text.split())[: most + 1])
    for letter, code_point in _ENDS.items():
        shown = shown.replace(letter, code_point)
    cut = truncate(shown, most) if len(shown) > most else shown
    # `truncate` cuts between words. A text without a space would become empty.
    shown = f"{shown[:most]} ..." if cut == "..." else cut
    return f"`{shown}`" if shown else "-"


def as_code_block(text: str, language: str) -> list[str]:
    """Return the lines of a text of our own with several lines, such as a task, as a block of code."""
    lines = [escape_invisible(line).replace("`", _ENDS["`"]) for line in text.splitlines()]
    return [f"```{language}", *lines, "```"]


def as_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return the lines of a table. A head that ends with a colon belongs to a column of numbers. Cells are already Markdown."""
    titles = [title.removesuffix(":") for title in head]
    edges = ["---:" if title.endswith(":") else "---" for title in head]
    return [f"| {' | '.join(cells)} |" for cells in (titles, edges, *rows)]
