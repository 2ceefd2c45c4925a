# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A proxy in front of the lab's API server that refuses, cuts and delays a share of the requests.

Whether a request meets a fault depends only on the seed, its method and path, and how often these two came before: threads
may run in any order, the faults are the same. It ends TLS with the API server's own certificate, so callers log in by token.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import random
import socket
import ssl
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from support.lab import Lab

#: Each is as likely as the others. `cut before`: the API server never sees the request; `cut after`: it does, the caller gets
#: no answer; `cut during`: so too, but the caller may look before the server has carried it out.
FAULTS = ("429", "503", "cut before", "cut during", "cut after", "delayed")
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}


class FaultyProxy:
    """`share` of the requests meet a fault. `injected` counts the faults by kind, `requests` all requests."""

    def __init__(self, lab: Lab, *, share: float, seed: int = 5) -> None:
        self.share, self.seed = share, seed
        self.requests = 0
        self.injected: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._seen: Counter[tuple[str, str]] = Counter()
        self._upstream = urlsplit(lab.data["server"])
        self._trust = ssl.create_default_context(cafile=lab.data["ca_cert"])
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.proxy = self
        # The handshake is the handler's, so that one slow caller does not keep the others from being accepted.
        self._server.socket = lab.server_side().wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )
        self.url = f"https://127.0.0.1:{self._server.server_port}"

    @contextmanager
    def running(self) -> Iterator[FaultyProxy]:
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()

    def connect(self) -> http.client.HTTPSConnection:
        """A connection to the API server itself."""
        port = self._upstream.port
        return http.client.HTTPSConnection(self._upstream.hostname or "", port, context=self._trust, timeout=60)

    def draw(self, method: str, path: str) -> tuple[str, random.Random]:
        """The fault for the next request of that kind, empty for none."""
        with self._lock:
            self.requests += 1
            attempt = self._seen[method, path]
            self._seen[method, path] += 1
            chance = random.Random(f"{self.seed} {method} {path} {attempt}")
            fault = chance.choice(FAULTS) if chance.random() < self.share else ""
            if fault:
                self.injected[fault] += 1
        return fault, chance


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    proxy: FaultyProxy

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Callers that are gone, killed ones among them, are the point here."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server
    upstream: http.client.HTTPSConnection | None = None

    def forward(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault, chance = self.server.proxy.draw(self.command, self.path)
        if fault == "429":
            # As priority and fairness answers: kubernetes pkg/server/filters/priority-and-fairness.go
            self.answer(429, [("Content-Type", "text/plain"), ("Retry-After", "1")], _TOO_MANY)
        elif fault == "503":
            self.answer(503, [("Content-Type", "application/json"), ("Retry-After", "1")], _UNAVAILABLE)
        elif fault == "cut before":
            self.cut(chance)
        elif fault == "cut during":
            self.cut(chance)
            time.sleep(chance.uniform(0.0, 0.3))
            self.ask(body)
        else:
            if fault == "delayed":
                time.sleep(chance.uniform(0.1, 1.0))
            status, headers, content = self.ask(body)
            if fault == "cut after":
                self.cut(chance)
            else:
                self.answer(status, headers, content)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = forward

    def ask(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        if self.upstream is None:
            self.upstream = self.server.proxy.connect()
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP_BY_HOP}
        self.upstream.request(self.command, self.path, body=body or None, headers=headers)
        response = self.upstream.getresponse()
        kept = [(name, value) for name, value in response.getheaders() if name.lower() not in _HOP_BY_HOP]
        return response.status, kept, response.read()

    def answer(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
        lines = [f"HTTP/1.1 {status} {self.responses.get(status, ('',))[0]}", f"Content-Length: {len(content)}"]
        lines += [f"{name}: {value}" for name, value in headers]
        self.wfile.write("\r\n".join([*lines, "", ""]).encode("latin-1") + content)

    def cut(self, chance: random.Random) -> None:
        """Ends the connection without a word: by a reset, or by an end of the stream that TLS does not announce."""
        self.close_connection = True
        if chance.random() < 0.5:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            socket.socket.shutdown(self.connection, socket.SHUT_RDWR)
        # The socket itself, not its TLS: closed with the last file made of it.
        self.connection.close()

    def finish(self) -> None:
        if self.upstream is not None:
            self.upstream.close()
        with contextlib.suppress(OSError, ValueError):
            super().finish()

    def log_message(self, format: str, *args: Any) -> None:
        pass


_TOO_MANY = b"Too many requests, please try again later.\n"
_UNAVAILABLE = json.dumps(
    {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "message": "apiserver is shutting down",
        "reason": "ServiceUnavailable",
        "details": {"retryAfterSeconds": 1},
        "code": 503,
    }
).encode()


def token_kubeconfig(lab: Lab, server: str, path: Path) -> str:
    """The path of a kubeconfig that leads to `server` with an administrator's token."""
    account, namespace = "faults", "default"
    if lab.get(namespace, "serviceaccounts", account) is None:
        lab.create(namespace, "serviceaccounts", {"metadata": {"name": account}})
        binding = {
            "metadata": {"name": "faults"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": namespace}],
        }
        lab.api("POST", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", binding)
    request = f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token"
    token = lab.api("POST", request, {"spec": {"expirationSeconds": 7200}})["status"]["token"]
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "proxy",
        "clusters": [
            {"name": "proxy", "cluster": {"server": server, "certificate-authority": lab.data["ca_cert"]}},
        ],
        "users": [{"name": "proxy", "user": {"token": token}}],
        "contexts": [{"name": "proxy", "context": {"cluster": "proxy", "user": "proxy"}}],
    }
    path.touch(mode=0o600)
    path.write_text(json.dumps(config))
    return str(path)
