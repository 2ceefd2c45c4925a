# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wait until no node pulls any more with a login that it read before the last write of a rotation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ...clients.kube.client import Cluster
from ...core.errors import ImagePullError
from ...core.text import summarize
from ...engine.fetching import ListRequest, list_in_namespaces
from ...engine.run import Clock
from ...engine.workers import Workers
from ...images.pull_messages import POD_EVENTS
from .copies import Copy
from .pending_pulls import EventCounts, PendingPull, event_counts, filter_pending, find_pending, trim_event
from .uses import Use

__all__ = ["PullWait"]

#: Seconds between two looks at the pods: the first pause, and the longest regular one.
_FIRST_PAUSE, _LATER_PAUSE = 1.0, 3.0
#: Pause after a slow list: a multiple of its duration, up to a maximum number of seconds.
_TIMES_OF_A_LIST, _LONGEST_PAUSE = 4, 10.0
#: Seconds between two looks at the events. They end the wait for pods whose status never changes.
_BETWEEN_EVENTS = 15.0

#: Returns the current uses of the pods in these namespaces.
Look = Callable[[Sequence[str]], Mapping[str, Sequence[Use]]]


@dataclass
class PullWait:
    """`copies` are the confirmed secrets of the rotation, with those of the nodes also under "". `uses` are those of the last full look."""

    cluster: Cluster
    workers: Workers
    clock: Clock
    look: Look
    copies: Mapping[str, Sequence[Copy]]
    uses: Mapping[str, Sequence[Use]] = field(default_factory=dict)
    #: Why the events could not be read; empty otherwise.
    no_events: str = ""

    def wait(self, places: Sequence[str], timeout: float) -> list[PendingPull]:
        """Wait, and return the pulls under way at the start that may still be under way after `timeout` seconds.

        :raises ImagePullError: when the pods cannot be listed.
        """
        started, pause = self.clock.now(), _FIRST_PAUSE
        self.uses = self.look(places)
        left = first = find_pending(self.uses, self.copies)
        before: EventCounts | None = None
        asked = started
        while left and (remaining := started + timeout - self.clock.now()) > 0:
            self.clock.sleep(min(pause, remaining))
            began = self.clock.now()
            now = find_pending(self.look(sorted({each.namespace for each in left})), self.copies)
            after = before or {}
            if before is None or began - asked >= _BETWEEN_EVENTS:
                after, asked = self._events(left), began
            before = after if before is None else before
            left = filter_pending(left, now, before, after)
            took = self.clock.now() - began
            pause = max(min(pause * 1.5, _LATER_PAUSE), min(_TIMES_OF_A_LIST * took, _LONGEST_PAUSE))
        if first:
            self.uses = self.look(places)
        return left

    def _events(self, pulls: Sequence[PendingPull]) -> EventCounts:
        """Return the event counts; empty without the right to list events, which prolongs the wait."""
        places = sorted({each.namespace for each in pulls})
        # Users can write events in their own namespaces, with the UID of any pod.
        pods = {(each.namespace, each.uid) for each in pulls}
        request = ListRequest(POD_EVENTS, trim_event, ("involvedObject.kind=Pod",))
        try:
            found = list_in_namespaces(self.cluster, self.workers, request, places)
        except ImagePullError as error:
            self.no_events = str(error)
            return {}
        if found.errors:
            self.no_events = f"the caller may not list events in namespace {summarize([*found.errors], 1)}"
        every = ((name, event) for name, events in found.objects.items() for event in events)
        return event_counts(event for name, event in every if (name, event["involvedObject"].get("uid")) in pods)
