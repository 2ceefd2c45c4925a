# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The document counts every container, and lists those that a change affects."""

from __future__ import annotations

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.documents import LISTED_ANSWERS
from support.supposed import changes_of, document_about
from support.surveyed import account, deployment, place, pod, secret, survey

SNAPSHOT = survey(
    place(secrets=[secret("s")], accounts=[account("s")], pods=[pod("s")], workloads=[deployment()]),
    place("b", secrets=[secret("s")], accounts=[account("s")], pods=[pod("s", image="r.io/x:1")]),
)
LOST = {"unreachable_registries": ["q.io"]}


@pytest.mark.parametrize(
    "change",
    [
        {"remove_secrets": {"name": "mistyped"}},
        {"remove_links": {"secrets": ["mistyped"]}},
        {"remove_credential": {"registry": "q.io", "username": "mistyped"}},
        {"unreachable_registries": ["elsewhere.example.com"]},
    ],
)
def test_pulls_that_no_change_affects_are_only_counted(change) -> None:
    """One of them is not known, before the change as well."""
    document = document_about(SNAPSHOT, change)
    assert document["counts"] == {**dict.fromkeys(LISTED_ANSWERS, 0), "not_affected": 3}
    assert (document["containers"], document["not_asked"]) == ([], 0)
    assert set(map(str, document["summary"].values())) == {"[]"}


def test_other_namespaces_do_not_change_the_answer_for_one() -> None:
    """Their images may be public, so they are not known."""
    change = {"remove_secrets": {"name": "s", "namespaces": ["a"]}}
    others = [place(f"n{number}", workloads=[deployment()], accounts=[account()]) for number in range(60)]
    alone, among = (
        document_about(survey(*(SNAPSHOT.places[name] for name in "ab"), *more), change) for more in ((), others)
    )
    assert among["containers"] == alone["containers"]
    assert [each["name"] for each in among["summary"]["namespaces"]] == ["a"]
    assert among["counts"] == {**alone["counts"], "not_affected": alone["counts"]["not_affected"] + 60}


def test_an_answer_that_registries_may_decide_is_counted() -> None:
    """A registry is not asked for a short name."""
    short = place("c", secrets=[secret("s")], accounts=[account("s")], workloads=[deployment(image="app:v1")])
    found = document_about(survey(*SNAPSHOT.places.values(), short), {"remove_links": {"secrets": ["s"]}})
    assert [(row["namespace"], row["answer"], row["not_asked"]) for row in found["containers"]] == [
        ("a", "unknown", True),
        ("c", "unknown", False),
    ]
    assert found["not_asked"] == 1


def test_groups_begin_with_the_worst() -> None:
    document = document_about(SNAPSHOT, LOST, {"unreachable_registries": ["elsewhere.example.com"]})
    assert [row["namespace"] for row in document["containers"]] == ["a", "a"]
    assert [each["name"] for each in document["summary"]["namespaces"]] == ["a"]
    assert document["summary"]["registries"][0] == {
        "name": "q.io",
        "would_break": 2,
        "unknown": 0,
        "still_broken": 0,
        "would_work": 0,
        "still_pulls": 0,
        "not_affected": 0,
    }
    assert [each["name"] for each in document["summary"]["changes"]] == ["the nodes do not reach q.io"]
    assert document["images_to_mirror"]["images"] == ["q.io/team/app:v1"]


def test_each_change_states_the_facts_that_no_object_shows() -> None:
    (change,) = document_about(SNAPSHOT, LOST)["changes"]
    assert change["kind"] == "unreachable_registries"
    assert len([fact for fact in change["cannot_know"] if fact.endswith(", unless the registries are asked")]) == 2
    (each,) = changes_of(LOST)
    asked = each.list_unknown(asks=True)
    assert len([fact for fact in asked if fact.endswith(", if the registry did not answer")]) == 2
    assert not [fact for fact in asked if "ask_registries" in fact]
