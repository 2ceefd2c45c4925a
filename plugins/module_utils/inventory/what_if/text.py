# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The answer as text for people, which can be pasted into a change ticket. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...core.text import pluralize
from ...core.what_if_format import ANSWERS, NOT_KNOWN, STILL_BROKEN, WOULD_BREAK, WOULD_WORK
from ...core.what_if_sentences import (
    causes_of,
    count_moments,
    headline,
    hints_of,
    moment_of,
    name_of,
    order_evenly,
    outcome_of,
    select_rows,
)
from ...explain.fixes import Offer, offer_of
from .access_text import access_lines

__all__ = ["lines_of"]

#: Maximum number of containers of each answer. The document has all of them.
_SHOWN = {WOULD_BREAK: 20, NOT_KNOWN: 10, STILL_BROKEN: 5, WOULD_WORK: 5}
#: Maximum number of tasks, and of sentences of one list.
_TASKS = 3
_SENTENCES = 20

Document = Mapping[str, Any]


def lines_of(document: Document) -> list[str]:
    """Return the lines for one document: the answer first, then the containers, the worst first, then the limits of the answer."""
    return [*_summary(document), *_answers(document), *_access(document), *_tasks(document), *_limits(document)]


def _summary(document: Document) -> Iterator[str]:
    yield headline(document)
    yield f"On {document['server']}, if:" if document["server"] else "Without a cluster, if:"
    yield from (f"  {number}. {each['title']}" for number, each in enumerate(document["changes"], 1))
    yield from hints_of(document)
    if document["against"]:
        yield f"  instead of another inventory: {document['against']}"
    if moments := count_moments(document["containers"]):
        yield f"When: {moments}."
    counts = document["counts"]
    others = [outcome_of(answer, counts[answer]) for answer in ANSWERS[1:]]
    yield from (f"{sentence}." for sentence in others if not sentence.startswith("0 "))
    if images := document["images_to_mirror"]["images"]:
        verb = "has" if len(images) == 1 else "have"
        yield f"{pluralize(len(images), 'image')} {verb} no registry within reach, and must be copied: see images_to_mirror."
    if others := document["images_to_mirror"]["not_pulled_today"]:
        them = "it" if len(others) == 1 else "them"
        number = pluralize(len(others), "image")
        yield f"{number} out of reach not listed there, because no container is known to pull {them} today."


def _access(document: Document) -> Iterator[str]:
    if lines := access_lines(document["access"]):
        yield from ("", *lines)


def _answers(document: Document) -> Iterator[str]:
    for answer, most in _SHOWN.items():
        rows = [row for row in document["containers"] if row["answer"] == answer]
        if not rows:
            continue
        shown, omitted = select_rows(rows, most)
        yield ""
        yield f"{outcome_of(answer, len(rows))}:"
        for row in shown:
            yield from _row(row, document["changes"])
        if omitted:
            yield f"  {omitted}"


def _row(row: Mapping[str, Any], changes: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield f"  {row['namespace']}: {name_of(row)}, image {row['image']}"
    reason = row["before"]["reason"] if row["answer"] == WOULD_WORK else row["after"]["reason"]
    details = {
        "breaks": moment_of(row),
        "reason": reason,
        "change": causes_of(row, changes),
        "to do": row["advice"],
    }
    yield from (f"    {name + ':':<8}{text}" for name, text in details.items() if text)


def _tasks(document: Document) -> Iterator[str]:
    """The first tasks of each namespace that keep pulls working, each once. Anyone can have written the document, so they are checked again."""
    found: dict[str, Offer] = {}
    for row in order_evenly(document["containers"]):
        offer = offer_of(row)
        if offer.tasks:
            found.setdefault(offer.text, offer)
    if not found:
        return
    yield ""
    yield "This keeps pulls working:" if len(found) == 1 else "These tasks keep pulls working:"
    for text, offer in [*found.items()][:_TASKS]:
        yield from offer.effects
        yield from text.splitlines()
    if len(found) > _TASKS:
        yield f"and {pluralize(len(found) - _TASKS, 'more task')}, in the field fix of each container"


def _limits(document: Document) -> Iterator[str]:
    facts = list(dict.fromkeys(fact for each in document["changes"] for fact in each["cannot_know"]))
    lists = {
        "No object shows:": facts,
        "The upgrade also affects:": document["forecasts"],
        "Not read:": document["unreadable"],
    }
    for title, sentences in lists.items():
        if sentences:
            yield ""
            yield title
            yield from (f"  - {sentence}" for sentence in sentences[:_SENTENCES])
            if len(sentences) > _SENTENCES:
                yield f"  and {len(sentences) - _SENTENCES:,} more"
