# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the answer to an ImageStreamImport says of each tag. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...core.foreign_text import in_one_line
from ...core.json_types import as_dict, as_list, as_str
from ...core.objects import Json, metadata
from ...images.import_causes import MENDED_BY_A_LOGIN, cause_of, fix_for
from .plan import TagImport

__all__ = ["TagResult", "advice", "told", "version_of"]

#: A message of more characters is cut.
_LONGEST = 16_384


@dataclass(frozen=True)
class TagResult:
    """`digest` is the image that was imported, perhaps unknown. `problem` is why it was not, empty when it was; `cause` its class."""

    tag: TagImport
    digest: str = ""
    problem: str = ""
    cause: str = ""

    @property
    def is_new(self) -> bool:
        """Whether the tag is another than before."""
        return not self.problem and bool(self.tag.cause or self.digest != self.tag.digest)


def told(answer: Json | None, tags: Sequence[TagImport]) -> list[TagResult]:
    """Of each tag, in the order in which they were sent: the answer has that order."""
    images = as_list(as_dict(as_dict(answer).get("status")).get("images"))
    # Of another number of images it is not known which belongs to which tag.
    known = images if len(images) == len(tags) else [None] * len(tags)
    return [_told(tag, as_dict(image)) for tag, image in zip(tags, known, strict=True)]


def version_of(answer: Json | None) -> str:
    """That of the stream after the import; empty when it is not told."""
    return as_str(metadata(as_dict(as_dict(as_dict(answer).get("status")).get("import"))).get("resourceVersion"))


def _told(tag: TagImport, found: Json) -> TagResult:
    if not found:
        return TagResult(
            tag, problem="the answer of the API server does not say whether it was imported", cause="unknown"
        )
    image, status = as_dict(found.get("image")), as_dict(found.get("status"))
    if image and status.get("status") == "Success":
        named = as_str(image.get("dockerImageReference")).partition("@")[2]
        return TagResult(tag, as_str(metadata(image).get("name")) or named)
    message = in_one_line(as_str(status.get("message")), _LONGEST)
    cause = cause_of(message, as_str(status.get("reason")), tag.image)
    return TagResult(tag, problem=message or "no reason is given", cause=cause)


def advice(cause: str, namespace: str) -> str:
    """What to do about an import that failed."""
    if cause in MENDED_BY_A_LOGIN:
        return (
            f"an import reads all pull secrets of namespace {namespace}, linked or not, and uses the first login that is for the image: "
            "correct that one with pull_secret; pull_access_info explains which it is"
        )
    return fix_for(cause)
