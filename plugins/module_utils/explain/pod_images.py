# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All images that a node pulls for a pod: those of its containers and of its image volumes. Pure.

A node pulls the images of volumes first, with the pod's own pull secrets, even for a volume that no container mounts. The status of each
container that mounts the volume shows the error (kubernetes pkg/kubelet/kuberuntime/kuberuntime_manager.go getImageVolumes).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..core.json_types import as_dict, as_list, as_str
from ..core.objects import Json

__all__ = ["CONTAINERS", "PodImage", "image_in_message", "images_of"]

#: Fields of a pod that list containers.
CONTAINERS = ("initContainers", "containers", "ephemeralContainers")


@dataclass(frozen=True)
class PodImage:
    """One image of a pod. `containers` show its pull in their status: the container itself, or those that mount `volume`."""

    image: str
    pull_policy: str
    containers: tuple[str, ...]
    volume: str = ""


def images_of(pod_spec: Json) -> Iterator[PodImage]:
    """Yield the images of a pod or of a template, containers first."""
    mounting: dict[str, list[str]] = {}
    for part in CONTAINERS:
        for container in map(as_dict, as_list(pod_spec.get(part))):
            name = as_str(container.get("name"))
            yield PodImage(as_str(container.get("image")), as_str(container.get("imagePullPolicy")), (name,))
            for mount in map(as_dict, as_list(container.get("volumeMounts"))):
                mounting.setdefault(as_str(mount.get("name")), []).append(name)
    for volume in map(as_dict, as_list(pod_spec.get("volumes"))):
        image, name = as_dict(volume.get("image")), as_str(volume.get("name"))
        if reference := as_str(image.get("reference")):
            containers = tuple(dict.fromkeys(mounting.get(name, ())))
            yield PodImage(reference, as_str(image.get("pullPolicy")), containers, name)


def image_in_message(message: str, own: str, volumes: Sequence[str]) -> str:
    """Return the image that a waiting container's message is about: one of its mounted volumes if the message names it, else its own."""
    named = [image for image in (own, *volumes) if image and image in message]
    return max(named, key=len, default=own)
