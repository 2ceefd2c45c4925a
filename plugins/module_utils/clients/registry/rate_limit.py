# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pull rate limit that a registry reports in the headers of a manifest, as Docker Hub does. Pure.

docker/docs content/manuals/docker-hub/usage/pulls.md: `ratelimit-limit: 100;w=21600`, `ratelimit-remaining: 76;w=21600`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..https.exchange import HttpResponse

__all__ = ["RateLimit", "rate_limit_of"]

_VALUE = re.compile(r"[ \t]*([0-9]{1,9})[ \t]*(?:;[ \t]*w=([0-9]{1,9})[ \t]*)?\Z")


@dataclass(frozen=True)
class RateLimit:
    """The number of pulls in a window, and how many of them remain. `window` is in seconds. An unknown number is None."""

    limit: int | None
    remaining: int | None
    window: int | None


def rate_limit_of(answer: HttpResponse) -> RateLimit | None:
    """Return the rate limit, or None if the response has none. A header of another form, or one that appears twice, is ignored."""
    limit, window = _number(answer, "RateLimit-Limit")
    remaining, other_window = _number(answer, "RateLimit-Remaining")
    if limit is None and remaining is None:
        return None
    return RateLimit(limit, remaining, other_window if window is None else window)


def _number(answer: HttpResponse, name: str) -> tuple[int | None, int | None]:
    """The number and its window."""
    values = answer.all_of(name)
    found = _VALUE.match(values[0]) if len(values) == 1 else None
    if found is None:
        return None, None
    return int(found[1]), None if found[2] is None else int(found[2])
