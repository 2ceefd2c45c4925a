# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Threads of which one runs at a time, and a clock that advances only when all of them wait. One seed decides their order.

A thread gives its turn away only where it waits: in a sleep, for an event, for a queue, for the end of another thread. Nothing waits in
real time, so hours of a cluster pass in milliseconds.
"""

from __future__ import annotations

import _thread
import heapq
import itertools
import threading
from collections import deque
from collections.abc import Callable, Sequence
from queue import Empty, Full
from random import Random
from typing import Any

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.run import Clock
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.workers import Threads

__all__ = ["Ended", "Schedule"]

#: Seconds of real time after which a thread that does not give its turn away is an error of the simulation.
_STUCK_SECONDS = 120.0


class Ended(BaseException):
    """The simulation is over. Raised in each thread that still waits."""


class _Turn:
    """The place of one thread in the schedule. `waits` is the number of its current wait: an older alarm no longer counts."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lock = threading.Lock()
        self.lock.acquire()
        self.waits = 0
        self.is_waiting = False
        self.is_over = False
        self.waiters: _Waiters = []


#: Threads that wait for the same thing, each with the number of its wait.
_Waiters = list[tuple[_Turn, int]]


class Schedule:
    """The turns of all threads. Use `run` in the thread that is not simulated."""

    def __init__(self, random: Random, start: float = 1000.0) -> None:
        self.now = start
        self._random = random
        self._ready: list[_Turn] = []
        self._alarms: list[tuple[float, int, _Turn, int]] = []
        self._numbers = itertools.count()
        self._controller = threading.Lock()
        self._controller.acquire()
        self._current: _Turn | None = None
        self._awaited: Sequence[_Turn] = ()
        self._every: list[_Turn] = []
        self._errors: list[BaseException] = []
        self._is_over = False

    @property
    def clock(self) -> Clock:
        """The clock and the threads for the engine and the client."""
        threads = Threads(
            thread=lambda target, args=(), **_other: _Thread(self, target, args),
            event=lambda: _Event(self, is_patient=True),
            queue=lambda: _Queue(self),
            limited_queue=lambda most: _Queue(self, most),
        )
        return Clock(lambda: self.now, self.sleep, threads)

    def event(self) -> Any:
        return _Event(self)

    def begin(self, work: Callable[[], object], name: str = "") -> _Turn:
        """Start a thread. It runs when its turn comes."""
        turn = _Turn(name)

        def serve() -> None:
            turn.lock.acquire()
            try:
                if not self._is_over:
                    work()
            except Ended:
                pass
            except BaseException as error:  # an error of the simulation: the engine catches its own
                self._errors.append(error)
            turn.is_over = True
            self.wake(turn.waiters)
            self._next()

        self._every.append(turn)
        self._ready.append(turn)
        # Not threading.Thread, whose start waits until the other thread runs: most of the time of a simulation.
        _thread.start_new_thread(serve, ())
        return turn

    def run(self, *works: Callable[[], object]) -> None:
        """Run until all these works have ended. Other threads may continue in the next `run`.

        :raises BaseException: the error of a thread, unless the engine has caught it.
        """
        self._awaited = [self.begin(work) for work in works]
        self._next()
        if not self._controller.acquire(timeout=_STUCK_SECONDS):
            raise AssertionError(f"a thread does not wait by the schedule: {self._current and self._current.name}")
        if self._errors:
            raise self._errors[0]

    def end(self) -> None:
        """End all threads that still wait."""
        self._is_over = True
        for turn in self._every:
            if not turn.is_over:
                turn.lock.release()
                self._controller.acquire()

    # --- for simulated threads

    def sleep(self, seconds: float) -> None:
        self.wait(seconds)

    def wait(self, seconds: float | None = None, among: _Waiters | None = None) -> None:
        """Give the turn away until the time has passed, or until another thread wakes those `among` which this one waits."""
        turn = self.current
        turn.waits, turn.is_waiting = turn.waits + 1, True
        if among is not None:
            among.append((turn, turn.waits))
        if seconds is not None:
            heapq.heappush(self._alarms, (self.now + max(seconds, 0.0), next(self._numbers), turn, turn.waits))
        self._next()
        turn.lock.acquire()
        if self._is_over:
            raise Ended

    def wake(self, waiters: _Waiters) -> None:
        for turn, wait in waiters:
            if turn.is_waiting and turn.waits == wait:
                turn.is_waiting = False
                self._ready.append(turn)
        waiters.clear()

    @property
    def current(self) -> _Turn:
        if self._is_over:
            raise Ended
        assert self._current is not None
        return self._current

    def _next(self) -> None:
        """Give the turn to another thread. A thread calls it when it waits or ends."""
        if self._is_over or self._errors or (self._awaited and all(turn.is_over for turn in self._awaited)):
            self._awaited = ()
            self._controller.release()
            return
        while not self._ready:
            if not self._alarms:
                self._errors.append(AssertionError("all threads wait for each other"))
                self._controller.release()
                return
            at, _number, turn, wait = heapq.heappop(self._alarms)
            if turn.is_waiting and turn.waits == wait:
                self.now = max(self.now, at)
                self.wake([(turn, wait)])
        self._current = self._ready.pop(self._random.randrange(len(self._ready)))
        self._current.lock.release()


class _Thread:
    def __init__(self, schedule: Schedule, target: Callable[..., object], args: tuple[Any, ...]) -> None:
        self._schedule, self._target, self._args = schedule, target, args
        self._turn: _Turn | None = None

    def start(self) -> None:
        self._turn = self._schedule.begin(lambda: self._target(*self._args))

    def join(self) -> None:
        assert self._turn is not None
        while not self._turn.is_over:
            self._schedule.wait(among=self._turn.waiters)


class _Event:
    """`is_patient`: a wait has no end before the event. The engine looks for signals in between, and none comes here."""

    def __init__(self, schedule: Schedule, *, is_patient: bool = False) -> None:
        self._schedule, self._waiters, self._set = schedule, _Waiters(), False
        self._is_patient = is_patient

    def is_set(self) -> bool:
        return self._set

    def set(self) -> None:
        self._set = True
        self._schedule.wake(self._waiters)

    def wait(self, timeout: float | None = None) -> bool:
        if not self._set:
            self._schedule.wait(None if self._is_patient else timeout, self._waiters)
        return self._set


class _Queue:
    """A queue without a limit or with one, as those of `queue`."""

    def __init__(self, schedule: Schedule, most: int = 0) -> None:
        self._schedule, self._most = schedule, most
        self._items: deque[Any] = deque()
        self._waiters = _Waiters()

    def put(self, item: Any, timeout: float | None = None) -> None:
        if self._most and len(self._items) >= self._most:
            self._schedule.wait(timeout)
            if len(self._items) >= self._most:
                raise Full
        self._items.append(item)
        self._schedule.wake(self._waiters)

    def get(self, timeout: float | None = None) -> Any:
        until = None if timeout is None else self._schedule.now + timeout
        while not self._items:
            left = None if until is None else until - self._schedule.now
            if left is not None and left <= 0:
                raise Empty
            self._schedule.wait(left, self._waiters)
        return self._items.popleft()
