# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One request is sent and its answer is read. See clients/registry/test_client.py for proxies and hostile servers."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.https import connections
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.https.exchange import HttpResponse, Words
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.https.transport import (
    CertificateError,
    HttpsError,
    HttpsOptions,
    InsideAddressError,
    KeptConnections,
    check_timeout,
    send_https_request,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from support.certificates import server_context, write_certificate
from support.fake_api import FakeApi
from support.hostile_registry import HostileRegistry, Script, answer, drips, proxy_by_tls, sends, served

BODY = b'{"token": "x"}'
WHOLE = answer(
    "HTTP/1.1 200 OK",
    f"Content-Length: {len(BODY)}",
    "Docker-Content-Digest: sha256:1",
    "Content-Encoding: gzip",
    body=BODY,
)


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("method", "with_body", "body"), [("GET", True, BODY), ("GET", False, b""), ("HEAD", False, b"")]
)
def test_the_request_and_the_answer_have_the_requested_method_headers_and_body(
    certificate: str, method: str, with_body: bool, body: bytes
) -> None:
    """An answer that claims to be compressed is not decompressed: a small answer could become a huge one."""
    with served(WHOLE, server_context(certificate)) as server:
        found = send_https_request(
            "asking",
            f"https://{server.host}/v2/",
            HttpsOptions(certificate),
            longest=1024,
            method=method,
            headers={"X-Asked": "yes"},
            with_body=with_body,
        )
    assert (found.status, found.body) == (200, body)
    assert found.header("docker-content-digest") == "sha256:1"
    assert found.header("Location") == ""
    lines = server.requests[0].split(b"\r\n")
    assert lines[0] == f"{method} /v2/ HTTP/1.1".encode()
    assert b"X-Asked: yes" in lines
    assert b"User-Agent: openshift_ops.image_pull" in lines


def test_posted_data_is_sent_with_its_length(certificate: str) -> None:
    with served(WHOLE, server_context(certificate)) as server:
        options = HttpsOptions(certificate)
        send_https_request("asking", f"https://{server.host}/", options, longest=1024, method="POST", data="a=b")
    lines = server.requests[0].split(b"\r\n")
    assert lines[0] == b"POST / HTTP/1.1"
    assert b"Content-Length: 3" in lines


def test_a_request_without_a_method_reads(certificate: str) -> None:
    with served(WHOLE, server_context(certificate)) as server:
        send_https_request("asking", f"https://{server.host}/", HttpsOptions(certificate), longest=1024)
    assert server.requests[0].startswith(b"GET / HTTP/1.1\r\n")


def test_half_a_body_is_not_an_answer(certificate: str) -> None:
    half = answer("HTTP/1.1 200 OK", "Content-Length: 100", body=b"{")
    with served(half, server_context(certificate)) as server:
        options = HttpsOptions(certificate, timeout=20.0)
        with pytest.raises(HttpsError, match=r"^asking failed: the connection was closed in the middle"):
            send_https_request("asking", f"https://{server.host}/", options, longest=1024, with_body=True)


@pytest.mark.parametrize(("longest", "fits"), [(10_300, True), (10_000, False)])
def test_the_caller_sets_the_longest_answer(certificate: str, longest: int, fits: bool) -> None:
    body = b"x" * 10_000
    with served(answer("HTTP/1.1 200 OK", "Content-Length: 10000", body=body), server_context(certificate)) as server:
        url, options = f"https://{server.host}/", HttpsOptions(certificate, words=Words("service"))
        if fits:
            assert send_https_request("asking", url, options, longest=longest, with_body=True).body == body
            return
        with pytest.raises(HttpsError, match=r"^asking failed: the response is too large for a service"):
            send_https_request("asking", url, options, longest=longest, with_body=True)


@pytest.mark.parametrize("timeout", [0, -1, 3601])
def test_an_impossible_timeout_is_refused(timeout: float) -> None:
    with pytest.raises(OptionError, match=r"^option 'ocm_timeout' is in seconds, from 1 to 3600$"):
        check_timeout(HttpsOptions(timeout=timeout, words=Words("service", "ocm_")))


def test_an_unreadable_certificate_authority_is_an_option_error(tmp_path: Path) -> None:
    options = HttpsOptions(str(tmp_path / "missing.pem"), words=Words("service", "ocm_"))
    with pytest.raises(OptionError, match=r"^option 'ocm_ca_cert': .* cannot be read"):
        send_https_request("asking", "https://127.0.0.1:1/", options, longest=1024)


def test_authorities_are_loaded_once_for_many_requests(certificate: str, tmp_path: Path) -> None:
    """The authorities of a system take about 30 ms of the processor, so thousands of requests would take minutes.

    A file with another content, but with the same size and time, is not read again.
    """
    file = tmp_path / "ca.pem"
    file.write_bytes(Path(certificate).read_bytes())
    with served(WHOLE, server_context(certificate)) as server:

        def ask() -> int:
            return send_https_request("asking", f"https://{server.host}/", HttpsOptions(str(file)), longest=1024).status

        assert ask() == 200
        known = file.stat()
        file.write_bytes(b"x" * known.st_size)
        os.utime(file, ns=(known.st_atime_ns, known.st_mtime_ns))
        assert ask() == 200


def test_authorities_that_are_written_again_are_loaded_again(certificate: str, tmp_path: Path) -> None:
    file, other = tmp_path / "ca.pem", write_certificate(tmp_path / "other.pem")
    with served(WHOLE, server_context(certificate)) as server:

        def ask() -> int:
            return send_https_request("asking", f"https://{server.host}/", HttpsOptions(str(file)), longest=1024).status

        file.write_bytes(Path(certificate).read_bytes())
        assert ask() == 200
        file.write_bytes(Path(other).read_bytes())
        with pytest.raises(CertificateError):
            ask()


HEAD = b"HTTP/1.1 200 OK\r\n"
WITHOUT_END = [drips(HEAD, b"a", 0.05), drips(HEAD + b"\r\n", b"a", 0.05)]
TOO_LONG = sends(HEAD + b"\r\n" + b"a" * 1_000_000)


class TestKeptConnections:
    """A question asks the same registry thousands of times, and a handshake takes longer than a request."""

    @staticmethod
    def ask(server: HostileRegistry, certificate: str, method: str = "HEAD", **options: Any) -> HttpResponse:
        return send_https_request(
            "asking",
            f"https://{server.host}/",
            HttpsOptions(certificate, **options),
            longest=100_000,
            method=method,
            with_body=method != "HEAD",
        )

    @pytest.mark.parametrize("method", ["HEAD", "GET"])
    @pytest.mark.parametrize(("is_kept", "opened"), [(True, 1), (False, 3)])
    def test_requests_in_the_block_use_one_connection(
        self, certificate: str, method: str, is_kept: bool, opened: int
    ) -> None:
        with served(WHOLE, server_context(certificate), most=3) as server:
            with KeptConnections() as kept:
                for _request in range(3):
                    if is_kept:
                        with kept.in_effect():
                            assert self.ask(server, certificate, method).status == 200
                    else:
                        assert self.ask(server, certificate, method).status == 200
            assert server.connections() == opened

    def test_a_connection_that_the_server_closed_is_replaced(self, certificate: str) -> None:
        with served(WHOLE, server_context(certificate)) as server:
            with KeptConnections() as kept, kept.in_effect():
                assert [self.ask(server, certificate, "GET").body for _request in range(3)] == [BODY] * 3
            assert server.connections() == 3

    def test_bytes_after_an_answer_are_not_the_next_answer(self, certificate: str) -> None:
        """They are more than one read returns."""
        more = answer("HTTP/1.1 200 OK", "Content-Length: 99999", body=b"HTTP/1.1 500 No\r\n\r\n" * 3000)
        with served(more, server_context(certificate), most=2) as server, KeptConnections() as kept, kept.in_effect():
            assert [self.ask(server, certificate).status for _request in range(2)] == [200, 200]

    def test_half_an_answer_is_not_asked_for_again(self, certificate: str) -> None:
        def script(server: HostileRegistry) -> list[bytes]:
            rest = b"{}" if len(server.requests) == 1 else b"{"
            return [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n" + rest]

        with served(script, server_context(certificate), most=2) as server:
            with KeptConnections() as kept, kept.in_effect():
                self.ask(server, certificate, "GET")
                with pytest.raises(HttpsError, match=r"^asking failed: the connection was closed in the middle"):
                    self.ask(server, certificate, "GET")
            assert server.connections() == 1

    def test_posted_data_is_not_sent_again(self, certificate: str) -> None:
        def script(server: HostileRegistry) -> list[bytes]:
            return [] if server.requests[-1].startswith(b"POST") else [b"HTTP/1.1 204 No\r\n\r\n"]

        with served(script, server_context(certificate), most=2) as server:
            url, options = f"https://{server.host}/", HttpsOptions(certificate)
            with KeptConnections() as kept, kept.in_effect():
                self.ask(server, certificate)
                with pytest.raises(HttpsError, match=r"^asking failed: the connection was closed without a response"):
                    send_https_request("asking", url, options, longest=1024, method="POST", data="a=b")
            assert [request[:4] for request in server.requests if request] == [b"HEAD", b"POST"]

    def test_a_connection_is_used_with_the_same_options_only(self, certificate: str, tmp_path: Path) -> None:
        """Otherwise a certificate that nobody verified would count as verified."""
        other = write_certificate(tmp_path / "other.pem")
        with FakeApi().served() as url, KeptConnections() as kept, kept.in_effect():
            assert send_https_request("asking", url, HttpsOptions(other, is_insecure=True), longest=10_000).status
            with pytest.raises(CertificateError):
                send_https_request("asking", url, HttpsOptions(other), longest=10_000)

    def test_the_connections_to_eight_servers_are_kept(self, certificate: str) -> None:
        with ExitStack() as stack:
            servers = [stack.enter_context(served(WHOLE, server_context(certificate), most=2)) for _server in range(9)]
            with KeptConnections() as kept, kept.in_effect():
                for server in (*servers, servers[0], servers[8]):
                    self.ask(server, certificate)
            assert [server.connections() for server in servers] == [2, *[1] * 8]


class TestWithoutOurTls:
    """The limits also hold without TLS: a registry may name a token service without it, and a proxy may be anything."""

    @pytest.mark.parametrize("script", WITHOUT_END)
    def test_an_endless_answer_without_tls_ends_at_the_timeout(self, script: Script) -> None:
        with served(script, None) as server:
            with pytest.raises(HttpsError, match=r"^asking failed: there was no complete response in time"):
                send_https_request(
                    "asking", f"http://{server.host}/", HttpsOptions(timeout=0.3), longest=1024, with_body=True
                )
            assert server.hung_up.wait(20)

    def test_an_overlong_answer_without_tls_is_refused(self) -> None:
        with (
            served(TOO_LONG, None) as server,
            pytest.raises(HttpsError, match=r"^asking failed: the response is too large for a server"),
        ):
            send_https_request("asking", f"http://{server.host}/", HttpsOptions(), longest=1024, with_body=True)

    def test_an_answer_without_tls_is_returned(self) -> None:
        with served(WHOLE, None) as server:
            assert (
                send_https_request(
                    "asking", f"http://{server.host}/", HttpsOptions(), longest=1024, with_body=True
                ).body
                == BODY
            )

    def test_an_endless_answer_of_a_proxy_ends_at_the_timeout(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with served(drips(HEAD, b"a", 0.05), None) as proxy:
            monkeypatch.setenv("https_proxy", f"http://{proxy.host}")
            with pytest.raises(HttpsError, match=r"^asking failed: there was no complete response in time"):
                send_https_request("asking", "https://127.0.0.1:1/", HttpsOptions(timeout=0.3), longest=1024)
            assert proxy.hung_up.wait(20)

    def test_the_answer_of_a_proxy_does_not_count_toward_the_longest_answer(
        self, certificate: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        body = b"x" * 10_000
        whole = answer("HTTP/1.1 200 OK", "Content-Length: 10000", body=body)
        with served(whole, server_context(certificate), tunnel=True) as server:
            monkeypatch.setenv("https_proxy", f"http://{server.host}")
            found = send_https_request(
                "asking", "https://127.0.0.1:1/", HttpsOptions(certificate), longest=10_042, with_body=True
            )
        assert found.body == body


class TestProxyByTls:
    """The host of this proxy is an address, which urllib3 1.26 does not pass to the TLS layer."""

    @pytest.fixture(autouse=True)
    def trusted(self, certificate: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", certificate)

    @staticmethod
    def asked(script: Script, certificate: str, monkeypatch: pytest.MonkeyPatch, options: HttpsOptions) -> HttpResponse:
        context = server_context(certificate)
        with served(script, context) as server, proxy_by_tls(server.host, context) as proxy:
            monkeypatch.setenv("https_proxy", proxy)
            return send_https_request("asking", "https://127.0.0.1:1/", options, longest=30_000, with_body=True)

    @pytest.mark.parametrize("verified", [True, False])
    def test_a_proxy_by_tls_passes_the_answer_on(
        self, certificate: str, monkeypatch: pytest.MonkeyPatch, verified: bool
    ) -> None:
        options = HttpsOptions(validate_certs=verified)
        assert self.asked(WHOLE, certificate, monkeypatch, options).body == BODY

    def test_a_proxy_by_tls_with_an_untrusted_certificate_is_refused(
        self, certificate: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        options = HttpsOptions(write_certificate(tmp_path / "other.pem"))
        with pytest.raises(HttpsError, match=r"^asking failed: "):
            self.asked(WHOLE, certificate, monkeypatch, options)

    @pytest.mark.parametrize("script", [*WITHOUT_END, TOO_LONG])
    def test_an_endless_answer_through_a_proxy_by_tls_is_refused(
        self, certificate: str, monkeypatch: pytest.MonkeyPatch, script: Script
    ) -> None:
        with pytest.raises(
            HttpsError, match=r"^asking failed: (there was no complete response in time|the response is too large)"
        ):
            self.asked(script, certificate, monkeypatch, HttpsOptions(timeout=1.0))


#: The beginning of a record of TLS, whose rest never comes.
HALF_RECORD = drips(b"\x16\x03\x03\x40\x00", b"\0", 0.05)


class TestHandshake:
    """Single bytes of a handshake, each well within the timeout, do not keep the connection open."""

    LATE = r"^asking failed: (there was no complete response in time|the proxy did not connect to it)"

    def test_an_endless_handshake_ends_at_the_timeout(self) -> None:
        with served(HALF_RECORD, None) as server:
            with pytest.raises(HttpsError, match=self.LATE):
                send_https_request("asking", f"https://{server.host}/", HttpsOptions(timeout=0.3), longest=1024)
            assert server.hung_up.wait(20)

    def test_an_endless_handshake_through_a_proxy_by_tls_ends_at_the_timeout(
        self, certificate: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with (
            served(HALF_RECORD, None) as server,
            proxy_by_tls(server.host, server_context(certificate)) as proxy,
        ):
            monkeypatch.setenv("https_proxy", proxy)
            with pytest.raises(HttpsError, match=self.LATE):
                send_https_request(
                    "asking", "https://127.0.0.1:1/", HttpsOptions(certificate, timeout=0.5), longest=1024
                )


class TestInsideAddresses:
    """The client connects to the address that it checked, even if the name server gives another one later."""

    NAME = "registry.example.com"

    @pytest.fixture
    def resolved(self, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
        """Answers look-ups of the name in order and repeats the last answer. Returns the names that were looked up."""

        def answer_with(*answers: Sequence[str]) -> list[str]:
            left, asked, real = list(answers), [], socket.getaddrinfo

            def lookup(host: str, port: int, *arguments: Any, **keywords: Any) -> Any:
                if host != self.NAME:
                    return real(host, port, *arguments, **keywords)
                asked.append(host)
                addresses = left.pop(0) if len(left) > 1 else left[0]
                return [found for address in addresses for found in real(address, port, type=socket.SOCK_STREAM)]

            monkeypatch.setattr(socket, "getaddrinfo", lookup)
            return asked

        return answer_with

    def ask(self, server: HostileRegistry, *, inside: bool = False, **options: Any) -> HttpResponse:
        port = server.host.rpartition(":")[2]
        given = HttpsOptions(inside=inside, timeout=5.0, **options)
        return send_https_request("asking", f"https://{self.NAME}:{port}/", given, longest=1024)

    @pytest.mark.parametrize(
        "addresses", [["127.0.0.1"], ["::ffff:127.0.0.1"], ["127.0.0.1", "127.0.0.9", "169.254.169.254"]]
    )
    def test_a_name_with_inside_addresses_only_is_not_contacted(
        self, certificate: str, resolved: Any, addresses: list[str]
    ) -> None:
        resolved(addresses)
        with served(WHOLE, server_context(certificate)) as server:
            with pytest.raises(InsideAddressError) as error:
                self.ask(server, validate_certs=False)
            assert (str(error.value), error.value.kind) == (
                "asking was not attempted: the server is at a loopback address",
                "loopback",
            )
            assert server.requests == []

    def test_an_inside_address_is_contacted_if_the_caller_allows_it(self, certificate: str, resolved: Any) -> None:
        resolved(["127.0.0.1"])
        with served(WHOLE, server_context(certificate)) as server:
            assert self.ask(server, inside=True, validate_certs=False).status == 200

    def test_outside_addresses_of_a_name_are_tried_and_inside_addresses_are_not(
        self, certificate: str, resolved: Any, outside: None
    ) -> None:
        """The outside address does not answer. A client that accepted inside addresses would try the next one."""
        resolved(["192.0.2.1", "127.0.0.1", "127.0.0.9"])
        with served(WHOLE, server_context(certificate)) as server:
            with pytest.raises(HttpsError) as error:
                self.ask(server, validate_certs=False)
            assert not isinstance(error.value, InsideAddressError)
            assert server.requests == []

    def test_the_name_is_looked_up_once(self, certificate: str, resolved: Any, outside: None) -> None:
        asked = resolved(["192.0.2.1"], ["127.0.0.1"])
        with served(WHOLE, server_context(certificate)) as server:
            with pytest.raises(HttpsError):
                self.ask(server, validate_certs=False)
            assert (asked, server.requests) == ([self.NAME], [])

    @pytest.fixture
    def outside(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """No test sends anything to the network: an outside address refuses the connection at once."""
        real = socket.socket.connect

        def connect(plain: socket.socket, address: Any) -> None:
            if str(address[0]).startswith("192.0.2."):
                raise ConnectionRefusedError(111, "Connection refused")
            real(plain, address)

        monkeypatch.setattr(socket.socket, "connect", connect, raising=False)

    def test_the_next_address_is_tried_and_the_certificate_must_fit_the_name(
        self, certificate: str, resolved: Any, monkeypatch: pytest.MonkeyPatch, outside: None
    ) -> None:
        """Loopback represents an outside address here, so that a server answers."""
        resolved(["192.0.2.1", "127.0.0.1"])
        monkeypatch.setattr(connections, "inside_kind", lambda _address: "")
        with served(WHOLE, server_context(certificate)) as server:
            assert self.ask(server, validate_certs=False).status == 200
            with pytest.raises(HttpsError, match="certificate verify failed: Hostname mismatch"):
                self.ask(server, ca_cert=certificate)

    def test_a_name_that_does_not_resolve_is_reported(self, certificate: str, monkeypatch: pytest.MonkeyPatch) -> None:
        def lookup(*_arguments: Any, **_keywords: Any) -> Any:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        with served(WHOLE, server_context(certificate)) as server:
            monkeypatch.setattr(socket, "getaddrinfo", lookup)
            with pytest.raises(HttpsError, match="the name cannot be resolved. Check the name"):
                self.ask(server)
            monkeypatch.undo()

    def test_an_inside_address_in_the_url_is_refused_before_a_proxy_is_contacted(
        self, certificate: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with served(WHOLE, server_context(certificate), tunnel=True) as proxy:
            monkeypatch.setenv("https_proxy", f"http://{proxy.host}")
            for host in ("127.0.0.1:6443", "[::1]", "localhost:10250", "169.254.169.254", "2852039166"):
                with pytest.raises(InsideAddressError):
                    send_https_request("asking", f"https://{host}/", HttpsOptions(inside=False), longest=1024)
            assert proxy.requests == []
            assert (
                send_https_request(
                    "asking",
                    "https://registry.example.com/",
                    HttpsOptions(inside=False, validate_certs=False),
                    longest=1024,
                ).status
                == 200
            )
