# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections reach the right host, through the right proxy, with a verified certificate. test_transport.py tests the guard of addresses."""

from __future__ import annotations

import ipaddress
import os
import socket
import ssl
from pathlib import Path
from typing import Any

import pytest
import urllib3
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.https.connections import (
    ClientContext,
    Endpoint,
    LimitedConnection,
    TlsConnection,
    authority,
    encode_header,
    endpoint,
    environment_proxy,
    find_proxy,
    has_tls,
    inside_kind,
    inside_kind_of_host,
    open_pool,
    proxy_host,
    proxy_login_headers,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.https.exchange import Limits
from hypothesis import given
from hypothesis import strategies as st
from support.certificates import server_context, write_certificate, write_chain_without_identifiers
from support.hostile_registry import answer, drips, served
from support.objects import b64, raised

# --- Requests are sent in one piece on every kind of connection. test_transport.py tests the guard of addresses


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


# --- Addresses that only the host of a task can reach are recognized in every notation

ROWS = [
    ("127.0.0.1", "loopback"), ("127.255.255.255", "loopback"), ("::1", "loopback"), ("0.0.0.0", "unspecified"), ("0.1.2.3", "unspecified"),
    ("::", "unspecified"), ("169.254.169.254", "cloud metadata"), ("169.254.0.1", "link-local"), ("fe80::1", "link-local"),
    ("fe80::1%eth0", "link-local"), ("febf::1", "link-local"), ("224.0.0.1", "multicast"), ("ff02::1", "multicast"), ("240.0.0.1", "reserved"),
    ("255.255.255.255", "reserved"), ("192.0.0.1", "reserved"), ("100.100.100.200", "cloud metadata"), ("168.63.129.16", "cloud metadata"),
    ("fd00:ec2::254", "cloud metadata"), ("fd20:ce::254", "cloud metadata"), ("::ffff:127.0.0.1", "loopback"),
    ("::ffff:169.254.169.254", "cloud metadata"), ("::ffff:0:127.0.0.1", "loopback"), ("::127.0.0.1", "loopback"), ("64:ff9b::127.0.0.1", "loopback"),
    ("64:ff9b:1::7f00:1", "loopback"), ("2002:7f00:1::", "loopback"), ("2002:a9fe:a9fe::1", "cloud metadata"), ("2001:0:7f00:1::", "loopback"),
    ("2001:0:808:808::80ff:fffe", "loopback"),
    ("10.0.0.1", ""), ("172.16.0.1", ""), ("192.168.1.1", ""), ("100.64.0.1", ""), ("fd00::1", ""), ("8.8.8.8", ""), ("2a00:1450::1", ""), ("128.0.0.1", ""),
    ("126.255.255.255", ""), ("169.253.255.255", ""), ("169.255.0.0", ""), ("fec0::1", ""), ("::ffff:10.0.0.1", ""), ("64:ff9b::808:808", ""),
    ("2002:808:808::", ""), ("223.255.255.255", ""), ("1.0.0.0", ""),
]  # fmt: skip


@pytest.mark.parametrize(("address", "kind"), ROWS)
def test_inside_addresses_have_the_kinds_of_the_table(address: str, kind: str) -> None:
    assert inside_kind(address) == inside_kind_of_host(address) == kind


@given(st.ip_addresses(v=4))
def test_an_address_of_ipv4_is_judged_in_every_form(address: ipaddress.IPv4Address) -> None:
    kind = inside_kind(str(address))
    number, parts = int(address), str(address).split(".")
    hexadecimal = f"{number >> 16:x}:{number & 0xFFFF:x}"
    forms = [
        str(number), hex(number), ".".join(map(hex, map(int, parts))), ".".join(f"0{int(part):o}" for part in parts), f"{address}.",
        f"{parts[0]}.{number & 0xFFFFFF}", f"[::ffff:{address}]", f"::{hexadecimal}", f"64:ff9b::{address}", f"2002:{hexadecimal}::1",
    ]  # fmt: skip
    mapped = inside_kind_of_host(f"::{hexadecimal}")
    assert {form: inside_kind_of_host(form) for form in forms if form != f"::{hexadecimal}"} == dict.fromkeys(
        (form for form in forms if form != f"::{hexadecimal}"), kind
    )
    assert mapped == kind or number in (0, 1)


@given(st.ip_addresses(v=6))
def test_an_ipv6_address_without_a_kind_is_not_loopback_link_local_or_multicast(address: ipaddress.IPv6Address) -> None:
    kind = inside_kind(str(address))
    assert kind or not (address.is_loopback or address.is_link_local or address.is_multicast or address.is_unspecified)


@pytest.mark.parametrize("name", ["localhost", "LOCALHOST.", "x.localhost", "localhost.localdomain"])
def test_a_name_of_the_host_itself_is_loopback(name: str) -> None:
    assert inside_kind_of_host(name) == "loopback"


@pytest.mark.parametrize(
    "name", ["registry.example.com", "localhost.example.com", "mylocalhost", "", "1.2.3.4.5", "\u0661"]
)
def test_a_name_of_another_host_has_no_kind(name: str) -> None:
    assert inside_kind_of_host(name) == ""


def test_a_name_instead_of_an_address_is_refused() -> None:
    with pytest.raises(ValueError, match="does not appear to be an IPv4 or IPv6 address"):
        inside_kind("registry.example.com")


# --- A text is read as a host and port, equal endpoints are recognized, and invalid texts are refused

BRACKETS = "it is more than host and port. Write an IPv6 address in brackets, such as [::1]:5000"

NO_NAME = "the host is not a DNS name or an IP address"

LABEL = "a" * 63


class TestEndpoint:
    @pytest.mark.parametrize(
        ("text", "host", "port"),
        [
            ("quay.io", "quay.io", 443),
            ("QUAY.io", "quay.io", 443),
            ("quay.io.", "quay.io", 443),
            ("quay.io:443", "quay.io", 443),
            ("quay.io:0443", "quay.io", 443),
            ("Quay.IO.:5000", "quay.io", 5000),
            ("quay.io:1", "quay.io", 1),
            ("quay.io:65535", "quay.io", 65535),
            ("localhost", "localhost", 443),
            ("a", "a", 443),
            ("my_registry-1.example.com", "my_registry-1.example.com", 443),
            ("10.0.0.1:5000", "10.0.0.1", 5000),
            ("[::1]", "::1", 443),
            ("[::1]:5000", "::1", 5000),
            ("[2001:DB8:0::1]:443", "2001:db8::1", 443),
            (f"{LABEL}.{LABEL}.{LABEL}.{'a' * 61}", f"{LABEL}.{LABEL}.{LABEL}.{'a' * 61}", 443),
        ],
    )
    def test_endpoint_normalizes_host_and_port(self, text: str, host: str, port: int) -> None:
        assert endpoint(text) == Endpoint(host, port)

    def test_an_ipv6_address_with_a_dotted_end_equals_its_hexadecimal_form(self) -> None:
        assert endpoint("[::ffff:10.0.0.1]") == endpoint("[::ffff:a00:1]")

    def test_the_default_port_is_that_of_the_scheme(self) -> None:
        assert endpoint("a.io", "http") == Endpoint("a.io", 80)
        assert endpoint("a.io:443", "http") == endpoint("a.io")

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("", "there is no host"),
            (":5000", "there is no host"),
            ("[::1", BRACKETS),
            ("::1", BRACKETS),
            ("a.io:5000:1", BRACKETS),
            ("::1]", BRACKETS),
            ("[::1]5000", BRACKETS),
            ("[]", "'' is not an IPv6 address"),
            ("[a.io]", "'a.io' is not an IPv6 address"),
            ("[1:2]", "'1:2' is not an IPv6 address"),
            ("a.io:", "port '' is not a number from 1 to 65535, such as 443"),
            ("a.io:0", "port '0' is not a number from 1 to 65535, such as 443"),
            ("a.io:65536", "port '65536' is not a number from 1 to 65535, such as 443"),
            ("a.io:-1", "port '-1' is not a number from 1 to 65535, such as 443"),
            ("a.io:100000", "port '100000' is not a number from 1 to 65535, such as 443"),
            ("a.io:\u0661", "port '\u0661' is not a number from 1 to 65535, such as 443"),
            ("a.io:1\n", "port '1\\n' is not a number from 1 to 65535, such as 443"),
            (
                "bücher.example.com",
                "a host in an image name must be ASCII. Give its ASCII form, which begins with xn--",
            ),
            ("two words", NO_NAME),
            ("a.io\n", NO_NAME),
            ("a\0b", NO_NAME),
            ("a..b", NO_NAME),
            (".a", NO_NAME),
            ("a.io..", NO_NAME),
            (".", NO_NAME),
            ("-a.io", NO_NAME),
            ("a-.io", NO_NAME),
            ("a.-io", NO_NAME),
            ("a.io-", NO_NAME),
            (f"{LABEL}a.io", NO_NAME),
            (f"a.{LABEL}a", NO_NAME),
            (f"{LABEL}.{LABEL}.{LABEL}.{'a' * 62}", NO_NAME),
            ("a.io?x", NO_NAME),
            ("user@a.io", NO_NAME),
        ],
    )
    def test_an_invalid_endpoint_is_refused_with_its_reason(self, text: str, reason: str) -> None:
        assert raised(ValueError, lambda: endpoint(text)) == reason

    @pytest.mark.parametrize(
        ("found", "text"),
        [
            (Endpoint("a.io", 443), "a.io"),
            (Endpoint("a.io", 80), "a.io:80"),
            (Endpoint("::1", 443), "[::1]"),
            (Endpoint("::1", 5000), "[::1]:5000"),
        ],
    )
    def test_an_endpoint_is_written_as_in_a_url(self, found: Endpoint, text: str) -> None:
        assert str(found) == text
        assert endpoint(text) == found


class TestAuthority:
    @pytest.mark.parametrize(
        ("url", "scheme", "host"),
        [
            ("https://A.io/token?x=y", "https", "A.io"),
            ("HTTPS://a.io:443", "https", "a.io:443"),
            ("http://a.io/token", "http", "a.io"),
            ("https://alice:x@[::1]:5000/", "https", "[::1]:5000"),
        ],
    )
    def test_authority_returns_the_scheme_and_the_host_as_written(self, url: str, scheme: str, host: str) -> None:
        assert authority(url) == (scheme, host)

    @pytest.mark.parametrize("url", ["", "/token", "//a.io/token", "a.io", "ftp://a.io", "https://[x", "https://a℀b"])
    def test_a_text_that_is_not_an_http_url_of_a_host_is_refused(self, url: str) -> None:
        with pytest.raises(ValueError):
            authority(url)

    @pytest.mark.parametrize("character", ["\0", "\t", "\n", " ", "\x7f", "\u2028"])
    def test_a_url_with_white_space_or_a_control_character_is_refused(self, character: str) -> None:
        assert (
            raised(ValueError, lambda: authority(f"https://a{character}.io/"))
            == "a URL must not contain white space or control characters"
        )

    def test_another_scheme_is_refused_with_a_reason(self) -> None:
        assert raised(ValueError, lambda: authority("ftp://a.io")) == "it is not an http or https URL"


# --- Options and environment variables decide through which proxy a server is reached

PROXY = "http://proxy.example.com:3128"


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


class TestChoice:
    def test_no_proxy_is_used_by_default(self) -> None:
        assert (find_proxy("https://a"), environment_proxy("https://a")) == ("", "")

    @pytest.mark.parametrize("name", ["https_proxy", "HTTPS_PROXY", "all_proxy"])
    def test_the_variable_for_the_scheme_names_the_proxy(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        monkeypatch.setenv(name, PROXY)
        assert find_proxy("https://a") == environment_proxy("https://a") == PROXY
        assert find_proxy("http://a") == (PROXY if name == "all_proxy" else "")

    def test_the_given_proxy_takes_precedence(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("https_proxy", "http://other.example.com")
        assert find_proxy("https://a", PROXY) == PROXY

    def test_only_a_proxy_of_the_environment_needs_no_scheme(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("https_proxy", "proxy.example.com:3128")
        assert find_proxy("https://a") == PROXY
        with pytest.raises(ValueError, match="^it does not begin with http:// or https://$"):
            find_proxy("https://a", "proxy.example.com:3128")

    @pytest.mark.parametrize(
        "proxy",
        ["ftp://u:secret@a", "socks5://u:secret@a", "http://u:secret@[::1", "http://u:secret@", "http://a:secret"],
    )
    def test_an_invalid_proxy_is_refused(self, proxy: str) -> None:
        with pytest.raises(ValueError, match="^(it|there|port|the host) "):
            find_proxy("https://a", proxy)


class TestExceptions:
    @pytest.mark.parametrize(
        ("no_proxy", "host", "excepted"),
        [
            ("a.example.com", "a.example.com", True),
            ("A.example.com", "a.EXAMPLE.com", True),
            ("example.com", "a.example.com", True),
            (".example.com", "a.example.com", True),
            (".example.com", "example.com", True),
            ("ample.com", "a.example.com", False),
            ("x, a.example.com:5000 ,y", "a.example.com:5000", True),
            ("a.example.com:5000", "a.example.com", False),
            ("a.example.com", "a.example.com:5000", True),
            ("x,*", "a.example.com", True),
            ("*.example.com", "a.example.com", False),
            ("", "a.example.com", False),
            (",", "a.example.com", False),
            ("10.0.0.0/8", "10.1.2.3:6443", True),
            ("10.0.0.5/8", "10.1.2.3", True),
            ("10.0.0.0/8", "11.1.2.3", False),
            ("10.1.2.3", "10.1.2.3", True),
            ("fd00::/8", "[fd00::1]:6443", True),
            ("fd00::/8", "10.1.2.3", False),
            ("10.0.0.0/8", "a.example.com", False),
        ],
    )
    def test_hosts_domains_and_networks_are_excepted(
        self, monkeypatch: pytest.MonkeyPatch, no_proxy: str, host: str, excepted: bool
    ) -> None:
        assert (find_proxy(f"https://{host}/", PROXY, no_proxy) == "") is excepted
        monkeypatch.setenv("no_proxy", no_proxy)
        assert (find_proxy(f"https://{host}/", PROXY) == "") is excepted

    def test_given_exceptions_replace_those_of_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("no_proxy", "a")
        assert find_proxy("https://a", PROXY, "") == PROXY


class TestUrl:
    @pytest.mark.parametrize(
        ("proxy", "host"), [(PROXY, "proxy.example.com"), ("https://u:p@[::1]:3128/", "::1"), ("http://A", "a")]
    )
    def test_the_host_of_a_proxy_is_found(self, proxy: str, host: str) -> None:
        assert proxy_host(proxy) == host

    def test_a_proxy_with_tls_is_recognized(self) -> None:
        assert [has_tls(proxy) for proxy in ("HTTPS://a", PROXY, "")] == [True, False, False]


class TestHeaders:
    @staticmethod
    def basic(login: str) -> str:
        return f"Basic {b64(login)}"

    def test_a_login_in_the_url_is_sent_in_utf8(self) -> None:
        found = proxy_login_headers("http://us%40er:%E2%82%AC@a")
        assert found == {"proxy-authorization": self.basic("us@er:€")}

    def test_given_headers_take_precedence_and_empty_ones_do_not_count(self) -> None:
        given = {"proxy_basic_auth": "a:b", "user_agent": "agent", "basic_auth": None}
        assert proxy_login_headers("http://u:p@a", given) == {
            "proxy-authorization": self.basic("a:b"),
            "user-agent": "agent",
        }

    def test_a_proxy_without_a_login_gets_no_headers(self) -> None:
        assert proxy_login_headers("") == proxy_login_headers(PROXY) == {}

    def test_a_header_is_encoded_for_latin_1(self) -> None:
        assert encode_header("€").encode("latin-1") == "€".encode()


# --- A certificate is compared with the host of its context, even if the caller names none


@pytest.mark.parametrize(("host", "fits"), [("127.0.0.1", True), ("127.0.0.2", False)])
def test_the_certificate_is_checked_against_the_given_name(tmp_path: Path, host: str, fits: bool) -> None:
    certificate = write_certificate(tmp_path / "server.pem")
    context = ClientContext(host, verify=True)
    context.load_verify_locations(certificate)
    with served(answer("HTTP/1.1 200 OK"), server_context(certificate)) as server:
        address, _colon, port = server.host.partition(":")
        with socket.create_connection((address, int(port)), timeout=20) as plain:
            if fits:
                assert context.wrap_socket(plain).version()
                return
            with pytest.raises(ssl.SSLCertVerificationError):
                context.wrap_socket(plain)


def test_an_authority_without_key_identifiers_is_accepted_as_by_a_node(tmp_path: Path) -> None:
    """Go does not require them. Python does since 3.13, unless it is told otherwise."""
    authority, certificate = write_chain_without_identifiers(tmp_path)
    context = ClientContext("127.0.0.1", verify=True)
    context.load_verify_locations(authority)
    with served(answer("HTTP/1.1 200 OK"), server_context(certificate)) as server:
        address, _colon, port = server.host.partition(":")
        with socket.create_connection((address, int(port)), timeout=20) as plain:
            assert context.wrap_socket(plain).version()


def test_tls_within_tls_keeps_the_name_of_the_caller() -> None:
    context = ClientContext("a.example.com", verify=True)
    assert context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO()).server_hostname == "a.example.com"
    other = context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="b.example.com")
    assert other.server_hostname == "b.example.com"


@pytest.mark.parametrize(("verify", "mode"), [(True, ssl.CERT_REQUIRED), (False, ssl.CERT_NONE)])
def test_a_context_verifies_on_request(verify: bool, mode: ssl.VerifyMode) -> None:
    context = ClientContext("a.example.com", verify=verify)
    assert (context.check_hostname, context.verify_mode) == (verify, mode)
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert context.cert_store_stats()["x509_ca"] == 0


def test_a_read_of_tls_within_tls_keeps_the_time_limit(tmp_path: Path) -> None:
    certificate = write_certificate(tmp_path / "server.pem")
    with served(drips(b"", b"", 0.05), server_context(certificate)) as server:
        address, _colon, port = server.host.partition(":")
        with (
            socket.create_connection((address, int(port)), timeout=60) as plain,
            ClientContext(address, verify=False).wrap_socket(plain) as secured,
            Limits(0.2).in_effect(),
            pytest.raises(TimeoutError),
        ):
            secured.recv(1)


def test_keys_are_logged_where_the_environment_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    assert ClientContext("a.example.com", verify=True).keylog_filename == str(tmp_path / "keys")
