# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Worker threads return all results in order, report a failure at once, and do not delay an interruption."""

from __future__ import annotations

import gc
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.workers import Workers

#: Seconds after which a hanging test fails.
LIMIT = 60


class Interrupted(BaseException):
    """Like Ansible's TaskTimeoutError, this is not an Exception."""


@pytest.fixture
def interrupt() -> Iterator[Any]:
    """Raises `Interrupted` in the main thread, like the alarm of a task's timeout."""

    def raised(_number: int, _frame: Any) -> None:
        raise Interrupted

    before = signal.signal(signal.SIGUSR1, raised)
    yield lambda: signal.pthread_kill(threading.main_thread().ident, signal.SIGUSR1)
    signal.signal(signal.SIGUSR1, before)


def new_threads(before: list[threading.Thread]) -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread not in before]


class TestMap:
    @pytest.mark.parametrize("most", [1, 2, 8])
    @pytest.mark.parametrize("count", [0, 1, 2, 7, 1000])
    def test_the_results_are_in_the_order_of_the_items(self, most: int, count: int) -> None:
        with Workers(most) as workers:
            assert workers.map(lambda item: item * 2, range(count)) == [item * 2 for item in range(count)]

    def test_the_items_can_be_any_iterable_and_any_value(self) -> None:
        with Workers(2) as workers:
            assert workers.map(str, iter([None, 0, ""])) == ["None", "0", ""]

    def test_one_pool_serves_many_maps(self) -> None:
        before = threading.enumerate()
        with Workers(3) as workers:
            for turn in range(50):
                assert workers.map(lambda item, turn=turn: item + turn, range(5)) == [turn + item for item in range(5)]
                assert len(new_threads(before)) == 3

    def test_items_run_at_the_same_time(self) -> None:
        """No thread passes the barrier before all four have reached it."""
        barrier = threading.Barrier(4)
        with Workers(4) as workers:
            workers.map(lambda _item: barrier.wait(LIMIT), range(8))

    def test_map_waits_for_the_slowest_item(self) -> None:
        """The thread that finishes first has nothing more to do."""
        with Workers(2) as workers:
            assert workers.map(lambda item: (item, threading.Event().wait(item)), [0.0, 0.3]) == [
                (0.0, False),
                (0.3, False),
            ]

    @pytest.mark.parametrize(("most", "count", "expected"), [(4, 0, 0), (4, 1, 1), (4, 3, 3), (2, 3, 2), (1, 3, 1)])
    def test_threads_are_started_only_if_they_are_needed(self, most: int, count: int, expected: int) -> None:
        before = threading.enumerate()
        with Workers(most) as workers:
            assert new_threads(before) == []
            workers.map(lambda item: item, range(count))
            assert len(new_threads(before)) == expected

    def test_a_later_map_can_start_more_threads(self) -> None:
        before = threading.enumerate()
        with Workers(4) as workers:
            workers.map(lambda item: item, range(1))
            workers.map(lambda item: item, range(3))
            assert len(new_threads(before)) == 3

    def test_an_idle_thread_keeps_no_result(self) -> None:
        """Otherwise ten thousand service accounts of one round would stay in memory during the next round."""

        class Account:
            pass

        with Workers(1) as workers:
            (result,) = workers.map(lambda _item: Account(), range(1))
            seen = weakref.ref(result)
            del result
            given_up_at = time.monotonic() + LIMIT
            while seen() is not None and time.monotonic() < given_up_at:
                gc.collect()
            assert seen() is None

    def test_a_pool_without_threads_is_refused(self) -> None:
        with pytest.raises(ValueError, match="^a pool of 0 threads$"):
            Workers(0)


class TestFailure:
    def test_a_failure_is_raised_and_no_further_item_starts(self) -> None:
        started = []

        def work(item: int) -> int:
            started.append(item)
            if item == 1:
                raise KeyError("unforeseen")
            return item

        with pytest.raises(KeyError, match="unforeseen"), Workers(1) as workers:
            workers.map(work, range(10))
        assert started == [0, 1]

    def test_a_failure_is_raised_while_other_items_are_still_running(self) -> None:
        both, release = threading.Barrier(2), threading.Event()

        def work(item: int) -> None:
            both.wait(LIMIT)
            if item == 0:
                raise KeyError("unforeseen")
            assert release.wait(LIMIT)

        with Workers(2) as workers:
            with pytest.raises(KeyError):
                workers.map(work, range(2))
            assert not release.is_set()
            release.set()

    def test_the_first_of_two_failures_is_raised(self) -> None:
        second = threading.Event()

        def work(item: int) -> None:
            if item == 0:
                raise KeyError("first")
            second.wait(LIMIT)
            raise ValueError("second")

        before = threading.enumerate()
        with Workers(2) as workers:
            with pytest.raises(KeyError, match="first"):
                workers.map(work, range(2))
            second.set()
        assert new_threads(before) == []

    def test_the_pool_works_after_a_failure(self) -> None:
        with Workers(2) as workers:
            with pytest.raises(ZeroDivisionError):
                workers.map(lambda item: 1 // item, [0, 1])
            assert workers.map(lambda item: 2 // item, [1, 2]) == [2, 1]

    def test_an_error_that_is_not_an_exception_reaches_the_caller(self) -> None:
        """If the error ended the thread, the caller would wait forever."""

        def work(_item: int) -> None:
            raise SystemExit(3)

        with pytest.raises(SystemExit), Workers(1) as workers:
            workers.map(work, range(2))


class TestEnd:
    def test_a_normal_end_leaves_no_thread(self) -> None:
        before = threading.enumerate()
        with Workers(3) as workers:
            workers.map(lambda item: item, range(3))
        assert new_threads(before) == []

    def test_a_normal_end_waits_for_running_items(self) -> None:
        """The item is still running when another item fails."""
        both, left, was_left = threading.Barrier(2), threading.Event(), []

        def work(item: int) -> None:
            both.wait(LIMIT)
            if item == 0:
                raise KeyError("unforeseen")
            was_left.append(left.wait(0.2))

        with Workers(2) as workers, pytest.raises(KeyError):
            workers.map(work, range(2))
        left.set()
        assert was_left == [False]

    def test_an_interruption_ends_the_pool_at_once(self, interrupt: Any) -> None:
        """This happens at the timeout of a task: the running item is abandoned, and no other item starts."""
        before, release, started = threading.enumerate(), threading.Event(), []

        def work(item: int) -> None:
            started.append(item)
            interrupt()
            assert release.wait(LIMIT)

        with pytest.raises(Interrupted), Workers(1) as workers:
            workers.map(work, range(10))
        assert not release.is_set()
        (abandoned,) = new_threads(before)
        release.set()
        abandoned.join(LIMIT)
        assert not abandoned.is_alive()
        assert started == [0]

    def test_an_interruption_in_another_thread_ends_the_pool(self, interrupt: Any) -> None:
        """The signal reaches another thread, so the main thread, which has the handler, stays in its system call."""
        release = threading.Event()

        def work(_item: int) -> None:
            time.sleep(0.1)  # the main thread is waiting by now
            signal.pthread_kill(threading.get_ident(), signal.SIGUSR1)
            release.wait(LIMIT)

        began = time.monotonic()
        with pytest.raises(Interrupted), Workers(1) as workers:
            workers.map(work, range(2))
        release.set()
        assert time.monotonic() - began < LIMIT / 2

    def test_an_error_in_the_block_ends_the_idle_threads(self) -> None:
        before = threading.enumerate()
        with pytest.raises(KeyError), Workers(3) as workers:
            workers.map(lambda item: item, range(3))
            idle = new_threads(before)
            raise KeyError
        for thread in idle:
            thread.join(LIMIT)
        assert [thread for thread in idle if thread.is_alive()] == []

    def test_a_process_ends_while_an_item_is_still_running(self) -> None:
        """At its end, Python waits for each non-daemon thread and for each thread of `concurrent.futures`."""
        script = (
            "import threading\n"
            f"from {Workers.__module__} import Workers\n"
            "began = threading.Event()\n"
            "def work(item):\n"
            "    began.set()\n"
            "    threading.Event().wait()\n"
            "def fail(item):\n"
            "    if item: raise KeyError(began.wait())\n"
            "    work(item)\n"
            "with Workers(2) as workers:\n"
            "    workers.map(fail, range(2))\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, timeout=LIMIT, check=False
        )
        assert done.stderr.endswith("KeyError: True\n")
        assert done.returncode == 1
