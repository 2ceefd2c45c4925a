# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each container is a case, which fails, is skipped or passes by its answer."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.outputs import as_junit
from support.junit import check
from support.what_ifs import ACCESS, ANSWERS, change, container, document, hostile


def made(found: dict[str, Any], *failing: str) -> ElementTree.Element:
    return check(as_junit(found, failing or ("would_break",)))


def results(root: ElementTree.Element) -> list[str]:
    return [case[0].tag if len(case) else "passed" for case in root.findall("*/testcase")]


def test_a_break_fails_and_an_unknown_answer_is_skipped() -> None:
    found = document(*map(container, ANSWERS))
    assert results(made(found)) == ["failure", "skipped", "passed", "passed", "passed"]
    assert results(made(found, "would_break", "unknown")) == ["failure", "failure", "passed", "passed", "passed"]


def test_a_failure_has_the_reason_the_moment_the_cause_and_the_work() -> None:
    found = document(container(changes=[1]), changes=[change("one"), change("two")])
    root = made(found)
    (suite,) = root
    assert suite.get("name") == suite.get("hostname") == "https://api.production.example.com:6443"
    (case,) = suite.findall("testcase")
    assert (case.get("name"), case.get("classname")) == (
        "Deployment web, container app",
        "https://api.production.example.com:6443.shop",
    )
    failure = case[0]
    assert failure.get("type") == "would break"
    assert failure.get("message") == found["containers"][0]["after"]["reason"]
    assert (failure.text or "").splitlines() == [
        "image: quay.io/team/app:1",
        "before: pulls: secret pull has the key quay.io, and the registry accepts the login",
        f"after: cannot pull: {failure.get('message')}",
        "breaks: when the next pod is created: the next pod that is created does not get the image",
        "change: two",
        "to do: Link a pull secret to a service account",
    ]


def test_passed_cases_that_need_attention_are_in_the_output() -> None:
    found = document(*map(container, ANSWERS), unreadable=["nodes could not be listed"])
    root = made(found)
    output = (root[0].findtext("system-out") or "").splitlines()
    assert output[:2] == ["1 of 5 containers would no longer get its image.", "change 1: secret pull is deleted"]
    assert [line.partition(":")[0] for line in output[2:]] == ["still broken", "would work"]
    assert results(root)[-1] == "skipped"
    assert root.findall("*/testcase")[-1][0].get("message") == "nodes could not be listed"


def test_a_change_without_an_effect_is_in_the_output() -> None:
    output = made(document(changes=[change("one", no_effect="check its names: one")]))[0].findtext("system-out") or ""
    assert output.splitlines()[2] == "Change 1 affects nothing that was read: check its names: one."


def test_a_forecast_is_a_case_that_fails_if_unknown_answers_do() -> None:
    found = document(container("still_pulls"), forecasts=["a rule: more"])
    assert results(made(found)) == ["passed", "skipped"]
    root = made(found, "would_break", "unknown")
    assert results(root) == ["passed", "failure"]
    case = root.findall("*/testcase")[-1]
    assert (case.get("name"), case[0].get("message")) == ("forecast: 1", "a rule: more")


@pytest.mark.parametrize("text", ["</testcase><b/>", "\x00\x1b[31m", "\ud800", "]]>", "\u202e"])
def test_a_hostile_text_stays_text(text: str) -> None:
    assert results(made(hostile(text)))[:5] == ["failure", "skipped", "passed", "passed", "passed"]


def test_gains_and_losses_are_cases_that_pass_and_doubts_are_skipped() -> None:
    access = {"gained": [ACCESS], "lost": [], "unknown": ["it is not known"], "unplanned": []}
    cases = made(document(access=access)).findall("*/testcase")
    assert [(case.get("name"), len(case)) for case in cases] == [
        ("gained: ServiceAccount default: quay.io as robot, by pull", 0),
        ("access review: 1", 1),
    ]


def test_containers_that_are_not_affected_are_one_case() -> None:
    cases = made(document(container("still_pulls"), others=70)).findall("*/testcase")
    assert [case.get("name") for case in cases] == ["Deployment web, container app", "70 containers are not affected"]


def test_an_answer_that_registries_may_decide_fails_if_a_break_does() -> None:
    rows = [container("unknown", not_asked=True), container("unknown")]
    root = made(document(*rows), "would_break", "not_asked")
    assert results(root) == ["failure", "skipped"]
    assert "Registries were not asked" in (root.findtext("*/system-out") or "")
    assert results(made(document(*rows), "would_break")) == ["skipped", "skipped"]


def test_everything_without_an_answer_fails_if_unknown_does() -> None:
    unplanned = [{"namespace": "a", "entry": "", "reason": "gone"}]
    access = {"gained": [], "lost": [], "unknown": ["it is not known"], "unplanned": unplanned}
    unread = {"unreadable": ["no nodes", "no catalogs"], "unread_images": ["no catalogs"]}
    found = document(access=access, unread_workloads=["shop"], **unread)
    assert results(made(found)) == ["failure", "skipped", "skipped", "skipped"]
    root = made(found, "would_break", "unknown")
    assert results(root) == ["failure", "failure", "skipped", "failure", "failure"]
    case = root.findall("*/testcase")[-1]
    assert case.get("classname") == "https://api.production.example.com:6443.shop"
    assert case[0].get("message") == "the pods or workloads could not be read, so containers can be missing"


def test_a_comparison_without_a_cluster_has_a_file_as_well() -> None:
    access = {"gained": [ACCESS], "lost": [], "unknown": [], "unplanned": []}
    (case,) = made(document(server="", access=access)).findall("*/testcase")
    assert case.get("classname") == "without a cluster.a.access"
