# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The static page is complete and safe before its program runs. For the rest, tests/report uses Chromium."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from typing import Any

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_report.merge import (
    compare_documents,
    merge_documents,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_report.page import as_page
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.report_page import page_renderer
from support import audits

VOID = {"meta", "rect", "input", "br"}


class Page(HTMLParser):
    """Collect the text and the attributes of each element, and check that all elements are closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.content: dict[str, list[str]] = {}
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.content.setdefault(self.open[-1] if self.open else "", []).append(data)
        if not {"script", "style"} & {*self.open}:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


def page(document: dict[str, Any], title: str = "Pull access") -> tuple[Page, str]:
    text = as_page(document, title, page_renderer())
    return Page(text), text


def report(*clusters: Any) -> dict[str, Any]:
    return merge_documents({"a": audits.document(*clusters)})


FLEET = report(audits.lived_in("production"), audits.lived_in("staging"))


def test_the_policy_lets_nothing_else_run() -> None:
    made, text = page(FLEET)
    (policy,) = (
        attributes["content"] or ""
        for tag, attributes in made.found
        if attributes.get("http-equiv") == "Content-Security-Policy"
    )
    style = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    scripts = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    assert (len(style), len(scripts)) == (1, 1)

    def digest(content: str) -> str:
        return base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()

    assert policy == (
        f"default-src 'none'; style-src 'sha256-{digest(style[0])}'; script-src 'sha256-{digest(scripts[0])}'; "
        "base-uri 'none'; form-action 'none'"
    )


def test_the_page_needs_nothing_from_elsewhere() -> None:
    made, text = page(FLEET)
    assert {tag for tag, _attributes in made.found} & {"link", "img", "iframe", "object", "embed", "base"} == set()
    names = {name for _tag, attributes in made.found for name in attributes}
    assert names & {"src", "srcset", "style", "action", "background"} == set()
    assert not [name for name in names if name.startswith("on")]
    assert all((attributes.get("href") or "#").startswith("#") for _tag, attributes in made.found)
    assert "url(" not in text and "@import" not in text


def test_inserted_text_is_not_a_template() -> None:
    made, _text = page(report(audits.cluster("{{ data }}{% for %}{#")), "{{ program }}")
    assert "{{ data }}{% for %}{#" in made.text
    assert made.content["h1"] == made.content["title"] == ["{{ program }}"]


def test_the_summary_shows_counts_and_rules() -> None:
    text = page(FLEET)[0].text
    errors = [
        finding for cluster in FLEET["clusters"] for finding in cluster["findings"] if finding["severity"] == "error"
    ]
    assert f"{len(errors)} errors, " in text
    assert "Audited 2026-11-25 17:10 UTC 2 clusters forecast for 4.21" in text
    verdicts = [cluster["verdicts"] for cluster in FLEET["clusters"]]
    containers = sum(sum(each.values()) for each in verdicts)
    failing = sum(each["will_not_pull"] for each in verdicts)
    assert f"{failing} of {containers} containers cannot pull their image." in text
    for rule in {finding["rule"] for cluster in FLEET["clusters"] for finding in cluster["findings"]}:
        assert audits.RULES[rule]["title"] in text
        assert audits.RULES[rule]["meaning"] in text
        assert audits.RULES[rule]["fix"] in text


def test_a_report_without_findings_has_its_own_text() -> None:
    text = page(report(audits.cluster(verdicts={"pulls": 0, "untested": 3, "will_not_pull": 0, "unknown": 0})))[0].text
    assert "No finding. No container is known to fail: 3 with a login (not tested)." in text
    assert "Nothing was found." in text
    one = page(report(audits.cluster(verdicts={"pulls": 0, "untested": 0, "will_not_pull": 1, "unknown": 0})))[0].text
    assert "No finding. 1 of 1 container cannot pull their image." in one
    assert "Everything that the audit needed could be read." in text
    text = page(report(audits.cluster(verdicts={"pulls": 0, "untested": 0, "will_not_pull": 0, "unknown": 0})))[0].text
    assert "container is known" not in text


def test_the_first_findings_are_shown_with_their_fix() -> None:
    found = [audits.finding(name=f"pull-{number}") for number in range(7)]
    text = page(report(audits.cluster(findings=found)))[0].text
    assert text.count("has type Opaque") == 5
    assert text.count("openshift_ops.image_pull.pull_secret:") == 5
    assert "and 2 more" in text


def test_findings_of_one_cause_are_shown_once_with_their_objects() -> None:
    """The largest group comes first. A cause can be in several clusters."""
    found = [
        audits.finding(name="other"),
        *(audits.finding(namespace=f"project-{number:04}") for number in range(3000)),
    ]
    text = page(report(audits.cluster("a", findings=found), audits.cluster("b", findings=found[:2])))[0].text
    assert text.count("has type Opaque") == 2
    first = text.index("secret project-0000/pull has type Opaque")
    assert first < text.index("secret project-a/other has type Opaque")
    assert "Also: a Secret project-0001/pull a Secret project-0002/pull" in text
    assert "a Secret project-0010/pull and 2,990 more" in text
    assert "Also: b Secret project-a/other" in text


def test_names_in_a_group_are_not_markup() -> None:
    hostile = [audits.finding(namespace=f"<b>{number}</b>\u202e", name="<script>") for number in range(3)]
    made, text = page(report(audits.cluster(findings=hostile)))
    assert "Secret <b>2</b>⟨U+202E⟩/<script>" in made.text
    assert "<b>2" not in text


def test_clusters_are_shown_with_the_worst_first() -> None:
    clusters = [
        audits.cluster(name, findings=[audits.finding(rule)])
        for name, rule in (("a", "secret-unused"), ("b", "secret-type-dead"))
    ]
    text = page(report(*clusters))[1]
    assert text.index('data-cluster="1"') < text.index('data-cluster="0"')


def test_new_and_gone_findings_are_counted() -> None:
    before = report(audits.cluster("a", findings=[audits.finding(name="old")]))
    now = report(audits.cluster("a", findings=[audits.finding(name="new")]), audits.cluster("b"))
    made, _text = page(compare_documents(now, before))
    assert "1 new, 1 gone" in made.text
    assert "not compared" in made.text
    assert ("body", {"class": "compared"}) in made.found
    assert ("body", {"class": "single"}) in page(before)[0].found


def test_old_audits_are_reported() -> None:
    documents = {
        "a": audits.document(audits.cluster("a")),
        "b": audits.document(audits.cluster("b"), made="2026-11-01T00:00:00Z"),
    }
    assert "Audited between 2026-11-01 00:00 UTC and 2026-11-25 17:10 UTC" in page(merge_documents(documents))[0].text


def test_clusters_without_an_audit_are_reported_at_the_head() -> None:
    missing = [{"name": "edge", "error": "login <refused>"}]
    assert (
        "1 cluster is missing: its audit failed. edge : login <refused>"
        in page(merge_documents({"a": audits.document()}, missing=missing))[0].text
    )
    assert (
        "2 clusters are missing: their audits failed."
        in page(merge_documents({"a": audits.document()}, missing=missing * 2))[0].text
    )
    text = page(merge_documents({"a": audits.document()}, missing=missing * 7))[0].text
    assert (text.count("login <refused>"), "and 2 more" in text) == (7, True)
    assert "missing:" not in page(report(audits.cluster()))[0].text


def test_unreadable_objects_are_shown() -> None:
    assert "secrets: forbidden" in page(report(audits.cluster(unreadable=["secrets: forbidden"])))[0].text


HOSTILE = "<script>alert(1)</script>\"'></style><!--&\u202e\u0000]]>"


def test_hostile_text_is_shown_as_text() -> None:
    """With hostile texts everywhere, the page has the same elements as with harmless ones."""

    def hostile(value: Any, text: str) -> Any:
        if isinstance(value, dict):
            return {name: part if name in KEPT else hostile(part, text) for name, part in value.items()}
        if isinstance(value, list):
            return [hostile(part, text) for part in value]
        return text if isinstance(value, str) else value

    def elements(text: str) -> list[tuple[str, list[str]]]:
        source = audits.document(
            hostile(audits.cluster(findings=[audits.finding()], unreadable=["a"], version="1"), text)
        )
        source["rules"] = {text: {**hostile(audits.RULES["secret-type-dead"], text), "severity": "error"}}
        made, written = page(merge_documents({"a": source}), text)
        assert "<script>alert" not in written
        assert "\u202e" not in written
        return [(tag, sorted(attributes)) for tag, attributes in made.found]

    assert elements(HOSTILE) == elements("harmless")


KEPT = {"id", "severity", "made"}


def test_the_data_is_json() -> None:
    text = page(FLEET)[1]
    (data,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert len(json.loads(data)["clusters"]) == 2
