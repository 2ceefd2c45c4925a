# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands with everything that they start, including other sessions. `end` ends all of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, NamedTuple, NoReturn

import prepare

#: Seconds in which interrupted commands can clean up. Processes that still run are then killed.
PATIENCE = 10.0


class Relay:
    """Print the output of a command as it comes, until `stop`: an interrupted command prints tracebacks."""

    def __init__(self) -> None:
        self._is_stopped = threading.Event()

    def stop(self) -> None:
        self._is_stopped.set()

    @contextmanager
    def opened(self) -> Iterator[IO[bytes]]:
        reading, writing = os.pipe()
        copying = threading.Thread(target=self._copy, args=(reading,), daemon=True)
        copying.start()
        try:
            with os.fdopen(writing, "wb", buffering=0) as output:
                yield output
        finally:
            copying.join(timeout=PATIENCE)  # a process that outlives the command may keep the pipe open

    def _copy(self, reading: int) -> None:
        with os.fdopen(reading, "rb", buffering=0) as pipe:
            while part := pipe.read(65536):
                if not self._is_stopped.is_set():
                    sys.stdout.buffer.write(part)
                    sys.stdout.flush()


class Started(NamedTuple):
    """A command in its own session. Everything that it starts inherits the variable `mark`, the session or the parent."""

    process: subprocess.Popen[bytes]
    mark: bytes


class _Running(NamedTuple):
    pid: int
    parent: int
    session: int
    variables: bytes


def command_line(main: Callable[[], int]) -> NoReturn:
    """Run a program. An interruption ends everything that it started, and prints one line."""
    mark = _new_mark()
    os.environ[mark] = "1"

    def run_main() -> int:
        try:
            return main()
        except KeyboardInterrupt:
            _end(_Roots(parent=os.getpid(), marks=(mark.encode(),)))
            raise

    prepare.command_line(run_main)


def run(command: Sequence[str], cwd: Path, variables: Mapping[str, str] | None = None) -> int:
    """Run a command to its end and return its status. An interruption ends it first with everything that it started."""
    relay = Relay()
    with relay.opened() as output:
        started = start(command, variables or {}, output, cwd)
        try:
            return started.process.wait()
        except KeyboardInterrupt:
            relay.stop()
            end([started])
            raise


def start(
    command: Sequence[str], variables: Mapping[str, str], output: IO[bytes] | None, cwd: Path | None = None
) -> Started:
    mark = _new_mark()
    process = subprocess.Popen(
        command,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output and subprocess.STDOUT,
        env={**os.environ, **variables, mark: "1"},
        start_new_session=True,
    )
    return Started(process, mark.encode())


def end(started: Iterable[Started]) -> None:
    """Interrupt all processes, so that labs are removed, and kill the processes that do not end in time."""
    every = tuple(started)
    _end(_Roots(sessions={one.process.pid for one in every}, marks=tuple(one.mark for one in every)))
    for one in every:
        one.process.wait()


def kill(pid: int) -> None:
    """Kill a process at once with everything that it started, including other sessions. It may have ended already."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGSTOP)  # it starts nothing more
        for each in (*_processes_of(_Roots(parent=pid)), pid):
            with suppress(ProcessLookupError):
                os.kill(each, signal.SIGKILL)


class _Roots(NamedTuple):
    """The marks of the processes to end: their session, a variable, or a parent that itself continues."""

    sessions: set[int] = set()
    marks: tuple[bytes, ...] = ()
    parent: int = 0


def _new_mark() -> str:
    return f"IMAGE_PULL_STARTED_{uuid.uuid4().hex}"


def _end(roots: _Roots) -> None:
    _send(signal.SIGINT, roots)
    deadline = time.monotonic() + PATIENCE
    while _processes_of(roots) and time.monotonic() < deadline:
        time.sleep(0.05)
    while _send(signal.SIGKILL, roots):
        time.sleep(0.02)


def _send(number: signal.Signals, roots: _Roots) -> set[int]:
    found = _processes_of(roots)
    for pid in found:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
    return found


def _processes_of(roots: _Roots) -> set[int]:
    running = tuple(_running())
    found = {
        one.pid
        for one in running
        if one.session in roots.sessions or any(mark in one.variables for mark in roots.marks)
    }
    found |= {roots.parent} - {0}
    while children := {one.pid for one in running if one.parent in found} - found:
        found |= children
    return found - {roots.parent}


def _running() -> Iterator[_Running]:
    for directory in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended, or is another user's
            state, parent, _group, session = (directory / "stat").read_text().rpartition(")")[2].split()[:4]
            if state not in "ZX":
                yield _Running(int(directory.name), int(parent), int(session), (directory / "environ").read_bytes())
