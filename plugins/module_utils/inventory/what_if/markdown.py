# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The answer as Markdown, for a comment in a merge request or a change ticket. Pure.

A text of a cluster is only shown as code (`core/writers.py`). The length is bounded: a comment of GitHub has at most 65,536 characters,
which is the smallest limit of common sites.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...core.text import pluralize
from ...core.what_if_format import ANSWER_TITLES, ANSWERS, NOT_KNOWN, WOULD_BREAK
from ...core.what_if_sentences import (
    causes_of,
    count_moments,
    headline,
    hints_of,
    moment_of,
    order_evenly,
    outcome_of,
    part_of,
    pick_evenly,
)
from ...core.writers import as_code, as_code_block, as_table
from ...explain.fixes import Offer, offer_of
from .access_text import access_section

__all__ = ["as_markdown"]

#: Maximum number of containers in the table of each answer, which has some of each namespace, and of items in each list.
_SHOWN = {WOULD_BREAK: 25, NOT_KNOWN: 15}
_ITEMS = 10
#: Maximum number of tasks, and of characters of each.
_TASKS = 3
_TASK_CHARACTERS = 2_000
#: Maximum number of characters of a name, and of a sentence other than the reason.
_NAME = 120
_SENTENCE = 200

Document = Mapping[str, Any]
Row = Mapping[str, Any]


def as_markdown(document: Document) -> str:
    """Return the text: the summary, the containers that break, tasks that keep pulls working, the unknown answers, and the access review."""
    access = access_section(document["access"])
    sections = (_head(document), _broken(document), _tasks(document), _unknown(document), access, _limits(document))
    return "\n".join(line for section in sections for line in section) + "\n"


def _head(document: Document) -> Iterator[str]:
    counts = document["counts"]
    yield f"## {headline(document)}"
    yield ""
    where = f"on {as_code(document['server'])}" if document["server"] else "without a cluster"
    yield f"Evaluated at {document['made']} {where}, with these changes together:"
    yield ""
    yield from _items([_sentence(each["title"]) for each in document["changes"]], "change", mark="1.")
    yield ""
    if hints := hints_of(document):
        yield from (*_items([*map(_sentence, hints)], "sentence"), "")
    if document["against"]:
        yield from (f"This is instead of another inventory: {_sentence(document['against'])}", "")
    yield from as_table(
        ("Answer", "Containers:"), [(ANSWER_TITLES[answer], f"{counts[answer]:,}") for answer in ANSWERS]
    )
    if images := document["images_to_mirror"]["images"]:
        yield ""
        yield f"{pluralize(len(images), 'image')} to copy: no registry within reach serves {'it' if len(images) == 1 else 'them'}."
        yield ""
        yield from _items([as_code(image, _NAME) for image in images], "image")


def _broken(document: Document) -> Iterator[str]:
    rows = [row for row in document["containers"] if row["answer"] == WOULD_BREAK]
    if rows:
        yield from ("", f"### {outcome_of(WOULD_BREAK, len(rows))}", "", f"When: {count_moments(rows)}.", "")
        titles = ("Container", "Image", "Reason", "When", "Cause", "To do")
        shown, changes = pick_evenly(rows, _SHOWN[WOULD_BREAK]), document["changes"]
        yield from _table(titles, [_cells_of_broken(row, changes) for row in shown], len(rows))


def _cells_of_broken(row: Row, changes: Sequence[Mapping[str, Any]]) -> Sequence[str]:
    cause = causes_of(row, changes) or changes[0]["title"]
    texts = (moment_of(row), cause, row["advice"])
    return [_name(row), as_code(row["image"], _NAME), as_code(row["after"]["reason"]), *map(_sentence, texts)]


def _unknown(document: Document) -> Iterator[str]:
    rows = [row for row in document["containers"] if row["answer"] == NOT_KNOWN]
    if rows:
        yield from ("", f"### {outcome_of(NOT_KNOWN, len(rows))}", "")
        cells = [
            (_name(row), as_code(row["image"], _NAME), as_code(row["after"]["reason"]))
            for row in pick_evenly(rows, _SHOWN[NOT_KNOWN])
        ]
        yield from _table(("Container", "Image", "Reason"), cells, len(rows))


def _tasks(document: Document) -> Iterator[str]:
    """The first tasks of each namespace, each once. Anyone can have written the document, so they are checked again."""
    found: dict[str, Offer] = {}
    for row in order_evenly(document["containers"]):
        offer = offer_of(row)
        if offer.tasks:
            found.setdefault(offer.text, offer)
    if not found:
        return
    shown = [offer for text, offer in [*found.items()][:_TASKS] if len(text) <= _TASK_CHARACTERS]
    yield from ("", "### Tasks that keep pulls working", "")
    for offer in shown:
        yield from (f"- {_sentence(effect)}" for effect in offer.effects)
        yield from ("", *as_code_block(offer.text, "yaml"), "")
    if len(found) > len(shown):
        yield f"and {pluralize(len(found) - len(shown), 'more task')}, in the JSON document"


def _limits(document: Document) -> Iterator[str]:
    facts = list(dict.fromkeys(fact for each in document["changes"] for fact in each["cannot_know"]))
    lists = {
        "No object shows": (facts, "fact"),
        "The upgrade also affects": (document["forecasts"], "forecast"),
        "Not read": (document["unreadable"], "sentence"),
    }
    for title, (sentences, noun) in lists.items():
        if sentences:
            yield from ("", f"### {title}", "")
            yield from _items([*map(_sentence, sentences)], noun)


def _table(titles: Sequence[str], cells: Sequence[Sequence[str]], total: int) -> Iterator[str]:
    yield from as_table(titles, cells)
    if total > len(cells):
        yield from ("", f"and {pluralize(total - len(cells), 'more container')}, in the JSON document")


def _items(items: Sequence[str], noun: str, *, mark: str = "-") -> Iterator[str]:
    yield from (f"{mark} {item}" for item in items[:_ITEMS])
    if len(items) > _ITEMS:
        yield f"{mark} and {pluralize(len(items) - _ITEMS, f'more {noun}')}"


def _name(row: Row) -> str:
    parts = (row["namespace"], f"{row['kind']} {row['name']}", part_of(row))
    return ", ".join(as_code(part, _NAME) for part in parts)


def _sentence(text: str) -> str:
    return as_code(text, _SENTENCE)
