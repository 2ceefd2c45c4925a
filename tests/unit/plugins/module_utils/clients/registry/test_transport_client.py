# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A registry is asked over TLS on 127.0.0.1, each answer has its meaning, and a hostile server is abandoned."""

from __future__ import annotations

import hashlib
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.https.exchange import IMPORT_ERROR
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.registry.transport import (
    AuthInfo,
    RegistryError,
    RegistryOptions,
    ask_registry,
    registry_host,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import ImagePullError, OptionError
from hypothesis import given, settings
from hypothesis import strategies as st
from support.certificates import server_context, write_certificate
from support.hostile_registry import HostileRegistry, Script, answer, drips, sends, served

CANARY = "Canary-77"
KIB = 1024
OK = answer("HTTP/1.1 200 OK")
CHALLENGE = 'WWW-Authenticate: Bearer realm="https://sso.example.com/token",service="s"'
DELEGATED = AuthInfo("bearer", "https://sso.example.com/token", "sso.example.com", "s", delegated=True)
CLOSED = "the connection was closed without a response. Check the port, and whether a proxy is needed"
#: An address without a listener, never given to another program.
NOT_LISTENING = "127.0.0.1:1"
CUT_OFF = "the connection was closed in the middle of the response. Try again, or check the proxy before the registry"
TOO_LONG = "the response is too large for a registry. Check the name and the port"
LATE = "there was no complete response in time. Check the network and firewalls, or raise 'registry_timeout: 60'"
NOT_HTTP = "the response is not valid HTTP. Check the name and the port"
NO_REGISTRY = "It is not a registry of API version 2, or it is behind a proxy: check the name and the port"
NO_PROXY_URL = (
    "environment variable https_proxy is not a usable URL of a proxy, such as http://proxy.example.com:3128. "
    "Correct it, or name the registry in no_proxy"
)
PROXY = "the proxy did not connect to it. Check the environment variables https_proxy and no_proxy, and the proxy"

#: The name of a file in a directory of authorities: a hash of the subject `CN=test` (OpenSSL, `X509_NAME_hash`).
_SUBJECT = hashlib.sha1(b"1\x0d0\x0b\x06\x03U\x04\x03\x0c\x04test").digest()
SUBJECT_HASH = f"{int.from_bytes(_SUBJECT[:4], 'little'):08x}.0"

Serve = Callable[..., HostileRegistry]

pytestmark = [
    pytest.mark.filterwarnings("ignore:Unverified HTTPS request"),
    pytest.mark.usefixtures("no_outside_settings"),
]


@pytest.fixture
def serve(certificate: str) -> Iterator[Serve]:
    """Starts servers that give one answer. All of them stop with the test."""
    with ExitStack() as stack:

        def start(
            script: Script, context: ssl.SSLContext | None = None, *, tls: bool = True, tunnel: bool = False
        ) -> HostileRegistry:
            given = (context or server_context(certificate)) if tls else None
            return stack.enter_context(served(script, given, tunnel=tunnel))

        yield start


@pytest.fixture
def asking(certificate: str) -> Callable[..., AuthInfo]:
    """Asks a server and trusts its certificate."""
    return lambda host, **options: ask_registry(RegistryOptions(host, **{"ca_cert": certificate, **options}))


@pytest.fixture
def refusal(asking: Callable[..., AuthInfo]) -> Callable[..., str]:
    """The text of the error after the description of the attempt."""

    def call(host: str, **options: Any) -> str:
        with pytest.raises(RegistryError) as error:
            asking(host, **options)
        attempt = f"asking registry {host} how it authenticates (GET https://{host}/v2/) "
        assert str(error.value).startswith(attempt)
        assert str(error.value).isprintable()
        return str(error.value).removeprefix(attempt)

    return call


class TestRequest:
    def test_the_http_library_is_installed(self) -> None:
        assert IMPORT_ERROR is None

    def test_one_request_with_only_the_needed_headers_is_sent(self, serve: Serve, asking: Any) -> None:
        server = serve(OK)
        asking(server.host)
        (request,) = server.requests
        lines = request.decode().removesuffix("\r\n\r\n").split("\r\n")
        assert lines[0] == "GET /v2/ HTTP/1.1"
        assert sorted(lines[1:]) == [
            "Accept-Encoding: identity",
            f"Host: {server.host}",
            "User-Agent: openshift_ops.image_pull",
        ]

    def test_no_login_is_sent_out_of_a_netrc_file(
        self, serve: Serve, asking: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        (tmp_path / "netrc").write_text(f"default login alice password {CANARY}\n")
        (tmp_path / "netrc").chmod(0o600)
        monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
        server = serve(OK)
        asking(server.host)
        assert b"uthorization" not in server.requests[0]

    @pytest.mark.parametrize("spelling", ["https://{}", "{}/team/app:v1", " {} "])
    def test_the_request_goes_to_the_host_of_any_reference(self, serve: Serve, asking: Any, spelling: str) -> None:
        server = serve(OK)
        assert asking(spelling.format(server.host)) == AuthInfo("none")
        assert len(server.requests) == 1
        assert registry_host(RegistryOptions(spelling.format(server.host))) == server.host


class TestAnswer:
    def test_an_open_registry_needs_no_login(self, serve: Serve, asking: Any) -> None:
        assert asking(serve(answer("HTTP/1.1 200 OK", CHALLENGE, body=b"<html>")).host) == AuthInfo("none")

    @pytest.mark.parametrize(
        "headers",
        [
            [CHALLENGE],
            ["WWW-Authenticate: Negotiate", CHALLENGE.replace("WWW-Authenticate", "www-authenticate")],
            [CHALLENGE, 'WWW-Authenticate: Basic realm="r"'],
            [*["WWW-Authenticate: Negotiate"] * 80, CHALLENGE],
            [b'WWW-Authenticate: Basic\0realm="\xff"', CHALLENGE],
            ["Set-Cookie: a=b; expires=" + "1" * 10000, "Content-Length: " + "9" * 5000, CHALLENGE],
            ["Content-Encoding: gzip", "Transfer-Encoding: chunked", CHALLENGE],
        ],
        ids=lambda headers: str(headers)[:60],
    )
    def test_a_challenge_among_other_headers_is_found(self, serve: Serve, asking: Any, headers: list[str]) -> None:
        assert asking(serve(answer("HTTP/1.1 401 Unauthorized", *headers)).host) == DELEGATED

    def test_a_basic_realm_that_is_not_ascii_is_read(self, serve: Serve, asking: Any) -> None:
        server = serve(answer("HTTP/1.1 401 Unauthorized", b'WWW-Authenticate: Basic realm="\xe4"'))
        assert asking(server.host) == AuthInfo("basic", "ä", server.host)

    @pytest.mark.parametrize(
        "header",
        [
            "X: y",
            "WWW-Authenticate: Negotiate",
            'WWW-Authenticate: Bearer realm="https://sso.example.com/token',
            'WWW-Authenticate: Bearer service="s"',
            b'WWW-Authenticate: Bearer realm="https://\xff.example.com/"',
        ],
    )
    def test_a_401_without_a_usable_challenge_is_reported(
        self, serve: Serve, refusal: Any, header: str | bytes
    ) -> None:
        assert refusal(serve(answer("HTTP/1.1 401 Unauthorized", header)).host) == (
            "was answered 401 without a login challenge that a node can use. Check the name: it may not be a registry, or "
            "be behind a proxy"
        )

    @pytest.mark.parametrize(
        ("statuses", "sentence"),
        [
            ((204, 299, 400, 403, 404, 418, 499), NO_REGISTRY),
            ((429, 500, 503, 599), "The registry is overloaded or out of order: try again later"),
        ],
        ids=["not a registry", "overloaded"],
    )
    def test_another_status_is_reported(
        self, serve: Serve, refusal: Any, statuses: tuple[int, ...], sentence: str
    ) -> None:
        for status in statuses:
            host = serve(answer(f"HTTP/1.1 {status} text of the server", CHALLENGE)).host
            assert refusal(host) == f"was answered {status}. {sentence}"

    @pytest.mark.parametrize("status", [300, 301, 302, 307, 308, 399])
    @pytest.mark.parametrize(
        ("location", "target"),
        [
            ("https://other.example.com:5000/v2/", " to other.example.com:5000"),
            (f"https://alice:{CANARY}@other.example.com/{CANARY}", " to other.example.com"),
            ("/login", ""),
            (f"https://{CANARY} x/", ""),
            ("", ""),
        ],
    )
    def test_a_redirect_is_reported_and_not_followed(
        self, serve: Serve, refusal: Any, status: int, location: str, target: str
    ) -> None:
        server = serve(answer(f"HTTP/1.1 {status} Found", f"Location: {location}", CHALLENGE))
        assert refusal(server.host) == (
            f"was answered {status}, a redirect{target}. It is not followed: give the registry's own host"
        )
        assert len(server.requests) == 1

    def test_a_redirect_without_a_target_is_reported(self, serve: Serve, refusal: Any) -> None:
        assert refusal(serve(answer("HTTP/1.1 302 Found")).host).startswith("was answered 302, a redirect. ")


class TestHostileServer:
    @pytest.mark.parametrize(
        ("script", "sentence"),
        [
            (sends(b""), CLOSED),
            (sends(b"HTTP/1.1 401"), CUT_OFF),
            (sends(b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer realm=https://sso.exa"), CUT_OFF),
            (sends(b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer realm=https://sso.exa\r\n"), CUT_OFF),
            (sends(b"text of the server\r\n\r\n"), NOT_HTTP),
            (sends(b"\0" * 100 + b"\r\n\r\n"), NOT_HTTP),
            (answer("HTTP/1.1 abc"), NOT_HTTP),
            (answer("HTTP/1.1 -200 OK"), NOT_HTTP),
            (answer("HTTP/2.0 200 OK"), NOT_HTTP),
            (answer("HTTP/1.1 200 OK", *["X: y"] * 101), NOT_HTTP),
            (answer("HTTP/1.1 200 OK", "Content-Length: 1, 2"), NOT_HTTP),
            (answer("HTTP/1.1 200 OK", "X: " + "y" * 65 * KIB), TOO_LONG),
            (answer("HTTP/1.1 401 Unauthorized", CHALLENGE, *["X: " + "y" * KIB] * 65), TOO_LONG),
            (drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100, 0), TOO_LONG),
            (drips(b"HTTP/1.1 401 Unauthorized\r\nX: ", b"y" * KIB, 0), TOO_LONG),
        ],
        ids=lambda value: None if callable(value) else str(value)[:30],
    )
    def test_each_hostile_answer_is_reported_with_its_own_sentence(
        self, serve: Serve, refusal: Any, script: Script, sentence: str
    ) -> None:
        assert refusal(serve(script).host) == f"failed: {sentence}"

    def test_headers_of_63_kib_are_read(self, serve: Serve, asking: Any) -> None:
        server = serve(answer("HTTP/1.1 401 Unauthorized", *["X: " + "y" * (KIB - 5)] * 63, CHALLENGE))
        assert asking(server.host) == DELEGATED

    @pytest.mark.parametrize("first", [b"", b"HTTP/1.1 401 Unauthorized\r\nX: "])
    def test_a_server_that_sends_single_bytes_is_read_no_longer_than_the_timeout(
        self, serve: Serve, refusal: Any, first: bytes
    ) -> None:
        """Each byte comes well before the timeout, which counts from the beginning."""
        server = serve(drips(first, b"1", 0.05))
        started = time.monotonic()
        assert refusal(server.host, timeout=0.3) == f"failed: {LATE}"
        assert 0.25 < time.monotonic() - started < 5

    @pytest.mark.parametrize("tls", [True, False], ids=["silent", "silent before TLS"])
    def test_a_silent_server_is_reported_after_the_timeout(self, serve: Serve, refusal: Any, tls: bool) -> None:
        assert refusal(serve(drips(b"", b"", 0.05), tls=tls).host, timeout=0.2) == f"failed: {LATE}"

    @pytest.mark.parametrize("status", ["200 OK", "401 Unauthorized"])
    def test_a_server_with_an_endless_body_is_left_at_once(self, serve: Serve, asking: Any, status: str) -> None:
        head = f"HTTP/1.1 {status}\r\n{CHALLENGE}\r\n\r\n".encode()
        server = serve(drips(head, b"x" * KIB, 0.01))
        assert asking(server.host).scheme == ("none" if status == "200 OK" else "bearer")
        assert server.hung_up.wait(10), "nothing keeps the connection open"
        # The kernel accepts this much from the server before it notices that no program reads.
        assert server.sent < 4 * KIB * KIB

    @settings(max_examples=40, deadline=None)
    @given(head=st.binary(max_size=200), within=st.binary(max_size=200))
    def test_any_answer_is_a_result_or_one_line(self, certificate: str, head: bytes, within: bytes) -> None:
        for content in (head, b"HTTP/1.1 401 x\r\nWWW-Authenticate: Bearer realm=" + within + b"\r\n\r\n"):
            with served(sends(content), server_context(certificate)) as server:
                try:
                    ask_registry(RegistryOptions(server.host, ca_cert=certificate))
                except ImagePullError as error:
                    assert str(error).isprintable()


class TestTls:
    @pytest.mark.parametrize(
        ("made", "message"),
        [
            ({"begins": -2, "ends": -1},
             "certificate has expired. Have the certificate renewed, or check the clock of the host that runs the task"),
            ({"begins": 1, "ends": 2},
             "certificate is not yet valid. Have the certificate replaced, or check the clock of the host that runs the "
             "task"),
            ({"address": "127.0.0.2"},
             "IP address mismatch, certificate is not valid for '127.0.0.1'. Give the registry by a name or address that "
             "the certificate contains"),
        ],
    )  # fmt: skip
    def test_an_invalid_certificate_is_reported_with_its_fix(
        self, serve: Serve, refusal: Any, tmp_path: Path, made: dict[str, Any], message: str
    ) -> None:
        file = write_certificate(tmp_path / "server.pem", **made)
        server = serve(OK, server_context(file))
        assert refusal(server.host, ca_cert=file) == f"failed: certificate verify failed: {message}"
        assert server.requests == []
        assert ask_registry(RegistryOptions(server.host, validate_certs=False)) == AuthInfo("none")

    @pytest.mark.parametrize("trusted", ["the system's", "another's"])
    def test_an_untrusted_authority_is_reported(self, serve: Serve, refusal: Any, tmp_path: Path, trusted: str) -> None:
        other = None if trusted == "the system's" else write_certificate(tmp_path / "other.pem")
        assert refusal(serve(OK).host, ca_cert=other) == (
            "failed: certificate verify failed: self-signed certificate. Give the certificate of the authority that signed "
            "it: 'registry_ca_cert: /path/to/ca.crt'"
        )

    @pytest.mark.parametrize("options", [{}, {"ca_cert": None}, {"ca_cert": "/nonexistent"}], ids=str)
    def test_the_certificate_is_not_verified_on_request(
        self, serve: Serve, asking: Any, options: dict[str, Any]
    ) -> None:
        assert asking(serve(OK).host, validate_certs=False, **options) == AuthInfo("none")

    def test_authorities_are_read_from_a_directory(
        self, serve: Serve, asking: Any, refusal: Any, certificate: str, tmp_path: Path
    ) -> None:
        server = serve(OK)
        assert "certificate verify failed" in refusal(server.host, ca_cert=str(tmp_path))
        (tmp_path / SUBJECT_HASH).write_bytes(Path(certificate).read_bytes())
        assert asking(server.host, ca_cert=str(tmp_path)) == AuthInfo("none")

    @pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
    def test_authorities_are_read_from_the_environment(
        self, serve: Serve, asking: Any, certificate: str, monkeypatch: pytest.MonkeyPatch, variable: str
    ) -> None:
        monkeypatch.setenv(variable, certificate)
        assert asking(serve(OK).host, ca_cert=None) == AuthInfo("none")
        monkeypatch.setenv(variable, "/nonexistent")
        with pytest.raises(OptionError) as error:
            asking("127.0.0.1:1", ca_cert=None)
        assert str(error.value) == (
            "environment variable REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE: '/nonexistent' cannot be read on the host that runs "
            "the task: No such file or directory. Correct the path, or create the file there"
        )

    @pytest.mark.parametrize(
        "content", ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----"]
    )
    def test_a_ca_cert_without_a_certificate_is_refused(self, tmp_path: Path, content: str) -> None:
        (tmp_path / "ca.pem").write_text(content)
        with pytest.raises(OptionError) as error:
            ask_registry(RegistryOptions("127.0.0.1:1", ca_cert=str(tmp_path / "ca.pem")))
        assert (
            str(error.value) == f"option 'registry_ca_cert': '{tmp_path}/ca.pem' contains no certificate in PEM format"
        )

    @pytest.mark.parametrize(
        ("path", "reason"),
        [
            ("/nonexistent", "No such file or directory. Correct the path, or create the file there"),
            ("a\0b", "the path is not valid"),
        ],
    )
    def test_an_unreadable_ca_cert_is_refused(self, path: str, reason: str) -> None:
        with pytest.raises(OptionError) as error:
            ask_registry(RegistryOptions("127.0.0.1:1", ca_cert=path))
        assert str(error.value) == (
            f"option 'registry_ca_cert': {path!r} cannot be read on the host that runs the task: {reason}"
        )

    def test_a_server_without_tls_is_reported(self, serve: Serve, refusal: Any) -> None:
        assert refusal(serve(answer("HTTP/1.1 400 Bad Request"), tls=False).host) == (
            "failed: the server does not use TLS on this port. Check the port (a registry without TLS is not supported)"
        )

    def test_a_server_that_asks_for_a_client_certificate_is_reported(
        self, serve: Serve, refusal: Any, certificate: str
    ) -> None:
        context = server_context(certificate)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(certificate)
        assert refusal(serve(OK, context).host) == (
            "failed: the server asks for a client certificate, which this module cannot send. Give a host that does not ask "
            "for one"
        )


class TestProxy:
    @pytest.mark.parametrize(
        ("registry", "host"),
        [("registry.example.com", "registry.example.com"), ("Docker.io:443", "registry-1.docker.io")],
    )
    def test_a_proxy_that_refuses_is_reported(
        self, serve: Serve, monkeypatch: pytest.MonkeyPatch, registry: str, host: str
    ) -> None:
        proxy = serve(answer(f"HTTP/1.1 407 {CANARY}"), tls=False)
        monkeypatch.setenv("https_proxy", f"http://alice:{CANARY}@{proxy.host}")
        with pytest.raises(RegistryError) as error:
            ask_registry(RegistryOptions(registry))
        attempt = f"asking registry {registry} how it authenticates (GET https://{host}/v2/)"
        assert str(error.value) == f"{attempt} failed: {PROXY}"
        assert proxy.requests[0].startswith(f"CONNECT {host}:443 HTTP/1.".encode())

    @pytest.mark.parametrize("url", ["{}", "http://{}", "http://{}/"])
    def test_a_proxy_passes_the_request_on(
        self, serve: Serve, asking: Any, monkeypatch: pytest.MonkeyPatch, url: str
    ) -> None:
        proxy = serve(answer("HTTP/1.1 401 Unauthorized", CHALLENGE), tunnel=True)
        monkeypatch.setenv("https_proxy", url.format(proxy.host))
        assert asking("127.0.0.1:1") == DELEGATED
        assert [request.partition(b" ")[0] for request in proxy.requests] == [b"CONNECT", b"GET"]

    def test_a_proxy_hides_no_untrusted_certificate(
        self, serve: Serve, refusal: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("https_proxy", serve(OK, tunnel=True).host)
        assert refusal("127.0.0.1:1", ca_cert=None).startswith(
            "failed: certificate verify failed: self-signed certificate"
        )

    def test_a_proxy_on_a_closed_port_is_reported(self, refusal: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("https_proxy", f"http://alice:{CANARY}@{NOT_LISTENING}")
        assert refusal("registry.example.com") == f"failed: {PROXY}"

    @pytest.mark.parametrize(
        "url",
        [
            "http://alice:{}/#@proxy.example.com:3128",
            "http://:{}@",
            "http://[::1:{}",
            "http://proxy.example.com:{}",
            "ftp://alice:{}@proxy.example.com",
            "http://alice:{}@proxy.example.com:99999",
            "socks5://alice:{}@proxy.example.com:3128",
        ],
    )
    def test_an_invalid_proxy_url_is_reported(self, refusal: Any, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
        monkeypatch.setenv("https_proxy", url.format(CANARY))
        assert refusal("registry.example.com") == f"failed: {NO_PROXY_URL}"


class TestOptions:
    @pytest.mark.parametrize("timeout", [0, -1, 3601, 10**30])
    @pytest.mark.parametrize("realm_host", [None, "sso.example.com"])
    def test_an_impossible_timeout_is_refused(self, timeout: int, realm_host: str | None) -> None:
        with pytest.raises(OptionError) as error:
            ask_registry(RegistryOptions("127.0.0.1:1", timeout=timeout, realm_host=realm_host))
        assert str(error.value) == "option 'registry_timeout' is in seconds, from 1 to 3600"

    def test_the_longest_timeout_is_accepted(self, serve: Serve, asking: Any) -> None:
        assert asking(serve(OK).host, timeout=3600) == AuthInfo("none")

    def test_an_invalid_registry_is_an_option_error(self) -> None:
        with pytest.raises(OptionError, match=r"^option 'registry': '\[::1' does not begin with"):
            ask_registry(RegistryOptions("[::1"))


class TestKnownRealm:
    """The same decision without a request. No server listens at these hosts."""

    @pytest.mark.parametrize(
        ("registry", "realm_host", "delegated"),
        [
            ("a.invalid", "sso.invalid", True),
            ("a.invalid/team", "https://A.invalid.:443/auth", False),
            ("a.invalid:5000", "a.invalid", True),
            ("docker.io", "auth.docker.io", True),
            ("docker.io", "registry-1.docker.io", False),
        ],
    )
    def test_a_known_realm_is_compared_with_the_registry(self, registry: str, realm_host: str, delegated: bool) -> None:
        host = realm_host.removeprefix("https://").partition("/")[0]
        found = ask_registry(RegistryOptions(registry, realm_host=realm_host))
        assert found == AuthInfo("", "", host, "", delegated=delegated)

    @pytest.mark.parametrize("realm_host", ["", "http://sso.example.com", f"alice:{CANARY}@sso.example.com"])
    def test_an_invalid_known_realm_is_refused(self, realm_host: str) -> None:
        with pytest.raises(OptionError, match=r"^option 'realm_host': ") as error:
            ask_registry(RegistryOptions("a.invalid", realm_host=realm_host))
        assert CANARY not in str(error.value)
