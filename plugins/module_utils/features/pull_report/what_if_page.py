# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of what-if answers in the report's page that are visible before its program runs. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...core.what_if_format import ACCESS_EFFECTS, ANSWER_TITLES, ANSWERS, WOULD_BREAK
from ...core.what_if_sentences import (
    causes_of,
    headline,
    holder_of,
    moment_of,
    name_of,
    notes_of,
    pick_evenly,
    place_of,
    target_of,
)
from ...explain.fixes import offer_of

__all__ = ["count_answers", "name_answers", "questions_of"]

#: The name of a comparison of two inventories without a cluster.
_NO_CLUSTER = "without a cluster"

Document = Mapping[str, Any]


def count_answers(documents: Iterable[Document]) -> dict[str, int]:
    """Return the number of containers for each answer, over all documents."""
    found = dict.fromkeys(ANSWERS, 0)
    for document in documents:
        for answer in ANSWERS:
            found[answer] += document["counts"][answer]
    return found


def name_answers(documents: Sequence[Document], clusters: Iterable[Document]) -> list[dict[str, Any]]:
    """Return the documents, each with the `name` of the audited cluster that has its server, or with the server as the name."""
    names = {cluster["server"]: cluster["name"] for cluster in clusters}
    servers = (document["server"] for document in documents)
    return [
        {**document, "name": names.get(server) or server or _NO_CLUSTER}
        for document, server in zip(documents, servers, strict=True)
    ]


def questions_of(documents: Sequence[Document], most: int) -> list[dict[str, Any]]:
    """Return the variables of the template for each document, with the first `most` containers that break."""
    return [
        {
            "document": document,
            "headline": headline(document),
            "counts": [(ANSWER_TITLES[answer], document["counts"][answer]) for answer in ANSWERS],
            "broken": document["counts"][WOULD_BREAK],
            "examples": [
                _example(row, document)
                for row in pick_evenly([row for row in document["containers"] if row["answer"] == WOULD_BREAK], most)
            ],
            "access": _review(document["access"], most),
            "facts": list(dict.fromkeys(fact for change in document["changes"] for fact in change["cannot_know"])),
        }
        for document in documents
    ]


def _review(access: Mapping[str, Any], most: int) -> dict[str, Any]:
    """The numbers of gains and losses, the first ones, and the number of the others."""
    rows = [(effect, row) for effect in ACCESS_EFFECTS for row in access[effect]]
    shown = pick_evenly(rows, most, lambda each: place_of(each[1]))
    return {
        **{effect: len(access[effect]) for effect in ACCESS_EFFECTS},
        "examples": [
            {"effect": effect, "place": place_of(row), "holder": holder_of(row), "target": target_of(row)}
            for effect, row in shown
        ],
        "more": len(rows) - len(shown),
        "unplanned": notes_of(access["unplanned"]),
        "unknown": notes_of(access["unknown"]),
    }


def _example(row: Document, document: Document) -> dict[str, Any]:
    return {
        "row": row,
        "name": name_of(row),
        "moment": moment_of(row),
        "cause": causes_of(row, document["changes"]),
        "offer": offer_of(row),
    }
