# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A workload has one answer for each container, from its template and its pods."""

from __future__ import annotations

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import ReadRequired
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.rows import rows_of
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.timing import NodeCaches
from support.supposed import rows_about
from support.surveyed import account, auth, deployment, place, pod, replica_set, secret, survey

LOST = {"unreachable_registries": ["q.io"]}


def rows(*given, pods=(), workloads=(), accounts=None, **more):
    snapshot = survey(
        place(secrets=[secret("s")], accounts=accounts or [account("s")], pods=pods, workloads=workloads, **more)
    )
    return rows_about(snapshot, *given)


def test_the_pods_of_a_workload_belong_to_its_row() -> None:
    found = rows(LOST, pods=[pod("s", made=True, runs=True)], workloads=[deployment(), replica_set()])
    (row,) = found
    assert (str(row.ref), row.location, row.pods, row.answer) == ("deployment a/web", "c", 1, "would_break")
    assert row.moment.when == "on_another_node"


def test_a_pod_keeps_its_own_list() -> None:
    change = {"remove_links": {"secrets": ["s"]}}
    own = rows(change, pods=[pod("s", made=True, runs=True)], workloads=[deployment(), replica_set()])
    assert [(row.answer, row.is_touched) for row in own] == [("unknown", True)]
    assert own[0].deciding.after.verdict == "unknown"
    bare = rows(change, pods=[pod("s")])
    assert [(row.answer, row.is_touched) for row in bare] == [("still_pulls", False)]


def test_a_workload_without_pods_breaks_with_its_next_pod() -> None:
    (row,) = rows(LOST, workloads=[deployment()])
    assert (row.answer, row.pods, row.moment.when) == ("would_break", 0, "at_rollout")


def test_the_earliest_moment_counts() -> None:
    waiting = pod("s", name="waiting", made=True)
    running = pod("s", name="running", made=True, runs=True)
    (row,) = rows(LOST, pods=[running, waiting], workloads=[deployment(), replica_set()])
    assert row.moment.when == "at_once"
    assert row.deciding.subject.ref.name == "waiting"


def test_ended_and_controlled_objects_have_no_row() -> None:
    ended = {**pod("s"), "status": {"phase": "Succeeded"}}
    assert rows(LOST, pods=[ended]) == []
    assert len(rows(LOST, workloads=[deployment(), replica_set()])) == 1


def test_a_report_has_printable_text_and_no_task_for_unusual_names() -> None:
    (row,) = rows(LOST, pods=[pod("s", image="q.io/team/app:v1", name="app")])
    report = row.report()
    assert report["registry"] == "q.io"
    assert report["after"] == {
        "verdict": "will_not_pull",
        "reason": "the nodes do not reach q.io, and no other registry serves q.io/team/app:v1",
        "step": "network",
    }
    assert report["changes"] == [0]
    assert (report["container"], report["volume"], report["kind"]) == ("c", "", "Pod")


def test_unreadable_secrets_stay_unknown() -> None:
    change = {"remove_links": {"secrets": ["other"]}}
    found = rows(change, pods=[pod("s")], unread={"secrets": "the caller may not list them"})
    assert [row.answer for row in found] == ["unknown"]


def test_an_unknown_pod_is_not_hidden_by_a_template_that_pulls() -> None:
    pods = [pod("s", name="known", made=True), pod("hidden", name="unknown", made=True)]
    snapshot = survey(
        place(
            secrets=[secret("s"), secret("hidden", {"r.io": auth()})],
            accounts=[account("s")],
            pods=pods,
            workloads=[deployment(), replica_set()],
        )
    )
    (row,) = rows_about(snapshot, {"remove_secrets": {"name": "other"}})
    assert row.answer == "unknown"
    assert row.deciding.subject.ref.name == "unknown"


def test_the_objects_for_all_containers_are_requested_together() -> None:
    asked = []

    def compare(subject):
        asked.append((subject.ref.name, subject.location))
        raise ReadRequired

    two = pod("s", name="two")
    two["spec"]["containers"] = [{**two["spec"]["containers"][0], "name": name} for name in ("c", "d")]
    with pytest.raises(ReadRequired):
        rows_of(place(pods=[two, pod("s", name="one")]), compare, NodeCaches({}))
    assert asked == [("two", "c"), ("two", "d"), ("one", "c")]
