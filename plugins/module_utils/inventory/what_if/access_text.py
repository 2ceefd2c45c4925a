# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An access review as text for a terminal, and as Markdown for a comment on a merge request. Pure.

Users of the cluster choose user names, keys and subjects. In Markdown, all text is in code (`core/markdown.py`). A namespace has a limited
number of rows, so that it cannot push out those of others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...core.markdown import as_code, as_table
from ...core.phrases import pluralize, summarize
from ...core.what_if_sentences import holder_of, notes_of, pick_evenly, place_of, target_of

__all__ = ["access_lines", "access_notes", "access_section", "access_titles"]

#: Maximum number of rows of one namespace, and of names in one row. The document has all of them.
_SHOWN = 10
_NAMES = 3
#: Maximum number of rows of all namespaces in Markdown, and of characters of a text and of a sentence: a comment has a limited length.
_IN_MARKDOWN = 100
_LONGEST, _SENTENCE = 80, 300
_HEADINGS = {"gained": "Gained", "lost": "Lost"}
_NOTES = {"unplanned": "Not applied", "unknown": "Not known"}

_Row = Mapping[str, Any]


def access_lines(access: Mapping[str, Any]) -> list[str]:
    """Return the review in lines. Empty without a gain, a loss or a doubt."""
    return [*_lines(access)]


def access_section(access: Mapping[str, Any]) -> list[str]:
    """Return the lines of the section in Markdown, with a table for the gains and one for the losses. Empty as `access_lines`."""
    return [*_section(access)] if any(access[part] for part in (*_HEADINGS, *_NOTES)) else []


def access_titles(access: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each gain and loss as a namespace and a title."""
    for part, title in _HEADINGS.items():
        yield from ((place_of(row), f"{title.lower()}: {_describe(row)}") for row in access[part])


def access_notes(access: Mapping[str, Any]) -> list[str]:
    """Return the entries that would not be applied, and the doubts, as sentences."""
    return [
        *(f"not applied: {note}" for note in notes_of(access["unplanned"])),
        *(f"not known: {note}" for note in notes_of(access["unknown"])),
    ]


def _lines(access: Mapping[str, Any]) -> Iterator[str]:
    for part, title in _HEADINGS.items():
        if access[part]:
            yield f"{title} access:"
            for place, rows, more in _places(access[part]):
                yield from (f"  {place}: {_describe(row)}" for row in rows)
                yield from [f"  {place}: {more:,} more"] if more else []
    for part, title in _NOTES.items():
        notes = notes_of(access[part])
        if notes:
            yield f"{title}:"
            yield from (f"  - {note}" for note in notes)


def _describe(row: _Row) -> str:
    why = f" [{summarize(row['entries'], _NAMES)}]" if row["entries"] else ""
    users = f", used by {summarize(row['workloads'], _NAMES)}" if row["workloads"] else ""
    through = summarize(row["through"], _NAMES)
    return f"{holder_of(row)}: {target_of(row)}, by {through}{users}{why}"


def _places(rows: Sequence[_Row]) -> Iterator[tuple[str, Sequence[_Row], int]]:
    """Yield each namespace with its first rows and the number of the others. A grant belongs to its project."""
    found: dict[str, list[_Row]] = {}
    for row in rows:
        found.setdefault(place_of(row), []).append(row)
    for place, each in sorted(found.items()):
        yield place, each[:_SHOWN], len(each[_SHOWN:])


def _section(access: Mapping[str, Any]) -> Iterator[str]:
    gained, lost = (pluralize(len(access[part]), "access", "accesses") for part in _HEADINGS)
    yield from ("", "### Access review", "", f"{gained} gained, {lost} lost.")
    for part, title in _HEADINGS.items():
        if access[part]:
            yield from ("", f"#### {title}", "")
            head = ("Namespace", "Account", "Access", "Through", "Used by", "Declared by")
            cells = [*_cells(access[part])]
            yield from as_table(head, pick_evenly(cells, _IN_MARKDOWN, lambda cell: cell[0]))
            if len(cells) > _IN_MARKDOWN:
                yield from ("", f"and {len(cells) - _IN_MARKDOWN:,} more lines, in the JSON document")
    for part, title in _NOTES.items():
        notes = access[part]
        if notes:
            yield from ("", f"#### {title}", "")
            shown = pick_evenly(notes, _SHOWN, lambda note: "" if isinstance(note, str) else note["namespace"])
            yield from (f"- {as_code(note, _SENTENCE)}" for note in notes_of(shown))
            if len(notes) > _SHOWN:
                yield f"- and {len(notes) - _SHOWN:,} more"


def _cells(rows: Sequence[_Row]) -> Iterator[Sequence[str]]:
    for place, shown, more in _places(rows):
        for row in shown:
            names = (summarize(row[part], _NAMES) for part in ("through", "workloads", "entries"))
            yield [as_code(text, _LONGEST) for text in (place, holder_of(row), target_of(row), *names)]
        if more:
            yield [as_code(place, _LONGEST), f"{more:,} more", *["-"] * 4]
