# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting: at least one look, only at what is pending, never longer than asked, never busier than needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.reconcile import polling as rounds


@dataclass
class Item:
    """Ready after so many looks."""

    looks: float

    @property
    def pending(self) -> bool:
        return self.looks > 0


class Clock:
    """Time that passes only in sleep."""

    def __init__(self) -> None:
        self.now, self.sleeps = 0.0, []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.sleeps.append(seconds)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(rounds, "time", clock)
    return clock


def run(items: list[Item], timeout: float) -> list[int]:
    """How many items each round looked at."""
    seen: list[int] = []

    def look(pending: Any) -> None:
        seen.append(len(pending))
        for item in pending:
            item.looks -= 1

    rounds.poll(items, timeout, look)
    return seen


class TestInRounds:
    @pytest.mark.parametrize("timeout", [0, 60])
    def test_one_look_when_all_is_there(self, clock: Clock, timeout: float) -> None:
        assert run([Item(1), Item(1)], timeout) == [2]
        assert clock.sleeps == []

    def test_no_look_without_items(self, clock: Clock) -> None:
        assert run([], 60) == []

    def test_a_timeout_of_zero_looks_once(self, clock: Clock) -> None:
        assert run([Item(9)], 0) == [1]

    def test_looks_again_only_at_what_is_pending(self, clock: Clock) -> None:
        assert run([Item(1), Item(3), Item(2)], 60) == [3, 2, 1]

    def test_pauses_grow_to_one_second_and_end_at_the_deadline(self, clock: Clock) -> None:
        run([Item(float("inf"))], 10)
        assert clock.now == pytest.approx(10)
        assert clock.sleeps[0] == pytest.approx(0.1)
        assert max(clock.sleeps) == pytest.approx(1.0)
        assert len(clock.sleeps) < 20
