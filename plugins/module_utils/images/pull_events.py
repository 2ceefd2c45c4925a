# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pull attempts for an image according to its pod's events: the time of the last attempt, and earlier causes. Pure.

Kubernetes pkg/kubelet/images/image_manager.go and pkg/kubelet/events: `Pulling` begins an attempt, `Failed` ends one. `BackOff` is sent
between attempts, without a cause. Events with the same text are one object with the time of the last occurrence. The events about the
image of a volume are about the whole pod: they have no container, and only the text names the image (kuberuntime getImageVolumes).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..core.objects import Json, Kind, as_dict, as_str
from ..core.times import seconds_of
from .pull_messages import PullAttempt, parse_message
from .pull_rules import OWN_LIMIT
from .pull_rules import UNKNOWN as NO_RULE

__all__ = ["POD_EVENTS", "PodEvents", "pod_events"]

#: A reference of this kind stands for the events of the pod of that name.
POD_EVENTS = Kind("v1", "Event", "events", "events of pod")

_CONTAINER = re.compile(r"\{([^{}]*)\}\Z")
_FAILED = re.compile(r"failed to pull image|error: (?!imagepullbackoff)", re.IGNORECASE)
#: Causes that hide an earlier cause.
_HIDE = (OWN_LIMIT, NO_RULE.id)
#: Maximum number of events that are searched for a cause, newest first: users of the namespace control their number and length.
_SEARCHED = 10


@dataclass(frozen=True)
class _Event:
    at: int
    message: str


@dataclass(frozen=True)
class PodEvents:
    """`began`, `failed` and `ended_well` are the attempts for one image, newest first."""

    began: Sequence[_Event] = ()
    failed: Sequence[_Event] = ()
    ended_well: Sequence[_Event] = ()

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

    @property
    def standing_cause(self) -> PullAttempt | None:
        """The latest known cause, unless a later attempt succeeded."""
        times = [events[0].at if events else 0 for events in (self.failed, self.ended_well)]
        return self.cause if times[0] > times[1] else None


def pod_events(events: Iterable[Json], container: str, uid: str = "", volume_image: str = "") -> PodEvents:
    """Return the events of one container of the pod, or of the image of a volume if there is one.

    `uid`: ignore events of an older pod of the same name.
    """
    found = [as_dict(event) for event in events]
    ours = [
        event
        for event in found
        if _is_of_pod(event, uid)
        and (_names_image(event, volume_image) if volume_image else _container_of(event) == container)
    ]
    return PodEvents(
        _sort_latest_first(event for event in ours if event.get("reason") == "Pulling"),
        _sort_latest_first(
            event for event in ours if event.get("reason") == "Failed" and _FAILED.match(as_str(event.get("message")))
        ),
        _sort_latest_first(event for event in ours if event.get("reason") == "Pulled"),
    )


def _is_of_pod(event: Json, uid: str) -> bool:
    given = as_str(as_dict(event.get("involvedObject")).get("uid"))
    return not uid or not given or given == uid


def _container_of(event: Json) -> str | None:
    named = _CONTAINER.search(as_str(as_dict(event.get("involvedObject")).get("fieldPath")))
    return named[1] if named is not None else None


def _names_image(event: Json, image: str) -> bool:
    """Whether the event is about the whole pod and this image. The kubelet quotes its name."""
    return _container_of(event) is None and f'"{image}"' in as_str(event.get("message"))


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
