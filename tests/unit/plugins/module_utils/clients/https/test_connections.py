# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests are sent in one piece on every kind of connection. test_transport.py tests the guard of addresses."""

from __future__ import annotations

from typing import Any

import pytest
import urllib3
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.https.connections import (
    LimitedConnection,
    TlsConnection,
    open_pool,
)


class Socket:
    """Records the pieces in which data is sent."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def sendall(self, data: bytes) -> None:
        self.sent.append(data)

    def settimeout(self, _seconds: float) -> None:
        """Every operation is immediate."""


@pytest.fixture
def connection() -> Any:
    opened = LimitedConnection("a.example.com")
    opened.sock = Socket()  # type: ignore[assignment]
    return opened


class TestConnection:
    def test_headers_and_body_are_sent_in_one_piece(self, connection: Any) -> None:
        connection.request("POST", "/a", body=b"body", headers={"X-Y": "z"})
        (sent,) = connection.sock.sent
        assert sent.startswith(b"POST /a HTTP/1.1\r\n")
        assert b"\r\nX-Y: z\r\n" in sent
        assert sent.endswith(b"\r\n\r\nbody")

    def test_data_outside_a_request_is_sent_at_once(self, connection: Any) -> None:
        """This is how a tunnel is opened."""
        connection.send(b"CONNECT")
        connection.request("GET", "/a")
        connection.send(b"x")
        sent = connection.sock.sent
        assert (sent[0], len(sent), sent[2]) == (b"CONNECT", 3, b"x")

    def test_a_request_that_fails_on_the_way_sends_nothing(self, connection: Any) -> None:
        with pytest.raises(ValueError, match="Invalid header value"):
            connection.request("POST", "/a", body=b"body", headers={"X-Y": "a\nb"})
        assert connection.sock.sent == []
        connection.send(b"x")
        assert connection.sock.sent == [b"x"]


class TestPool:
    @pytest.mark.parametrize("proxy", ["", "http://127.0.0.1:2"])
    def test_a_pool_opens_our_connections_and_leaves_others_alone(self, proxy: str) -> None:
        pool, other = open_pool(None, proxy=proxy), urllib3.PoolManager()
        assert pool.connection_from_url("http://127.0.0.1:1").ConnectionCls is LimitedConnection
        assert pool.connection_from_url("https://127.0.0.1:1").ConnectionCls is TlsConnection
        assert other.connection_from_url("https://127.0.0.1:1").ConnectionCls is not TlsConnection

    def test_a_pool_keeps_the_given_number_of_connections(self) -> None:
        assert open_pool(None, connections=3).connection_pool_kw["maxsize"] == 3
        assert open_pool(None).connection_pool_kw["maxsize"] == 1
