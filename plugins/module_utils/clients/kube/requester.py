# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sends requests to one API server: with a login that is renewed, repeated if that is safe, and none after the cluster has failed.

A response is read as a whole, or line by line while the server continues it.
"""

from __future__ import annotations

import base64
import json
import random
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from ...core.errors import ImagePullError, MissingPermission
from ...core.objects import Json, as_dict, as_str
from ...core.redaction import credentials_in_text, mask
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
from .connection import Connection
from .errors import (
    NO_API_SERVER,
    ApiError,
    ClusterError,
    ConnectError,
    FailedRequest,
    Forbidden,
    NoApiServer,
    NotFound,
    Unanswered,
    Unauthorized,
    UnknownResource,
    one_line,
)
from .login import forms_of

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


#: Seconds for which a request is repeated after its first failure. A request is not repeated if the server asks for a longer pause.
_REPEAT_SECONDS = 30.0
#: Timeout, in seconds, of the last request before the cluster is given up.
_PROBE_SECONDS = 5.0
_LONGEST_PAUSE_SECONDS = 5.0
#: Maximum size of a line of a continuing response, in bytes. An object's metadata has less than 2 MB.
_MOST_LINE = 8 * 1024 * 1024
_CONTENT_TYPES = {"PATCH": "application/merge-patch+json"}


@dataclass(frozen=True, repr=False)
class ApiRequest:
    """One request.

    `attempt` describes the request and the cluster in messages. `resource` is the kind and `name` the existing object that it is about.
    `writes`: whether it changes an object, so that it must not simply be sent twice. `is_shortcut`: a refusal only causes more requests.
    `accept` is the media type of the response. `seconds` is a timeout. A request with one is never repeated.
    """

    method: str
    path: str
    attempt: str
    resource: str = ""
    name: str = ""
    query: Mapping[str, str] = field(default_factory=dict)
    body: Json | None = None
    writes: bool = False
    is_shortcut: bool = False
    accept: str = "application/json"
    seconds: float | None = None

    @property
    def target(self) -> str:
        given = {name: value for name, value in self.query.items() if value}
        return self.path + (f"?{urlencode(given, errors='replace')}" if given else "")


class OversizedPage(ApiError):
    """The response is larger than allowed."""


class _Unsent(Unanswered):
    """There was no response, and nothing can have been carried out. The same request may be sent again."""


class ApiStream:
    """A continuing response, line by line."""

    def __init__(self, request: ApiRequest, login: Mapping[str, str], lines: Lines) -> None:
        self._request, self._login, self._lines = request, login, lines

    def __iter__(self) -> Iterator[bytes]:
        """Yield each line as soon as it is complete.

        :raises Unanswered: if the connection breaks, hangs or ends in the middle.
        """
        try:
            yield from self._lines
        except TransportError as error:
            raise _error_from_failure(self._request, self._login, error) from None

    def error(self, status: int, body: bytes) -> ImagePullError:
        """Return the error for a failure that the server reports in the response."""
        return _error_from_answer(self._request, self._login, HttpResponse(status, [], body))


class Requester:
    """Sends the requests of one caller. It can be used from several threads.

    After a request has failed because of the whole cluster (`ClusterError`), every later request raises the same error without being
    sent. `retries` is the number of repeated requests. `needs` are the missing permissions, except those to list objects in all
    namespaces: the objects are then read in each namespace.
    """

    def __init__(
        self, connection: Connection, user_agent: str, sleep: Callable[[float], None], now: Callable[[], float]
    ) -> None:
        self.retries = 0
        self.needs: set[MissingPermission] = set()
        self._connection = connection
        self._user_agent = user_agent
        self._sleep = sleep
        self._now = now
        self._lock = threading.Lock()
        self._health = Health(now)
        #: Whether writes are forbidden.
        self.is_read_only = False
        #: Whether an API server has answered.
        self.is_known = False

    def forbid_writes(self) -> None:
        """Make every later request that changes an object raise an error without being sent."""
        self.is_read_only = True

    def foreign_response(self, error: ApiError) -> ImagePullError:
        """Return the error for a response that is not from an API server. It ends all requests, unless an API server has answered before."""
        return error if self.is_known else self._health.stop(ConnectError(str(error)))

    def stop(self, error: ClusterError) -> None:
        """Make every later request, including those of running threads, raise the error without being sent."""
        self._health.stop(error)

    def send(self, request: ApiRequest) -> HttpResponse:
        """Return the response to a request, with a status of 2xx. Repeat it with growing pauses for a limited time, if that is safe.

        :raises ClusterError: always the first one of this cluster. `ApiError` if the request is refused, `Unanswered` if there is no
            response. `ImagePullError` for a write, if writes are forbidden.
        """
        if request.writes and self.is_read_only:
            raise ImagePullError(
                f"{request.attempt} was refused, because this task only reads. Please report this error"
            )
        given_up_at, pause = float("inf"), 0.1
        while True:
            try:
                answer: HttpResponse = self._send_with_login(request, self._send)[0]
                return answer
            except (ApiError, Unanswered) as error:
                asked = _retry_delay(request, error)
                given_up_at = min(given_up_at, self._now() + _REPEAT_SECONDS)
                # The last attempt comes after that time. It shows whether the cluster fails, or only this request.
                if asked is None or self._now() >= given_up_at:
                    raise
            with self._lock:
                self.retries += 1
            self._sleep(max(asked, pause) * random.uniform(1.0, 1.25))
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)

    @contextmanager
    def stream(self, request: ApiRequest, seconds: float) -> Iterator[ApiStream]:
        """Yield the continuing response to a request, which may last for that number of seconds. Errors are those of `send`."""
        ends_at = self._now() + seconds

        def begin(request: ApiRequest, headers: Any) -> Any:
            return stream_lines(
                self._connection.pool,
                self._connection.host + request.target,
                headers,
                seconds=seconds,
                most=_MOST_LINE,
                goes_on=lambda: self._now() < ends_at,
            )

        lines, login = self._send_with_login(request, begin)
        try:
            yield ApiStream(request, login, lines)
        finally:
            lines.close()

    def _send_with_login(self, request: ApiRequest, send: Callable[[ApiRequest, Any], Any]) -> tuple[Any, Any]:
        """The result of `send` for one attempt, and its login. If the login is refused, it is renewed, and the request sent once more."""
        try:
            self._health.check()
            login = self._connection.headers()
            try:
                return self._exchange(request, login, send), login
            except Unauthorized as error:
                if error.status != 401 or not self._connection.renew(login):
                    raise
            login = self._connection.headers()
            return self._exchange(request, login, send), login
        except NoApiServer as error:
            raise self.foreign_response(error) from None
        except (Forbidden, NotFound) as error:
            # A foreign server has no such kind.
            self.is_known = self.is_known or not isinstance(error, UnknownResource)
            raise
        except ClusterError as error:
            failure = self._health.stop(error)
            if error.unanswered:
                failure = type(failure)(f"{failure}. This may have been carried out: {request.attempt}")
                failure.unanswered = True
            raise failure from None

    def _exchange(self, request: ApiRequest, login: Any, send: Callable[[ApiRequest, Any], Any]) -> Any:
        """The result of `send` with these headers, which is a response with a status of 2xx, or its lines.

        :raises ClusterError: also if the cluster has not given a healthy response to any request for too long.
        """
        self._health.check()
        since = self._now()
        # Not a copy: the connection must recognize the login if it is refused.
        login.update({"User-Agent": self._user_agent, "Accept": request.accept})
        try:
            try:
                answer = send(request, login)
            except TransportError as error:
                raise _error_from_failure(request, login, error) from None
            if isinstance(answer, Lines) or answer.status < 500:
                self._health.healthy()
            else:
                # The server responded, although perhaps late.
                self._health.reached, since = True, self._now()
            if isinstance(answer, Lines) or 200 <= answer.status < 300:
                return answer
            raise _error_from_answer(request, login, answer)
        except Forbidden as error:
            if error.need is not None and not request.is_shortcut:
                self.needs.add(error.need)
            raise
        except (Unanswered, ApiError) as error:
            if isinstance(error, Unanswered) or error.status >= 500:
                self._check_patience(request, error, since)
            raise

    def _send(self, request: ApiRequest, headers: Any) -> HttpResponse:
        body = None
        if request.body is not None:
            headers["Content-Type"] = _CONTENT_TYPES.get(request.method, "application/json")
            body = json.dumps(request.body).encode("utf-8")
        pool, url = self._connection.pool, self._connection.host + request.target
        return send_api_request(pool, request.method, url, headers, body, seconds=request.seconds)

    def _check_patience(self, request: ApiRequest, error: Unanswered | ApiError, since: float) -> None:
        """Decide, after a request without a healthy response, whether the cluster has failed.

        :raises ClusterError: if the cluster has not given a healthy response to any request for too long, or no more requests are allowed.
        """
        unsent = isinstance(error, _Unsent)
        if unsent and not self._health.reached:
            raise ConnectError(str(error))
        silent = self._health.unhealthy(since)
        if silent and not self._health.is_stopped and self._is_up():
            return
        if silent or self._health.is_stopped:
            what = error.what if isinstance(error, Unanswered) else str(error)
            failure = (ConnectError if unsent else ClusterError)(
                f"no request to {self._connection.host} succeeded for {silent:.0f} s, so no further requests are sent. The last "
                f"failure: {what}. Check the API server, the network and the proxy"
            )
            failure.unanswered = request.writes and isinstance(error, Unanswered) and not unsent
            raise failure

    def _is_up(self) -> bool:
        """Whether the API server reports that it is ready. Then only one object cannot be read, and the cluster has not failed.

        Unlike version and liveness, readiness includes the store and the encryption. Every caller is allowed to ask for it.
        """
        request = ApiRequest("GET", "/readyz", "asking whether it is ready", seconds=_PROBE_SECONDS)
        try:
            headers = self._connection.headers()
            headers.update({"User-Agent": self._user_agent, "Accept": request.accept})
            answer = self._send(request, headers)
        except (ImagePullError, TransportError):
            return False
        if answer.status >= 500:
            return False
        self._health.healthy()
        return True


def unintelligible_error(request: ApiRequest, what: str, kind: type[ApiError] = ApiError) -> ApiError:
    """Return the error for a response that no API server sends. `what` describes the response."""
    doubt = ". It may have been carried out" if request.writes else ""
    advice = NO_API_SERVER if kind is NoApiServer else "Check the address and the proxy"
    return kind(f"{request.attempt} returned {what}. {advice}{doubt}")


def _retry_delay(request: ApiRequest, error: ImagePullError) -> float | None:
    """The minimum number of seconds to wait before the request is repeated, or None if it must not be repeated."""
    if request.seconds is not None:
        return None
    if isinstance(error, ApiError):
        # The server did nothing. Proxies do not say how long to wait.
        asked = error.retry_after or 0.0
        return asked if error.status in (429, 503) and asked <= _REPEAT_SECONDS else None
    # A read is repeated. The caller finds out whether a write happened.
    return None if request.writes and not isinstance(error, _Unsent) else 0.0


def _error_from_failure(request: ApiRequest, login: Mapping[str, str], error: TransportError) -> ImagePullError:
    """The error of the request for an error of the transport."""
    attempt, text = request.attempt, mask(str(error), forms_of(login.get("Authorization", "")))
    if isinstance(error, NotSent):
        usual = "Check host and port in 'host' or the kubeconfig ('oc whoami --show-server' prints them), the network, and 'proxy' or 'no_proxy'"
        of_proxy = "Correct 'proxy', or add the host of the API server to 'no_proxy'"
        return _Unsent(f"{attempt} failed: {text}", of_proxy if text.startswith(NO_PROXY) else usual)
    if isinstance(error, Unusable):
        return ConnectError(f"{attempt} failed: {text}")
    if isinstance(error, OversizedApiResponse):
        return unintelligible_error(request, "more than any API server sends", OversizedPage)
    if isinstance(error, BrokenConnection):
        return Unanswered(f"{attempt} failed: {text}", "Please report it")
    way_out = "It may have been carried out: run again" if request.writes else "Check the API server"
    return Unanswered(f"{attempt} got no response: {text}", way_out)


def _error_from_answer(request: ApiRequest, login: Mapping[str, str], answer: HttpResponse) -> ImagePullError:
    sent = [*_contents(request)]
    return FailedRequest(
        attempt=request.attempt,
        status=answer.status,
        body=answer.body,
        resource=request.resource,
        name=request.name,
        label_selector=request.query.get("labelSelector", ""),
        writes=request.writes,
        retry_after=answer.header("Retry-After"),
        location=answer.header("Location"),
        hidden=forms_of(login.get("Authorization", "")).union(*map(credentials_in_text, sent)),
        sent=sent,
    ).error()


def _contents(request: ApiRequest) -> Iterator[str]:
    """The values of a secret that is written, encoded and decoded. They also have the logins of others, which no option gives."""
    values = as_dict(as_dict(request.body).get("data")).values() if request.resource == "secrets" else ()
    for value in filter(None, map(as_str, values)):
        yield value
        with suppress(ValueError):
            yield base64.b64decode(value).decode("utf-8", "surrogateescape")
