# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The answer as JUnit XML: a suite for the cluster, a case for each container. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from xml.etree.ElementTree import Element

from ...core.what_if_format import ANSWER_TITLES, NOT_AFFECTED, NOT_ASKED, NOT_KNOWN, STILL_BROKEN, WOULD_WORK
from ...core.what_if_sentences import causes_of, headline, hints_of, moment_of, name_of, outcome_of
from ...core.writers import add_element, as_xml, make_case, make_suite
from .access_text import access_notes, access_titles

__all__ = ["as_junit"]

_TITLE = "Pull access after the supposed changes"
_UNREAD = "could not be read"
_NO_SERVER = "without a cluster"

Row = Mapping[str, Any]


def as_junit(document: Mapping[str, Any], failing: Sequence[str]) -> str:
    """Return the text. An answer in `failing` fails its case, and `unknown` otherwise skips it. Containers that are not affected are one case.

    A part of an inventory that would not be applied always fails a case. With `unknown` in `failing`, everything that fails the task fails a
    case: also forecasts of an upgrade, workloads and images of the platform that could not be read, and access that could not be compared.
    """
    server, changes = document["server"] or _NO_SERVER, document["changes"]
    cases = [_case(server, row, changes, failing) for row in document["containers"]]
    if others := document["counts"][NOT_AFFECTED]:
        cases.append(make_case(outcome_of(NOT_AFFECTED, others), server))
    forecasts = document["forecasts"]
    cases += _sentences(server, "forecast", forecasts, forecasts if NOT_KNOWN in failing else ())
    cases += _access(server, document["access"], failing)
    unread_images = document["unread_images"] if NOT_KNOWN in failing else ()
    cases += _sentences(server, _UNREAD, document["unreadable"], unread_images)
    cases += _unread_workloads(server, document["unread_workloads"] if NOT_KNOWN in failing else ())
    suite = make_suite(server, document["server"], document["made"], cases, "\n".join(_output(document)))
    return as_xml(_TITLE, [suite])


def _case(server: str, row: Row, changes: Sequence[Mapping[str, Any]], failing: Sequence[str]) -> Element:
    case = make_case(name_of(row), f"{server}.{row['namespace']}")
    reason = row["after"]["reason"]
    if row["answer"] in failing or (row["not_asked"] and NOT_ASKED in failing):
        text = "\n".join(_details(row, changes))
        add_element(case, "failure", text, type=ANSWER_TITLES[row["answer"]], message=reason)
    elif row["answer"] == NOT_KNOWN:
        add_element(case, "skipped", message=reason)
    return case


def _details(row: Row, changes: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    before, after = row["before"], row["after"]
    yield f"image: {row['image']}"
    yield f"before: {before['verdict']}: {before['reason']}"
    yield f"after: {after['verdict']}: {after['reason']}"
    details = {"breaks": moment_of(row), "change": causes_of(row, changes), "to do": row["advice"]}
    yield from (f"{name}: {text}" for name, text in details.items() if text)


def _access(server: str, access: Mapping[str, Any], failing: Sequence[str]) -> Iterator[Element]:
    """A case for each gain and loss, which passes, for each part that is not applied, and for each doubt."""
    for place, title in access_titles(access):
        yield make_case(title, f"{server}.{place}.access")
    for number, note in enumerate(access_notes(access), 1):
        case = make_case(f"access review: {number}", f"{server}.access")
        yield _doubt(case, note, fails=number <= len(access["unplanned"]) or NOT_KNOWN in failing)


def _sentences(server: str, title: str, sentences: Sequence[str], failures: Sequence[str]) -> Iterator[Element]:
    """A case for each sentence. It fails for `failures`, and is skipped otherwise."""
    for number, sentence in enumerate(sentences, 1):
        case = make_case(f"{title}: {number}", f"{server}.{title}")
        yield _doubt(case, sentence, fails=sentence in failures)


def _doubt(case: Element, sentence: str, *, fails: bool) -> Element:
    """The case, which fails or is skipped because of the sentence."""
    if fails:
        add_element(case, "failure", sentence, type=ANSWER_TITLES[NOT_KNOWN], message=sentence)
    else:
        add_element(case, "skipped", message=sentence)
    return case


def _unread_workloads(server: str, namespaces: Sequence[str]) -> Iterator[Element]:
    for name in namespaces:
        case = make_case("pods and workloads", f"{server}.{name}")
        yield _doubt(case, f"the pods or workloads {_UNREAD}, so containers can be missing", fails=True)


def _output(document: Mapping[str, Any]) -> Iterator[str]:
    """The changes, and the answers that are not visible in the cases, because these pass."""
    yield headline(document)
    yield from (f"change {number}: {each['title']}" for number, each in enumerate(document["changes"], 1))
    yield from hints_of(document)
    for row in document["containers"]:
        if row["answer"] in (STILL_BROKEN, WOULD_WORK):
            reason = row["before"]["reason"]
            yield f"{ANSWER_TITLES[row['answer']]}: {row['namespace']}: {name_of(row)}: today {reason}"
