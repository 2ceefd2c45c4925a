# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the integrated registry has an image, according to the image stream of that name. Pure.

openshift/api image/v1: `status.tags[].items` are the images that a tag has had, `conditions` include the last failed import.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..core.objects import Json, Kind, ObjectRef, as_dict, as_list, as_str, metadata, pick
from ..core.text import redact_line
from .references import Reference

__all__ = ["IMAGE_STREAM", "failed_imports", "origin_of", "why_image_missing"]


def _trim_stream(stream: Json) -> Json:
    """The stream without managed fields and labels: a stream can have hundreds of tags, and a cluster thousands of streams."""
    return {
        "metadata": pick(metadata(stream), "name", "namespace"),
        "spec": as_dict(stream.get("spec")),
        "status": pick(as_dict(stream.get("status")), "dockerImageRepository", "tags"),
    }


IMAGE_STREAM = Kind("image.openshift.io/v1", "ImageStream", "imagestreams", "image stream", trim=_trim_stream)


def why_image_missing(ref: ObjectRef, stream: Json | None, reference: Reference) -> str:
    """Return why the registry does not have the image, and what to do. Empty when it has the image."""
    if stream is None:
        return f"{ref} does not exist: build or import the image, or correct the name"
    tags = {as_str(tag.get("tag")): tag for tag in _tags(stream)}
    if reference.digest:
        known = any(item.get("image") == reference.digest for tag in tags.values() for item in _items(tag))
        return "" if known else f"{ref} has no image {reference.digest}: build or import it, or correct the digest"
    name = reference.tag or "latest"
    tag = tags.get(name, {})
    if list(_items(tag)):
        return ""
    if why := next(_import_failures(tag), ""):
        return f"tag {name} of {ref} was never imported: {why}. Fix that in the stream's project, then import it again"
    return f"{ref} has no tag {name}: build or import it, or correct the tag"


def origin_of(stream: Json, reference: Reference) -> str:
    """Return where an image of the stream comes from: at another registry if it was imported. Empty if the stream does not have it."""
    for tag in _tags(stream):
        items = list(_items(tag))
        if not reference.digest:
            items = items[:1] if tag.get("tag") == (reference.tag or "latest") else []
        for item in items:
            if not reference.digest or item.get("image") == reference.digest:
                return as_str(item.get("dockerImageReference"))
    return ""


def failed_imports(stream: Json) -> Iterator[tuple[str, str, str]]:
    """Yield each tag whose last import failed: its name, the imported image (empty when unknown), and the reason."""
    sources = {
        as_str(tag.get("name")): as_str(as_dict(tag.get("from")).get("name"))
        for tag in map(as_dict, as_list(as_dict(stream.get("spec")).get("tags")))
        if as_dict(tag.get("from")).get("kind") == "DockerImage"
    }
    for tag in _tags(stream):
        name = as_str(tag.get("tag"))
        for why in _import_failures(tag):
            yield name, sources.get(name, ""), why


def _tags(stream: Json) -> Iterator[Json]:
    return map(as_dict, as_list(as_dict(stream.get("status")).get("tags")))


def _items(tag: Json) -> Iterator[Json]:
    return map(as_dict, as_list(tag.get("items")))


def _import_failures(tag: Json) -> Iterator[str]:
    for condition in map(as_dict, as_list(tag.get("conditions"))):
        if (condition.get("type"), condition.get("status")) == ("ImportSuccess", "False"):
            yield redact_line(as_str(condition.get("message"))) or "no reason is given"
