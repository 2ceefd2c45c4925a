# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replace OpenShift Cluster Manager: serve an account's pull secret, with a login of the lab's private registry.

usage: ocm.py DIR

DIR is the directory of a running lab. The server ends with the lab. DIR/ocm.json contains its address and the token.
"""

from __future__ import annotations

import base64
import json
import secrets
import ssl
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

TOKEN_PATH = "/token"
API_PATH = "/api/accounts_mgmt/v1/access_token"
#: Seconds until the server must be ready.
PATIENCE = 60


def main() -> int:
    verb, directory = ("start", Path(sys.argv[-1])) if len(sys.argv) == 2 else (sys.argv[1], Path(sys.argv[-1]))
    if verb == "serve":
        return serve(directory)
    (directory / "ocm.json").unlink(missing_ok=True)
    with (directory / "logs" / "ocm.log").open("wb") as log:
        command = [sys.executable, __file__, "serve", str(directory)]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    until = time.monotonic() + PATIENCE
    while not (directory / "ocm.json").exists():
        if process.poll() is not None or time.monotonic() > until:
            process.terminate()
            sys.exit(
                f"ocm.py: the server did not start: {(directory / 'logs' / 'ocm.log').read_text(encoding='utf-8')}"
            )
        time.sleep(0.05)
    return 0


def serve(directory: Path) -> int:
    """Serve requests until the lab ends."""
    account = json.loads((directory / "lab.json").read_text(encoding="utf-8"))["registries"]["private"]
    login = account["accounts"][0]
    auth = base64.b64encode(f"{login['username']}:{login['password']}".encode()).decode()
    offline, access = secrets.token_hex(), secrets.token_hex()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            if self.path == TOKEN_PATH and f"refresh_token={offline}" in body.split("&"):
                self.answer(200, {"access_token": access, "expires_in": 900, "token_type": "Bearer"})
            elif self.path == API_PATH and self.headers.get("Authorization") == f"Bearer {access}":
                self.answer(200, {"auths": {account["host"]: {"auth": auth, "email": "developer@example.com"}}})
            else:
                self.answer(401, {"error": "invalid_grant"})

        def answer(self, status: int, body: dict[str, Any]) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    server = HTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / "pki" / "server.crt", directory / "pki" / "server.key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.timeout = 1
    made, ready = directory / "ocm.tmp", directory / "ocm.json"
    made.touch(mode=0o600)
    made.write_text(json.dumps({"url": f"https://127.0.0.1:{server.server_port}", "offline_token": offline}))
    made.rename(ready)
    while ready.exists():
        server.handle_request()
    return 0


if __name__ == "__main__":
    sys.exit(main())
