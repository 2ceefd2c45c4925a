# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Report changes of a cluster's objects until stopped, even if the connection breaks.

Each kind is listed and then watched in its own thread with its own connection. All reports go to one place that compares them with the
known objects, and only differences become events.
"""

from __future__ import annotations

import queue
import random
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from typing import Any, Union

from ...clients.kube.client import Cluster
from ...clients.kube.errors import ApiError, ClusterError, Expired, Forbidden, Unanswered, UnknownResource
from ...core.errors import ImagePullError, describe_unexpected
from ...core.objects import Json
from ...engine.run import Clock
from .events import (
    Grouping,
    KnownObjects,
    ObservedObject,
    WatchedKind,
    WatchHealth,
    WatchSettings,
    escape_templates,
    observe_object,
)

#: Opens a new connection, and reads the login again.
OpenCluster = Callable[[], AbstractContextManager[Cluster]]

#: Pause after a failure, in seconds: the first and the longest. Each further failure doubles it.
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.5, 30.0
#: First pause after a list that failed during a watch, in seconds. Each further failure doubles it.
_FIRST_RESYNC_PAUSE_SECONDS = 10.0
#: Maximum pause, in seconds, that the API server can request. A pause longer than _GOOD_SECONDS is reported.
_LONGEST_ASKED_SECONDS = 60.0
#: Number of successive failures that are not reported, because a connection can break at any time.
_QUIET_FAILURES = 1
#: Number of successive failures of a watch after which all objects are listed again: the watch may be stuck.
_WATCH_FAILURES = 3
#: Seconds after which a watch counts as successful.
_GOOD_SECONDS = 5.0
#: Minimum duration of a watch in seconds. One that ends sooner counts as failed.
_SHORTEST_SECONDS = 0.5
#: Timeout in seconds of a list that delays a watch.
_RESYNC_PATIENCE_SECONDS = 10.0
_CHECK = "check the API server and the proxy"
#: Seconds that a watch must last after a failure before the cluster counts as connected.
_SETTLING_SECONDS = 2.0
#: Seconds that the first event waits for the first lists of all kinds.
_FIRST_LISTS_SECONDS = 15.0
#: Maximum number of queued reports. A thread with more reports waits.
_MOST_WAITING = 10_000
#: Seconds between two checks of the stop signal.
_LOOK_SECONDS = 0.2


@dataclass(frozen=True)
class _ListReport:
    watched: WatchedKind
    items: Sequence[ObservedObject]


@dataclass(frozen=True)
class _WatchReport:
    watched: WatchedKind
    one: ObservedObject
    is_there: bool


@dataclass(frozen=True)
class _HealthReport:
    watched: WatchedKind
    cluster: str


@dataclass(frozen=True)
class _FailureReport:
    """`alone`: the failure affects only this kind. `is_watched`: the watch still works, only the list failed."""

    watched: WatchedKind
    message: str
    alone: bool = False
    is_watched: bool = False


_Report = Union[_ListReport, _WatchReport, _HealthReport, _FailureReport]

#: Errors that affect one kind, and not the whole API server.
_OF_ONE_KIND = (Forbidden, UnknownResource, Expired)


def follow_objects(
    settings: WatchSettings,
    open_cluster: OpenCluster,
    tell: Callable[[dict[str, Any]], None],
    stop: threading.Event,
    clock: Clock | None = None,
) -> None:
    """Call `tell` with each event until `stop` is set. Failures are reported as events as well, and retried."""
    clock = clock or Clock()
    threads, now = clock.threads, clock.now
    inbox = threads.limited_queue(_MOST_WAITING)
    for watched in settings.watched:
        feed = _Feed(watched, settings, open_cluster, inbox, stop, now)
        threads.thread(target=feed.run, name=f"watching {watched.kind.resource}", daemon=True).start()
    desk = _Desk(settings, tell, now)
    while not stop.is_set():
        with suppress(queue.Empty):
            desk.take(inbox.get(timeout=desk.patience))
        desk.tell_what_is_due()


class _Desk:
    """Collects the reports of all kinds."""

    def __init__(
        self, settings: WatchSettings, tell: Callable[[dict[str, Any]], None], now: Callable[[], float]
    ) -> None:
        self._settings, self._tell, self._now = settings, tell, now
        self._ledger, self._grouping = KnownObjects(), Grouping(settings)
        self._sight = WatchHealth(one.kind.kind for one in settings.watched)
        self._cluster = ""
        #: Kinds with a working watch, and the time from which they count as healthy: an accepted watch can break at once.
        self._settling: dict[str, float] = {}
        #: Time from which the next list of a kind is reported in full, like the first one.
        self._again_at: dict[str, float] = {}
        self._waits_until = now() + _FIRST_LISTS_SECONDS

    @property
    def patience(self) -> float:
        """Return the seconds until the next event is due, at most the interval of the checks for the stop signal."""
        due = self._grouping.due
        return _LOOK_SECONDS if due is None else min(max(due - self._now(), 0.001), _LOOK_SECONDS)

    def take(self, report: _Report) -> None:
        kind = report.watched.kind.kind
        if isinstance(report, _FailureReport) and report.is_watched:
            self._say(self._sight.mark_unlisted(kind, report.message, alone=report.alone))
        elif isinstance(report, _FailureReport):
            self._settling.pop(kind, None)
            self._say(self._sight.mark_lost(kind, report.message, alone=report.alone))
        elif isinstance(report, _HealthReport):
            self._cluster = report.cluster
            patience = _SETTLING_SECONDS if self._sight.is_lost(kind) else 0.0
            self._settling.setdefault(kind, self._now() + patience)
        elif isinstance(report, _ListReport):
            self._say(self._sight.mark_listed(kind))
            again = self._now() >= self._again_at.get(kind, float("inf"))
            if self._settings.repeats(kind) and (again or kind not in self._again_at):
                self._again_at[kind] = self._now() + self._settings.repeat_seconds
            self._grouping.add(self._ledger.update_from_list(kind, report.items, again=again), self._now())
        else:
            learn = self._ledger.add if report.is_there else self._ledger.remove
            self._grouping.add(learn(report.one), self._now())

    def tell_what_is_due(self) -> None:
        for kind in [kind for kind, at in self._settling.items() if at <= self._now()]:
            del self._settling[kind]
            self._say(self._sight.mark_healthy(kind))
        if self._sight.is_undecided and self._now() < self._waits_until:
            return
        while (due := self._grouping.due) is not None and due <= self._now():
            self._say(self._grouping.take(self._now(), self._ledger.is_going))

    def _say(self, events: Iterable[dict[str, Any]]) -> None:
        for event in events:
            self._tell(escape_templates({**event, "cluster": self._cluster}))


@dataclass
class _Feed:
    """Lists one kind and then watches it, again and again."""

    watched: WatchedKind
    settings: WatchSettings
    open_cluster: OpenCluster
    inbox: queue.Queue[_Report]
    stop: threading.Event
    now: Callable[[], float]
    #: The resourceVersion from which the watch continues. Empty if the kind must be listed first.
    version: str = ""
    list_again_at: float = 0.0
    watched_since: float = float("inf")
    failures: int = 0
    failed_lists: int = 0
    has_expired: bool = False

    def run(self) -> None:
        """Run until stopped. A failed connection is opened again, with the then current login."""
        while not self.stop.is_set():
            try:
                with self.open_cluster() as cluster:
                    while not self.stop.is_set():
                        self._once(cluster)
            except ImagePullError as error:
                self._handle_failure(str(error))
            except Exception as error:  # No error ends the source.
                self._handle_failure(f"internal error: {describe_unexpected(error)}; please report it")

    def _once(self, cluster: Cluster) -> None:
        """:raises ClusterError: when nothing more can be sent over this connection."""
        try:
            if not self.version:
                self._list(cluster)
            elif self.now() >= self.list_again_at:
                self._list_again(cluster)
            self._watch(cluster)
        except ClusterError:
            raise
        except (ApiError, Unanswered) as error:
            if isinstance(error, Expired):
                # The API server no longer has the changes since then, so list all objects. Only repeated expiry is a failure.
                self.version = ""
                if not self.has_expired:
                    self.has_expired = True
                    return
            self._handle_failure(str(error), error)

    def _list(self, cluster: Cluster, **options: float) -> None:
        found = cluster.list_metadata(
            self.watched.kind, label_selector=self.watched.label_selector, keep=self._observe, **options
        )
        self._put(_ListReport(self.watched, found.items))
        self.version, self.failed_lists = found.version, 0
        # Random, so that several sources do not list at the same moment.
        self.list_again_at = self.now() + self.settings.resync_seconds * random.uniform(0.9, 1.1)

    def _list_again(self, cluster: Cluster) -> None:
        """List all objects again. If that fails, the watch continues, and the list is retried later.

        :raises ClusterError: when nothing more can be sent over this connection.
        """
        try:
            self._list(cluster, seconds=_RESYNC_PATIENCE_SECONDS)
        except ClusterError:
            raise
        except (ApiError, Unanswered) as error:
            self.failed_lists += 1
            if self.failed_lists > _QUIET_FAILURES:
                self._put(_FailureReport(self.watched, str(error), isinstance(error, _OF_ONE_KIND), is_watched=True))
            longest = self.settings.resync_seconds
            pause = max(_pause(_FIRST_RESYNC_PAUSE_SECONDS, self.failed_lists, longest), _requested_delay(error))
            self.list_again_at = self.now() + pause

    def _watch(self, cluster: Cluster) -> None:
        left = self.list_again_at - self.now()
        seconds = max(1, min(self.settings.watch_seconds, int(left)))
        with cluster.watch(
            self.watched.kind, self.version, label_selector=self.watched.label_selector, seconds=seconds
        ) as events:
            self.watched_since = self.now()
            self._put(_HealthReport(self.watched, cluster.name))
            for event in events:
                self.has_expired = False
                one = None if event.type == "BOOKMARK" else self._observe(event.obj)
                if one is not None:
                    self._put(_WatchReport(self.watched, one, is_there=event.type != "DELETED"))
                self.version = event.version
                if self.stop.is_set():
                    return
        if self.now() - self.watched_since < _SHORTEST_SECONDS:
            raise Unanswered(f"a watch of {self.watched.kind.resource} on {cluster.name} ended at once", _CHECK)
        self.failures, self.has_expired = 0, False

    def _observe(self, obj: Json) -> ObservedObject | None:
        return observe_object(obj, self.watched, self.settings)

    def _handle_failure(self, message: str, error: ImagePullError | None = None) -> None:
        """Report a failure of a watch, except for the first one, and wait, each time longer."""
        # Many proxies close idle connections.
        self.failures = 1 if self.now() - self.watched_since > _GOOD_SECONDS else self.failures + 1
        self.watched_since = float("inf")
        asked = _requested_delay(error)
        if not self.version or self.failures > _QUIET_FAILURES or asked > _GOOD_SECONDS:
            self._put(_FailureReport(self.watched, message, isinstance(error, _OF_ONE_KIND)))
        if self.failures > _WATCH_FAILURES:
            self.version = ""
        self.stop.wait(max(_pause(_FIRST_PAUSE_SECONDS, self.failures, _LONGEST_PAUSE_SECONDS), asked))

    def _put(self, report: _Report) -> None:
        while not self.stop.is_set():
            try:
                self.inbox.put(report, timeout=_LOOK_SECONDS)
                return
            except queue.Full:
                continue


def _pause(first: float, failures: int, longest: float) -> float:
    """Return the seconds to wait after a number of successive failures, randomized."""
    return min(first * 2.0 ** min(failures - 1, 20), longest) * random.uniform(0.75, 1.25)


def _requested_delay(error: ImagePullError | None) -> float:
    """Return the pause in seconds that the API server requests."""
    return min((isinstance(error, ApiError) and error.retry_after) or 0.0, _LONGEST_ASKED_SECONDS)
