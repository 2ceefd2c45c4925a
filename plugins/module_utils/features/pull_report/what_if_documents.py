# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads one what-if document from the bytes of its file. Pure.

The format is docs/what_if.schema.json. Only the parts that the page shows are kept, and these are valid.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...core.errors import OptionError
from ...core.what_if_format import ANSWERS, FORMAT, LISTED_ANSWERS, MOMENTS
from .documents import describe_format, parse_document
from .shape import Check, anything, count, flag, list_of, members, one_of, tasks, text, text_matching

__all__ = ["what_if_from_bytes"]

_TIME = text_matching(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "a time in UTC such as 2026-11-25T17:10:00Z")
_VERDICT = one_of(("pulls", "will_not_pull", "unknown"))
_MOMENT = one_of((*MOMENTS, ""))


def _texts(names: str) -> dict[str, Check]:
    return dict.fromkeys(names.split(), text)


_CONTAINER = members(
    {
        **_texts("namespace kind name container volume service_account image registry"),
        "pods": count,
        "answer": one_of(LISTED_ANSWERS),
        "not_asked": flag,
        "before": members({"verdict": _VERDICT, "reason": text}),
        "after": members({"verdict": _VERDICT, **_texts("reason step")}),
        "changes": list_of(count),
        "entries": list_of(text),
        "when": _MOMENT,
        "possibly": _MOMENT,
        **_texts("when_reason advice fix_refusal"),
        "fix": tasks,
        "fix_effects": list_of(text),
    }
)
_ACCESS = members(
    {
        "how": one_of(("login", "grant")),
        **_texts("namespace kind name registry repository username project"),
        **dict.fromkeys(("through", "workloads", "entries"), list_of(text)),
        "changes": list_of(count),
    }
)
_REVIEW = members(
    {
        "gained": list_of(_ACCESS),
        "lost": list_of(_ACCESS),
        "unknown": list_of(text),
        "unplanned": list_of(members(_texts("namespace entry reason"))),
    }
)
_DOCUMENT = members(
    {
        "format": text,
        "made": _TIME,
        "server": text,
        "against": text,
        "changes": list_of(members({**_texts("kind title"), "has_effect": flag, "cannot_know": list_of(text)})),
        "counts": members(dict.fromkeys(ANSWERS, count)),
        "not_asked": count,
        "builds": count,
        "containers": list_of(_CONTAINER),
        "forecasts": list_of(text),
        "unreadable": list_of(text),
        "unread_workloads": list_of(text),
        "unread_images": list_of(text),
        "access": _REVIEW,
        # Not shown by the page.
        "summary": anything,
        "images_to_mirror": anything,
    }
)
_NOT_SHOWN = ("format", "summary", "images_to_mirror")


def what_if_from_bytes(path: str, content: bytes) -> dict[str, Any]:
    """Return the parts of the document in a file that a page shows.

    :raises OptionError: when it is not a valid document, with the file's path and the problem.
    """
    document = parse_document(path, content)
    problem = _problem(document)
    if problem:
        raise OptionError(
            f"file {path} is not a readable what-if document: {problem}. Write it again with pull_access_what_if. Nothing was written"
        )
    return {name: value for name, value in document.items() if name not in _NOT_SHOWN}


def _problem(document: Any) -> str:
    if other := describe_format(document, FORMAT):
        return other
    shape = _DOCUMENT(document)
    if shape:
        return f"it{shape}" if shape.startswith(" ") else shape.lstrip(".")
    return _references(document)


def _references(document: Mapping[str, Any]) -> str:
    number, access = len(document["changes"]), document["access"]
    lists = {"containers": document["containers"], **{f"access.{part}": access[part] for part in ("gained", "lost")}}
    for name, rows in lists.items():
        for at, row in enumerate(rows):
            if row["changes"] and max(row["changes"]) >= number:
                return f"{name}[{at}] names a change by a position that the list does not have"
    return ""
