# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One request is sent and its answer is read. Certificates, proxies and hostile servers: test_client.py."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.registry.transport import (
    RegistryError,
    RegistryOptions,
    RegistryResponse,
    send_registry_request,
)
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


@pytest.mark.parametrize(
    ("method", "with_body", "body"), [("GET", True, BODY), ("GET", False, b""), ("HEAD", False, b"")]
)
def test_the_request_and_the_answer_have_the_requested_method_headers_and_body(
    certificate: str, monkeypatch: pytest.MonkeyPatch, method: str, with_body: bool, body: bytes
) -> None:
    """An answer that claims to be compressed is not decompressed: a small answer could become a huge one."""
    monkeypatch.delenv("https_proxy", raising=False)
    with served(WHOLE, server_context(certificate)) as server:
        options = RegistryOptions(server.host, ca_cert=certificate)
        url = f"https://{server.host}/v2/"
        found = send_registry_request(
            "asking", url, options, method=method, headers={"X-Asked": "yes"}, with_body=with_body
        )
    assert found == RegistryResponse(200, [], "", "sha256:1", body)
    lines = server.requests[0].split(b"\r\n")
    assert lines[0] == f"{method} /v2/ HTTP/1.1".encode()
    assert b"X-Asked: yes" in lines
    assert b"User-Agent: openshift_ops.image_pull" in lines


def test_half_a_body_is_not_an_answer(certificate: str, tmp_path: Path) -> None:
    half = answer("HTTP/1.1 200 OK", "Content-Length: 100", body=b"{")
    with served(half, server_context(certificate)) as server:
        options = RegistryOptions(server.host, ca_cert=certificate, timeout=20.0)
        with pytest.raises(RegistryError, match=r"^asking failed: the connection was closed in the middle"):
            send_registry_request("asking", f"https://{server.host}/v2/", options, with_body=True)
