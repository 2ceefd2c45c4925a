# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An access review as text for a terminal, and as Markdown for a comment on a merge request. Pure.

Users of the cluster choose user names, keys and subjects. In Markdown, all text is in code (`core/writers.py`). Equal rows of several namespaces
are one line. The number of lines is limited, and namespaces take turns, so that one cannot push out the lines of others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...core.text import pluralize, summarize
from ...core.what_if_sentences import holder_of, notes_of, pick_evenly, place_of, target_of
from ...core.writers import as_code, as_table

__all__ = ["access_lines", "access_notes", "access_section", "access_titles"]

#: Maximum number of lines of a part for a terminal, of notes, and of names in one line. The document has all of them.
_IN_TEXT = 50
_SHOWN = 10
_NAMES = 3
#: Maximum number of lines of a part in Markdown, and of characters of a text and of a sentence: a comment has a limited length.
_IN_MARKDOWN = 100
_LONGEST, _SENTENCE = 80, 300
_HEADINGS = {"gained": "Gained", "lost": "Lost"}
_NOTES = {"unplanned": "Not applied", "unknown": "Not known"}

_Row = Mapping[str, Any]
#: Rows that differ only in their namespace, and in the workloads and entries.
_Group = Sequence[_Row]


def access_lines(access: Mapping[str, Any]) -> list[str]:
    """Return the review in lines. Empty without a gain, a loss or a doubt."""
    return [*_lines(access)]


def access_section(access: Mapping[str, Any]) -> list[str]:
    """Return the lines of the section in Markdown, with a table for the gains and one for the losses. Empty as `access_lines`."""
    return [*_section(access)] if any(access[part] for part in (*_HEADINGS, *_NOTES)) else []


def access_titles(access: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each gain and loss as a namespace and a title."""
    for part, title in _HEADINGS.items():
        yield from ((place_of(row), f"{title.lower()}: {_describe([row])}") for row in access[part])


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
            shown, more = _select(access[part], _IN_TEXT)
            yield from (f"  {_places_of(group)}: {_describe(group)}" for group in shown)
            yield from [f"  and {more:,} more, in the field what_if.access.{part}"] if more else []
    for part, title in _NOTES.items():
        notes = notes_of(access[part])
        if notes:
            yield f"{title}:"
            yield from (f"  - {note}" for note in notes)


def _describe(group: _Group) -> str:
    holder, target, through, users, entries = _texts_of(group)
    why = f" [{entries}]" if entries else ""
    return f"{holder}: {target}, by {through}{f', used by {users}' if users else ''}{why}"


def _texts_of(group: _Group) -> tuple[str, str, str, str, str]:
    """The holder, the access, the secrets or bindings, the workloads, and the entries."""
    row, is_one = group[0], len(group) == 1
    number = sum(len(each["workloads"]) for each in group)
    users = summarize(row["workloads"], _NAMES) if is_one else pluralize(number, "workload") if number else ""
    entries = dict.fromkeys(entry for each in group for entry in each["entries"])
    target = "image streams of each project" if row["project"] and not is_one else target_of(row)
    return holder_of(row), target, summarize(row["through"], _NAMES), users, summarize([*entries], _NAMES)


def _select(rows: Sequence[_Row], most: int) -> tuple[Sequence[_Group], int]:
    """Some lines of each namespace, those of the most namespaces first, and the number of the rows without a line."""
    found: dict[Sequence[str], list[_Row]] = {}
    for row in rows:
        target = "" if row["project"] else target_of(row)
        found.setdefault((holder_of(row), target, *row["through"]), []).append(row)
    groups = sorted(found.values(), key=lambda each: (-len(each), place_of(each[0])))
    shown = pick_evenly(groups, most, _places_of)
    return shown, len(rows) - sum(map(len, shown))


def _places_of(group: _Group) -> str:
    """The namespaces of the rows. A grant belongs to its project."""
    return summarize(sorted(map(place_of, group)), _NAMES)


def _section(access: Mapping[str, Any]) -> Iterator[str]:
    gained, lost = (pluralize(len(access[part]), "access", "accesses") for part in _HEADINGS)
    yield from ("", "### Access review", "", f"{gained} gained, {lost} lost.")
    for part, title in _HEADINGS.items():
        if access[part]:
            yield from ("", f"#### {title}", "")
            head = ("Namespace", "Account", "Access", "Through", "Used by", "Declared by")
            shown, more = _select(access[part], _IN_MARKDOWN)
            yield from as_table(head, [*map(_cells, shown)])
            if more:
                yield from ("", f"and {more:,} more, in the JSON document")
    for part, title in _NOTES.items():
        notes = access[part]
        if notes:
            yield from ("", f"#### {title}", "")
            first = pick_evenly(notes, _SHOWN, lambda note: "" if isinstance(note, str) else note["namespace"])
            yield from (f"- {as_code(note, _SENTENCE)}" for note in notes_of(first))
            if len(notes) > _SHOWN:
                yield f"- and {len(notes) - _SHOWN:,} more"


def _cells(group: _Group) -> Sequence[str]:
    return [as_code(text, _LONGEST) for text in (_places_of(group), *_texts_of(group))]
