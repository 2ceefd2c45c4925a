# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""OpenShift Cluster Manager and its token service on 127.0.0.1, over TLS, as their API is documented.

github.com/openshift-online/ocm-sdk-go: authentication/transport_wrapper.go for the token, accountsmgmt/v1 for the pull secret.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Union
from urllib.parse import parse_qs

from support.certificates import server_context
from support.objects import b64

TOKEN_PATH = "/auth/realms/redhat-external/protocol/openid-connect/token"
API_PATH = "/api/accounts_mgmt/v1/access_token"

OFFLINE_TOKEN = "eyJhbGciOiJIUzUxMiJ9.canary-offline-token-4711.sig"
CLIENT_ID = "account-of-machines-0815"
CLIENT_SECRET = "canary-client-secret-1984"
ACCESS_TOKEN = "eyJhbGciOiJSUzI1NiJ9.canary-access-token-2001.sig"


def login(user: str, password: str) -> str:
    return b64(f"{user}:{password}")


#: The passwords of the account's pull secret, by host.
PASSWORDS = {
    "cloud.openshift.com": "canary-telemetry-token-aaaa",
    "quay.io": "canary-quay-token-bbbb",
    "registry.connect.redhat.com": "eyJ0.canary-connect-token-cccc",
    "registry.redhat.io": "eyJ0.canary-redhat-token-dddd",
}
EMAIL = "developer@example.com"


def entry(host: str, password: str = "", email: str = EMAIL) -> dict[str, str]:
    """An entry of the account's pull secret, by default with the host's own password."""
    return {"auth": login(f"|uhc-pool-{host}", password or PASSWORDS[host]), "email": email}


def account(**others: Any) -> dict[str, Any]:
    """The account's docker config."""
    return {"auths": {host: entry(host) for host in PASSWORDS}, **others}


def secrets() -> set[str]:
    """The secrets that must not appear anywhere: each credential, and each `auth`."""
    auths = {entry["auth"] for entry in account()["auths"].values()}
    return {OFFLINE_TOKEN, CLIENT_SECRET, ACCESS_TOKEN, *PASSWORDS.values(), *auths}


@dataclass(frozen=True)
class Asked:
    """A received request."""

    path: str
    headers: Mapping[str, str]
    body: str

    @property
    def form(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(self.body).items()}


#: Status, headers and body of an answer, or bytes. After bytes, the connection is closed.
Answer = Union[tuple[int, Mapping[str, str], bytes], bytes]


def answer(status: int, body: Any, **headers: str) -> Answer:
    return status, {"Content-Type": "application/json", **headers}, json.dumps(body).encode()


def error(status: int, reason: str, code: str = "") -> Answer:
    """An error in OCM's format."""
    body = {
        "kind": "Error",
        "id": str(status),
        "href": f"/api/accounts_mgmt/v1/errors/{status}",
        "code": code or f"ACCT-MGMT-{status}",
        "reason": reason,
        "operation_id": "0123",
    }
    return answer(status, body)


@dataclass
class Ocm:
    """`answers` replaces documented answers, by path."""

    content: Any = field(default_factory=account)
    answers: dict[str, Union[Answer, Callable[[Asked], Answer]]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    host: str = ""
    over: threading.Event = field(default_factory=threading.Event)

    def hang(self, _asked: Asked) -> Answer:
        """Do not answer until the test ends."""
        self.over.wait(20)
        return b""

    @property
    def options(self) -> dict[str, str]:
        """The module's options for this service, without the login and the authority."""
        return {"api_url": f"https://{self.host}", "token_url": f"https://{self.host}{TOKEN_PATH}"}

    def answer(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        given = self.answers.get(asked.path)
        if given is not None:
            return given(asked) if callable(given) else given
        if asked.path == TOKEN_PATH:
            return _token(asked)
        if asked.path != API_PATH:
            return error(404, f"The requested resource '{asked.path}' doesn't exist")
        if asked.headers.get("authorization") != f"Bearer {ACCESS_TOKEN}":
            return error(401, "Bearer token can't be verified")
        return answer(200, self.content)


def _token(asked: Asked) -> Answer:
    """Answer a token request as in RFC 6749, with Keycloak's refusals."""
    form = asked.form
    granted = answer(
        200, {"access_token": ACCESS_TOKEN, "expires_in": 900, "token_type": "Bearer", "refresh_token": OFFLINE_TOKEN}
    )
    if form.get("grant_type") == "refresh_token" and form.get("client_id") == "cloud-services":
        if form.get("refresh_token") == OFFLINE_TOKEN:
            return granted
        return answer(400, {"error": "invalid_grant", "error_description": "Offline user session not found"})
    client = form.get("grant_type"), form.get("client_id"), asked.headers.get("authorization")
    if client == ("client_credentials", CLIENT_ID, f"Basic {login(CLIENT_ID, CLIENT_SECRET)}"):
        return granted
    return answer(
        401, {"error": "unauthorized_client", "error_description": "Invalid client or Invalid client credentials"}
    )


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    ocm: Ocm

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        headers = {name.lower(): value for name, value in self.headers.items()}
        given = self.ocm.answer(Asked(self.path, headers, body))
        if isinstance(given, bytes):
            self.close_connection = True
            with suppress(OSError):
                self.wfile.write(given)
            return
        status, sent, content = given
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **sent}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def do_GET(self) -> None:
        """Refuse GET, which the API does not offer for this resource."""
        self.ocm.asked.append(Asked(self.path, {}, "GET"))
        self.send_error(405)

    def log_message(self, *_arguments: Any) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_arguments: Any) -> None:
        """Ignore a client that ends a handshake or an answer: tests do so on purpose."""


@contextmanager
def ocm_service(certificate: str) -> Iterator[Ocm]:
    """Run the service until the end of the block."""
    ocm = Ocm()
    handler = type("Handler", (_Handler,), {"ocm": ocm})
    server = _Server(("127.0.0.1", 0), handler)
    server.socket = server_context(certificate).wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False
    )
    ocm.host = f"127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield ocm
    finally:
        ocm.over.set()
        server.shutdown()
        thread.join(20)
        server.server_close()
