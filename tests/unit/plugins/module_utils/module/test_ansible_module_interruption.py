# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run ends on a signal or when its reader has gone, and then restores the previous signal handlers."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.workers import Workers
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.module.ansible_module import (
    Interrupted,
    allow_interruption,
)

#: Seconds after which a hanging test fails.
LIMIT = 60
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def never() -> bool:
    return False


@pytest.fixture
def received() -> Iterator[list[int]]:
    """The signals that reach the previous handlers."""
    seen: list[int] = []
    before = {number: signal.signal(number, lambda number, _frame: seen.append(number)) for number in SIGNALS}
    yield seen
    for number, handler in before.items():
        signal.signal(number, handler)


class TestSignal:
    @pytest.mark.parametrize("number", SIGNALS)
    def test_a_signal_ends_the_block(self, received: list[int], number: signal.Signals) -> None:
        with pytest.raises(Interrupted, match=f"^{number.name}$") as error, allow_interruption(never):
            signal.raise_signal(number)
        assert error.value.number == number
        assert received == []

    @pytest.mark.parametrize("number", SIGNALS)
    def test_a_signal_ends_a_wait_for_threads(self, received: list[int], number: signal.Signals) -> None:
        """A run waits for the threads of a task.

        Any other kind of wait may miss the signal: there is a gap between the last check for signals and the system call,
        and a thread that wakes when the wait releases the interpreter sends its signal in this gap.
        """
        release = threading.Event()

        def send(_item: int) -> None:
            os.kill(os.getpid(), number)
            release.wait(LIMIT)

        began = time.monotonic()
        with pytest.raises(Interrupted), allow_interruption(never), Workers(1) as workers:
            workers.map(send, range(2))
        release.set()
        assert time.monotonic() - began < LIMIT / 2

    def test_an_interruption_is_not_an_exception_that_handlers_catch(self) -> None:
        assert not issubclass(Interrupted, Exception)

    @pytest.mark.parametrize("number", SIGNALS)
    def test_the_previous_handler_is_restored_after_the_block(
        self, received: list[int], number: signal.Signals
    ) -> None:
        with allow_interruption(never):
            pass
        signal.raise_signal(number)
        with pytest.raises(KeyError), allow_interruption(never):
            raise KeyError
        signal.raise_signal(number)
        assert received == [number, number]

    @pytest.mark.parametrize("number", SIGNALS)
    def test_an_ignored_signal_stays_ignored(self, received: list[int], number: signal.Signals) -> None:
        signal.signal(number, signal.SIG_IGN)
        with allow_interruption(never):
            assert signal.getsignal(number) == signal.SIG_IGN
            signal.raise_signal(number)
        assert signal.getsignal(number) == signal.SIG_IGN


class TestAbandoned:
    def test_an_abandoned_run_ends(self, received: list[int]) -> None:
        asked = []

        def is_abandoned() -> bool:
            asked.append(threading.current_thread())
            return len(asked) == 2

        started = time.monotonic()
        with pytest.raises(Interrupted, match="SIGTERM"), allow_interruption(is_abandoned):
            threading.Event().wait(LIMIT)
        assert 1.5 < time.monotonic() - started < LIMIT
        assert len(asked) == 2
        assert threading.main_thread() not in asked

    def test_the_watch_ends_with_the_block(self, received: list[int]) -> None:
        before = threading.enumerate()
        with allow_interruption(never):
            (watch,) = [thread for thread in threading.enumerate() if thread not in before]
            assert watch.daemon
        watch.join(LIMIT)
        assert not watch.is_alive()

    def test_the_watch_ends_with_the_run_that_it_ended(self, received: list[int]) -> None:
        before = threading.enumerate()
        with pytest.raises(Interrupted), allow_interruption(lambda: True):
            threading.Event().wait(LIMIT)
        assert [thread for thread in threading.enumerate() if thread not in before and thread.is_alive()] == []


class TestOtherThread:
    def test_signals_are_not_handled_in_another_thread(self, received: list[int]) -> None:
        """Python sets handlers in the main thread only."""
        done: list[Any] = []

        def work() -> None:
            before, handlers = threading.active_count(), [signal.getsignal(number) for number in SIGNALS]
            with allow_interruption(lambda: True):
                done.append(threading.active_count() - before)
                done.append([signal.getsignal(number) for number in SIGNALS] == handlers)
            done.append("ended")

        thread = threading.Thread(target=work)
        thread.start()
        thread.join(LIMIT)
        assert done == [0, True, "ended"]
