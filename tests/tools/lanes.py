# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands side by side: while one waits for a cluster, another computes. Each is a session of its own, which can be ended whole."""

from __future__ import annotations

import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import IO, Generic, NamedTuple, TypeVar

import processes

Task = TypeVar("Task")
Result = TypeVar("Result")
#: Where what a command prints goes to; None: to where our own goes.
Output = IO[bytes] | None


class Done(NamedTuple, Generic[Task, Result]):
    task: Task
    result: Result
    printed: bytes


class Commands:
    """Commands that run. After `end` none does, and none starts."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[processes.Started] = set()
        self._has_ended = False

    def run(self, command: Sequence[str], variables: Mapping[str, str], longest: float, output: Output) -> int:
        """The exit status; one that takes longer than so many seconds is ended with all that it started, and has failed."""
        with self._lock:
            if self._has_ended:
                return 1
            started = processes.start(command, variables, output)
            self._running.add(started)
        try:
            return started.process.wait(timeout=longest)
        except subprocess.TimeoutExpired:
            processes.end([started])
            text = f"ended after {longest:g} s\n"
            output.write(text.encode()) if output else print(text, end="", flush=True)
            return 1
        finally:
            with self._lock:
                self._running.discard(started)

    def end(self) -> None:
        with self._lock:
            self._has_ended = True
            processes.end(self._running)


def side_by_side(
    tasks: Sequence[Task], work: Callable[[Task, Commands, Output], Result], lanes: int
) -> Iterator[Done[Task, Result]]:
    """Carries out so many tasks at a time, begun in the order given, and yields each when it is done. A single one prints as it goes."""
    commands = Commands()
    relay = processes.Relay()

    def one(task: Task) -> Done[Task, Result]:
        if len(tasks) == 1:
            with relay.opened() as output:
                return Done(task, work(task, commands, output), b"")
        with tempfile.TemporaryFile() as output:
            result = work(task, commands, output)
            output.seek(0)
            return Done(task, result, output.read())

    with ThreadPoolExecutor(lanes) as pool:
        waiting = [pool.submit(one, task) for task in tasks]
        try:
            for future in as_completed(waiting):
                yield future.result()
        except BaseException:  # Ctrl-C, SIGTERM
            relay.stop()
            pool.shutdown(wait=False, cancel_futures=True)
            commands.end()
            raise
