# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of an answer that its text and its Markdown show. Pure.

Users of the cluster choose most of the texts, so each output decides how it shows them. Rows of an access review that differ only in their
namespace are one line. The number of lines is limited, and namespaces take turns, so that one cannot push out the lines of others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from ...core.phrases import pluralize, summarize
from ...core.what_if_format import ACCESS_EFFECTS, NOT_KNOWN, STILL_BROKEN, WOULD_BREAK, WOULD_WORK
from ...core.what_if_sentences import (
    causes_of,
    holder_of,
    moment_of,
    notes_of,
    order_evenly,
    outcome_of,
    part_of,
    pick_evenly,
    place_of,
    target_of,
)
from ...explain.offers import Offer, offer_of

__all__ = [
    "ACCESS",
    "CONTAINER",
    "NOTE",
    "NOTES",
    "TASK",
    "AnswerSection",
    "Line",
    "access_texts",
    "places_of",
    "sections_of",
]

#: Nouns of sections. Sections with another noun are lists of sentences, and so are notes, which are doubts of an access review.
CONTAINER, ACCESS, NOTE, TASK = "container", "access", "note", "task"
NOTES = {"unplanned": "Not applied", "unknown": "Not known"}
#: Maximum number of names in one line.
_NAMES = 3

#: The namespaces of a line, and its texts, which sections with the same noun have in the same order.
Line = tuple[str, Sequence[str]]
_Row = Mapping[str, Any]


class AnswerSection(NamedTuple):
    """`groups` are the rows, tasks or sentences of each line, `texts` makes the texts of one. `noun` is the word for a row."""

    title: str
    noun: str
    groups: Sequence[Sequence[Any]]
    texts: Callable[[Sequence[Any]], Sequence[str]] = notes_of

    @classmethod
    def of(cls, title: str, noun: str, sentences: Iterable[Any]) -> AnswerSection:
        """Return a list of sentences."""
        return cls(title, noun, [[each] for each in sentences])

    def select(self, most: int) -> tuple[list[Line], int]:
        """Return at most `most` lines, with some of each namespace, and the number of rows without a line."""
        shown = pick_evenly(self.groups, most, places_of)
        more = sum(map(len, self.groups)) - sum(map(len, shown))
        return [(places_of(group), self.texts(group)) for group in shown], more


def sections_of(document: Mapping[str, Any]) -> dict[str, AnswerSection]:
    """Return the sections, without empty ones: by the answer of containers, the part of the access review, or the list of the document."""
    changes, access = document["changes"], document["access"]
    found = {}
    for answer in (WOULD_BREAK, NOT_KNOWN, STILL_BROKEN, WOULD_WORK):
        rows = [[row] for row in document["containers"] if row["answer"] == answer]
        texts = partial(_container_texts, changes=changes)
        found[answer] = AnswerSection(outcome_of(answer, len(rows)), CONTAINER, rows, texts)
    for part in ACCESS_EFFECTS:
        found[f"access.{part}"] = AnswerSection(part.capitalize(), ACCESS, _join_rows(access[part]), access_texts)
    for part, title in NOTES.items():
        found[f"access.{part}"] = AnswerSection.of(title, NOTE, access[part])
    found["fix"] = AnswerSection("Tasks that keep pulls working", TASK, _offers_of(document["containers"]), _task_texts)
    facts = dict.fromkeys(fact for each in changes for fact in each["cannot_know"])
    found["facts"] = AnswerSection.of("No object shows", "fact", facts)
    found["forecasts"] = AnswerSection.of("The upgrade also affects", "forecast", document["forecasts"])
    found["unreadable"] = AnswerSection.of("Not read", "sentence", document["unreadable"])
    return {name: section for name, section in found.items() if section.groups}


def _container_texts(group: Sequence[_Row], changes: Sequence[_Row]) -> Sequence[str]:
    """The object, its part, the image, the reason, and for a pull that breaks also the moment, the causes and the advice."""
    (row,) = group
    reason = row["before" if row["answer"] == WOULD_WORK else "after"]["reason"]
    details = (moment_of(row), causes_of(row, changes), row["advice"])
    return f"{row['kind']} {row['name']}", part_of(row), row["image"], reason, *details


def _join_rows(rows: Sequence[_Row]) -> Sequence[Sequence[_Row]]:
    """The rows that differ only in their namespace, and in the workloads and entries. Those of the most namespaces are first."""
    found: dict[Sequence[str], list[_Row]] = {}
    for row in rows:
        target = "" if row["project"] else target_of(row)
        found.setdefault((holder_of(row), target, *row["through"]), []).append(row)
    return sorted(found.values(), key=lambda each: (-len(each), place_of(each[0])))


def access_texts(group: Sequence[_Row]) -> Sequence[str]:
    """Return the holder, the access, the secrets or bindings, the workloads, and the entries."""
    row, is_one = group[0], len(group) == 1
    number = sum(len(each["workloads"]) for each in group)
    users = summarize(row["workloads"], _NAMES) if is_one else pluralize(number, "workload") if number else ""
    entries = dict.fromkeys(entry for each in group for entry in each["entries"])
    target = "image streams of each project" if row["project"] and not is_one else target_of(row)
    return holder_of(row), target, summarize(row["through"], _NAMES), users, summarize([*entries], _NAMES)


def places_of(group: Sequence[Any]) -> str:
    """Return the namespaces of rows, empty for tasks and sentences. A grant belongs to its project."""
    return summarize(sorted(place_of(each) for each in group if isinstance(each, Mapping)), _NAMES)


def _offers_of(rows: Sequence[_Row]) -> Sequence[Sequence[Offer]]:
    """The first tasks of each namespace first, each once. Anyone can have written the document, so they are checked again."""
    found: dict[str, list[Offer]] = {}
    for offer in map(offer_of, order_evenly(rows)):
        if offer.tasks:
            found.setdefault(offer.text, [offer])
    return [*found.values()]


def _task_texts(group: Sequence[Offer]) -> Sequence[str]:
    """The tasks, and their effects."""
    (offer,) = group
    return offer.text, *offer.effects
