# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A registry on a loopback address that serves every repository to each of its users, over TLS."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from support.certificates import loopback_certificate, server_context

__all__ = ["SmallRegistry", "small_registry"]

_TYPE = "application/vnd.oci.image.manifest.v1+json"
_BODY = json.dumps({"schemaVersion": 2, "mediaType": _TYPE, "layers": []}).encode()


@dataclass
class SmallRegistry:
    """`users` have the password `p`. A repository that begins with `public` needs no login. `asked` are the paths of all requests."""

    host: str = ""
    users: set[str] = field(default_factory=lambda: {"u"})
    asked: list[str] = field(default_factory=list)

    def is_allowed(self, path: str, authorization: str | None) -> bool:
        if path.startswith("/v2/public"):
            return authorization is None or self._knows(authorization)
        return authorization is not None and self._knows(authorization)

    def _knows(self, authorization: str) -> bool:
        user, _colon, password = base64.b64decode(authorization.rpartition(" ")[2]).decode().partition(":")
        return user in self.users and password == "p"


@contextmanager
def small_registry() -> Iterator[SmallRegistry]:
    """Yield a registry that runs. Its certificate is that of `loopback_certificate`."""
    registry = SmallRegistry()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer(_BODY)

        def do_HEAD(self) -> None:
            self._answer(b"")

        def _answer(self, body: bytes) -> None:
            registry.asked.append(self.path)
            if registry.is_allowed(self.path, self.headers.get("Authorization")):
                self.send_response(200)
                self.send_header("Content-Type", _TYPE)
            else:
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="small"')
                body = b""
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.socket = server_context(loopback_certificate()).wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False
    )
    registry.host = f"127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield registry
    finally:
        server.shutdown()
        server.server_close()
