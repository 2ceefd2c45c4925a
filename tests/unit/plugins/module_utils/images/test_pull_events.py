# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the events of a pod tell: the times of attempts, and a cause that the status does not have."""

from __future__ import annotations

import time
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.times import seconds_of
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.pull_events import PodEvents, pod_events
from hypothesis import given
from hypothesis import strategies as st
from support.anything import CHANGES, Changed

DENIED = 'Failed to pull image "q.io/a:1": reading manifest 1 in q.io/a: denied'


def at(second: int) -> str:
    return f"2026-01-01T00:00:{second:02}Z"


def event(reason: str, message: str, second: int = 0, container: str = "app", **more: Any) -> dict[str, Any]:
    about = {"kind": "Pod", "fieldPath": f"spec.containers{{{container}}}", "uid": "u"}
    return {"involvedObject": about, "reason": reason, "message": message, "lastTimestamp": at(second), **more}


def told(*events: dict[str, Any], uid: str = "u") -> PodEvents:
    return pod_events(events, "app", uid)


def pulling(second: int, **more: Any) -> dict[str, Any]:
    return event("Pulling", 'Pulling image "q.io/a:1"', second, **more)


class TestLastAttempt:
    def test_is_when_it_began(self) -> None:
        assert told(pulling(5), pulling(10), event("Failed", DENIED, 12)).last_attempt == seconds_of(at(10))

    def test_one_under_way_is_not_the_one_that_is_told_of(self) -> None:
        assert told(pulling(30), event("Failed", DENIED, 12)).last_attempt == seconds_of(at(12))

    def test_a_secret_that_is_not_parsed_has_no_beginning(self) -> None:
        error = event("Failed", "Error: illegal base64 data at input byte 0", 7)
        assert told(error, event("Failed", "Error: ImagePullBackOff", 30)).last_attempt == seconds_of(at(7))

    def test_back_off_is_no_attempt(self) -> None:
        assert told(event("BackOff", 'Back-off pulling image "q.io/a:1"', 9)).last_attempt is None
        assert told().last_attempt is None

    @pytest.mark.parametrize(
        ("times", "second"),
        [
            ({"series": {"lastObservedTime": at(3)}, "eventTime": at(1)}, 3),
            ({"lastTimestamp": None, "eventTime": at(1), "firstTimestamp": at(0)}, 1),
            ({"lastTimestamp": None, "series": None, "firstTimestamp": at(2)}, 2),
        ],
    )
    def test_each_form_of_the_time(self, times: dict[str, Any], second: int) -> None:
        assert told(pulling(9, **times)).last_attempt == seconds_of(at(second))


class TestWhose:
    def test_another_container_is_not_asked(self) -> None:
        assert told(pulling(5, container="init")).last_attempt is None
        init = event("Pulling", "", 5)
        init["involvedObject"]["fieldPath"] = "spec.initContainers{app}"
        assert told(init).last_attempt == seconds_of(at(5))

    def test_an_older_pod_of_the_same_name_is_not_asked(self) -> None:
        assert told(pulling(5), uid="other").last_attempt is None
        assert told(pulling(5), uid="").last_attempt == seconds_of(at(5))


class TestCause:
    def test_is_the_latest_that_is_one(self) -> None:
        found = told(
            event("Failed", DENIED, 5),
            event("Failed", DENIED.replace("denied", "manifest unknown"), 3),
            event("Failed", 'Failed to pull image "q.io/a:1": pull QPS exceeded', 9),
            event("Failed", "Error: ErrImagePull", 9),
        )
        assert found.cause is not None
        assert (found.cause.rule.id, found.cause.text) == ("denied", "reading manifest 1 in q.io/a: denied")

    def test_a_credential_in_it_is_hidden(self) -> None:
        found = told(event("Failed", f'{DENIED}: invalid decoded auth: "user:geheim"', 5))
        assert found.cause is not None
        assert "geheim" not in found.cause.text

    def test_nothing(self) -> None:
        assert told(event("Failed", "Error: ErrImagePull", 9), pulling(3)).cause is None


@given(CHANGES, st.sampled_from(["app", ""]))
def test_whatever_they_hold(change: Changed, container: str) -> None:
    found = pod_events(change([pulling(1), event("Failed", DENIED, 2)]) or (), container)
    assert found.cause is None or found.cause.text


def test_who_writes_many_long_events_takes_the_time_of_nobody() -> None:
    events = [event("Failed", "Error: " + "a " * 8_000, number % 60) for number in range(400)]
    began = time.process_time()
    assert told(*events).cause is None
    assert time.process_time() - began < 2
