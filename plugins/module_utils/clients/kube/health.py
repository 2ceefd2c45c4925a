# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether it makes sense to send one more request: one answer for all threads of a task. Does no I/O."""

from __future__ import annotations

import threading
from collections.abc import Callable

from .errors import ClusterError

__all__ = ["Health"]

#: An API server that is starting, stopping or overloaded is given this long to answer again.
_PATIENCE_SECONDS = 30.0
#: One that has never answered, this long.
_FIRST_PATIENCE_SECONDS = 5.0


class Health:
    """A circuit breaker. Once stopped it stays so: each further request fails at once, with the same sentence.

    The time without a healthy answer counts for the cluster, not for each request: from the first failure that no answer
    with a status below 500 has followed, whoever got it. A request that hangs while others are answered so does no harm.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._failure: ClusterError | None = None
        self._healthy_at = float("-inf")
        self._failing_since: float | None = None
        #: Whether the API server, or something in front of it, has ever answered.
        self.reached = False

    @property
    def is_stopped(self) -> bool:
        """Whether no further request may be sent."""
        return self._failure is not None

    def check(self) -> None:
        """Before each request.

        :raises ClusterError: when none may be sent.
        """
        if self._failure is not None:
            raise _copy(self._failure)

    def stop(self, error: ClusterError) -> ClusterError:
        """No further request may be sent. Returns the error to raise: the first one, whatever comes later."""
        with self._lock:
            self._failure = self._failure or error
            return _copy(self._failure)

    def healthy(self) -> None:
        """There was an answer with a status below 500."""
        with self._lock:
            self.reached = True
            self._healthy_at = self._now()
            self._failing_since = None

    def unhealthy(self, since: float) -> float:
        """There was no answer to a request that was sent at `since`, or at `since` one with a status of 500 or above.

        Returns the seconds without a healthy answer once they are more than one waits for, otherwise 0.
        """
        with self._lock:
            since = max(since, self._healthy_at)
            self._failing_since = since if self._failing_since is None else min(since, self._failing_since)
            silent = self._now() - self._failing_since
            return silent if silent >= (_PATIENCE_SECONDS if self.reached else _FIRST_PATIENCE_SECONDS) else 0.0


def _copy(error: ClusterError) -> ClusterError:
    """For another thread: an exception that is raised again and again keeps every frame that it came through."""
    return type(error)(*error.args)
