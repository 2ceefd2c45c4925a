# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A response is read within its limits, over real sockets, on a clock that the test moves."""

from __future__ import annotations

import socket
import threading
from http.client import RemoteDisconnected

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.https.exchange import (
    LimitedResponse,
    Limits,
    OversizedResponse,
    TruncatedResponse,
    current_limits,
)

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def response_to(limits: Limits, sent: bytes) -> tuple[LimitedResponse, socket.socket]:
    """Return a response after its headers, and its socket. The server sends these bytes, and then closes the connection."""
    server, client = socket.socketpair()
    client.settimeout(20.0)
    server.sendall(sent)
    server.close()
    with limits.in_effect():
        response = LimitedResponse(client)
    response.begin()
    return response, client


class TestTime:
    def test_the_time_limit_counts_from_the_beginning(self) -> None:
        clock = Clock()
        limits = Limits(10, clock=clock)
        assert limits.seconds_left() == 10
        clock.now += 4
        assert limits.seconds_left() == 6

    @pytest.mark.parametrize("seconds", [10, 11])
    def test_an_exceeded_time_limit_raises_a_timeout(self, seconds: float) -> None:
        clock = Clock()
        limits = Limits(10, clock=clock)
        clock.now += seconds
        with pytest.raises(TimeoutError) as error:
            limits.seconds_left()
        assert str(error.value) == "timed out"

    def test_the_whole_time_limits_each_part_by_default(self) -> None:
        assert (Limits(10).connect, Limits(10).read) == (10, 10)
        assert (Limits(10, connect=1, read=0).connect, Limits(10, connect=1, read=0).read) == (1, 0)

    @pytest.mark.parametrize(("timeout", "shortened"), [(None, 6.0), (7.0, 6.0), (5.0, 5.0)])
    def test_a_timeout_is_shortened_to_the_time_that_is_left(self, timeout: float | None, shortened: float) -> None:
        clock = Clock()
        limits = Limits(10, clock=clock)
        clock.now += 4
        with socket.socket() as connection:
            connection.settimeout(timeout)
            limits.shorten_timeout(connection)
            assert connection.gettimeout() == shortened

    def test_a_response_that_is_read_later_keeps_the_time_limit(self) -> None:
        clock = Clock()
        response, client = response_to(Limits(10, clock=clock), HEAD + b"body")
        assert client.gettimeout() == 10.0
        clock.now += 10
        response.fp.raw._connection = client
        assert response.read() == b"body", "it has arrived already"
        with pytest.raises(TimeoutError):
            response_to(Limits(0, clock=clock), HEAD)


class TestSize:
    def test_the_whole_size_limit_can_be_used(self) -> None:
        sent = HEAD + b"body"
        response, _client = response_to(Limits(20, len(sent)), sent)
        assert response.read() == b"body"
        with pytest.raises(OversizedResponse) as error:
            response_to(Limits(20, len(sent) - 1), sent)
        assert str(error.value) == "the response is too long"


class TestEnd:
    def test_an_end_before_the_response_is_left_to_the_reader(self) -> None:
        with pytest.raises(RemoteDisconnected):
            response_to(Limits(20), b"")

    @pytest.mark.parametrize(
        "sent",
        [
            b"HTTP/1.1 200",
            b"HTTP/1.1 200 OK\r\nContent-Le",
            HEAD + b"bod",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        ],
    )
    def test_an_end_within_the_response_is_an_error(self, sent: bytes) -> None:
        with pytest.raises(TruncatedResponse) as error:
            response_to(Limits(20), sent)[0].read()
        assert str(error.value) == "the connection was closed in the middle of the response"

    def test_a_response_without_a_length_ends_with_the_connection(self) -> None:
        response, _client = response_to(Limits(20), b"HTTP/1.1 200 OK\r\n\r\nbody")
        assert response.read() == b"body"


class TestEffect:
    def test_limits_are_in_effect_in_the_block_of_one_thread(self) -> None:
        limits, seen = Limits(1), []
        with limits.in_effect():
            thread = threading.Thread(target=lambda: seen.append(current_limits()))
            thread.start()
            thread.join()
            assert (current_limits(), seen) == (limits, [None])
            with Limits(2).in_effect():
                assert current_limits() is not limits
            assert current_limits() is limits
        assert current_limits() is None

    def test_a_response_without_limits_is_read_as_usual(self) -> None:
        server, client = socket.socketpair()
        server.sendall(HEAD + b"body")
        server.close()
        response = LimitedResponse(client)
        response.begin()
        assert response.read() == b"body"
