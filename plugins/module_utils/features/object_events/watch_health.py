# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a source sees the cluster: told when that changes. Pure.

A failure is one of the cluster, which is told once for all kinds, or of one kind alone, such as a right that the caller lacks for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...core.foreign_text import redacted

__all__ = ["WatchHealth"]

Event = dict[str, Any]


class WatchHealth:
    """Of which kinds the source hears, of which no longer, and of which it hears only what a watch says."""

    def __init__(self, kinds: Iterable[str]) -> None:
        self._kinds = tuple(kinds)
        self._heard: set[str] = set()
        #: By kind, whether the failure is one of this kind alone.
        self._lost: dict[str, bool] = {}
        self._unlisted: dict[str, bool] = {}
        #: The kinds that were last said to be watched; empty after a failure was told.
        self._told: tuple[str, ...] = ()

    @property
    def is_undecided(self) -> bool:
        """Whether a kind was neither heard of nor lost yet."""
        return len(self._heard) + len(self._lost) < len(self._kinds)

    def is_lost(self, kind: str) -> bool:
        """Whether nothing is heard of a kind any more."""
        return kind in self._lost

    def healthy(self, kind: str) -> list[Event]:
        """What is told when the kind is watched."""
        self._heard.add(kind)
        self._lost.pop(kind, None)
        return self._connected()

    def lost(self, kind: str, message: str, *, alone: bool) -> list[Event]:
        """What is told when nothing is heard of a kind."""
        self._heard.discard(kind)
        self._unlisted.pop(kind, None)
        told = _failed(self._lost, "lost", kind, message, alone=alone)
        if told:
            self._told = ()
        return [*told, *self._connected()]

    def unlisted(self, kind: str, message: str, *, alone: bool) -> list[Event]:
        """What is told when a kind is watched but cannot be listed again."""
        return _failed(self._unlisted, "degraded", kind, message, alone=alone)

    def listed(self, kind: str) -> list[Event]:
        """What is told when a kind could be listed."""
        if self._unlisted.pop(kind, None) is None:
            return []
        self._told = ()
        return self._connected()

    def _connected(self) -> list[Event]:
        """That the cluster is watched, and what of it is not, unless that is known or remains to be seen."""
        watched = tuple(kind for kind in self._kinds if kind in self._heard)
        missing = [kind for kind in self._kinds if kind in self._lost]
        if self.is_undecided or not all(self._lost.values()) or watched == self._told:
            return []
        self._told = watched
        unlisted = [kind for kind in self._kinds if kind in self._unlisted]
        return [{"type": "health", "state": "connected", "kinds": [*watched], "missing": missing, "unlisted": unlisted}]


def _failed(failures: dict[str, bool], state: str, kind: str, message: str, *, alone: bool) -> list[Event]:
    """Notes a failure; what is told of it. Of those of the cluster, the first one is."""
    is_known = failures.get(kind) is alone or (not alone and not all(failures.values()))
    failures[kind] = alone
    return [] if is_known else [{"type": "health", "state": state, "kind": kind, "message": redacted(message)}]
