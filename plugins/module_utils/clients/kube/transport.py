# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sends one HTTP request once, with limits on the size and the time of the response. Errors show whether the request was carried out.

A response is read as a whole, or line by line while the server continues it.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from .errors import one_line
from .http_tuning import limit_answer_time
from .libraries import urllib3

__all__ = [
    "ApiResponse",
    "BrokenConnection",
    "Lines",
    "Lost",
    "NotSent",
    "OversizedApiResponse",
    "Unusable",
    "send_api_request",
    "stream_lines",
]

_CONNECT_SECONDS = 10.0
#: Seconds between two parts of a response.
_READ_SECONDS = 60.0
#: The maximum time of a whole response, as a multiple of that. An API server itself ends one after a minute (`--request-timeout`).
_READS = 5
#: Maximum size of a response: a page of a thousand secrets of a quarter of a megabyte each.
_MOST_BYTES = 256 * 1024 * 1024
#: Maximum number of bytes read at once from a continuing response.
_PART = 65536
#: TLS errors for an interrupted connection. The other errors are about certificates.
_CUT = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)

#: The text of urllib3 and OpenSSL around the reason.
_NOISE = re.compile(
    r"\[SSL[^]]*\] | \(_ssl\.c:\d+\)|^<[\w.]+ object at \w+>: |Failed to establish a new connection: (?:\[Errno -?\d+\] )?"
)


class _TransportError(Exception):
    """The message gives the reason in a few words."""


class NotSent(_TransportError):
    """The request has certainly not been carried out. It may be sent again."""


class Lost(_TransportError):
    """The request was sent, or may have been sent, and there is no response."""


class OversizedApiResponse(_TransportError):
    """The response has no end, or is larger than any response of an API server."""


class Unusable(_TransportError):
    """No request can be sent over this connection, now or later. The message includes the fix."""


class BrokenConnection(_TransportError):
    """An unexpected error. The request may have been sent."""


@dataclass(frozen=True)
class ApiResponse:
    """A response. `retry_after` and `location` are the headers of these names."""

    status: int
    data: bytes
    retry_after: str | None
    location: str | None


def send_api_request(
    pool: Any,
    method: str,
    url: str,
    headers: Any,
    body: bytes | None,
    *,
    most: int = _MOST_BYTES,
    seconds: float = _READ_SECONDS,
) -> ApiResponse:
    """Send one request and return its response of at most `most` bytes. `pool` is a urllib3 pool manager after `prepare`.

    `seconds` limit each read, and five times `seconds` the whole response.

    :raises NotSent: or `Lost`, `OversizedApiResponse`, `Unusable`, `BrokenConnection`.
    """
    try:
        return _read_answer(_open_response(pool, method, url, headers, body, seconds=seconds), most)
    except _TransportError:
        raise
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
        except (_TransportError, GeneratorExit):
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
) -> ApiResponse | Lines:
    """Send a GET with a continuing response. Return its lines of at most `most` bytes, or the whole response if it is not a success.

    `seconds` limit the time between two parts, and five times `seconds` the whole response. `goes_on` is called after each part and
    returns whether the response may still continue.

    :raises NotSent: or `Lost`, `OversizedApiResponse`, `Unusable`, `BrokenConnection`.
    """
    try:
        response = _open_response(pool, "GET", url, headers, None, seconds=seconds)
        return Lines(response, most, goes_on) if 200 <= response.status < 300 else _read_answer(response, most)
    except _TransportError:
        raise
    except Exception as error:
        raise _classify_error(error) from None


def _open_response(pool: Any, method: str, url: str, headers: Any, body: bytes | None, *, seconds: float) -> Any:
    # Not request(), which would copy the headers.
    with limit_answer_time(_READS * seconds):
        return pool.request_encode_url(
            method,
            url,
            body=body,
            headers=headers,
            timeout=urllib3.Timeout(connect=_CONNECT_SECONDS, read=seconds),
            retries=False,
            redirect=False,
            preload_content=False,
            enforce_content_length=True,
        )


def _read_answer(response: Any, most: int) -> ApiResponse:
    data = _read_body(response, most + 1)
    if len(data) > most:
        response.close()
        raise OversizedApiResponse
    response.release_conn()
    return ApiResponse(response.status, data, response.headers.get("Retry-After"), response.headers.get("Location"))


def _read_body(response: Any, most: int) -> bytes:
    """The unchanged body, up to `most` bytes. Only reading to the end shows whether it was truncated."""
    parts: list[bytes] = []
    while most > 0 and (part := response.read(most, decode_content=False)):
        parts.append(part)
        most -= len(part)
    return b"".join(parts)


def _classify_error(error: Exception) -> _TransportError:
    exceptions, inner = urllib3.exceptions, _innermost(error)
    if isinstance(error, (exceptions.NewConnectionError, exceptions.ConnectTimeoutError, exceptions.ProxyError)):
        return NotSent(_cause(inner))
    if isinstance(error, exceptions.SSLError) and not isinstance(inner, _CUT):
        reason = _cause(inner)
        return Unusable(f"{reason}. {_tls_advice(reason.lower())}")
    if isinstance(error, ValueError):
        # The error quotes the address or the header, and so the login.
        return Unusable(
            "the address or the login contains characters that HTTP cannot send. Remove line ends and similar characters"
        )
    if isinstance(error, (exceptions.HTTPError, OSError)):
        return Lost(_cause(inner))
    return BrokenConnection(f"the HTTP library failed with {type(inner).__name__}")


def _tls_advice(reason: str) -> str:
    """The fix for a failed handshake, by OpenSSL's or urllib3's reason. An alert comes from the server and is about the client."""
    if "mismatch" in reason or "doesn't match" in reason:
        return "Give the cluster by a name or address that the certificate contains, in 'host' or as 'server' in the kubeconfig"
    if "alert" not in reason and ("certificate" in reason or "hostname" in reason):
        return "Give the cluster's certificate authority in 'ca_cert' or the kubeconfig"
    if "certificate" in reason or "unknown ca" in reason:
        return "The server refuses the client's certificate: give one that it trusts in 'client_cert' and 'client_key'"
    if "wrong version number" in reason or "http request" in reason:
        return "The server does not use TLS there: check the scheme and the port of the address"
    return "Client and server could not agree on a TLS connection: check the address, and any proxy between them"


def _innermost(error: BaseException) -> BaseException:
    """The innermost error, which urllib3 wraps several times as a cause or an argument."""
    seen = {id(error)}
    while inner := error.__cause__ or next((part for part in error.args if isinstance(part, BaseException)), None):
        if id(inner) in seen:
            break
        seen.add(id(inner))
        error = inner
    return error


def _cause(error: BaseException) -> str:
    """The reason as text."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return one_line(_NOISE.sub("", str(text))).rstrip(".")
