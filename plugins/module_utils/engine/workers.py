# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A pool of daemon threads: an interrupted task ends immediately and does not wait for running requests.

`concurrent.futures` waits for its threads when a `with` block ends, even by an exception, and again when Python exits. A task's
`timeout` of 3 seconds would then take as long as the slowest server.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from queue import Queue, SimpleQueue
from types import TracebackType
from typing import Any, TypeVar

#: Seconds after which the waiting thread checks for signals.
_INTERVAL = 1.0

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Threads:
    """Makes threads, and the objects by which they wait for each other. The tests have others, which run one thread at a time."""

    thread: Callable[..., Any] = threading.Thread
    event: Callable[[], Any] = threading.Event
    queue: Callable[[], Any] = SimpleQueue
    limited_queue: Callable[[int], Any] = Queue


class Workers:
    """Up to `most` threads, each started when it is needed. Use it as a context manager.

    If the block ends normally, the threads have also ended. If it ends by an exception (the `timeout` of a task, Ctrl-C),
    running calls are abandoned: their threads end with the call, or at the latest with the process.
    """

    def __init__(self, most: int, threads: Threads | None = None) -> None:
        """Create the pool without threads.

        :raises ValueError: if `most` is less than 1, because nothing would ever run.
        """
        if most < 1:
            raise ValueError(f"a pool of {most} threads")
        self._most = most
        self._kinds = threads or Threads()
        self._threads: list[Any] = []
        self._batches = self._kinds.queue()

    def __enter__(self) -> Workers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        for _thread in self._threads:
            self._batches.put(None)
        if kind is None:
            for thread in self._threads:
                thread.join()

    def map(self, function: Callable[[_Item], _Result], items: Iterable[_Item]) -> list[_Result]:
        """Return the results of `function` for each item, in their order.

        Call it from one thread, and never within `function`.

        :raises BaseException: the first error of `function`, immediately. No further item is then started. The same applies if the wait
            itself is interrupted.
        """
        every = list(items)
        if not every:
            return []
        takers = min(self._most, len(every))
        batch = _Batch(function, every, takers, self._kinds.event())
        try:
            while len(self._threads) < takers:
                self._start()
            for _taker in range(takers):
                self._batches.put(batch)
            batch.wait()
        except BaseException:
            batch.stop()
            raise
        return batch.results

    def _start(self) -> None:
        # Recorded before it runs, so that an interruption of the start does not lose it.
        self._threads.append(self._kinds.thread(target=_serve, args=(self._batches,), daemon=True))
        self._threads[-1].start()


def _serve(batches: Any) -> None:
    """Run in a thread: work on one batch after the other, until there are no more."""
    while (batch := batches.get()) is not None:
        batch.work()
        # An idle thread keeps no items and no results.
        del batch


class _Batch:
    """The items of one `map`. Each of `takers` threads takes one item after the other."""

    def __init__(self, function: Callable[[Any], Any], items: Sequence[Any], takers: int, over: Any) -> None:
        self.results: list[Any] = [None] * len(items)
        self._function = function
        self._items = iter(enumerate(items))
        self._working = takers
        self._error: BaseException | None = None
        self._lock = threading.Lock()
        self._over = over

    def wait(self) -> None:
        """Wait until every item is done, or one has failed."""
        # A signal just before the wait, or in another thread, does not end the wait. Python calls the handler after it.
        while not self._over.wait(_INTERVAL):
            pass
        if self._error is not None:
            raise self._error

    def stop(self) -> None:
        """Start no further item."""
        with self._lock:
            self._items = iter(enumerate(()))

    def work(self) -> None:
        """Process items until none is left."""
        try:
            while (taken := self._take()) is not None:
                index, item = taken
                self.results[index] = self._function(item)
        except BaseException as error:  # raised again in the thread that waits
            self._fail(error)
        with self._lock:
            self._working -= 1
            if not self._working:
                self._over.set()

    def _take(self) -> tuple[int, Any] | None:
        with self._lock:
            return next(self._items, None)

    def _fail(self, error: BaseException) -> None:
        self.stop()
        with self._lock:
            self._error = self._error if self._error is not None else error
        self._over.set()
