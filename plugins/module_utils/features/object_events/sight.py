# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a source sees the cluster: told when that changes, once for all kinds. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...core.foreign_text import redacted

__all__ = ["Sight"]


class Sight:
    """Of which kinds the source hears, and of which no longer."""

    def __init__(self, kinds: Iterable[str]) -> None:
        self._unseen = dict.fromkeys(kinds)
        #: Whether a failure was told that is not over.
        self.is_lost = False

    def healthy(self, kind: str) -> dict[str, Any] | None:
        """The event that is told when the API server answers for a kind; None when that is no news."""
        if kind not in self._unseen:
            return None
        del self._unseen[kind]
        if self._unseen:
            return None
        self.is_lost = False
        return {"type": "health", "state": "connected"}

    def lost(self, kind: str, message: str) -> dict[str, Any] | None:
        """The event that is told when nothing is heard of a kind. One failure stays one: that of the first kind is told."""
        self._unseen[kind] = None
        if self.is_lost:
            return None
        self.is_lost = True
        return {"type": "health", "state": "lost", "kind": kind, "message": redacted(message)}
