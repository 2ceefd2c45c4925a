# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An API server in memory. Clients reach it like a real one: by method, URL and JSON.

It implements the behaviour that the engine's decisions depend on: resource versions, conflicts, preconditions, pages, missing and
terminating namespaces. It can also be set to fail. The lab tests cover other behaviour of real servers.
"""

from __future__ import annotations

import copy
import itertools
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
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.label_selectors import compile_selector
from urllib3.exceptions import ProtocolError

from support.certificates import loopback_certificate, server_context
from support.scripted_pool import HOST, Answer, Clock, Request, ScriptedConnection, status_object

__all__ = ["LOST", "FakeApi", "Fault"]

#: The connection breaks after the request was sent.
LOST = ProtocolError("connection broken")

_PATH = re.compile(
    r"(?P<root>/api/v1|/apis/[^/]+/[^/]+)(?:/namespaces/(?P<ns>[^/]+)(?=/))?/(?P<resource>[^/]+)(?:/(?P<name>[^/]+))?\Z"
)
_KINDS = {
    "namespaces": "Namespace",
    "secrets": "Secret",
    "serviceaccounts": "ServiceAccount",
    "rolebindings": "RoleBinding",
    "clusterroles": "ClusterRole",
    "clusterrolebindings": "ClusterRoleBinding",
    "pods": "Pod",
}

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
        self._versions = itertools.count(1)
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
        if match is None:
            return status_object(404, "NotFound", "404 page not found")
        resource, namespace = match["resource"], unquote(match["ns"] or "")
        name = unquote(match["name"] or "")
        if name in (".", "..") or "/" in name or "%" in name:
            return status_object(400, "BadRequest", f"Name parameter invalid: {name!r}", kind=resource, name=name)
        if resource.endswith("reviews"):
            return self._review(request)
        if request.method == "GET":
            return self._read(resource, namespace, name, query)
        if request.method == "POST":
            return self._create(resource, namespace, request.body, dry="dryRun" in query)
        stored = self.objects.get((resource, namespace, name))
        if stored is None:
            return status_object(404, "NotFound", f'{resource} "{name}" not found', kind=resource, name=name)
        if request.method == "PATCH":
            return self._patch((resource, namespace, name), stored, request.body)
        return self._delete((resource, namespace, name), stored, request.body or {})

    def _review(self, request: Request) -> Answer:
        if self.review is None:
            pytest.fail("no review is awaited")
        return Answer(201, {"status": dict(self.review(request.body["spec"]))})

    def _read(self, resource: str, namespace: str, name: str, query: Mapping[str, str]) -> Answer:
        if name:
            found = self.objects.get((resource, namespace, name))
            if found is None:
                return status_object(404, "NotFound", f'{resource} "{name}" not found', kind=resource, name=name)
            return Answer(200, copy.deepcopy(found))
        chosen = list(self._chosen(resource, namespace, query))
        start, size = int(query.get("continue") or 0), min(int(query.get("limit", self.page)), self.page)
        token = str(start + size) if start + size < len(chosen) else ""
        return Answer(200, {"metadata": {"continue": token}, "items": copy.deepcopy(chosen[start : start + size])})

    def _chosen(self, resource: str, namespace: str, query: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        parts = [part for part in query.get("fieldSelector", "").split(",") if part]
        fields = dict(part.split("=", 1) for part in parts if "!=" not in part)
        unwanted = {part.partition("!=")[2] for part in parts if part.startswith("type!=")}
        # A test with a selector that only a real server understands provides the answer itself.
        selected = compile_selector(query.get("labelSelector", "")) or (lambda _labels: False)
        for (kind, place, name), found in sorted(self.objects.items()):
            if kind != resource or (namespace and place != namespace):
                continue
            if fields.get("metadata.name", name) != name or fields.get("type", found.get("type")) != found.get("type"):
                continue
            if found.get("type") in unwanted:
                continue
            if selected(found["metadata"].get("labels") or {}):
                yield found

    def _create(self, resource: str, namespace: str, body: dict[str, Any], *, dry: bool) -> Answer:
        name = body["metadata"]["name"]
        place = self.objects.get(("namespaces", "", namespace))
        if self.namespaces_checked and namespace and place is None:
            message = f'namespaces "{namespace}" not found'
            return status_object(404, "NotFound", message, kind="namespaces", name=namespace)
        if place is not None and place["metadata"].get("deletionTimestamp"):
            cause = {"reason": "NamespaceTerminating", "message": "being terminated", "field": "metadata.namespace"}
            message = f"unable to create new content in namespace {namespace} because it is being terminated"
            return status_object(403, "Forbidden", message, kind=resource, name=name, causes=[cause])
        if (resource, namespace, name) in self.objects:
            return status_object(409, "AlreadyExists", f'{resource} "{name}" already exists', kind=resource, name=name)
        if dry:
            return Answer(201, body)
        return Answer(201, copy.deepcopy(self._store(resource, namespace, name, copy.deepcopy(body))))

    def _patch(self, key: Key, stored: dict[str, Any], patch: Mapping[str, Any]) -> Answer:
        if conflict := self._conflict(key, stored, (patch.get("metadata") or {}).get("resourceVersion")):
            return conflict
        merged = _merged(stored, patch)
        return Answer(200, copy.deepcopy(self._store(*key, merged)))

    def _delete(self, key: Key, stored: dict[str, Any], options: Mapping[str, Any]) -> Answer:
        wanted = options.get("preconditions") or {}
        if conflict := self._conflict(key, stored, wanted.get("resourceVersion"), wanted.get("uid")):
            return conflict
        del self.objects[key]
        return Answer(200, {"kind": "Status", "status": "Success"})

    def _conflict(
        self, key: Key, stored: Mapping[str, Any], version: str | None, uid: str | None = None
    ) -> Answer | None:
        meta = stored["metadata"]
        if (version or meta["resourceVersion"], uid or meta["uid"]) == (meta["resourceVersion"], meta["uid"]):
            return None
        return status_object(409, "Conflict", "the object has been modified", kind=key[0], name=key[2])

    def _store(self, resource: str, namespace: str, name: str, body: dict[str, Any]) -> dict[str, Any]:
        old = self.objects.get((resource, namespace, name))
        version = str(next(self._versions))
        meta = {**body["metadata"], "resourceVersion": version}
        meta["uid"] = old["metadata"]["uid"] if old else f"uid-{version}"
        kind = {"kind": _KINDS[resource]} if resource in _KINDS else {}
        self.objects[resource, namespace, name] = {**body, **kind, "metadata": meta}
        return self.objects[resource, namespace, name]


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
