# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find pulls that may still use the old login although no secret contains it. Pure.

A kubelet reads the pull secrets of a pod before it creates the sandbox, and then queues the pulls. So a pull uses the login that the
secret had when the node started the pod (kubernetes pkg/kubelet/kubelet.go SyncPod). The next attempt for a container reads them again.
So all pulls that are under way after the last write are suspect until they end. Pulls that begin later are not.

Times are not compared, because the clocks of servers, nodes and the controller differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...core.objects import Json, as_dict, as_int, as_str
from .copies import Copy
from .uses import Use, uses_with_secrets

__all__ = ["EventCounts", "PendingPull", "event_counts", "filter_pending", "find_pending", "trim_event"]

#: Events that a node sends before it reads the secrets of a pod, or after a failed start. It then reads the secrets again.
_OF_PODS = ("FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox")
#: Events that end the attempt for one container.
_OF_CONTAINERS = ("Failed", "BackOff")


@dataclass(frozen=True)
class PendingPull:
    """A pull that may be under way. `said` is the error of the previous attempt, empty if there is none."""

    namespace: str
    pod: str
    uid: str
    container: str
    volume: str
    image: str
    said: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        return self.uid, self.container, self.volume

    @property
    def row(self) -> dict[str, str]:
        return {"namespace": self.namespace, "pod": self.pod, "container": self.container, "image": self.image}


#: Number of events by pod UID, container (empty for the whole pod) and reason, with the latest time. The number only grows.
EventCounts = Mapping[tuple[str, str, str], tuple[int, str]]


def find_pending(uses: Mapping[str, Sequence[Use]], copies: Mapping[str, Sequence[Copy]]) -> list[PendingPull]:
    """Return the pulls with a secret of the rotation that may be under way."""
    return [
        PendingPull(namespace, use.what, use.state.uid, use.container, use.volume, str(use.image), use.state.said)
        for namespace, every in uses_with_secrets(uses, copies)
        for use in every
        if use.state is not None and use.state.may_be_under_way
    ]


def filter_pending(
    first: Iterable[PendingPull], now: Iterable[PendingPull], before: EventCounts, after: EventCounts
) -> list[PendingPull]:
    """Return the pulls of `first` whose attempt is not known to have ended since then.

    `before` and `after` are the event counts at two moments after the first look. An event between them ends the attempt.
    """
    there = {each.key: each for each in now}
    return [each for each in first if each.key in there and not _has_ended(each, there[each.key], before, after)]


def _has_ended(first: PendingPull, now: PendingPull, before: EventCounts, after: EventCounts) -> bool:
    if now.said and now.said != first.said:
        return True
    ends = [("", reason) for reason in _OF_PODS] + [(first.container, reason) for reason in _OF_CONTAINERS]
    return any(after.get((first.uid, *end), (0, "")) > before.get((first.uid, *end), (0, "")) for end in ends)


def event_counts(events: Iterable[Json]) -> EventCounts:
    """Count events as the API server lists them. Users can write events about pods of their own namespace."""
    found: dict[tuple[str, str, str], tuple[int, str]] = {}
    for event in events:
        about = as_dict(event.get("involvedObject"))
        container = as_str(about.get("fieldPath")).rpartition("{")[2].rstrip("}")
        key = (as_str(about.get("uid")), container, as_str(event.get("reason")))
        series = as_dict(event.get("series"))
        count = as_int(series.get("count")) or as_int(event.get("count")) or 1
        last = as_str(series.get("lastObservedTime")) or as_str(event.get("lastTimestamp"))
        seen = found.get(key, (0, ""))
        # One reason can have several events with different texts.
        found[key] = (seen[0] + count, max(seen[1], last))
    return found


def trim_event(event: Json) -> dict[str, Any]:
    """Return the parts of an event that `event_counts` reads."""
    about = as_dict(event.get("involvedObject"))
    kept = {name: about.get(name) for name in ("uid", "fieldPath")}
    times = {name: event.get(name) for name in ("reason", "count", "series", "lastTimestamp")}
    return {"metadata": {"namespace": as_dict(event.get("metadata")).get("namespace")}, "involvedObject": kept, **times}
