# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Repeats a check until a deadline."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from .clock import Clock

__all__ = ["poll"]

#: Seconds between two checks: short at first, because accounts are created within milliseconds of their namespace.
_FIRST_LOOK, _LAST_LOOK = 0.1, 1.0


class _Pending(Protocol):
    @property
    def pending(self) -> bool:
        """Whether it must be checked again."""


_Item = TypeVar("_Item", bound=_Pending)


def poll(
    items: Sequence[_Item],
    timeout: Callable[[], float],
    look: Callable[[Sequence[_Item]], None],
    clock: Clock | None = None,
) -> None:
    """Call `look` with all items, then with the pending ones, at least once.

    `timeout`: returns the number of seconds after the start at which to stop. It is called after each round.
    """
    clock = clock or Clock()
    started, pause = clock.now(), _FIRST_LOOK
    pending = items
    while pending:
        look(pending)
        pending = [item for item in pending if item.pending]
        left = started + timeout() - clock.now()
        if not pending or left <= 0:
            return
        clock.sleep(min(pause, left))
        pause = min(pause * 1.5, _LAST_LOOK)
