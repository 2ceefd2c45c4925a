# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reconciling engine writes and reports over an API server in memory, and one failure costs no other result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.changes import (
    NO_SELECTORS,
    Change,
    Desired,
    Entry,
    Failure,
    ListedBy,
    Plan,
    Prerequisite,
    Related,
    create,
    delete,
    replace,
    update,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import Refusal
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import (
    SECRET,
    SERVICE_ACCOUNT,
    Json,
    Kind,
    ObjectRef,
    Objects,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.declarations.batch import Batch, Declaration
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.fetching import View
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.reconciliation import (
    Judge,
    PlannedChanges,
    reconcile,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.result import Outcome
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.run import Clock as EngineClock
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.run import RunSettings
from support.fake_api import LOST, FakeApi
from support.scripted_pool import Answer, Clock, Request, status_object

WANTED, OTHER = {"data": {"k": "d2FudGVk"}}, {"data": {"k": "b3RoZXI="}}
UNAUTHORIZED = status_object(401, "Unauthorized", "Unauthorized")
BROKEN = status_object(500, "InternalError", "etcdserver: leader changed")
WEBHOOK = status_object(500, "InternalError", 'failed calling webhook "own.example.com": no endpoints')
FORBIDDEN = status_object(403, "Forbidden", "secrets is forbidden")
LATE = "did not appear in time. Create it, correct its name, or wait longer ('wait_timeout: 300')"


@dataclass(frozen=True)
class Keep(Desired):
    """A secret named keep, present or absent. `account` must exist first. `refers` are objects that are looked up."""

    present: bool = True
    account: str = ""
    refers: tuple[str, ...] = ()
    breaks_on: str = ""
    within: float = 0.0
    keeps: tuple[str, ...] = ("keep",)

    kind: ClassVar[Kind] = SECRET
    listed_by: ClassVar[ListedBy] = NO_SELECTORS

    def names(self, _namespace: str) -> tuple[str, ...]:
        return self.keeps

    def related(self, namespace: str, _objects: Objects) -> Sequence[ObjectRef]:
        accounts = [ObjectRef(SERVICE_ACCOUNT, namespace, self.account)] if self.account else []
        return [*accounts, *(ObjectRef(SERVICE_ACCOUNT, namespace, name) for name in self.refers)]

    def plan(self, namespace: str, objects: Objects, found: Related) -> Plan:
        if namespace == self.breaks_on:
            raise KeyError("unforeseen")
        if self.account and found.get(ObjectRef(SERVICE_ACCOUNT, namespace, self.account)) is None:
            return Plan(waiting_for=(Prerequisite(f"service account {self.account}", self.within),))
        changes = [change for name in self.keeps if (change := self._change(namespace, name, objects.get(name)))]
        return Plan(tuple(changes), notes=(f"seen in {namespace}",), extra={"seen": sorted(objects)})

    def _change(self, namespace: str, name: str, observed: Json | None) -> Change | None:
        ref = ObjectRef(SECRET, namespace, name)
        if observed is None:
            return create(ref, WANTED, {"what": name}, {"new": name}) if self.present else None
        if not self.present:
            return delete(ref, observed, {}, {"old": name})
        if observed["data"] == WANTED["data"]:
            return None
        return update(ref, observed, WANTED, {}, before={"old": name}, after={"new": name})


class Edit(Keep):
    """Changes only an object that exists."""

    def _change(self, namespace: str, name: str, observed: Json | None) -> Change | None:
        return None if observed is None else super()._change(namespace, name, observed)


class Replace(Keep):
    """Replaces an object with other data."""

    def _change(self, namespace: str, name: str, observed: Json | None) -> Change | None:
        if observed is None or observed["data"] == WANTED["data"]:
            return super()._change(namespace, name, observed)
        return replace(ObjectRef(SECRET, namespace, name), observed, WANTED, {}, before={}, after={})


def run(
    api: FakeApi,
    desired: Any,
    namespaces: Sequence[str] = ("a",),
    *,
    clock: Clock | None = None,
    judge: Judge | None = None,
    seen: Mapping[str, View] | None = None,
    is_judged: bool = False,
    **settings: Any,
) -> Outcome:
    clock = clock or Clock()
    given = {"check_mode": False, "concurrency": 1, "clock": EngineClock(clock.now, clock.sleep), **settings}
    batch = desired if isinstance(desired, Batch) else Batch.of_one(desired, namespaces)
    return reconcile(api.cluster(clock), batch, RunSettings(**given), seen, judge, is_judged=is_judged)


def statuses(outcome: Outcome) -> dict[str, str]:
    return {result.name: result.status for result in outcome.namespaces}


def actions(outcome: Outcome, number: int = 0) -> list[str]:
    return [change.action for change in outcome.namespaces[number].changes]


@pytest.fixture
def api() -> FakeApi:
    return FakeApi()


class TestTruthTable:
    """{present, absent} x {missing, same, different} x {real, check}."""

    TABLE = [
        (True, None, ["create"], ["POST /api/v1/namespaces/a/secrets"]),
        (True, WANTED, [], []),
        (True, OTHER, ["update"], ["PATCH /api/v1/namespaces/a/secrets/keep"]),
        (False, None, [], []),
        (False, WANTED, ["delete"], ["DELETE /api/v1/namespaces/a/secrets/keep"]),
        (False, OTHER, ["delete"], ["DELETE /api/v1/namespaces/a/secrets/keep"]),
    ]

    @pytest.mark.parametrize("check", [False, True])
    @pytest.mark.parametrize(("present", "held", "changes", "writes"), TABLE)
    def test_each_state_leads_to_its_writes_and_report(
        self, present: bool, held: Any, changes: list[str], writes: list[str], check: bool
    ) -> None:
        api = FakeApi()
        api.put("namespaces", "", "a")
        if held is not None:
            api.put("secrets", "a", "keep", **held)
        outcome = run(api, Keep(present), check_mode=check)
        assert actions(outcome) == changes
        assert statuses(outcome) == {"a": "changed" if changes else "unchanged"}
        assert outcome.namespaces[0].notes == ("seen in a",)
        assert outcome.namespaces[0].extra == {"seen": [] if held is None else ["keep"]}
        assert api.writes == ([] if check else writes)
        assert (outcome.stopped, outcome.retries, outcome.has_failed) == ("", 0, False)
        if check:
            return
        stored = api.get("secrets", "a", "keep")
        assert (stored or {}).get("data") == (WANTED["data"] if present else None)
        again = run(api, Keep(present))
        assert (actions(again), api.writes) == ([], writes), "the second run writes nothing"

    def test_several_changes_of_one_namespace_are_carried_out_in_order(self, api: FakeApi) -> None:
        api.put("secrets", "a", "two", **OTHER)
        outcome = run(api, Keep(keeps=("one", "two", "three")))
        assert actions(outcome) == ["create", "update", "create"]
        base = "/api/v1/namespaces/a/secrets"
        assert api.writes == [f"POST {base}", f"PATCH {base}/two", f"POST {base}"]

    def test_a_namespace_named_twice_is_reconciled_once(self, api: FakeApi) -> None:
        outcome = run(api, Keep(), ["b", "a", "b"])
        assert [result.name for result in outcome.namespaces] == ["b", "a"]
        assert len(api.writes) == 2

    def test_many_namespaces_need_one_list_and_one_write_each(self, api: FakeApi) -> None:
        names = [f"n{number:02}" for number in range(40)]
        api.put("secrets", "n07", "keep", **WANTED)
        outcome = run(api, Keep(), names, concurrency=4)
        assert [line for line in api.asked if line.startswith("GET")] == [
            "GET /api/v1/secrets?fieldSelector=metadata.name%3Dkeep&limit=1000"
        ]
        assert len(api.writes) == 39
        assert [result.name for result in outcome.namespaces if result.status == "unchanged"] == ["n07"]


class TestOtherContent:
    """An admission webhook or policy may change each object before the API server stores it."""

    def stores(self, api: FakeApi, namespace: str, **parts: Any) -> None:
        def store(request: Request) -> Answer:
            name = request.body["metadata"].get("name", "keep")
            changed = parts if name == "keep" else {}
            return Answer(200, api.put("secrets", namespace, name, **{**request.body, **changed}))

        api.fail(f"(POST|PATCH) .*/namespaces/{namespace}/", store, times=10**9)

    @pytest.mark.parametrize("held", [None, OTHER], ids=["create", "update"])
    def test_a_change_that_does_not_last_is_an_error_of_its_namespace(self, api: FakeApi, held: Any) -> None:
        if held:
            api.put("secrets", "a", "keep", **held)
        self.stores(api, "a", **OTHER)
        for _run in range(2):
            before = len(api.writes)
            outcome = run(api, Keep(), list("ab"))
            assert statuses(outcome)["a"] == "failed"
            assert len(api.writes) - before <= 2, "one write for each namespace"
            result = outcome.namespaces[0]
            assert len(result.changes) == 1, "what was written is reported"
            assert (
                "secret a/keep was written, but the API server stored it with other data than it was sent"
                in result.error
            )
        assert statuses(outcome)["b"] == "unchanged"

    def test_it_fails_only_its_entry(self, api: FakeApi) -> None:
        self.stores(api, "a", **OTHER)
        entries = [Declaration(Keep(keeps=(name,)), Entry("secrets", at)) for at, name in enumerate(("keep", "two"))]
        outcome = run(api, Batch(SECRET, {"a": entries}))
        assert [failure.entry.position for failure in outcome.namespaces[0].failures] == [0]
        assert actions(outcome) == ["create", "create"]

    def test_additions_of_the_cluster_are_its_own_concern(self, api: FakeApi) -> None:
        self.stores(api, "a", metadata={"labels": {"policy": "theirs"}}, data={**WANTED["data"]}, immutable=False)
        assert [statuses(run(api, Keep()))["a"] for _run in range(2)] == ["changed", "unchanged"]


class TestConflicts:
    def somebody_writes(self, api: FakeApi, verb: str, **parts: Any) -> None:
        """Write or remove the object as another client, just before the first request with this method."""
        waiting = [True]

        def interfere(request: Request) -> None:
            if request.method == verb and waiting.pop():
                waiting.append(False)
                if parts:
                    api.put("secrets", "a", "keep", **parts)
                else:
                    api.remove("secrets", "a", "keep")

        api.before = interfere

    def test_a_changed_object_is_read_and_planned_again(self, api: FakeApi) -> None:
        api.put("secrets", "a", "keep", **OTHER)
        self.somebody_writes(api, "PATCH", data={"k": "dGhpcmQ="}, type="t")
        outcome = run(api, Keep())
        assert actions(outcome) == ["update"]
        assert outcome.retries == 1
        assert api.get("secrets", "a", "keep")["data"] == WANTED["data"]  # type: ignore[index]
        assert [line.split()[0] for line in api.asked] == ["GET", "PATCH", "GET", "PATCH"]

    def test_a_change_that_another_client_has_already_made_is_not_reported(self, api: FakeApi) -> None:
        api.put("secrets", "a", "keep", **OTHER)
        self.somebody_writes(api, "PATCH", **WANTED)
        outcome = run(api, Keep())
        assert (actions(outcome), statuses(outcome), outcome.retries) == ([], {"a": "unchanged"}, 1)

    def test_an_object_that_another_client_created_is_updated(self, api: FakeApi) -> None:
        self.somebody_writes(api, "POST", **OTHER)
        assert actions(run(api, Keep())) == ["update"]
        assert [line.split()[0] for line in api.asked] == ["GET", "POST", "GET", "PATCH"]

    @pytest.mark.parametrize(("present", "then"), [(True, ["create"]), (False, [])], ids=str)
    def test_an_object_that_another_client_deleted_is_planned_again(
        self, api: FakeApi, present: bool, then: list[str]
    ) -> None:
        api.put("secrets", "a", "keep", **OTHER)
        self.somebody_writes(api, "PATCH" if present else "DELETE")
        outcome = run(api, Keep(present))
        assert (actions(outcome), outcome.retries) == (then, 1)

    def test_an_object_that_keeps_changing_is_given_up_after_a_minute(self, api: FakeApi) -> None:
        api.put("secrets", "a", "keep", **OTHER)
        api.fail("PATCH", status_object(409, "Conflict", "modified"), times=10**9)
        clock = Clock()
        started = clock.seconds
        outcome = run(api, Keep(), clock=clock)
        assert statuses(outcome) == {"a": "failed"}
        assert "updating secret a/keep" in outcome.failed[0].error
        assert 60 < clock.seconds - started < 62
        assert outcome.retries == len(api.writes) - 1
        assert max(clock.slept) <= 1.0


class TestLostAnswers:
    @pytest.mark.parametrize("present", [True, False])
    def test_a_write_with_a_lost_answer_is_reported_once_and_not_sent_again(self, api: FakeApi, present: bool) -> None:
        if not present:
            api.put("secrets", "a", "keep", **OTHER)
        api.fail("POST|DELETE", LOST, carried_out=True)
        outcome = run(api, Keep(present))
        assert actions(outcome) == ["create" if present else "delete"]
        assert (len(api.writes), outcome.retries) == (1, 1)

    def test_a_write_that_was_not_carried_out_is_sent_again_and_reported_once(self, api: FakeApi) -> None:
        api.fail("POST", LOST)
        outcome = run(api, Keep())
        assert actions(outcome) == ["create"]
        assert (len(api.writes), outcome.retries) == (2, 1)

    def test_a_lost_write_of_an_object_that_needs_another_write_is_not_reported_with_that(self, api: FakeApi) -> None:
        """Nobody knows whether another client made it. The second write names the object."""

        def created_then_changed(_request: Request) -> Answer:
            api.put("secrets", "a", "keep", **OTHER)
            raise LOST

        api.fail("POST", created_then_changed)
        assert actions(run(api, Keep())) == ["update"]

    def test_a_lost_dry_run_is_no_write(self, api: FakeApi) -> None:
        """Another client makes the replacement meanwhile."""

        def completed(_request: Request) -> Answer:
            api.put("secrets", "a", "keep", **WANTED)
            raise LOST

        api.put("secrets", "a", "keep", **OTHER)
        api.fail("dryRun", completed)
        assert actions(run(api, Replace())) == []

    def test_a_lost_update_of_an_object_that_is_gone_is_not_reported(self, api: FakeApi) -> None:
        """Nobody knows whether it was made. A create names the object."""

        def removed(_request: Request) -> Answer:
            api.remove("secrets", "a", "keep")
            raise LOST

        for desired, expected in ((Keep(), ["create"]), (Edit(), [])):
            api.put("secrets", "a", "keep", **OTHER)
            api.fail("PATCH", removed)
            assert actions(run(api, desired)) == expected

    def test_a_replacement_that_another_client_completed_is_reported(self, api: FakeApi) -> None:
        """The old object was deleted, with all that others had written into it."""

        def created(_request: Request) -> Answer:
            api.put("secrets", "a", "keep", **WANTED)
            return status_object(409, "AlreadyExists", "exists")

        api.put("secrets", "a", "keep", **OTHER)
        api.fail("POST .*/secrets$", created, after=1)
        outcome = run(api, Replace())
        assert (actions(outcome), statuses(outcome)) == (["replace"], {"a": "changed"})

    def test_too_many_lost_answers_end_the_writes_of_one_namespace(self, api: FakeApi) -> None:
        api.fail("POST /api/v1/namespaces/a/", BROKEN, times=10**9)
        outcome = run(api, Keep(), ["a", "b"])
        assert statuses(outcome) == {"a": "failed", "b": "changed"}
        assert "POST /api/v1/namespaces/a/secrets".count("/a/") * 7 == sum("/a/" in line for line in api.writes)
        error = outcome.failed[0].error
        assert "creating secret a/keep" in error
        assert error.endswith(". The response to this was lost, so it may have been carried out: create secret a/keep")


class TestOneFailure:
    def test_a_failure_in_one_namespace_does_not_affect_the_others(self, api: FakeApi) -> None:
        api.fail("POST /api/v1/namespaces/b/", FORBIDDEN)
        outcome = run(api, Keep(), ["a", "b", "c"])
        assert statuses(outcome) == {"a": "changed", "b": "failed", "c": "changed"}
        assert outcome.has_failed
        assert outcome.stopped == ""
        assert "creating secret b/keep" in outcome.failed[0].error
        assert outcome.failed[0].changes == ()

    def test_changes_before_a_failure_are_reported(self, api: FakeApi) -> None:
        api.fail("POST", FORBIDDEN, after=1)
        outcome = run(api, Keep(keeps=("one", "two")))
        assert statuses(outcome) == {"a": "failed"}
        assert [change.ref.name for change in outcome.namespaces[0].changes] == ["one"]
        assert outcome.namespaces[0].notes == ("seen in a",)
        assert "creating secret a/two" in outcome.failed[0].error

    @pytest.mark.parametrize("answer", [BROKEN, status_object(400, "BadRequest", "no")], ids=["500", "400"])
    def test_a_related_object_that_cannot_be_read_fails_its_namespace_alone(self, api: FakeApi, answer: Answer) -> None:
        for name in ("a", "b"):
            api.put("serviceaccounts", name, "robot")
        api.fail("GET /api/v1/namespaces/b/serviceaccounts/robot", answer, times=10**9)
        outcome = run(api, Keep(refers=("robot",)), ["a", "b"])
        assert statuses(outcome) == {"a": "changed", "b": "failed"}
        assert "reading service account b/robot" in outcome.failed[0].error

    def test_a_forbidden_related_object_is_left_out(self, api: FakeApi) -> None:
        api.fail("serviceaccounts", FORBIDDEN, times=10**9)
        assert statuses(run(api, Keep(refers=("robot",)))) == {"a": "changed"}

    def test_an_error_in_the_plan_fails_only_its_namespace(self, api: FakeApi) -> None:
        outcome = run(api, Keep(breaks_on="b"), ["a", "b", "c"])
        assert statuses(outcome) == {"a": "changed", "b": "failed", "c": "changed"}
        assert outcome.failed[0].error.startswith("an internal error: KeyError in plan, line ")
        assert outcome.failed[0].error.endswith(". Please report it, with the task's options")
        assert "unforeseen" not in outcome.failed[0].error

    def test_an_error_in_a_thread_fails_only_its_namespace(self, api: FakeApi) -> None:
        def unforeseen(_request: Request) -> Answer:
            raise ZeroDivisionError("unforeseen")

        api.fail("POST /api/v1/namespaces/b/", unforeseen, times=10**9)
        outcome = run(api, Keep(), ["a", "b", "c"])
        assert statuses(outcome) == {"a": "changed", "b": "failed", "c": "changed"}
        assert "ZeroDivisionError" in outcome.failed[0].error

    def test_an_unreadable_object_is_not_a_failure_of_the_cluster(self, api: FakeApi) -> None:
        """After half a minute of 500 answers for one object, another request decides whether the server is given up."""
        api.fail("GET /api/v1/namespaces/b/", BROKEN, times=10**9)
        outcome = run(api, Keep(), ["a", "b", "c"])
        assert statuses(outcome) == {"a": "changed", "b": "failed", "c": "changed"}
        assert outcome.stopped == ""
        assert api.asked.count("GET /readyz") == 1

    def test_a_missing_namespace_fails_alone(self, api: FakeApi) -> None:
        api.namespaces_checked = True
        api.put("namespaces", "", "a")
        outcome = run(api, Keep(), ["a", "missing"])
        assert statuses(outcome) == {"a": "changed", "missing": "failed"}
        assert outcome.failed[0].error.startswith("the namespace does not exist on https://api.example.com:6443. ")

    def test_a_terminating_namespace_is_skipped(self, api: FakeApi) -> None:
        api.put("namespaces", "", "a", metadata={"deletionTimestamp": "now"})
        outcome = run(api, Keep(), ["a", "b"])
        assert statuses(outcome) == {"a": "skipped", "b": "changed"}
        assert outcome.namespaces[0].error == "the namespace is being deleted on https://api.example.com:6443"
        assert not outcome.has_failed

    @pytest.mark.parametrize(
        ("held", "status"), [(None, "failed"), ({"metadata": {"deletionTimestamp": "now"}}, "skipped"), ({}, "changed")]
    )
    def test_check_mode_reads_the_namespace_before_a_create(self, api: FakeApi, held: Any, status: str) -> None:
        if held is not None:
            api.put("namespaces", "", "a", **held)
        outcome = run(api, Keep(), check_mode=True)
        assert statuses(outcome) == {"a": status}
        assert api.asked == ["GET /api/v1/namespaces/a/secrets/keep", "GET /api/v1/namespaces/a"]

    def test_check_mode_ignores_a_forbidden_read_of_the_namespace(self, api: FakeApi) -> None:
        api.fail("GET /api/v1/namespaces/a$", FORBIDDEN)
        assert statuses(run(api, Keep(), check_mode=True)) == {"a": "changed"}

    def test_check_mode_does_not_read_the_namespace_before_an_update(self, api: FakeApi) -> None:
        api.put("secrets", "a", "keep", **OTHER)
        run(api, Keep(), check_mode=True)
        assert api.asked == ["GET /api/v1/namespaces/a/secrets/keep"]


class TestLimit:
    @pytest.mark.parametrize(
        ("limit", "failing", "expected"),
        [
            (2, "ab", ["failed", "failed", "changed", "changed", "changed"]),
            (2, "abc", ["failed", "failed", "failed", "skipped", "skipped"]),
            (0, "a", ["failed", "skipped", "skipped", "skipped", "skipped"]),
        ],
    )
    def test_max_failures_stops_after_the_limit(
        self, api: FakeApi, limit: int, failing: str, expected: list[str]
    ) -> None:
        api.fail(f"POST .*/namespaces/[{failing}]/", BROKEN, times=10**9)
        outcome = run(api, Keep(), list("abcde"), max_failures=limit)
        assert list(statuses(outcome).values()) == expected
        text = f"not attempted: the API server failed in more than {limit} namespaces ('max_failures')"
        assert {result.error for result in outcome.namespaces if result.status == "skipped"} <= {text}

    def test_a_failure_of_an_entry_counts_for_max_failures(self, api: FakeApi) -> None:
        api.fail("POST .*/namespaces/a/", BROKEN, times=10**9)
        entry = Declaration(Keep(), Entry("secrets", 0))
        outcome = run(api, Batch(SECRET, {name: [entry] for name in "ab"}), list("ab"), max_failures=0)
        assert list(statuses(outcome).values()) == ["failed", "skipped"]

    @pytest.mark.parametrize("answer", [FORBIDDEN, WEBHOOK], ids=["forbidden", "webhook"])
    def test_a_failure_that_a_project_user_can_cause_does_not_count(self, api: FakeApi, answer: Answer) -> None:
        api.fail("POST .*/namespaces/a/", answer, times=10**9)
        assert list(statuses(run(api, Keep(), list("ab"), max_failures=0)).values()) == ["failed", "changed"]

    def test_a_failed_write_to_an_existing_object_does_not_count(self, api: FakeApi) -> None:
        """An example is an object of the largest size that the API server can store, to which nothing can be added."""
        api.put("secrets", "a", "keep", **OTHER)
        api.fail("PATCH .*/namespaces/a/", BROKEN, times=10**9)
        assert list(statuses(run(api, Keep(), list("ab"), max_failures=0)).values()) == ["failed", "changed"]


class TestTheClusterFails:
    def test_a_revoked_login_ends_the_task_soon(self, api: FakeApi) -> None:
        api.fail("POST", UNAUTHORIZED, times=10**9, after=10)
        names = [f"n{number:04}" for number in range(1000)]
        outcome = run(api, Keep(), names, concurrency=4)
        assert len(api.writes) <= 10 + 2 * 4, "not one request for each namespace that is left"
        count = outcome.report()["summary"]
        assert count["changed"] == 10
        assert count["skipped"] + count["failed"] == 990
        assert count["failed"] <= 1
        assert "401" in outcome.stopped
        assert outcome.has_failed
        message = outcome.message("pull_secret")
        assert message.count("401") == 1, "said once"
        assert "Of 1,000 namespaces: 10 changed" in message
        skipped = next(result for result in outcome.namespaces if result.status == "skipped")
        assert skipped.error == "not attempted: the task stopped (https://api.example.com:6443 failed)"

    def test_the_next_run_finishes_the_task(self, api: FakeApi) -> None:
        api.fail("POST", UNAUTHORIZED, after=1)
        run(api, Keep(), list("abc"))
        assert statuses(run(api, Keep(), list("abc"))) == {"a": "unchanged", "b": "changed", "c": "changed"}

    def test_a_half_finished_namespace_is_reported_as_failed(self, api: FakeApi) -> None:
        api.fail("POST", UNAUTHORIZED, times=10**9, after=1)
        outcome = run(api, Keep(keeps=("one", "two")))
        assert statuses(outcome) == {"a": "failed"}
        assert [change.ref.name for change in outcome.namespaces[0].changes] == ["one"]
        assert outcome.failed[0].error == "the task stopped before this namespace was finished"
        assert "401" in outcome.stopped

    def test_a_write_that_may_have_been_carried_out_is_reported_for_its_namespace(self, api: FakeApi) -> None:
        """The server dies. The cause is reported once, and for each namespace only the state that is unknown."""
        api.fail("GET /api/v1/namespaces/[bc]|POST|readyz", LOST, times=10**9, after=3)
        outcome = run(api, Keep(), list("abc"))
        assert "so no further requests" in outcome.stopped
        assert outcome.message("pull_secret").count("so no further requests") == 1
        errors = [result.error for result in outcome.namespaces if result.status == "failed"]
        assert all(error.startswith("the task stopped before this namespace was finished. ") for error in errors)
        assert errors
        assert outcome.failed[0].changes == ()

    def test_an_unknown_resource_on_create_fails_at_once(self, api: FakeApi) -> None:
        api.fail("POST", status_object(404, "NotFound", "404 page not found"), times=10**9)
        clock = Clock()
        assert statuses(run(api, Keep(), clock=clock)) == {"a": "failed"}
        assert (len(api.writes), clock.slept) == (1, [])

    def test_a_refused_login_at_the_first_request_stops_the_task(self, api: FakeApi) -> None:
        api.fail("GET", UNAUTHORIZED, times=10**9)
        outcome = run(api, Keep(), list("abc"))
        assert set(statuses(outcome).values()) <= {"failed", "skipped"}
        assert "401" in outcome.stopped
        assert api.writes == []

    def test_a_failed_list_stops_the_task_and_fails_no_namespace(self, api: FakeApi) -> None:
        api.fail("GET /api/v1/secrets", status_object(400, "BadRequest", "odd"), times=10**9)
        names = [f"n{number}" for number in range(40)]
        outcome = run(api, Keep(), names)
        assert set(statuses(outcome).values()) == {"skipped"}
        assert "listing secrets in all namespaces" in outcome.stopped
        assert api.writes == []

    def test_a_failed_list_in_a_later_round_loses_no_result(self, api: FakeApi) -> None:
        """Some namespaces wait for an account. The list of the second look fails after the first look has written."""
        names = [f"n{number:02}" for number in range(70)]
        for name in names:
            api.put("namespaces", "", name)
        for name in names[:50]:
            api.put("serviceaccounts", name, "robot")
        api.fail("GET /api/v1/secrets", status_object(400, "BadRequest", "odd"), times=10**9, after=1)
        outcome = run(api, Keep(account="robot", within=5), names)
        assert list(statuses(outcome).values()) == ["changed"] * 50 + ["skipped"] * 20
        assert "listing secrets" in outcome.stopped


class TestWaiting:
    def test_an_awaited_object_that_appears_in_time_is_used(self, api: FakeApi) -> None:
        clock = Clock()
        looks = []

        def appear(request: Request) -> None:
            if "serviceaccounts" in request.path:
                looks.append(1)
                if len(looks) == 3:
                    api.put("serviceaccounts", "a", "robot")

        api.before = appear
        api.put("namespaces", "", "a")
        outcome = run(api, Keep(account="robot", within=30), clock=clock)
        assert actions(outcome) == ["create"]
        assert len(looks) == 3
        assert clock.slept == [pytest.approx(0.1), pytest.approx(0.15)]

    def test_an_awaited_object_that_does_not_appear_fails_the_namespace(self, api: FakeApi) -> None:
        api.put("namespaces", "", "a")
        clock = Clock()
        outcome = run(api, Keep(account="robot", within=5), clock=clock)
        assert statuses(outcome) == {"a": "failed"}
        assert outcome.failed[0].error == f"service account robot {LATE}"
        assert sum(clock.slept) == pytest.approx(5)

    def test_a_missing_namespace_is_not_waited_for(self, api: FakeApi) -> None:
        clock = Clock()
        outcome = run(api, Keep(account="robot", within=5), clock=clock)
        assert "the namespace does not exist" in outcome.failed[0].error
        assert clock.slept == []

    def test_a_namespace_deleted_during_the_wait_is_reported_as_deleted(self, api: FakeApi) -> None:
        api.put("namespaces", "", "a")
        clock = Clock()

        def vanish(_request: Request) -> None:
            if clock.slept:
                api.remove("namespaces", "", "a")

        api.before = vanish
        outcome = run(api, Keep(account="robot", within=5), clock=clock)
        assert outcome.failed[0].error.startswith("the namespace was deleted on https://api.example.com:6443 while")

    def test_the_other_namespaces_are_finished_while_one_waits(self, api: FakeApi) -> None:
        for name in ("a", "b"):
            api.put("namespaces", "", name)
        api.put("serviceaccounts", "b", "robot")
        outcome = run(api, Keep(account="robot", within=0), ["a", "b"])
        assert statuses(outcome) == {"a": "failed", "b": "changed"}


@dataclass(frozen=True)
class Adds:
    """Adds keys with their values to a secret in one write, or deletes it without keys. `refuses`: the plan refuses."""

    name: str
    keys: tuple[str, ...] = ()
    refuses: str = ""
    listed_by: ListedBy = field(default_factory=lambda: NO_SELECTORS)

    kind: ClassVar[Kind] = SECRET
    objection = staticmethod(Desired.objection)

    def names(self, _namespace: str) -> tuple[str, ...]:
        return (self.name,)

    def related(self, _namespace: str, _objects: Objects) -> Sequence[ObjectRef]:
        return ()

    def plan(self, namespace: str, objects: Objects, _found: Related) -> Plan:
        if self.refuses:
            raise Refusal(self.refuses)
        ref, held = ObjectRef(SECRET, namespace, self.name), objects.get(self.name)
        data = dict.fromkeys(self.keys, "eA==")
        if not self.keys:
            return Plan(() if held is None else (delete(ref, held, {}, {}),))
        if held is None:
            return Plan((create(ref, {"type": "own", "data": data}, {"added": list(self.keys)}, {}),))
        missing = [key for key in self.keys if key not in (held.get("data") or {})]
        if not missing:
            return Plan()
        patch = {"data": {key: data[key] for key in missing}}
        return Plan((update(ref, held, patch, {"added": missing}, before={}, after={}),))


def entry(number: int) -> Entry:
    return Entry("keeps", number)


def entries(*desired: Any, namespaces: Sequence[str] = ("a",)) -> Batch[Any]:
    """The same entries for each of the namespaces."""
    declared = [Declaration(one, entry(number)) for number, one in enumerate(desired)]
    return Batch(SECRET, dict.fromkeys(namespaces, declared))


def told(outcome: Outcome, number: int = 0) -> list[tuple[str, str, tuple[int, ...]]]:
    """The changes in a namespace: action, name and the numbers of the entries."""
    return [
        (change.action, change.ref.name, tuple(one.position for one in change.entries))
        for change in outcome.namespaces[number].changes
    ]


def why(outcome: Outcome, number: int = 0) -> dict[int, str]:
    return {failure.entry.position: failure.error for failure in outcome.namespaces[number].failures}


SECRETS = "/api/v1/namespaces/a/secrets"


class TestEntries:
    """Many declarations for one namespace: each object is written once, and each entry fails alone."""

    def hold(self, api: FakeApi, *names: str, namespace: str = "a") -> None:
        api.put("namespaces", "", namespace)
        for name in names:
            api.put("secrets", namespace, name, data={"old": "eA=="}, type="own")

    @pytest.mark.parametrize("check", [False, True])
    def test_each_object_of_several_entries_is_written_once(self, api: FakeApi, check: bool) -> None:
        self.hold(api, "two")
        declared = entries(
            Adds("one", ("k",)), Adds("two", ("k",)), Adds("one", ("l",)), Adds("three", ()), Adds("two", ("m", "k"))
        )
        outcome = run(api, declared, check_mode=check)
        assert told(outcome) == [("create", "one", (0, 2)), ("update", "two", (1, 4))]
        assert [change.details for change in outcome.namespaces[0].changes] == [
            {"added": ["k", "l"]},
            {"added": ["k", "m"]},
        ]
        assert api.writes == ([] if check else [f"POST {SECRETS}", f"PATCH {SECRETS}/two"])
        if not check:
            assert sorted(api.get("secrets", "a", "one")["data"]) == ["k", "l"]  # type: ignore[index]
            assert sorted(api.get("secrets", "a", "two")["data"]) == ["k", "m", "old"]  # type: ignore[index]
            assert told(run(api, declared)) == []
            assert len(api.writes) == 2

    def test_an_object_that_one_entry_deletes_is_created_by_another(self, api: FakeApi) -> None:
        self.hold(api, "one")
        outcome = run(api, entries(Adds("one"), Adds("one", ("k",))))
        assert told(outcome) == [("delete", "one", (0,)), ("create", "one", (1,))]
        assert api.get("secrets", "a", "one")["data"] == {"k": "eA=="}  # type: ignore[index]

    @pytest.mark.parametrize("check", [False, True])
    def test_an_entry_that_cannot_be_planned_fails_alone(self, api: FakeApi, check: bool) -> None:
        self.hold(api)
        outcome = run(
            api, entries(Adds("one", ("k",)), Adds("two", refuses="no"), Adds("three", ("k",))), check_mode=check
        )
        assert statuses(outcome) == {"a": "failed"}
        assert (outcome.failed[0].error, outcome.failed[0].failures) == ("", (Failure(entry(1), "no"),))
        assert told(outcome) == [("create", "one", (0,)), ("create", "three", (2,))]
        assert len(api.writes) == (0 if check else 2)

    def test_the_only_entry_that_cannot_be_planned_fails_its_namespace(self, api: FakeApi) -> None:
        outcome = run(api, entries(Adds("one", refuses="no")))
        assert (statuses(outcome), why(outcome), api.writes) == ({"a": "failed"}, {0: "no"}, [])
        assert outcome.has_failed

    def test_a_refused_write_is_the_failure_of_its_entry(self, api: FakeApi) -> None:
        self.hold(api, "one", "two", "three")
        api.fail(f"PATCH {SECRETS}/two", FORBIDDEN)
        outcome = run(api, entries(*(Adds(name, ("k",)) for name in ("one", "two", "three"))))
        assert statuses(outcome) == {"a": "failed"}
        assert told(outcome) == [("update", "one", (0,)), ("update", "three", (2,))]
        assert outcome.failed[0].error == ""
        assert list(why(outcome)) == [1]
        assert why(outcome)[1].startswith("updating secret a/two on https://api.example.com:6443 was refused: 403 ")
        assert api.writes == [f"PATCH {SECRETS}/{name}" for name in ("one", "two", "three")]

    def test_a_refused_joined_write_is_the_failure_of_all_its_entries(self, api: FakeApi) -> None:
        self.hold(api, "both", "own")
        api.fail(f"PATCH {SECRETS}/both", FORBIDDEN)
        outcome = run(api, entries(Adds("both", ("k",)), Adds("own", ("k",)), Adds("both", ("l",))))
        assert told(outcome) == [("update", "own", (1,))]
        assert list(why(outcome)) == [0, 2]
        assert why(outcome)[0] == why(outcome)[2]
        assert api.writes == [f"PATCH {SECRETS}/both", f"PATCH {SECRETS}/own"]

    def test_failures_are_in_the_order_of_the_entries(self, api: FakeApi) -> None:
        self.hold(api, "one", "three")
        api.fail("PATCH", FORBIDDEN, times=2)
        declared = entries(Adds("three", ("k",)), Adds("two", refuses="no"), Adds("one", ("k",)))
        assert list(why(run(api, declared))) == [0, 1, 2]

    def test_a_failed_entry_writes_no_further_object(self, api: FakeApi) -> None:
        api.fail("POST", FORBIDDEN)
        outcome = run(api, entries(Keep(keeps=("one", "two")), Keep(keeps=("three",))))
        assert told(outcome) == [("create", "three", (1,))]
        assert list(why(outcome)) == [0]
        assert api.writes == [f"POST {SECRETS}"] * 2

    def test_an_object_whose_deletion_by_another_entry_failed_is_updated(self, api: FakeApi) -> None:
        """The second entry was planned on the expected result of the first. It is planned again on the actual state."""
        self.hold(api, "one")
        api.fail("DELETE", FORBIDDEN)
        clock = Clock()
        outcome = run(api, entries(Adds("one"), Adds("one", ("k",))), clock=clock)
        assert list(why(outcome)) == [0]
        assert told(outcome) == [("update", "one", (1,))]
        assert sum(clock.slept) < 2
        assert sorted(api.get("secrets", "a", "one")["data"]) == ["k", "old"]  # type: ignore[index]

    def test_an_object_that_a_failed_entry_did_not_write_is_written_by_the_next(self, api: FakeApi) -> None:
        """Both entries keep one secret. The first also keeps another one and is refused, so the second writes alone."""
        self.hold(api, "more")
        api.fail(f"PATCH {SECRETS}/more", FORBIDDEN)
        first = Both(("more", "shared"))
        outcome = run(api, entries(first, Adds("shared", ("k",))))
        assert list(why(outcome)) == [0]
        assert told(outcome) == [("create", "shared", (1,))]

    def test_a_joined_write_with_a_lost_answer_is_reported_once(self, api: FakeApi) -> None:
        self.hold(api, "two")
        api.fail(f"PATCH {SECRETS}/two", LOST, carried_out=True)
        outcome = run(api, entries(Adds("one", ("k",)), Adds("two", ("k",)), Adds("two", ("l",))))
        assert told(outcome) == [("create", "one", (0,)), ("update", "two", (1, 2))]
        assert (statuses(outcome), len(api.writes), outcome.retries) == ({"a": "changed"}, 2, 1)

    def test_an_entry_whose_answers_are_always_lost_fails_alone(self, api: FakeApi) -> None:
        self.hold(api, "one", "two")
        api.fail(f"PATCH {SECRETS}/one", BROKEN, times=10**9)
        outcome = run(api, entries(Adds("one", ("k",)), Adds("two", ("k",))))
        assert told(outcome) == [("update", "two", (1,))]
        assert list(why(outcome)) == [0]
        assert why(outcome)[0].endswith(
            ". The response to this was lost, so it may have been carried out: update secret a/one"
        )
        assert outcome.failed[0].error == ""

    def test_an_entry_whose_object_keeps_changing_fails_alone(self, api: FakeApi) -> None:
        self.hold(api, "one", "two")
        api.fail(f"PATCH {SECRETS}/one", status_object(409, "Conflict", "modified"), times=10**9)
        outcome = run(api, entries(Adds("one", ("k",)), Adds("two", ("k",))))
        assert told(outcome) == [("update", "two", (1,))]
        assert list(why(outcome)) == [0]
        assert "may have been carried out" not in why(outcome)[0]

    CONFLICT = status_object(409, "Conflict", "modified")

    @pytest.mark.parametrize("failing", [CONFLICT, BROKEN])
    def test_retries_of_one_entry_are_not_taken_from_the_next(self, api: FakeApi, failing: Answer) -> None:
        """The second object has only a few failures, after the first one has used all of its retries."""
        self.hold(api, "one", "two")
        api.fail(f"PATCH {SECRETS}/one", failing, times=10**9)
        api.fail(f"PATCH {SECRETS}/two", failing, times=3)
        clock = Clock()
        outcome = run(api, entries(Adds("one", ("k",)), Adds("two", ("k",))), clock=clock)
        assert (list(why(outcome)), told(outcome)) == ([0], [("update", "two", (1,))])
        assert api.writes.count(f"PATCH {SECRETS}/two") == 4
        assert clock.slept[-3] <= 0.02, "nor does it wait as long as the first did at last"

    def test_the_time_of_a_write_begins_with_its_first_failure(self, api: FakeApi) -> None:
        """The writes before it may have taken longer than the time limit of one object."""
        self.hold(api, "one", "two")
        clock = Clock()

        def slow(request: Request) -> None:
            clock.seconds += 100 if request.path.endswith("/one") and request.method == "PATCH" else 0

        api.before = slow
        api.fail(f"PATCH {SECRETS}/two", self.CONFLICT, times=1)
        outcome = run(api, entries(Adds("one", ("k",)), Adds("two", ("k",))), clock=clock)
        assert statuses(outcome) == {"a": "changed"}

    @pytest.mark.parametrize(("failing", "most"), [(CONFLICT, None), (BROKEN, 25 + 16)])
    def test_the_retries_of_a_namespace_are_limited(self, api: FakeApi, failing: Answer, most: int | None) -> None:
        """Twenty objects that always fail do not delay the task twenty times as long as one."""
        names = [f"s{number:02}" for number in range(20)]
        self.hold(api, *names, "last")
        api.fail(f"PATCH {SECRETS}/s", failing, times=10**9)
        clock = Clock()
        started = clock.seconds
        outcome = run(api, entries(*(Adds(name, ("k",)) for name in (*names, "last"))), clock=clock)
        assert list(why(outcome)) == list(range(20))
        assert told(outcome) == [("update", "last", (20,))]
        assert clock.seconds - started < 4 * 60 + 5
        counts = [api.writes.count(f"PATCH {SECRETS}/{name}") for name in names]
        assert counts[-10:] == [1] * 10, "each is tried once at least"
        assert most is None or sum(counts) == most

    def test_a_change_of_an_entry_that_another_client_has_already_made_is_not_reported(self, api: FakeApi) -> None:
        self.hold(api, "one")
        waiting = [True]

        def interfere(request: Request) -> None:
            if request.method == "PATCH" and waiting:
                waiting.pop()
                api.put("secrets", "a", "one", data={"k": "eA=="}, type="own")

        api.before = interfere
        outcome = run(api, entries(Adds("one", ("k",)), Adds("one", ("l",))))
        assert told(outcome) == [("update", "one", (1,))]

    @pytest.mark.parametrize("missing", [True, False])
    def test_a_missing_or_terminating_namespace_is_not_the_failure_of_an_entry(
        self, api: FakeApi, missing: bool
    ) -> None:
        api.namespaces_checked = True
        if not missing:
            api.put("namespaces", "", "a", metadata={"deletionTimestamp": "now"})
        outcome = run(api, entries(Adds("one", ("k",)), Adds("two", ("k",))))
        assert statuses(outcome) == {"a": "failed" if missing else "skipped"}
        assert why(outcome) == {}
        assert len(api.writes) == 1

    def test_an_unforeseen_error_is_the_failure_of_the_namespace(self, api: FakeApi) -> None:
        outcome = run(api, entries(Keep(breaks_on="a"), Adds("one", ("k",))))
        assert outcome.failed[0].error.startswith("an internal error: KeyError")


class TestTheClusterFailsWithEntries:
    def test_a_failed_cluster_is_reported_once_with_the_finished_entries(self, api: FakeApi) -> None:
        api.fail("POST", UNAUTHORIZED, times=10**9, after=1)
        names = ["a", "b"]
        outcome = run(api, entries(Adds("one", ("k",)), Adds("two", ("k",)), namespaces=names), names)
        assert statuses(outcome) == {"a": "failed", "b": "skipped"}
        assert told(outcome) == [("create", "one", (0,))]
        assert why(outcome) == {}
        assert outcome.failed[0].error == "the task stopped before this namespace was finished"
        assert "401" in outcome.stopped
        assert len(api.writes) <= 3

    @pytest.mark.parametrize("refused", ["write", "plan"])
    def test_the_reason_of_an_earlier_failed_entry_is_reported(self, api: FakeApi, refused: str) -> None:
        api.put("secrets", "a", "one", data={"old": "eA=="})
        api.fail(f"PATCH {SECRETS}/one", FORBIDDEN)
        api.fail("POST", UNAUTHORIZED, times=10**9)
        first = Adds("one", ("k",)) if refused == "write" else Adds("one", refuses="no")
        outcome = run(api, entries(first, Adds("two", ("k",))))
        assert statuses(outcome) == {"a": "failed"}
        assert list(why(outcome)) == [0]
        assert [row["entry"] for row in outcome.report()["failures"] if "entry" in row] == [0]
        assert "401" in outcome.stopped


class TestWaitingEntries:
    def test_each_entry_waits_for_its_own_time_and_delays_no_other(self, api: FakeApi) -> None:
        api.put("namespaces", "", "a")
        clock = Clock()
        started = clock.seconds

        def appear(_request: Request) -> None:
            if clock.seconds - started > 10:
                api.put("serviceaccounts", "a", "late")

        api.before = appear
        declared = entries(
            Keep(account="never", within=5, keeps=("one",)),
            Keep(account="late", within=20, keeps=("two",)),
            Keep(keeps=("three",)),
        )
        outcome = run(api, declared, clock=clock)
        assert statuses(outcome) == {"a": "failed"}
        assert told(outcome) == [("create", "three", (2,)), ("create", "two", (1,))]
        assert why(outcome) == {0: f"service account never {LATE}"}
        assert 10 < clock.seconds - started < 12
        first_write = next(number for number, line in enumerate(api.asked) if line.startswith("POST"))
        reads = [line for line in api.asked[:first_write] if line.startswith("GET")]
        assert len(reads) == len(set(reads)), "what is not awaited is written at the first look"

    def test_entries_wait_until_the_longest_time_has_passed(self, api: FakeApi) -> None:
        api.put("namespaces", "", "a")
        clock = Clock()
        declared = entries(Keep(account="x", within=5), Keep(account="y", within=8), Keep(account="z", within=0))
        outcome = run(api, declared, clock=clock)
        assert sum(clock.slept) == pytest.approx(8)
        assert why(outcome) == {number: f"service account {name} {LATE}" for number, name in enumerate("xyz")}
        assert outcome.failed[0].error == ""

    def test_all_awaited_objects_of_one_entry_are_one_reason(self, api: FakeApi) -> None:
        api.put("namespaces", "", "a")
        outcome = run(api, entries(Awaits(("x", "y"), 0), Awaits(("z",), 0)))
        assert why(outcome) == {0: f"x, y {LATE}", 1: f"z {LATE}"}

    def test_a_finished_namespace_is_not_read_again(self, api: FakeApi) -> None:
        for name in ("a", "b"):
            api.put("namespaces", "", name)
        places = {"a": [Declaration(Awaits(("x",), 3), entry(0))], "b": [Declaration(Awaits(("y",), 0), entry(1))]}
        run(api, Batch(SECRET, places), ["a", "b"])
        assert sum("namespaces/b/secrets" in line for line in api.asked) == 1
        assert sum("namespaces/a/secrets" in line for line in api.asked) > 1


class TestNotBroughtByAList:
    """Objects of many names are listed by type. An object of another type may exist although the list lacks it."""

    COUNT = 40
    LIST = "GET /api/v1/namespaces/a/secrets?fieldSelector=type%3Down&limit=1000"
    TYPED: ListedBy = {SECRET: ("type=own",)}

    def declared(self, *more: Any) -> Batch[Any]:
        keys = [Adds(f"s{number:02}", ("k",), listed_by=self.TYPED) for number in range(self.COUNT)]
        return entries(*keys, *more)

    def reads(self, api: FakeApi) -> list[str]:
        return [line for line in api.asked if line.startswith("GET") and line != self.LIST]

    @pytest.fixture(autouse=True)
    def held(self, api: FakeApi) -> None:
        api.put("namespaces", "", "a")
        for number in range(self.COUNT - 1):
            api.put("secrets", "a", f"s{number:02}", type="own", data={"k": "eA=="})

    def test_a_missing_object_is_created_without_a_read(self, api: FakeApi) -> None:
        outcome = run(api, self.declared())
        assert told(outcome) == [("create", "s39", (39,))]
        assert api.asked == [self.LIST, f"POST {SECRETS}"]

    def test_an_object_of_another_type_is_found_by_the_create(self, api: FakeApi) -> None:
        api.put("secrets", "a", "s39", type="other", data={"old": "eA=="})
        outcome = run(api, self.declared())
        assert told(outcome) == [("update", "s39", (39,))]
        assert api.asked == [self.LIST, f"POST {SECRETS}", f"GET {SECRETS}/s39", f"PATCH {SECRETS}/s39"]
        assert sorted(api.get("secrets", "a", "s39")["data"]) == ["k", "old"]  # type: ignore[index]

    def test_an_object_of_another_type_that_is_correct_needs_no_change(self, api: FakeApi) -> None:
        api.put("secrets", "a", "s39", type="other", data={"k": "eA=="})
        outcome = run(api, self.declared())
        assert (told(outcome), statuses(outcome)) == ([], {"a": "unchanged"})
        assert api.asked == [self.LIST, f"POST {SECRETS}", f"GET {SECRETS}/s39"]

    def test_check_mode_reads_an_object_that_the_list_lacks(self, api: FakeApi) -> None:
        api.put("secrets", "a", "s39", type="other", data={"k": "eA=="})
        assert told(run(api, self.declared(), check_mode=True)) == []
        assert api.asked == [self.LIST, f"GET {SECRETS}/s39"]

    def test_check_mode_predicts_the_create(self, api: FakeApi) -> None:
        assert told(run(api, self.declared(), check_mode=True)) == [("create", "s39", (39,))]
        assert self.reads(api) == [f"GET {SECRETS}/s39", "GET /api/v1/namespaces/a"]

    @pytest.mark.parametrize("exists", [True, False])
    def test_an_object_that_must_be_absent_is_read(self, api: FakeApi, exists: bool) -> None:
        if exists:
            api.put("secrets", "a", "gone", type="other")
        outcome = run(api, self.declared(Adds("gone", listed_by=self.TYPED)))
        assert told(outcome) == [("create", "s39", (39,)), *([("delete", "gone", (40,))] if exists else [])]
        assert self.reads(api) == [f"GET {SECRETS}/gone"]

    def test_several_objects_are_read_in_order_before_any_write(self, api: FakeApi) -> None:
        for name in ("y", "x"):
            api.put("secrets", "a", name, type="other")
        run(api, self.declared(*(Adds(name, listed_by=self.TYPED) for name in "yx")))
        assert [line.split()[0] for line in api.asked] == ["GET", "GET", "GET", "POST", "DELETE", "DELETE"]
        assert self.reads(api) == [f"GET {SECRETS}/x", f"GET {SECRETS}/y"]

    def test_an_object_whose_entry_is_refused_is_read(self, api: FakeApi) -> None:
        """A refusal because the object is absent does not count if the object exists."""
        api.put("secrets", "a", "there", type="other")
        outcome = run(api, self.declared(NeedsIt("there", listed_by=self.TYPED)))
        assert why(outcome) == {}
        assert self.reads(api) == [f"GET {SECRETS}/there"]

    def test_an_unreadable_object_that_the_list_lacks_fails_its_namespace(self, api: FakeApi) -> None:
        api.fail(f"GET {SECRETS}/gone", status_object(400, "BadRequest", "odd"), times=10**9)
        outcome = run(api, self.declared(Adds("gone", listed_by=self.TYPED)))
        assert statuses(outcome) == {"a": "failed"}
        assert "reading secret a/gone" in outcome.failed[0].error
        assert api.writes == []

    def test_no_object_is_read_twice_in_one_look_of_a_waiting_namespace(self, api: FakeApi) -> None:
        """Each look begins with the list."""
        clock = Clock()
        outcome = run(api, self.declared(Adds("gone", listed_by=self.TYPED), Awaits(("x",), 0.2)), clock=clock)
        assert list(why(outcome)) == [41]
        looks = api.asked.count(self.LIST)
        assert looks > 1
        assert api.asked.count(f"GET {SECRETS}/gone") == looks


@dataclass(frozen=True)
class Both(Adds):
    """Adds the key k to two secrets, of which one exists."""

    name: Any = ()

    def names(self, _namespace: str) -> tuple[str, ...]:
        return tuple(self.name)

    def plan(self, namespace: str, objects: Objects, found: Related) -> Plan:
        plans = [Adds(name, ("k",)).plan(namespace, objects, found) for name in self.name]
        return Plan(tuple(change for plan in plans for change in plan.changes))


@dataclass(frozen=True)
class NeedsIt(Adds):
    """Refuses if the secret does not exist."""

    def plan(self, namespace: str, objects: Objects, found: Related) -> Plan:
        if self.name not in objects:
            raise Refusal("it is not there")
        return Plan()


@dataclass(frozen=True)
class Awaits(Desired):
    """Waits for objects that never appear."""

    what: tuple[str, ...]
    within: float

    kind: ClassVar[Kind] = SECRET
    listed_by: ClassVar[ListedBy] = NO_SELECTORS

    def names(self, _namespace: str) -> tuple[str, ...]:
        return ("awaited",)

    def related(self, _namespace: str, _objects: Objects) -> Sequence[ObjectRef]:
        return ()

    def plan(self, _namespace: str, _objects: Objects, _found: Related) -> Plan:
        return Plan(waiting_for=tuple(Prerequisite(one, self.within) for one in self.what))


class TestProgress:
    def test_progress_counts_each_namespace_once(self, api: FakeApi) -> None:
        clock, said = Clock(), []
        api.before = lambda _request: clock.sleep(4.0)
        api.fail("POST /api/v1/namespaces/c/", FORBIDDEN)
        api.put("secrets", "b", "keep", **WANTED)
        run(api, Keep(), list("abcd"), clock=clock, task="pull_secret", say=said.append)
        assert said[-1].startswith("pull_secret 4/4 namespaces, 2 changed, 1 failed")


class TestSeen:
    """Objects that were already read are not read again."""

    def test_the_plan_uses_the_objects_that_were_seen_before(self, api: FakeApi) -> None:
        held = api.put("secrets", "a", "keep", **OTHER)
        outcome = run(api, Keep(), seen={"a": View({"keep": held})})
        assert statuses(outcome) == {"a": "changed"}
        assert api.asked == ["PATCH /api/v1/namespaces/a/secrets/keep"]

    def test_an_outdated_object_is_read_again(self, api: FakeApi) -> None:
        held = api.put("secrets", "a", "keep", **OTHER)
        api.put("secrets", "a", "keep", **WANTED)
        outcome = run(api, Keep(), seen={"a": View({"keep": held})})
        assert statuses(outcome) == {"a": "unchanged"}
        assert [text.partition(" ")[0] for text in api.asked] == ["PATCH", "GET"]

    def test_a_later_look_does_not_use_the_objects_that_were_seen_before(self, api: FakeApi) -> None:
        api.put("namespaces", "", "a")
        api.put("serviceaccounts", "a", "default")
        outcome = run(api, Keep(account="default", within=5.0), seen={"a": View()})
        assert statuses(outcome) == {"a": "changed"}


class TestJudge:
    """A judge is asked about the changes of all namespaces, before the first write, until it has judged the plan that is carried out."""

    @pytest.fixture
    def three(self, api: FakeApi) -> FakeApi:
        for name in ("a", "b", "c"):
            api.put("secrets", name, "keep", **OTHER)
        return api

    def conflict(self, api: FakeApi, times: int = 1) -> None:
        """Another client writes the object of namespace a, just before its deletion, `times` times."""

        def overwrite(_request: Request) -> Answer:
            api.put("secrets", "a", "keep", **OTHER, metadata={"labels": {"now": "theirs"}})
            return status_object(409, "Conflict", "changed")

        api.fail("DELETE .*/a/secrets/keep", overwrite, times=times)

    def test_a_refused_change_fails_its_namespace_and_the_others_go_on(self, three: FakeApi) -> None:
        judged: list[list[str]] = []

        def judge(changes: Sequence[Change]) -> dict[ObjectRef, str]:
            assert three.writes == []
            judged.append([str(change.ref) for change in changes])
            return {ObjectRef(SECRET, "b", "keep"): "pod b/web needs it"}

        found = run(three, Keep(present=False), ("a", "b", "c"), judge=judge)
        assert judged == [["secret a/keep", "secret b/keep", "secret c/keep"]]
        assert statuses(found) == {"a": "changed", "b": "failed", "c": "changed"}
        assert found.namespaces[1].error == "pod b/web needs it"
        assert sorted(three.writes) == [f"DELETE /api/v1/namespaces/{name}/secrets/keep" for name in ("a", "c")]

    @pytest.mark.parametrize("check", [False, True])
    def test_a_refused_change_fails_its_entry_only(self, three: FakeApi, check: bool) -> None:
        three.put("secrets", "a", "other", **OTHER)
        first, second = Entry("keep", 0), Entry("other", 1)
        absent = [Declaration(Keep(present=False), first), Declaration(Keep(present=False, keeps=("other",)), second)]
        ref = ObjectRef(SECRET, "a", "keep")
        found = run(three, Batch(SECRET, {"a": absent}), judge=lambda _changes: {ref: "needed"}, check_mode=check)
        (result,) = found.namespaces
        assert result.failures == (Failure(first, "needed"),)
        assert [change.ref.name for change in result.changes] == ["other"]
        assert three.writes == ([] if check else ["DELETE /api/v1/namespaces/a/secrets/other"])

    @pytest.mark.parametrize("check", [False, True])
    def test_an_entry_of_a_write_is_refused_alone(self, three: FakeApi, check: bool) -> None:
        """Two entries delete one object in two namespaces. The second one is refused in one of them."""
        first, second = Entry("keep", 0), Entry("keep", 1)
        absent = [
            Declaration(Keep(present=False, keeps=(name, "more")), entry)
            for name, entry in (("keep", first), ("other", second))
        ]
        for place in ("a", "b"):
            for name in ("more", "other"):
                three.put("secrets", place, name, **OTHER)

        def judge(changes: PlannedChanges) -> dict[tuple[str, Entry], str]:
            assert [change.ref.name for change in changes.plan("a", [second])] == ["keep", "more"]
            return {("a", second): "needed"} if len(changes) == 6 else {}

        found = run(three, Batch(SECRET, {"a": absent, "b": absent}), judge=judge, check_mode=check)
        assert [result.failures for result in found.namespaces] == [(Failure(second, "needed"),), ()]
        names = [[change.ref.name for change in result.changes] for result in found.namespaces]
        assert names == [["keep", "more"], ["keep", "more", "other"]]

    @pytest.mark.parametrize("check", [False, True])
    def test_the_plan_without_a_refused_entry_is_judged_too(self, three: FakeApi, check: bool) -> None:
        """The first entry changes two objects. Without it, the second entry deletes one of them."""
        three.put("namespaces", "", "a")
        three.put("secrets", "a", "other", **OTHER)
        first, second, third = Entry("both", 0), Entry("other", 1), Entry("more", 2)
        declared = [
            Declaration(Keep(keeps=("keep", "other")), first),
            Declaration(Keep(present=False, keeps=("other",)), second),
            Declaration(Keep(keeps=("more",)), third),
        ]
        keep, other = (ObjectRef(SECRET, "a", name) for name in ("keep", "other"))
        judged: list[list[tuple[str, str]]] = []

        def judge(changes: Sequence[Change]) -> dict[ObjectRef, str]:
            assert three.writes == []
            judged.append([(change.action, change.ref.name) for change in changes])
            return {other: "needed too"} if keep not in [change.ref for change in changes] else {keep: "needed"}

        (result,) = run(three, Batch(SECRET, {"a": declared}), judge=judge, check_mode=check).namespaces
        assert judged[1:] == [[("delete", "other"), ("create", "more")]]
        assert result.failures == (Failure(first, "needed"), Failure(second, "needed too"))
        assert [change.ref.name for change in result.changes] == ["more"]
        assert three.writes == ([] if check else ["POST /api/v1/namespaces/a/secrets"])

    def test_the_rest_of_a_judged_plan_is_not_judged_again(self, three: FakeApi) -> None:
        rounds: list[Sequence[Change]] = []

        def judge(changes: Sequence[Change]) -> dict[ObjectRef, str]:
            rounds.append(changes)
            return {ObjectRef(SECRET, "b", "keep"): "needed"}

        run(three, Keep(present=False), ("a", "b", "c"), judge=judge)
        assert len(rounds) == 1

    def test_a_plan_that_a_conflict_has_changed_is_judged_before_it_is_written(self, three: FakeApi) -> None:
        """While a is deleted, another client writes it. The judge then refuses it. The other namespaces are finished."""
        judged: list[list[str]] = []

        def judge(changes: Sequence[Change]) -> dict[ObjectRef, str]:
            judged.append([change.ref.namespace for change in changes])
            return {ObjectRef(SECRET, "a", "keep"): "a new pod needs it"} if len(judged) > 1 else {}

        self.conflict(three)
        found = run(three, Keep(present=False), ("a", "b", "c"), judge=judge)
        assert judged == [["a", "b", "c"], ["a"]]
        assert statuses(found) == {"a": "failed", "b": "changed", "c": "changed"}
        assert found.namespaces[0].error == "a new pod needs it"
        assert three.writes.count("DELETE /api/v1/namespaces/a/secrets/keep") == 1
        assert three.get("secrets", "a", "keep")

    def test_a_plan_that_may_be_written_after_a_conflict_is_written(self, three: FakeApi) -> None:
        self.conflict(three, times=3)
        judged: list[Sequence[Change]] = []
        found = run(three, Keep(present=False), judge=lambda changes: judged.append(changes) or {})
        assert len(judged) == 4
        assert (statuses(found), found.retries) == ({"a": "changed"}, 3)
        assert three.get("secrets", "a", "keep") is None

    def test_the_plan_without_an_entry_whose_write_failed_is_judged_before_it_is_written(self, three: FakeApi) -> None:
        """Without the first secret, the second one is needed."""
        declared = [
            Declaration(Keep(keeps=("more",)), Entry("more", 0)),
            Declaration(Keep(present=False, keeps=("keep",)), Entry("keep", 1)),
        ]
        three.put("namespaces", "", "a")
        three.fail("POST .*/a/secrets", status_object(403, "Forbidden", "no"))

        def judge(changes: Sequence[Change]) -> dict[ObjectRef, str]:
            names = [change.ref.name for change in changes]
            return {} if "more" in names else {ObjectRef(SECRET, "a", "keep"): "needed"}

        (result,) = run(three, Batch(SECRET, {"a": declared}), judge=judge).namespaces
        assert [failure.entry.position for failure in result.failures] == [0, 1]
        assert result.failures[1].error == "needed"
        assert three.writes == ["POST /api/v1/namespaces/a/secrets"]

    def test_plans_that_were_judged_before_are_judged_only_after_a_conflict(self, three: FakeApi) -> None:
        seen = {name: View({"keep": three.get("secrets", name, "keep") or {}}) for name in ("a", "b")}
        three.put("secrets", "a", "keep", **OTHER)
        judged: list[list[str]] = []

        def judge(changes: Sequence[Change]) -> dict[ObjectRef, str]:
            judged.append([change.ref.namespace for change in changes])
            return {}

        found = run(three, Keep(present=False), ("a", "b"), judge=judge, seen=seen, is_judged=True)
        assert judged == [["a"]]
        assert statuses(found) == {"a": "changed", "b": "changed"}

    def test_an_object_that_others_keep_changing_ends_with_its_namespace(self, three: FakeApi) -> None:
        self.conflict(three, times=10**6)
        clock = Clock()

        def judge(_changes: Sequence[Change]) -> dict[ObjectRef, str]:
            clock.sleep(25)
            return {}

        found = run(three, Keep(present=False), ("a", "b"), clock=clock, judge=judge)
        assert statuses(found) == {"a": "failed", "b": "changed"}
        assert three.writes.count("DELETE /api/v1/namespaces/a/secrets/keep") == 4

    @pytest.mark.parametrize("check", [False, True])
    def test_a_judge_that_fails_stops_the_run_before_the_first_write(self, three: FakeApi, check: bool) -> None:
        def judge(_changes: Sequence[Change]) -> dict[ObjectRef, str]:
            raise Refusal("no removal was made")

        found = run(three, Keep(present=False), ("a", "b"), judge=judge, check_mode=check)
        assert found.stopped == "no removal was made"
        assert statuses(found) == {"a": "skipped", "b": "skipped"}
        assert three.writes == []

    def test_a_judge_is_not_asked_about_nothing(self, api: FakeApi) -> None:
        api.put("secrets", "a", "keep", **WANTED)
        seen: list[Sequence[Change]] = []
        run(api, Keep(), judge=lambda changes: seen.append(changes) or {})
        assert seen == []
