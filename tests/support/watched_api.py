# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An API server for watches: it serves lists and watches of object metadata in memory, over real sockets, and can be hostile."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from support.certificates import loopback_certificate, server_context
from support.ports import share_port

__all__ = ["HANG", "Trouble", "WatchedApi", "status"]

#: An answer that sends nothing until the server ends.
HANG = "hang"

Json = dict[str, Any]


def status(code: int, reason: str = "", message: str = "") -> Json:
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "code": code,
        "reason": reason,
        "message": message,
    }


@dataclass
class Trouble:
    """A fault of the next requests of a verb (`list`, `page` for a further page of a list, `watch`) on a resource, `times` times.

    `answer`: a Status, `HANG`, or bytes that are sent as a chunk instead of the real answer. Then the connection is cut, or with `ends`
    the answer is properly ended. `retry_after` is the header of this name.
    """

    verb: str
    answer: Any
    times: int = 1
    resource: str = "namespaces"
    ends: bool = False
    retry_after: int = 0


@dataclass
class WatchedApi:
    """`token` is the only accepted login. `asked` counts the requests by verb and resource, `asked_at` has the time of each. `accepted`
    are the requested formats. A watch ends after the requested number of seconds, and a second has the length `second`.
    """

    token: str = "token-1"
    troubles: list[Trouble] = field(default_factory=list)
    asked: Counter[str] = field(default_factory=Counter)
    asked_at: list[tuple[str, float]] = field(default_factory=list)
    accepted: set[str] = field(default_factory=set)
    oldest: int = 0
    page: int = 1000
    second: float = 1.0

    def __post_init__(self) -> None:
        self.objects: dict[tuple[str, str, str], Json] = {}
        self._events: list[tuple[int, str, str, Json]] = []
        self._version = 100
        self._changed = threading.Condition()
        self._ended = False
        self._cuts = 0

    @contextmanager
    def served(self, port: int = 0) -> Iterator[str]:
        handler = type("Handler", (_Handler,), {"api": self})
        server = ThreadingHTTPServer(("127.0.0.1", port), handler, bind_and_activate=False)
        share_port(server.socket)
        server.server_bind()
        server.server_activate()
        server.daemon_threads = True
        server.socket = server_context(loopback_certificate()).wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
        self._ended = False
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        try:
            yield f"https://127.0.0.1:{server.server_port}"
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()
            server.shutdown()
            server.server_close()

    # --- for tests

    def put(self, resource: str, namespace: str, name: str, **meta: Any) -> None:
        """Write an object as another client. All watchers get an event."""
        with self._changed:
            key = (resource, namespace, name)
            old = self.objects.get(key)
            self._version += 1
            found = {
                "name": name,
                **({"namespace": namespace} if namespace else {}),
                "uid": (old or {}).get("uid", f"uid-{self._version}"),
                **meta,
                "resourceVersion": str(self._version),
            }
            self.objects[key] = found
            self._tell("MODIFIED" if old else "ADDED", resource, found)

    def remove(self, resource: str, namespace: str, name: str, *, told: bool = True) -> None:
        """Delete an object as another client. `told`: whether the watchers get an event."""
        with self._changed:
            found = self.objects.pop((resource, namespace, name))
            self._version += 1
            if told:
                self._tell("DELETED", resource, {**found, "resourceVersion": str(self._version)})

    def namespace(self, name: str, **meta: Any) -> None:
        self.put("namespaces", "", name, **meta)

    def compact(self) -> None:
        """Forget the events up to now. A new watch can no longer get them."""
        with self._changed:
            self._version += 1
            self.oldest = self._version

    def cut(self) -> None:
        """End the connections of all watches."""
        with self._changed:
            self._cuts += 1
            self._changed.notify_all()

    def trouble(self, verb: str, answer: Any, **more: Any) -> None:
        self.troubles.append(Trouble(verb, answer, **more))

    # --- the server's side

    def _tell(self, kind: str, resource: str, meta: Json) -> None:
        self._events.append((self._version, kind, resource, meta))
        self._changed.notify_all()

    def trouble_for(self, verb: str, resource: str) -> Trouble | None:
        with self._changed:
            for one in self.troubles:
                if (one.verb, one.resource) == (verb, resource) and one.times > 0:
                    one.times -= 1
                    return one
        return None

    def listed(self, resource: str, start: int) -> Json:
        with self._changed:
            found = [meta for (kind, _place, _name), meta in sorted(self.objects.items()) if kind == resource]
            end = start + self.page
            meta = {"resourceVersion": str(self._version), **({"continue": str(end)} if end < len(found) else {})}
            items = [{"kind": "PartialObjectMetadata", "metadata": one} for one in found[start:end]]
            return {"kind": "PartialObjectMetadataList", "metadata": meta, "items": items}

    def happened(self, resource: str, since: int, until: float) -> Iterator[Json | None]:
        """Yield each event until the time `until`. A cut, or the end of the server, raises ConnectionAbortedError."""
        with self._changed:
            cuts = self._cuts
        while True:
            with self._changed:
                found = [one for one in self._events if one[0] > since and one[2] == resource]
                if not found:
                    if self._ended or self._cuts != cuts:
                        raise ConnectionAbortedError
                    left = until - time.monotonic()
                    if left <= 0:
                        return
                    self._changed.wait(left)
                    continue
            for version, kind, _resource, meta in found:
                since = version
                yield {"type": kind, "object": {"kind": "PartialObjectMetadata", "metadata": meta}}

    def wait_for_the_end(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._ended)

    @property
    def version(self) -> int:
        return self._version


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    api: WatchedApi

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        resource = parts.path.rpartition("/")[2]
        verb = "watch" if query.get("watch") == "true" else "page" if query.get("continue") else "list"
        self.api.asked[f"{verb} {resource}"] += 1
        self.api.asked_at.append((f"{verb} {resource}", time.monotonic()))
        self.api.accepted.add(self.headers.get("Accept", ""))
        if resource == "readyz":
            return self._answer(200, {})
        if self.headers.get("Authorization") != f"Bearer {self.api.token}":
            return self._answer(401, status(401, "Unauthorized", "Unauthorized"))
        if found := self.api.trouble_for(verb, resource):
            return self._make(found)
        if verb != "watch":
            return self._answer(200, self.api.listed(resource, int(query.get("continue", 0))))
        return self._watch(resource, query)

    def _watch(self, resource: str, query: dict[str, str]) -> None:
        since = int(query["resourceVersion"])
        if since < self.api.oldest:
            return self._answer(410, status(410, "Expired", "too old resource version"))
        until = time.monotonic() + self.api.second * float(query["timeoutSeconds"])
        self._begin()
        try:
            for event in self.api.happened(resource, since, until):
                self._chunk(json.dumps(event).encode() + b"\n")
        except ConnectionAbortedError:
            self.close_connection = True
            return None
        return self._end()

    def _make(self, trouble: Trouble) -> None:
        if isinstance(trouble.answer, dict):
            return self._answer(trouble.answer["code"], trouble.answer, trouble.retry_after)
        if trouble.answer == HANG:
            if trouble.verb == "watch":
                self._begin()
            self.api.wait_for_the_end()
            self.close_connection = True
            return None
        self._begin()
        if trouble.answer:
            self._chunk(trouble.answer)
        if trouble.ends:
            return self._end()
        self.close_connection = True
        return None

    def _begin(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.flush()

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()

    def _end(self) -> None:
        self.wfile.write(b"0\r\n\r\n")

    def _answer(self, code: int, body: Json, retry_after: int = 0) -> None:
        data = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        if retry_after:
            self.send_header("Retry-After", str(retry_after))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Write nothing: the server must not print into a test's output."""

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:
            """The caller is gone."""
