# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads, lists and writes objects of one API server. `Cluster.write` makes all writes."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from ...core.changes import Change
from ...core.errors import ImagePullError
from ...core.json_types import as_int
from ...core.objects import Json, Kind, ObjectRef
from ...core.permissions import MissingPermission
from ...core.redaction import mask
from ..https.exchange import HttpResponse
from . import responses
from .connection import Connection
from .credential import forms_of
from .errors import (
    ApiError,
    ClusterError,
    ConnectError,
    Expired,
    FailedRequest,
    Forbidden,
    NotFound,
    Unanswered,
    Unauthorized,
    UnknownResource,
)
from .health import Health
from .responses import WatchEvent
from .transport import (
    BrokenConnection,
    Lines,
    Lost,
    NotSent,
    OversizedApiResponse,
    Unusable,
    send_api_request,
    stream_lines,
)

__all__ = ["Cluster", "MetadataList"]

#: Objects per page of a list: enough for one request in most clusters, and few enough to limit memory in the largest.
_PAGE = 1000
#: Maximum number of pages of a list. No cluster has that many objects, so a longer list is not from an API server.
_MOST_PAGES = 10_000
#: Maximum number of times that a list is read from its start, because the API server has lost it.
_LIST_PASSES = 4
#: Seconds for which a request is repeated after its first failure. A request is not repeated if the server asks for a longer pause.
_PATIENCE_SECONDS = 30.0
#: Timeout, in seconds, of the last request before the cluster is given up.
_PROBE_SECONDS = 5.0
_LONGEST_PAUSE_SECONDS = 5.0
#: Maximum size of a line of a watch, in bytes. An object's metadata has less than 2 MB.
_MOST_LINE = 8 * 1024 * 1024
#: Maximum number of seconds by which the API server may end a watch late.
_GRACE_SECONDS = 30.0
_Read = TypeVar("_Read")
_VERBS = {"create": "POST", "update": "PATCH", "delete": "DELETE"}
_WORDS = {"create": "creating", "update": "updating", "delete": "deleting"}
_CONTENT_TYPES = {"PATCH": "application/merge-patch+json"}


@dataclass(frozen=True, repr=False)
class _Request:
    """One request.

    `attempt` describes the request in messages. `resource` is the kind and `name` the existing object that it is about. `writes`:
    whether it changes an object, so that it must not simply be sent twice. `is_shortcut`: a refusal only causes more requests. `accept`
    is the media type of the response. `seconds` is a timeout. A request with one is never repeated.
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


@dataclass(frozen=True)
class MetadataList:
    """The metadata of all objects of a kind at `version`, from which a watch can continue."""

    items: Sequence[Any]
    version: str


class Cluster:
    """A client of one API server for one caller. It can be used from several threads.

    After a request has failed because of the whole cluster (`ClusterError`), every later request raises the same error without being
    sent.
    """

    def __init__(
        self,
        connection: Connection,
        user_agent: str,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connection = connection
        self._headers = {"User-Agent": user_agent}
        self._sleep = sleep
        self._now = now
        self._lock = threading.Lock()
        self._health = Health(now)
        #: Number of repeated requests.
        self.retries = 0
        #: The missing permissions, except those to list objects in all namespaces: the objects are then read in each namespace.
        self.needs: set[MissingPermission] = set()

    @property
    def name(self) -> str:
        """Return the name of the cluster in messages: the URL of its API server."""
        return self._connection.host

    @property
    def authority(self) -> bytes:
        """Return the trusted certificate authorities in PEM format. Empty for those of the system.

        :raises ConnectError: if their file can no longer be read.
        """
        return self._connection.authority

    def close(self) -> None:
        """Make every later request, including those of running threads, raise `ClusterError` without being sent."""
        self._health.stop(ClusterError(f"stopped: the task has ended, so no further request is sent to {self.name}"))

    def forgive(self, refusal: Forbidden) -> None:
        """Remove a permission from the missing ones, because the data could be read in another way."""
        self.needs.difference_update([refusal.need] if refusal.need else [])

    def get(self, ref: ObjectRef) -> Json | None:
        """Return the object, or None if it does not exist.

        :raises ApiError: if it cannot be read. `ClusterError` or `Unanswered` if there is no response.
        """
        request = _Request("GET", _path(ref), f"reading {ref}", ref.kind.resource, ref.name)
        try:
            return self._parse(request, lambda answer: responses.parse_object(answer, ref))
        except UnknownResource:
            raise
        except NotFound:
            return None

    def list(
        self,
        kind: Kind,
        *,
        namespace: str = "",
        field_selector: str = "",
        label_selector: str = "",
        keep: Callable[[Json], Json | None] | None = None,
    ) -> Iterator[Json]:
        """Yield all objects of a kind in one namespace or, without one, in the cluster, each once.

        The API server sends a list in pages and may lose it before the last page. The list is then read again from the start, and
        earlier pages are dropped. So nothing is yielded before the last page has arrived. Until then, the values that `keep`
        returns for each object are held in memory. Objects for which it returns None are dropped. By default, `keep` returns
        the object without its `managedFields`.

        :raises ApiError: if the list cannot be read, if the server keeps losing it, or if the response is not a list.
        """
        query = {"fieldSelector": field_selector, "labelSelector": label_selector, "limit": str(_PAGE)}
        where = f"in namespace {namespace}" if namespace else "in all namespaces"
        attempt, path = f"listing {kind.resource} {where}", _collection(kind, namespace)
        shortcut = kind.namespaced and not namespace
        request = _Request("GET", path, attempt, kind.resource, query=query, is_shortcut=shortcut)
        kept = self._list_with_retry(
            request, lambda answer: responses.parse_page(answer, kind, namespace), kind, keep or _drop_managed_fields
        )
        yield from kept.items

    def survey(
        self, kind: Kind, *, label_selector: str = "", keep: Callable[[Json], Any], seconds: float | None = None
    ) -> MetadataList:
        """Return the values of `keep` for the metadata of each object of a kind in the cluster. Only the metadata is requested.

        `seconds` is the timeout of each request, which is then not repeated.

        :raises ApiError: if the list cannot be read, or the server sends more than the metadata.
        """
        query = {"labelSelector": label_selector, "limit": str(_PAGE)}
        attempt = f"listing the metadata of {kind.resource} in all namespaces"
        path = _collection(kind, "")
        request = _Request(
            "GET", path, attempt, kind.resource, query=query, accept=responses.METADATA_LIST, seconds=seconds
        )
        return self._list_with_retry(request, lambda answer: responses.parse_metadata_page(answer, kind), kind, keep)

    @contextmanager
    def watch(
        self, kind: Kind, version: str, *, label_selector: str = "", seconds: int
    ) -> Iterator[Iterator[WatchEvent]]:
        """Watch the changes of the metadata of a kind's objects after `version`, for that number of seconds.

        The block begins when the API server has accepted the watch. The server regularly reports the current version (`BOOKMARK`), from
        which a later watch can continue.

        :raises Expired: if the API server no longer has the changes since `version`. List the objects again.
            `Unanswered` if the connection breaks, hangs or ends in the middle.
        """
        query = {
            "labelSelector": label_selector,
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": version,
            "timeoutSeconds": str(seconds),
        }
        attempt = f"watching the metadata of {kind.resource} in all namespaces on {self.name}"
        path = _collection(kind, "")
        request = _Request("GET", path, attempt, kind.resource, query=query, accept=responses.METADATA)
        ends_at = self._now() + seconds + _GRACE_SECONDS

        def begin(login: Any) -> tuple[Lines, Any]:
            return self._open_stream(request, login, seconds + _GRACE_SECONDS, lambda: self._now() < ends_at), login

        lines, login = self._with_login(request, begin)
        try:
            yield self._events(request, login, kind, lines)
        finally:
            lines.close()

    def get_path(self, path: str) -> Json:
        """Return the JSON object under a path that is not an object of the cluster, such as `/apis`."""
        return self._parse(_Request("GET", path, f"reading {path}"), responses.require_object)

    def token(self, account: ObjectRef, seconds: int) -> responses.Token:
        """Create and return a token of a service account. The server does not store it, and may choose another lifetime than `seconds`.

        :raises ApiError: if there is no token.
        """
        spec = {"expirationSeconds": seconds}
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
        attempt = f"asking for a token of {account}"
        request = _Request("POST", f"{_path(account)}/token", attempt, "serviceaccounts", account.name, body=body)
        return self._parse(request, responses.parse_token)

    def review(self, kind: Kind, spec: Json, about: str) -> Json:
        """Return the status of a review: a question in the form of an object, which the server answers and does not store.

        :raises Forbidden: if the caller is not allowed to ask it.
        """
        body = {"apiVersion": kind.api_version, "kind": kind.kind, "spec": spec}
        request = _Request("POST", _collection(kind, ""), f"asking whether {about}", kind.resource, body=body)
        return self._parse(
            request, lambda answer: responses.require_object(responses.require_object(answer).get("status"))
        )

    def write(self, change: Change, *, dry_run: bool = False) -> Json | None:
        """Carry out one change. Return the object after it, or None after a deletion. `dry_run`: the server only checks the change.

        :raises Conflict: if the object has changed since the change was planned. `AlreadyExists`, `NotFound` and the
            other `ApiError` have their own meaning. `Unanswered`, or `ClusterError` with `unanswered`, if it may have been
            carried out.
        """
        ref, creates = change.ref, change.action == "create"
        request = _Request(
            _VERBS[change.action],
            _collection(ref.kind, ref.namespace) if creates else _path(ref),
            f"{_WORDS[change.action]} {ref}",
            ref.kind.resource,
            "" if creates else ref.name,
            {"dryRun": "All"} if dry_run else {},
            change.body,
            writes=not dry_run,
        )
        if change.action == "delete":
            self._parse(request, lambda answer: responses.check_deletion(answer, ref))
            return None
        return self._parse(request, lambda answer: responses.parse_object(answer, ref))

    def _list_with_retry(
        self,
        request: _Request,
        read: Callable[[Any], responses.Page],
        kind: Kind,
        keep: Callable[[Json], Any],
    ) -> MetadataList:
        for _pass in range(_LIST_PASSES):
            with suppress(Expired):
                return self._read_pages(request, read, kind, keep)
        raise Expired(
            f"{request.attempt} on {self.name} failed: the API server dropped the list before its last page {_LIST_PASSES} times in a "
            "row. Run again when it is less busy"
        )

    def _read_pages(
        self,
        request: _Request,
        read: Callable[[Any], responses.Page],
        kind: Kind,
        keep: Callable[[Json], Any],
    ) -> MetadataList:
        """Read the list from the first page to the last. If an object occurs twice, the later state counts."""
        kept: dict[tuple[str, str], Any] = {}
        token, seen, limit = "", {""}, _PAGE
        while True:
            part = replace(request, query={**request.query, "limit": str(limit), "continue": token})
            try:
                page = self._parse(part, read)
            except _OversizedPage:
                # Users choose the size of their objects, which must not prevent reading the objects of others.
                if limit == 1:
                    raise
                limit //= 10
                continue
            kept.update(
                ((item["metadata"]["namespace"] if kind.namespaced else "", item["metadata"]["name"]), keep(item))
                for item in page.items
            )
            token = page.token
            if not token:
                return MetadataList([item for item in kept.values() if item is not None], page.version)
            if token in seen or len(seen) > _MOST_PAGES:
                raise ApiError(
                    f"{request.attempt} on {self.name} failed: the list has no end. Check the API server and the proxy"
                )
            seen.add(token)

    def _parse(self, request: _Request, read: Callable[[Any], _Read]) -> _Read:
        """The result of `read` for the JSON of the response."""
        request = replace(request, attempt=f"{request.attempt} on {self.name}")
        answer = self._send_with_retry(request)
        try:
            return read(responses.decode_json(answer.body))
        except responses.UnexpectedResponse as error:
            raise _unintelligible_error(request, str(error)) from None

    def _send_with_retry(self, request: _Request) -> HttpResponse:
        """Send a request. Repeat it with growing pauses for a limited time, if that is safe."""
        given_up_at, pause = float("inf"), 0.1
        while True:
            try:
                return self._with_login(request, partial(self._exchange, request))
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

    def _with_login(self, request: _Request, exchange: Callable[[Any], _Read]) -> _Read:
        """The result of `exchange` with the login. If the login is refused, it is renewed and the exchange repeated once.

        :raises ClusterError: always the first one of this cluster.
        """
        try:
            self._health.check()
            login = self._connection.headers()
            try:
                return exchange(login)
            except Unauthorized as error:
                if error.status != 401 or not self._connection.renew(login):
                    raise
            return exchange(self._connection.headers())
        except ClusterError as error:
            failure = self._health.stop(error)
            if error.unanswered:
                failure = type(failure)(f"{failure}. This may have been carried out: {request.attempt}")
                failure.unanswered = True
            raise failure from None

    def _exchange(self, request: _Request, login: Any) -> HttpResponse:
        """The response to one request, with a status of 2xx.

        :raises ClusterError: also if the cluster has not given a healthy response to any request for too long.
        """
        options = {} if request.seconds is None else {"seconds": request.seconds}
        answer: HttpResponse = self._check_answer(request, login, lambda: self._send(request, login, **options))
        return answer

    def _open_stream(self, request: _Request, login: Any, seconds: float, goes_on: Callable[[], bool]) -> Lines:
        """The lines of the response to one request. Errors as for `_exchange`."""

        def begin() -> HttpResponse | Lines:
            with self._failures_of(request, login):
                return stream_lines(
                    self._connection.pool,
                    self.name + request.target,
                    self._with_headers(request, login),
                    seconds=seconds,
                    most=_MOST_LINE,
                    goes_on=goes_on,
                )

        lines: Lines = self._check_answer(request, login, begin)
        return lines

    def _events(self, request: _Request, login: Any, kind: Kind, lines: Lines) -> Iterator[WatchEvent]:
        """All events of a watch until its end."""
        try:
            with self._failures_of(request, login):
                for line in lines:
                    if line.strip():
                        yield self._event(
                            request, login, responses.parse_watch_event(responses.decode_json(line), kind)
                        )
        except responses.UnexpectedResponse as error:
            raise _unintelligible_error(request, str(error)) from None

    def _event(self, request: _Request, login: Any, event: WatchEvent) -> WatchEvent:
        """The event itself.

        :raises ImagePullError: if the event reports an error of the API server.
        """
        if event.type != "ERROR":
            return event
        code = as_int(event.obj.get("code")) or 0
        status = code if 400 <= code < 600 else 500
        raise _error_from_answer(request, HttpResponse(status, [], json.dumps(event.obj).encode()), login)

    def _check_answer(self, request: _Request, login: Any, ask: Callable[[], Any]) -> Any:
        """The response of `ask`, with a status of 2xx. Errors as for `_exchange`."""
        self._health.check()
        since = self._now()
        try:
            answer = ask()
            if isinstance(answer, Lines) or answer.status < 500:
                self._health.healthy()
            else:
                # The server responded, although perhaps late.
                self._health.reached, since = True, self._now()
            if isinstance(answer, Lines) or 200 <= answer.status < 300:
                return answer
            raise _error_from_answer(request, answer, login)
        except Forbidden as error:
            if error.need is not None and not request.is_shortcut:
                self.needs.add(error.need)
            raise
        except (Unanswered, ApiError) as error:
            if isinstance(error, Unanswered) or error.status >= 500:
                self._check_patience(request, error, since)
            raise

    def _check_patience(self, request: _Request, error: Unanswered | ApiError, since: float) -> None:
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
                f"no request to {self.name} succeeded for {silent:.0f} s, so no further requests are sent. The last "
                f"failure: {what}. Check the API server, the network and the proxy"
            )
            failure.unanswered = request.writes and isinstance(error, Unanswered) and not unsent
            raise failure

    def _is_up(self) -> bool:
        """Whether the API server reports that it is ready. Then only one object cannot be read, and the cluster has not failed.

        Unlike version and liveness, readiness includes the store and the encryption. Every caller is allowed to ask for it.
        """
        try:
            request = _Request("GET", "/readyz", "asking whether it is ready")
            answer = self._send(request, self._connection.headers(), seconds=_PROBE_SECONDS)
        except ImagePullError:
            return False
        if answer.status >= 500:
            return False
        self._health.healthy()
        return True

    def _send(self, request: _Request, login: Any, **options: Any) -> HttpResponse:
        headers, body = self._with_headers(request, login), None
        if request.body is not None:
            headers["Content-Type"] = _CONTENT_TYPES.get(request.method, "application/json")
            body = json.dumps(request.body).encode("utf-8")
        with self._failures_of(request, login):
            return send_api_request(
                self._connection.pool, request.method, self.name + request.target, headers, body, **options
            )

    def _with_headers(self, request: _Request, login: Any) -> Any:
        # Not a copy: the connection must recognize the login if it is refused.
        login.update({**self._headers, "Accept": request.accept})
        return login

    @contextmanager
    def _failures_of(self, request: _Request, login: Mapping[str, str]) -> Iterator[None]:
        """Turn transport errors into errors of the request."""
        attempt, hidden = request.attempt, partial(mask, secrets=forms_of(login.get("Authorization", "")))
        try:
            yield
        except NotSent as error:
            raise _Unsent(
                f"{attempt} failed: {hidden(str(error))}", "Check the address, the network and the proxy"
            ) from None
        except Unusable as error:
            raise ConnectError(f"{attempt} failed: {hidden(str(error))}") from None
        except Lost as error:
            way_out = "It may have been carried out: run again" if request.writes else "Check the API server"
            raise Unanswered(f"{attempt} got no response: {hidden(str(error))}", way_out) from None
        except OversizedApiResponse:
            raise _OversizedPage(str(_unintelligible_error(request, "more than any API server sends"))) from None
        except BrokenConnection as error:
            raise Unanswered(f"{attempt} failed: {error}", "Please report it") from None


class _Unsent(Unanswered):
    """There was no response, and nothing can have been carried out. The same request may be sent again."""


class _OversizedPage(ApiError):
    """The response is larger than allowed."""


def _retry_delay(request: _Request, error: ImagePullError) -> float | None:
    """The minimum number of seconds to wait before the request is repeated, or None if it must not be repeated."""
    if request.seconds is not None:
        return None
    if isinstance(error, ApiError):
        # The server did nothing. Proxies do not say how long to wait.
        asked = error.retry_after or 0.0
        return asked if error.status in (429, 503) and asked <= _PATIENCE_SECONDS else None
    # A read is repeated. The caller finds out whether a write happened.
    return None if request.writes and not isinstance(error, _Unsent) else 0.0


def _error_from_answer(request: _Request, answer: HttpResponse, login: Mapping[str, str]) -> ImagePullError:
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


def _unintelligible_error(request: _Request, what: str) -> ApiError:
    doubt = ". It may have been carried out" if request.writes else ""
    return ApiError(f"{request.attempt} returned {what}. Check the address and the proxy{doubt}")


def _drop_managed_fields(obj: Any) -> Json:
    """The object without `managedFields`, the largest part of most objects."""
    obj["metadata"].pop("managedFields", None)
    slim: Json = obj
    return slim


def _collection(kind: Kind, namespace: str) -> str:
    root = "/api" if "/" not in kind.api_version else "/apis"
    scope = f"/namespaces/{_quote_name(namespace)}" if namespace else ""
    return f"{root}/{kind.api_version}{scope}/{kind.resource}"


def _path(ref: ObjectRef) -> str:
    return f"{_collection(ref.kind, ref.namespace)}/{_quote_name(ref.name)}"


def _quote_name(name: str) -> str:
    return quote(name, safe="", errors="replace")
