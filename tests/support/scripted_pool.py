# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A connection with scripted requests: each request is expected, and an additional one fails the test.

It replaces the client's connection pool, so that the tested code uses HTTP: method, URL, headers, bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.workers import Threads

__all__ = ["HOST", "Answer", "Clock", "ScriptedConnection", "ScriptedPool", "status_object"]

HOST = "https://api.example.com:6443"


@dataclass
class Clock:
    """Time that passes only during a sleep. `slept` are the pauses."""

    seconds: float = 1000.0
    slept: list[float] = field(default_factory=list)
    threads: Threads = field(default_factory=Threads)

    def now(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds


@dataclass
class Answer:
    """A server's answer. A `body` of bytes is sent unchanged, and any other body as JSON."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    position: int = field(default=0, compare=False)

    @property
    def data(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        return b"" if self.body is None else json.dumps(self.body).encode()

    def read(self, amount: int, decode_content: bool = True) -> bytes:
        """Read the next bytes, like urllib3. A `body` without end is a function of `amount`."""
        assert not decode_content
        if callable(self.body):
            return self.body(amount)  # type: ignore[no-any-return]
        part = self.data[self.position : self.position + amount]
        self.position += len(part)
        return part

    def stream(self, amount: int, decode_content: bool = True) -> Iterator[bytes]:
        """Stream a continuing answer piece by piece. A `body` that is a list is sent part by part, and an exception in it is raised."""
        assert not decode_content
        for part in self.body if isinstance(self.body, list) else [self.data]:
            if isinstance(part, Exception):
                raise part
            yield part

    def release_conn(self) -> None:
        """Do nothing: no connection is held."""

    close = release_conn


def status_object(code: int, reason: str = "", message: str = "", **details: Any) -> Answer:
    """A refusal in the API server's format."""
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason}
    return Answer(code, {**body, "message": message or reason, **({"details": details} if details else {})})


@dataclass
class Request:
    """One sent request. `path` includes the query."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any
    timeout: Any = None


class ScriptedPool:
    """Answers the expected requests in their order.

    `script` holds pairs of an expected request, such as `GET /api/v1/namespaces`, and its answer: an `Answer`, an exception to
    raise, or a function of the request. The client sends `GET /readyz` before it gives up a cluster. This request is not part of
    a script: `probe` answers it, and `probes` are these requests.
    """

    def __init__(self, *script: tuple[str, Any], probe: Any = None) -> None:
        self.script = list(script)
        self.probe = Answer(503) if probe is None else probe
        self.requests: list[Request] = []
        self.probes: list[Request] = []

    def request_encode_url(self, method: str, url: str, **keywords: Any) -> Answer:
        if not url.startswith(HOST):
            pytest.fail(f"requested {url}")
        body = keywords.get("body")
        path = url[len(HOST) :]
        request = Request(
            method,
            path,
            dict(keywords.get("headers") or {}),
            json.loads(body) if body else None,
            keywords.get("timeout"),
        )
        if (method, path) == ("GET", "/readyz"):
            self.probes.append(request)
            return self._given(self.probe, request)
        self.requests.append(request)
        # Not an assertion, because the client turns every unknown exception into a message of one line.
        if not self.script:
            pytest.fail(f"one request too many: {method} {path}")
        awaited, answer = self.script.pop(0)
        if f"{method} {path}" != awaited:
            pytest.fail(f"requested {method} {path}, awaited {awaited}")
        return self._given(answer, request)

    def _given(self, answer: Any, request: Request) -> Answer:
        if isinstance(answer, Exception):
            raise answer
        found: Answer = answer(request) if callable(answer) else answer
        return replace(found, position=0)

    def done(self) -> None:
        """Fail if an expected request was not sent."""
        assert self.script == [], "not requested"


@dataclass
class ScriptedConnection:
    """The part of a connection that the client needs. `renewals` are the tokens of renewed logins, in order."""

    pool: Any
    host: str = HOST
    token: str = "token-1"
    renewals: list[str] = field(default_factory=list)
    renewed: int = 0
    has_proxy_login: bool = False

    @property
    def cluster_section(self) -> dict[str, Any]:
        return {"server": self.host, "tls-server-name": "api"}

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def renew(self, _stale: Mapping[str, str] | None = None) -> bool:
        """Whether another login exists than the refused one."""
        self.renewed += 1
        if not self.renewals:
            return False
        self.token = self.renewals.pop(0)
        return True
