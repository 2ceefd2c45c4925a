# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A proxy in front of the lab's API server; what it does to the requests is for those that inherit.

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
        #: Set when it ends: nothing waits any more.
        self.ended = threading.Event()
        self._upstream = urlsplit(lab.data["server"])
        self._trust = ssl.create_default_context(cafile=lab.data["ca_cert"])
        self._server = _Server(("127.0.0.1", 0), Exchange)
        self._server.proxy = self
        # The handshake is the handler's, so that one slow caller does not keep the others from being accepted.
        self._server.socket = lab.server_side().wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )
        self.url = f"https://127.0.0.1:{self._server.server_port}"

    def handle(self, exchange: Exchange) -> None:
        """Answers one request, or does not."""
        exchange.answer(exchange.ask())

    def meet(self, exchange: Exchange) -> None:
        """One request, from its arrival to its end."""
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
        """Waits until no request is under way: what the API server was asked for has been carried out."""
        with self.lock:
            assert self.lock.wait_for(lambda: not self._under_way, seconds), f"{self._under_way} requests are under way"

    def accepted(self, connection: socket.socket) -> bool:
        """Whether a new connection is spoken to."""
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
        """The port is closed, and every connection ended without a word; to be called while it runs."""
        self.ended.set()
        self._server.shutdown()
        self._server.server_close()
        for connection in list(self._server.connections):
            # Its thread may be in the middle of a handshake: nothing more can be sent, and the reader wakes.
            with contextlib.suppress(OSError):
                socket.socket.shutdown(connection, socket.SHUT_RDWR)

    def connect(self) -> http.client.HTTPSConnection:
        """A connection to the API server itself."""
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
        """Callers that are gone, killed ones among them, are the point here."""


class Exchange(BaseHTTPRequestHandler):
    """One request after the other of a connection: `command`, `path`, `headers`, `content`."""

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
        """What the API server answers, to another path when one is given."""
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
        """Head and body on the wire."""
        status, headers, content = reply
        lines = [f"HTTP/1.1 {status} {self.responses.get(status, ('',))[0]}", f"Content-Length: {len(content)}"]
        lines += [f"{name}: {value}" for name, value in headers]
        return "\r\n".join([*lines, "", ""]).encode("latin-1"), content

    def cut(self, *, by_reset: bool) -> None:
        """Ends the connection without a word: by a reset, or by an end of the stream that TLS does not announce."""
        self.close_connection = True
        if by_reset:
            _reset_when_closed(self.connection)
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


def _reset_when_closed(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
