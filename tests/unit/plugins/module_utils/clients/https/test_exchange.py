# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An exchange sends one request and reads one whole response. See test_transport.py for servers."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import sys
import threading
from http.client import RemoteDisconnected
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.https import exchange
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.https.exchange import (
    HttpResponse,
    LimitedResponse,
    Limits,
    OversizedResponse,
    TruncatedResponse,
    Words,
    current_limits,
    read_response,
    root_cause,
    send_request,
    sentence,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import ImagePullError
from support.scripted_pool import Answer

# --- A request is sent once, and its response is read as a whole. See test_transport.py for servers


class Closable(Answer):
    """An answer that records how its connection ends, and the limits under which it is read."""

    ended = ""
    limits: Any = None

    def read(self, amount: int, decode_content: bool = True) -> bytes:
        self.limits = current_limits()
        return super().read(amount, decode_content)

    def release_conn(self) -> None:
        self.ended = "released"

    def close(self) -> None:
        self.ended = "closed"


class Pool:
    def __init__(self, response: Answer) -> None:
        self.response = response
        self.keywords: dict[str, Any] = {}

    def request_encode_url(self, method: str, url: str, **keywords: Any) -> Answer:
        self.keywords = {"method": method, "url": url, **keywords}
        return self.response


def test_headers_of_the_same_name_are_all_kept() -> None:
    answered = HttpResponse(200, [("A", "1"), ("b", "2"), ("a", "3")])
    assert answered.all_of("a") == ["1", "3"]
    assert answered.header("A") == "1, 3"
    assert answered.header("c") == ""


def test_a_request_is_sent_once_with_the_limits() -> None:
    response, limits = Closable(200, b"body", {"A": "1"}), Limits(9, connect=2, read=3)
    pool = Pool(response)
    found = send_request(pool, "PATCH", "http://a", {"b": "c"}, b"d", limits=limits)
    assert found == HttpResponse(200, [("A", "1")], b"body")
    timeout = pool.keywords.pop("timeout")
    assert (timeout.connect_timeout, timeout.read_timeout) == (2, 3)
    assert pool.keywords == {
        "method": "PATCH",
        "url": "http://a",
        "headers": {"b": "c"},
        "body": b"d",
        "retries": False,
        "redirect": False,
        "preload_content": False,
        "enforce_content_length": True,
    }
    assert (response.limits, response.ended) == (limits, "released")


def test_a_body_that_is_not_requested_is_not_read() -> None:
    response = Closable(200, bytes, {"A": "1"})
    assert send_request(Pool(response), "GET", "http://a", {}, None, limits=Limits(9), with_body=False) == HttpResponse(
        200, [("A", "1")]
    )
    assert (response.limits, response.ended) == (None, "closed")


def test_a_body_of_the_whole_size_is_read_and_a_larger_one_is_refused() -> None:
    assert read_response(Closable(200, b"1234"), 4).body == b"1234"
    response = Closable(200, b"12345")
    with pytest.raises(OversizedResponse):
        read_response(response, 4)
    assert response.ended == "closed"


# --- Each cause of a missing answer has its own sentence with advice

REGISTRY = Words("registry")

NOT_HTTP = "the response is not valid HTTP. Check the name and the port"

CLOSED = "the connection was closed without a response. Check the port, and whether a proxy is needed"

NO_TLS = "the server does not use TLS on this port. Check the port (a registry without TLS is not supported)"

OLD_TLS = "the server supports no TLS version that this host allows. Have TLS 1.2 or later enabled on the registry"


def tls(reason: str | None) -> ssl.SSLError:
    error = ssl.SSLError(1, "[SSL] text of the server")
    error.reason = reason
    return error


def untrusted(number: int, message: str) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code, error.verify_message = number, message
    return error


class TestSentence:
    @pytest.mark.parametrize(
        ("error", "text"),
        [
            (OversizedResponse(), "the response is too large for a registry. Check the name and the port"),
            (TruncatedResponse(),
             "the connection was closed in the middle of the response. Try again, or check the proxy before the registry"),
            (TimeoutError(),
             "there was no complete response in time. Check the network and firewalls, or raise 'timeout: 60'"),
            (socket.gaierror(-2, "Name or service not known"),
             "the name cannot be resolved. Check the name, and DNS on the host that runs the task"),
            (ConnectionRefusedError(), "the connection was refused. Check the port, and whether the registry runs"),
            (ConnectionResetError(), CLOSED),
            (BrokenPipeError(), CLOSED),
            (OSError(101, "Network is unreachable"),
             "Network is unreachable. Check the name, the port and the network"),
            (OSError("text of the server"), NOT_HTTP),
            (ValueError("text of the server"), NOT_HTTP),
        ],
    )  # fmt: skip
    def test_a_connection_error_becomes_a_sentence_with_its_fix(self, error: BaseException, text: str) -> None:
        assert sentence(error, REGISTRY) == text

    @pytest.mark.parametrize(
        ("reason", "text"),
        [
            ("WRONG_VERSION_NUMBER", NO_TLS),
            ("PACKET_LENGTH_TOO_LONG", NO_TLS),
            ("RECORD_LAYER_FAILURE", NO_TLS),
            ("HTTP_REQUEST", NO_TLS),
            ("UNSUPPORTED_PROTOCOL", OLD_TLS),
            ("TLSV1_ALERT_PROTOCOL_VERSION", OLD_TLS),
            ("TLSV13_ALERT_CERTIFICATE_REQUIRED",
             "the server asks for a client certificate, which this module cannot send. Give a host that does not ask for one"),
            ("TLSV1_ALERT_UNKNOWN_CA",
             "the server asks for a client certificate, which this module cannot send. Give a host that does not ask for one"),
            ("SSLV3_ALERT_HANDSHAKE_FAILURE",
             "the TLS connection failed (SSLV3_ALERT_HANDSHAKE_FAILURE). Check the port and the registry's TLS settings"),
            (None, "the TLS connection failed (unknown). Check the port and the registry's TLS settings"),
        ],
    )  # fmt: skip
    def test_a_tls_error_becomes_a_sentence_with_its_fix(self, reason: str | None, text: str) -> None:
        assert sentence(tls(reason), REGISTRY) == text

    @pytest.mark.parametrize("kind", [ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError])
    def test_an_end_of_the_connection_in_tls_is_reported_as_closed(self, kind: type[ssl.SSLError]) -> None:
        assert sentence(kind(8, "EOF"), REGISTRY) == CLOSED

    @pytest.mark.parametrize(
        ("number", "what_to_do"),
        [
            (9, "Have the certificate replaced, or check the clock of the host that runs the task"),
            (10, "Have the certificate renewed, or check the clock of the host that runs the task"),
            (62, "Give the registry by a name that the certificate contains"),
            (64, "Give the registry by a name or address that the certificate contains"),
            (18, "Give the certificate of the authority that signed it: 'ca_cert: /path/to/ca.crt'"),
            (20, "Give the certificate of the authority that signed it: 'ca_cert: /path/to/ca.crt'"),
        ],
    )
    def test_a_certificate_error_becomes_a_sentence_with_its_fix(self, number: int, what_to_do: str) -> None:
        assert sentence(untrusted(number, "why"), REGISTRY) == f"certificate verify failed: why. {what_to_do}"


class TestWords:
    def test_sentences_name_the_server_and_the_options_of_the_client(self) -> None:
        words = Words("service", "ocm_")
        assert sentence(TimeoutError(), words).endswith("or raise 'ocm_timeout: 60'")
        assert sentence(untrusted(20, "{server}"), words) == (
            "certificate verify failed: {server}. Give the certificate of the authority that signed it: 'ocm_ca_cert: /path/to/ca.crt'"
        )
        assert sentence(ConnectionRefusedError(), words).endswith("whether the service runs")
        assert sentence(ConnectionRefusedError(), Words()).endswith("whether the server runs")

    def test_a_client_has_its_own_fixes_for_certificates(self) -> None:
        words = Words("cluster", "x_", "Trust '{prefix}ca'", "the {server} wants '{prefix}cert'", ", in '{prefix}host'")
        assert sentence(untrusted(18, "why"), words) == "certificate verify failed: why. Trust 'x_ca'"
        assert sentence(untrusted(62, "why"), words) == (
            "certificate verify failed: why. Give the cluster by a name that the certificate contains, in 'x_host'"
        )
        assert sentence(untrusted(10, "why"), words).endswith("check the clock of the host that runs the task")
        assert sentence(tls("SSLV3_ALERT_BAD_CERTIFICATE"), words) == "the cluster wants 'x_cert'"


class TestRootCause:
    def test_an_error_alone_is_its_own_root_cause(self) -> None:
        error = ValueError("a", 1)
        assert root_cause(error) is error

    def test_root_cause_follows_causes_and_contexts(self) -> None:
        root, middle, outer = ValueError(), OSError(), RuntimeError()
        outer.__cause__, outer.__context__ = middle, TypeError()
        middle.__context__ = root
        assert root_cause(outer) is root

    def test_root_cause_follows_an_error_in_an_argument_or_a_reason(self) -> None:
        """The way urllib3 wraps errors: `ProtocolError("...", error)`, `MaxRetryError.reason`."""
        root = ConnectionResetError()
        outer = RuntimeError()
        outer.reason = OSError("Connection aborted.", root)  # type: ignore[attr-defined]
        assert root_cause(outer) is root

    def test_root_cause_ignores_a_suppressed_context(self) -> None:
        """urllib3 1.26 first reads an answer the Python 2 way and hides the failure of that attempt."""
        root = ConnectionResetError()
        root.__cause__, root.__context__ = None, TypeError()
        assert root.__suppress_context__
        assert root_cause(root) is root

    def test_root_cause_ignores_the_error_of_an_earlier_request(self) -> None:
        root = ConnectionResetError()
        root.__context__ = ImagePullError("earlier")
        assert root_cause(root) is root

    def test_root_cause_ends_in_a_circle(self) -> None:
        first, second = OSError("first"), OSError("second")
        first.__cause__, second.__cause__ = second, first
        assert root_cause(second) is first

    def test_root_cause_ignores_a_reason_that_is_text(self) -> None:
        error = tls("WRONG_VERSION_NUMBER")
        assert root_cause(error) is error


# --- A missing library is reported by name, not as a traceback. No other HTTP library is imported

CLIENTS = "ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients"

IMPORTS = f"from {CLIENTS} import ocm\nfrom {CLIENTS}.registry import proof, transport\n"


def run(code: str) -> str:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


def test_all_libraries_are_installed() -> None:
    assert exchange.IMPORT_ERROR is None


@pytest.mark.parametrize("missing", ["urllib3", "certifi"])
def test_a_missing_library_is_named(missing: str) -> None:
    found = f"from {CLIENTS}.https import exchange\nprint(exchange.IMPORT_ERROR)"
    said = run(f"import sys; sys.modules[{missing!r}] = None\n{IMPORTS}{found}")
    assert said.startswith("Traceback")
    assert "ModuleNotFoundError: " in said
    assert missing in said.splitlines()[-2]


def test_the_clients_import_neither_requests_nor_the_kubernetes_client() -> None:
    names = run(f"{IMPORTS}import sys; print(*sys.modules)").split()
    assert "urllib3" in names
    assert {"requests", "kubernetes"}.isdisjoint(names)


# --- A response is read within its limits, over real sockets, on a clock that the test moves

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
