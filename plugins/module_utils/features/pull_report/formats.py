# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as JSON and as JUnit XML. Pure.

JSON is in the format of plugins/plugin_utils/pull_report/audit.schema.json, with a line for each finding, grant and login. JUnit XML has a suite for
each cluster, and a case for each rule and namespace.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any
from xml.etree.ElementTree import Element

from ...core.writers import add_element, as_xml, make_case, make_suite

__all__ = ["as_json", "as_junit"]

# --- JSON

_encoded = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
#: Maximum depth at which an object has a line for each member: down to the lists of a cluster.
_DEPTH = 4


def as_json(document: Mapping[str, Any]) -> str:
    """Return the text of the file."""
    return f"{_format_value(document, 0)}\n"


def _format_value(value: Any, depth: int) -> str:
    is_list = isinstance(value, list)
    parts = value if is_list else value.values() if isinstance(value, Mapping) else ()
    if depth == _DEPTH or not any(isinstance(part, (list, dict)) for part in parts):
        return _line(value)
    edge = " " * (depth + 1)
    if is_list:
        lines = [f"{edge}{_format_value(part, depth + 1)}" for part in value]
    else:
        lines = [f"{edge}{_line(name)}: {_format_value(part, depth + 1)}" for name, part in value.items()]
    opening, closing = "[]" if is_list else "{}"
    return "\n".join((opening, ",\n".join(lines), " " * depth + closing))


def _line(value: Any) -> str:
    """Return the value in one line. Unprintable characters are escaped, because the file may be shown on a terminal."""
    text = _encoded(value)
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else json.dumps(letter)[1:-1] for letter in text)


# --- JUnit XML

#: The name of the suite of findings over several clusters.
_EVERYWHERE = "all clusters"
_UNREAD = "could not be read"

Finding = Mapping[str, Any]


def as_junit(document: Mapping[str, Any], severities: Sequence[str], title: str, *, only_new: bool = False) -> str:
    """Return the text. Findings of these `severities` fail their case, with `only_new` only new findings."""

    def fails(finding: Finding) -> bool:
        return finding["severity"] in severities and (not only_new or bool(finding.get("new")))

    suites = [
        _suite(cluster, cluster["findings"], fails, _cases(cluster, document["rules"], fails))
        for cluster in document["clusters"]
    ]
    if found := document.get("findings"):
        head = {"name": _EVERYWHERE, "made": document["made"]}
        suites.insert(0, _suite(head, found, fails, _cases_of(found, document["rules"], _EVERYWHERE, fails)))
    for cluster in document.get("missing", ()):
        case = make_case("the audit", f"{cluster['name']}.audit")
        add_element(case, "error", type="not audited", message=cluster["error"])
        suites.append(_suite({"name": cluster["name"], "made": document["made"]}, (), fails, [case]))
    return as_xml(title, suites)


def _suite(
    cluster: Mapping[str, Any],
    findings: Sequence[Finding],
    fails: Callable[[Finding], bool],
    cases: Iterable[Element],
) -> Element:
    """Return a suite. The findings that do not fail are its output."""
    output = "\n".join(_describe(finding) for finding in findings if not fails(finding))
    return make_suite(cluster["name"], cluster.get("server", ""), cluster["made"], list(cases), output)


def _cases(cluster: Mapping[str, Any], rules: Mapping[str, Any], fails: Callable[[Finding], bool]) -> Iterator[Element]:
    """Yield the cases of a cluster. A rule without a finding is a passed case, an unreadable object a skipped case."""
    yield from _cases_of(cluster["findings"], rules, cluster["name"], fails)
    hit = {finding["rule"] for finding in cluster["findings"]}
    for name, rule in rules.items():
        if name not in hit:
            yield make_case(rule["title"] or name, f"{cluster['name']}.{name}")
    for number, text in enumerate(cluster["unreadable"], 1):
        case = make_case(f"{_UNREAD}: {number}", f"{cluster['name']}.{_UNREAD}")
        add_element(case, "skipped", message=text)
        yield case


def _cases_of(
    findings: Sequence[Finding], rules: Mapping[str, Any], cluster: str, fails: Callable[[Finding], bool]
) -> Iterator[Element]:
    groups: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    for finding in findings:
        groups[finding["rule"], finding["namespace"]].append(finding)
    for (rule, namespace), group in groups.items():
        case = make_case(f"{namespace or 'the cluster'}: {rules[rule]['title'] or rule}", f"{cluster}.{rule}")
        if failed := [finding for finding in group if fails(finding)]:
            message = failed[0]["message"] + (f" (and {len(failed) - 1} more)" if failed[1:] else "")
            add_element(case, "failure", "\n".join(map(_describe, failed)), type=failed[0]["severity"], message=message)
        yield case


def _describe(finding: Finding) -> str:
    place = "/".join(filter(None, (finding["namespace"], finding["kind"], finding["name"])))
    about = f" ({finding['location']})" if finding["location"] else ""
    new = ", new" if finding.get("new") else ""
    return f"{finding['severity']}{new}: {place}{about}: {finding['message']}"
