# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a long task has come, said every few seconds. No credential is in a line: it holds counts only."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from ..core.phrases import pluralize

__all__ = ["Progress", "line"]

#: Seconds between two lines; a task that is done earlier says nothing.
_INTERVAL = 3.0


@dataclass
class Progress:
    """Counts finished namespaces, from several threads. `say` is given each line; None says nothing."""

    task: str
    total: int
    say: Callable[[str], None] | None = None
    now: Callable[[], float] = time.monotonic
    done: int = 0
    changed: int = 0
    failed: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._started = self._said = self.now()

    def finished(self, *, changed: bool, failed: bool) -> None:
        """Counts one namespace."""
        with self._lock:
            self.done += 1
            self.changed += changed
            self.failed += failed
        self.tick()

    def tick(self) -> None:
        """Says how far the task is when the last line is long enough ago."""
        with self._lock:
            now = self.now()
            due = now - self._said >= _INTERVAL
            if due:
                self._said = now
                text = line(self, now - self._started)
        if due and self.say:
            self.say(text)


def line(progress: Progress, seconds: float) -> str:
    """Such as `sa_link 4,210/10,000 namespaces, 12 changed, 1 failed, about 11 s left`; before one is done, without a guess."""
    text = (
        f"{progress.task} {progress.done:,}/{pluralize(progress.total, 'namespace')}, {progress.changed:,} changed, "
        f"{progress.failed:,} failed"
    )
    if not progress.done:
        return text
    left = seconds / progress.done * (progress.total - progress.done)
    return f"{text}, about {left:.0f} s left"
