# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A certificate is compared with a host that the caller does not name."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.https.hostname_check import (
    enforce_hostname,
)
from support.certificates import server_context, write_certificate
from support.hostile_registry import answer, served


@pytest.mark.parametrize(("host", "fits"), [("127.0.0.1", True), ("127.0.0.2", False)])
def test_the_certificate_is_checked_against_the_given_name(tmp_path: Path, host: str, fits: bool) -> None:
    certificate = write_certificate(tmp_path / "server.pem")
    context = enforce_hostname(ssl.create_default_context(cafile=certificate), host)
    with served(answer("HTTP/1.1 200 OK"), server_context(certificate)) as server:
        address, _colon, port = server.host.partition(":")
        with socket.create_connection((address, int(port)), timeout=20) as plain:
            if fits:
                assert context.wrap_socket(plain).version()
                return
            with pytest.raises(ssl.SSLCertVerificationError):
                context.wrap_socket(plain)


def test_tls_within_tls_keeps_the_name_of_the_caller() -> None:
    context = enforce_hostname(ssl.create_default_context(), "a.example.com")
    assert context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO()).server_hostname == "a.example.com"
    other = context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="b.example.com")
    assert other.server_hostname == "b.example.com"
