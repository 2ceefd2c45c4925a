# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server on a loopback address that sends any given bytes at any pace: over TLS, without TLS, or as a proxy."""

from __future__ import annotations

import base64
import select
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress

#: Maximum time to serve a connection, in seconds.
_LONGEST = 20.0
_CLIENT_HELLO = b"\x16\x03"

#: The pieces of an answer. `pause(seconds)` between two pieces returns whether the server is still needed.
Script = Callable[["HostileRegistry"], Iterable[bytes]]


class HostileRegistry:
    """`requests` holds the bytes of each client that sent some, at least up to the end of its headers. `hung_up` is set once a client is gone.

    `context` is the TLS context, None without TLS. With `tunnel` the server is a proxy and also the host behind it. It listens on `address`.
    A connection is closed after `most` requests.
    """

    def __init__(
        self,
        script: Script,
        context: ssl.SSLContext | None,
        *,
        tunnel: bool = False,
        address: str = "127.0.0.1",
        most: int = 1,
    ) -> None:
        self._script, self._context, self._tunnel, self._most = script, context, tunnel, most
        self._over = threading.Event()
        self.hung_up = threading.Event()
        self.requests: list[bytes] = []
        self.sent = 0
        self._opened = 0
        self._listener = socket.create_server((address, 0))
        self._listener.settimeout(_LONGEST)
        self.host = f"{address}:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)

    def pause(self, seconds: float) -> bool:
        """Wait. Return whether to continue."""
        return not self._over.wait(seconds)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        with suppress(OSError), socket.create_connection(self._listener.getsockname()[:2], timeout=1):
            pass
        self._thread.join(_LONGEST)
        self._listener.close()

    def connections(self) -> int:
        """The number of connections from clients up to now. Our own connection comes last, so all earlier ones are counted."""
        before = self._opened
        with socket.create_connection(self._listener.getsockname()[:2], timeout=_LONGEST) as own:
            own.shutdown(socket.SHUT_WR)
            while own.recv(4096):
                pass
        assert self._opened > before
        self._opened -= 1
        return self._opened

    def _serve(self) -> None:
        while not self._over.is_set():
            with suppress(OSError):
                connection, _address = self._listener.accept()
                with connection:
                    self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        connection.settimeout(_LONGEST)
        if self._over.is_set():
            return
        self._opened += 1
        plain = connection.dup()
        try:
            if self._tunnel:
                self._read(connection)
                connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            if self._context:
                connection = self._context.wrap_socket(connection, server_side=True)
            for _request in range(self._most):
                self._read(connection)
                for piece in self._script(self):
                    connection.sendall(piece)
                    self.sent += len(piece)
        except OSError:
            self.hung_up.set()
            _drain(plain)
        finally:
            with plain, connection, suppress(OSError):
                plain.shutdown(socket.SHUT_RDWR)

    def _read(self, connection: socket.socket) -> None:
        """Read up to the end of the headers, or the first message of a TLS client."""
        request = b""
        while b"\r\n\r\n" not in request and not request.startswith(_CLIENT_HELLO):
            part = connection.recv(4096)
            if not part:
                break
            request += part
        if request:
            self.requests.append(request)


def _drain(plain: socket.socket) -> None:
    """Read the rest. A connection that is closed earlier loses the last TLS alert."""
    with suppress(OSError):
        plain.shutdown(socket.SHUT_WR)
        plain.settimeout(1)
        while plain.recv(4096):
            pass


def answer(*lines: str | bytes, body: bytes = b"") -> Script:
    """A whole answer: the status line, headers, and a body."""
    head = [line.encode() if isinstance(line, str) else line for line in lines]
    return sends(b"\r\n".join([*head, b"", b""]) + body)


def sends(content: bytes) -> Script:
    """Send these bytes, and then end the connection."""
    return lambda _server: [content]


def asks_for(login: str, *, withheld: bytes = b"") -> Script:
    """A registry that gives everything to a login, written as `USER:PASSWORD`, except paths with the text `withheld`."""
    header = b"Authorization: Basic " + base64.b64encode(login.encode())

    def script(server: HostileRegistry) -> Iterator[bytes]:
        request = server.requests[-1]
        if header not in request:
            yield b'HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm="r"\r\nConnection: close\r\n\r\n'
        else:
            is_withheld = bool(withheld) and withheld in request
            yield b"HTTP/1.1 %s\r\nConnection: close\r\n\r\n" % (b"403 No" if is_withheld else b"200 OK")

    return script


def drips(first: bytes, piece: bytes, seconds: float) -> Script:
    """Send `first`, and then a piece at a fixed interval in seconds, for ever."""

    def script(server: HostileRegistry) -> Iterator[bytes]:
        yield first
        while server.pause(seconds):
            yield piece

    return script


@contextmanager
def served(
    script: Script, context: ssl.SSLContext | None, *, tunnel: bool = False, address: str = "127.0.0.1", most: int = 1
) -> Iterator[HostileRegistry]:
    """Run the server until the end of the block."""
    server = HostileRegistry(script, context, tunnel=tunnel, address=address, most=most)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def proxy_by_tls(host: str, context: ssl.SSLContext) -> Iterator[str]:
    """The URL of a proxy that uses TLS itself, for one connection. It connects every request to `host`."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(_LONGEST)
        thread = threading.Thread(target=_tunnelled, args=(listener, context, host))
        thread.start()
        try:
            yield f"https://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            thread.join(_LONGEST)


def _tunnelled(listener: socket.socket, context: ssl.SSLContext, host: str) -> None:
    name, _colon, port = host.partition(":")
    with suppress(OSError):
        plain, _address = listener.accept()
        plain.settimeout(_LONGEST)
        with (
            context.wrap_socket(plain, server_side=True) as client,
            socket.create_connection((name, int(port))) as server,
        ):
            request = b""
            while not request.endswith(b"\r\n\r\n"):
                request += client.recv(4096)
            client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            while True:
                readable = [client] if client.pending() else select.select([client, server], [], [], _LONGEST)[0]
                for one, other in ((client, server), (server, client)):
                    if one in readable:
                        part = one.recv(65536)
                        if not part:
                            return
                        other.sendall(part)
                if not readable:
                    return
