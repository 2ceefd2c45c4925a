# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The limits count the remaining time and size of an answer, on a clock that the test moves."""

from __future__ import annotations

import socket
import ssl
import time
from pathlib import Path

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.https.limits import (
    Limits,
    OversizedResponse,
    TruncatedResponse,
    limit_context,
)
from support.certificates import server_context, write_certificate
from support.hostile_registry import answer, drips, served


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


class TestTime:
    def test_the_time_limit_counts_from_the_beginning(self) -> None:
        clock = Clock()
        limits = Limits(10, 1, clock)
        assert limits.seconds_left() == 10
        clock.now += 4
        assert limits.seconds_left() == 6

    @pytest.mark.parametrize("seconds", [10, 11])
    def test_an_exceeded_time_limit_raises_a_timeout(self, seconds: float) -> None:
        clock = Clock()
        limits = Limits(10, 1, clock)
        clock.now += seconds
        with pytest.raises(TimeoutError) as error:
            limits.seconds_left()
        assert str(error.value) == "timed out"


class TestSize:
    def test_the_whole_size_limit_can_be_used(self) -> None:
        limits = Limits(1, 10)
        assert [limits.count(4), limits.count(6)] == [4, 6]
        with pytest.raises(OversizedResponse) as error:
            limits.count(1)
        assert str(error.value) == "the response is too long"

    def test_an_end_before_the_answer_is_left_to_the_reader(self) -> None:
        assert Limits(1, 10).count(0) == 0

    def test_an_end_within_the_answer_is_cut_off(self) -> None:
        limits = Limits(1, 10)
        limits.count(1)
        with pytest.raises(TruncatedResponse) as error:
            limits.count(0)
        assert str(error.value) == "the connection was closed in the middle of the response"


class TestConnection:
    """The timeout of the socket itself is far longer."""

    @staticmethod
    def connected(host: str, limits: Limits, certificate: str | None = None) -> ssl.SSLSocket:
        context = limit_context(ssl.create_default_context(cafile=certificate), limits)
        name, _colon, port = host.partition(":")
        with socket.create_connection((name, int(port)), timeout=60) as plain:
            return context.wrap_socket(plain, server_hostname=name)

    def test_a_handshake_keeps_the_time_limit(self) -> None:
        with served(drips(b"", b"", 0.05), None) as server:
            started = time.monotonic()
            with pytest.raises(TimeoutError):
                self.connected(server.host, Limits(0.2, 1))
            assert time.monotonic() - started < 30

    def test_the_handshake_ends_before_any_data_is_sent(self, tmp_path: Path) -> None:
        certificate = write_certificate(tmp_path / "server.pem")
        with served(answer("HTTP/1.1 200 OK"), server_context(certificate)) as server:
            limits = Limits(60, 10)
            with self.connected(server.host, limits, certificate) as found:
                assert found.version() is not None
                found.sendall(b"GET / HTTP/1.1\r\n\r\n")
                buffer = bytearray(10)
                assert (found.recv_into(buffer), bytes(buffer)) == (10, b"HTTP/1.1 2")
                with pytest.raises(OversizedResponse):
                    found.recv_into(buffer)
