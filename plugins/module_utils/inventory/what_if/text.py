# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The answer as text for people, which can be pasted into a change ticket. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...core.phrases import pluralize
from ...core.what_if_format import (
    MOMENT_TITLES,
    NOT_KNOWN,
    STILL_BROKEN,
    STILL_PULLS,
    WOULD_BREAK,
    WOULD_WORK,
)

__all__ = ["lines_of"]

#: Maximum number of containers of one answer. The document has all of them.
_SHOWN = 50
_HEADINGS = {
    WOULD_BREAK: "would no longer get {their} image",
    NOT_KNOWN: "cannot be judged",
    STILL_BROKEN: "do not get {their} image today, and not after the change",
    WOULD_WORK: "would get {their} image after the change, and do not today",
}


def lines_of(document: Mapping[str, Any]) -> list[str]:
    """Return the lines for one document."""
    return [*_lines(document)]


def _lines(document: Mapping[str, Any]) -> Iterator[str]:
    counts = document["counts"]
    total = sum(counts.values())
    yield f"What if, on {document['server']}:"
    yield from (f"  - {each['title']}" for each in document["changes"])
    if counts[WOULD_BREAK]:
        yield f"{counts[WOULD_BREAK]:,} of {pluralize(total, 'container')} would no longer get their image."
    else:
        yield f"Of {pluralize(total, 'container')}, none would surely lose its image."
    for answer, heading in _HEADINGS.items():
        rows = [row for row in document["containers"] if row["answer"] == answer]
        if rows:
            yield ""
            yield f"{pluralize(len(rows), 'container')} {heading.format(their='its' if len(rows) == 1 else 'their')}:"
            yield from _rows(rows, document["changes"])
    yield ""
    yield f"{pluralize(counts[STILL_PULLS], 'container')} still pull{'s' if counts[STILL_PULLS] == 1 else ''}."
    yield from _limits(document)


def _rows(rows: Sequence[Mapping[str, Any]], changes: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for row in rows[:_SHOWN]:
        part = f"volume {row['volume']}" if row["volume"] else f"container {row['container']}"
        yield f"  {row['namespace']}: {row['kind']} {row['name']}, {part}: {row['image']}"
        if row["answer"] != WOULD_WORK:
            yield f"    {row['after']['reason']}"
        if row["when"]:
            possibly = f", possibly {MOMENT_TITLES[row['possibly']]}" if row["possibly"] else ""
            yield f"    {MOMENT_TITLES[row['when']]}{possibly}: {row['when_reason']}"
        if len(changes) > 1 and row["changes"]:
            yield f"    because {', and '.join(changes[at]['title'] for at in row['changes'])}"
    if len(rows) > _SHOWN:
        yield f"  and {len(rows) - _SHOWN:,} more"


def _limits(document: Mapping[str, Any]) -> Iterator[str]:
    unknown = list(dict.fromkeys(fact for each in document["changes"] for fact in each["cannot_know"]))
    if unknown:
        yield ""
        yield "No object shows:"
        yield from (f"  - {fact}" for fact in unknown)
    for name, title in (("forecasts", "The upgrade also affects:"), ("unreadable", "Not read:")):
        if document[name]:
            yield ""
            yield title
            yield from (f"  - {sentence}" for sentence in document[name])
