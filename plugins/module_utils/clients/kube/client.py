# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests to one API server: reading, listing, writing. Every write goes through `Cluster.write`."""

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
from .transport import ApiResponse, BrokenConnection, Lines, Lost, NotSent, OversizedApiResponse, Unusable, follow, send

__all__ = ["Cluster", "MetadataList"]

#: One page of a list. Large enough for one request in most clusters, small enough to keep memory flat in the largest.
_PAGE = 1000
#: No cluster holds so many objects: a server that goes on and on is none.
_MOST_PAGES = 10_000
#: How often a list is read from its start, because the API server has lost it.
_LIST_PASSES = 4
#: The same request is repeated for this long, from its first failure on; a server that asks for a longer pause gets none.
_PATIENCE_SECONDS = 30.0
#: Before the cluster is given up, it is asked once more, for so long.
_PROBE_SECONDS = 5.0
_LONGEST_PAUSE_SECONDS = 5.0
#: The longest line of a watch: an object's metadata has less than 2 MB.
_MOST_LINE = 8 * 1024 * 1024
#: So much later than asked for may the API server end a watch.
_GRACE_SECONDS = 30.0
_Read = TypeVar("_Read")
_VERBS = {"create": "POST", "update": "PATCH", "delete": "DELETE"}
_WORDS = {"create": "creating", "update": "updating", "delete": "deleting"}
_CONTENT_TYPES = {"PATCH": "application/merge-patch+json"}


@dataclass(frozen=True, repr=False)
class _Request:
    """One request.

    `attempt` says in words what is tried, `resource` on which kind, `name` on which object that is there. `writes`: whether it
    changes something, so that it must not simply be sent twice. `is_shortcut`: a refusal only means more requests. `accept` is the
    form of the answer. With `seconds`, it is awaited for so long and never repeated.
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
    """The metadata of all objects of a kind, as they were at `version`, from which a watch goes on."""

    items: Sequence[Any]
    version: str


class Cluster:
    """One API server as one caller sees it. Safe to use from several threads.

    Once a request has shown that the cluster as a whole fails for this caller (`ClusterError`), every further one raises the
    same error without being sent.
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
        #: How many requests had to be repeated.
        self.retries = 0
        #: The rights that were missed, but for those to list over all namespaces: their objects are then read in each.
        self.needs: set[MissingPermission] = set()

    @property
    def name(self) -> str:
        """How the cluster is called in messages: its API server's URL."""
        return self._connection.host

    @property
    def authority(self) -> bytes:
        """The certificate authorities that are trusted for it, in PEM format; empty for those of the system.

        :raises ConnectError: when their file cannot be read any more.
        """
        return self._connection.authority

    def close(self) -> None:
        """From now on every request, also one of a thread still at work, raises `ClusterError` without being sent."""
        self._health.stop(ClusterError(f"stopped: the task has ended, so nothing more is sent to {self.name}"))

    def makes_up_for(self, refusal: Forbidden) -> None:
        """The right is not missed after all: there was another way to the same."""
        self.needs.difference_update([refusal.need] if refusal.need else [])

    def get(self, ref: ObjectRef) -> Json | None:
        """The object, or None when it does not exist.

        :raises ApiError: when it cannot be read; `ClusterError`, `Unanswered` when no answer comes.
        """
        request = _Request("GET", _path(ref), f"reading {ref}", ref.kind.resource, ref.name)
        try:
            return self._understood(request, lambda answer: responses.found(answer, ref))
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
        """All objects of a kind in one namespace or, without one, in the cluster, each once.

        The API server sends a list in pages and may lose it before the last one. Then it is read again from the start, and
        what was read before does not count. So nothing is yielded before the last page is here; until then what `keep`
        returns of each object is held, nothing of those for which it returns None. Without `keep`, that is the object except
        its `managedFields`.

        :raises ApiError: when it cannot be read, also when the server keeps losing it or sends no list.
        """
        query = {"fieldSelector": field_selector, "labelSelector": label_selector, "limit": str(_PAGE)}
        where = f"in namespace {namespace}" if namespace else "in all namespaces"
        attempt, path = f"listing {kind.resource} {where}", _collection(kind, namespace)
        shortcut = kind.namespaced and not namespace
        request = _Request("GET", path, attempt, kind.resource, query=query, is_shortcut=shortcut)
        kept = self._listed(request, lambda answer: responses.page(answer, kind, namespace), kind, keep or _slim)
        yield from kept.items

    def survey(
        self, kind: Kind, *, label_selector: str = "", keep: Callable[[Json], Any], seconds: float | None = None
    ) -> MetadataList:
        """What `keep` returns of the metadata of each object of a kind in the cluster. Nothing else of them is ever sent here.

        With `seconds`, each answer is awaited for so long only, and no request is repeated.

        :raises ApiError: when it cannot be read, also when the server sends more than the metadata.
        """
        query = {"labelSelector": label_selector, "limit": str(_PAGE)}
        attempt = f"listing the metadata of {kind.resource} in all namespaces"
        path = _collection(kind, "")
        request = _Request(
            "GET", path, attempt, kind.resource, query=query, accept=responses.METADATA_LIST, seconds=seconds
        )
        return self._listed(request, lambda answer: responses.metadata_page(answer, kind), kind, keep)

    @contextmanager
    def watch(
        self, kind: Kind, version: str, *, label_selector: str = "", seconds: int
    ) -> Iterator[Iterator[WatchEvent]]:
        """What happens to the metadata of the objects of a kind after `version`, as it happens, for so many seconds.

        The block begins when the API server has agreed. It says again and again where it stands (`BOOKMARK`), so that a later
        watch need not begin from long ago.

        :raises Expired: when the API server no longer knows what happened since then: the objects have to be listed again;
            `Unanswered` when the connection breaks, hangs or ends in the middle.
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
            return self._opened(request, login, seconds + _GRACE_SECONDS, lambda: self._now() < ends_at), login

        lines, login = self._logged_in(request, begin)
        try:
            yield self._events(request, login, kind, lines)
        finally:
            lines.close()

    def get_path(self, path: str) -> Json:
        """What stands under a path that is no object, such as `/apis`."""
        return self._understood(_Request("GET", path, f"reading {path}"), responses.mapping)

    def token(self, account: ObjectRef, seconds: int) -> responses.Token:
        """A new token of a service account. The server keeps no token, and may give it for another time.

        :raises ApiError: when it gives none.
        """
        spec = {"expirationSeconds": seconds}
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
        attempt = f"asking for a token of {account}"
        request = _Request("POST", f"{_path(account)}/token", attempt, "serviceaccounts", account.name, body=body)
        return self._understood(request, responses.token)

    def review(self, kind: Kind, spec: Json, about: str) -> Json:
        """The status of a review: a question that is sent as an object and answered, and stored nowhere.

        :raises Forbidden: when the caller has no right to ask it.
        """
        body = {"apiVersion": kind.api_version, "kind": kind.kind, "spec": spec}
        request = _Request("POST", _collection(kind, ""), f"asking whether {about}", kind.resource, body=body)
        return self._understood(request, lambda answer: responses.mapping(responses.mapping(answer).get("status")))

    def write(self, change: Change, *, dry_run: bool = False) -> Json | None:
        """Carries out one change; returns the object as it now is, None once deleted. `dry_run`: the server only judges it.

        :raises Conflict: when the object is no longer the one that was planned for; `AlreadyExists`, `NotFound` and the
            other `ApiError` likewise; `Unanswered`, or `ClusterError` with `unanswered`, when it may or may not have been
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
            self._understood(request, lambda answer: responses.deletion(answer, ref))
            return None
        return self._understood(request, lambda answer: responses.found(answer, ref))

    def _listed(
        self,
        request: _Request,
        read: Callable[[Any], responses.Page],
        kind: Kind,
        keep: Callable[[Json], Any],
    ) -> MetadataList:
        for _pass in range(_LIST_PASSES):
            with suppress(Expired):
                return self._read_through(request, read, kind, keep)
        raise Expired(
            f"{request.attempt} on {self.name} failed: {_LIST_PASSES} times in turn the API server lost the list before its last "
            "page; run again when it has less to do"
        )

    def _read_through(
        self,
        request: _Request,
        read: Callable[[Any], responses.Page],
        kind: Kind,
        keep: Callable[[Json], Any],
    ) -> MetadataList:
        """One pass from the first page to the last. Of an object that comes twice, the later state counts."""
        kept: dict[tuple[str, str], Any] = {}
        token, seen, limit = "", {""}, _PAGE
        while True:
            part = replace(request, query={**request.query, "limit": str(limit), "continue": token})
            try:
                page = self._understood(part, read)
            except _OversizedPage:
                # Users decide how large their objects are, and must not keep those of others from being read.
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
                    f"{request.attempt} on {self.name} failed: the list has no end; check the API server and the proxy"
                )
            seen.add(token)

    def _understood(self, request: _Request, read: Callable[[Any], _Read]) -> _Read:
        """What `read` makes of the JSON that the request is answered with."""
        request = replace(request, attempt=f"{request.attempt} on {self.name}")
        answer = self._repeated(request)
        try:
            return read(responses.decoded(answer.data))
        except responses.UnexpectedResponse as what:
            raise _unintelligible(request, str(what)) from None

    def _repeated(self, request: _Request) -> ApiResponse:
        """Sends a request; repeats it, with growing pauses and for a while, where that is safe."""
        given_up_at, pause = float("inf"), 0.1
        while True:
            try:
                return self._logged_in(request, partial(self._exchange, request))
            except (ApiError, Unanswered) as error:
                asked = _asked_to_wait(request, error)
                given_up_at = min(given_up_at, self._now() + _PATIENCE_SECONDS)
                # The last one comes after the patience: it tells whether the cluster fails, or this request alone.
                if asked is None or self._now() >= given_up_at:
                    raise
            with self._lock:
                self.retries += 1
            self._sleep(max(asked, pause) * random.uniform(1.0, 1.25))
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)

    def _logged_in(self, request: _Request, exchange: Callable[[Any], _Read]) -> _Read:
        """What `exchange` makes of a request with the login, once more with a renewed one when that is refused.

        :raises ClusterError: the first one of this cluster, whatever comes later.
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
                failure = type(failure)(f"{failure}; {request.attempt} may have been carried out")
                failure.unanswered = True
            raise failure from None

    def _exchange(self, request: _Request, login: Any) -> ApiResponse:
        """One request and its answer with a status of 2xx.

        :raises ClusterError: also once the cluster has given no healthy answer to any request for too long.
        """
        options = {} if request.seconds is None else {"seconds": request.seconds}
        answer: ApiResponse = self._judged(request, login, lambda: self._send(request, login, **options))
        return answer

    def _opened(self, request: _Request, login: Any, seconds: float, goes_on: Callable[[], bool]) -> Lines:
        """One request and the lines that it is answered with; raises as `_exchange`."""

        def begin() -> ApiResponse | Lines:
            with self._failures_of(request, login):
                return follow(
                    self._connection.pool,
                    self.name + request.target,
                    self._with_headers(request, login),
                    seconds=seconds,
                    most=_MOST_LINE,
                    goes_on=goes_on,
                )

        lines: Lines = self._judged(request, login, begin)
        return lines

    def _events(self, request: _Request, login: Any, kind: Kind, lines: Lines) -> Iterator[WatchEvent]:
        """Each event of a watch until its end."""
        try:
            with self._failures_of(request, login):
                for line in lines:
                    if line.strip():
                        yield self._event(request, login, responses.watch_event(responses.decoded(line), kind))
        except responses.UnexpectedResponse as what:
            raise _unintelligible(request, str(what)) from None

    def _event(self, request: _Request, login: Any, event: WatchEvent) -> WatchEvent:
        """:raises ImagePullError: what the event says, when it is of an error of the API server."""
        if event.type != "ERROR":
            return event
        code = as_int(event.obj.get("code")) or 0
        status = code if 400 <= code < 600 else 500
        raise _failed(request, ApiResponse(status, json.dumps(event.obj).encode(), None, None), login)

    def _judged(self, request: _Request, login: Any, ask: Callable[[], Any]) -> Any:
        """What `ask` is answered with, when it has a status of 2xx; raises as `_exchange`."""
        self._health.check()
        since = self._now()
        try:
            answer = ask()
            if isinstance(answer, Lines) or answer.status < 500:
                self._health.healthy()
            else:
                # It came late, perhaps, but it came.
                self._health.reached, since = True, self._now()
            if isinstance(answer, Lines) or 200 <= answer.status < 300:
                return answer
            raise _failed(request, answer, login)
        except Forbidden as error:
            if error.need is not None and not request.is_shortcut:
                self.needs.add(error.need)
            raise
        except (Unanswered, ApiError) as error:
            if isinstance(error, Unanswered) or error.status >= 500:
                self._check_patience(request, error, since)
            raise

    def _check_patience(self, request: _Request, error: Unanswered | ApiError, since: float) -> None:
        """After a request without a healthy answer.

        :raises ClusterError: when the cluster has given none to any request for too long, or nothing may be sent any more.
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
                f"no request to {self.name} was answered properly for {silent:.0f} s, so the rest is not sent; the last "
                f"failure: {what}; look at the API server, the network and the proxy"
            )
            failure.unanswered = request.writes and isinstance(error, Unanswered) and not unsent
            raise failure

    def _is_up(self) -> bool:
        """Whether the API server says that it is ready: then one object cannot be read, and the cluster does not fail.

        Readiness includes its store and its encryption, which its version or liveness do not; every caller may ask for it.
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

    def _send(self, request: _Request, login: Any, **options: Any) -> ApiResponse:
        headers, body = self._with_headers(request, login), None
        if request.body is not None:
            headers["Content-Type"] = _CONTENT_TYPES.get(request.method, "application/json")
            body = json.dumps(request.body).encode("utf-8")
        with self._failures_of(request, login):
            return send(self._connection.pool, request.method, self.name + request.target, headers, body, **options)

    def _with_headers(self, request: _Request, login: Any) -> Any:
        # Not a copy: the connection must know the login again when it is refused.
        login.update({**self._headers, "Accept": request.accept})
        return login

    @contextmanager
    def _failures_of(self, request: _Request, login: Mapping[str, str]) -> Iterator[None]:
        """What becomes of a request without an answer."""
        attempt, hidden = request.attempt, partial(mask, secrets=forms_of(login.get("Authorization", "")))
        try:
            yield
        except NotSent as error:
            raise _Unsent(
                f"{attempt} failed: {hidden(str(error))}", "check the address, the network and the proxy"
            ) from None
        except Unusable as error:
            raise ConnectError(f"{attempt} failed: {hidden(str(error))}") from None
        except Lost as error:
            way_out = "it may have been carried out: run again" if request.writes else "look at the API server"
            raise Unanswered(f"{attempt} got no answer: {hidden(str(error))}", way_out) from None
        except OversizedApiResponse:
            raise _OversizedPage(str(_unintelligible(request, "more than any API server sends"))) from None
        except BrokenConnection as error:
            raise Unanswered(f"{attempt} failed: {error}", "please report it") from None


class _Unsent(Unanswered):
    """There was no answer, and nothing can have been carried out: the same request may be sent again."""


class _OversizedPage(ApiError):
    """The answer has more bytes than one may have."""


def _asked_to_wait(request: _Request, error: ImagePullError) -> float | None:
    """Seconds that the server asks to wait at least before the same request; None when it must not be repeated."""
    if request.seconds is not None:
        return None
    if isinstance(error, ApiError):
        # The server did nothing. Proxies do not say for how long they want to be left in peace.
        asked = error.retry_after or 0.0
        return asked if error.status in (429, 503) and asked <= _PATIENCE_SECONDS else None
    # A read is repeated; whether a write happened is for the caller to find out.
    return None if request.writes and not isinstance(error, _Unsent) else 0.0


def _failed(request: _Request, answer: ApiResponse, login: Mapping[str, str]) -> ImagePullError:
    return FailedRequest(
        attempt=request.attempt,
        status=answer.status,
        body=answer.data,
        resource=request.resource,
        name=request.name,
        label_selector=request.query.get("labelSelector", ""),
        writes=request.writes,
        retry_after=answer.retry_after,
        location=answer.location,
        hidden=forms_of(login.get("Authorization", "")),
    ).error()


def _unintelligible(request: _Request, what: str) -> ApiError:
    doubt = "; it may have been carried out" if request.writes else ""
    return ApiError(f"{request.attempt} was answered with {what}; check the address and the proxy{doubt}")


def _slim(obj: Any) -> Json:
    """Without the record of field managers, the largest part of most objects."""
    obj["metadata"].pop("managedFields", None)
    slim: Json = obj
    return slim


def _collection(kind: Kind, namespace: str) -> str:
    root = "/api" if "/" not in kind.api_version else "/apis"
    scope = f"/namespaces/{_quoted(namespace)}" if namespace else ""
    return f"{root}/{kind.api_version}{scope}/{kind.resource}"


def _path(ref: ObjectRef) -> str:
    return f"{_collection(ref.kind, ref.namespace)}/{_quoted(ref.name)}"


def _quoted(name: str) -> str:
    return quote(name, safe="", errors="replace")
