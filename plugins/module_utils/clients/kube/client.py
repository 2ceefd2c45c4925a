# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests to one API server: reading, listing, writing. Every write goes through `Cluster.write`."""

from __future__ import annotations

import json
import random
import re
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, urlencode

from ...core.changes import Change
from ...core.errors import ImagePullError
from ...core.objects import Json, Kind, ObjectRef
from .connection import Connection, urllib3
from .errors import ApiError, ClusterError, ConnectError, Expired, NotFound, Unanswered, Unauthorized, api_error
from .health import Health

__all__ = ["Cluster"]

#: One page of a list. Large enough for one request in most clusters, small enough to keep memory flat in the largest.
_PAGE = 1000
_TIMEOUT_SECONDS = 60.0
_LIST_RESTARTS = 3
#: The same request is repeated for this long, from its first failure on.
_PATIENCE_SECONDS = 30.0
#: TLS's words for a connection that was cut; its other errors are about certificates.
_CUT = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)
_VERBS = {"create": "POST", "update": "PATCH", "delete": "DELETE"}
_CONTENT_TYPES = {"PATCH": "application/merge-patch+json"}


@dataclass(frozen=True, repr=False)
class _Request:
    """One request. `attempt` says in words what is tried, `resource` on which kind, `name` on which object that is there."""

    method: str
    path: str
    attempt: str
    resource: str = ""
    name: str = ""
    query: Mapping[str, str] = field(default_factory=dict)
    body: Json | None = None

    @property
    def target(self) -> str:
        given = {name: value for name, value in self.query.items() if value}
        return self.path + (f"?{urlencode(given)}" if given else "")


class Cluster:
    """One API server as one caller sees it. Safe to use from several threads."""

    def __init__(
        self,
        connection: Connection,
        user_agent: str,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connection = connection
        self._sleep = sleep
        self._now = now
        self._user_agent = user_agent
        self._lock = threading.Lock()
        self._health = Health(now)
        #: How many requests had to be repeated.
        self.retries = 0

    def close(self) -> None:
        """From now on every request, also one of a thread still at work, raises `ClusterError` without being sent."""
        with suppress(ClusterError):
            self._health.stop(ClusterError(f"stopped: the task has ended, so nothing more is sent to {self.name}"))

    @property
    def name(self) -> str:
        """How the cluster is called in messages: its API server's URL."""
        return self._connection.host

    def get(self, ref: ObjectRef) -> Json | None:
        """The object, or None when it does not exist.

        :raises ApiError: when it may not be read; `ConnectError`, `Unanswered` when nobody answers.
        """
        try:
            return self._request(_Request("GET", _path(ref), f"reading {ref}", ref.kind.resource, ref.name))
        except NotFound:
            return None

    def list(
        self, kind: Kind, *, namespace: str = "", field_selector: str = "", label_selector: str = ""
    ) -> Iterator[Json]:
        """All objects of a kind in one namespace or, without one, in the cluster; read page by page.

        When the server has forgotten the list before its last page, it is read again from the start: an object may then
        come twice, the newer state last.
        """
        query = {"fieldSelector": field_selector, "labelSelector": label_selector, "limit": str(_PAGE)}
        where = f"in namespace {namespace}" if namespace else "in all namespaces"
        request = _Request("GET", _collection(kind, namespace), f"listing {kind.resource} {where}", kind.resource)
        token, restarts = "", 0
        while True:
            try:
                page = self._request(replace(request, query={**query, "continue": token}))
            except Expired:
                restarts += 1
                if restarts > _LIST_RESTARTS:
                    raise
                token = ""
                continue
            yield from page.get("items") or []
            token = (page.get("metadata") or {}).get("continue") or ""
            if not token:
                return

    def get_path(self, path: str) -> Json:
        """What stands under a path that is no object, such as `/apis`."""
        return self._request(_Request("GET", path, f"reading {path}"))

    def review(self, kind: Kind, spec: Json, about: str) -> Json:
        """The status of a review: a question that is sent as an object and answered, and stored nowhere.

        :raises Forbidden: when the caller may not ask it.
        """
        body = {"apiVersion": kind.api_version, "kind": kind.kind, "spec": spec}
        request = _Request("POST", _collection(kind, ""), f"asking whether {about}", kind.resource, body=body)
        return self._request(request).get("status") or {}

    def write(self, change: Change, *, dry_run: bool = False) -> Json | None:
        """Carries out one change; returns the object as it now is, None once deleted. `dry_run`: the server only judges it.

        :raises Conflict: when the object is no longer the one that was planned for; `AlreadyExists`, `NotFound` and the
            other `ApiError` likewise; `Unanswered` when it may or may not have been carried out.
        """
        method = _VERBS[change.action]
        ref = change.ref
        path = _collection(ref.kind, ref.namespace) if change.action == "create" else _path(ref)
        attempt = {"create": "creating", "update": "updating", "delete": "deleting"}[change.action]
        name, query = "" if change.action == "create" else ref.name, {"dryRun": "All"} if dry_run else {}
        request = _Request(method, path, f"{attempt} {ref}", ref.kind.resource, name, query, change.body)
        answer = self._request(request)
        return None if change.action == "delete" else answer

    def _request(self, request: _Request) -> Json:
        """Sends a request; repeats it, with growing pauses and for a while, where that is safe."""
        request = replace(request, attempt=f"{request.attempt} on {self.name}")
        given_up_at, pause = float("inf"), 0.1
        while True:
            try:
                return self._logged_in(request)
            except (ApiError, Unanswered, _Unsent) as error:
                asked = self._asked_to_wait(request, error)
                given_up_at = min(given_up_at, self._now() + _PATIENCE_SECONDS)
                if asked is None or self._now() + asked > given_up_at:
                    raise
            with self._lock:
                self.retries += 1
            self._sleep(max(asked, pause) * random.uniform(1.0, 1.25))
            pause = min(pause * 2, 5.0)

    def _asked_to_wait(self, request: _Request, error: ImagePullError) -> float | None:
        """Seconds that the server asks to wait at least before the same request; None when it must not be repeated."""
        if isinstance(error, ApiError):
            return error.retry_after if error.status in (429, 503) else None
        if isinstance(error, _Unsent):
            return 0.0
        # A read is repeated; whether a write happened is for the caller to find out.
        return 0.0 if request.method == "GET" else None

    def _logged_in(self, request: _Request) -> Json:
        """Sends a request with the login, once more with a renewed one when that is refused."""
        try:
            login = self._connection.headers()
            try:
                return self._exchange(request, login)
            except Unauthorized:
                if not self._connection.renew(login):
                    raise
            return self._exchange(request, self._connection.headers())
        except ClusterError as error:
            if error.unanswered:
                raise
            self._health.stop(error)

    def _exchange(self, request: _Request, login: Any) -> Json:
        self._health.check()
        since = self._now()
        try:
            response = self._send(request, login)
            self._health.reached = True
            if response.status < 500:
                self._health.healthy()
            else:
                since = self._now()
            return _answer(response, request)
        except _Unsent as error:
            if not self._health.reached:
                raise ConnectError(str(error)) from None
            self._check_patience(request, error, since)
            raise
        except (ApiError, Unanswered) as error:
            if isinstance(error, Unanswered) or error.status >= 500:
                self._check_patience(request, error, since)
            raise

    def _check_patience(self, request: _Request, error: ImagePullError, since: float) -> None:
        """After a request without a healthy answer.

        :raises ClusterError: when the cluster has given none to any request for too long, or nothing may be sent any more.
        """
        silent = self._health.unhealthy(since)
        if not silent and not self._health.is_open:
            return
        kind = ConnectError if isinstance(error, _Unsent) else ClusterError
        try:
            self._health.stop(
                kind(f"{self.name} has answered no request properly for {silent:.0f} s; the last was this: {error}")
            )
        except ClusterError as failure:
            if isinstance(error, Unanswered) and request.method != "GET":
                lost = type(failure)(f"{failure}; {request.attempt} got no answer and may have been carried out")
                lost.unanswered = True
                raise lost from None
            raise

    def _send(self, request: _Request, login: Any) -> Any:
        attempt = request.attempt
        # Not a copy: the login must be known again when it is refused.
        login.update({"Accept": "application/json", "User-Agent": self._user_agent})
        content = None
        if request.body is not None:
            login["Content-Type"] = _CONTENT_TYPES.get(request.method, "application/json")
            content = json.dumps(request.body).encode("utf-8")
        try:
            # It only sends: request() would copy the headers on the way.
            return self._connection.pool.request_encode_url(
                request.method,
                self.name + request.target,
                body=content,
                headers=login,
                timeout=_TIMEOUT_SECONDS,
                retries=False,
                redirect=False,
            )
        except _unsent() as error:
            raise _Unsent(f"{attempt} failed: {_cause(error)}; check the address, the network and the proxy") from None
        except (urllib3.exceptions.HTTPError, OSError) as error:
            inner = _innermost(error)
            if isinstance(inner, ssl.SSLError) and not isinstance(inner, _CUT):
                raise ConnectError(
                    f"{attempt} failed: {_cause(error)}; give the cluster's CA in 'ca_cert' or kubeconfig"
                ) from None
            raise Unanswered(
                f"{attempt} got no answer: {_cause(error)}; it may have been carried out: run again"
            ) from None
        except ValueError:
            # The error quotes the header, and with it the token.
            raise ConnectError(
                f"{attempt} failed: no header can hold that login; remove line ends and unusual characters from it"
            ) from None


class _Unsent(ImagePullError):
    """The request has certainly not been sent."""


def _unsent() -> tuple[type[Exception], ...]:
    """The failures after which the request has certainly not been carried out."""
    exceptions = urllib3.exceptions
    return exceptions.NewConnectionError, exceptions.ConnectTimeoutError, exceptions.ProxyError


def _answer(response: Any, request: _Request) -> Json:
    attempt, status = request.attempt, response.status
    if status == 401:
        raise Unauthorized(str(api_error(attempt, status, response.data)))
    if not 200 <= status < 300:
        wait = response.headers.get("Retry-After")
        error = api_error(
            attempt, status, response.data, resource=request.resource, name=request.name, retry_after=wait
        )
        if status >= 500 and not (status == 503 and error.retry_after is not None):
            # A webhook, etcd or a proxy failed somewhere on the way; only a server that says when to come again did nothing.
            raise Unanswered(str(error))
        raise error
    try:
        answer: Json = json.loads(response.data)
    except ValueError:
        raise ApiError(
            f"{attempt} was answered with something that is not JSON; check the address and the proxy"
        ) from None
    return answer


def _innermost(error: BaseException) -> BaseException:
    """The error that urllib3 wraps, several times, as a cause or an argument, with object addresses."""
    while inner := error.__cause__ or next((part for part in error.args if isinstance(part, BaseException)), None):
        error = inner
    return error


def _cause(error: BaseException) -> str:
    """The innermost reason in words."""
    error = _innermost(error)
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return re.sub(r"\[SSL[^]]*\] | \(_ssl\.c:\d+\)", "", text)


def _collection(kind: Kind, namespace: str) -> str:
    root = "/api" if "/" not in kind.api_version else "/apis"
    scope = f"/namespaces/{quote(namespace, safe='')}" if namespace else ""
    return f"{root}/{kind.api_version}{scope}/{kind.resource}"


def _path(ref: ObjectRef) -> str:
    return f"{_collection(ref.kind, ref.namespace)}/{quote(ref.name, safe='')}"
