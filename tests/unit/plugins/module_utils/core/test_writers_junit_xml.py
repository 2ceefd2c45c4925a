# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JUnit XML is well-formed for every text, has correct counts, and numbers its suites."""

from __future__ import annotations

from xml.etree import ElementTree

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.writers import (
    add_element,
    as_xml,
    make_case,
    make_suite,
)
from hypothesis import given
from hypothesis import strategies as st
from support.junit import check

MADE = "2026-11-25T17:10:00Z"


def test_counts_include_each_kind_of_result() -> None:
    cases = [make_case(name, "a") for name in ("passed", "failed", "skipped")]
    add_element(cases[1], "failure", "text", type="a", message="b")
    add_element(cases[2], "skipped", message="c")
    root = check(as_xml("title", [make_suite("one", "", MADE, cases, "output"), make_suite("two", "x", MADE, [], "")]))
    assert (root.get("tests"), root.get("failures"), root.get("skipped"), root.get("errors")) == ("3", "1", "1", "0")
    assert [suite.get("hostname") for suite in root] == ["localhost", "x"]
    assert root[0].findtext("system-out") == "output"


@given(st.text(st.characters(codec=None)))
def test_any_text_is_valid_xml_and_does_not_add_elements(text: str) -> None:
    case = make_case(text, text)
    add_element(case, "failure", text, type="a", message=text)
    root = check(as_xml(text, [make_suite(text, text, MADE, [case], text)]))
    assert len(root) == 1
    assert len(root.findall("*/testcase")) == 1


def test_a_text_that_looks_like_an_element_stays_text() -> None:
    case = make_case("</testcase><a/>", "a")
    text = as_xml("t", [make_suite("s", "", MADE, [case], "]]></system-out><b/>")])
    assert {each.tag for each in ElementTree.fromstring(text).iter()} == {
        "testsuites", "testsuite", "properties", "testcase", "system-out", "system-err",
    }  # fmt: skip


def test_invisible_characters_are_named() -> None:
    root = check(as_xml("t", [make_suite("a\u202eb", "", MADE, [], "")]))
    assert root[0].get("name") == "a⟨U+202E⟩b"
