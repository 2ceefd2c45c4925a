# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The wait finds the pulls that may still use the old login, and notices when they have ended."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SECRET, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig.editing import (
    LoginReplacement,
    UserPassword,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.credential_rotation.options import (
    Rotation,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.credential_rotation.plan import Copy
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.credential_rotation.uses import (
    PendingPull,
    PullState,
    Use,
    event_counts,
    filter_pending,
    find_pending,
    trim_event,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.references import reference_of
from hypothesis import given
from support.anything import CHANGES, Changed
from support.objects import b64

ROTATION = Rotation(LoginReplacement(("quay.io",), UserPassword("a", "b"), UserPassword("c", "d")))
IMAGE = "quay.io/team/app:v1"
PULL = PendingPull("a", "p", "u", "c", "", IMAGE)


def copy_of(name: str, place: str = "a", login: str = "c:d") -> Copy:
    content = {"auths": {"quay.io": {"auth": b64(login)}}}
    data = {".dockerconfigjson": b64(json.dumps(content))}
    return Copy(ObjectRef(SECRET, place, name), {"type": "kubernetes.io/dockerconfigjson", "data": data}, ROTATION)


def use(uid: str = "u", *, secret: str = "x", waits: bool = True, said: str = "") -> Use:
    image = reference_of(IMAGE)
    assert image is not None
    return Use(image, "p", "c", (secret,), state=PullState(uid, not waits, said, waits))


def event(reason: str, container: str = "c", count: int = 1, uid: str = "u", **more: Any) -> dict[str, Any]:
    about = {"uid": uid, "fieldPath": f"spec.containers{{{container}}}"} if container else {"uid": uid}
    return {"metadata": {"namespace": "a"}, "involvedObject": about, "reason": reason, "count": count, **more}


class TestPending:
    def test_a_pod_that_waits_with_a_confirmed_secret_is_pending(self) -> None:
        found = {"a": [use(), use("v", secret="mine"), use("w", waits=False)], "b": [use("z")]}
        assert find_pending(found, {"a": [copy_of("x")], "b": [copy_of("x", "b", "other:login")]}) == [PULL]

    def test_the_pull_secret_of_the_nodes_counts_for_all_pods(self) -> None:
        found = {"b": [use(secret="mine")]}
        assert find_pending(found, {"": [copy_of("pull-secret", "openshift-config")]}) == [replace(PULL, namespace="b")]

    def test_workloads_pull_nothing(self) -> None:
        assert find_pending({"a": [replace(use(), state=None)]}, {"a": [copy_of("x")]}) == []


class TestStillPending:
    @pytest.mark.parametrize(
        ("now", "ended"),
        [
            ([PULL], False),
            ([], True),
            ([replace(PULL, uid="v")], True),
            ([replace(PULL, said="ErrImagePull: pull QPS exceeded")], True),
        ],
    )
    def test_a_pull_ends_when_its_status_changes(self, now: list[PendingPull], ended: bool) -> None:
        assert filter_pending([PULL], now, {}, {}) == ([] if ended else [PULL])

    def test_an_error_that_stays_the_same_ends_nothing(self) -> None:
        """The next attempt may be queued while the status still shows the previous error."""
        failed = replace(PULL, said="ImagePullBackOff: pull QPS exceeded")
        assert filter_pending([failed], [failed], {}, {}) == [failed]
        assert filter_pending([failed], [replace(failed, said="")], {}, {}) == [failed]

    @pytest.mark.parametrize(
        ("after", "ended"),
        [
            (event("BackOff", count=2), True),
            (event("Failed"), True),
            (event("FailedMount", container=""), True),
            (event("FailedAttachVolume", container=""), True),
            (event("FailedCreatePodSandBox", container=""), True),
            (event("BackOff"), False),
            (event("Pulling", count=9), False),
            (event("Failed", container="other"), False),
            (event("Failed", uid="v"), False),
        ],
    )
    def test_a_later_failure_event_ends_a_pull(self, after: dict[str, Any], ended: bool) -> None:
        before = event_counts([event("BackOff")])
        assert filter_pending([PULL], [PULL], before, event_counts([event("BackOff"), after][1:])) == (
            [] if ended else [PULL]
        )


class TestEvents:
    def test_events_of_one_reason_are_counted_together(self) -> None:
        series = {"series": {"count": 5, "lastObservedTime": "2026-01-01T00:00:02.000000Z"}, "count": None}
        found = event_counts([event("Failed", lastTimestamp="2026-01-01T00:00:01Z"), event("Failed", **series)])
        assert found == {("u", "c", "Failed"): (6, "2026-01-01T00:00:02.000000Z")}

    @given(CHANGES)
    def test_any_changed_event_is_counted(self, change: Changed) -> None:
        changed = change(event("Failed", series={"count": 1}))
        if isinstance(changed, dict):
            assert len(event_counts([trim_event(changed)])) == 1
