# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page's template gets the name, the counts and the first breaks of each answer."""

from __future__ import annotations

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_report.page import (
    count_answers,
    name_answers,
    questions_of,
)
from support import audits
from support.what_ifs import ACCESS, ANSWERS, change, container, document


def test_counts_are_added() -> None:
    both = [document(*map(container, ANSWERS)), document(container(), others=4)]
    assert count_answers(both) == {
        "would_break": 2,
        "unknown": 1,
        "still_broken": 1,
        "would_work": 1,
        "still_pulls": 1,
        "not_affected": 4,
    }


def test_an_answer_has_the_name_of_its_cluster_or_its_server() -> None:
    other = document(server="https://other:6443")
    assert [each["name"] for each in name_answers([document(), other], [audits.cluster("production")])] == [
        "production",
        "https://other:6443",
    ]
    assert [each["name"] for each in name_answers([document(server="")], [])] == ["without a cluster"]


def test_the_first_breaks_are_examples() -> None:
    rows = [container(name=f"web-{number}", changes=[1]) for number in range(4)]
    changes = [change("one"), change("two")]
    (found,) = questions_of([document(container("unknown"), *rows, changes=changes)], 3)
    assert found["headline"] == "4 of 5 containers would no longer get their image."
    assert [example["name"] for example in found["examples"]] == [
        f"Deployment web-{number}, container app" for number in range(3)
    ]
    assert {example["cause"] for example in found["examples"]} == {"two"}
    assert found["broken"] == 4
    assert found["counts"][0] == ("would break", 4)
    assert found["facts"] == ["which pods will be created again"]


def test_the_first_breaks_are_those_of_each_namespace() -> None:
    rows = [container(name=f"web-{number}") for number in range(4)]
    (found,) = questions_of([document(*rows, container(namespace="b"))], 2)
    assert [example["row"]["namespace"] for example in found["examples"]] == ["shop", "b"]


def test_the_access_review_has_its_numbers_and_the_first_rows_of_each_namespace() -> None:
    gained = [{**ACCESS, "name": f"robot-{number}"} for number in range(4)]
    lost = [{**ACCESS, "namespace": "b", "how": "grant", "project": "images"}]
    unplanned = [{"namespace": "d", "entry": "", "reason": "gone"}]
    access = {"gained": gained, "lost": lost, "unknown": ["it is not known"], "unplanned": unplanned}
    (found,) = questions_of([document(access=access)], 2)
    assert found["access"] == {
        "gained": 4,
        "lost": 1,
        "examples": [
            {"effect": "gained", "place": "a", "holder": "ServiceAccount robot-0", "target": "quay.io as robot"},
            {
                "effect": "lost",
                "place": "images",
                "holder": "ServiceAccount b/default",
                "target": "image streams of project images",
            },
        ],
        "more": 3,
        "unplanned": ["d: all entries: gone"],
        "unknown": ["it is not known"],
    }
