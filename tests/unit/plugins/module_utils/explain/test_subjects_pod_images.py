# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All images of a pod are found, and the image that a container's message is about."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.subjects import (
    PodImage,
    images_of,
    named_images,
)
from hypothesis import given
from support.anything import ANYTHING, CHANGES, Changed

SPEC: dict[str, Any] = {
    "containers": [
        {
            "name": "app",
            "image": "q.io/app",
            "imagePullPolicy": "Always",
            "volumeMounts": [{"name": "model"}, {"name": "x"}],
        },
        {"name": "beside", "image": "q.io/app", "volumeMounts": [{"name": "model"}, {"name": "model"}]},
    ],
    "initContainers": [{"name": "init", "image": "q.io/init"}],
    "ephemeralContainers": [{"name": "debug", "image": "q.io/debug"}],
    "volumes": [
        {"name": "x", "emptyDir": {}},
        {"name": "model", "image": {"reference": "q.io/model:v1", "pullPolicy": "IfNotPresent"}},
        {"name": "unused", "image": {"reference": "q.io/unused"}},
        {"name": "template", "image": {}},
        {"name": "empty", "image": {"reference": ""}},
        {"image": {"reference": "q.io/nameless"}},
    ],
}


def test_images_of_lists_containers_and_image_volumes() -> None:
    assert [*images_of(SPEC)] == [
        PodImage("q.io/init", "", ("init",)),
        PodImage("q.io/app", "Always", ("app",)),
        PodImage("q.io/app", "", ("beside",)),
        PodImage("q.io/debug", "", ("debug",)),
        PodImage("q.io/model:v1", "IfNotPresent", ("app", "beside"), "model"),
        PodImage("q.io/unused", "Always", (), "unused"),
    ]


@given(CHANGES)
def test_images_of_accepts_any_content_of_a_pod(change: Changed) -> None:
    changed = change({"spec": SPEC})
    spec = changed.get("spec") if isinstance(changed, dict) else None
    if isinstance(spec, dict):
        assert all(isinstance(one, PodImage) for one in images_of(spec))


@pytest.mark.parametrize(
    ("reference", "policy"),
    [
        ("q.io/app", "Always"),
        ("q.io/app:latest", "Always"),
        ("q.io:5000/app", "Always"),
        ("q.io/app:v1", "IfNotPresent"),
        ("q.io/app@sha256:" + 64 * "0", "IfNotPresent"),
        ("q.io/UPPER", "IfNotPresent"),
    ],
)
def test_a_volume_without_a_pull_policy_gets_the_default_of_the_api_server(reference: str, policy: str) -> None:
    (found,) = images_of({"volumes": [{"name": "v", "image": {"reference": reference}}]})
    assert found.pull_policy == policy


IMAGES = (
    "q.io/app:v1",
    "q.io/model:v1",
    "q.io/app:v10",
    "",
    "team/tool",
    "nginx",
    "q.io/app",
    "q.io/x:v1@sha256:" + 64 * "0",
)


@pytest.mark.parametrize(
    ("message", "named"),
    [
        ('Back-off pulling image "q.io/model:v1"', "q.io/model:v1"),
        ("initializing source docker://q.io/app:v1: denied", "q.io/app:v1"),
        ("initializing source docker://q.io/app:v10: denied", "q.io/app:v10"),
        ("initializing source docker://q.io/app:latest: denied", "q.io/app"),
        ("initializing source docker://q.io/app:v2: denied", ""),
        ("initializing source docker://q.io/app-b:latest: denied", ""),
        ("initializing source docker://q.io/app/b:latest: denied", ""),
        ("initializing source docker://my.q.io/app:v1: denied", ""),
        ("initializing source docker://docker.io/library/nginx:latest: denied", "nginx"),
        ("initializing source docker://registry.redhat.io/team/tool:latest: denied", "team/tool"),
        ("initializing source docker://q.io/x@sha256:" + 64 * "0" + ": denied", IMAGES[-1]),
        # A mirror that is another image of the pod.
        ("docker://q.io/app:v1: (Mirrors also failed: [q.io/model:v1: x]): q.io/app:v1: y", "q.io/app:v1"),
        ("pull QPS exceeded", ""),
        ("", ""),
    ],
)
def test_the_image_that_a_message_names_is_found(message: str, named: str) -> None:
    expected = {named} if named else set()
    assert named_images(message, IMAGES) == expected
    assert named_images(message, IMAGES[::-1]) == expected


def test_a_runtime_has_the_same_name_for_an_image_with_and_without_its_tag() -> None:
    digest = "sha256:" + 64 * "0"
    both = [f"q.io/x:v1@{digest}", f"q.io/x@{digest}"]
    for images in (both, both[::-1]):
        assert named_images(f"initializing source docker://q.io/x@{digest}: denied", images) == {*both}
        assert named_images(f'Back-off pulling image "q.io/x:v1@{digest}": denied', images) == {both[0]}


def test_a_name_without_a_tag_and_one_with_latest_are_the_same_image() -> None:
    both = ["q.io/app", "q.io/app:latest"]
    for images in (both, both[::-1]):
        assert named_images("initializing source docker://q.io/app:latest: denied", images) == {*both}


def test_a_name_without_a_registry_may_have_the_name_of_another_image_at_a_search_registry() -> None:
    both = ["q.io:443/team/app:v1", "team/app:v1"]
    for images in (both, both[::-1]):
        assert named_images("initializing source docker://q.io:443/team/app:v1: denied", images) == {*both}
        assert named_images("initializing source docker://r.io/team/app:v1: denied", images) == {both[1]}
        assert named_images('Back-off pulling image "team/app:v1": denied', images) == {both[1]}


@given(ANYTHING)
def test_any_text_of_a_pod_can_be_an_image(value: Any) -> None:
    assert named_images(f"docker://{value}: denied", [str(value), "q.io/app"]) <= {str(value), "q.io/app"}
