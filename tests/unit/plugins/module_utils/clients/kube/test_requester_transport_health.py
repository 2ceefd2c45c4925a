# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The health of the cluster as a whole is decided for all threads together."""

from __future__ import annotations

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.errors import (
    ClusterError,
    ConnectError,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.requester import Health
from support.scripted_pool import Clock


def at(clock: Clock, seconds: float) -> float:
    clock.seconds = seconds
    return seconds


def reached() -> tuple[Health, Clock]:
    """The health of a cluster that has answered at second 100."""
    clock = Clock(100.0)
    health = Health(clock.now)
    health.healthy()
    return health, clock


class TestPatience:
    @pytest.mark.parametrize(("seconds", "silent"), [(29.9, 0.0), (30.0, 30.0), (60.0, 60.0)])
    def test_the_silence_counts_from_the_start_of_the_first_unanswered_request(
        self, seconds: float, silent: float
    ) -> None:
        health, clock = reached()
        at(clock, 1000.0 + seconds)
        assert health.unhealthy(1000.0) == silent

    @pytest.mark.parametrize(("seconds", "silent"), [(4.9, 0.0), (5.0, 5.0)])
    def test_a_server_that_was_never_reached_is_given_less_time(self, seconds: float, silent: float) -> None:
        clock = Clock(100.0 + seconds)
        assert Health(clock.now).unhealthy(100.0) == silent

    def test_the_silence_counts_over_several_requests(self) -> None:
        health, clock = reached()
        at(clock, 110.0)
        assert health.unhealthy(109.0) == 0
        at(clock, 138.9)
        assert health.unhealthy(138.0) == 0
        at(clock, 139.0)
        assert health.unhealthy(138.9) == 30.0

    def test_a_request_that_began_earlier_and_fails_later_counts_from_its_start(self) -> None:
        health, clock = reached()
        at(clock, 130.0)
        assert health.unhealthy(129.0) == 0
        at(clock, 131.0)
        assert health.unhealthy(101.0) == 30.0

    def test_a_healthy_answer_to_any_request_ends_the_silence(self) -> None:
        health, clock = reached()
        at(clock, 130.0)
        assert health.unhealthy(120.0) == 0
        at(clock, 149.0)
        health.healthy()
        at(clock, 178.9)
        assert health.unhealthy(150.0) == 0

    def test_a_hung_request_counts_from_the_last_answer_to_the_other_requests(self) -> None:
        health, clock = reached()
        at(clock, 150.0)
        health.healthy()
        at(clock, 179.9)
        assert health.unhealthy(110.0) == 0
        at(clock, 180.0)
        assert health.unhealthy(110.0) == 30.0

    def test_a_healthy_answer_marks_the_server_as_reached(self) -> None:
        health = Health(Clock().now)
        assert not health.reached
        health.healthy()
        assert health.reached


class TestStop:
    def test_the_health_is_not_stopped_at_first(self) -> None:
        health = Health(Clock().now)
        health.check()
        assert not health.is_stopped

    def test_the_first_error_is_remembered(self) -> None:
        health = Health(Clock().now)
        assert str(health.stop(ConnectError("first"))) == "first"
        later = health.stop(ClusterError("second"))
        assert (later.__class__, str(later)) == (ConnectError, "first")
        assert health.is_stopped
        with pytest.raises(ConnectError, match=r"^first$"):
            health.check()

    def test_each_caller_gets_its_own_error_without_the_doubt_of_another_write(self) -> None:
        health, error = Health(Clock().now), ClusterError("first")
        error.unanswered = True
        first, second = health.stop(error), health.stop(error)
        assert first is not second
        assert first is not error
        assert not first.unanswered
