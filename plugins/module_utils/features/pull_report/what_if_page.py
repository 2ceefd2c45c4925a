# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of what-if answers in the report's page that are visible before its program runs. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...core.what_if_format import ANSWER_TITLES, ANSWERS, WOULD_BREAK
from ...core.what_if_sentences import causes_of, headline, moment_of, name_of
from ...explain.offers import offer_of

__all__ = ["count_answers", "name_answers", "questions_of"]

Document = Mapping[str, Any]


def count_answers(documents: Iterable[Document]) -> dict[str, int]:
    """Return the number of containers for each answer, over all documents."""
    found = dict.fromkeys(ANSWERS, 0)
    for document in documents:
        for answer in ANSWERS:
            found[answer] += document["counts"][answer]
    return found


def name_answers(documents: Iterable[Document], clusters: Iterable[Document]) -> list[dict[str, Any]]:
    """Return the documents, each with the `name` of the audited cluster that has its server, or with the server as the name."""
    names = {cluster["server"]: cluster["name"] for cluster in clusters}
    return [{**document, "name": names.get(document["server"], document["server"])} for document in documents]


def questions_of(documents: Sequence[Document], most: int) -> list[dict[str, Any]]:
    """Return the variables of the template for each document, with the first `most` containers that break."""
    return [
        {
            "document": document,
            "headline": headline(document),
            "counts": [(ANSWER_TITLES[answer], document["counts"][answer]) for answer in ANSWERS],
            "broken": document["counts"][WOULD_BREAK],
            "examples": [_example(row, document) for row in document["containers"] if row["answer"] == WOULD_BREAK][
                :most
            ],
            "facts": list(dict.fromkeys(fact for change in document["changes"] for fact in change["cannot_know"])),
        }
        for document in documents
    ]


def _example(row: Document, document: Document) -> dict[str, Any]:
    return {
        "row": row,
        "name": name_of(row),
        "moment": moment_of(row),
        "cause": causes_of(row, document["changes"]),
        "offer": offer_of(row),
    }
