# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A command and everything that it starts, also in other sessions: what `end` ends."""

from __future__ import annotations

import os
import signal
import subprocess
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, NamedTuple

#: Seconds in which interrupted commands can clean up. What still runs then is killed.
PATIENCE = 10.0


class Started(NamedTuple):
    """A command in a session of its own. All that it starts inherits the variable `mark`, the session or the parent."""

    process: subprocess.Popen[bytes]
    mark: bytes


class _Running(NamedTuple):
    pid: int
    parent: int
    session: int
    variables: bytes


def start(command: Sequence[str], variables: Mapping[str, str], output: IO[bytes] | None) -> Started:
    mark = f"IMAGE_PULL_STARTED_{uuid.uuid4().hex}"
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output and subprocess.STDOUT,
        env={**os.environ, **variables, mark: "1"},
        start_new_session=True,
    )
    return Started(process, mark.encode())


def end(started: Iterable[Started]) -> None:
    """Interrupts all of it, so that labs are removed, and kills what does not end in time."""
    every = tuple(started)
    _send(signal.SIGINT, every)
    deadline = time.monotonic() + PATIENCE
    while _processes_of(every) and time.monotonic() < deadline:
        time.sleep(0.05)
    while _send(signal.SIGKILL, every):
        time.sleep(0.02)
    for one in every:
        one.process.wait()


def _send(number: signal.Signals, started: Sequence[Started]) -> set[int]:
    found = _processes_of(started)
    for pid in found:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
    return found


def _processes_of(started: Sequence[Started]) -> set[int]:
    running = tuple(_running())
    roots = {one.process.pid for one in started}
    found = {
        one.pid for one in running if one.session in roots or any(mark in one.variables for _process, mark in started)
    }
    while children := {one.pid for one in running if one.parent in found} - found:
        found |= children
    return found


def _running() -> Iterator[_Running]:
    for directory in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended, or is another user's
            state, parent, _group, session = (directory / "stat").read_text().rpartition(")")[2].split()[:4]
            if state not in "ZX":
                yield _Running(int(directory.name), int(parent), int(session), (directory / "environ").read_bytes())
