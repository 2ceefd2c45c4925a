# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells what is new among the objects of a cluster, for as long as it is wanted, whatever becomes of the connection.

Each kind is listed and then watched in a thread of its own, with a connection of its own. What they see comes to one place, where it is
held against what is known; only differences are told.
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
from ...core.errors import ImagePullError, unexpected
from ...core.objects import Json
from ...engine.clock import Clock
from .event_text import safe
from .grouping import Grouping
from .known_objects import KnownObjects, ObservedObject, seen
from .settings import WatchedKind, WatchSettings
from .watch_health import WatchHealth

__all__ = ["OpenCluster", "follow"]

#: Opens a new connection, with a login that is read anew.
OpenCluster = Callable[[], AbstractContextManager[Cluster]]

#: After a failure. Each one in turn doubles the pause.
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.5, 30.0
#: After a list that failed beside a watch, likewise.
_FIRST_RESYNC_PAUSE_SECONDS = 10.0
#: The API server may ask for a longer pause, up to so long. One that is longer than a good watch is told.
_LONGEST_ASKED_SECONDS = 60.0
#: A single failure is no news: a connection may break at any time.
_QUIET_FAILURES = 1
#: A watch that fails so often may never get past what is there: all is listed instead.
_WATCH_FAILURES = 3
#: A watch that went on for so long was a good one.
_GOOD_SECONDS = 5.0
#: One that ends sooner was none.
_SHORTEST_SECONDS = 0.5
#: A list beside a watch keeps it waiting, so it is given up soon.
_RESYNC_PATIENCE_SECONDS = 10.0
_CHECK = "check the API server and the proxy"
#: After a failure a watch has to go on for so long before the cluster counts as connected.
_SETTLING_SECONDS = 2.0
#: What the first lists say is told together, when no kind keeps the others waiting for longer.
_FIRST_LISTS_SECONDS = 15.0
#: So much may wait to be looked at; a thread that hears more waits.
_MOST_WAITING = 10_000
#: Whether it is to end is looked at so often.
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
    """`alone`: it says nothing of other kinds. `is_watched`: what happens is still heard, only the list failed."""

    watched: WatchedKind
    message: str
    alone: bool = False
    is_watched: bool = False


_Report = Union[_ListReport, _WatchReport, _HealthReport, _FailureReport]

#: What the API server says of one kind, and not of itself.
_OF_ONE_KIND = (Forbidden, UnknownResource, Expired)


def follow(
    settings: WatchSettings,
    open_cluster: OpenCluster,
    tell: Callable[[dict[str, Any]], None],
    stop: threading.Event,
    clock: Clock | None = None,
) -> None:
    """Calls `tell` with each event until `stop` is set. What fails meanwhile is told, too, and tried again."""
    now = (clock or Clock()).now
    inbox: queue.Queue[_Report] = queue.Queue(_MOST_WAITING)
    for watched in settings.watched:
        feed = _Feed(watched, settings, open_cluster, inbox, stop, now)
        threading.Thread(target=feed.run, name=f"watching {watched.kind.resource}", daemon=True).start()
    desk = _Desk(settings, tell, now)
    while not stop.is_set():
        with suppress(queue.Empty):
            desk.take(inbox.get(timeout=desk.patience))
        desk.tell_what_is_due()


class _Desk:
    """Where all that is heard comes together."""

    def __init__(
        self, settings: WatchSettings, tell: Callable[[dict[str, Any]], None], now: Callable[[], float]
    ) -> None:
        self._settings, self._tell, self._now = settings, tell, now
        self._ledger, self._grouping = KnownObjects(), Grouping(settings)
        self._sight = WatchHealth(one.kind.kind for one in settings.watched)
        self._cluster = ""
        #: Kinds that are heard of again since then. A watch that is only accepted may break at once.
        self._settling: dict[str, float] = {}
        #: When a list of a kind is told as the first one was.
        self._again_at: dict[str, float] = {}
        self._waits_until = now() + _FIRST_LISTS_SECONDS

    @property
    def patience(self) -> float:
        """Seconds until something has to be told, but no more than one waits to look whether it is to end."""
        due = self._grouping.due
        return _LOOK_SECONDS if due is None else min(max(due - self._now(), 0.001), _LOOK_SECONDS)

    def take(self, report: _Report) -> None:
        kind = report.watched.kind.kind
        if isinstance(report, _FailureReport) and report.is_watched:
            self._say(self._sight.unlisted(kind, report.message, alone=report.alone))
        elif isinstance(report, _FailureReport):
            self._settling.pop(kind, None)
            self._say(self._sight.lost(kind, report.message, alone=report.alone))
        elif isinstance(report, _HealthReport):
            self._cluster = report.cluster
            patience = _SETTLING_SECONDS if self._sight.is_lost(kind) else 0.0
            self._settling.setdefault(kind, self._now() + patience)
        elif isinstance(report, _ListReport):
            self._say(self._sight.listed(kind))
            again = self._now() >= self._again_at.get(kind, float("inf"))
            if self._settings.repeats(kind) and (again or kind not in self._again_at):
                self._again_at[kind] = self._now() + self._settings.repeat_seconds
            self._grouping.add(self._ledger.listed(kind, report.items, again=again), self._now())
        else:
            learn = self._ledger.appeared if report.is_there else self._ledger.went
            self._grouping.add(learn(report.one), self._now())

    def tell_what_is_due(self) -> None:
        for kind in [kind for kind, at in self._settling.items() if at <= self._now()]:
            del self._settling[kind]
            self._say(self._sight.healthy(kind))
        if self._sight.is_undecided and self._now() < self._waits_until:
            return
        while (due := self._grouping.due) is not None and due <= self._now():
            self._say(self._grouping.take(self._now(), self._ledger.is_going))

    def _say(self, events: Iterable[dict[str, Any]]) -> None:
        for event in events:
            self._tell(safe({**event, "cluster": self._cluster}))


@dataclass
class _Feed:
    """One kind: listed, then watched from there on, and so again and again."""

    watched: WatchedKind
    settings: WatchSettings
    open_cluster: OpenCluster
    inbox: queue.Queue[_Report]
    stop: threading.Event
    now: Callable[[], float]
    #: Where the watch goes on; empty: all has to be listed.
    version: str = ""
    list_again_at: float = 0.0
    watched_since: float = float("inf")
    failures: int = 0
    failed_lists: int = 0
    has_expired: bool = False

    def run(self) -> None:
        """Until it is to end. A connection that is given up is opened again, with the login as it then is."""
        while not self.stop.is_set():
            try:
                with self.open_cluster() as cluster:
                    while not self.stop.is_set():
                        self._once(cluster)
            except ImagePullError as error:
                self._failed(str(error))
            except Exception as error:  # the source must not end, whatever there is wrong with it
                self._failed(f"internal error: {unexpected(error)}; please report it")

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
                # The API server no longer knows what happened since then: what there is now tells. Only again and again is it a failure.
                self.version = ""
                if not self.has_expired:
                    self.has_expired = True
                    return
            self._failed(str(error), error)

    def _list(self, cluster: Cluster, **options: float) -> None:
        found = cluster.survey(
            self.watched.kind, label_selector=self.watched.label_selector, keep=self._seen, **options
        )
        self._put(_ListReport(self.watched, found.items))
        self.version, self.failed_lists = found.version, 0
        # Not at the same moment as other sources.
        self.list_again_at = self.now() + self.settings.resync_seconds * random.uniform(0.9, 1.1)

    def _list_again(self, cluster: Cluster) -> None:
        """Where that fails, the watch goes on from where it stands, and the list is tried again later.

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
            pause = max(_pause(_FIRST_RESYNC_PAUSE_SECONDS, self.failed_lists, longest), _asked(error))
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
                one = None if event.type == "BOOKMARK" else self._seen(event.obj)
                if one is not None:
                    self._put(_WatchReport(self.watched, one, is_there=event.type != "DELETED"))
                self.version = event.version
                if self.stop.is_set():
                    return
        if self.now() - self.watched_since < _SHORTEST_SECONDS:
            raise Unanswered(f"a watch of {self.watched.kind.resource} on {cluster.name} ended at once", _CHECK)
        self.failures, self.has_expired = 0, False

    def _seen(self, obj: Json) -> ObservedObject | None:
        return seen(obj, self.watched, self.settings)

    def _failed(self, message: str, error: ImagePullError | None = None) -> None:
        """Tells it when it was not the first of a watch in turn, and waits, each time longer."""
        # Many proxies cut what is silent for a while.
        self.failures = 1 if self.now() - self.watched_since > _GOOD_SECONDS else self.failures + 1
        self.watched_since = float("inf")
        asked = _asked(error)
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
    """Seconds to wait after so many failures in turn. Not the same for all who wait."""
    return min(first * 2.0 ** min(failures - 1, 20), longest) * random.uniform(0.75, 1.25)


def _asked(error: ImagePullError | None) -> float:
    """Seconds that the API server asks to be left alone."""
    return min((isinstance(error, ApiError) and error.retry_after) or 0.0, _LONGEST_ASKED_SECONDS)
