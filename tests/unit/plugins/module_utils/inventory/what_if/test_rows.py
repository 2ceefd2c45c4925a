# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A workload has one answer for each container, from its template and its pods."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain import fixes
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import (
    ReadRequired,
    UnreadableObject,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.subjects import WORKLOADS
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.registry_sources import MIRROR_KINDS
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.rows import rows_of
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.timing import NodeCaches
from support.supposed import rows_about
from support.supposed_worlds import rows_with_answers
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
    assert [row.answer for row in own] == ["unknown"]
    assert own[0].deciding.after.verdict == "unknown"
    bare = rows(change, pods=[pod("s")])
    assert [row.answer for row in bare] == ["not_affected"]


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


class TestNewNodes:
    """The nodes of running containers have the image, and new nodes do not."""

    CHANGE: ClassVar = {"new_nodes": True}

    def answers(self, *pods, changes=(CHANGE,), **more):
        found = rows(*changes, pods=pods, **more)
        return [
            (row.answer, row.deciding.before.verdict, row.deciding.causes, row.moment and row.moment.when)
            for row in found
        ]

    def test_a_container_that_runs_only_because_its_node_has_the_image_breaks(self) -> None:
        secrets = [secret("bad", {"r.io": {"auth": "?"}})]
        (row,) = rows_about(survey(place(secrets=secrets, pods=[pod("bad", runs=True)])), self.CHANGE)
        assert row.answer == "would_break"
        report = row.report()
        assert report["before"] == {"verdict": "pulls", "tested": True, "reason": "the container has its image"}
        assert (report["changes"], report["when"], report["after"]["step"]) == ([0], "at_once", "secret")
        (row,) = rows_about(survey(place(secrets=secrets, pods=[pod("bad")])), self.CHANGE)
        assert (row.answer, row.deciding.causes) == ("still_broken", ())

    def test_the_other_change_causes_a_break_without_the_new_nodes(self) -> None:
        assert self.answers(pod("s", runs=True), changes=[self.CHANGE, LOST]) == [
            ("would_break", "pulls", (1,), "at_once")
        ]

    def test_a_container_that_pulls_anywhere_still_pulls(self) -> None:
        assert self.answers(pod("s", runs=True)) == [("still_pulls", "pulls", (), None)]

    @pytest.mark.parametrize(("runs", "before"), [(True, "pulls"), (False, "unknown")])
    def test_an_image_that_is_never_pulled_is_missing_on_new_nodes(self, runs, before) -> None:
        one = pod("s", runs=runs, policy="Never")
        assert self.answers(one) == [("would_break", before, (0,), "at_once")]
        assert self.answers(one, changes=[LOST]) == [("not_affected", before, (), None)]
        (row,) = rows(self.CHANGE, pods=[one])
        assert (row.failing_step, "a new node does not have the image" in row.deciding.after.reason) == ("cached", True)


def test_a_report_has_printable_text_and_no_task_for_unusual_names() -> None:
    (row,) = rows(LOST, pods=[pod("s", image="q.io/team/app:v1", name="app")])
    report = row.report()
    assert report["registry"] == "q.io"
    assert report["after"] == {
        "verdict": "will_not_pull",
        "tested": False,
        "reason": "the nodes do not reach q.io, and no other registry serves q.io/team/app:v1",
        "step": "network",
    }
    assert report["changes"] == [0]
    assert (report["container"], report["volume"], report["kind"]) == ("c", "", "Pod")


def test_unreadable_secrets_stay_unknown() -> None:
    for change, answer in (
        ({"remove_credential": {"registry": "q.io", "username": "user"}}, "unknown"),
        ({"remove_secrets": {"name": "s"}}, "unknown"),
        ({"remove_secrets": {"name": "other"}}, "not_affected"),
    ):
        found = rows(change, pods=[pod("s")], unread={"secrets": "the caller may not list them"})
        assert [row.answer for row in found] == [answer]


@pytest.mark.parametrize(
    ("change", "answer"),
    [
        ({"remove_secrets": {"name": "s"}}, "unknown"),
        ({"remove_secrets": {"name": "mistyped"}}, "not_affected"),
        ({"unreachable_registries": ["elsewhere.example.com"]}, "unknown"),
        ({"delete_objects": {"kind": "ClusterImagePolicy", "names": ["p"]}}, "not_affected"),
    ],
)
def test_an_object_that_cannot_be_read_may_hide_what_a_change_affects(change, answer) -> None:
    """The list of the account can name each secret, and a mirror set each registry."""
    mirrors = ObjectRef(next(iter(MIRROR_KINDS)), "", "")
    here = place(secrets=[secret("s")], workloads=[deployment()], accounts=[account("s")])
    hidden = survey(here, objects={mirrors: UnreadableObject("the caller may not read it")})
    lists = place(secrets=[secret("s")], workloads=[deployment()], unread={"service accounts": "may not list"})
    assert [row.answer for row in rows_about(hidden, change)] == [answer]
    assert [row.answer for row in rows_about(survey(lists), change)] == [answer]


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
    (row,) = rows_about(snapshot, {"new_nodes": True})
    assert row.answer == "unknown"
    assert row.deciding.subject.ref.name == "unknown"


def controlled(obj, uid="uid-of-a-custom-resource"):
    """The object with a controller that is not a workload. Every user of the project can write that."""
    owner = {"kind": "Prometheus", "name": "main", "uid": uid, "controller": True}
    return {**obj, "metadata": {**obj["metadata"], "ownerReferences": [owner]}}


def stateful(name="db", image="q.io/team/app:v1", revision="2"):
    _kind, made = deployment(name=name, image=image)
    return WORKLOADS["statefulset"], {**made, "status": {"updateRevision": revision}}


def pod_of(uid, *own, revision="2", **more):
    found = controlled(pod(*own, **more), uid)
    return {**found, "metadata": {**found["metadata"], "labels": {"controller-revision-hash": revision}}}


UNLINK = {"remove_links": {"secrets": ["s"]}}


def shown(found):
    return [(str(row.ref), row.image, row.answer, row.pods) for row in found]


class TestOwners:
    """An object of another kind has no row, so it never takes the place of a workload."""

    def test_a_workload_of_a_custom_resource_has_a_row(self) -> None:
        kind, made = deployment()
        assert shown(rows(LOST, workloads=[(kind, controlled(made))])) == [
            ("deployment a/web", "q.io/team/app:v1", "would_break", 0)
        ]

    def test_the_next_pod_of_a_workload_of_a_custom_resource_gets_the_list_of_its_account(self) -> None:
        kind, made = stateful()
        (row,) = rows(UNLINK, workloads=[(kind, controlled(made))], pods=[pod_of("uid-of-db", "s", runs=True)])
        assert (str(row.ref), row.answer, row.pods) == ("stateful set a/db", "unknown", 1)

    def test_a_forged_circle_of_owners_hides_nothing(self) -> None:
        (kind, one), (_kind, other) = stateful("one"), stateful("two")
        circle = [(kind, controlled(one, "uid-of-two")), (kind, controlled(other, "uid-of-one"))]
        assert [str(row.ref) for row in rows(LOST, workloads=circle)] == ["stateful set a/one", "stateful set a/two"]

    def test_a_forged_owner_hides_no_pod(self) -> None:
        kind, ended = deployment(name="ended")
        job = WORKLOADS["job"], {**ended, "status": {"completionTime": "t"}}
        for uid, workloads in (("uid-of-web", [deployment()]), ("uid-of-ended", [job]), ("other", [])):
            found = rows(LOST, pods=[pod_of(uid, "s")], workloads=workloads)
            assert "pod a/app" in [str(row.ref) for row in found]
        assert kind.kind == "Deployment"

    def test_the_template_of_the_next_pod_of_another_controller_is_not_known(self) -> None:
        bare, made = pod("s", name="bare"), pod_of("other", "s", runs=True)
        found = rows(UNLINK, pods=[bare, made])
        assert shown(found) == [
            ("pod a/bare", "q.io/team/app:v1", "not_affected", 1),
            ("pod a/app", "q.io/team/app:v1", "unknown", 1),
        ]
        report = found[1].report()
        assert report["after"]["reason"].startswith(
            "the next pod that its controller creates may get the list of service account a/default: "
        )
        assert report["changes"] == []
        assert report["fix"] == []
        assert found[1].deciding.touched
        assert found[1].moment is None

    def test_a_change_that_does_not_harm_the_next_pod_is_no_doubt(self) -> None:
        lists = [account()]
        assert [row.answer for row in rows(UNLINK, pods=[pod_of("other", "s")], accounts=lists)] == ["not_affected"]
        assert [row.answer for row in rows(LOST, pods=[pod_of("other", "s")])] == ["would_break"]


class TestEarlierTemplates:
    """Pods in service of an earlier template have rows."""

    def test_an_earlier_replica_set_in_service_has_its_own_row(self) -> None:
        workloads = [deployment(image="x.io/app:2"), replica_set()]
        pods = [pod("s", made=True, runs=True)]
        found = rows(LOST, workloads=workloads, pods=pods, accounts=[account("s")])
        assert shown(found) == [
            ("deployment a/web", "x.io/app:2", "not_affected", 0),
            ("replica set a/web-1", "q.io/team/app:v1", "would_break", 1),
        ]
        assert found[1].moment.when == "on_another_node"
        assert shown(rows(UNLINK, workloads=workloads, pods=pods))[1:] == [
            ("replica set a/web-1", "q.io/team/app:v1", "unknown", 1)
        ]

    @pytest.mark.parametrize("kind", ["statefulset", "daemonset"])
    def test_pods_of_an_earlier_revision_belong_to_the_workload(self, kind) -> None:
        _kind, made = stateful(image="q.io/team/app:v2")
        pods = [pod_of("uid-of-db", "s", name=name, revision="1", image=f"q.io/{name}") for name in ("n", "o")]
        same = pod_of("uid-of-db", "s", name="p", revision="1", image="q.io/o")
        new = pod_of("uid-of-db", "s", name="q", image="q.io/team/app:v2")
        found = rows(LOST, workloads=[(WORKLOADS[kind], made)], pods=[*pods, same, new])
        kind_name = WORKLOADS[kind].title
        assert shown(found) == [
            (f"{kind_name} a/db", "q.io/team/app:v2", "would_break", 1),
            (f"{kind_name} a/db", "q.io/n", "would_break", 1),
            (f"{kind_name} a/db", "q.io/o", "would_break", 2),
        ]
        assert len({row.key for row in found}) == 3

    def test_only_a_stateful_set_creates_pods_of_an_earlier_revision_again(self) -> None:
        old = pod_of("uid-of-db", "s", revision="1", image="q.io/old")
        for kind, answer in (("statefulset", "unknown"), ("daemonset", "not_affected")):
            _kind, made = stateful()
            marked = {**made, "metadata": {**made["metadata"], "annotations": {}}}
            found = rows(UNLINK, workloads=[(WORKLOADS[kind], marked)], pods=[old])
            assert [row.answer for row in found] == ["unknown", answer]

    def test_the_worst_answer_of_a_pod_or_a_template_counts(self) -> None:
        pods = [pod("gone", name="broken", made=True, says="Failed to pull image: unauthorized")]
        found = rows({"new_nodes": True}, workloads=[deployment(), replica_set()], pods=pods)
        assert [(row.answer, row.deciding.subject.ref.name) for row in found] == [("still_broken", "broken")]


class TestTasksOfAWorkload:
    """A pod that runs decides the moment, and its template decides which task helps."""

    KEEPS = "create its pods again: a pod keeps the list of pull secrets with which it was created"

    def row(self, *linked: str, own: Sequence[str], template: Sequence[str] = ()) -> dict[str, Any]:
        here = place(
            secrets=[secret("old", {"q.io": auth("right")}), secret("new", {"q.io": auth("right")})],
            accounts=[account(*linked)],
            pods=[pod(*own, made=True)],
            workloads=[deployment(*template), replica_set(*template)],
        )
        (row,) = rows_with_answers(survey(here), {"remove_secrets": {"name": "old"}}, asks=True)
        report = row.report()
        assert (report["answer"], report["pods"], report["when"]) == ("would_break", 1, "at_once")
        return report

    def test_the_author_of_a_template_with_a_list_changes_it(self) -> None:
        found = self.row("old", own=["old"], template=["old"])
        assert found["fix"] == []
        assert found["advice"].startswith("leave the pull secret out of the changes")

    def test_the_pods_of_a_template_without_a_list_are_created_again(self) -> None:
        found = self.row("old", own=["old"])
        assert found["fix"] == fixes.link("a", "default", "new")
        assert found["advice"].endswith(f"and then {self.KEEPS}")

    def test_only_the_pods_are_created_again_if_the_next_pod_pulls(self) -> None:
        found = self.row("old", "new", own=["old"])
        assert (found["fix"], found["advice"]) == ([], f"after the changes, {self.KEEPS}")


class TestNames:
    """Equal pods and workloads share an explanation, and each row names its own."""

    @pytest.mark.parametrize("asks", [True, False])
    @pytest.mark.parametrize("change", [UNLINK, {"new_nodes": True}])
    def test_the_reasons_of_a_row_name_no_other_workload(self, change, asks) -> None:
        workloads = [deployment(name="first"), deployment(name="second")]
        other = secret("s", {"r.io": auth()})
        snapshot = survey(place(secrets=[other], accounts=[account()], workloads=workloads))
        linked = survey(
            place(secrets=[secret("s", {"q.io": auth("right")})], accounts=[account("s")], workloads=workloads)
        )
        found = rows_with_answers(linked if change == UNLINK else snapshot, change, asks=asks)
        for row, name in zip(found, ("first", "second"), strict=True):
            assert row.answer != "still_pulls"
            lacking = f"no pull secret of deployment a/{name} is for q.io/team/app"
            unlinked = "secret a/s has the key q.io"
            assert (unlinked if change == UNLINK else lacking) in row.deciding.after.reason
            assert "deployment a/" not in row.deciding.after.reason.replace(f"deployment a/{name} ", "")

    def test_a_reason_without_a_name_is_shared(self) -> None:
        first, second = rows(LOST, pods=[pod("s", name="one"), pod("s", name="two")])
        assert second.deciding.after is first.deciding.after


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
