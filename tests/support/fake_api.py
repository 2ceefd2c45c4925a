# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An API server in memory. Clients reach it like a real one: by method, URL and JSON.

It answers the requests of `support.api_requests` like a real one: resource versions, conflicts, preconditions, dry runs, pages,
selectors, invalid objects, immutable secrets, missing and terminating namespaces. It can also be set to fail. `put` writes anything, because
a test may need an odd object.
"""

from __future__ import annotations

import base64
import copy
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.client import Cluster
from urllib3.exceptions import ProtocolError

from support.api_rules import KINDS, FaultyRequest, Problem, ServedKind, decoded, field_test, label_test, problems_of
from support.certificates import loopback_certificate, server_context
from support.scripted_pool import HOST, Answer, Clock, Request, ScriptedConnection, status_object

__all__ = ["LOST", "FakeApi", "Fault"]

#: The connection breaks after the request was sent.
LOST = ProtocolError("connection broken")

_PATH = re.compile(
    r"/(?:api|apis)/(?P<version>v1|[^/]+/[^/]+)(?:/namespaces/(?P<ns>[^/]+)(?=/))?/(?P<resource>[^/]+)(?:/(?P<name>[^/]+))?\Z"
)
_PAGE_NOT_FOUND = Answer(404, b"404 page not found\n")
_NO_RESOURCE = status_object(404, "NotFound", "the server could not find the requested resource")
_NO_METHOD = status_object(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")
#: Kinds whose deletion returns the object.
_RETURNED = ("Pod", "ServiceAccount")

Key = tuple[str, str, str]


@dataclass
class Fault:
    """The fate of requests whose `METHOD path` matches, `times` times, after the first `after` of them.

    `answer` is an `Answer`, an exception, or a function of the request. With `carried_out` the server first carries out the
    request, and only its answer is lost.
    """

    pattern: str
    answer: Any
    times: int = 1
    after: int = 0
    carried_out: bool = False


@dataclass
class FakeApi:
    """`objects` by resource, namespace and name. `requests` are the received requests, `METHOD path` with the query.

    `namespaces_checked`: whether to refuse a create in a missing namespace.
    """

    objects: dict[Key, dict[str, Any]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    namespaces_checked: bool = False
    page: int = 1000
    review: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None
    before: Callable[[Request], None] | None = None

    def __post_init__(self) -> None:
        self._version = 0
        self._lock = threading.RLock()
        self.connection = ScriptedConnection(self)

    def cluster(self, clock: Clock | None = None) -> Cluster:
        """A client of this server that takes its time from the clock."""
        clock = clock or Clock()
        return Cluster(self.connection, "tests", clock.sleep, clock.now)  # type: ignore[arg-type]

    @contextmanager
    def served(self) -> Iterator[str]:
        """The server's address while it listens on loopback, for programs that open their own connections."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"api": self}))
        server.daemon_threads = True
        server.socket = server_context(loopback_certificate()).wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield f"https://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            server.server_close()

    # --- for tests

    def put(self, resource: str, namespace: str, name: str, **parts: Any) -> dict[str, Any]:
        """Write an object as another client would."""
        with self._lock:
            body = copy.deepcopy(parts)
            meta = {**body.pop("metadata", {}), "name": name, **({"namespace": namespace} if namespace else {})}
            return self._store(resource, namespace, name, {**body, "metadata": meta})

    def remove(self, resource: str, namespace: str, name: str) -> None:
        with self._lock:
            self.objects.pop((resource, namespace, name), None)

    def get(self, resource: str, namespace: str, name: str) -> dict[str, Any] | None:
        return self.objects.get((resource, namespace, name))

    def fail(self, pattern: str, answer: Any, **more: Any) -> None:
        self.faults.append(Fault(pattern, answer, **more))

    @property
    def asked(self) -> list[str]:
        return [f"{request.method} {request.path}" for request in self.requests]

    @property
    def writes(self) -> list[str]:
        return [
            text
            for text, request in zip(self.asked, self.requests, strict=True)
            if request.method != "GET" and "reviews" not in text and "dryRun" not in text
        ]

    # --- the pool's side

    def request_encode_url(self, method: str, url: str, **keywords: Any) -> Answer:
        if not url.startswith(HOST):
            pytest.fail(f"requested {url}")
        body = keywords.get("body")
        headers = dict(keywords.get("headers") or {})
        request = Request(
            method, url[len(HOST) :], headers, json.loads(body) if body else None, keywords.get("timeout")
        )
        if self.before is not None:
            self.before(request)
        with self._lock:
            self.requests.append(request)
            fault = self._fault(request)
            if fault is None:
                return replace(self._answer(request), position=0)
            if fault.carried_out:
                self._answer(request)
        if isinstance(fault.answer, BaseException):
            raise fault.answer
        found: Answer = fault.answer(request) if callable(fault.answer) else fault.answer
        return replace(found, position=0)

    def _fault(self, request: Request) -> Fault | None:
        for fault in self.faults:
            if not re.search(fault.pattern, f"{request.method} {request.path}"):
                continue
            if fault.after > 0:
                fault.after -= 1
            elif fault.times > 0:
                fault.times -= 1
                return fault
        return None

    def _answer(self, request: Request) -> Answer:
        parts = urlsplit(request.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        match = _PATH.match(parts.path)
        if match is None or not any(
            version.startswith(f"{_group(match)}/") or version == _group(match) for version, _resource in KINDS
        ):
            return _PAGE_NOT_FOUND
        namespace, name = unquote(match["ns"] or ""), unquote(match["name"] or "")
        served = KINDS.get((match["version"], match["resource"]))
        if name in (".", "..") or "/" in name or "%" in name:
            return status_object(
                400, "BadRequest", f"Name parameter invalid: {name!r}", kind=match["resource"], name=name
            )
        if served is None or (namespace and not served.namespaced) or (name and served.namespaced and not namespace):
            return _NO_RESOURCE
        if match["resource"].endswith("reviews"):
            return self._review(request)
        place = _Place(served, match["resource"], namespace, name)
        try:
            return self._answer_at(place, request, query)
        except FaultyRequest as fault:
            return status_object(400, "BadRequest", str(fault))
        except _Refused as refusal:
            return refusal.answer

    def _answer_at(self, place: _Place, request: Request, query: Mapping[str, str]) -> Answer:
        if request.method == "GET":
            return self._read(place) if place.name else self._list(place, query, request.headers.get("Accept", ""))
        if (place.served.namespaced and not place.namespace) or (request.method == "POST") is bool(place.name):
            return _NO_METHOD
        dry = "dryRun" in query
        if request.method == "POST":
            return self._create(place, request.body, dry=dry)
        stored = self.objects.get(place.key)
        if stored is None:
            return place.refusal(404, "NotFound", f'{place.resource} "{place.name}" not found')
        if request.method == "PATCH":
            return self._patch(place, stored, request.body, dry=dry)
        return self._delete(place, stored, request.body or {}, dry=dry)

    def _review(self, request: Request) -> Answer:
        if self.review is None:
            pytest.fail("no review is awaited")
        return Answer(201, {"status": dict(self.review(request.body["spec"]))})

    def _read(self, place: _Place) -> Answer:
        found = self.objects.get(place.key)
        if found is None:
            return place.refusal(404, "NotFound", f'{place.resource} "{place.name}" not found')
        return Answer(200, place.typed(found))

    def _list(self, place: _Place, query: Mapping[str, str], accept: str) -> Answer:
        chosen = list(self._chosen(place, query))
        if not query.get("limit", "0").isdigit():
            raise FaultyRequest(f'strconv.ParseInt: parsing "{query["limit"]}": invalid syntax')
        start = _start(query["continue"]) if query.get("continue") else ("", "")
        rest = [(key, item) for key, item in chosen if key > start]
        page = rest[: min(int(query.get("limit", 0)) or len(rest), self.page)]
        meta: dict[str, Any] = {"resourceVersion": str(self._version)}
        if len(page) < len(rest):
            meta["continue"] = base64.urlsafe_b64encode(json.dumps(page[-1][0]).encode()).decode()
            if not query.get("labelSelector") and not query.get("fieldSelector"):
                meta["remainingItemCount"] = len(rest) - len(page)
        if "as=PartialObjectMetadataList" in accept:
            kind, version = "PartialObjectMetadata", "meta.k8s.io/v1"
            items = [
                {"kind": kind, "apiVersion": version, "metadata": copy.deepcopy(item["metadata"])}
                for _key, item in page
            ]
        else:
            kind, version = place.served.kind, place.served.version
            items = [place.item(item) for _key, item in page]
        return Answer(200, {"kind": f"{kind}List", "apiVersion": version, "metadata": meta, "items": items})

    def _chosen(self, place: _Place, query: Mapping[str, str]) -> Iterator[tuple[tuple[str, str], dict[str, Any]]]:
        has_fields = field_test(place.served, query.get("fieldSelector", ""))
        has_labels = label_test(query.get("labelSelector", ""))
        for (resource, namespace, name), found in sorted(self.objects.items()):
            if resource != place.resource or (place.namespace and namespace != place.namespace):
                continue
            if has_fields(found) and has_labels(found["metadata"].get("labels") or {}):
                yield (namespace, name), found

    def _create(self, place: _Place, body: Any, *, dry: bool) -> Answer:
        body = decoded(place.served, body)
        meta = body["metadata"]
        if meta.get("namespace", place.namespace) != place.namespace:
            raise FaultyRequest(_OTHER_NAMESPACE)
        place = replace(place, name=meta.get("name", ""))
        self._check_namespace(place)
        place.check(problems_of(place.served, body, None))
        if meta.get("resourceVersion"):
            return status_object(500, "", "resourceVersion should not be set on objects to be created")
        if place.key in self.objects:
            return place.refusal(409, "AlreadyExists", f'{place.resource} "{place.name}" already exists')
        if place.namespace:
            meta["namespace"] = place.namespace
        return Answer(201, place.typed(body if dry else self._store(*place.key, copy.deepcopy(body))))

    def _check_namespace(self, place: _Place) -> None:
        if not place.namespace:
            return
        found = self.objects.get(("namespaces", "", place.namespace))
        if found is None and self.namespaces_checked:
            message = f'namespaces "{place.namespace}" not found'
            raise _Refused(status_object(404, "NotFound", message, kind="namespaces", name=place.namespace))
        if found is not None and found["metadata"].get("deletionTimestamp"):
            message = f"namespace {place.namespace} is being terminated"
            cause = {"reason": "NamespaceTerminating", "message": message, "field": "metadata.namespace"}
            message = f'{place.resource} "{place.name}" is forbidden: unable to create new content in namespace '
            message += f"{place.namespace} because it is being terminated"
            raise _Refused(place.refusal(403, "Forbidden", message, causes=[cause]))

    def _patch(self, place: _Place, stored: dict[str, Any], patch: Any, *, dry: bool) -> Answer:
        merged = _merged(stored, patch)
        try:
            merged = decoded(place.served, merged)
        except FaultyRequest as fault:
            cause = {"reason": "FieldValueInvalid", "message": str(fault), "field": "patch"}
            text = json.dumps(place.typed(merged), sort_keys=True, separators=(",", ":"))
            message = f' "" is invalid: patch: Invalid value: {json.dumps(text)}'
            return status_object(422, "Invalid", message, causes=[cause])
        old, meta = stored["metadata"], merged["metadata"]
        if meta["name"] != place.name:
            message = f"the name of the object ({meta['name']}) does not match the name on the URL ({place.name})"
            raise FaultyRequest(message)
        if meta.get("namespace", place.namespace) != place.namespace:
            raise FaultyRequest(_OTHER_NAMESPACE)
        if meta.get("resourceVersion", old["resourceVersion"]) != old["resourceVersion"]:
            message = (
                f'Operation cannot be fulfilled on {place.resource} "{place.name}": the object has been modified; '
            )
            return place.refusal(
                409, "Conflict", f"{message}please apply your changes to the latest version and try again"
            )
        place.check(problems_of(place.served, merged, stored))
        if place.typed(merged) != place.typed(stored) and not dry:
            merged = self._store(*place.key, merged)
        return Answer(200, place.typed(merged))

    def _delete(self, place: _Place, stored: dict[str, Any], options: Mapping[str, Any], *, dry: bool) -> Answer:
        for key, name in (("uid", "UID"), ("resourceVersion", "ResourceVersion")):
            wanted, found = (options.get("preconditions") or {}).get(key), stored["metadata"][key]
            if wanted not in (None, found):
                message = f'Operation cannot be fulfilled on {place.served.kind} "{place.name}": the {name} in the precondition '
                message += f"({wanted}) does not match the {name} in record ({found})"
                return status_object(409, "Conflict", message, kind=place.served.kind, name=place.name)
        if stored["metadata"].get("finalizers"):
            if not dry:
                meta = {**stored["metadata"], "deletionTimestamp": "2026-01-01T00:00:00Z"}
                stored = self._store(*place.key, {**stored, "metadata": meta})
            return Answer(200, place.typed(stored))
        if not dry:
            stored = self._store(*place.key, stored)
            del self.objects[place.key]
        if place.served.kind in _RETURNED:
            return Answer(200, place.typed(stored))
        details = {"name": place.name, "kind": place.resource, "uid": stored["metadata"]["uid"]}
        return Answer(200, {"kind": "Status", "apiVersion": "v1", "status": "Success", "details": details})

    def _store(self, resource: str, namespace: str, name: str, body: dict[str, Any]) -> dict[str, Any]:
        old = self.objects.get((resource, namespace, name))
        self._version += 1
        meta = {**body["metadata"], "resourceVersion": str(self._version)}
        meta["uid"] = old["metadata"]["uid"] if old else f"uid-{self._version}"
        self.objects[resource, namespace, name] = {**body, "metadata": meta}
        return self.objects[resource, namespace, name]


@dataclass(frozen=True)
class _Place:
    """An object or a list of a kind."""

    served: ServedKind
    resource: str
    namespace: str
    name: str

    @property
    def key(self) -> Key:
        return self.resource, self.namespace, self.name

    def typed(self, found: Mapping[str, Any]) -> dict[str, Any]:
        return {**copy.deepcopy(dict(found)), "kind": self.served.kind, "apiVersion": self.served.version}

    def item(self, found: Mapping[str, Any]) -> dict[str, Any]:
        left_out = ("kind", "apiVersion") if self.served.is_typed else ()
        return {name: value for name, value in self.typed(found).items() if name not in left_out}

    def refusal(self, status: int, reason: str, message: str, **details: Any) -> Answer:
        return status_object(status, reason, message, name=self.name, kind=self.resource, **details)

    def check(self, problems: Iterator[Problem]) -> None:
        if found := list(problems):
            texts = [f"{each.field}: {each.message}" for each in found]
            causes = [
                {"reason": f"FieldValue{each.reason}", "message": each.message, "field": each.field} for each in found
            ]
            text = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
            message = f'{self.served.full} "{self.name}" is invalid: {text}'
            details = {"name": self.name, "kind": self.served.kind, "causes": causes}
            raise _Refused(status_object(422, "Invalid", message, **details))


class _Refused(Exception):
    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


_OTHER_NAMESPACE = "the namespace of the provided object does not match the namespace sent on the request"


def _group(match: re.Match[str]) -> str:
    return match["version"].rpartition("/")[0] or match["version"]


def _start(token: str) -> tuple[str, str]:
    """The namespace and the name after which a page begins."""
    try:
        namespace, name = json.loads(base64.urlsafe_b64decode(token))
    except ValueError:
        raise FaultyRequest("invalid continue token: continue key is not valid: invalid character") from None
    return namespace, name


def _merged(stored: Any, patch: Any) -> Any:
    """RFC 7386."""
    if not isinstance(patch, Mapping):
        return copy.deepcopy(patch)
    merged = dict(stored) if isinstance(stored, Mapping) else {}
    for name, part in patch.items():
        if part is None:
            merged.pop(name, None)
        else:
            merged[name] = _merged(merged.get(name), part)
    return merged


class _Handler(BaseHTTPRequestHandler):
    """Passes requests from a socket to the server in memory."""

    protocol_version = "HTTP/1.1"
    #: Head and body are two packets. The second one must not wait until the first one is acknowledged.
    disable_nagle_algorithm = True
    api: FakeApi

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        found = self.api.request_encode_url(self.command, HOST + self.path, body=body, headers=dict(self.headers))
        self.send_response(found.status)
        for name, value in found.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(found.data)))
        self.end_headers()
        self.wfile.write(found.data)

    do_GET = do_POST = do_PATCH = do_DELETE = _serve

    def log_message(self, *_arguments: Any) -> None:
        """Write nothing: the server must not print into a test's output."""
