# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sends one HTTP request once, within limits, and decides for all threads of a task whether another request makes sense.

A response is read as a whole, or line by line while the server continues it.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from typing import Any

from ..https.exchange import (
    INCOMPLETE_RESPONSES,
    TLS_INTERRUPTIONS,
    HttpResponse,
    Limits,
    OversizedResponse,
    Words,
    open_response,
    read_response,
    root_cause,
    sentence,
    urllib3,
)
from .errors import ClusterError, one_line

__all__ = [
    "NO_PROXY",
    "BrokenConnection",
    "Health",
    "Lines",
    "Lost",
    "NotSent",
    "OversizedApiResponse",
    "TransportError",
    "Unusable",
    "send_api_request",
    "stream_lines",
]

#: Start of the text of an error if the proxy was not reached, or refused.
NO_PROXY = "no connection through the proxy"
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


_CONNECT_SECONDS = 10.0
#: Seconds between two parts of a response.
_READ_SECONDS = 60.0
#: The maximum time of a whole response, as a multiple of that. An API server itself ends one after a minute (`--request-timeout`).
_READS = 5
#: Maximum size of a response: a page of a thousand secrets of a quarter of a megabyte each.
_MOST_BYTES = 256 * 1024 * 1024
#: Maximum number of bytes read at once from a continuing response.
_PART = 65536
_WORDS = Words(
    "cluster",
    authority="Give the cluster's certificate authority in 'ca_cert' or the kubeconfig",
    client_certificate=(
        "the server refuses the client's certificate. Give one that it trusts in 'client_cert' and 'client_key'"
    ),
    name_options=", in 'host' or as 'server' in the kubeconfig",
)
#: The text of urllib3 and OpenSSL around the reason.
_NOISE = re.compile(
    r"\[SSL[^]]*\] | \(_ssl\.c:\d+\)|^<[\w.]+ object at \w+>: |Failed to establish a new connection: (?:\[Errno -?\d+\] )?"
)


class TransportError(Exception):
    """The message gives the reason in a few words."""


class NotSent(TransportError):
    """The request has certainly not been carried out. It may be sent again."""


class Lost(TransportError):
    """The request was sent, or may have been sent, and there is no response."""


class OversizedApiResponse(TransportError):
    """The response has no end, or is larger than any response of an API server."""


class Unusable(TransportError):
    """No request can be sent over this connection, now or later. The message includes the fix."""


class BrokenConnection(TransportError):
    """An unexpected error. The request may have been sent."""


def send_api_request(
    pool: Any,
    method: str,
    url: str,
    headers: Any,
    body: bytes | None,
    *,
    most: int = _MOST_BYTES,
    seconds: float | None = None,
) -> HttpResponse:
    """Send one request and return its response with a body of at most `most` bytes. `pool` is a result of `open_pool`.

    `seconds` limit each read, by default 60, and five times `seconds` the whole response.

    :raises NotSent: or `Lost`, `OversizedApiResponse`, `Unusable`, `BrokenConnection`.
    """
    try:
        return read_response(
            open_response(pool, method, url, headers, body, limits=_limits(seconds or _READ_SECONDS)), most
        )
    except Exception as error:
        raise _classify_error(error) from None


class Lines:
    """A successful response that arrives line by line. The caller closes it."""

    def __init__(self, response: Any, most: int, goes_on: Callable[[], bool]) -> None:
        self._response, self._most, self._goes_on = response, most, goes_on

    def __iter__(self) -> Iterator[bytes]:
        """Yield each line as soon as it is complete, without its end.

        :raises Lost: also if the response ends within a line, or continues too long. `OversizedApiResponse` for a line that is too long.
        """
        rest = b""
        try:
            for part in self._response.stream(_PART, decode_content=False):
                *lines, rest = (rest + part).split(b"\n")
                yield from lines
                if len(rest) > self._most:
                    raise OversizedApiResponse
                if not self._goes_on():
                    raise Lost("the response does not end when it should")
        except (TransportError, GeneratorExit):
            raise
        except Exception as error:
            raise _classify_error(error) from None
        if rest:
            raise Lost("the response ends in the middle of a line")

    def close(self) -> None:
        """Close the connection, which is not reused, because more data may arrive."""
        self._response.close()
        self._response.release_conn()


def stream_lines(
    pool: Any, url: str, headers: Any, *, seconds: float, most: int, goes_on: Callable[[], bool]
) -> HttpResponse | Lines:
    """Send a GET with a continuing response. Return its lines of at most `most` bytes, or the whole response if it is not a success.

    `seconds` limit the time between two parts, and five times `seconds` the whole response. `goes_on` is called after each part and
    returns whether the response may still continue.

    :raises NotSent: or `Lost`, `OversizedApiResponse`, `Unusable`, `BrokenConnection`.
    """
    try:
        response = open_response(pool, "GET", url, headers, None, limits=_limits(seconds))
        return Lines(response, most, goes_on) if 200 <= response.status < 300 else read_response(response, most)
    except Exception as error:
        raise _classify_error(error) from None


def _limits(seconds: float) -> Limits:
    return Limits(_READS * seconds, connect=_CONNECT_SECONDS, read=seconds)


def _classify_error(error: Exception) -> TransportError:
    exceptions, inner = urllib3.exceptions, root_cause(error)
    if isinstance(inner, OversizedResponse):
        return OversizedApiResponse()
    if isinstance(error, (exceptions.NewConnectionError, exceptions.ConnectTimeoutError)):
        return NotSent(_cause(inner))
    # urllib3 1.26 also reports a connection through a proxy that was interrupted after the request as an error of the proxy.
    if isinstance(error, exceptions.ProxyError) and not isinstance(
        error.original_error, (ConnectionError, *INCOMPLETE_RESPONSES)
    ):
        return NotSent(f"{NO_PROXY}: {_cause(inner)}")
    if isinstance(error, exceptions.SSLError) and not isinstance(inner, TLS_INTERRUPTIONS):
        return Unusable(sentence(inner, _WORDS))
    if isinstance(error, ValueError):
        # The error quotes the address or the header, and so the login.
        return Unusable(
            "the address or the login contains characters that HTTP cannot send. Remove line ends and similar characters"
        )
    if isinstance(error, (exceptions.HTTPError, OSError)):
        return Lost(_cause(inner))
    return BrokenConnection(f"the HTTP library failed with {type(inner).__name__}")


def _cause(error: BaseException) -> str:
    """The reason as text."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return one_line(_NOISE.sub("", str(text))).rstrip(".")
