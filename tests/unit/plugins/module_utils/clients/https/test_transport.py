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
from support.hostile_registry import answer, served

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
    monkeypatch.delenv("https_proxy", raising=False)


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
        options = HttpsOptions(certificate, timeout=2.0)
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
