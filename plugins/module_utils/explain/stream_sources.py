# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which containers get their image from the tag of an image stream. Pure.

openshift/library-go pkg/image/trigger (the annotation), openshift/api apps/v1 (triggers of a DeploymentConfig) and image/v1 (names that
are resolved when a pod or a workload is created).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..core.objects import Json, ObjectRef, as_dict, as_list, as_str, as_strs, metadata
from ..images.image_streams import IMAGE_STREAM

__all__ = ["StreamSource", "has_resolve_annotation", "sources_of"]

_TRIGGERS = "image.openshift.io/triggers"
_RESOLVE = "alpha.image.policy.openshift.io/resolve-names"
_FIELD = re.compile(
    r"spec\.(?:jobTemplate\.spec\.)?template\.spec\.(?P<part>containers|initContainers)"
    r"\[(?:(?P<index>\d{1,4})|\?\(@\.name==[\"'](?P<name>[^\"']*)[\"']\))\]\.image\Z"
)


@dataclass(frozen=True)
class StreamSource:
    """The tag that sets a container's image. `is_paused`: the workload does not get new images."""

    stream: ObjectRef
    tag: str
    is_paused: bool = False


def sources_of(workload: Json, pod_spec: Json, namespace: str) -> Mapping[str, StreamSource]:
    """Return the sources by container name. `pod_spec` is that of the workload's template."""
    annotated = _sources_from_annotation(
        as_str(as_dict(metadata(workload).get("annotations")).get(_TRIGGERS)), pod_spec, namespace
    )
    return {**dict(_sources_from_triggers(as_dict(workload.get("spec")), namespace)), **annotated}


def has_resolve_annotation(*objects: Json) -> bool:
    """Whether one of the objects says that names without a registry refer to image streams."""
    return any(as_dict(metadata(obj).get("annotations")).get(_RESOLVE) == "*" for obj in objects)


def _sources_from_annotation(given: str, pod_spec: Json, namespace: str) -> Mapping[str, StreamSource]:
    try:
        triggers = [as_dict(each) for each in as_list(json.loads(given or "[]"))]
    except (ValueError, RecursionError):
        return {}
    paths = [as_str(trigger.get("fieldPath")) for trigger in triggers]
    if len(set(paths)) < len(paths):
        return {}  # the platform ignores all of them
    found = {}
    for trigger, path in zip(triggers, paths, strict=True):
        source = _source(as_dict(trigger.get("from")), namespace, is_paused=trigger.get("paused") in (True, "true"))
        if source is not None and (name := _container(path, pod_spec)):
            found[name] = source
    return found


def _container(path: str, pod_spec: Json) -> str:
    field = _FIELD.match(path)
    if field is None:
        return ""
    names = [as_str(as_dict(each).get("name")) for each in as_list(pod_spec.get(field["part"]))]
    if field["index"] is None:
        return field["name"] if field["name"] in names else ""
    return names[int(field["index"])] if int(field["index"]) < len(names) else ""


def _sources_from_triggers(spec: Json, namespace: str) -> Iterator[tuple[str, StreamSource]]:
    """The triggers of a DeploymentConfig, by container."""
    for trigger in map(as_dict, as_list(spec.get("triggers"))):
        change = as_dict(trigger.get("imageChangeParams"))
        source = _source(as_dict(change.get("from")), namespace, is_paused=change.get("automatic") is not True)
        if source is not None:
            yield from ((name, source) for name in as_strs(change.get("containerNames")))


def _source(origin: Json, namespace: str, *, is_paused: bool) -> StreamSource | None:
    name, _colon, tag = as_str(origin.get("name")).partition(":")
    if origin.get("kind") != "ImageStreamTag" or not name:
        return None
    place = as_str(origin.get("namespace")) or namespace
    return StreamSource(ObjectRef(IMAGE_STREAM, place, name), tag or "latest", is_paused)
