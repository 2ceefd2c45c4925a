# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decides, for all threads of a task, whether another request makes sense. Does no I/O."""

from __future__ import annotations

import threading
from collections.abc import Callable

from .errors import ClusterError

__all__ = ["Health"]

#: Seconds to wait for an API server that is starting, stopping or overloaded.
_PATIENCE_SECONDS = 30.0
#: Seconds to wait for an API server that has never answered.
_FIRST_PATIENCE_SECONDS = 5.0


class Health:
    """A circuit breaker. After it has stopped, each further request fails immediately with the same message.

    The time without a healthy response counts for the cluster, not for each request. It begins with the first failure after the last
    response with a status below 500 in any thread. So a request that hangs while others succeed does no harm.
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
        """Whether no further request is allowed."""
        return self._failure is not None

    def check(self) -> None:
        """Check before each request that it is allowed.

        :raises ClusterError: if no request is allowed.
        """
        if self._failure is not None:
            raise _copy(self._failure)

    def stop(self, error: ClusterError) -> ClusterError:
        """Allow no further request. Return the error to raise, which is always the first one."""
        with self._lock:
            self._failure = self._failure or error
            return _copy(self._failure)

    def healthy(self) -> None:
        """Record a response with a status below 500."""
        with self._lock:
            self.reached = True
            self._healthy_at = self._now()
            self._failing_since = None

    def unhealthy(self, since: float) -> float:
        """Record a request without a response that was sent at `since`, or a response at `since` with a status of 500 or above.

        Return the seconds without a healthy response if they reach the limit, otherwise 0.
        """
        with self._lock:
            since = max(since, self._healthy_at)
            self._failing_since = since if self._failing_since is None else min(since, self._failing_since)
            silent = self._now() - self._failing_since
            return silent if silent >= (_PATIENCE_SECONDS if self.reached else _FIRST_PATIENCE_SECONDS) else 0.0


def _copy(error: ClusterError) -> ClusterError:
    """A copy for another thread: an exception that is raised repeatedly keeps every frame that it passed through."""
    return type(error)(*error.args)
