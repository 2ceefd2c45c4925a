# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A request over real sockets gives a complete answer or an error if the answer is cut, is endless or never comes."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.client import RemoteDisconnected
from typing import Any

import pytest
import urllib3
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.https.connections import open_pool
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.https.exchange import (
    HttpResponse,
    TruncatedResponse,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.errors import (
    ClusterError,
    ConnectError,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.requester import (
    BrokenConnection,
    Health,
    Lines,
    Lost,
    NotSent,
    OversizedApiResponse,
    Unusable,
    send_api_request,
    stream_lines,
)
from support.scripted_pool import Clock
from urllib3.exceptions import (
    ConnectTimeoutError,
    LocationParseError,
    NewConnectionError,
    ProtocolError,
    ProxyError,
    ReadTimeoutError,
    SSLError,
)

TLS_REFUSED = "the server refuses the client's certificate. Give one that it trusts in 'client_cert' and 'client_key'"

TLS_NONE = "the server does not use TLS on this port. Check the port (a cluster without TLS is not supported)"


def tls(reason: str) -> SSLError:
    """An error of the TLS library, as urllib3 wraps it."""
    error = ssl.SSLError(1, f"[SSL: {reason}] reason (_ssl.c:1000)")
    error.reason = reason
    return SSLError(error)


def untrusted(number: int, message: str) -> SSLError:
    """A certificate that is not accepted, with the number and the message of OpenSSL."""
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code, error.verify_message = number, message
    return SSLError(error)


def wrapping(outer: Exception, inner: BaseException) -> Exception:
    outer.__cause__ = inner
    return outer


@contextmanager
def server(*answers: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """Answers the requests of one connection in order, then closes it. Yields the URL and the received requests."""
    received: list[bytes] = []

    def serve(listening: socket.socket) -> None:
        connection = listening.accept()[0]
        with connection:
            for answer in answers:
                received.append(request_on(connection))
                connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, args=(listening,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", received
        thread.join(10)


def request_on(connection: socket.socket) -> bytes:
    data = connection.recv(65536)
    while b"Content-Length: 4" in data and not data.endswith(b"body"):
        data += connection.recv(65536)
    return data


@pytest.fixture
def pool() -> Iterator[urllib3.PoolManager]:
    with open_pool(None) as manager:
        yield manager


def http(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


class TestAnswer:
    def test_send_returns_status_body_and_headers(self, pool: Any) -> None:
        with server(http(b"busy", "Retry-After: 3", "Location: /x", status="503 No")) as (url, received):
            answer = send_api_request(pool, "PATCH", f"{url}/a?b=c", {"X-Y": "z"}, b"body")
        assert (answer.status, answer.body) == (503, b"busy")
        assert (answer.header("Retry-After"), answer.header("Location")) == ("3", "/x")
        head, body = received[0].split(b"\r\n\r\n", 1)
        assert head.startswith(b"PATCH /a?b=c HTTP/1.1\r\n")
        assert b"\r\nX-Y: z" in head
        assert body == b"body"

    def test_missing_headers_are_empty(self, pool: Any) -> None:
        with server(http(b"")) as (url, _received):
            assert send_api_request(pool, "GET", url, {}, None) == HttpResponse(200, [("Content-Length", "0")])

    def test_the_connection_serves_the_next_request(self, pool: Any) -> None:
        chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"
        with server(chunked, http(b"two"), http(b"three")) as (url, received):
            assert [send_api_request(pool, "GET", url, {}, None).body for _request in range(3)] == [
                b"ab",
                b"two",
                b"three",
            ]
        assert len(received) == 3


class TestSize:
    def test_an_answer_over_the_largest_size_is_refused(self, pool: Any) -> None:
        with server(http(b"12345")) as (url, _received), pytest.raises(OversizedApiResponse):
            send_api_request(pool, "GET", url, {}, None, most=4)

    def test_an_endless_answer_is_not_read_to_its_end(self, pool: Any) -> None:
        chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
        stopped = threading.Event()

        def serve(listening: socket.socket) -> None:
            with listening.accept()[0] as connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                try:
                    while True:
                        connection.sendall(chunk)
                except OSError:
                    stopped.set()

        with socket.create_server(("127.0.0.1", 0)) as listening:
            threading.Thread(target=serve, args=(listening,), daemon=True).start()
            with pytest.raises(OversizedApiResponse):
                send_api_request(
                    pool, "GET", f"http://127.0.0.1:{listening.getsockname()[1]}", {}, None, most=1_000_000
                )
            assert stopped.wait(10), "the connection is still open"

    def test_the_largest_size_is_a_quarter_of_a_gigabyte(self) -> None:
        asked: list[int] = []
        pool = Pool(answer_of=lambda amount: asked.append(amount) or b"")
        send_api_request(pool, "GET", "http://a", {}, None)
        assert asked == [256 * 1024 * 1024 + 1]


class Response:
    status = 200
    headers: dict[str, str] = {}

    def __init__(self, answer_of: Callable[[int], bytes]) -> None:
        self.answer_of = answer_of

    def read(self, amount: int, decode_content: bool) -> bytes:
        return self.answer_of(amount)

    def release_conn(self) -> None:
        """There is no connection to release."""


class Pool:
    """Raises, or answers with a function's result for the awaited size. `keywords` are those of the request."""

    def __init__(self, error: Exception | None = None, answer_of: Callable[[int], bytes] = lambda _amount: b"") -> None:
        self.error, self.answer_of = error, answer_of
        self.keywords: dict[str, Any] = {}

    def request_encode_url(self, method: str, url: str, **keywords: Any) -> Response:
        self.keywords = {"method": method, "url": url, **keywords}
        if self.error:
            raise self.error
        return Response(self.answer_of)


def test_a_request_waits_for_a_bounded_time() -> None:
    pool = Pool()
    send_api_request(pool, "GET", "http://a", {"b": "c"}, None)
    timeout = pool.keywords["timeout"]
    assert (timeout.connect_timeout, timeout.read_timeout) == (10.0, 60.0)


def endless() -> Exception:
    first, second = OSError("first"), ProtocolError("second")
    first.__cause__, second.__cause__ = second, first
    return second


class TestFailures:
    @pytest.mark.parametrize(
        ("error", "kind", "text"),
        [
            (wrapping(NewConnectionError(None, ""), OSError(111, "refused")), NotSent, "refused"),  # type: ignore[arg-type]
            (
                NewConnectionError(None, "Failed to establish a new connection: [Errno 111] refused"),  # type: ignore[arg-type]
                NotSent,
                "None: refused",
            ),
            (
                ProtocolError("<urllib3.connection.HTTPSConnection object at 0x7f>: reason"),
                Lost,
                "reason",
            ),
            (wrapping(ConnectTimeoutError(None, ""), TimeoutError("slow")), NotSent, "slow"),
            (
                ProxyError("no", OSError("Tunnel connection failed: 407 no")),
                NotSent,
                "no connection through the proxy: Tunnel connection failed: 407 no",
            ),
            (ProxyError("Cannot connect to proxy.", ConnectionResetError(104, "reset by peer")), Lost, "reset by peer"),
            (ProxyError("Cannot connect to proxy.", TruncatedResponse("in the middle")), Lost, "in the middle"),
            (ProxyError("Cannot connect to proxy.", TimeoutError("timed out")), Lost, "timed out"),
            (ProtocolError("Connection aborted.", RemoteDisconnected("no answer")), Lost, "no answer"),
            (ProtocolError("Connection aborted.", ConnectionResetError(104, "reset by peer")), Lost, "reset by peer"),
            (wrapping(ReadTimeoutError(None, "", ""), TimeoutError("timed out")), Lost, "timed out"),  # type: ignore[arg-type]
            (OSError(5, "odd"), Lost, "odd"),
            (OSError(), Lost, "OSError"),
            (ProtocolError("bad\r\nstatus \x1b line " + "x" * 400), Lost, "bad status line …"),
            (wrapping(SSLError("s"), ssl.SSLEOFError(8, "[SSL: EOF] cut (_ssl.c:1)")), Lost, "cut"),
            (SSLError(ssl.SSLZeroReturnError(6, "closed")), Lost, "closed"),
            (SSLError(ssl.SSLSyscallError(5, "broken")), Lost, "broken"),
            (
                untrusted(18, "self-signed certificate"),
                Unusable,
                "certificate verify failed: self-signed certificate. Give the cluster's certificate authority in 'ca_cert' or the "
                "kubeconfig",
            ),
            (
                untrusted(64, "IP address mismatch."),
                Unusable,
                "certificate verify failed: IP address mismatch. Give the cluster by a name or address that the certificate contains, in "
                "'host' or as 'server' in the kubeconfig",
            ),
            (
                tls("TLSV1_ALERT_DECODE_ERROR"),
                Unusable,
                "the TLS connection failed (TLSV1_ALERT_DECODE_ERROR). Check the port and the cluster's TLS settings",
            ),
            (tls("TLSV13_ALERT_CERTIFICATE_REQUIRED"), Unusable, TLS_REFUSED),
            (tls("TLSV1_ALERT_UNKNOWN_CA"), Unusable, TLS_REFUSED),
            (tls("WRONG_VERSION_NUMBER"), Unusable, TLS_NONE),
            (
                ValueError("Invalid header value b'Bearer secret'"),
                Unusable,
                "the address or the login contains characters that HTTP cannot send. Remove line ends and similar characters",
            ),
            (
                LocationParseError("http://user:secret@"),
                Unusable,
                "the address or the login contains characters that HTTP cannot send. Remove line ends and similar characters",
            ),
            (RuntimeError("secret"), BrokenConnection, "the HTTP library failed with RuntimeError"),
            (
                wrapping(KeyError("k"), AttributeError("secret")),
                BrokenConnection,
                "the HTTP library failed with AttributeError",
            ),
            (endless(), Lost, "first"),
        ],
        ids=lambda value: value.__class__.__name__ if isinstance(value, Exception) else "",
    )
    def test_each_error_of_the_library_has_its_kind_and_text(
        self, error: Exception, kind: type[Exception], text: str
    ) -> None:
        with pytest.raises(Exception) as caught:
            send_api_request(Pool(error), "GET", "http://a", {}, None)
        assert (caught.type, str(caught.value)) == (kind, text)
        assert caught.value.__suppress_context__

    def test_an_interruption_is_not_a_failure(self) -> None:
        with pytest.raises(KeyboardInterrupt):
            send_api_request(Pool(KeyboardInterrupt()), "GET", "http://a", {}, None)  # type: ignore[arg-type]

    def test_a_refused_connection_means_not_sent(self, pool: Any) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{free.getsockname()[1]}"
            with pytest.raises(NotSent, match=r"^Connection refused$"):
                send_api_request(pool, "GET", url, {}, None)

    @pytest.mark.parametrize(
        "answer",
        [
            b"",
            b"garbage\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        ],
    )
    def test_a_cut_or_malformed_answer_is_lost(self, pool: Any, answer: bytes) -> None:
        with server(answer) as (url, _received), pytest.raises(Lost):
            send_api_request(pool, "GET", url, {}, None)

    def test_a_header_with_a_line_end_is_unusable(self, pool: Any) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listening, pytest.raises(Unusable, match="HTTP cannot send"):
            send_api_request(
                pool, "GET", f"http://127.0.0.1:{listening.getsockname()[1]}", {"Authorization": "Bearer a\nb"}, None
            )


class TestDrips:
    """Single bytes, each well within the time limit for one read. The whole answer takes three seconds."""

    BODY = b"x" * 60

    def dripped(
        self, pool: Any, head: bytes, drops: bytes, tail: bytes = b"", *, seconds: float = 0.2, ask: Any = None
    ) -> Any:
        def serve(listening: socket.socket) -> None:
            with listening.accept()[0] as connection:
                connection.recv(65536)
                with suppress(OSError):
                    connection.sendall(head)
                    for drop in drops:
                        time.sleep(0.05)
                        connection.sendall(bytes([drop]))
                    connection.sendall(tail)

        with socket.create_server(("127.0.0.1", 0)) as listening:
            threading.Thread(target=serve, args=(listening,), daemon=True).start()
            url = f"http://127.0.0.1:{listening.getsockname()[1]}"
            return ask(url) if ask else send_api_request(pool, "GET", url, {}, None, seconds=seconds)

    @pytest.mark.parametrize(
        ("head", "drops", "tail"),
        [
            (b"HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n", BODY, b""),
            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3c\r\n", BODY, b"\r\n0\r\n\r\n"),
        ],
    )
    def test_an_answer_that_takes_too_long_is_lost(self, pool: Any, head: bytes, drops: bytes, tail: bytes) -> None:
        with pytest.raises(Lost, match="timed out"):
            self.dripped(pool, head, drops, tail)

    def test_an_answer_that_ends_in_time_is_returned(self, pool: Any) -> None:
        """The whole answer may take longer than one read."""
        head = b"HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n"
        assert self.dripped(pool, head, self.BODY, seconds=2.0).body == self.BODY

    def test_a_line_that_never_ends_is_lost(self, pool: Any) -> None:
        """The server begins a line and never ends it."""

        def ask(url: str) -> Any:
            return [*stream_lines(pool, url, {}, seconds=0.2, most=100, goes_on=lambda: True)]

        with pytest.raises(Lost, match="timed out"):
            self.dripped(pool, b"HTTP/1.1 200 OK\r\n\r\n", self.BODY, b"\n", ask=ask)


def chunked(*parts: bytes, end: bool = True) -> bytes:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunks = [f"{len(part):x}\r\n".encode() + part + b"\r\n" for part in parts]
    return b"".join([head, *chunks, b"0\r\n\r\n" if end else b""])


class TestLines:
    """An answer that is read line by line."""

    def lines(self, pool: Any, url: str, **options: Any) -> Any:
        usual = {"seconds": 20.0, "most": 100, "goes_on": lambda: True}
        return stream_lines(pool, url, {"X-Y": "z"}, **{**usual, **options})

    def test_lines_are_yielded_one_by_one_across_chunks(self, pool: Any) -> None:
        with server(chunked(b"on", b"e\ntwo\nth", b"ree\n", b"\n")) as (url, received):
            found = self.lines(pool, url)
            assert isinstance(found, Lines)
            assert [*found] == [b"one", b"two", b"three", b""]
            found.close()
        assert received[0].startswith(b"GET / HTTP/1.1\r\n")
        assert b"\r\nX-Y: z" in received[0]

    def test_each_line_is_yielded_as_soon_as_it_is_complete(self, pool: Any) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            accepted: list[socket.socket] = []

            def serve() -> None:
                accepted.append(listening.accept()[0])
                accepted[0].recv(65536)
                accepted[0].sendall(chunked(b"one\ntw", end=False))

            threading.Thread(target=serve, daemon=True).start()
            found = self.lines(pool, f"http://127.0.0.1:{listening.getsockname()[1]}")
            iterator = iter(found)
            assert next(iterator) == b"one"
            accepted[0].sendall(b"3\r\no\n.\r\n")
            assert next(iterator) == b"two"
            found.close()
            accepted[0].close()

    def test_an_answer_that_is_not_a_success_is_returned_as_a_whole(self, pool: Any) -> None:
        with server(http(b"gone", status="410 Gone")) as (url, _received):
            assert self.lines(pool, url) == HttpResponse(410, [("Content-Length", "4")], b"gone")

    @pytest.mark.parametrize(
        ("answer", "kind"),
        [
            (chunked(b"one\ntwo"), Lost),
            (chunked(b"one\ntwo", end=False), Lost),
            (chunked(b"one\n", end=False), Lost),
            (chunked(b"one\n", end=False) + b"zz\r\n", Lost),
            (chunked(b"one\n", b"x" * 101), OversizedApiResponse),
        ],
    )
    def test_lines_with_a_bad_end_raise_an_error(self, pool: Any, answer: bytes, kind: type[Exception]) -> None:
        with server(answer) as (url, _received):
            found = iter(self.lines(pool, url))
            assert next(found) == b"one"
            with pytest.raises(kind):
                next(found)

    def test_a_silent_server_is_lost_after_the_timeout(self, pool: Any) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            threading.Thread(
                target=lambda: listening.accept()[0].sendall(chunked(b"one\n", end=False)), daemon=True
            ).start()
            with pytest.raises(Lost):
                [*self.lines(pool, f"http://127.0.0.1:{listening.getsockname()[1]}", seconds=0.2)]

    def test_lines_that_continue_for_too_long_are_lost(self, pool: Any) -> None:
        with server(chunked(b"one\n", b"two\n")) as (url, _received):
            found = iter(self.lines(pool, url, goes_on=lambda: False))
            assert next(found) == b"one"
            with pytest.raises(Lost, match="does not end when it should"):
                next(found)

    def test_a_server_that_does_not_listen_means_not_sent(self, pool: Any) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            port = listening.getsockname()[1]
        with pytest.raises(NotSent):
            self.lines(pool, f"http://127.0.0.1:{port}")


# --- The health of the cluster as a whole is decided for all threads together


def at(clock: Clock, seconds: float) -> float:
    clock.seconds = seconds
    return seconds


def reached() -> tuple[Health, Clock]:
    """The health of a cluster that has answered at second 100."""
    clock = Clock(100.0)
    health = Health(clock.now)
    health.healthy()
    return health, clock


class TestPatience:
    @pytest.mark.parametrize(("seconds", "silent"), [(29.9, 0.0), (30.0, 30.0), (60.0, 60.0)])
    def test_the_silence_counts_from_the_start_of_the_first_unanswered_request(
        self, seconds: float, silent: float
    ) -> None:
        health, clock = reached()
        at(clock, 1000.0 + seconds)
        assert health.unhealthy(1000.0) == silent

    @pytest.mark.parametrize(("seconds", "silent"), [(4.9, 0.0), (5.0, 5.0)])
    def test_a_server_that_was_never_reached_is_given_less_time(self, seconds: float, silent: float) -> None:
        clock = Clock(100.0 + seconds)
        assert Health(clock.now).unhealthy(100.0) == silent

    def test_the_silence_counts_over_several_requests(self) -> None:
        health, clock = reached()
        at(clock, 110.0)
        assert health.unhealthy(109.0) == 0
        at(clock, 138.9)
        assert health.unhealthy(138.0) == 0
        at(clock, 139.0)
        assert health.unhealthy(138.9) == 30.0

    def test_a_request_that_began_earlier_and_fails_later_counts_from_its_start(self) -> None:
        health, clock = reached()
        at(clock, 130.0)
        assert health.unhealthy(129.0) == 0
        at(clock, 131.0)
        assert health.unhealthy(101.0) == 30.0

    def test_a_healthy_answer_to_any_request_ends_the_silence(self) -> None:
        health, clock = reached()
        at(clock, 130.0)
        assert health.unhealthy(120.0) == 0
        at(clock, 149.0)
        health.healthy()
        at(clock, 178.9)
        assert health.unhealthy(150.0) == 0

    def test_a_hung_request_counts_from_the_last_answer_to_the_other_requests(self) -> None:
        health, clock = reached()
        at(clock, 150.0)
        health.healthy()
        at(clock, 179.9)
        assert health.unhealthy(110.0) == 0
        at(clock, 180.0)
        assert health.unhealthy(110.0) == 30.0

    def test_a_healthy_answer_marks_the_server_as_reached(self) -> None:
        health = Health(Clock().now)
        assert not health.reached
        health.healthy()
        assert health.reached


class TestStop:
    def test_the_health_is_not_stopped_at_first(self) -> None:
        health = Health(Clock().now)
        health.check()
        assert not health.is_stopped

    def test_the_first_error_is_remembered(self) -> None:
        health = Health(Clock().now)
        assert str(health.stop(ConnectError("first"))) == "first"
        later = health.stop(ClusterError("second"))
        assert (later.__class__, str(later)) == (ConnectError, "first")
        assert health.is_stopped
        with pytest.raises(ConnectError, match=r"^first$"):
            health.check()

    def test_each_caller_gets_its_own_error_without_the_doubt_of_another_write(self) -> None:
        health, error = Health(Clock().now), ClusterError("first")
        error.unanswered = True
        first, second = health.stop(error), health.stop(error)
        assert first is not second
        assert first is not error
        assert not first.unanswered
