# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One request as it is sent, and what is read of its answer. Certificates, proxies and hostile servers: test_client."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.https.failures import Words
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.https.transport import (
    Answer,
    HttpsError,
    HttpsOptions,
    check_timeout,
    send,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from support.certificates import server_context, write_certificate
from support.hostile_registry import Script, answer, drips, proxy_by_tls, sends, served

BODY = b'{"token": "x"}'
WHOLE = answer(
    "HTTP/1.1 200 OK",
    f"Content-Length: {len(BODY)}",
    "Docker-Content-Digest: sha256:1",
    "Content-Encoding: gzip",
    body=BODY,
)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_certificate(tmp_path_factory.mktemp("tls") / "server.pem")


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("method", "with_body", "body"), [("GET", True, BODY), ("GET", False, b""), ("HEAD", False, b"")]
)
def test_method_headers_and_body_are_those_asked_for(
    certificate: str, method: str, with_body: bool, body: bytes
) -> None:
    """What claims to be compressed is not unpacked: a small answer could become a huge one."""
    with served(WHOLE, server_context(certificate)) as server:
        found = send(
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


def test_what_is_posted(certificate: str) -> None:
    with served(WHOLE, server_context(certificate)) as server:
        options = HttpsOptions(certificate)
        send("asking", f"https://{server.host}/", options, longest=1024, method="POST", data="a=b")
    lines = server.requests[0].split(b"\r\n")
    assert lines[0] == b"POST / HTTP/1.1"
    assert b"Content-Length: 3" in lines


def test_headers_of_one_name() -> None:
    answered = Answer(200, [("A", "1"), ("b", "2"), ("a", "3")])
    assert answered.all_of("a") == ["1", "3"]
    assert answered.header("A") == "1, 3"


def test_half_a_body_is_no_answer(certificate: str) -> None:
    half = answer("HTTP/1.1 200 OK", "Content-Length: 100", body=b"{")
    with served(half, server_context(certificate)) as server:
        options = HttpsOptions(certificate, timeout=20.0)
        with pytest.raises(HttpsError, match=r"^asking failed: the connection was closed in the middle"):
            send("asking", f"https://{server.host}/", options, longest=1024, with_body=True)


@pytest.mark.parametrize(("longest", "fits"), [(10_300, True), (10_000, False)])
def test_the_longest_answer_is_the_callers(certificate: str, longest: int, fits: bool) -> None:
    body = b"x" * 10_000
    with served(answer("HTTP/1.1 200 OK", "Content-Length: 10000", body=body), server_context(certificate)) as server:
        url, options = f"https://{server.host}/", HttpsOptions(certificate, words=Words("service"))
        if fits:
            assert send("asking", url, options, longest=longest, with_body=True).body == body
            return
        with pytest.raises(HttpsError, match=r"^asking failed: the answer is longer than a service's"):
            send("asking", url, options, longest=longest, with_body=True)


@pytest.mark.parametrize("timeout", [0, -1, 3601])
def test_a_timeout_that_cannot_be(timeout: float) -> None:
    with pytest.raises(OptionError, match=r"^option 'ocm_timeout' is in seconds, from 1 to 3600$"):
        check_timeout(HttpsOptions(timeout=timeout, words=Words("service", "ocm_")))


def test_authorities_that_cannot_be_read(tmp_path: Path) -> None:
    options = HttpsOptions(str(tmp_path / "missing.pem"), words=Words("service", "ocm_"))
    with pytest.raises(OptionError, match=r"^option 'ocm_ca_cert': .* cannot be read"):
        send("asking", "https://127.0.0.1:1/", options, longest=1024)


HEAD = b"HTTP/1.1 200 OK\r\n"
WITHOUT_END = [drips(HEAD, b"a", 0.05), drips(HEAD + b"\r\n", b"a", 0.05)]
TOO_LONG = sends(HEAD + b"\r\n" + b"a" * 1_000_000)


class TestWithoutOurTls:
    """The limits hold there as well: a registry may name a token service without TLS, and a proxy may be anything."""

    @pytest.mark.parametrize("script", WITHOUT_END)
    def test_a_service_without_tls_that_does_not_end(self, script: Script) -> None:
        with served(script, None) as server:
            with pytest.raises(HttpsError, match=r"^asking failed: there was no complete answer in time"):
                send("asking", f"http://{server.host}/", HttpsOptions(timeout=0.3), longest=1024, with_body=True)
            assert server.hung_up.wait(20)

    def test_a_service_without_tls_that_says_too_much(self) -> None:
        with (
            served(TOO_LONG, None) as server,
            pytest.raises(HttpsError, match=r"^asking failed: the answer is longer than a server's"),
        ):
            send("asking", f"http://{server.host}/", HttpsOptions(), longest=1024, with_body=True)

    def test_a_service_without_tls_that_answers(self) -> None:
        with served(WHOLE, None) as server:
            assert send("asking", f"http://{server.host}/", HttpsOptions(), longest=1024, with_body=True).body == BODY

    def test_a_proxy_that_does_not_end(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with served(drips(HEAD, b"a", 0.05), None) as proxy:
            monkeypatch.setenv("https_proxy", f"http://{proxy.host}")
            with pytest.raises(HttpsError, match=r"^asking failed: there was no complete answer in time"):
                send("asking", "https://127.0.0.1:1/", HttpsOptions(timeout=0.3), longest=1024)
            assert proxy.hung_up.wait(20)

    def test_what_a_proxy_says_is_no_part_of_the_answer(
        self, certificate: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        body = b"x" * 10_000
        whole = answer("HTTP/1.1 200 OK", "Content-Length: 10000", body=body)
        with served(whole, server_context(certificate), tunnel=True) as server:
            monkeypatch.setenv("https_proxy", f"http://{server.host}")
            found = send("asking", "https://127.0.0.1:1/", HttpsOptions(certificate), longest=10_042, with_body=True)
        assert found.body == body


class TestProxyByTls:
    """Its host is an address: urllib3 1.26 does not name that to the TLS layer."""

    @pytest.fixture(autouse=True)
    def trusted(self, certificate: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", certificate)

    @staticmethod
    def asked(script: Script, certificate: str, monkeypatch: pytest.MonkeyPatch, options: HttpsOptions) -> Answer:
        context = server_context(certificate)
        with served(script, context) as server, proxy_by_tls(server.host, context) as proxy:
            monkeypatch.setenv("https_proxy", proxy)
            return send("asking", "https://127.0.0.1:1/", options, longest=30_000, with_body=True)

    @pytest.mark.parametrize("verified", [True, False])
    def test_an_answer_through_it(self, certificate: str, monkeypatch: pytest.MonkeyPatch, verified: bool) -> None:
        options = HttpsOptions(validate_certs=verified)
        assert self.asked(WHOLE, certificate, monkeypatch, options).body == BODY

    def test_one_that_is_not_trusted(self, certificate: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        options = HttpsOptions(write_certificate(tmp_path / "other.pem"))
        with pytest.raises(HttpsError, match=r"^asking failed: "):
            self.asked(WHOLE, certificate, monkeypatch, options)

    @pytest.mark.parametrize("script", [*WITHOUT_END, TOO_LONG])
    def test_an_answer_without_end(self, certificate: str, monkeypatch: pytest.MonkeyPatch, script: Script) -> None:
        with pytest.raises(
            HttpsError, match=r"^asking failed: (there was no complete answer in time|the answer is longer)"
        ):
            self.asked(script, certificate, monkeypatch, HttpsOptions(timeout=1.0))
