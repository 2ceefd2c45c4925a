# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A certificate is compared with the host of its context, even if the caller names none."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.https.connections import ClientContext
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.https.exchange import Limits
from support.certificates import server_context, write_certificate, write_chain_without_identifiers
from support.hostile_registry import answer, drips, served


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
