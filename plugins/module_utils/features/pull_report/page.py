# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as one self-contained HTML page: no network, no build, and for the summary no JavaScript. Pure.

This module computes the part that is visible before the page's program runs: the totals, the clusters, and each rule with its first
findings. The rest is data, which the program shows as text only. The template is in `plugin_utils/pull_report`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from ...core.documents import (
    ACCESS_EFFECTS,
    ANSWER_TITLES,
    ANSWERS,
    LISTED_ANSWERS,
    SEVERITIES,
    VERDICT_TITLES,
    WOULD_BREAK,
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
from ...core.text import join_and, pluralize
from ...explain.fixes import offer_of
from .browser_data import as_data, embed_json, group_by_cause
from .merge import all_findings, count_by_severity, format_counts

__all__ = ["as_page", "count_answers", "name_answers", "questions_of"]

#: Maximum number of causes of a rule in the page before its program runs, and of clusters without an audit at its head.
_FIRST = 5
#: Maximum number of further objects of one cause.
_PLACES = 10
#: The order of the parts of a bar.
_VERDICTS = tuple((name, VERDICT_TITLES[name]) for name in ("pulls", "untested", "unknown", "will_not_pull"))

Document = Mapping[str, Any]


def as_page(document: Document, title: str, render: Callable[..., str], answers: Sequence[Document] = ()) -> str:
    """Return the text of the page. `render` is the function that fills its template. `answers` are what-if documents."""
    answers = name_answers(answers, document["clusters"])
    found = [finding for _cluster, finding in all_findings(document)]
    clusters, compared = document["clusters"], document.get("compared")
    total, verdicts = count_by_severity(found), _verdicts(clusters)
    return render(
        title=title,
        document={"missing": (), **document},
        data=embed_json(as_data(document, answers)),
        questions=questions_of(answers, _FIRST),
        answers={answer: ANSWER_TITLES[answer] for answer in LISTED_ANSWERS},
        first=_FIRST,
        oldest=min((cluster["made"] for cluster in clusters), default=document["made"]),
        targets=sorted({cluster["target_version"] for cluster in clusters if cluster["target_version"]}),
        compared=compared,
        headline=_headline(total, {verdict["name"]: verdict["number"] for verdict in verdicts}),
        total=total,
        new=count_by_severity(finding for finding in found if finding.get("new")),
        gone=count_by_severity(entry["finding"] for entry in compared["gone"]) if compared else {},
        verdicts=verdicts,
        clusters=_clusters(document),
        groups=list(_groups(document)),
    )


def _headline(total: Mapping[str, int], verdicts: Mapping[str, int]) -> str:
    containers, start = sum(verdicts.values()), f"{format_counts(total).capitalize()}."
    if not containers:
        return start
    if verdicts["will_not_pull"]:
        return f"{start} {verdicts['will_not_pull']:,} of {pluralize(containers, 'container')} cannot pull their image."
    words = {"pulls": "{:,} confirmed", "untested": "{:,} with a login (not tested)", "unknown": "{:,} not known"}
    counted = [text.format(verdicts[name]) for name, text in words.items() if verdicts[name]]
    return f"{start} No container is known to fail: {join_and(counted)}."


def _verdicts(clusters: Iterable[Document]) -> list[dict[str, Any]]:
    """Return each verdict with its number of containers, and the start and the width of its part of a bar, in percent."""
    numbers = [sum(cluster["verdicts"][name] for cluster in clusters) for name, _label in _VERDICTS]
    found, start = [], 0.0
    for (name, label), number in zip(_VERDICTS, numbers, strict=True):
        width = 100 * number / (sum(numbers) or 1)
        found.append({"name": name, "label": label, "number": number, "start": f"{start:.3f}", "width": f"{width:.3f}"})
        start += width
    return found


def _clusters(document: Document) -> list[dict[str, Any]]:
    """Return a row for each cluster, the worst first."""
    rows = [
        {
            "at": at,
            "cluster": cluster,
            "total": count_by_severity(cluster["findings"]),
            "new": sum(bool(finding.get("new")) for finding in cluster["findings"]),
            "verdicts": _verdicts([cluster]),
        }
        for at, cluster in enumerate(document["clusters"])
    ]
    return sorted(rows, key=lambda row: [-row["total"][severity] for severity in SEVERITIES])


def _groups(document: Document) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield each severity with the rules that have findings of it."""
    groups: dict[str, dict[str, list[tuple[str, Document]]]] = {severity: defaultdict(list) for severity in SEVERITIES}
    for cluster, finding in all_findings(document):
        groups[finding["severity"]][finding["rule"]].append((cluster, finding))
    numbers = {name: at for at, name in enumerate(document["rules"])}
    for severity, rules in groups.items():
        if rules:
            ordered = sorted(rules.items(), key=lambda item: (-len(item[1]), item[0]))
            yield (
                severity,
                [
                    {
                        **document["rules"][name],
                        "at": numbers[name],
                        "severity": SEVERITIES.index(severity),
                        "total": len(found),
                        "places": len({cluster for cluster, _finding in found}),
                        "examples": list(map(_cause, causes[:_FIRST])),
                        "more": sum(map(len, causes[_FIRST:])),
                    }
                    for name, found in ordered
                    for causes in [group_by_cause(found)]
                ],
            )


def _cause(found: Sequence[tuple[str, Document]]) -> dict[str, Any]:
    """Return the first finding of a cause, and the objects of the others."""
    rows = [{"cluster": cluster, "finding": {"new": False, **finding}} for cluster, finding in found[: _PLACES + 1]]
    return {**rows[0], "offer": offer_of(found[0][1]), "others": rows[1:], "more": len(found) - len(rows)}


# --- answers of what-if

#: The name of a comparison of two inventories without a cluster.
_NO_CLUSTER = "without a cluster"


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
