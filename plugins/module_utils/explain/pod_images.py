# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All images that a node pulls for a pod: those of its containers and of its image volumes. Pure.

A node pulls the images of volumes first, with the pod's own pull secrets, even for a volume that no container mounts. The status of each
container that mounts the volume shows the error (kubernetes pkg/kubelet/kuberuntime/kuberuntime_manager.go getImageVolumes).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..core.objects import Json, as_dict, as_list, as_str
from ..images.references import reference_of

__all__ = ["CONTAINERS", "PodImage", "images_of", "named_images"]

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
    """Yield the images of a pod or of a template, containers first. A volume of a template may have no image yet."""
    mounting: dict[str, list[str]] = {}
    for part in CONTAINERS:
        for container in map(as_dict, as_list(pod_spec.get(part))):
            name = as_str(container.get("name"))
            yield PodImage(as_str(container.get("image")), as_str(container.get("imagePullPolicy")), (name,))
            for mount in map(as_dict, as_list(container.get("volumeMounts"))):
                mounting.setdefault(as_str(mount.get("name")), []).append(name)
    for volume in map(as_dict, as_list(pod_spec.get("volumes"))):
        image, name = as_dict(volume.get("image")), as_str(volume.get("name"))
        if name and (reference := as_str(image.get("reference"))):
            containers = tuple(dict.fromkeys(mounting.get(name, ())))
            yield PodImage(reference, as_str(image.get("pullPolicy")) or _default_policy(reference), containers, name)


def named_images(message: str, images: Iterable[str]) -> frozenset[str]:
    """Return the images that an error of a node may be about, empty if it names none of them: those of the first name in the text.

    The text has the name of the pod, or the complete name that a runtime uses. A runtime leaves out the tag of an image with a digest, so
    two images can have the same name.
    """
    found: dict[tuple[int, int], set[str]] = {}
    for image in images:
        for match in _mentions(message, image):
            found.setdefault((match.start(), -len(match[0])), set()).add(image)
    return frozenset(found[min(found)]) if found else frozenset()


def _default_policy(reference: str) -> str:
    """The pull policy that the API server sets (kubernetes pkg/apis/core/v1/defaults.go SetDefaults_Volume)."""
    parsed = reference_of(reference)
    is_latest = parsed is not None and not parsed.digest and parsed.tag in ("", "latest")
    return "Always" if is_latest else "IfNotPresent"


def _mentions(message: str, image: str) -> Iterator[re.Match[str]]:
    """The places where the text names the image, and not another one whose name or tag is longer."""
    reference = reference_of(image)
    for name in {image, *([str(reference)] if reference is not None else ())} - {""}:
        if name not in message:  # a pod can have thousands of images, and an expression takes long to compile
            continue
        tagged = ":" in name.rpartition("/")[2] or "@" in name
        tag = "" if tagged else r"(?!:(?!latest\b)\w)"
        match = re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w/@-]|\.\w){tag}", message)
        if match is not None:
            yield match
