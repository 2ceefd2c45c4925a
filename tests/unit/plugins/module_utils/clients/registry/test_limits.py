# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is left of an answer's time and size, on a clock that the test moves."""

from __future__ import annotations

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.registry.limits import (
    CutOff,
    Limits,
    TooLong,
)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


class TestTime:
    def test_counts_from_the_beginning_on(self) -> None:
        clock = Clock()
        limits = Limits(10, 1, clock)
        assert limits.seconds_left() == 10
        clock.now += 4
        assert limits.seconds_left() == 6

    @pytest.mark.parametrize("seconds", [10, 11])
    def test_is_over(self, seconds: float) -> None:
        clock = Clock()
        limits = Limits(10, 1, clock)
        clock.now += seconds
        with pytest.raises(TimeoutError) as error:
            limits.seconds_left()
        assert str(error.value) == "timed out"


class TestSize:
    def test_all_of_it_may_be_used(self) -> None:
        limits = Limits(1, 10)
        assert [limits.count(4), limits.count(6)] == [4, 6]
        with pytest.raises(TooLong) as error:
            limits.count(1)
        assert str(error.value) == "the answer is too long"

    def test_an_end_before_the_answer_is_left_to_the_reader(self) -> None:
        assert Limits(1, 10).count(0) == 0

    def test_an_end_within_the_answer(self) -> None:
        limits = Limits(1, 10)
        limits.count(1)
        with pytest.raises(CutOff) as error:
            limits.count(0)
        assert str(error.value) == "the connection was closed in the middle of the answer"
