# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sends requests to one API server: with a login that is renewed, repeated if that is safe, and none after the cluster has failed."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from ...core.errors import ImagePullError, MissingPermission
from ...core.objects import Json
from ...core.redaction import mask
from ..https.exchange import HttpResponse
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
)
from .login import forms_of
from .transport import (
    NO_PROXY,
    BrokenConnection,
    Health,
    Lines,
    NotSent,
    OversizedApiResponse,
    TransportError,
    Unusable,
    send_api_request,
    stream_lines,
)

__all__ = ["ApiRequest", "ApiStream", "OversizedPage", "Requester", "unintelligible_error"]

#: Seconds for which a request is repeated after its first failure. A request is not repeated if the server asks for a longer pause.
_PATIENCE_SECONDS = 30.0
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
                given_up_at = min(given_up_at, self._now() + _PATIENCE_SECONDS)
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
        return asked if error.status in (429, 503) and asked <= _PATIENCE_SECONDS else None
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
        hidden=forms_of(login.get("Authorization", "")),
    ).error()
