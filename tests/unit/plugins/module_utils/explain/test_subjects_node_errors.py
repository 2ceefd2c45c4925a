# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The error of a waiting container belongs to its own image or to a volume that it mounts, as a kubelet writes it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.subjects import (
    NodeError,
    PodImage,
    errors_of,
    has_started,
    waits_with_image,
)

APP, OTHER = PodImage("q.io/app:v1", "", ("app",)), PodImage("q.io/other:v1", "", ("other",))
MODEL = PodImage("q.io/model:v1", "", ("app", "other"), "model")
DATA = PodImage("q.io/data:v1", "", ("app",), "data")
IMAGES = (APP, OTHER, MODEL, DATA)
NAMED = 'Back-off pulling image "{}": ErrImagePull: denied'
AT_START = 'checking signature of "{}": verifying signatures: SignatureValidationFailed: A signature was required'
MOUNT = "ImageVolumeMountFailed: "
#: The reasons of a container whose image the kubelet has.
AFTER_A_PULL = (
    *("CrashLoopBackOff", "CreateContainerConfigError", "RunContainerError", "VerifyNonRootError"),
    *("PostStartHookError", "PreCreateHookError", "PreStartHookError"),
)


def found(images: Sequence[PodImage] = IMAGES, **messages: Any) -> dict[str, tuple[str, bool]]:
    """The message and whether it is shared, by volume or container. Each value is a message, or a reason and a message."""
    pairs = {name: each if isinstance(each, tuple) else ("ErrImagePull", each) for name, each in messages.items()}
    statuses = {
        name: {"state": {"waiting": {"reason": reason, "message": message}}}
        for name, (reason, message) in pairs.items()
    }
    errors = errors_of(images, statuses)
    return {each.volume or each.containers[0]: (error.message, error.is_shared) for each, error in errors.items()}


class TestPullError:
    @pytest.mark.parametrize("image", IMAGES[:1] + IMAGES[2:], ids=["own", "volume", "volume of one container"])
    def test_an_error_is_of_the_image_that_it_names(self, image: PodImage) -> None:
        message = NAMED.format(image.image)
        assert found(app=message) == {image.volume or "app": (message, False)}

    def test_a_container_without_volumes_has_its_error_alone(self) -> None:
        assert found([APP], app="pull QPS exceeded") == {"app": ("pull QPS exceeded", False)}

    def test_an_error_that_names_no_image_is_shared(self) -> None:
        text = ("pull QPS exceeded", True)
        assert found(app=text[0]) == {"app": text, "model": text, "data": text}

    def test_an_error_with_the_name_of_two_images_is_shared(self) -> None:
        """A runtime leaves out the tag of an image with a digest."""
        digest = "sha256:" + 64 * "0"
        own = PodImage(f"q.io/x:v1@{digest}", "", ("app",))
        volume = PodImage(f"q.io/x@{digest}", "", ("app",), "data")
        text = (f"initializing source docker://q.io/x@{digest}: denied", True)
        assert found([own, volume, MODEL], app=text[0]) == {"app": text, "data": text}

    def test_an_error_that_names_its_image_outweighs_a_shared_one(self) -> None:
        message = NAMED.format(MODEL.image)
        assert found(app="pull QPS exceeded", other=message)["model"] == (message, False)
        assert found([OTHER, APP, MODEL], other=message, app="pull QPS exceeded")["model"] == (message, False)

    def test_a_volume_with_the_image_of_the_container_has_the_same_error(self) -> None:
        same, message = PodImage(APP.image, "", ("app",), "same"), NAMED.format(APP.image)
        assert found([APP, same], app=message) == {"app": (message, False), "same": (message, False)}
        assert found([APP, same], app="pull QPS exceeded")["app"] == ("pull QPS exceeded", False)

    def test_a_volume_of_no_container_has_no_error(self) -> None:
        unmounted = PodImage("q.io/app:v1", "", (), "unmounted")
        assert [*found([APP, unmounted], app=NAMED.format(APP.image))] == ["app"]


class TestCreateError:
    @pytest.mark.parametrize(
        ("message", "images"),
        [
            (AT_START.format(APP.image), ["app"]),
            (AT_START.format("docker.io/library/renamed:v1"), ["app"]),
            (MOUNT + AT_START.format(MODEL.image), ["model"]),
            (MOUNT + 'sub path "x" does not exist in image volume "sha256:1"', ["data", "model"]),
            ("rpc error: code = Unknown desc = " + AT_START.format(APP.image), ["app"]),
            ('reading image "1": locating image with ID "1": image not known', ["app"]),
            ('container create failed: exec: "image not known": not found', []),
            ('container create failed: exec: "run": not found', []),
            ("the name checking signature of is reserved", []),
            ("context deadline exceeded", []),
            ("", []),
        ],
    )
    def test_only_signatures_mounts_and_missing_images_are_about_images(self, message: str, images: list[str]) -> None:
        assert sorted(found(app=("CreateContainerError", message))) == images


@pytest.mark.parametrize("reason", ["", "ContainerCreating", "PodInitializing", *AFTER_A_PULL])
def test_other_reasons_are_not_about_an_image(reason: str) -> None:
    assert found(app=(reason, NAMED.format(APP.image))) == {}


@pytest.mark.parametrize(
    ("status", "started"),
    [
        ({"state": {"running": {}}, "imageID": "x"}, True),
        ({"state": {"terminated": {}}, "imageID": "x"}, True),
        ({"state": {"running": {}}, "imageID": ""}, False),
        ({"state": {"waiting": {}}, "imageID": "x"}, False),
        ({"state": 1}, False),
        ({}, False),
    ],
)
def test_a_container_has_started_if_it_ran_with_an_image_id(status: dict[str, Any], started: bool) -> None:
    assert has_started(status) is started


@pytest.mark.parametrize(
    ("reason", "message", "has_image"),
    [
        *((reason, "back-off restarting failed container", True) for reason in AFTER_A_PULL),
        ("CreateContainerError", "the name is reserved", True),
        ("CreateContainerError", AT_START.format(APP.image), False),
        ("CreateContainerError", MOUNT + "x", False),
        *((reason, "", False) for reason in ("", "ContainerCreating", "PodInitializing", "ErrImagePull", "new")),
    ],
)
def test_a_container_that_waits_for_something_else_has_its_image(reason: str, message: str, has_image: bool) -> None:
    assert waits_with_image({"state": {"waiting": {"reason": reason, "message": message}}}) is has_image
    assert not waits_with_image({"state": {"running": {}}})


def test_an_error_has_the_reason_and_the_message_of_the_node() -> None:
    status = {"state": {"waiting": {"reason": "illegal base64 data at input byte 0", "message": "m"}}}
    assert errors_of([APP], {"app": status}) == {APP: NodeError("illegal base64 data at input byte 0", "m")}
