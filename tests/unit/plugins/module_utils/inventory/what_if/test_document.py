# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The document counts every container, and lists those that a change touches or that do not pull."""

from __future__ import annotations

from support.supposed import document_about
from support.surveyed import account, deployment, place, pod, secret, survey

SNAPSHOT = survey(
    place(secrets=[secret("s")], accounts=[account("s")], pods=[pod("s")], workloads=[deployment()]),
    place("b", secrets=[secret("s")], accounts=[account("s")], pods=[pod("s", image="r.io/x:1")]),
)
LOST = {"unreachable_registries": ["q.io"]}


def test_untouched_pulls_are_only_counted() -> None:
    document = document_about(SNAPSHOT, {"remove_secrets": {"name": "other"}})
    assert document["counts"]["still_pulls"] == 2
    assert document["touched"] == 0
    assert [row["answer"] for row in document["containers"]] == ["unknown"]


def test_groups_begin_with_the_worst() -> None:
    document = document_about(SNAPSHOT, LOST, {"unreachable_registries": ["elsewhere.example.com"]})
    assert [row["namespace"] for row in document["containers"]] == ["a", "a", "b"]
    assert [each["name"] for each in document["summary"]["namespaces"]] == ["a", "b"]
    assert document["summary"]["registries"][0] == {
        "name": "q.io",
        "would_break": 2,
        "unknown": 0,
        "still_broken": 0,
        "would_work": 0,
        "still_pulls": 0,
    }
    assert [each["name"] for each in document["summary"]["changes"]] == ["the nodes do not reach q.io"]
    assert document["images_to_mirror"]["images"] == ["q.io/team/app:v1"]


def test_each_change_states_the_facts_that_no_object_shows() -> None:
    (change,) = document_about(SNAPSHOT, LOST)["changes"]
    assert change["kind"] == "unreachable_registries"
    assert change["cannot_know"]
