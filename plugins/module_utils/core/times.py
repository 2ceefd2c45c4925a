# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Times of objects, as the API server and nodes write them, the time of a secret's last change, and the check of timeouts. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from .errors import OptionError
from .objects import Json, as_dict, as_list, as_str, metadata, without_managed_fields

#: Maximum timeout, in seconds, for servers outside the cluster.
_LONGEST_TIMEOUT = 3600

#: RFC 3339. A fraction of a second is ignored.
_TIME = re.compile(r"(\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d)(?:\.\d+)?([Zz]|[+-]\d\d:\d\d)\Z", re.ASCII)

#: The parts of a secret that a node reads.
_CONTENT = ("f:data", "f:type")


@dataclass(frozen=True)
class ChangeTime:
    """The time of the last change, in seconds since 1970. Without `is_exact`, the change was at that time or later."""

    at: int
    is_exact: bool


def seconds_of(value: Any) -> int | None:
    """Return the seconds since 1970, or None if the value is not a time."""
    found = _TIME.match(as_str(value))
    if not found:
        return None
    zone = "+00:00" if found[2] in "Zz" else found[2]
    try:
        return int(datetime.fromisoformat(found[1].upper() + zone).timestamp())
    except (ValueError, OverflowError):
        return None


def format_utc(seconds: float) -> str:
    """Return the time in RFC 3339 form, or a phrase if it is not a valid date."""
    return _format_time(seconds, "%Y-%m-%dT%H:%M:%SZ")


def format_day(seconds: float) -> str:
    """Return the date of `utc`, or the phrase."""
    return _format_time(seconds, "%Y-%m-%d")


def _format_time(seconds: float, form: str) -> str:
    try:
        return datetime.fromtimestamp(int(seconds), timezone.utc).strftime(form)
    except (ValueError, OverflowError, OSError):
        return "an invalid date"


def check_seconds(option: str, seconds: float) -> None:
    """Check a timeout.

    :raises OptionError: unless it is more than 0 and at most 3600 seconds.
    """
    if not 0 < seconds <= _LONGEST_TIMEOUT:
        raise OptionError(f"option {option!r} is in seconds, from 1 to {_LONGEST_TIMEOUT}")


def content_change(secret: Json) -> ChangeTime | None:
    """Return the time of the last change of a secret's content, from `managedFields` or, without them, its creation. None if unknown."""
    times = [at for entry in _content_entries(secret) if (at := seconds_of(entry.get("time"))) is not None]
    if times:
        return ChangeTime(max(times), is_exact=True)
    created = seconds_of(metadata(secret).get("creationTimestamp"))
    return None if created is None else ChangeTime(created, is_exact=False)


def with_time_of_content(secret: Json) -> Json:
    """Return a listed secret without its `managedFields`, except the part that `content_change` reads."""
    latest = max(_content_entries(secret), key=lambda entry: seconds_of(entry.get("time")) or 0, default=None)
    kept = without_managed_fields(secret)
    if latest is None:
        return kept
    return {**kept, "metadata": {**kept["metadata"], "managedFields": [{"time": latest.get("time"), **_FIELDS}]}}


_FIELDS: Json = {"fieldsV1": {"f:data": {}}}


def _content_entries(secret: Json) -> Iterator[Json]:
    for entry in map(as_dict, as_list(metadata(secret).get("managedFields"))):
        if any(name in as_dict(entry.get("fieldsV1")) for name in _CONTENT):
            yield entry
