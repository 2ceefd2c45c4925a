# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sends one request once over a pool of connections, and reads its response, within limits of time and size. Explains why a server did
not answer. No redirect is followed.

The only place that imports the HTTP library.

The timeout of a socket counts from one read to the next, so a server that sends a byte now and then could keep the connection open forever.

No text of the server is repeated. Numbers of verification errors: OpenSSL, `include/openssl/x509_vfy.h.in`.
"""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from ...core.errors import ImagePullError

__all__ = [
    "IMPORT_ERROR",
    "INCOMPLETE_RESPONSES",
    "TLS_INTERRUPTIONS",
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
    "Words",
    "certifi",
    "current_limits",
    "open_response",
    "read_response",
    "root_cause",
    "send_request",
    "sentence",
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


@dataclass(frozen=True)
class Words:
    """The words for a server in messages. `prefix` is the prefix of the names of its options.

    `authority` is the fix for an unknown authority, `client_certificate` for a server that wants another certificate of the client.
    `name_options` ends the fix for a wrong name.
    """

    server: str = "server"
    prefix: str = ""
    authority: str = "Give the certificate of the authority that signed it: '{prefix}ca_cert: /path/to/ca.crt'"
    client_certificate: str = (
        "the server asks for a client certificate, which this module cannot send. Give a host that does not ask for one"
    )
    name_options: str = ""

    def of(self, text: str) -> str:
        return text.replace("{server}", self.server).replace("{prefix}", self.prefix)


#: TLS errors of a connection that was interrupted. The other ones are about protocols and certificates.
TLS_INTERRUPTIONS = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)

#: Errors in the middle of a response. urllib3 1.26 reports them as errors of the proxy if there is one.
INCOMPLETE_RESPONSES = (TimeoutError, OversizedResponse, TruncatedResponse)

_CLOCK = "check the clock of the host that runs the task"
#: The fix for an invalid certificate, by the number of the verification error.
_CERTIFICATES = {
    9: f"Have the certificate replaced, or {_CLOCK}",
    10: f"Have the certificate renewed, or {_CLOCK}",
}
_NAMES = {
    62: "Give the {server} by a name that the certificate contains",
    64: "Give the {server} by a name or address that the certificate contains",
}

_NO_TLS = "the server does not use TLS on this port. Check the port (a {server} without TLS is not supported)"
_OLD_TLS = "the server supports no TLS version that this host allows. Have TLS 1.2 or later enabled on the {server}"
#: Messages by OpenSSL's reason.
_HANDSHAKES = {
    "WRONG_VERSION_NUMBER": _NO_TLS,
    "PACKET_LENGTH_TOO_LONG": _NO_TLS,
    "RECORD_LAYER_FAILURE": _NO_TLS,
    "HTTP_REQUEST": _NO_TLS,
    "UNSUPPORTED_PROTOCOL": _OLD_TLS,
    "TLSV1_ALERT_PROTOCOL_VERSION": _OLD_TLS,
}
#: OpenSSL's reasons for a server that does not accept the certificate of the client, or its absence.
_CLIENT_CERTIFICATES = (
    "TLSV13_ALERT_CERTIFICATE_REQUIRED",
    "SSLV3_ALERT_BAD_CERTIFICATE",
    "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE",
    "SSLV3_ALERT_CERTIFICATE_REVOKED",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN",
    "TLSV1_ALERT_UNKNOWN_CA",
)

#: The first type that matches an error decides.
_KINDS: tuple[tuple[type[BaseException], str], ...] = (
    (OversizedResponse, "the response is too large for a {server}. Check the name and the port"),
    (
        TruncatedResponse,
        "the connection was closed in the middle of the response. Try again, or check the proxy before the {server}",
    ),
    (
        TimeoutError,
        "there was no complete response in time. Check the network and firewalls, or raise '{prefix}timeout: 60'",
    ),
    (socket.gaierror, "the name cannot be resolved. Check the name, and DNS on the host that runs the task"),
    (ConnectionRefusedError, "the connection was refused. Check the port, and whether the {server} runs"),
    (ConnectionError, "the connection was closed without a response. Check the port, and whether a proxy is needed"),
)
_NOT_HTTP = "the response is not valid HTTP. Check the name and the port"


def root_cause(error: BaseException) -> BaseException:
    """Return the innermost cause of an error. `urllib3` passes some causes only as an argument, or as the context.

    One of our own errors in the context is that of an earlier request.
    """
    seen: list[BaseException] = []
    inner: BaseException | None = error
    while inner is not None and inner not in seen:
        error = inner
        seen.append(error)
        is_earlier = isinstance(error.__context__, ImagePullError)
        context = None if error.__suppress_context__ or is_earlier else error.__context__
        candidates = (*error.args, getattr(error, "reason", None), error.__cause__, context)
        inner = next((candidate for candidate in candidates if isinstance(candidate, BaseException)), None)
    return error


def sentence(error: BaseException, words: Words) -> str:
    """Return the reason and the fix for the root cause of a failure."""
    if isinstance(error, TLS_INTERRUPTIONS):
        error = ConnectionError()
    if isinstance(error, ssl.SSLError):
        return _tls_sentence(error, words)
    for kind, text in _KINDS:
        if isinstance(error, kind):
            return words.of(text)
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}. Check the name, the port and the network"
    return _NOT_HTTP


def _tls_sentence(error: ssl.SSLError, words: Words) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        code = error.verify_code
        fix = f"{_NAMES[code]}{words.name_options}" if code in _NAMES else _CERTIFICATES.get(code, words.authority)
        return f"certificate verify failed: {error.verify_message.rstrip('.')}. {words.of(fix)}"
    reason = error.reason or "unknown"
    if reason in _CLIENT_CERTIFICATES:
        return words.of(words.client_certificate)
    unknown = f"the TLS connection failed ({reason}). Check the port and the {{server}}'s TLS settings"
    return words.of(_HANDSHAKES.get(reason, unknown))
