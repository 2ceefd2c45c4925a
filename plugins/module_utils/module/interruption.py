# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""End a run whose result is no longer awaited, so that its files are removed and nothing more is written to the cluster."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["Interrupted", "allow_interruption"]

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
#: Seconds between two checks whether the result is still awaited.
_INTERVAL = 1.0


class Interrupted(BaseException):
    """A signal requested the end of this process. Not an `Exception`, because only the end of the run must handle it."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


@contextmanager
def allow_interruption(is_abandoned: Callable[[], bool]) -> Iterator[None]:
    """Raise `Interrupted` in the block when the process gets SIGTERM, SIGINT or SIGHUP, or when `is_abandoned` returns true.

    By default, SIGTERM ends a process before it can remove its files. An ignored signal (`nohup`) stays ignored.
    Python handles signals in the main thread only. In other threads, this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    # None: the handler was not set by Python.
    replaceable = [number for number in _SIGNALS if signal.getsignal(number) not in {signal.SIG_IGN, None}]
    over = threading.Event()
    before = {number: signal.signal(number, _interrupt) for number in replaceable}
    threading.Thread(target=_watch, args=(is_abandoned, over), daemon=True).start()
    try:
        yield
    finally:
        over.set()
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(number: int, _frame: Any) -> None:
    raise Interrupted(number)


def _watch(is_abandoned: Callable[[], bool], over: threading.Event) -> None:
    while not over.wait(_INTERVAL):
        if is_abandoned():
            os.kill(os.getpid(), signal.SIGTERM)
            return
