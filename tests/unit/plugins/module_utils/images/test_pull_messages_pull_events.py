# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The events of a pod give the times of attempts, and a cause that is missing in the status."""

from __future__ import annotations

import time
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.times import seconds_of
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.pull_messages import PodEvents, pod_events
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
    def test_an_attempt_has_the_time_of_its_pulling_event(self) -> None:
        assert told(pulling(5), pulling(10), event("Failed", DENIED, 12)).last_attempt == seconds_of(at(10))

    def test_a_pull_in_progress_does_not_count_as_the_failed_attempt(self) -> None:
        assert told(pulling(30), event("Failed", DENIED, 12)).last_attempt == seconds_of(at(12))

    def test_an_unparsable_secret_has_the_time_of_its_error_event(self) -> None:
        error = event("Failed", "Error: illegal base64 data at input byte 0", 7)
        assert told(error, event("Failed", "Error: ImagePullBackOff", 30)).last_attempt == seconds_of(at(7))

    def test_a_back_off_event_is_not_an_attempt(self) -> None:
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
    def test_the_time_is_read_from_each_event_field(self, times: dict[str, Any], second: int) -> None:
        assert told(pulling(9, **times)).last_attempt == seconds_of(at(second))


class TestWhose:
    def test_events_of_another_container_are_ignored(self) -> None:
        assert told(pulling(5, container="init")).last_attempt is None
        init = event("Pulling", "", 5)
        init["involvedObject"]["fieldPath"] = "spec.initContainers{app}"
        assert told(init).last_attempt == seconds_of(at(5))

    def test_events_of_an_older_pod_with_the_same_name_are_ignored(self) -> None:
        assert told(pulling(5), uid="other").last_attempt is None
        assert told(pulling(5), uid="").last_attempt == seconds_of(at(5))


class TestVolume:
    """The events about the image of a volume name no container."""

    FAILED = 'Failed to pull image "q.io/m:1": reading manifest 1 in q.io/m: denied'

    def of_volume(self, *events: dict[str, Any], image: str = "q.io/m:1") -> PodEvents:
        for each in events:
            each["involvedObject"].pop("fieldPath")
        return pod_events([*events, pulling(50), event("Failed", DENIED, 51)], "", "u", image)

    def test_events_of_the_pod_that_name_the_image_are_read(self) -> None:
        found = self.of_volume(event("Pulling", 'Pulling image "q.io/m:1"', 5), event("Failed", self.FAILED, 9))
        assert found.last_attempt == seconds_of(at(5))
        assert found.standing_cause is not None
        assert found.standing_cause.rule.id == "denied"

    @pytest.mark.parametrize("image", ["q.io/m", "q.io/m:10", "m:1"])
    def test_events_about_another_image_are_ignored(self, image: str) -> None:
        found = self.of_volume(event("Failed", self.FAILED, 9), image=image)
        assert (found.last_attempt, found.cause) == (None, None)

    @pytest.mark.parametrize(("second", "stands"), [(8, True), (9, False), (10, False)])
    def test_a_later_success_ends_the_failure(self, second: int, stands: bool) -> None:
        pulled = event("Pulled", 'Successfully pulled image "q.io/m:1" in 1s', second)
        found = self.of_volume(event("Failed", self.FAILED, 9), pulled)
        assert (found.standing_cause is not None) is stands
        assert found.cause is not None

    def test_without_events_there_is_no_cause(self) -> None:
        assert self.of_volume().standing_cause is None


class TestCause:
    def test_the_latest_known_cause_is_returned(self) -> None:
        found = told(
            event("Failed", DENIED, 5),
            event("Failed", DENIED.replace("denied", "manifest unknown"), 3),
            event("Failed", 'Failed to pull image "q.io/a:1": pull QPS exceeded', 9),
            event("Failed", "Error: ErrImagePull", 9),
        )
        assert found.cause is not None
        assert (found.cause.rule.id, found.cause.text) == ("denied", "reading manifest 1 in q.io/a: denied")

    def test_a_credential_in_a_cause_is_hidden(self) -> None:
        found = told(event("Failed", f'{DENIED}: invalid decoded auth: "user:geheim"', 5))
        assert found.cause is not None
        assert "geheim" not in found.cause.text

    def test_events_without_a_known_cause_yield_no_cause(self) -> None:
        assert told(event("Failed", "Error: ErrImagePull", 9), pulling(3)).cause is None


@given(CHANGES, st.sampled_from(["app", ""]))
def test_malformed_events_raise_no_error(change: Changed, container: str) -> None:
    found = pod_events(change([pulling(1), event("Failed", DENIED, 2)]) or (), container)
    assert found.cause is None or found.cause.text


def test_many_long_events_are_read_in_little_time() -> None:
    events = [event("Failed", "Error: " + "a " * 8_000, number % 60) for number in range(400)]
    began = time.process_time()
    assert told(*events).cause is None
    assert time.process_time() - began < 2
