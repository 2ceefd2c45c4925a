# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parallel commands: while one waits for a cluster, another one computes. Each runs in its own session and is ended as a whole."""

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
#: The destination of a command's output. None: our own output.
Output = IO[bytes] | None


class Done(NamedTuple, Generic[Task, Result]):
    task: Task
    result: Result
    printed: bytes


class Commands:
    """Running commands. After `end` no command runs, and no command starts."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[processes.Started] = set()
        self._has_ended = False

    def run(self, command: Sequence[str], variables: Mapping[str, str], longest: float, output: Output) -> int:
        """Return the exit status. A command that exceeds the time limit fails and is ended with everything that it started."""
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
    """Run a number of tasks at a time, started in the given order. Yield each task when it is done. A single task prints as it goes."""
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
