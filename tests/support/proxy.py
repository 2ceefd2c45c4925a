# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A proxy in front of the lab's API server. Subclasses decide how to handle the requests.

It ends TLS with the API server's own certificate, so callers log in by token.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar
from urllib.parse import urlsplit

from support.lab import Lab

__all__ = ["Exchange", "Proxy", "Reply"]

#: Status, headers, body.
Reply = tuple[int, list[tuple[str, str]], bytes]

_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}
_Self = TypeVar("_Self", bound="Proxy")


class Proxy:
    """Passes requests on. `requests` counts them."""

    def __init__(self, lab: Lab) -> None:
        self.requests = self._under_way = 0
        self.lock = threading.Condition()
        #: Set when the proxy ends. Nothing waits after that.
        self.ended = threading.Event()
        self._upstream = urlsplit(lab.data["server"])
        self._trust = ssl.create_default_context(cafile=lab.data["ca_cert"])
        self._server = _Server(("127.0.0.1", 0), Exchange)
        self._server.proxy = self
        # The handler does the handshake, so that a slow caller does not block new connections.
        self._server.socket = lab.server_side().wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )
        self.url = f"https://127.0.0.1:{self._server.server_port}"

    def handle(self, exchange: Exchange) -> None:
        """Answer one request, or do not answer it."""
        exchange.answer(exchange.ask())

    def meet(self, exchange: Exchange) -> None:
        """Handle one request, from its arrival to its end."""
        with self.lock:
            self.requests += 1
            self._under_way += 1
        try:
            self.handle(exchange)
        finally:
            with self.lock:
                self._under_way -= 1
                self.lock.notify_all()

    def settle(self, seconds: float) -> None:
        """Wait until no request is in progress and the API server has carried out all of them."""
        with self.lock:
            assert self.lock.wait_for(lambda: not self._under_way, seconds), f"{self._under_way} requests are under way"

    def accepted(self, connection: socket.socket) -> bool:
        """Whether to answer a new connection."""
        return True

    @contextmanager
    def running(self: _Self) -> Iterator[_Self]:
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.ended.set()
            self._server.shutdown()
            self._server.server_close()

    def die(self) -> None:
        """Close the port and every connection without an answer. Call this while the proxy runs."""
        self.ended.set()
        self._server.shutdown()
        self._server.server_close()
        for connection in list(self._server.connections):
            # Its thread may be in the middle of a handshake. Nothing more can be sent, and the reader wakes up.
            with contextlib.suppress(OSError):
                socket.socket.shutdown(connection, socket.SHUT_RDWR)

    def connect(self) -> http.client.HTTPSConnection:
        """Open a connection to the API server itself."""
        port = self._upstream.port
        return http.client.HTTPSConnection(self._upstream.hostname or "", port, context=self._trust, timeout=60)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    proxy: Proxy

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.connections: set[socket.socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self.connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore errors of disconnected callers, including killed ones: tests cause them on purpose."""


class Exchange(BaseHTTPRequestHandler):
    """Handles the requests of a connection one after the other: `command`, `path`, `headers`, `content`."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server
    upstream: http.client.HTTPSConnection | None = None
    content = b""

    def handle(self) -> None:
        if self.server.proxy.accepted(self.connection):
            super().handle()

    def forward(self) -> None:
        self.content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.proxy.meet(self)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = forward

    def ask(self, path: str = "") -> Reply:
        """The answer of the API server, optionally for another path."""
        if self.upstream is None:
            self.upstream = self.server.proxy.connect()
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP_BY_HOP}
        self.upstream.request(self.command, path or self.path, body=self.content or None, headers=headers)
        response = self.upstream.getresponse()
        kept = [(name, value) for name, value in response.getheaders() if name.lower() not in _HOP_BY_HOP]
        return response.status, kept, response.read()

    def answer(self, reply: Reply) -> None:
        head, content = self.as_bytes(reply)
        self.wfile.write(head + content)

    def as_bytes(self, reply: Reply) -> tuple[bytes, bytes]:
        """Head and body as sent on the wire."""
        status, headers, content = reply
        lines = [f"HTTP/1.1 {status} {self.responses.get(status, ('',))[0]}", f"Content-Length: {len(content)}"]
        lines += [f"{name}: {value}" for name, value in headers]
        return "\r\n".join([*lines, "", ""]).encode("latin-1"), content

    def cut(self, *, by_reset: bool) -> None:
        """End the connection abruptly: by a reset, or by the end of the stream without a TLS alert."""
        self.close_connection = True
        if by_reset:
            _reset_when_closed(self.connection)
        else:
            socket.socket.shutdown(self.connection, socket.SHUT_RDWR)
        # Close the socket itself, not its TLS layer. It closes with the last file made from it.
        self.connection.close()

    def finish(self) -> None:
        if self.upstream is not None:
            self.upstream.close()
        with contextlib.suppress(OSError, ValueError):
            super().finish()

    def log_message(self, format: str, *args: Any) -> None:
        pass


def _reset_when_closed(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
