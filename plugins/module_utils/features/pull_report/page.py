# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as one self-contained HTML page, and the data of the page's program: columns of numbers, and each text once. Pure.

The page needs no network, no build, and for the summary no JavaScript. This module computes the part that is visible before the page's
program runs: the totals, the clusters, and each rule with its first findings. The rest is data, which the program shows as text only.
The template is in `plugin_utils/pull_report`.

A report over 100 clusters with 1,000 namespaces has 100,000 findings. As objects they would need a hundred megabytes. Most of their texts
differ only in the names, so a text is a list of parts, and a number in it stands for one of the finding's own names.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Union

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
    part_of,
    pick_evenly,
    place_of,
    target_of,
    verdict_of,
)
from ...core.text import escape_invisible, join_and, pluralize, summarize
from ...explain.fixes import offer_of
from .merge import all_findings, count_by_severity, format_counts, natural_key

#: The own names of a finding. In its texts, a number refers to one of them.
_REFERENCES = ("namespace", "name", "location")
#: Minimum number of characters of a name that is replaced: a placeholder would save nothing for a shorter one.
_SHORTEST_NAME = 3
_EMBEDDED = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def embed_json(data: Any) -> str:
    """Return the data as JSON for a script element: nothing in it ends the element or begins another."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return re.sub("[<>&\u2028\u2029]", lambda letter: _EMBEDDED[letter[0]], text)


def group_by_cause(found: Iterable[tuple[str, Mapping[str, Any]]]) -> list[list[tuple[str, Mapping[str, Any]]]]:
    """Return the findings, each with its cluster, in groups of one cause, the largest first.

    One cause has the same rule and severity, is about the same part of an object (such as a registry) or else about objects of the same name,
    and its messages differ only in the names of these objects. `causesOf` of the page's program groups in the same way.
    """
    groups: dict[Any, list[tuple[str, Mapping[str, Any]]]] = {}
    for cluster, finding in found:
        about = finding["location"] or (finding["name"],)
        message = _split_at_names(finding["message"], _references(finding))
        key = (finding["rule"], finding["severity"], finding["kind"], about, message)
        groups.setdefault(key, []).append((cluster, finding))
    return sorted(groups.values(), key=len, reverse=True)


def as_data(document: Mapping[str, Any], answers: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """Return the data. Clusters and rules are numbers: their positions, with -1 for all clusters. `answers` are what-if documents."""
    names, texts = _Table(), _Table()
    compared = document.get("compared")
    described = {**document["rules"], **(compared["rules"] if compared else {})}
    rules = {name: at for at, name in enumerate(described)}
    places = {cluster["name"]: at for at, cluster in enumerate(document["clusters"])}
    places[""] = -1
    gone = ((entry["cluster"], entry["finding"]) for entry in compared["gone"]) if compared else ()
    data = {
        "clusters": [_cluster(cluster) for cluster in document["clusters"]],
        "rules": [_rule(name, rule) for name, rule in described.items()],
        "findings": _findings(all_findings(document), places, rules, names, texts),
        "gone": _findings(gone, places, rules, names, texts),
        "compared": compared and _comparison(compared),
        "matrix": _matrix(document["clusters"], names),
        "pullers": _rows(document["clusters"], "pullers", "project subject namespace binding", names),
        "logins": _rows(document["clusters"], "logins", "registry login password namespace secret", names),
        "questions": [_question(each) for each in answers],
        "what_if": _answers(answers, names, texts),
        "access": _accesses(answers, names),
    }
    order = names.sort(natural_key)
    return {**_renumber(data, order), "names": names.texts, "texts": texts.texts}


class _Table:
    """Texts without duplicates, numbered by position. Each is a string, or a tuple of parts."""

    def __init__(self) -> None:
        self.texts: list[Any] = []
        self._positions: dict[Any, int] = {}

    def __call__(self, text: str | tuple[str | int, ...]) -> int:
        position = self._positions.setdefault(text, len(self.texts))
        if position == len(self.texts):
            self.texts.append(text)
        return position

    def sort(self, key: Callable[[str], Any]) -> list[int]:
        """Sort the texts and return the new position of each old one. Positions then sort in the same order as their texts."""
        sequence = sorted(range(len(self.texts)), key=lambda at: key(self.texts[at]))
        self.texts = [self.texts[at] for at in sequence]
        order = [0] * len(sequence)
        for new, old in enumerate(sequence):
            order[old] = new
        return order


#: The columns that contain positions of names.
_NAMES = {"namespace", "kind", "name", "location", "account", "registries", "project", "subject", "binding"}
_NAMES |= {"registry", "login", "password", "secret", "image"}
_NAMES |= {"holder", "target", "through", "users", "entries", "change"}


def _renumber(data: dict[str, Any], order: Sequence[int]) -> dict[str, Any]:
    def column(name: str, values: Any) -> Any:
        return [order[value] for value in values] if name in _NAMES else values

    tables = ("findings", "gone", "matrix", "pullers", "logins", "what_if", "access")
    return {**data, **{table: {name: column(name, values) for name, values in data[table].items()} for table in tables}}


def _cluster(cluster: Mapping[str, Any]) -> dict[str, Any]:
    texts = {name: escape_invisible(cluster[name]) for name in ("name", "server", "version")}
    return {
        **texts,
        "target": cluster["target_version"] and escape_invisible(cluster["target_version"]),
        "made": cluster["made"],
        "counts": cluster["counts"],
        "verdicts": cluster["verdicts"],
        "unreadable": [escape_invisible(text) for text in cluster["unreadable"]],
    }


def _rule(name: str, rule: Mapping[str, Any]) -> dict[str, Any]:
    texts = {part: escape_invisible(rule[part]) for part in ("title", "meaning", "fix")}
    return {"id": escape_invisible(name), "severity": SEVERITIES.index(rule["severity"]), **texts}


def _comparison(compared: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "made": compared["made"],
        **{name: [escape_invisible(text) for text in compared[name]] for name in ("only_before", "only_now")},
    }


def _findings(
    rows: Iterable[tuple[str, Mapping[str, Any]]],
    places: Mapping[str, int],
    rules: Mapping[str, int],
    names: _Table,
    texts: _Table,
) -> dict[str, list[int]]:
    columns: dict[str, list[int]] = {
        name: [] for name in ("cluster", "rule", "severity", "new", *_OWN, "message", "effect", "fix")
    }
    for cluster, finding in rows:
        own, found = {name: escape_invisible(finding[name]) for name in _OWN}, offer_of(finding)
        references = _references(own)
        row = {
            "cluster": places[cluster],
            "rule": rules[finding["rule"]],
            "severity": SEVERITIES.index(finding["severity"]),
            "new": int(bool(finding.get("new"))),
            "message": texts(_split_at_names(escape_invisible(finding["message"]), references)),
            "effect": texts(_split_at_names(escape_invisible(found.notes), references)),
            "fix": texts(_split_at_names(found.text, references)),
            **{name: names(text) for name, text in own.items()},
        }
        for name, values in columns.items():
            values.append(row[name])
    return columns


_OWN = ("namespace", "kind", "name", "location")


#: Texts, each with the parts that replace it.
_References = Sequence[tuple[str, tuple[Union[str, int], ...]]]


def _references(own: Mapping[str, Any]) -> _References:
    """The names that texts refer to, the longest first, because a short one may be a part of it."""
    names = [(own[name], (at,)) for at, name in enumerate(_REFERENCES) if len(own[name]) >= _SHORTEST_NAME]
    place = [(f"{own['namespace']}/{own['name']}", (0, "/", 1))] if own["namespace"] and own["name"] else []
    return sorted([*place, *names], key=lambda pair: -len(pair[0]))


def _question(document: Mapping[str, Any]) -> dict[str, Any]:
    """The cluster and the changes of one what-if document."""
    return {
        "name": escape_invisible(document["name"]),
        "changes": [escape_invisible(each["title"]) for each in document["changes"]],
    }


def _answers(documents: Sequence[Mapping[str, Any]], names: _Table, texts: _Table) -> dict[str, list[int]]:
    """The rows of what-if documents. `question` and `answer` are positions."""
    columns: dict[str, list[int]] = {
        name: [] for name in ("question", "answer", *_OWN, "image", "before", "after", *_SENTENCES, "effect", "fix")
    }
    for at, document in enumerate(documents):
        for answer in document["containers"]:
            own = {name: escape_invisible(answer[name]) for name in ("namespace", "kind", "name")}
            own["location"] = escape_invisible(part_of(answer))
            references, found = _references(own), offer_of(answer)
            sentences = {
                "before_reason": answer["before"]["reason"],
                "after_reason": answer["after"]["reason"],
                "moment": moment_of(answer),
                "cause": causes_of(answer, document["changes"]),
                "advice": answer["advice"],
                "effect": found.notes,
            }
            row = {
                "question": at,
                "answer": LISTED_ANSWERS.index(answer["answer"]),
                "image": names(escape_invisible(answer["image"])),
                "before": VERDICTS.index(verdict_of(answer["before"])),
                "after": VERDICTS.index(verdict_of(answer["after"])),
                "fix": texts(_split_at_names(found.text, references)),
                **{name: names(text) for name, text in own.items()},
                **{
                    name: texts(_split_at_names(escape_invisible(text), references)) for name, text in sentences.items()
                },
            }
            for name, values in columns.items():
                values.append(row[name])
    return columns


def _accesses(documents: Sequence[Mapping[str, Any]], names: _Table) -> dict[str, list[int]]:
    """The gains and losses of access reviews. `question` and `effect` are positions."""
    columns: dict[str, list[int]] = {
        name: [] for name in ("question", "effect", "namespace", "holder", "target", *_LISTS, "change")
    }
    for at, document in enumerate(documents):
        for number, effect in enumerate(ACCESS_EFFECTS):
            for row in document["access"][effect]:
                texts = {
                    "namespace": place_of(row),
                    "holder": holder_of(row),
                    "target": target_of(row),
                    **{name: summarize(row[part], _LISTED) for name, part in _LISTS.items()},
                    "change": causes_of({**row, "entries": ()}, document["changes"]),
                }
                columns["question"].append(at)
                columns["effect"].append(number)
                for name, text in texts.items():
                    columns[name].append(names(escape_invisible(text)))
    return columns


#: The columns with a list of names, each with the member of a row, and the maximum number of names in one row.
_LISTS = {"through": "through", "users": "workloads", "entries": "entries"}
_LISTED = 20
_SENTENCES = ("before_reason", "after_reason", "moment", "cause", "advice")
#: The verdicts, numbered.
VERDICTS = tuple(VERDICT_TITLES)


def _split_at_names(text: str, references: _References) -> tuple[str | int, ...]:
    """Return the parts of a text, with the number of a name for each occurrence of it."""
    parts: list[str | int] = [text] if text else []
    for name, numbers in references:
        if name in text:
            found: list[str | int] = []
            for part in parts:
                first, *others = [part] if isinstance(part, int) else part.split(name)
                found += [first] if first != "" else []
                for piece in others:
                    found += [*numbers, piece] if piece != "" else numbers
            parts = found
    return tuple(parts)


def _matrix(clusters: Sequence[Mapping[str, Any]], names: _Table) -> dict[str, list[int]]:
    """Return the accounts. `start` is the index in `cells` at which the registries of each begin, as positions in `registries`."""
    registries = _Table()
    found: dict[str, list[int]] = {"cluster": [], "namespace": [], "account": [], "start": [0], "cells": []}
    for at, cluster in enumerate(clusters):
        own = [registries(escape_invisible(text)) for text in cluster["matrix"]["registries"]]
        for account in sorted(
            cluster["matrix"]["accounts"], key=lambda one: (natural_key(one["namespace"]), natural_key(one["name"]))
        ):
            found["cluster"].append(at)
            found["namespace"].append(names(escape_invisible(account["namespace"])))
            found["account"].append(names(escape_invisible(account["name"])))
            found["cells"] += sorted({own[position] for position in account["registries"]})
            found["start"].append(len(found["cells"]))
    return {**found, "registries": [names(text) for text in registries.texts]}


def _rows(clusters: Sequence[Mapping[str, Any]], table: str, columns: str, names: _Table) -> dict[str, list[int]]:
    rows = [(at, row) for at, cluster in enumerate(clusters) for row in cluster[table]]
    return {
        "cluster": [at for at, _row in rows],
        **{name: [names(escape_invisible(row[name])) for _at, row in rows] for name in columns.split()},
    }


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
