# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Work of a controller, a node or another client while a test runs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def repeat(step: Callable[[], object], pause: float = 0.05) -> Iterator[None]:
    """Repeat the step in a thread until the block ends. `pause`: seconds before each step."""
    over = threading.Event()

    def work() -> None:
        while not over.wait(pause):
            step()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
