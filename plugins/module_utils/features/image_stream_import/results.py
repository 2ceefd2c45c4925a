# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the result of each tag from the answer to an ImageStreamImport. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...core.objects import Json, as_dict, as_list, as_str, metadata
from ...core.text import redact_line
from ...images.image_streams import MENDED_BY_A_LOGIN, cause_of, fix_for
from .plan import TagImport

__all__ = ["TagResult", "advice", "read_results", "resource_version_of"]

#: Maximum number of characters of a message.
_LONGEST = 16_384


@dataclass(frozen=True)
class TagResult:
    """`digest` is the imported image, possibly unknown. `problem` is the error, empty on success; `cause` is its class."""

    tag: TagImport
    digest: str = ""
    problem: str = ""
    cause: str = ""

    @property
    def is_new(self) -> bool:
        """Whether the tag has changed."""
        return not self.problem and bool(self.tag.cause or self.digest != self.tag.digest)


def read_results(answer: Json | None, tags: Sequence[TagImport]) -> list[TagResult]:
    """Return the result of each tag, in the order of the request, which the answer has as well."""
    images = as_list(as_dict(as_dict(answer).get("status")).get("images"))
    # If the number of images differs, they cannot be assigned to tags.
    known = images if len(images) == len(tags) else [None] * len(tags)
    return [_read_result(tag, as_dict(image)) for tag, image in zip(tags, known, strict=True)]


def resource_version_of(answer: Json | None) -> str:
    """Return the resourceVersion of the stream after the import; empty if the answer has none."""
    return as_str(metadata(as_dict(as_dict(as_dict(answer).get("status")).get("import"))).get("resourceVersion"))


def _read_result(tag: TagImport, found: Json) -> TagResult:
    if not found:
        return TagResult(
            tag, problem="the response of the API server does not say whether it was imported", cause="unknown"
        )
    image, status = as_dict(found.get("image")), as_dict(found.get("status"))
    if image and status.get("status") == "Success":
        named = as_str(image.get("dockerImageReference")).partition("@")[2]
        return TagResult(tag, as_str(metadata(image).get("name")) or named)
    message = redact_line(as_str(status.get("message")), _LONGEST)
    cause = cause_of(message, as_str(status.get("reason")), tag.image)
    return TagResult(tag, problem=message or "no reason is given", cause=cause)


def advice(cause: str, namespace: str) -> str:
    """Return the fix for a failed import, empty if none is known."""
    if cause in MENDED_BY_A_LOGIN:
        return (
            f"an import reads all pull secrets of namespace {namespace}, linked or not, and uses the first login for the image: "
            "run pull_access_info to find that login, and correct it with pull_secret"
        )
    return fix_for(cause)
