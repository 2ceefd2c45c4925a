# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One HTTP request: sent once, bounded in size and in silence, every failure told apart by what it means for the request.

An answer comes as a whole, or line by line while the server goes on answering.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from .errors import one_line
from .http_tuning import answered_within
from .libraries import urllib3

__all__ = [
    "ApiResponse",
    "BrokenConnection",
    "Lines",
    "Lost",
    "NotSent",
    "OversizedApiResponse",
    "Unusable",
    "follow",
    "send",
]

_CONNECT_SECONDS = 10.0
#: Between two parts of an answer.
_READ_SECONDS = 60.0
#: A whole answer may take so many times that. An API server itself cuts one after a minute (kube-apiserver's `--request-timeout`).
_READS = 5
#: A page of a thousand secrets of a quarter of a megabyte each.
_MOST_BYTES = 256 * 1024 * 1024
#: What is read at once of an answer that goes on.
_PART = 65536
#: TLS's words for a connection that was cut; its other errors are about certificates.
_CUT = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)

#: What urllib3 and OpenSSL write around the reason.
_NOISE = re.compile(
    r"\[SSL[^]]*\] | \(_ssl\.c:\d+\)|^<[\w.]+ object at \w+>: |Failed to establish a new connection: (?:\[Errno -?\d+\] )?"
)


class _TransportError(Exception):
    """The message says why, in a few words."""


class NotSent(_TransportError):
    """The request has certainly not been carried out; the same one may be sent later."""


class Lost(_TransportError):
    """The request was sent, or may have been, and there is no answer."""


class OversizedApiResponse(_TransportError):
    """The answer has no end, or is larger than any API server's."""


class Unusable(_TransportError):
    """No request can be sent over this connection, now or later. The message says what to do as well."""


class BrokenConnection(_TransportError):
    """An unexpected error; the request may have been sent."""


@dataclass(frozen=True)
class ApiResponse:
    """`retry_after` and `location` are the headers of these names."""

    status: int
    data: bytes
    retry_after: str | None
    location: str | None


def send(
    pool: Any,
    method: str,
    url: str,
    headers: Any,
    body: bytes | None,
    *,
    most: int = _MOST_BYTES,
    seconds: float = _READ_SECONDS,
) -> ApiResponse:
    """The answer to one request of at most `most` bytes. `pool` is a urllib3 pool manager, made ready by `prepare`.

    `seconds` bound each read, and five times as many the whole answer.

    :raises NotSent: or `Lost`, `OversizedApiResponse`, `Unusable`, `BrokenConnection`.
    """
    try:
        return _whole(_sent(pool, method, url, headers, body, seconds=seconds), most)
    except _TransportError:
        raise
    except Exception as error:
        raise _meaning(error) from None


class Lines:
    """A successful answer that comes line by line; to be closed."""

    def __init__(self, response: Any, most: int, goes_on: Callable[[], bool]) -> None:
        self._response, self._most, self._goes_on = response, most, goes_on

    def __iter__(self) -> Iterator[bytes]:
        """Each line as soon as it is whole, without its end.

        :raises Lost: also for an answer that ends within a line, or that goes on when it must have ended; `OversizedApiResponse` for a line.
        """
        rest = b""
        try:
            for part in self._response.stream(_PART, decode_content=False):
                *lines, rest = (rest + part).split(b"\n")
                yield from lines
                if len(rest) > self._most:
                    raise OversizedApiResponse
                if not self._goes_on():
                    raise Lost("the answer does not end when it should")
        except (_TransportError, GeneratorExit):
            raise
        except Exception as error:
            raise _meaning(error) from None
        if rest:
            raise Lost("the answer ends in the middle of a line")

    def close(self) -> None:
        """The connection is not used again: there may be more to come."""
        self._response.close()
        self._response.release_conn()


def follow(
    pool: Any, url: str, headers: Any, *, seconds: float, most: int, goes_on: Callable[[], bool]
) -> ApiResponse | Lines:
    """The answer to a GET that the server goes on answering: its lines of at most `most` bytes; as a whole where it is no success.

    `seconds` bound the silence between two parts, and five times as many the whole answer. `goes_on` is asked after each part whether
    the answer may still go on.

    :raises NotSent: or `Lost`, `OversizedApiResponse`, `Unusable`, `BrokenConnection`.
    """
    try:
        response = _sent(pool, "GET", url, headers, None, seconds=seconds)
        return Lines(response, most, goes_on) if 200 <= response.status < 300 else _whole(response, most)
    except _TransportError:
        raise
    except Exception as error:
        raise _meaning(error) from None


def _sent(pool: Any, method: str, url: str, headers: Any, body: bytes | None, *, seconds: float) -> Any:
    # It only sends: request() would copy the headers on the way.
    with answered_within(_READS * seconds):
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


def _whole(response: Any, most: int) -> ApiResponse:
    data = _read(response, most + 1)
    if len(data) > most:
        response.close()
        raise OversizedApiResponse
    response.release_conn()
    return ApiResponse(response.status, data, response.headers.get("Retry-After"), response.headers.get("Location"))


def _read(response: Any, most: int) -> bytes:
    """Its body as it was sent, up to `most` bytes. That it was cut shows only when one goes on reading."""
    parts: list[bytes] = []
    while most > 0 and (part := response.read(most, decode_content=False)):
        parts.append(part)
        most -= len(part)
    return b"".join(parts)


def _meaning(error: Exception) -> _TransportError:
    exceptions, inner = urllib3.exceptions, _innermost(error)
    if isinstance(error, (exceptions.NewConnectionError, exceptions.ConnectTimeoutError, exceptions.ProxyError)):
        return NotSent(_cause(inner))
    if isinstance(error, exceptions.SSLError) and not isinstance(inner, _CUT):
        reason = _cause(inner)
        return Unusable(f"{reason}; {_way_to_tls(reason.lower())}")
    if isinstance(error, ValueError):
        # It quotes the address or the header, and with it the login.
        return Unusable("the address or the login has characters that HTTP cannot send; remove line ends and the like")
    if isinstance(error, (exceptions.HTTPError, OSError)):
        return Lost(_cause(inner))
    return BrokenConnection(f"the HTTP library failed with {type(inner).__name__}")


def _way_to_tls(reason: str) -> str:
    """What to do about a handshake that failed for OpenSSL's reason, or urllib3's. An alert is what the server says of us."""
    if "mismatch" in reason or "doesn't match" in reason:
        return "give the cluster by a name or address that the certificate holds, in 'host' or as 'server' in the kubeconfig"
    if "alert" not in reason and ("certificate" in reason or "hostname" in reason):
        return "give the cluster's certificate authority in 'ca_cert' or the kubeconfig"
    if "certificate" in reason or "unknown ca" in reason:
        return "the server refuses the client's certificate: give one that it trusts in 'client_cert' and 'client_key'"
    if "wrong version number" in reason or "http request" in reason:
        return "no TLS is spoken there: check the scheme and the port of the address"
    return "client and server could not agree on a TLS connection: check the address, and what stands between them"


def _innermost(error: BaseException) -> BaseException:
    """The error that urllib3 wraps, several times, as a cause or an argument, with object addresses."""
    seen = {id(error)}
    while inner := error.__cause__ or next((part for part in error.args if isinstance(part, BaseException)), None):
        if id(inner) in seen:
            break
        seen.add(id(inner))
        error = inner
    return error


def _cause(error: BaseException) -> str:
    """The reason in words."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return one_line(_NOISE.sub("", str(text))).rstrip(".")
