# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Progress reports for long tasks, every few seconds. A line contains only counts, never a credential."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from ..core.text import pluralize

__all__ = ["Progress", "progress_line"]

#: Seconds between two lines. A task that ends earlier prints none.
_INTERVAL = 3.0


@dataclass
class Progress:
    """Counts finished namespaces, from several threads. `say` gets each line. With None, no line is printed."""

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

    def count_namespace(self, *, changed: bool, failed: bool) -> None:
        """Count one namespace."""
        with self._lock:
            self.done += 1
            self.changed += changed
            self.failed += failed
        self.tick()

    def tick(self) -> None:
        """Report the progress if the last line was long enough ago."""
        with self._lock:
            now = self.now()
            due = now - self._said >= _INTERVAL
            if due:
                self._said = now
                text = progress_line(self, now - self._started)
        if due and self.say:
            self.say(text)


def progress_line(progress: Progress, seconds: float) -> str:
    """Return a line such as `sa_link 4,210/10,000 namespaces, 12 changed, 1 failed, about 11 s left`, at first without an estimate."""
    text = (
        f"{progress.task} {progress.done:,}/{pluralize(progress.total, 'namespace')}, {progress.changed:,} changed, "
        f"{progress.failed:,} failed"
    )
    if not progress.done:
        return text
    left = seconds / progress.done * (progress.total - progress.done)
    return f"{text}, about {left:.0f} s left"
