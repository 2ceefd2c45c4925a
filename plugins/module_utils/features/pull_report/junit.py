# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as JUnit XML: a suite for each cluster, a case for each rule and namespace. Pure.

The form is the one that all readers accept (JUnit's Ant task): at most one failure in a case, correct counts, and elements in order.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from ...core.cluster_text import escape_invisible

__all__ = ["as_junit"]

#: Characters that XML 1.0 cannot contain, not even escaped.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
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
        case = _case("the audit", f"{cluster['name']}.audit")
        _add(case, "error", type="not audited", message=cluster["error"])
        suites.append(_suite({"name": cluster["name"], "made": document["made"]}, (), fails, [case]))
    for number, suite in enumerate(suites):
        suite.set("id", str(number))
    root = Element("testsuites", {"name": _sanitize(title), **_counts([case for suite in suites for case in suite])})
    root.extend(suites)
    indent(root, space="")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, encoding="unicode")}\n'


def _suite(
    cluster: Mapping[str, Any],
    findings: Sequence[Finding],
    fails: Callable[[Finding], bool],
    cases: Iterator[Element] | Sequence[Element],
) -> Element:
    """Return a suite. The findings that do not fail are its output."""
    name, found = _sanitize(cluster["name"]), list(cases)
    attributes = {
        "id": "",
        "package": name,
        "name": name,
        "hostname": _sanitize(cluster.get("server") or "localhost"),
        "timestamp": cluster["made"].rstrip("Z"),
        **_counts(found),
        "time": "0",
    }
    suite = Element("testsuite", attributes)
    SubElement(suite, "properties")
    suite.extend(found)
    _add(suite, "system-out", "\n".join(_line(finding) for finding in findings if not fails(finding)))
    SubElement(suite, "system-err")
    return suite


def _cases(cluster: Mapping[str, Any], rules: Mapping[str, Any], fails: Callable[[Finding], bool]) -> Iterator[Element]:
    """Yield the cases of a cluster. A rule without a finding is a passed case, an unreadable object a skipped case."""
    yield from _cases_of(cluster["findings"], rules, cluster["name"], fails)
    hit = {finding["rule"] for finding in cluster["findings"]}
    for name, rule in rules.items():
        if name not in hit:
            yield _case(rule["title"] or name, f"{cluster['name']}.{name}")
    for number, text in enumerate(cluster["unreadable"], 1):
        case = _case(f"{_UNREAD}: {number}", f"{cluster['name']}.{_UNREAD}")
        _add(case, "skipped", message=text)
        yield case


def _cases_of(
    findings: Sequence[Finding], rules: Mapping[str, Any], cluster: str, fails: Callable[[Finding], bool]
) -> Iterator[Element]:
    groups: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    for finding in findings:
        groups[finding["rule"], finding["namespace"]].append(finding)
    for (rule, namespace), group in groups.items():
        case = _case(f"{namespace or 'the cluster'}: {rules[rule]['title'] or rule}", f"{cluster}.{rule}")
        if failed := [finding for finding in group if fails(finding)]:
            message = failed[0]["message"] + (f" (and {len(failed) - 1} more)" if failed[1:] else "")
            _add(case, "failure", "\n".join(map(_line, failed)), type=failed[0]["severity"], message=message)
        yield case


def _case(name: str, classname: str) -> Element:
    return Element("testcase", name=_sanitize(name), classname=_sanitize(classname), time="0")


def _add(parent: Element, tag: str, text: str = "", **attributes: str) -> None:
    SubElement(parent, tag, {name: _sanitize(value) for name, value in attributes.items()}).text = _sanitize(text)


def _line(finding: Finding) -> str:
    place = "/".join(filter(None, (finding["namespace"], finding["kind"], finding["name"])))
    about = f" ({finding['location']})" if finding["location"] else ""
    new = ", new" if finding.get("new") else ""
    return f"{finding['severity']}{new}: {place}{about}: {finding['message']}"


def _counts(parts: Sequence[Element]) -> dict[str, str]:
    """Return the counts of the cases among these elements."""
    cases = [part for part in parts if part.tag == "testcase"]
    tags = {"failures": "failure", "errors": "error", "skipped": "skipped"}
    counts = {name: sum(case.find(tag) is not None for case in cases) for name, tag in tags.items()}
    return {"tests": str(len(cases)), **{name: str(count) for name, count in counts.items()}}


def _sanitize(text: str) -> str:
    """Replace characters that XML cannot contain, before `escape_invisible` would write them as numbers: a reader may rely on that."""
    return escape_invisible(_NOT_XML.sub("\ufffd", text))
