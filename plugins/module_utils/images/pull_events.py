# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pull attempts of a container according to its pod's events: the time of the last attempt, and earlier causes. Pure.

Kubernetes pkg/kubelet/images/image_manager.go and pkg/kubelet/events: `Pulling` begins an attempt, `Failed` ends one. `BackOff` is sent
between attempts, without a cause. Events with the same text are one object with the time of the last occurrence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..core.json_types import as_dict, as_str
from ..core.objects import Json, Kind
from ..core.times import seconds_of
from .pull_messages import PullAttempt, parse_message

__all__ = ["POD_EVENTS", "PodEvents", "pod_events"]

#: A reference of this kind stands for the events of the pod of that name.
POD_EVENTS = Kind("v1", "Event", "events", "events of pod")

_CONTAINER = re.compile(r"\{([^{}]*)\}\Z")
_FAILED = re.compile(r"failed to pull image|error: (?!imagepullbackoff)", re.IGNORECASE)
#: Causes that hide an earlier cause.
_HIDE = ("node_limit", "unknown")
#: Maximum number of events that are searched for a cause, newest first: users of the namespace control their number and length.
_SEARCHED = 10


@dataclass(frozen=True)
class _Event:
    at: int
    message: str


@dataclass(frozen=True)
class PodEvents:
    """`began` and `failed` are the attempts of one container, newest first."""

    began: Sequence[_Event] = ()
    failed: Sequence[_Event] = ()

    @property
    def last_attempt(self) -> int | None:
        """When the last finished attempt began, in seconds since 1970. An attempt that is still in progress does not count."""
        times = [events[0].at for events in (self.began, self.failed) if events]
        return min(times, default=None)

    @property
    def cause(self) -> PullAttempt | None:
        """The latest known cause."""
        found = (parse_message("Failed", event.message).cause for event in self.failed[:_SEARCHED])
        return next((cause for cause in found if cause is not None and cause.rule.id not in _HIDE), None)


def pod_events(events: Iterable[Json], container: str, uid: str = "") -> PodEvents:
    """Return the events of one container of the pod. `uid`: ignore events of an older pod of the same name."""
    found = [as_dict(event) for event in events]
    ours = [event for event in found if _is_about(as_dict(event.get("involvedObject")), container, uid)]
    return PodEvents(
        _sort_latest_first(event for event in ours if event.get("reason") == "Pulling"),
        _sort_latest_first(
            event for event in ours if event.get("reason") == "Failed" and _FAILED.match(as_str(event.get("message")))
        ),
    )


def _is_about(about: Json, container: str, uid: str) -> bool:
    named = _CONTAINER.search(as_str(about.get("fieldPath")))
    given = as_str(about.get("uid"))
    return bool(named) and named is not None and named[1] == container and (not uid or not given or given == uid)


def _sort_latest_first(events: Iterator[Json]) -> Sequence[_Event]:
    found = [_Event(at, as_str(event.get("message"))) for event in events if (at := _time(event)) is not None]
    return sorted(found, key=lambda event: event.at, reverse=True)


def _time(event: Json) -> int | None:
    """The time of the latest occurrence."""
    series = as_dict(event.get("series"))
    given = (
        series.get("lastObservedTime"),
        event.get("lastTimestamp"),
        event.get("eventTime"),
        event.get("firstTimestamp"),
    )
    return next((at for each in given if (at := seconds_of(each)) is not None), None)
