# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Some failures end a run early, and each namespace then reports its state."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.errors import (
    ApiError,
    ClusterError,
    Conflict,
    Forbidden,
    NamespaceMissing,
    NamespaceTerminating,
    Unanswered,
    WebhookUnanswered,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import ImagePullError, Refusal
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SECRET, Kind, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.protocols import NO_SELECTORS, ListedBy
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.clock import Clock as EngineClock
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.result import NamespaceResult
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.run import (
    Run,
    RunSettings,
    internal_error,
    open_run,
)
from support.fake_api import FakeApi
from support.scripted_pool import HOST, Clock, status_object

ALWAYS = 10**9


class Question:
    kind: ClassVar[Kind] = SECRET
    listed_by: ClassVar[ListedBy] = NO_SELECTORS

    def names(self, _namespace: str) -> tuple[str, ...]:
        return ("pull",)

    def related(self, _namespace: str, _objects: object) -> list[ObjectRef]:
        return []


@pytest.fixture
def api() -> FakeApi:
    return FakeApi()


def run_of(api: FakeApi, max_failures: int | None = None) -> Iterator[Run]:
    clock = Clock()
    settings = RunSettings(False, concurrency=1, max_failures=max_failures, clock=EngineClock(clock.now, clock.sleep))
    with open_run(api.cluster(clock), 3, settings) as found:
        yield found


@pytest.fixture
def run(api: FakeApi) -> Iterator[Run]:
    yield from run_of(api)


class TestStop:
    def test_the_first_reason_to_stop_is_reported(self, run: Run) -> None:
        assert run.outcome([]).stopped == ""
        for text in ("first", "second"):
            run.stop(ImagePullError(text))
        assert run.outcome([]).stopped == "first"
        assert run.result_of_skip("a").error == f"not attempted: the task stopped ({HOST} failed)"

    def test_a_read_with_a_refused_login_stops_the_run(self, api: FakeApi, run: Run) -> None:
        api.fail("GET", status_object(401, "Unauthorized", "no"), times=ALWAYS)
        run.read(Question(), ["a"])
        assert "401" in run.stopped

    def test_a_failed_list_of_all_namespaces_stops_the_run(self, api: FakeApi, run: Run) -> None:
        api.fail("GET", status_object(400, "BadRequest", "odd"), times=ALWAYS)
        assert run.read(Question(), [f"n{number}" for number in range(9)]) == {}
        assert "odd" in run.stopped

    def test_an_unreadable_object_is_the_failure_of_one_namespace(self, api: FakeApi, run: Run) -> None:
        api.fail("GET .*/a/", status_object(400, "BadRequest", "odd"), times=ALWAYS)
        seen = run.read(Question(), ["a", "b"])
        assert isinstance(seen["a"], ImagePullError)
        assert not isinstance(seen["b"], ImagePullError)
        assert run.stopped == ""

    @pytest.mark.parametrize(("limit", "over"), [(None, False), (1, False), (0, True)])
    def test_failures_over_the_limit_end_the_run(self, api: FakeApi, limit: int | None, over: bool) -> None:
        for found in run_of(api, limit):
            for _twice in range(2):
                found.count("a", Unanswered("no answer"))
            assert found.is_over is over
            if over:
                text = "not attempted: the API server failed in more than 0 namespaces (max_failures)"
                assert found.result_of_skip("a").error == text

    def test_a_read_that_fails_in_the_api_server_counts(self, api: FakeApi) -> None:
        api.fail("GET .*/a/", status_object(500, "InternalError", "broken"), times=ALWAYS)
        for found in run_of(api, 0):
            found.read(Question(), ["a", "b"])
            assert found.unserved == {"a"}

    @pytest.mark.parametrize(
        ("kind", "status", "counts"),
        [
            (Unanswered, 0, True),
            (ApiError, 503, True),
            (ApiError, 429, True),
            # A project user causes these: an object, a deleted role binding, a full quota, a policy, a deleted project.
            (Refusal, 0, False),
            (Forbidden, 403, False),
            (ApiError, 422, False),
            (Conflict, 409, False),
            (NamespaceMissing, 404, False),
            (NamespaceTerminating, 403, False),
            (WebhookUnanswered, 0, False),
            (ImagePullError, 0, False),
        ],
    )
    def test_failures_count_only_if_the_api_server_caused_them(
        self, api: FakeApi, kind: type[ImagePullError], status: int, counts: bool
    ) -> None:
        error = kind("odd")
        if isinstance(error, ApiError):
            error.status = status
        for found in run_of(api, 0):
            found.count("a", error)
            assert found.is_over is counts


class TestFailed:
    def test_a_failure_of_the_cluster_is_reported_once(self, run: Run) -> None:
        assert run.failed("a", ClusterError("gone")) == run.result_of_skip("a")
        assert run.stopped == "gone"

    def test_a_write_that_may_have_been_carried_out_is_reported(self, run: Run) -> None:
        error = ClusterError("gone")
        error.unanswered = True
        text = "the task stopped before this namespace was finished. Its last write may have been carried out"
        assert run.failed("a", error) == NamespaceResult("a", "failed", error=text)

    def test_a_missing_namespace_fails_and_a_terminating_one_is_skipped(self, run: Run) -> None:
        assert run.failed("a", NamespaceTerminating("x")).status == "skipped"
        missing = run.failed("a", NamespaceMissing("x"))
        assert missing.status == "failed"
        assert "does not exist" in missing.error

    def test_any_other_failure_belongs_to_the_namespace(self, run: Run) -> None:
        assert run.failed("a", ApiError("odd")) == NamespaceResult("a", "failed", error="odd")
        assert run.stopped == ""


class TestNamespace:
    def test_an_existing_namespace_has_no_problem(self, api: FakeApi, run: Run) -> None:
        api.put("namespaces", "", "a")
        assert run.namespace_problem("a", was_there=False) == ""

    def test_a_missing_namespace_is_reported_as_missing_or_deleted(self, run: Run) -> None:
        never, gone = (run.namespace_problem("a", was_there=was_there) for was_there in (False, True))
        assert "does not exist" in never
        assert "deleted" in gone

    def test_a_forbidden_read_of_the_namespace_is_ignored(self, api: FakeApi, run: Run) -> None:
        api.fail("GET /api/v1/namespaces/a", status_object(403, "Forbidden", "no"), times=ALWAYS)
        assert run.namespace_problem("a", was_there=False) == ""

    def test_a_failed_read_of_the_namespace_is_reported(self, api: FakeApi, run: Run) -> None:
        api.fail("GET /api/v1/namespaces/a", status_object(400, "BadRequest", "odd"), times=ALWAYS)
        assert "odd" in run.namespace_problem("a", was_there=False)


def test_retries_of_the_run_are_counted(run: Run) -> None:
    assert run.outcome([], 3).retries == 3


def test_an_internal_error_asks_for_a_report() -> None:
    assert (
        str(internal_error(KeyError("x"))) == "an internal error: KeyError. Please report it, with the task's options"
    )
