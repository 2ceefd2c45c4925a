# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inspecting engine reads until nothing is awaited or the time is over, and never writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.changes import (
    NO_SELECTORS,
    Evaluation,
    ListedBy,
    Related,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import ImagePullError, Refusal
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import (
    NAMESPACE,
    SERVICE_ACCOUNT,
    Kind,
    ObjectRef,
    Objects,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.result import NamespaceResult, Outcome
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.run import Clock as EngineClock
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.run import (
    Progress,
    RunSettings,
    evaluate_each,
    inspect,
    read_each,
)
from support.fake_api import FakeApi
from support.scripted_pool import Clock, status_object

ODD = status_object(400, "BadRequest", "odd")

ALWAYS = 10**9


@dataclass(frozen=True)
class Asks:
    """Asks whether the account robot exists. With `satisfied`, it need not exist."""

    satisfied: bool = False
    breaks_on: str = ""
    refuses: str = ""
    kind: ClassVar[Kind] = SERVICE_ACCOUNT
    listed_by: ClassVar[ListedBy] = NO_SELECTORS

    def names(self, _namespace: str) -> tuple[str, ...]:
        return ("robot",)

    def related(self, _namespace: str, _objects: Objects) -> Sequence[ObjectRef]:
        return ()

    def evaluate(self, namespace: str, objects: Objects, _found: Related) -> Evaluation:
        if namespace == self.breaks_on:
            raise KeyError("unforeseen")
        if namespace == self.refuses:
            raise Refusal("odd object")
        waiting = () if objects or self.satisfied else ("robot is missing", "and so is its secret")
        return Evaluation(waiting, notes=("noted",), extra={"found": sorted(objects)})


def run(
    api: FakeApi, names: Sequence[str], clock: Clock | None = None, asks: Asks | None = None, **more: Any
) -> Outcome:
    clock = clock or Clock()
    hooks = {key: more.pop(key) for key in ("refine", "hint") if key in more}
    given = {"check_mode": False, "concurrency": 1, "clock": EngineClock(clock.now, clock.sleep), **more}
    return inspect(api.cluster(clock), asks or Asks(), names, RunSettings(**given), **hooks)


def statuses(outcome: Outcome) -> dict[str, str]:
    return {result.name: result.status for result in outcome.namespaces}


@pytest.fixture
def api() -> FakeApi:
    found = FakeApi()
    for name in "abc":
        found.put("namespaces", "", name)
    return found


class TestFindings:
    def test_a_complete_namespace_is_inspected_without_waiting(self, api: FakeApi) -> None:
        api.put("serviceaccounts", "a", "robot")
        clock = Clock()
        outcome = run(api, ["a", "a"], clock, wait_timeout=60)
        (result,) = outcome.namespaces
        assert (result.status, result.notes, result.extra, result.error) == (
            "unchanged",
            ("noted",),
            {"found": ["robot"]},
            "",
        )
        assert api.asked == ["GET /api/v1/namespaces/a/serviceaccounts/robot"]
        assert clock.slept == []
        assert outcome.retries == 0

    def test_an_object_that_appears_in_time_is_found(self, api: FakeApi) -> None:
        clock = Clock()

        def appear(_request: Any) -> None:
            if len(clock.slept) == 2:
                api.put("serviceaccounts", "a", "robot")

        api.before = appear
        assert statuses(run(api, ["a"], clock, wait_timeout=60)) == {"a": "unchanged"}
        assert clock.slept == [pytest.approx(0.1), pytest.approx(0.15)]

    def test_an_object_that_does_not_appear_fails_its_namespace_with_a_hint(self, api: FakeApi) -> None:
        api.put("serviceaccounts", "b", "robot")
        outcome = run(api, ["a", "b"], wait_timeout=3, hint=lambda left: f"look at the controller of {left[0].name}")
        assert statuses(outcome) == {"a": "failed", "b": "unchanged"}
        assert outcome.failed[0].error == "robot is missing; and so is its secret; look at the controller of a"
        assert outcome.failed[0].extra == {"found": []}
        assert outcome.failed[0].notes == ("noted",)
        assert api.writes == []

    def test_a_missing_object_is_reported_without_a_hint(self, api: FakeApi) -> None:
        assert run(api, ["a"]).failed[0].error == "robot is missing; and so is its secret"

    def test_the_hint_is_not_requested_if_all_objects_exist(self, api: FakeApi) -> None:
        api.put("serviceaccounts", "a", "robot")
        assert not run(api, ["a"], hint=lambda _left: 1 / 0).has_failed  # type: ignore[arg-type,return-value]


class TestRefined:
    def test_refined_questions_need_no_second_read(self, api: FakeApi) -> None:
        clock = Clock()
        outcome = run(api, ["a"], clock, wait_timeout=60, refine=lambda asks: replace(asks, satisfied=True))
        assert statuses(outcome) == {"a": "unchanged"}
        assert [line for line in api.asked if "serviceaccounts" in line] == [
            "GET /api/v1/namespaces/a/serviceaccounts/robot"
        ]
        assert clock.slept == []

    def test_refine_is_called_only_if_an_object_is_awaited(self, api: FakeApi) -> None:
        api.put("serviceaccounts", "a", "robot")
        calls: list[Asks] = []
        run(api, ["a"], refine=lambda asks: calls.append(asks) or asks)  # type: ignore[func-returns-value]
        assert calls == []

    def test_refine_is_called_after_each_look(self, api: FakeApi) -> None:
        calls: list[Asks] = []
        run(api, ["a"], wait_timeout=0.1, refine=lambda asks: calls.append(asks) or asks)  # type: ignore[func-returns-value]
        assert len(calls) == 2


class TestNamespaces:
    def test_a_missing_namespace_is_not_waited_for(self, api: FakeApi) -> None:
        clock = Clock()
        outcome = run(api, ["missing"], clock, wait_timeout=600)
        assert "the namespace does not exist" in outcome.failed[0].error
        assert outcome.failed[0].extra == {"found": []}
        assert clock.slept == []
        assert api.asked.count("GET /api/v1/namespaces/missing") == 1

    def test_a_terminating_namespace_is_not_waited_for(self, api: FakeApi) -> None:
        api.put("namespaces", "", "a", metadata={"deletionTimestamp": "now"})
        outcome = run(api, ["a"], wait_timeout=600)
        assert outcome.failed[0].error == "the namespace is being deleted on https://api.example.com:6443"

    def test_a_namespace_that_disappears_is_reported_at_the_end(self, api: FakeApi) -> None:
        clock = Clock()

        def vanish(_request: Any) -> None:
            if clock.slept:
                api.remove("namespaces", "", "a")

        api.before = vanish
        outcome = run(api, ["a"], clock, wait_timeout=2, hint=lambda _left: "hint")
        assert outcome.failed[0].error.startswith("the namespace was deleted on https://api.example.com:6443 while")
        assert "hint" not in outcome.failed[0].error

    def test_a_namespace_is_read_once_at_the_start_and_once_at_the_end(self, api: FakeApi) -> None:
        run(api, ["a"], wait_timeout=5)
        assert api.asked.count("GET /api/v1/namespaces/a") == 2


class TestClusterScoped:
    def test_an_inspection_of_cluster_scoped_objects_reads_no_namespace(self, api: FakeApi) -> None:
        """The cluster-scoped objects here are the namespaces themselves."""

        @dataclass(frozen=True)
        class OfCluster(Asks):
            kind: ClassVar[Kind] = NAMESPACE

            def names(self, _namespace: str) -> tuple[str, ...]:
                return ()

        assert statuses(run(api, [""], asks=OfCluster(breaks_on="-", refuses="-"))) == {"": "unchanged"}
        for name in "abc":
            api.remove("namespaces", "", name)
        api.requests.clear()
        (result,) = run(api, [""], asks=OfCluster(breaks_on="-", refuses="-")).namespaces
        assert (result.status, result.error) == ("failed", "robot is missing; and so is its secret")
        assert api.asked == ["GET /api/v1/namespaces?limit=1000"]


class TestFailures:
    def test_a_failed_read_fails_only_its_namespace(self, api: FakeApi) -> None:
        for name in "abc":
            api.put("serviceaccounts", name, "robot")
        api.fail("namespaces/b/serviceaccounts", ODD, times=ALWAYS)
        outcome = run(api, list("abc"), wait_timeout=60)
        assert statuses(outcome) == {"a": "unchanged", "b": "failed", "c": "unchanged"}
        assert "reading service account b/robot" in outcome.failed[0].error

    @pytest.mark.parametrize(
        ("asks", "error"),
        [(Asks(breaks_on="b"), "an internal error: KeyError in evaluate, line "), (Asks(refuses="b"), "odd object")],
    )
    def test_an_error_in_the_evaluation_fails_only_its_namespace(self, api: FakeApi, asks: Asks, error: str) -> None:
        for name in "abc":
            api.put("serviceaccounts", name, "robot")
        outcome = run(api, list("abc"), asks=asks)
        assert statuses(outcome) == {"a": "unchanged", "b": "failed", "c": "unchanged"}
        assert outcome.failed[0].error.startswith(error)
        assert "unforeseen" not in outcome.failed[0].error

    def test_a_failed_list_stops_the_inspection(self, api: FakeApi) -> None:
        api.fail(r"GET /api/v1/serviceaccounts\?", ODD, times=ALWAYS)
        outcome = run(api, [f"n{number}" for number in range(5)], refine=lambda _asks: 1 / 0)  # type: ignore[arg-type,return-value]
        assert set(statuses(outcome).values()) == {"skipped"}
        assert "listing serviceaccounts in all namespaces" in outcome.stopped
        assert outcome.namespaces[0].error == "not attempted: the task stopped (https://api.example.com:6443 failed)"


class TestProgress:
    def test_progress_counts_each_namespace_once(self, api: FakeApi) -> None:
        clock, said = Clock(), []
        api.before = lambda _request: clock.sleep(4.0)
        for name in "ab":
            api.put("serviceaccounts", name, "robot")
        api.fail("namespaces/b/serviceaccounts", ODD, times=ALWAYS)
        run(api, list("abc"), clock, task="sa_wait", say=said.append)
        assert said == ["sa_wait 1/3 namespaces, 0 changed, 0 failed, about 32 s left"]


class TestExamined:
    def test_a_failed_examination_fails_only_its_namespace(self) -> None:
        def work(_name: str, number: int) -> int:
            if number == 2:
                raise ImagePullError("two is odd")
            return 6 // number

        outcome = Outcome([NamespaceResult(name, "unchanged") for name in "abc"])
        after, found = evaluate_each(outcome, {"a": 1, "b": 2, "c": 0}, work)
        assert found == {"a": 6}
        assert [(result.status, result.error) for result in after.namespaces][:2] == [
            ("unchanged", ""),
            ("failed", "two is odd"),
        ]
        assert after.namespaces[2].error.startswith("an internal error: ZeroDivisionError")


class TestReadEach:
    def test_each_namespace_that_can_be_read_is_worked_on_once(self, api: FakeApi) -> None:
        api.put("serviceaccounts", "a", "robot")
        api.fail("namespaces/b/serviceaccounts", ODD, times=ALWAYS)
        clock, said = Clock(), []
        api.before = lambda _request: clock.sleep(4.0)
        settings = RunSettings(
            check_mode=False, concurrency=1, task="x", say=said.append, clock=EngineClock(clock.now, clock.sleep)
        )
        outcome, found = read_each(
            api.cluster(clock),
            Asks(),
            ["a", "b", "a", "c"],
            settings,
            lambda name, objects, _found: (name, sorted(objects)),
        )
        assert found == {"a": ("a", ["robot"]), "c": ("c", [])}
        assert [(result.name, result.status) for result in outcome.namespaces] == [
            ("a", "unchanged"),
            ("b", "failed"),
            ("c", "unchanged"),
        ]
        assert said == ["x 1/3 namespaces, 0 changed, 0 failed, about 24 s left"]

    def test_a_failed_list_leaves_out_all_namespaces(self, api: FakeApi) -> None:
        api.fail(r"GET /api/v1/serviceaccounts\?", ODD, times=ALWAYS)
        settings = RunSettings(check_mode=False, concurrency=1)
        outcome, found = read_each(api.cluster(), Asks(), list("abcde"), settings, lambda _name, _objects, _found: 1)
        assert found == {}
        assert {*statuses(outcome).values()} == {"skipped"}
        assert "listing serviceaccounts in all namespaces" in outcome.stopped


# --- Progress is one line every few seconds with counts and, in a task that waits, the first awaited object


class TestLines:
    def test_a_short_task_reports_no_progress(self) -> None:
        lines: list[str] = []
        progress = Progress("sa_link", 2, lines.append, now=lambda: 0.0)
        progress.count_namespace(changed=True, failed=False)
        progress.count_namespace(changed=True, failed=False)
        assert lines == []

    def test_progress_reports_counts_and_the_remaining_time(self) -> None:
        lines: list[str] = []
        clock = iter([0.0, *(number * 0.001 for number in range(1, 4210)), 8.0])
        progress = Progress("sa_link", 10_000, lines.append, now=lambda: next(clock))
        for number in range(4210):
            progress.count_namespace(changed=number < 12, failed=number == 20)
        assert lines[-1] == "sa_link 4,210/10,000 namespaces, 12 changed, 1 failed, about 11 s left"
        assert len(lines) == 2

    def test_a_waiting_task_reports_its_progress(self) -> None:
        lines: list[str] = []
        clock = iter([0.0, 1.0, 4.0, 5.0])
        progress = Progress("sa_wait", 2, lines.append, now=lambda: next(clock))
        for _round in range(3):
            progress.tick("in a: service account never does not exist")
        assert lines == ["sa_wait 0/2 namespaces, 0 changed, 0 failed; in a: service account never does not exist"]

    def test_progress_is_reported_every_three_seconds(self) -> None:
        lines: list[str] = []
        clock = iter([0.0, 2.9, 3.0, 5.9, 6.0])
        progress = Progress("sa_link", 9, lines.append, now=lambda: next(clock))
        counted = []
        for number in range(4):
            progress.count_namespace(changed=False, failed=number < 2)
            counted.append(len(lines))
        assert counted == [0, 1, 1, 2]
        assert (progress.done, progress.changed, progress.failed) == (4, 0, 2)
        assert lines[0] == "sa_link 2/9 namespaces, 0 changed, 2 failed, about 10 s left"

    def test_progress_can_be_switched_off(self) -> None:
        clock = iter([0.0, 9.0])
        Progress("sa_link", 1, None, now=lambda: next(clock)).count_namespace(changed=True, failed=False)
