# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All images of a pod are found, and the image that a container's message is about."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.pod_images import (
    PodImage,
    image_in_message,
    images_of,
)
from hypothesis import given
from support.anything import CHANGES, Changed

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
    ],
}


def test_images_of_lists_containers_and_image_volumes() -> None:
    assert [*images_of(SPEC)] == [
        PodImage("q.io/init", "", ("init",)),
        PodImage("q.io/app", "Always", ("app",)),
        PodImage("q.io/app", "", ("beside",)),
        PodImage("q.io/debug", "", ("debug",)),
        PodImage("q.io/model:v1", "IfNotPresent", ("app", "beside"), "model"),
        PodImage("q.io/unused", "", (), "unused"),
    ]


@given(CHANGES)
def test_images_of_accepts_any_content_of_a_pod(change: Changed) -> None:
    changed = change({"spec": SPEC})
    spec = changed.get("spec") if isinstance(changed, dict) else None
    if isinstance(spec, dict):
        assert all(isinstance(one, PodImage) for one in images_of(spec))


@pytest.mark.parametrize(
    ("message", "image"),
    [
        ('Back-off pulling image "q.io/model:v1"', "q.io/model:v1"),
        ("initializing source docker://q.io/app:v1: denied", "q.io/app:v1"),
        ("initializing source docker://q.io/app:v10: denied", "q.io/app:v10"),
        ("pull QPS exceeded", "q.io/app:v1"),
        ("", "q.io/app:v1"),
    ],
)
def test_the_image_that_a_message_names_is_found(message: str, image: str) -> None:
    assert image_in_message(message, "q.io/app:v1", ("q.io/model:v1", "q.io/app:v10", "")) == image
