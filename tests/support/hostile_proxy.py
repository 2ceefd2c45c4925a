# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A proxy in front of the lab's API server that handles chosen requests like a broken or hostile server.

Rules choose requests by method, path and position, so that each run meets the same faults.
"""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Union

from support.lab import Lab
from support.proxy import Exchange, Proxy, Reply

__all__ = ["Act", "HostileProxy", "altered", "answered", "cut", "dying", "hanging", "redirected", "refused", "revoked"]

#: An action on one request, which answers it or not.
Act = Callable[["HostileProxy", Exchange], None]
Body = Union[bytes, str, Mapping[str, Any], list[Any], None]

#: The point at which an exchange hangs or is cut. `request`: the API server never sees the request. `answer`: it carries out the
#: request, and the caller gets nothing. `head`: only status and headers. `body`: status, headers and half of the body.
POINTS = ("request", "answer", "head", "body")


@dataclass
class _Rule:
    pattern: re.Pattern[str]
    act: Act
    after: int
    times: float
    seen: int = 0

    def meets(self, request: str) -> bool:
        """Count a matching request. Return whether the rule applies to it."""
        if not self.pattern.search(request):
            return False
        self.seen += 1
        return self.after < self.seen <= self.after + self.times


class HostileProxy(Proxy):
    """`log` holds the requests, `METHOD path`, in the order of arrival.

    `page`: maximum number of objects in one answer to a list, so that even small lists have pages.
    """

    def __init__(self, lab: Lab, *, page: int = 0) -> None:
        super().__init__(lab)
        self.page = page
        self.log: list[str] = []
        self.contents: list[tuple[str, bytes]] = []
        self.revoked: set[str] = set()
        self._rules: list[_Rule] = []
        self._connections, self._silent_after = 0, float("inf")

    def rule(self, pattern: str, act: Act, *, after: int = 0, times: float = float("inf")) -> None:
        """Apply `act` to the requests whose `METHOD path` matches `pattern` (a regular expression): after the first `after` of
        them, and only `times` times. If several rules match a request, the first one is applied, and each of them counts it.
        """
        self._rules.append(_Rule(re.compile(pattern), act, after, times))

    def forget(self) -> None:
        """Forget the rules, the log and the revoked tokens."""
        with self.lock:
            self._rules, self.log, self.contents, self.revoked = [], [], [], set()

    def silent(self, *, after: int = 0) -> None:
        """Accept connections after the first `after` ones, but never answer them."""
        self._silent_after = after

    def asked(self, pattern: str) -> list[str]:
        """The matching requests so far."""
        return [request for request in list(self.log) if re.search(pattern, request)]

    def sent(self, pattern: str) -> list[Any]:
        """The bodies of the matching requests so far."""
        return [json.loads(body) for request, body in list(self.contents) if re.search(pattern, request)]

    def accepted(self, connection: socket.socket) -> bool:
        with self.lock:
            self._connections += 1
            speaks = self._connections <= self._silent_after
        if not speaks:
            self.ended.wait()
        return speaks

    def handle(self, exchange: Exchange) -> None:
        request = f"{exchange.command} {exchange.path}"
        with self.lock:
            self.log.append(request)
            self.contents.append((request, exchange.content))
            # Every rule counts the request, even if another one is applied.
            acts = [rule.act for rule in self._rules if rule.meets(request)]
        if exchange.headers.get("Authorization", "").removeprefix("Bearer ") in self.revoked:
            exchange.answer(UNAUTHORIZED)
        elif acts:
            acts[0](self, exchange)
        else:
            exchange.answer(self.ask(exchange))

    def ask(self, exchange: Exchange) -> Reply:
        if not self.page:
            return exchange.ask()
        return exchange.ask(re.sub(r"\blimit=\d+", f"limit={self.page}", exchange.path))


def answered(status: int, body: Body = None, **headers: str) -> Act:
    """Answer with this without asking the API server. An underscore in a header's name becomes a dash."""
    reply = _reply(status, body, headers)
    return lambda _proxy, exchange: exchange.answer(reply)


def refused(status: int, reason: str, message: str = "", *, details: Any = None, **headers: str) -> Act:
    """A refusal in the API server's format, with any `details`."""
    return answered(status, _status(status, reason, message, details), **headers)


def altered(change: Callable[[Any], Any], status: int = 0) -> Act:
    """Let the API server carry out the request, and change the JSON of its answer. `change` returns the new value, or bytes."""

    def act(proxy: HostileProxy, exchange: Exchange) -> None:
        code, headers, content = proxy.ask(exchange)
        value = change(json.loads(content))
        exchange.answer((status or code, headers, value if isinstance(value, bytes) else json.dumps(value).encode()))

    return act


def redirected(location: str) -> Act:
    return answered(302, "", Location=location)


def cut(point: str, *, by_reset: bool = False) -> Act:
    """End the connection at that point, see `POINTS`."""

    def act(proxy: HostileProxy, exchange: Exchange) -> None:
        _part(proxy, exchange, point)
        exchange.cut(by_reset=by_reset)

    return act


def hanging(point: str, seconds: float) -> Act:
    """Send nothing more after that point. The connection is cut after `seconds`, or when the proxy ends."""

    def act(proxy: HostileProxy, exchange: Exchange) -> None:
        _part(proxy, exchange, point)
        proxy.ended.wait(seconds)
        exchange.cut(by_reset=False)

    return act


def revoked(proxy: HostileProxy, exchange: Exchange) -> None:
    """The token of this request is invalid from now on."""
    with proxy.lock:
        proxy.revoked.add(exchange.headers.get("Authorization", "").removeprefix("Bearer "))
    exchange.answer(UNAUTHORIZED)


def dying(proxy: HostileProxy, exchange: Exchange) -> None:
    """The server is gone for good: its port is closed, and every connection ends."""
    exchange.cut(by_reset=True)
    proxy.die()


def _part(proxy: HostileProxy, exchange: Exchange, point: str) -> None:
    """Run the exchange up to that point."""
    assert point in POINTS, point
    if point == "request":
        return
    head, body = exchange.as_bytes(proxy.ask(exchange))
    sent = {"answer": b"", "head": head, "body": head + body[: len(body) // 2]}[point]
    exchange.wfile.write(sent)


def _reply(status: int, body: Body, headers: Mapping[str, str]) -> Reply:
    """Send text as text, and everything else as JSON."""
    kind = "text/plain" if isinstance(body, str) else "application/json"
    content = body.encode() if isinstance(body, str) else body if isinstance(body, bytes) else json.dumps(body).encode()
    given = {"Content-Type": kind, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return status, list(given.items()), content


def _status(code: int, reason: str, message: str, details: Any) -> dict[str, Any]:
    body = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": code, "reason": reason}
    return {**body, "message": message or reason, "details": details}


UNAUTHORIZED = _reply(401, _status(401, "Unauthorized", "", None), {})
