# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One tag of an image stream: its image, and why its last import failed. Pure.

openshift/api image/v1, library-go imageutil (how a tag becomes an image) and openshift-apiserver pkg/image/apiserver/importer (the
messages of a failed import).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ..core.objects import Json, ObjectRef, as_dict, as_list, as_str
from ..core.text import redact_line
from .references import Reference, reference_of

__all__ = ["StreamTag", "is_looked_up", "tag_of"]

_QUOTED = re.compile(r'"([^"]+)"')

#: Meanings of an import's messages. The first match counts.
_MEANINGS = (
    ("did not have credentials", "no_credentials"),
    ("incorrect username or password", "bad_credentials"),
    ("you may not have access", "credentials"),
    ("not found", "not_found"),
)


@dataclass(frozen=True)
class StreamTag:
    """`image` is the image that a pod gets, or empty. `problem` is the redacted reason of a failed last import, or empty. `meaning` is its
    class: `no_credentials`, `bad_credentials`, `credentials`, `not_found`, or empty. `source` is the image to import.
    `is_scheduled`: the cluster imports it periodically."""

    stream: ObjectRef
    name: str
    image: str
    problem: str
    meaning: str
    source: Reference | None
    is_scheduled: bool

    def __str__(self) -> str:
        return f"tag {self.name} of {self.stream}"


def tag_of(ref: ObjectRef, stream: Json, name: str) -> StreamTag:
    """Return a tag of an existing stream. A tag that does not exist has no image and no problem."""
    status, spec = as_dict(stream.get("status")), _find_named(as_dict(stream.get("spec")).get("tags"), "name", name)
    tag = _find_named(status.get("tags"), "tag", name)
    told = next(_failed_conditions(tag), None)
    problem = "" if told is None else redact_line(as_str(told.get("message"))) or "no reason is given"
    return StreamTag(
        ref,
        name,
        _image(status, spec, tag),
        problem,
        "" if told is None else _meaning(told),
        _source(spec, problem),
        is_scheduled=as_dict(spec.get("importPolicy")).get("scheduled") is True,
    )


def is_looked_up(stream: Json) -> bool:
    """Whether a short name in the stream's own project refers to the stream."""
    return as_dict(as_dict(stream.get("spec")).get("lookupPolicy")).get("local") is True


def _image(status: Json, spec: Json, tag: Json) -> str:
    """The reference in the integrated registry if the tag says so, otherwise the external one."""
    latest = as_dict(next(iter(as_list(tag.get("items"))), None))
    repository, digest = as_str(status.get("dockerImageRepository")), as_str(latest.get("image"))
    if as_str(as_dict(spec.get("referencePolicy")).get("type")) == "Local" and repository and digest:
        return f"{repository}@{digest}"
    return as_str(latest.get("dockerImageReference"))


def _source(spec: Json, problem: str) -> Reference | None:
    origin = as_dict(spec.get("from"))
    if origin.get("kind") == "DockerImage":
        return reference_of(as_str(origin.get("name")))
    named = _QUOTED.search(problem)
    return reference_of(named[1]) if named else None


def _meaning(condition: Json) -> str:
    message = as_str(condition.get("message")).lower()
    found = next((meaning for words, meaning in _MEANINGS if words in message), "")
    return found or ("credentials" if condition.get("reason") == "Unauthorized" else "")


def _find_named(values: object, key: str, name: str) -> Json:
    return next((value for value in map(as_dict, as_list(values)) if value.get(key) == name), {})


def _failed_conditions(tag: Json) -> Iterator[Json]:
    for condition in map(as_dict, as_list(tag.get("conditions"))):
        if (condition.get("type"), condition.get("status")) == ("ImportSuccess", "False"):
            yield condition
