# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run creates, judges and deletes its probe pods in few requests, and never leaves a pod behind."""

from __future__ import annotations

import _thread
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.result import Outcome
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.run import Clock as EngineClock
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.run import RunSettings
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_probe.pods import (
    PullProbe,
    pod_for,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_probe.run import probe_images
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.probe_pods import PROBE_POD, SELECTOR
from support.fake_api import LOST, FakeApi
from support.scripted_pool import Clock, Request, status_object

IMAGE = "q.io/a:1"
LABELS = dict(part.split("=") for part in SELECTOR.split(","))
BAD = "unable to retrieve auth token: invalid username/password: unauthorized"
RUNS = {"running": {}}
REFUSED = {"waiting": {"reason": "ErrImagePull", "message": BAD}}
STARTS = {"waiting": {"reason": "ContainerCreating"}}

#: The state that a node gives to a pod's container, or None while no node has the pod.
Node = Callable[[Mapping[str, Any]], Any]


def cluster(*namespaces: str, node: Node = lambda _pod: RUNS, answers_after: int = 0) -> FakeApi:
    """Return a cluster whose node answers for each pod after `answers_after` lists of the pods."""
    api = FakeApi(namespaces_checked=True)
    for name in namespaces or ("a",):
        api.put("namespaces", "", name)
    seen: dict[str, int] = {}

    def work(request: Request) -> None:
        if request.method == "GET" and "/pods?" in request.path:
            for pod in probes(api):
                name = pod["metadata"]["name"]
                seen[name] = seen.get(name, 0) + 1
                if seen[name] > answers_after and (state := node(pod)) is not None:
                    pod["spec"]["nodeName"] = "n1"
                    pod["status"] = {"containerStatuses": [{"name": "probe", "imageID": "", "state": state}]}

    api.before = work
    return api


def probes(api: FakeApi) -> list[dict[str, Any]]:
    return [found for (kind, _namespace, _name), found in sorted(api.objects.items()) if kind == "pods"]


def leftover(api: FakeApi, namespace: str = "a", name: str = "pull-probe-old", labels: Any = None) -> None:
    meta = {"labels": LABELS if labels is None else labels}
    api.put("pods", namespace, name, metadata=meta, spec={}, status={})


def ready(api: FakeApi, status: str) -> None:
    """Add a node with this status of its condition, unless the status is empty."""
    if status:
        api.put("nodes", "", "n1", status={"conditions": [{"type": "Ready", "status": status}]})


def run(
    api: FakeApi,
    asked: PullProbe | None = None,
    namespaces: Sequence[str] = ("a",),
    *,
    check: bool = False,
    clock: Clock | None = None,
    **more: Any,
) -> Outcome:
    clock = clock or Clock()
    settings = RunSettings(check, **{"concurrency": 1, **more, "clock": EngineClock(clock.now, clock.sleep)})
    return probe_images(api.cluster(clock), asked or PullProbe((IMAGE,)), list(namespaces), settings)


def rows(outcome: Outcome) -> list[dict[str, Any]]:
    return [row for result in outcome.namespaces for row in result.extra.get("pulls", ())]


def told(outcome: Outcome) -> list[tuple[str, str]]:
    return [(row["outcome"], row["cause"]) for row in rows(outcome)]


def kinds(api: FakeApi) -> list[str]:
    """Return the method and the path of each request, without the names of the pods."""
    return [re.sub(r"pull-probe-[0-9a-f]{10}", "POD", each).split("?")[0] for each in api.asked]


class TestOnePod:
    def test_a_probe_pod_is_waited_for(self) -> None:
        clock = Clock()
        outcome = run(cluster(node=lambda _pod: RUNS, answers_after=3), clock=clock)
        assert told(outcome) == [("pulled", "")]
        assert rows(outcome)[0]["seconds"] == round(sum(clock.slept), 1) > 0

    @pytest.mark.parametrize(
        ("node", "cause"), [(lambda _pod: None, "not_scheduled"), (lambda _pod: STARTS, "no_answer")]
    )
    def test_a_missing_answer_in_time_is_not_a_refusal(self, node: Node, cause: str) -> None:
        api, clock = cluster(node=node), Clock()
        ready(api, "True")
        outcome = run(api, PullProbe((IMAGE,), timeout=30), clock=clock)
        assert told(outcome) == [("unknown", cause)]
        assert 30 <= rows(outcome)[0]["seconds"] <= 31
        assert outcome.has_failed
        assert probes(api) == []

    @pytest.mark.parametrize("status", ["", "False"])
    def test_a_cluster_without_a_ready_node_is_reported_early(self, status: str) -> None:
        api, clock = cluster("a", "b", node=lambda _pod: None), Clock()
        ready(api, status)
        outcome = run(api, namespaces=["a", "b"], clock=clock)
        assert told(outcome) == [("unknown", "not_scheduled")] * 2
        assert "the cluster has no ready node" in outcome.message("t")
        assert max(row["seconds"] for row in rows(outcome)) <= 12
        assert kinds(api).count("GET /api/v1/nodes") == 1

    def test_nodes_that_the_caller_may_not_list_may_be_there(self) -> None:
        api = cluster(node=lambda _pod: None)
        api.fail("GET .*nodes", status_object(403, "Forbidden", 'User "u" cannot list'))
        outcome = run(api, PullProbe((IMAGE,), timeout=30))
        assert rows(outcome)[0]["seconds"] >= 30
        assert "no node was found for the pod in time" in outcome.message("t")

    def test_the_run_looks_once_without_a_timeout(self) -> None:
        clock = Clock()
        assert told(run(cluster(node=lambda _pod: STARTS), PullProbe((IMAGE,), timeout=0), clock=clock)) == [
            ("unknown", "no_answer")
        ]
        assert clock.slept == []

    def test_a_pod_that_another_client_deletes_proves_nothing(self) -> None:
        api = cluster()
        api.before = lambda request: api.objects.pop(
            next((key for key in api.objects if key[0] == "pods" and request.method == "GET"), ("", "", "")), None
        )
        assert told(run(api)) == [("unknown", "deleted")]

    def test_another_pod_of_the_same_name_is_not_the_probe_and_stays(self) -> None:
        api = cluster()

        def replaced(request: Request) -> None:
            for pod in probes(api) if request.method == "GET" else ():
                pod["metadata"]["uid"] = "another"

        api.before = replaced
        assert told(run(api)) == [("unknown", "deleted")]
        assert [pod["metadata"]["uid"] for pod in probes(api)] == ["another"]


class TestEdited:
    """A user who can edit pods in the namespace decides which image its node pulls. Such a pod proves nothing."""

    def test_another_image_proves_nothing(self) -> None:
        def node(pod: Any) -> Any:
            pod["spec"]["containers"][0]["image"] = "q.io/public:1"
            return RUNS

        api = cluster(node=node)
        outcome = run(api)
        assert told(outcome) == [("unknown", "edited")]
        assert outcome.has_failed
        assert probes(api) == []

    def test_an_image_that_was_put_back_proves_nothing(self) -> None:
        def node(pod: Any) -> Any:
            pod["metadata"]["generation"] = 3
            return RUNS

        assert told(run(cluster(node=node))) == [("unknown", "edited")]

    def test_a_webhook_may_rewrite_the_image_when_the_pod_is_made(self) -> None:
        api = cluster()
        answers = api.before

        def admitted(request: Request) -> None:
            assert answers is not None
            answers(request)
            if request.method == "POST":
                request.body["spec"]["containers"][0]["image"] = "mirror.example.com/a:1"

        api.before = admitted
        assert told(run(api)) == [("pulled", "")]
        assert "mirror.example.com/a:1" in str(api.requests[1].body)

    def test_a_pod_whose_answer_was_lost_is_compared_with_its_first_state(self) -> None:
        seen = []

        def node(pod: Any) -> Any:
            seen.append(pod)
            if len(seen) == 2:
                pod["spec"]["containers"][0]["image"] = "q.io/public:1"
                return RUNS
            return STARTS

        api = cluster(node=node)
        api.fail("POST", LOST, carried_out=True)
        assert told(run(api)) == [("unknown", "edited")]


class TestManyPods:
    def test_each_image_is_pulled_on_each_kind_of_node(self) -> None:
        selectors = ({"pool": "a"}, {"pool": "b"})
        api = cluster(node=lambda pod: RUNS if pod["spec"]["nodeSelector"] == selectors[0] else REFUSED)
        outcome = run(api, PullProbe((IMAGE, "q.io/b:1"), node_selectors=selectors))
        assert [(row["image"], row["node_selector"]["pool"], row["outcome"]) for row in rows(outcome)] == [
            (IMAGE, "a", "pulled"),
            (IMAGE, "b", "refused"),
            ("q.io/b:1", "a", "pulled"),
            ("q.io/b:1", "b", "refused"),
        ]
        assert probes(api) == []

    def test_many_namespaces_are_seen_by_one_list_for_all_of_them(self) -> None:
        names = [f"n{number:02}" for number in range(30)]
        api = cluster(*names, answers_after=2)
        outcome = run(api, namespaces=names, concurrency=4)
        assert outcome.extra["outcomes"] == {"pulled": 30, "refused": 0, "unknown": 0}
        lists = [each for each in kinds(api) if each.startswith("GET")]
        assert lists == ["GET /api/v1/pods"] * 4
        assert probes(api) == []

    @pytest.mark.parametrize(("takes", "pauses"), [(1.5, 6.0), (60.0, 10.0)])
    def test_a_cluster_that_is_slow_to_list_is_listed_rarely(self, takes: float, pauses: float) -> None:
        names = [f"n{number:02}" for number in range(9)]
        api, clock = cluster(*names, node=lambda _pod: STARTS), Clock()

        def slow(request: Request) -> None:
            clock.seconds += takes if "/api/v1/pods" in request.path else 0

        api.before = slow
        ready(api, "True")
        run(api, PullProbe((IMAGE,), timeout=100), names, clock=clock)
        assert clock.slept[0] == pauses
        assert clock.slept.count(pauses) == kinds(api).count("GET /api/v1/pods") - 2

    def test_each_namespace_is_listed_if_the_cluster_may_not_be(self) -> None:
        names = [f"n{number:02}" for number in range(9)]
        api = cluster(*names)
        api.fail("GET /api/v1/pods", status_object(403, "Forbidden", 'User "u" cannot list'), times=99)
        assert run(api, namespaces=names).extra["outcomes"]["pulled"] == 9
        assert kinds(api).count("GET /api/v1/pods") == 1

    def test_the_run_has_100_pods_at_a_time_and_a_slow_one_stops_no_other(self) -> None:
        names = [f"n{number:03}" for number in range(250)]
        most = [0]

        def node(pod: Mapping[str, Any]) -> Any:
            most[0] = max(most[0], len(probes(api)))
            return STARTS if pod["metadata"]["namespace"] == "n000" else RUNS

        api = cluster(*names, node=node)
        clock = Clock()
        outcome = run(api, PullProbe((IMAGE,), timeout=20), names, clock=clock)
        assert outcome.extra["outcomes"] == {"pulled": 249, "refused": 0, "unknown": 1}
        assert most[0] == 100
        assert sum(clock.slept) < 22

    def test_a_namespace_that_needs_more_is_done_alone(self) -> None:
        images = tuple(f"q.io/a:{number}" for number in range(120))
        api = cluster("a", "b")
        outcome = run(api, PullProbe(images), ["a", "b"])
        assert outcome.extra["outcomes"]["pulled"] == 240

    def test_repeated_failures_of_the_api_server_skip_the_remaining_namespaces(self) -> None:
        names = [f"n{number:03}" for number in range(150)]
        api = cluster(*names)
        api.fail("POST", status_object(500, "InternalError", "broken"), times=10**9)
        outcome = run(api, namespaces=names, max_failures=1)
        statuses = [result.status for result in outcome.namespaces]
        assert (statuses.count("failed"), statuses.count("skipped")) == (100, 50)
        assert "max_failures" in outcome.namespaces[-1].error

    def test_failed_pulls_end_nothing_in_other_namespaces(self) -> None:
        names = [f"n{number:03}" for number in range(150)]
        outcome = run(cluster(*names, node=lambda _pod: REFUSED), namespaces=names, max_failures=1)
        assert {result.status for result in outcome.namespaces} == {"failed"}

    def test_a_namespace_that_is_given_twice_is_one(self) -> None:
        assert len(run(cluster(), namespaces=["a", "a"]).namespaces) == 1


class TestNotMade:
    def test_a_refused_pod_is_reported_and_is_not_a_failed_pull(self) -> None:
        api = cluster()
        said = 'pods "p" is forbidden: error looking up service account a/robot: serviceaccount "robot" not found'
        api.fail("POST", status_object(403, "Forbidden", said))
        outcome = run(api, PullProbe((IMAGE, "q.io/b:1"), service_account="robot"))
        assert told(outcome) == [("unknown", "not_created"), ("pulled", "")]
        assert "Create that service account first" in outcome.message("t")
        assert "DELETE" not in kinds(api)[1]
        assert len([each for each in kinds(api) if each.startswith("DELETE")]) == 1

    def test_a_missing_namespace_fails_and_one_in_deletion_is_skipped(self) -> None:
        api = cluster("going")
        api.put("namespaces", "", "going", metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"})
        missing, going = run(api, namespaces=["missing", "going"]).namespaces
        assert (missing.status, "does not exist" in missing.error) == ("failed", True)
        assert (going.status, "is being deleted" in going.error) == ("skipped", True)

    def test_an_answer_that_is_lost_makes_no_second_pod(self) -> None:
        api = cluster()
        api.fail("POST", LOST, carried_out=True)
        assert told(run(api)) == [("pulled", "")]
        assert [each.split("/")[0] for each in kinds(api)] == ["GET ", "POST ", "POST ", "GET ", "DELETE "]
        assert probes(api) == []

    def test_a_pod_of_which_nothing_is_known_is_deleted_by_its_name(self) -> None:
        api = cluster()
        api.fail("POST", LOST, times=9, carried_out=True)
        assert told(run(api)) == [("unknown", "not_created")]
        assert probes(api) == []

    def test_the_name_of_another_pod_is_never_taken(self) -> None:
        api = cluster()
        api.fail("POST", status_object(409, "AlreadyExists", "exists"))
        assert told(run(api)) == [("unknown", "not_created")]
        assert not [each for each in api.asked if each.startswith("DELETE")]


class TestNotDeleted:
    def test_a_pod_that_cannot_be_deleted_fails_the_namespace_despite_the_pull(self) -> None:
        api = cluster()
        api.fail("DELETE", status_object(403, "Forbidden", 'User "u" cannot delete'), times=9)
        outcome = run(api)
        assert told(outcome) == [("pulled", "")]
        assert re.search(
            r"pod a/pull-probe-\w+ could not be deleted: .*Give the caller that right", outcome.message("t")
        )

    def test_a_refusal_and_a_pod_that_stays_are_two_parts_of_one_sentence(self) -> None:
        api = cluster(node=lambda _pod: REFUSED)
        api.fail("DELETE", status_object(403, "Forbidden", 'User "u" cannot delete'), times=9)
        (result,) = run(api).namespaces
        refused, left = result.error.split("; pod a/pull-probe-")
        assert refused.startswith(f"image {IMAGE} was not pulled on node n1: bad_credentials")
        assert refused.endswith(" and 'ask_registries: true'")
        assert "could not be deleted: " in left

    def test_a_pod_that_stays_is_the_whole_message_if_all_images_were_pulled(self) -> None:
        api = cluster()
        api.fail("DELETE", status_object(403, "Forbidden", 'User "u" cannot delete'), times=9)
        (result,) = run(api).namespaces
        assert result.error.startswith("pod a/pull-probe-")

    def test_a_lost_answer_is_asked_for_again(self) -> None:
        api = cluster()
        api.fail("DELETE", LOST, carried_out=True)
        assert not run(api).has_failed
        assert probes(api) == []

    def test_answers_that_are_always_lost_are_an_error(self) -> None:
        api = cluster()
        api.fail("DELETE", LOST, times=3)
        outcome = run(api)
        assert "could not be deleted" in outcome.message("t")
        assert len([each for each in api.asked if each.startswith("DELETE")]) == 3


class TestKept:
    def test_pods_that_were_not_pulled_stay_and_are_a_change(self) -> None:
        api = cluster(node=lambda pod: REFUSED if pod["spec"]["containers"][0]["image"] == IMAGE else RUNS)
        outcome = run(api, PullProbe((IMAGE, "q.io/b:1"), keep_failed=True))
        (pod,) = probes(api)
        name = pod["metadata"]["name"]
        assert [row["pod"] for row in rows(outcome)] == [name, None]
        report = outcome.report()
        assert report["changed"] is True
        assert report["namespaces"][0]["changes"] == [{"action": "create", "kind": "Pod", "name": name, "image": IMAGE}]

    def test_a_pod_that_is_gone_is_not_reported_as_kept(self) -> None:
        api = cluster()
        api.before = lambda request: api.objects.pop(
            next((key for key in api.objects if key[0] == "pods" and request.method == "GET"), ("", "", "")), None
        )
        outcome = run(api, PullProbe((IMAGE,), keep_failed=True))
        assert (rows(outcome)[0]["pod"], outcome.report()["changed"]) == (None, False)


class TestLeftovers:
    @pytest.mark.parametrize("label", list(LABELS))
    def test_a_pod_without_one_of_the_labels_stays_though_the_server_lists_it(self, label: str) -> None:
        api = cluster()
        leftover(api, name="theirs", labels={**LABELS, label: "somebody"})
        original = api._chosen  # a server that does not filter
        api._chosen = lambda resource, namespace, query: original(resource, namespace, {})  # type: ignore[method-assign]
        run(api)
        assert [pod["metadata"]["name"] for pod in probes(api)] == ["theirs"]

    def test_leftovers_of_other_namespaces_stay(self) -> None:
        names = [f"n{number:02}" for number in range(9)]
        api = cluster(*names, "other")
        leftover(api, "other")
        leftover(api, "n03")
        run(api, namespaces=names)
        assert [pod["metadata"]["namespace"] for pod in probes(api)] == ["other"]

    def test_leftovers_past_their_deadline_are_deleted_in_all_namespaces(self) -> None:
        api = cluster("a", "other")
        body = pod_for(ObjectRef(PROBE_POD, "other", "pull-probe-old"), PullProbe((IMAGE,)), IMAGE, {}).body
        meta = {"labels": LABELS, "creationTimestamp": "2026-01-01T00:00:00Z"}
        api.put("pods", "other", "pull-probe-old", metadata=meta, spec=body["spec"], status={})
        leftover(api, "other", "pull-probe-unknown")
        checked = run(api, check=True)
        assert (api.writes, len(checked.notes)) == ([], 1)
        outcome = run(api)
        assert [pod["metadata"]["name"] for pod in probes(api)] == ["pull-probe-unknown"]
        assert outcome.notes == ["deleted 1 pod of probes that ended without cleaning up: other/pull-probe-old"]

    def test_a_caller_who_may_not_list_other_namespaces_can_still_probe(self) -> None:
        api = cluster()
        api.fail("GET /api/v1/pods", status_object(403, "Forbidden", "no"), times=9)
        assert (run(api).has_failed, run(api).notes) == (False, [])

    def test_no_pod_is_created_if_leftovers_cannot_be_deleted(self) -> None:
        api = cluster()
        leftover(api)
        api.fail("DELETE", status_object(403, "Forbidden", 'User "u" cannot delete'), times=9)
        outcome = run(api)
        assert "pull-probe-old, which an earlier run left, could not be deleted" in outcome.message("t")
        assert not [each for each in api.asked if each.startswith("POST")]


class TestCheckMode:
    def test_check_mode_creates_and_deletes_nothing_and_does_not_fail(self) -> None:
        api = cluster()
        ready(api, "True")
        leftover(api)
        outcome = run(api, PullProbe((IMAGE, "q.io/b:1")), check=True)
        assert api.writes == []
        assert not outcome.has_failed
        assert [(row["image"], row["outcome"], row["cause"]) for row in rows(outcome)] == [
            (IMAGE, "unknown", "check_mode"),
            ("q.io/b:1", "unknown", "check_mode"),
        ]
        assert outcome.notes == ["in namespace a, would delete 1 pod that an earlier run left"]

    @pytest.mark.parametrize("status", ["", "False"])
    def test_check_mode_fails_on_a_cluster_without_a_ready_node_as_the_run_does(self, status: str) -> None:
        api = cluster("a", "b")
        ready(api, status)
        leftover(api)
        outcome = run(api, namespaces=["a", "b"], check=True)
        assert told(outcome) == [("unknown", "not_scheduled")] * 2
        assert "the cluster has no ready node: look at the nodes" in outcome.message("t")
        assert "in namespace a, would delete 1 pod that an earlier run left" in outcome.notes
        assert kinds(api).count("GET /api/v1/nodes") == 1
        assert api.writes == []

    def test_check_mode_does_not_fail_if_the_caller_may_not_list_the_nodes(self) -> None:
        api = cluster()
        api.fail("GET .*nodes", status_object(403, "Forbidden", 'User "u" cannot list'))
        assert told(run(api, check=True)) == [("unknown", "check_mode")]

    def test_a_missing_namespace_fails_in_check_mode_too(self) -> None:
        assert "does not exist" in run(cluster(), namespaces=["missing"], check=True).message("t")


class TestFailures:
    def test_no_pod_is_created_without_the_right_to_list(self) -> None:
        api = cluster()
        api.fail("GET", status_object(403, "Forbidden", 'User "u" cannot list'), times=9)
        outcome = run(api)
        assert "cannot list" in outcome.message("t")
        assert api.writes == []

    def test_a_list_that_fails_later_proves_nothing_and_the_pod_is_deleted(self) -> None:
        api = cluster()
        api.fail("GET .*pods", status_object(403, "Forbidden", 'User "u" cannot list'), after=1)
        assert told(run(api)) == [("unknown", "not_read")]
        assert probes(api) == []

    def test_a_cluster_that_refuses_the_login_stops_the_run(self) -> None:
        api = cluster("a", "b")
        api.fail(".", status_object(401, "Unauthorized", "no"), times=9)
        outcome = run(api, namespaces=["a", "b"])
        assert outcome.stopped
        assert [result.status for result in outcome.namespaces] == ["skipped", "skipped"]

    def test_a_cluster_that_fails_during_the_run_reports_that_pods_may_be_left(self) -> None:
        api = cluster()
        api.fail(".", status_object(401, "Unauthorized", "no"), times=9, after=2)
        outcome = run(api)
        assert outcome.stopped
        assert "It may have left pods" in outcome.namespaces[0].error

    def test_a_list_of_the_cluster_that_fails_stops_the_run_and_its_pods_are_deleted(self) -> None:
        names = [f"n{number:02}" for number in range(9)]
        api = cluster(*names)
        api.fail("GET /api/v1/pods", status_object(410, "Expired", "too old"), times=9, after=1)
        outcome = run(api, namespaces=names)
        assert "dropped the list" in outcome.stopped
        assert probes(api) == []

    @pytest.mark.parametrize("moment", ["POST", "GET", "DELETE"])
    def test_an_interruption_leaves_no_pod(self, moment: str) -> None:
        """A signal interrupts the thread that waits."""
        api = cluster()
        work, left = api.before, [0 if moment == "POST" else 1 if moment == "GET" else 0]

        def interrupted(request: Request) -> None:
            if request.method == moment and not left[0]:
                left[0] = 99
                raise KeyboardInterrupt
            left[0] -= request.method == moment
            assert work is not None
            work(request)

        api.before = interrupted
        with pytest.raises(KeyboardInterrupt):
            run(api, PullProbe((IMAGE, "q.io/b:1")))
        assert probes(api) == []

    def test_a_pod_created_during_an_interruption_is_deleted_afterwards(self) -> None:
        api, clock, goes_on = cluster(), Clock(), threading.Event()

        def slow(request: Request) -> None:
            if request.method == "POST":
                _thread.interrupt_main()
                assert goes_on.wait(10)

        def sleep(seconds: float) -> None:
            """Run while the module waits for the answer."""
            goes_on.set()
            time.sleep(0.01)
            clock.sleep(seconds / 100)

        api.before = slow
        settings = RunSettings(False, concurrency=1, clock=EngineClock(clock.now, sleep))
        with pytest.raises(KeyboardInterrupt):
            probe_images(api.cluster(clock), PullProbe((IMAGE,)), ["a"], settings)
        assert [each.split("/")[0] for each in kinds(api)] == ["GET ", "POST ", "DELETE "]
        assert probes(api) == []

    def test_no_pod_is_created_after_an_interruption(self) -> None:
        """A thread may have taken the pod from the queue just before."""
        api, clock, goes_on = cluster(), Clock(), threading.Event()
        main, others = threading.current_thread(), []

        def now() -> float:
            if threading.current_thread() is not main:
                others.append(threading.current_thread())
                _thread.interrupt_main()
                assert goes_on.wait(10)
            return clock.now()

        settings = RunSettings(False, concurrency=1, clock=EngineClock(now, clock.sleep))
        with pytest.raises(KeyboardInterrupt):
            probe_images(api.cluster(clock), PullProbe((IMAGE,)), ["a"], settings)
        goes_on.set()
        others[0].join(10)
        assert not others[0].is_alive()
        assert [each.split("/")[0] for each in kinds(api)] == ["GET "]
