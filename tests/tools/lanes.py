# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands side by side: while one waits for a cluster, another computes. Each is a session of its own, which can be ended whole."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from typing import IO, Generic, NamedTuple, TypeVar

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
        self._running: set[subprocess.Popen[bytes]] = set()
        self._has_ended = False

    def run(self, command: Sequence[str], variables: Mapping[str, str], longest: float, output: Output) -> int:
        """The exit status; one that takes longer than so many seconds is ended with all that it started, and has failed."""
        with self._lock:
            if self._has_ended:
                return 1
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output and subprocess.STDOUT,
                env={**os.environ, **variables},
                start_new_session=True,
            )
            self._running.add(process)
        try:
            return process.wait(timeout=longest)
        except subprocess.TimeoutExpired:
            _kill(process)
            text = f"ended after {longest:g} s\n"
            output.write(text.encode()) if output else print(text, end="", flush=True)
            return 1
        finally:
            with self._lock:
                self._running.discard(process)

    def end(self) -> None:
        with self._lock:
            self._has_ended = True
            for process in self._running:
                _kill(process)


def _kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def side_by_side(
    tasks: Sequence[Task], work: Callable[[Task, Commands, Output], Result], lanes: int
) -> Iterator[Done[Task, Result]]:
    """Carries out so many tasks at a time, begun in the order given, and yields each when it is done. A single one prints as it goes."""
    commands = Commands()

    def one(task: Task) -> Done[Task, Result]:
        if len(tasks) == 1:
            return Done(task, work(task, commands, None), b"")
        with tempfile.TemporaryFile() as output:
            result = work(task, commands, output)
            output.seek(0)
            return Done(task, result, output.read())

    with ThreadPoolExecutor(lanes) as pool:
        waiting = [pool.submit(one, task) for task in tasks]
        try:
            for future in as_completed(waiting):
                yield future.result()
        except BaseException:  # Ctrl-C
            pool.shutdown(wait=False, cancel_futures=True)
            commands.end()
            raise
