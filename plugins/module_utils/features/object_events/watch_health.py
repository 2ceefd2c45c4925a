# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Track whether a source can watch the cluster, and report changes of that. Pure.

A failure affects the cluster, and is reported once for all kinds, or one kind, such as a right that the caller lacks for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...core.text import redact_text

__all__ = ["WatchHealth"]

Event = dict[str, Any]


class WatchHealth:
    """The kinds that are watched, that are lost, and that are watched but cannot be listed."""

    def __init__(self, kinds: Iterable[str]) -> None:
        self._kinds = tuple(kinds)
        self._heard: set[str] = set()
        #: By kind, whether the failure affects only this kind.
        self._lost: dict[str, bool] = {}
        self._unlisted: dict[str, bool] = {}
        #: Kinds that were last reported as watched; empty after a reported failure.
        self._told: tuple[str, ...] = ()

    @property
    def is_undecided(self) -> bool:
        """Whether the state of a kind is not known yet."""
        return len(self._heard) + len(self._lost) < len(self._kinds)

    def is_lost(self, kind: str) -> bool:
        """Whether the watch of the kind has failed."""
        return kind in self._lost

    def mark_healthy(self, kind: str) -> list[Event]:
        """Return the events for a kind that is watched."""
        self._heard.add(kind)
        self._lost.pop(kind, None)
        return self._connected_event()

    def mark_lost(self, kind: str, message: str, *, alone: bool) -> list[Event]:
        """Return the events for a kind whose watch failed."""
        self._heard.discard(kind)
        self._unlisted.pop(kind, None)
        told = _note_failure(self._lost, "lost", kind, message, alone=alone)
        if told:
            self._told = ()
        return [*told, *self._connected_event()]

    def mark_unlisted(self, kind: str, message: str, *, alone: bool) -> list[Event]:
        """Return the events for a kind that is watched but cannot be listed again."""
        return _note_failure(self._unlisted, "degraded", kind, message, alone=alone)

    def mark_listed(self, kind: str) -> list[Event]:
        """Return the events for a kind that was listed."""
        if self._unlisted.pop(kind, None) is None:
            return []
        self._told = ()
        return self._connected_event()

    def _connected_event(self) -> list[Event]:
        """Return the event that the cluster is watched, and which kinds are not, unless already reported or undecided."""
        watched = tuple(kind for kind in self._kinds if kind in self._heard)
        missing = [kind for kind in self._kinds if kind in self._lost]
        if self.is_undecided or not all(self._lost.values()) or watched == self._told:
            return []
        self._told = watched
        unlisted = [kind for kind in self._kinds if kind in self._unlisted]
        return [{"type": "health", "state": "connected", "kinds": [*watched], "missing": missing, "unlisted": unlisted}]


def _note_failure(failures: dict[str, bool], state: str, kind: str, message: str, *, alone: bool) -> list[Event]:
    """Record a failure, and return its events. Only the first failure of the cluster is reported."""
    is_known = failures.get(kind) is alone or (not alone and not all(failures.values()))
    failures[kind] = alone
    return [] if is_known else [{"type": "health", "state": state, "kind": kind, "message": redact_text(message)}]
