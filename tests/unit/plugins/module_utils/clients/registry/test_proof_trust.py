# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The certificate of a registry is verified with given authorities, whatever this host trusts. TLS on 127.0.0.1."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.registry.proof import prove_trust
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.registry.transport import RegistryOptions
from support.certificates import server_context, write_certificate
from support.hostile_registry import HostileRegistry, answer, served


def authority(file: str) -> str:
    """The certificate in a file that also has its key."""
    text = Path(file).read_text(encoding="ascii")
    return text[: text.index("-----BEGIN PRIVATE KEY-----")]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_certificate(tmp_path_factory.mktemp("tls") / "server.pem")


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_certificate(tmp_path_factory.mktemp("tls") / "other.pem", name="other")


@pytest.fixture
def server(certificate: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[HostileRegistry]:
    monkeypatch.delenv("https_proxy", raising=False)
    with served(
        answer("HTTP/1.1 401 No", "Content-Length: 0", "Connection: close"), server_context(certificate)
    ) as found:
        yield found


def outcome(server: HostileRegistry, authorities: str, **options: object) -> str:
    given = RegistryOptions(server.host, timeout=20.0, **options)  # type: ignore[arg-type]
    return prove_trust(given, server.host, authorities, is_named=True).outcome


def test_a_registry_is_trusted_with_its_authority_only(server: HostileRegistry, certificate: str, other: str) -> None:
    assert outcome(server, authority(certificate)) == "trusted"
    assert outcome(server, f"{authority(other)}\n{authority(certificate)}") == "trusted"
    assert outcome(server, authority(other)) == "untrusted"
    assert outcome(server, "") == "untrusted"


def test_an_authority_that_cannot_be_read_is_not_trusted(server: HostileRegistry) -> None:
    assert outcome(server, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----") == "untrusted"


def test_the_authorities_of_this_host_do_not_count(
    server: HostileRegistry, certificate: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certificate)
    monkeypatch.setenv("SSL_CERT_FILE", certificate)
    assert outcome(server, "", ca_cert=certificate) == "untrusted"
    assert outcome(server, "", validate_certs=False) == "untrusted"


def test_no_login_is_sent(server: HostileRegistry, certificate: str) -> None:
    assert outcome(server, authority(certificate)) == "trusted"
    assert [b"authorization" in each.lower() for each in server.requests] == [False]
    assert server.requests[0].startswith(b"GET /v2/ HTTP/1.1\r\n")


def test_a_registry_that_gives_no_answer_is_neither(certificate: str) -> None:
    options = RegistryOptions("127.0.0.1:1", timeout=20.0)
    assert prove_trust(options, "127.0.0.1:1", "", is_named=True).outcome == "unanswered"
    assert prove_trust(options, "127.0.0.1:1", "").outcome == "not_sent"
