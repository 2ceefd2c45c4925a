# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run drives the work in its namespaces, some failures end it early, and each namespace then reports its state."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

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
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.changes import NO_SELECTORS, ListedBy
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import ImagePullError, Refusal
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SECRET, Kind, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.result import NamespaceResult
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.run import Clock as EngineClock
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.run import (
    NamespaceWork,
    Run,
    RunSettings,
    attempt,
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


@dataclass
class Work(NamespaceWork):
    """Work that is ready after this number of looks. `part` is the part that it got."""

    looks: float = 0
    part: str = ""

    @property
    def has_more(self) -> bool:
        return self.looks > 0

    @property
    def awaited(self) -> str:
        return self.part

    def summarize(self) -> NamespaceResult:
        return NamespaceResult(self.namespace, "unchanged")


@pytest.fixture
def api() -> FakeApi:
    return FakeApi()


def run_of(
    api: FakeApi, max_failures: int | None = None, clock: Clock | None = None, say: Callable[[str], None] | None = None
) -> Iterator[Run]:
    clock = clock or Clock()
    now = EngineClock(clock.now, clock.sleep)
    settings = RunSettings(False, concurrency=1, max_failures=max_failures, clock=now, task="sa_link", say=say)
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

    @pytest.mark.parametrize(("limit", "over"), [(None, False), (1, False), (0, True)])
    def test_failures_over_the_limit_end_the_run(self, api: FakeApi, limit: int | None, over: bool) -> None:
        for found in run_of(api, limit):
            for _twice in range(2):
                found.count("a", Unanswered("no answer"))
            assert found.is_over is over
            if over:
                text = "not attempted: the API server failed in more than 0 namespaces ('max_failures')"
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
        assert run.result_of_failure("a", ClusterError("gone")) == run.result_of_skip("a")
        assert run.stopped == "gone"

    def test_a_write_that_may_have_been_carried_out_is_reported(self, run: Run) -> None:
        error = ClusterError("gone")
        error.unanswered = True
        text = "the task stopped before this namespace was finished. Its last write may have been carried out"
        assert run.result_of_failure("a", error) == NamespaceResult("a", "failed", error=text)

    def test_a_missing_namespace_fails_and_a_terminating_one_is_skipped(self, run: Run) -> None:
        assert run.result_of_failure("a", NamespaceTerminating("x")).status == "skipped"
        missing = run.result_of_failure("a", NamespaceMissing("x"))
        assert missing.status == "failed"
        assert "does not exist" in missing.error

    def test_any_other_failure_belongs_to_the_namespace(self, run: Run) -> None:
        assert run.result_of_failure("a", ApiError("odd")) == NamespaceResult("a", "failed", error="odd")
        assert run.stopped == ""


class TestNamespace:
    def test_a_failed_read_of_the_namespace_is_reported(self, api: FakeApi, run: Run) -> None:
        api.fail("GET /api/v1/namespaces/a", status_object(400, "BadRequest", "odd"), times=ALWAYS)
        assert "odd" in run.namespace_problem("a", was_there=False)


class TestShare:
    def test_each_namespace_gets_its_part_its_error_or_is_skipped(self, run: Run) -> None:
        works = [Work(name) for name in "abcd"]

        def step(work: Work, part: str) -> None:
            if part == "odd":
                raise KeyError("secret text")
            work.part = part

        run.share(works, {"a": "fine", "b": ImagePullError("unreadable"), "c": "odd"}, step)
        assert [(work.part, work.finish().status) for work in works] == [
            ("fine", "unchanged"),
            ("", "failed"),
            ("", "failed"),
            ("", "skipped"),
        ]
        assert works[1].finish().error == "unreadable"
        assert works[2].finish().error.startswith("an internal error: KeyError in step, line ")

    def test_an_ended_namespace_keeps_its_completed_parts(self, run: Run) -> None:
        class Begun(Work):
            def interrupt(self, ended: NamespaceResult, error: ImagePullError | None) -> NamespaceResult:
                return NamespaceResult(ended.name, "failed", error=f"{ended.status}: {error}")

        works = [Begun("a"), Begun("b")]
        run.share(works, {"a": ImagePullError("odd")}, lambda _work, _part: None)
        assert [work.finish().error for work in works] == ["failed: odd", "skipped: None"]


class TestPoll:
    @staticmethod
    def looked(clock: Clock, works: list[Work], timeout: Callable[[], float], look_seconds: float = 0.0) -> list[int]:
        """The number of works at each look."""
        seen: list[int] = []

        def look(pending: Any) -> None:
            seen.append(len(pending))
            clock.seconds += look_seconds
            for work in pending:
                work.looks -= 1

        for run in run_of(FakeApi(), clock=clock):
            run.poll(works, look, timeout)
        return seen

    @pytest.mark.parametrize("timeout", [0, 60])
    def test_poll_looks_once_if_all_works_are_done(self, timeout: float) -> None:
        clock = Clock()
        assert self.looked(clock, [Work("a", 1), Work("b", 1)], lambda: timeout) == [2]
        assert clock.slept == []

    def test_poll_does_not_look_without_works(self) -> None:
        assert self.looked(Clock(), [], lambda: 60) == []

    def test_a_timeout_of_zero_looks_once(self) -> None:
        clock = Clock()
        assert self.looked(clock, [Work("a", 9)], lambda: 0) == [1]
        assert clock.slept == []

    def test_poll_looks_again_only_at_pending_works(self) -> None:
        assert self.looked(Clock(), [Work("a", 1), Work("b", 3), Work("c", 2)], lambda: 60) == [3, 2, 1]

    def test_pauses_grow_to_one_second_and_end_at_the_deadline(self) -> None:
        clock = Clock()
        self.looked(clock, [Work("a", float("inf"))], lambda: 10)
        assert clock.seconds == pytest.approx(1010)
        assert clock.slept[:7] == pytest.approx([0.1, 0.15, 0.225, 0.3375, 0.50625, 0.759375, 1.0])
        assert max(clock.slept) == 1.0
        assert len(clock.slept) == 14

    def test_the_last_look_is_at_the_deadline(self) -> None:
        clock = Clock()
        assert len(self.looked(clock, [Work("a", float("inf"))], lambda: 0.1)) == 2
        assert clock.slept == [pytest.approx(0.1)]

    def test_the_deadline_is_requested_after_each_look(self) -> None:
        """Pending works may have less time than finished ones."""
        clock, deadlines = Clock(), [60.0, 0.1]
        self.looked(clock, [Work("a", 9)], lambda: deadlines.pop(0))
        assert clock.slept == [pytest.approx(0.1)]

    def test_the_time_of_looks_counts_toward_the_deadline(self) -> None:
        clock = Clock()
        assert len(self.looked(clock, [Work("a", float("inf"))], lambda: 5, look_seconds=6)) == 1

    def test_progress_names_the_first_awaited_object_in_one_line(self) -> None:
        lines: list[str] = []
        works = [Work("a", 1, "done"), Work("b", float("inf"), f"service account x\n{'y' * 500}"), Work("c", 99, "z")]

        def look(pending: Any) -> None:
            for work in pending:
                work.looks -= 1

        for run in run_of(FakeApi(), say=lines.append):
            run.poll(works, look, lambda: 5)
        (line,) = lines
        assert line.startswith("sa_link 1/3 namespaces, 0 changed, 0 failed, about ")
        assert "; in b: service account x yyy" in line
        assert len(line) < 300


def test_an_unexpected_error_of_an_attempt_asks_for_a_report() -> None:
    error = attempt(int, "x")
    assert isinstance(error, ImagePullError)
    assert str(error).startswith("an internal error: ValueError in ")
    assert str(error).endswith(". Please report it, with the task's options")
    assert attempt(int, "1") == 1
