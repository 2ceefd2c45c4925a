# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as JUnit XML follows the common schema of Ant's JUnit task."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_report.documents import as_junit
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_report.merge import merge_documents
from hypothesis import given
from hypothesis import strategies as st
from support import audits
from support.junit import check

BOTH = ("error", "warning")


def made(*clusters: Any, severities: Any = BOTH, **more: Any) -> ElementTree.Element:
    return check(as_junit(merge_documents({"a": audits.document(*clusters)}), severities, "A title", **more))


def test_each_cluster_is_a_suite_and_each_rule_in_a_namespace_a_case() -> None:
    found = [
        audits.finding(namespace=place, name=name) for place, name in (("a", "x"), ("a", "y"), ("b", "x"), ("", "z"))
    ]
    root = made(audits.cluster("prod", findings=found), audits.cluster("stage"))
    assert [suite.get("name") for suite in root] == ["prod", "stage"]
    title = audits.RULES["secret-type-dead"]["title"]
    failed = {case.get("name"): case.find("failure") for case in root[0].findall("testcase") if len(case)}
    assert list(failed) == [f"the cluster: {title}", f"a: {title}", f"b: {title}"]
    failure = failed[f"a: {title}"]
    assert failure is not None
    assert failure.get("message") == "secret a/x has type Opaque, which no node reads (and 1 more)"
    assert (failure.text or "").splitlines() == [
        "error: a/Secret/x: secret a/x has type Opaque, which no node reads",
        "error: a/Secret/y: secret a/y has type Opaque, which no node reads",
    ]
    passed = [case.get("classname") for case in root[1].findall("testcase")]
    assert passed == [f"stage.{rule}" for rule in sorted(audits.RULES)]


@pytest.mark.parametrize(
    ("severities", "failures"), [((), 0), (("error",), 1), (BOTH, 2), (("error", "warning", "info"), 3)]
)
def test_the_given_severities_fail(severities: Any, failures: int) -> None:
    found = [audits.finding(rule) for rule in ("secret-type-dead", "link-dangling", "secret-unused")]
    root = made(audits.cluster(findings=found), severities=severities)
    assert root.get("failures") == str(failures)
    assert len((root[0].findtext("system-out") or "").splitlines()) == 3 - failures


def test_old_findings_do_not_fail_with_only_new() -> None:
    document = audits.document(
        audits.cluster(
            findings=[{**audits.finding(name="a"), "new": False}, {**audits.finding(name="b"), "new": True}],
            made=audits.MADE,
        )
    )
    root = check(as_junit(document, BOTH, "t", only_new=True))
    assert root.get("failures") == "1"
    assert (root.findtext(".//failure") or "").startswith("error, new: project-a/Secret/b: ")


def test_unreadable_objects_are_skipped_not_passed() -> None:
    root = made(audits.cluster(unreadable=["secrets: forbidden"]))
    (case,) = (case for case in root[0].findall("testcase") if case.find("skipped") is not None)
    skipped = case.find("skipped")
    assert skipped is not None
    assert skipped.get("message") == "secrets: forbidden"


def test_findings_over_several_clusters_are_a_suite() -> None:
    rows = [audits.login("a/s"), audits.login("b/s", password="c")]
    root = made(audits.cluster("a", logins=rows), audits.cluster("b", logins=rows))
    assert [suite.get("name") for suite in root] == ["all clusters", "a", "b"]
    assert root[0].get("failures") == "1"


def test_a_cluster_without_an_audit_is_an_error() -> None:
    document = merge_documents({"a": audits.document()}, missing=[{"name": "edge", "error": "login refused"}])
    root = check(as_junit(document, BOTH, "t"))
    assert [(suite.get("name"), suite.get("errors")) for suite in root] == [("production", "0"), ("edge", "1")]
    error = root.find(".//error")
    assert error is not None
    assert error.get("message") == "login refused"


HOSTILE = '\x00\x1b[31m]]>&lt;<a b="\'"/>\u202e\ufffe\U0001f600\x85\x7f\n\t'


@given(st.text(max_size=30))
def test_any_text_is_valid_xml(text: str) -> None:
    text = HOSTILE + re.sub("[\ud800-\udfff]", "", text)
    found = [audits.finding(namespace=text, name=text, location=text, message=text, kind=text)]
    root = made(audits.cluster(text or "x", server=text, findings=found, unreadable=[text]))
    assert "\U0001f600" in (root.findtext(".//failure") or "")
    assert not {"\u202e", "\x85", "\x7f"} & {*"".join(root.itertext())}
