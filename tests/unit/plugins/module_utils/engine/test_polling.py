# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Polling looks at least once, only at pending items, never longer than requested and never more often than needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.clock import Clock as EngineClock
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.polling import poll
from support.scripted_pool import Clock


@dataclass
class Item:
    """An item that is ready after this number of looks."""

    looks: float

    @property
    def pending(self) -> bool:
        return self.looks > 0


def run(clock: Clock, items: list[Item], timeout: float, look_seconds: float = 0.0) -> list[int]:
    """The number of items at each look."""
    seen: list[int] = []

    def look(pending: Any) -> None:
        seen.append(len(pending))
        clock.seconds += look_seconds
        for item in pending:
            item.looks -= 1

    poll(items, lambda: timeout, look, EngineClock(clock.now, clock.sleep))
    return seen


class TestPoll:
    @pytest.mark.parametrize("timeout", [0, 60])
    def test_poll_looks_once_if_all_items_are_done(self, timeout: float) -> None:
        clock = Clock()
        assert run(clock, [Item(1), Item(1)], timeout) == [2]
        assert clock.slept == []

    def test_poll_does_not_look_without_items(self) -> None:
        assert run(Clock(), [], 60) == []

    def test_a_timeout_of_zero_looks_once(self) -> None:
        clock = Clock()
        assert run(clock, [Item(9)], 0) == [1]
        assert clock.slept == []

    def test_poll_looks_again_only_at_pending_items(self) -> None:
        assert run(Clock(), [Item(1), Item(3), Item(2)], 60) == [3, 2, 1]

    def test_pauses_grow_to_one_second_and_end_at_the_deadline(self) -> None:
        clock = Clock()
        run(clock, [Item(float("inf"))], 10)
        assert clock.seconds == pytest.approx(1010)
        assert clock.slept[:7] == pytest.approx([0.1, 0.15, 0.225, 0.3375, 0.50625, 0.759375, 1.0])
        assert max(clock.slept) == 1.0
        assert len(clock.slept) == 14

    def test_the_last_look_is_at_the_deadline(self) -> None:
        clock = Clock()
        assert len(run(clock, [Item(float("inf"))], 0.1)) == 2
        assert clock.slept == [pytest.approx(0.1)]

    def test_the_deadline_is_requested_after_each_look(self) -> None:
        """Pending items may have less time than finished ones."""
        clock, deadlines = Clock(), [60.0, 0.1]
        poll([Item(9)], lambda: deadlines.pop(0), lambda _pending: None, EngineClock(clock.now, clock.sleep))
        assert clock.slept == [pytest.approx(0.1)]

    def test_the_time_of_looks_counts_toward_the_deadline(self) -> None:
        clock = Clock()
        assert len(run(clock, [Item(float("inf"))], 5, look_seconds=6)) == 1

    def test_poll_uses_real_time_by_default(self) -> None:
        looks: list[int] = []
        item = Item(2)

        def look(pending: Any) -> None:
            looks.append(len(pending))
            item.looks -= 1

        poll([item], lambda: 5, look)
        assert looks == [1, 1]
