# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The wait for pulls polls at the right intervals and only where pulls are pending. For the wait within a rotation, see test_run.py."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SECRET, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig.editing import (
    LoginReplacement,
    UserPassword,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.workers import Workers
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.credential_rotation.options import (
    Rotation,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.credential_rotation.plan import Copy
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.credential_rotation.run_proof import (
    PullWait,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.credential_rotation.uses import (
    PullState,
    Use,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.references import reference_of
from support.fake_api import FakeApi
from support.objects import b64
from support.scripted_pool import Clock

ROTATION = Rotation(LoginReplacement(("quay.io",), UserPassword("a", "b"), UserPassword("c", "d")))


def copy_of(place: str) -> Copy:
    content = {"auths": {"quay.io": {"auth": b64(b"c:d")}}}
    data = {".dockerconfigjson": b64(json.dumps(content))}
    return Copy(ObjectRef(SECRET, place, "x"), {"type": "kubernetes.io/dockerconfigjson", "data": data}, ROTATION)


def use(place: str) -> Use:
    image = reference_of("quay.io/app:v1")
    assert image is not None
    return Use(image, "p", "c", ("x",), state=PullState(f"uid-{place}", has_image=False, may_be_under_way=True))


class Pods:
    """Waiting pods, by namespace. Each pod ends after a number of looks at its namespace. A look takes `seconds`."""

    def __init__(self, clock: Clock, seconds: float = 0.0, **looks: int) -> None:
        self.clock, self.seconds, self.looks = clock, seconds, looks
        self.asked: list[list[str]] = []

    def __call__(self, places: Sequence[str]) -> dict[str, list[Use]]:
        self.clock.seconds += self.seconds
        self.asked.append([*places])
        found = {place: [use(place)] for place in places if self.looks.get(place, 0) > 0}
        self.looks = {place: count - (place in places) for place, count in self.looks.items()}
        return found


@pytest.fixture
def clock() -> Iterator[Clock]:
    yield Clock()


def wait(clock: Clock, pods: Pods, *places: str, timeout: float = 60) -> list[str]:
    with Workers(2) as workers:
        copies = {place: [copy_of(place)] for place in places}
        found = PullWait(FakeApi().cluster(clock), workers, clock, pods, copies).wait(places, timeout)
    return [each.namespace for each in found]


def test_the_wait_ends_at_once_without_pending_pulls(clock: Clock) -> None:
    pods = Pods(clock)
    assert (wait(clock, pods, "a"), pods.asked, clock.slept) == ([], [["a"]], [])


def test_the_wait_looks_only_where_pulls_are_left_and_finally_everywhere(clock: Clock) -> None:
    pods = Pods(clock, a=2, b=1)
    assert wait(clock, pods, "a", "b", "c") == []
    assert pods.asked == [["a", "b", "c"], ["a", "b"], ["a"], ["a", "b", "c"]]


def test_pulls_that_take_too_long_are_left(clock: Clock) -> None:
    pods = Pods(clock, a=999)
    assert wait(clock, pods, "a", timeout=30) == ["a"]
    assert sum(clock.slept) == pytest.approx(30)


def test_a_list_that_takes_long_is_repeated_less_often(clock: Clock) -> None:
    wait(clock, Pods(clock, seconds=2.0, a=999), "a", timeout=60)
    assert clock.slept[1:3] == [8.0, 8.0]
    fast = Clock()
    wait(fast, Pods(fast, a=999), "a", timeout=60)
    assert max(fast.slept) == 3.0
