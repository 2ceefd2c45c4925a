# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The image of a pod that the error in the status of a waiting container is about. Pure.

A container shows the errors of the image volumes that it mounts, and the error of the last one if several fail (kubernetes
pkg/kubelet/kuberuntime/kuberuntime_manager.go toKubeContainerImageVolumes). Its own image is pulled only after these. Some errors do not
name an image, or have the name of several, so they may be about any of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..core.objects import Json, as_dict, as_str
from ..images.pull_messages import CREATE_ERROR, is_about_image, is_about_volume
from .pod_images import PodImage, named_images

__all__ = ["NodeError", "errors_of", "has_started", "waits_with_image"]


@dataclass(frozen=True)
class NodeError:
    """`is_shared`: the error is about this image or about another one of the pod."""

    reason: str
    message: str
    is_shared: bool = False


def errors_of(images: Sequence[PodImage], statuses: Mapping[str, Json]) -> Mapping[PodImage, NodeError]:
    """Return the error for each image that has one. `statuses` are the container statuses by name."""
    found: dict[PodImage, NodeError] = {}
    mounted: dict[str, list[PodImage]] = {}
    for each in images:
        for name in each.containers if each.volume else ():
            mounted.setdefault(name, []).append(each)
    for own in (each for each in images if not each.volume):
        (container,) = own.containers
        for image, error in _errors_of_container(own, mounted.get(container, ()), statuses.get(container, {})):
            if image not in found or (found[image].is_shared and not error.is_shared):
                found[image] = error
    return found


def has_started(status: Json) -> bool:
    """Whether the container has its image, and those of the volumes that it mounts."""
    return bool({"running", "terminated"} & set(as_dict(status.get("state")))) and bool(as_str(status.get("imageID")))


def waits_with_image(status: Json) -> bool:
    """Whether the container waits, and its node has pulled its image and those of the volumes that it mounts.

    A kubelet pulls before it makes a container, and waits to restart a container that has run (kubernetes pkg/kubelet/kuberuntime
    kuberuntime_container.go startContainer, kuberuntime_manager.go doBackOff).
    """
    waiting = as_dict(as_dict(status.get("state")).get("waiting"))
    reason = as_str(waiting.get("reason"))
    return reason in _AFTER_A_PULL or (reason == CREATE_ERROR and not is_about_image(as_str(waiting.get("message"))))


def _errors_of_container(
    own: PodImage, volumes: Sequence[PodImage], status: Json
) -> Iterator[tuple[PodImage, NodeError]]:
    waiting = as_dict(as_dict(status.get("state")).get("waiting"))
    reason, message = as_str(waiting.get("reason")), as_str(waiting.get("message"))
    about = _candidates(own, volumes, reason, message)
    if not about:
        return
    named = named_images(message, [each.image for each in about])
    about = [each for each in about if each.image in named] or about
    is_shared = len({each.image for each in about}) > 1
    yield from ((each, NodeError(reason, message, is_shared)) for each in about)


def _candidates(own: PodImage, volumes: Sequence[PodImage], reason: str, message: str) -> Sequence[PodImage]:
    if reason in _NOT_OF_A_PULL or (reason == CREATE_ERROR and not is_about_image(message)):
        return []
    if reason == CREATE_ERROR:
        return volumes if is_about_volume(message) else [own]
    return [own, *volumes]


#: Reasons to wait that the kubelet gives when it has the image.
_AFTER_A_PULL = (
    "CrashLoopBackOff", "CreateContainerConfigError", "RunContainerError", "PostStartHookError", "PreCreateHookError",
    "PreStartHookError", "VerifyNonRootError",
)  # fmt: skip
#: Reasons to wait that have nothing to do with the image. Any other reason may be an error, because the kubelet puts errors there.
_NOT_OF_A_PULL = ("", "ContainerCreating", "PodInitializing", *_AFTER_A_PULL)
