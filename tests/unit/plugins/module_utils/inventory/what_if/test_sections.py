# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An access review is shown without any text of a user as markup, and no namespace hides the rows of others."""

from __future__ import annotations

from typing import Any

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.access import AccessReview
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.outputs import (
    CONTAINER,
    as_junit,
    as_markdown,
    lines_of,
    sections_of,
)
from support.junit import check
from support.what_ifs import ANSWERS, change, container, document

ROW: dict[str, Any] = {
    "how": "login",
    "namespace": "a",
    "kind": "ServiceAccount",
    "name": "default",
    "registry": "quay.io",
    "repository": "",
    "username": "robot",
    "project": "",
    "through": ["pull"],
    "workloads": [],
    "changes": [0],
    "entries": [],
}


def review(*lost: dict[str, Any], **parts: Any) -> dict[str, Any]:
    return {**AccessReview().report(), "lost": [{**ROW, **each} for each in lost], **parts}


def answer(access: dict[str, Any]) -> dict[str, Any]:
    return document(changes=[change(cannot_know=[])], access=access)


def access_lines(access: dict[str, Any]) -> list[str]:
    """Return the lines after the summary."""
    lines = lines_of(answer(access))
    return lines[lines.index("") + 1 :] if "" in lines else []


def access_section(access: dict[str, Any]) -> list[str]:
    """Return the section of the Markdown, which is the last one."""
    lines = as_markdown(answer(access)).split("\n")[:-1]
    return lines[lines.index("### Access review") - 1 :] if "### Access review" in lines else []


def test_a_section_has_some_lines_of_each_namespace_and_counts_the_other_rows() -> None:
    rows = [container(namespace=name) for name in ("a", "b", "b", "c")]
    section = sections_of(document(*rows))["would_break"]
    assert (section.title, section.noun) == ("4 containers would no longer get their image", CONTAINER)
    for most, places, more in ((4, ["a", "b", "b", "c"], 0), (3, ["a", "b", "c"], 1), (1, ["a"], 3)):
        lines, omitted = section.select(most)
        assert ([place for place, _texts in lines], omitted) == (places, more)


def test_an_answer_has_only_sections_with_lines() -> None:
    assert [*sections_of(document(*map(container, ANSWERS)))] == [
        "would_break",
        "unknown",
        "still_broken",
        "would_work",
        "fix",
        "facts",
    ]
    assert sections_of(answer(review())) == {}


def test_nothing_is_said_without_a_change() -> None:
    assert access_lines(review()) == []


def test_each_row_has_its_holder_its_access_and_its_reasons() -> None:
    grant = {"project": "images", "kind": "ServiceAccount", "namespace": "b", "through": ["puller"]}
    lines = access_lines(
        review({"repository": "team", "workloads": ["Deployment web"], "entries": ["secrets[0] (pull)"]}, grant)
    )
    assert lines == [
        "Lost access:",
        "  a: ServiceAccount default: quay.io/team as robot, by pull, used by Deployment web [secrets[0] (pull)]",
        "  images: ServiceAccount b/default: image streams of project images, by puller",
    ]


def test_doubts_and_entries_that_fail_are_shown() -> None:
    unplanned = [{"namespace": "a", "entry": "", "reason": "gone"}]
    assert access_lines(review(unknown=["it is not known"], unplanned=unplanned)) == [
        "Not applied:",
        "  - a: all entries: gone",
        "Not known:",
        "  - it is not known",
    ]


def test_a_namespace_with_many_rows_does_not_hide_others() -> None:
    rows = [{"name": f"robot-{number}"} for number in range(500)]
    lines = access_lines(review(*rows, {"namespace": "b"}))
    assert lines[-2:] == [
        "  b: ServiceAccount default: quay.io as robot, by pull",
        "  and 451 more, in the field what_if.access.lost",
    ]
    assert len(lines) == 52


def test_equal_rows_of_many_namespaces_are_one_line() -> None:
    rows = [
        {
            "namespace": f"n{number:03}",
            "username": user,
            "workloads": ["Deployment web"],
            "entries": [f"secrets[{user}]"],
        }
        for number in range(384)
        for user in ("robot", "other")
    ]
    lines = access_lines(review(*rows, {"namespace": "b"}))
    assert lines == [
        "Lost access:",
        "  b, n000, n001 and 382 more: ServiceAccount default: quay.io as robot, by pull, used by 384 workloads [secrets[robot]]",
        "  n000, n001, n002 and 381 more: ServiceAccount default: quay.io as other, by pull, used by 384 workloads [secrets[other]]",
    ]
    table = [line for line in access_section(review(*rows)) if line.startswith("| `")]
    assert table[0].startswith("| `n000, n001, n002 and 381 more` | `ServiceAccount default` | `quay.io as robot` |")
    assert len(table) == 2


def test_equal_grants_of_many_projects_are_one_line() -> None:
    group = {"namespace": "", "kind": "Group", "name": "x", "through": ["puller"]}
    rows = [{**group, "project": name} for name in ("a", "b", "c", "d")]
    assert access_lines(review(*rows)) == [
        "Lost access:",
        "  a, b, c and 1 more: Group x: image streams of each project, by puller",
    ]


def test_markdown_shows_texts_of_users_only_as_code() -> None:
    hostile = "x`|<img src=x>| @admin [l](http://e) #1\nline"
    lines = access_section(review({"username": hostile, "through": [hostile]}))
    (row,) = [line for line in lines if "quay.io" in line]
    cells = row[2:-2].split(" | ")
    assert len(cells) == 6
    assert all(cell == "-" or (cell[0] + cell[-1] == "``" and cell.count("`") == 2) for cell in cells)
    assert lines[:4] == ["", "### Access review", "", "0 accesses gained, 1 access lost."]
    assert access_section(review()) == []


def test_a_comment_has_a_limited_number_of_rows_and_notes() -> None:
    rows = [{"namespace": f"n{number:03}", "name": f"robot-{number}"} for number in range(300)]
    lines = access_section(review(*rows, unknown=["x"] * 30))
    assert "and 200 more, in the JSON document" in lines
    assert "- and 20 more" in lines
    assert len(lines) < 130


def test_a_comment_has_rows_and_notes_of_each_namespace() -> None:
    rows = [
        {"namespace": f"n{place:03}", "name": f"robot-{place}-{number}"} for place in range(60) for number in range(10)
    ]
    unplanned = [{"namespace": name, "entry": "", "reason": "gone"} for name in [*["a"] * 30, "b"]]
    lines = access_section(review(*rows, unplanned=unplanned))
    assert sum("`n059`" in line for line in lines) == 1
    assert sum("`n000`" in line for line in lines) == 2
    assert "- `b: all entries: gone`" in lines


def test_each_row_and_doubt_has_a_title() -> None:
    unplanned = [{"namespace": "a", "entry": "secrets[0]", "reason": "gone"}]
    access = review({}, {"project": "images", "kind": "Group"}, unknown=["x"], unplanned=unplanned)
    cases = check(as_junit(answer(access), ("would_break",))).findall("*/testcase")
    server = "https://api.production.example.com:6443"
    assert [(case.get("classname"), case.get("name")) for case in cases] == [
        (f"{server}.a.access", "lost: ServiceAccount default: quay.io as robot, by pull"),
        (f"{server}.images.access", "lost: Group a/default: image streams of project images, by pull"),
        (f"{server}.access", "access review: 1"),
        (f"{server}.access", "access review: 2"),
    ]
    assert [case[0].get("message") for case in cases[2:]] == ["not applied: a: secrets[0]: gone", "not known: x"]
