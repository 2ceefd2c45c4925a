# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads, lists and writes objects of one API server, and checks the form of its responses. `Cluster.write` makes all writes.

The response may come from something other than the API server: a login page, a proxy with its own JSON, another API.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any, TypeVar
from urllib.parse import quote

from ...core.changes import Change
from ...core.errors import MissingPermission
from ...core.names import quote_name
from ...core.objects import NAMESPACE, Json, Kind, ObjectRef, as_dict, as_int, as_list, as_str
from .connection import Connection
from .errors import ApiError, ClusterError, Expired, Forbidden, NoApiServer, NotFound, UnknownResource
from .requester import ApiRequest, ApiStream, OversizedPage, Requester, unintelligible_error

#: Media types that request only the metadata of objects. No other type is accepted, because a whole object may contain secrets.
METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
_PARTIAL = "PartialObjectMetadata"


class UnexpectedResponse(Exception):
    """The actual response, in words that follow `returned`."""


@dataclass(frozen=True)
class Page:
    """A page of a list. `token` requests the next page and is empty on the last. `version` is the resourceVersion of the list."""

    items: Sequence[Json]
    token: str
    version: str = ""


@dataclass(frozen=True)
class WatchEvent:
    """An event of a watch: `type` as in the API, `obj` with only the object's metadata, `version` is its resourceVersion."""

    type: str
    obj: Json
    version: str


def decode_json(data: bytes) -> Any:
    """Return the JSON value of a body.

    :raises UnexpectedResponse: also for unpaired surrogates, which could not be sent back.
    """
    try:
        # Strictly: json itself would accept unpaired surrogates that are encoded as bytes.
        text = data.decode("utf-8")
        answer = json.loads(text)
        if "\\ud" in text or "\\uD" in text:
            json.dumps(answer, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):
        raise UnexpectedResponse("something that is not JSON") from None
    return answer


def require_object(answer: Any) -> Json:
    """Return the response if it is a JSON object."""
    if not isinstance(answer, Mapping):
        raise UnexpectedResponse("something that is not a JSON object")
    return answer


def parse_object(answer: Any, ref: ObjectRef) -> Json:
    """Return the response if it is the requested object."""
    if not _is_object(answer, ref.kind, ref.namespace) or answer["metadata"]["name"] != ref.name:
        raise UnexpectedResponse(f"something that is not {_article(ref.kind)}")
    return require_object(answer)


def check_deletion(answer: Any, ref: ObjectRef) -> None:
    """Check the response to a deletion: a Status, or the deleted object."""
    if not isinstance(answer, Mapping) or answer.get("kind") not in ("Status", ref.kind.kind):
        raise UnexpectedResponse("something that is not a Status")


@dataclass(frozen=True, repr=False)
class Token:
    """A token, its expiry time, and its lifetime in seconds. Empty and None if the server does not say."""

    text: str
    expires: str = ""
    seconds: int | None = None


def parse_token(answer: Any) -> Token:
    status = require_object(require_object(answer).get("status"))
    value, expires = status.get("token"), status.get("expirationTimestamp")
    if not _is_text(value):
        raise UnexpectedResponse("something without a token")
    spec = require_object(answer).get("spec")
    seconds = spec.get("expirationSeconds") if isinstance(spec, dict) else None
    return Token(str(value), expires if isinstance(expires, str) else "", as_int(seconds))


def parse_page(answer: Any, kind: Kind, namespace: str) -> Page:
    """Return a page of a list of one namespace or, without `namespace`, of the cluster."""
    return _parse_list(answer, kind, namespace, kind.kind)


def parse_metadata_page(answer: Any, kind: Kind) -> Page:
    """Return a page with only the metadata of the cluster's objects of a kind."""
    if require_object(answer).get("kind") != f"{_PARTIAL}List":
        raise UnexpectedResponse("more than the requested metadata")
    found = _parse_list(answer, kind, "", _PARTIAL)
    if not found.version:
        raise UnexpectedResponse("a list without a version")
    return found


def parse_watch_event(answer: Any, kind: Kind) -> WatchEvent:
    """Return the event in one line of a watch of metadata. For type `ERROR`, `obj` is the Status of the API server."""
    event = require_object(answer)
    name, obj = event.get("type"), event.get("object")
    if name not in ("ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR") or not isinstance(obj, Mapping):
        raise UnexpectedResponse("something that is not an event of a watch")
    if name == "ERROR":
        return WatchEvent(name, obj, "")
    if obj.get("kind") != _PARTIAL:
        raise UnexpectedResponse("more than the requested metadata")
    if name != "BOOKMARK" and not _is_object(obj, kind, "", _PARTIAL):
        raise UnexpectedResponse(f"an event of something that is not {_article(kind)}")
    meta = obj.get("metadata")
    version = meta.get("resourceVersion") if isinstance(meta, Mapping) else None
    if not _is_text(version):
        raise UnexpectedResponse("an event without a version")
    return WatchEvent(name, obj, str(version))


def _parse_list(answer: Any, kind: Kind, namespace: str, title: str) -> Page:
    answer = require_object(answer)
    if answer.get("kind", f"{title}List") != f"{title}List" or not isinstance(answer.get("metadata"), Mapping):
        raise UnexpectedResponse(f"something that is not a {title}List")
    # Go writes an empty field as null, or omits it.
    items, token = answer.get("items", ""), answer["metadata"].get("continue")
    if not isinstance(items, (list, type(None))) or not isinstance(token, (str, type(None))):
        raise UnexpectedResponse(f"something that is not a {title}List")
    if not all(_is_object(item, kind, namespace, title) for item in items or ()):
        raise UnexpectedResponse(f"a list with an item that is not {_article(kind)}")
    version = answer["metadata"].get("resourceVersion")
    return Page(items or [], token or "", version if isinstance(version, str) else "")


def _is_object(value: Any, kind: Kind, namespace: str, title: str = "") -> bool:
    """Whether it has the fields of every object. An item of a list does not repeat its kind. `title` is the kind of its form."""
    title = title or kind.kind
    if not isinstance(value, Mapping) or value.get("kind", title) != title:
        return False
    meta = value.get("metadata")
    if not isinstance(meta, Mapping) or not _is_text(meta.get("name")):
        return False
    if not kind.namespaced:
        return True
    return bool(meta.get("namespace") == namespace if namespace else _is_text(meta.get("namespace")))


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _article(kind: Kind) -> str:
    return f"{'an' if kind.kind[0] in 'AEIOU' else 'a'} {kind.kind}"


#: Objects per page of a list: enough for one request in most clusters, and few enough to limit memory in the largest.
_PAGE = 1000
#: Maximum number of pages of a list. No cluster has that many objects, so a longer list is not from an API server.
_MOST_PAGES = 10_000
#: Maximum number of times that a list is read from its start, because the API server has lost it.
_LIST_PASSES = 4
#: Maximum number of seconds by which the API server may end a watch late.
_GRACE_SECONDS = 30.0
_Read = TypeVar("_Read")
_VERBS = {"create": "POST", "update": "PATCH", "delete": "DELETE"}
_WORDS = {"create": "creating", "update": "updating", "delete": "deleting"}


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
        #: See `Connection.namespaces`.
        self.namespaces: dict[str, Any] | None = None
        self._connection = connection
        self._requester = Requester(connection, user_agent, sleep, now)

    @property
    def name(self) -> str:
        """Return the name of the cluster in messages: the URL of its API server."""
        return self._connection.host

    @property
    def cluster_section(self) -> dict[str, Any]:
        """See `Connection.cluster_section`."""
        return self._connection.cluster_section

    @property
    def has_proxy_login(self) -> bool:
        """See `Connection.has_proxy_login`."""
        return self._connection.has_proxy_login

    @property
    def retries(self) -> int:
        """Return the number of repeated requests."""
        return self._requester.retries

    @property
    def needs(self) -> set[MissingPermission]:
        """Return the missing permissions, except those to list objects in all namespaces."""
        return self._requester.needs

    def close(self) -> None:
        """Make every later request, including those of running threads, raise `ClusterError` without being sent."""
        self._requester.stop(ClusterError(f"stopped: the task has ended, so no further request is sent to {self.name}"))

    def forbid_writes(self) -> None:
        """Make every later write raise `ImagePullError` without being sent, for questions that change nothing."""
        self._requester.forbid_writes()

    @property
    def is_read_only(self) -> bool:
        """Whether writes are forbidden."""
        return self._requester.is_read_only

    def forgive(self, refusal: Forbidden) -> None:
        """Remove a permission from the missing ones, because the data could be read in another way."""
        self.needs.difference_update([refusal.need] if refusal.need else [])

    def get(self, ref: ObjectRef) -> Json | None:
        """Return the object, or None if it does not exist. No request is sent for a name that no object can have.

        :raises ApiError: if it cannot be read. `ClusterError` or `Unanswered` if there is no response.
        """
        if not ref.is_possible:
            return None
        request = self._request("GET", _path(ref), f"reading {ref}", ref.kind.resource, ref.name)
        try:
            return self._read(request, lambda answer: parse_object(answer, ref))
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
        if not ObjectRef(kind, namespace, "").is_possible:
            return
        query = {"fieldSelector": field_selector, "labelSelector": label_selector, "limit": str(_PAGE)}
        where = f"in namespace {namespace}" if namespace else "in all namespaces"
        attempt, path = f"listing {kind.resource} {where}", _collection(kind, namespace)
        shortcut = kind.namespaced and not namespace
        request = self._request("GET", path, attempt, kind.resource, query=query, is_shortcut=shortcut)
        kept = self._list_with_retry(
            request, lambda answer: parse_page(answer, kind, namespace), kind, keep or _drop_managed_fields
        )
        yield from kept.items

    def list_metadata(
        self, kind: Kind, *, label_selector: str = "", keep: Callable[[Json], Any], seconds: float | None = None
    ) -> MetadataList:
        """Return the values of `keep` for the metadata of each object of a kind in the cluster. Only the metadata is requested.

        `seconds` is the timeout of each request, which is then not repeated.

        :raises ApiError: if the list cannot be read, or the server sends more than the metadata.
        """
        query = {"labelSelector": label_selector, "limit": str(_PAGE)}
        attempt = f"listing the metadata of {kind.resource} in all namespaces"
        path = _collection(kind, "")
        request = self._request("GET", path, attempt, kind.resource, query=query, accept=METADATA_LIST, seconds=seconds)
        return self._list_with_retry(request, lambda answer: parse_metadata_page(answer, kind), kind, keep)

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
        attempt = f"watching the metadata of {kind.resource} in all namespaces"
        path = _collection(kind, "")
        request = self._request("GET", path, attempt, kind.resource, query=query, accept=METADATA)
        with self._requester.stream(request, seconds + _GRACE_SECONDS) as stream:
            yield self._events(request, kind, stream)

    def get_path(self, path: str) -> Json:
        """Return the JSON object under a path that is not an object of the cluster, such as `/apis`."""
        return self._read(self._request("GET", path, f"reading {path}"), require_object)

    def token(self, account: ObjectRef, seconds: int) -> Token:
        """Create and return a token of a service account. The server does not store it, and may choose another lifetime than `seconds`.

        :raises ApiError: if there is no token.
        """
        spec = {"expirationSeconds": seconds}
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
        attempt = f"asking for a token of {account}"
        request = self._request("POST", f"{_path(account)}/token", attempt, "serviceaccounts", account.name, body=body)
        return self._read(request, parse_token)

    def review(self, kind: Kind, spec: Json, about: str) -> Json:
        """Return the status of a review: a question in the form of an object, which the server answers and does not store.

        :raises Forbidden: if the caller is not allowed to ask it.
        """
        body = {"apiVersion": kind.api_version, "kind": kind.kind, "spec": spec}
        request = self._request("POST", _collection(kind, ""), f"asking whether {about}", kind.resource, body=body)
        return self._read(request, lambda answer: require_object(require_object(answer).get("status")))

    def write(self, change: Change, *, dry_run: bool = False) -> Json | None:
        """Carry out one change. Return the object after it, or None after a deletion. `dry_run`: the server only checks the change.

        :raises Conflict: if the object has changed since the change was planned. `AlreadyExists`, `NotFound` and the
            other `ApiError` have their own meaning. `Unanswered`, or `ClusterError` with `unanswered`, if it may have been
            carried out.
        """
        ref, creates = change.ref, change.action == "create"
        request = self._request(
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
            self._read(request, lambda answer: check_deletion(answer, ref))
            return None
        return self._read(request, lambda answer: parse_object(answer, ref))

    def _list_with_retry(
        self,
        request: ApiRequest,
        read: Callable[[Any], Page],
        kind: Kind,
        keep: Callable[[Json], Any],
    ) -> MetadataList:
        for _pass in range(_LIST_PASSES):
            with suppress(Expired):
                return self._read_pages(request, read, kind, keep)
        raise Expired(
            f"{request.attempt} failed: the API server dropped the list before its last page {_LIST_PASSES} times in a "
            "row. Run again when it is less busy"
        )

    def _read_pages(
        self,
        request: ApiRequest,
        read: Callable[[Any], Page],
        kind: Kind,
        keep: Callable[[Json], Any],
    ) -> MetadataList:
        """Read the list from the first page to the last. If an object occurs twice, the later state counts."""
        kept: dict[tuple[str, str], Any] = {}
        token, seen, limit = "", {""}, _PAGE
        while True:
            part = replace(request, query={**request.query, "limit": str(limit), "continue": token})
            try:
                page = self._read(part, read)
            except OversizedPage:
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
                raise ApiError(f"{request.attempt} failed: the list has no end. Check the API server and the proxy")
            seen.add(token)

    def _request(self, method: str, path: str, attempt: str, *parts: Any, **more: Any) -> ApiRequest:
        return ApiRequest(method, path, f"{attempt} on {self.name}", *parts, **more)

    def _read(self, request: ApiRequest, read: Callable[[Any], _Read]) -> _Read:
        """The result of `read` for the JSON of the response."""
        answer = self._requester.send(request)
        try:
            content = decode_json(answer.body)
        except UnexpectedResponse as error:
            foreign = unintelligible_error(request, str(error), NoApiServer)
            raise self._requester.foreign_response(foreign) from None
        self._requester.is_known = True
        try:
            return read(content)
        except UnexpectedResponse as error:
            raise unintelligible_error(request, str(error)) from None

    def _events(self, request: ApiRequest, kind: Kind, stream: ApiStream) -> Iterator[WatchEvent]:
        """All events of a watch until its end.

        :raises ImagePullError: also if an event reports an error of the API server.
        """
        try:
            for line in stream:
                if line.strip():
                    event = parse_watch_event(decode_json(line), kind)
                    if event.type == "ERROR":
                        code = as_int(event.obj.get("code")) or 0
                        raise stream.error(code if 400 <= code < 600 else 500, json.dumps(event.obj).encode())
                    yield event
        except UnexpectedResponse as error:
            raise unintelligible_error(request, str(error)) from None


def _drop_managed_fields(obj: Any) -> Json:
    """The object without `managedFields`, the largest part of most objects."""
    obj["metadata"].pop("managedFields", None)
    slim: Json = obj
    return slim


def _collection(kind: Kind, namespace: str) -> str:
    root = "/api" if "/" not in kind.api_version else "/apis"
    scope = f"/namespaces/{_segment(ObjectRef(NAMESPACE, '', namespace))}" if namespace else ""
    return f"{root}/{kind.api_version}{scope}/{kind.resource}"


def _path(ref: ObjectRef) -> str:
    return f"{_collection(ref.kind, ref.namespace)}/{_segment(ref)}"


def _segment(ref: ObjectRef) -> str:
    """The name as a part of a path. Other names would be the path of another object, even if they are escaped: `..`."""
    if not (ref.name and ref.is_possible):
        raise ApiError(f"no request was sent: {quote_name(ref.name)} cannot be the name of a {ref.kind.title}")
    return quote(ref.name, safe="")


def list_api_groups(cluster: Cluster) -> frozenset[str]:
    """Return the names of the API groups.

    :raises ImagePullError: if they cannot be read.
    """
    groups = as_list(cluster.get_path("/apis").get("groups"))
    return frozenset(name for group in groups if (name := as_str(as_dict(group).get("name"))))
