# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as JUnit XML: a suite for each cluster, a case for each rule and namespace. Pure.

The form is the one that all readers accept (JUnit's Ant task): at most one failure in a case, correct counts, and elements in order.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from ...core.visible_text import escape_invisible
from .timestamps import mark_time

__all__ = ["as_junit"]

#: Characters that XML 1.0 cannot contain, not even escaped.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
#: The name of the suite of findings over several clusters.
_EVERYWHERE = "all clusters"
_UNREAD = "could not be read"

Finding = Mapping[str, Any]


@dataclass(frozen=True)
class _Case:
    """One test case. `failed` are the findings that fail it, `skipped` is why the result is unknown, `error` why there was no audit."""

    name: str
    classname: str
    failed: Sequence[Finding] = ()
    skipped: str = ""
    error: str = ""


@dataclass(frozen=True)
class _Suite:
    """The cases of one cluster, and all its findings."""

    name: str
    server: str
    made: str
    cases: Sequence[_Case]
    findings: Sequence[Finding]


def as_junit(document: Mapping[str, Any], severities: Sequence[str], title: str, *, only_new: bool = False) -> str:
    """Return the text, with its times marked. Findings of these `severities` fail their case, with `only_new` only new findings."""

    def fails(finding: Finding) -> bool:
        return finding["severity"] in severities and (not only_new or bool(finding.get("new")))

    suites = [
        _Suite(
            cluster["name"],
            cluster["server"],
            cluster["made"],
            _cases(cluster, document["rules"], fails),
            cluster["findings"],
        )
        for cluster in document["clusters"]
    ]
    if document.get("findings"):
        found = document["findings"]
        cases = list(_cases_of(found, document["rules"], _EVERYWHERE, fails))
        suites.insert(0, _Suite(_EVERYWHERE, "", document["made"], cases, found))
    for cluster in document.get("missing", ()):
        case = _Case("the audit", f"{cluster['name']}.audit", error=cluster["error"])
        suites.append(_Suite(cluster["name"], "", document["made"], [case], ()))
    total = [case for suite in suites for case in suite.cases]
    head = f"<testsuites name={_attribute(title)} {_numbers(total)}>"
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', head]
    for number, suite in enumerate(suites):
        others = "\n".join(_line(finding) for finding in suite.findings if not fails(finding))
        lines += [_suite_head(number, suite), "<properties/>", *map(_case, suite.cases)]
        lines += [_element("system-out", others), "<system-err/>", "</testsuite>"]
    return "\n".join([*lines, "</testsuites>", ""])


def _cases(cluster: Mapping[str, Any], rules: Mapping[str, Any], fails: Any) -> list[_Case]:
    """Return the cases of a cluster. A rule without a finding is a passed case, an unreadable object a skipped case."""
    found = list(_cases_of(cluster["findings"], rules, cluster["name"], fails))
    hit = {finding["rule"] for finding in cluster["findings"]}
    found += [
        _Case(rule["title"] or name, f"{cluster['name']}.{name}") for name, rule in rules.items() if name not in hit
    ]
    found += [
        _Case(f"{_UNREAD}: {number}", f"{cluster['name']}.{_UNREAD}", skipped=text)
        for number, text in enumerate(cluster["unreadable"], 1)
    ]
    return found


def _cases_of(findings: Sequence[Finding], rules: Mapping[str, Any], cluster: str, fails: Any) -> Iterator[_Case]:
    groups: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    for finding in findings:
        groups[finding["rule"], finding["namespace"]].append(finding)
    for (rule, namespace), group in groups.items():
        place = namespace or "the cluster"
        title = rules[rule]["title"] or rule
        yield _Case(f"{place}: {title}", f"{cluster}.{rule}", [finding for finding in group if fails(finding)])


def _suite_head(number: int, suite: _Suite) -> str:
    name, host = _attribute(suite.name), _attribute(suite.server or "localhost")
    when = mark_time(suite.made.rstrip("Z"))
    return (
        f'<testsuite id="{number}" package={name} name={name} hostname={host} timestamp="{when}" '
        f'{_numbers(suite.cases)} time="0">'
    )


def _case(case: _Case) -> str:
    head = f'<testcase name={_attribute(case.name)} classname={_attribute(case.classname)} time="0"'
    if case.skipped:
        return f"{head}><skipped message={_attribute(case.skipped)}/></testcase>"
    if case.error:
        return f'{head}><error type="not audited" message={_attribute(case.error)}/></testcase>'
    if not case.failed:
        return f"{head}/>"
    first, *more = case.failed
    message = first["message"] + (f" (and {len(more)} more)" if more else "")
    text = "\n".join(_line(finding) for finding in case.failed)
    failure = f"<failure type={_attribute(first['severity'])} message={_attribute(message)}>{_text(text)}</failure>"
    return f"{head}>{failure}</testcase>"


def _line(finding: Finding) -> str:
    place = "/".join(filter(None, (finding["namespace"], finding["kind"], finding["name"])))
    about = f" ({finding['location']})" if finding["location"] else ""
    new = ", new" if finding.get("new") else ""
    return f"{finding['severity']}{new}: {place}{about}: {finding['message']}"


def _numbers(cases: Sequence[_Case]) -> str:
    number = {what: sum(bool(getattr(case, what)) for case in cases) for what in ("failed", "error", "skipped")}
    return (
        f'tests="{len(cases)}" failures="{number["failed"]}" errors="{number["error"]}" skipped="{number["skipped"]}"'
    )


def _element(name: str, text: str) -> str:
    return f"<{name}>{_text(text)}</{name}>" if text else f"<{name}/>"


def _text(text: str) -> str:
    return escape(_sanitize(text))


def _attribute(text: str) -> str:
    return quoteattr(_sanitize(text))


def _sanitize(text: str) -> str:
    """Replace characters that XML cannot contain, before `visible` would write them as numbers: a reader may rely on that."""
    return escape_invisible(_NOT_XML.sub("\ufffd", text))
