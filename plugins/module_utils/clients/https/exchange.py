# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sends one request once over a pool of connections, and reads its response, within limits of time and size. No redirect is followed.

The only place that imports the HTTP library.

The timeout of a socket counts from one read to the next, so a server that sends a byte now and then could keep the connection open forever.
"""

from __future__ import annotations

import http.client
import io
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

__all__ = [
    "IMPORT_ERROR",
    "HTTPConnection",
    "HTTPConnectionPool",
    "HTTPHeaderDict",
    "HTTPSConnection",
    "HTTPSConnectionPool",
    "HttpResponse",
    "LimitedResponse",
    "Limits",
    "OversizedResponse",
    "TruncatedResponse",
    "certifi",
    "current_limits",
    "open_response",
    "read_response",
    "send_request",
    "urllib3",
]

try:
    import certifi
    import urllib3
    from urllib3._collections import HTTPHeaderDict
    from urllib3.connection import HTTPConnection, HTTPSConnection
    from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

    IMPORT_ERROR = None
except ImportError:
    certifi = urllib3 = HTTPHeaderDict = None  # type: ignore[assignment,misc]
    # Classes that are derived from them can then be defined, but not used.
    HTTPConnection = HTTPSConnection = HTTPConnectionPool = HTTPSConnectionPool = object  # type: ignore[assignment,misc]
    IMPORT_ERROR = traceback.format_exc()


class OversizedResponse(OSError):
    """The server sent more than a response needs."""


class TruncatedResponse(OSError):
    """The server closed the connection in the middle of its response."""


class Limits:
    """The limits of one request from now on, and of its response.

    `seconds` limit the whole exchange, `connect` the opening of a connection, and `read` the time between two parts of the response.
    `size` is the maximum size of the response in bytes, including headers. `outside_only`: no address is contacted that only the host of
    the task reaches. `clock` returns seconds from any start.
    """

    def __init__(
        self,
        seconds: float,
        size: int = sys.maxsize,
        *,
        connect: float | None = None,
        read: float | None = None,
        outside_only: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.size = size
        self.connect = seconds if connect is None else connect
        self.read = seconds if read is None else read
        self.outside_only = outside_only
        self._clock = clock
        self._end = clock() + seconds

    def seconds_left(self) -> float:
        """Return the seconds that are left.

        :raises TimeoutError: if none are left.
        """
        left = self._end - self._clock()
        if left <= 0:
            raise TimeoutError("timed out")
        return left

    def shorten_timeout(self, connection: Any) -> None:
        """Let the next operation of a socket last no longer than the time that is left.

        :raises TimeoutError: if none is left.
        """
        left, timeout = self.seconds_left(), connection.gettimeout()
        if timeout is None or timeout > left:
            connection.settimeout(left)

    @contextmanager
    def in_effect(self) -> Iterator[None]:
        """Apply the limits to connections and responses that this thread opens in the block. A response keeps them after the block."""
        before = _CURRENT.set(self)
        try:
            yield
        finally:
            _CURRENT.reset(before)


_CURRENT: ContextVar[Limits | None] = ContextVar("limits", default=None)


def current_limits() -> Limits | None:
    """Return the limits that are in effect in this thread."""
    return _CURRENT.get()


class LimitedResponse(http.client.HTTPResponse):
    """A response of `http.client` with limits, also that of a proxy, which has a size of its own."""

    _reader: _LimitedReader | None = None

    def __init__(self, sock: Any, *arguments: Any, **keywords: Any) -> None:
        super().__init__(sock, *arguments, **keywords)
        limits = current_limits()
        if limits is not None:
            self._reader = _LimitedReader(limits, sock, self.fp.detach())
            self.fp = io.BufferedReader(self._reader)

    def begin(self) -> None:
        """Read the headers. Only then the end of the connection may be the end of the response."""
        super().begin()
        if self._reader is not None:
            self._reader.may_end = self.length is None and not self.chunked


class _LimitedReader(io.RawIOBase):
    """Reads `raw`, a file of `connection`. `may_end`: whether the end of the connection is the end of the response."""

    may_end = False

    def __init__(self, limits: Limits, connection: Any, raw: Any) -> None:
        self._limits, self._connection, self._raw = limits, connection, raw
        self._size = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> Any:
        self._limits.shorten_timeout(self._connection)
        size = self._raw.readinto(buffer)
        if not size and self._size and not self.may_end:
            raise TruncatedResponse("the connection was closed in the middle of the response")
        self._size += size
        if self._size > self._limits.size:
            raise OversizedResponse("the response is too long")
        return size

    def close(self) -> None:
        self._raw.close()
        super().close()


@dataclass(frozen=True)
class HttpResponse:
    """The status, the headers in their order, and the unchanged body if it was requested."""

    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes = field(default=b"", repr=False)

    def all_of(self, name: str) -> list[str]:
        """Return the values of all headers with that name, ignoring case."""
        return [value for found, value in self.headers if found.lower() == name.lower()]

    def header(self, name: str) -> str:
        """Return the value of a header. Several values are joined by a comma. Empty if there is none."""
        return ", ".join(self.all_of(name))


def send_request(
    pool: Any,
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes | None,
    *,
    limits: Limits,
    with_body: bool = True,
) -> HttpResponse:
    """Send one request and return its response. `pool` is a result of `open_pool`. Errors are those of urllib3 and of the system."""
    response = open_response(pool, method, url, headers, body, limits=limits)
    if with_body:
        with limits.in_effect():
            return read_response(response, limits.size)
    response.close()
    return HttpResponse(response.status, [*response.headers.items()])


def open_response(
    pool: Any, method: str, url: str, headers: Mapping[str, str], body: bytes | None, *, limits: Limits
) -> Any:
    """Send one request and return the response of urllib3, before its body is read."""
    with limits.in_effect():
        # Not request(), which would copy the headers.
        return pool.request_encode_url(
            method,
            url,
            body=body,
            headers=headers,
            timeout=urllib3.Timeout(connect=limits.connect, read=limits.read),
            retries=False,
            redirect=False,
            preload_content=False,
            enforce_content_length=True,
        )


def read_response(response: Any, size: int) -> HttpResponse:
    """Return the whole response with its unchanged body of at most `size` bytes. Only reading to the end shows whether it was truncated.

    :raises OversizedResponse: if the body is too large.
    """
    parts: list[bytes] = []
    left = size
    while part := response.read(left + 1, decode_content=False):
        parts.append(part)
        left -= len(part)
        if left < 0:
            response.close()
            raise OversizedResponse
    response.release_conn()
    return HttpResponse(response.status, [*response.headers.items()], b"".join(parts))
