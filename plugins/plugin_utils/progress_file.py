# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Show the progress of a module in its own process, whose output reaches the controller only at its end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["show_progress"]

#: Seconds between two reads of the file.
_INTERVAL = 0.5


@contextmanager
def show_progress(path: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Call `say` for each line that is added to a file during the block. A missing or unreadable file counts as empty."""
    over = threading.Event()
    watcher = threading.Thread(target=_watch, args=(path, say, over), daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


def _watch(path: Path, say: Callable[[str], None], over: threading.Event) -> None:
    count = 0
    while not over.wait(_INTERVAL):
        # A line without an end is still being written.
        complete = [line[:-1] for line in _text(path).splitlines(keepends=True) if line.endswith("\n")]
        for line in complete[count:]:
            say(line)
        count = len(complete)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:  # missing, or another user's (become)
        return ""
