# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates are presented and verified over real connections, and unusable certificates are refused."""

from __future__ import annotations

import socket
import ssl
import threading
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.errors import ConnectError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.kubeconfig import (
    Pem,
    client_context,
)
from support.client_certificates import authority, issue, server_side
from support.objects import raised

CA = Pem("'ca_cert'", data=authority().certificate)
CLIENT = issue("client")
CERTIFICATE, KEY = Pem("the certificate", data=CLIENT.certificate), Pem("the key", data=CLIENT.key)


def in_file(pem: Pem, path: Path) -> Pem:
    path.write_bytes(pem.data)
    return Pem(pem.origin, path=str(path))


def context_of(directory: Path, **parts: Any) -> ssl.SSLContext:
    return client_context(
        "127.0.0.1",
        **{"verify": True, "authority": CA, "certificate": None, "key": None, **parts},
        directory=str(directory),
    )


def talk(context: ssl.SSLContext, directory: Path, name: str = "127.0.0.1") -> Any:
    """The client certificate that the test's server receives, None without one."""
    certificate, _protocol = seen_by_server(context, directory, name)
    return dict(part[0] for part in certificate["subject"])["commonName"] if certificate else None


def seen_by_server(context: ssl.SSLContext, directory: Path, name: str = "127.0.0.1") -> Any:
    """The client certificate, and the protocol that server and client agree on."""
    seen: list[Any] = []
    tls = server_side(directory, issue("server"), clients=authority())
    tls.set_alpn_protocols(["http/1.1", "http/1.0"])

    def serve(listening: socket.socket) -> None:
        connection = listening.accept()[0]
        with connection:
            try:
                with tls.wrap_socket(connection, server_side=True) as secured:
                    seen.append((secured.getpeercert(), secured.selected_alpn_protocol()))
                    secured.sendall(b"x")
            except OSError:
                pass

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, args=(listening,), daemon=True)
        thread.start()
        with (
            socket.create_connection(listening.getsockname()) as plain,
            context.wrap_socket(plain, server_hostname=name) as secured,
        ):
            assert secured.recv(1) == b"x"
        thread.join(10)
    (both,) = seen
    return both


class TestTrust:
    @pytest.mark.parametrize("as_file", [True, False])
    def test_a_server_of_the_given_authority_is_trusted(self, tmp_path: Path, as_file: bool) -> None:
        given = in_file(CA, tmp_path / "ca") if as_file else CA
        assert talk(context_of(tmp_path, authority=given), tmp_path) is None

    @pytest.mark.parametrize("other", [None, Pem("it", data=authority("other").certificate)])
    def test_a_server_of_another_authority_is_not_trusted(self, tmp_path: Path, other: Pem | None) -> None:
        with pytest.raises(ssl.SSLCertVerificationError):
            talk(context_of(tmp_path, authority=other), tmp_path)

    @pytest.mark.parametrize("given", [None, CA])
    def test_any_server_is_accepted_if_verification_is_off(self, tmp_path: Path, given: Pem | None) -> None:
        assert talk(context_of(tmp_path, verify=False, authority=given), tmp_path, "example.com") is None

    def test_the_authorities_of_the_system_are_used_if_none_is_given(self, tmp_path: Path) -> None:
        default = ssl.create_default_context()
        assert context_of(tmp_path, authority=None).cert_store_stats() == default.cert_store_stats()
        assert context_of(tmp_path).cert_store_stats()["x509_ca"] == 1
        assert context_of(tmp_path, authority=None, verify=False).cert_store_stats()["x509_ca"] == 0

    @pytest.mark.parametrize("as_file", [True, False])
    def test_comments_in_an_authority_can_be_in_any_alphabet(self, tmp_path: Path, as_file: bool) -> None:
        pem = Pem("it", data="# Autorité\n".encode() + CA.data)
        context = context_of(tmp_path, authority=in_file(pem, tmp_path / "ca") if as_file else pem)
        assert context.cert_store_stats()["x509_ca"] == 1

    @pytest.mark.parametrize(
        "content", [b"", b"secret", b"-----BEGIN CERTIFICATE-----\nc2VjcmV0\n-----END CERTIFICATE-----\n"]
    )
    @pytest.mark.parametrize("as_file", [True, False])
    def test_an_authority_without_a_certificate_is_refused(self, tmp_path: Path, content: bytes, as_file: bool) -> None:
        pem = Pem("'ca_cert'", data=content)
        given, name = (in_file(pem, tmp_path / "ca"), f"'ca_cert' {tmp_path / 'ca'}") if as_file else (pem, "'ca_cert'")
        assert (
            raised(ConnectError, lambda: context_of(tmp_path, authority=given))
            == f"{name} contains no certificate in PEM format: give the file with that of the server's authority, which begins with -----BEGIN CERTIFICATE-----"
        )


class TestProtocol:
    def test_the_protocol_stays_the_same_when_connections_begin(self, tmp_path: Path) -> None:
        context = context_of(tmp_path)
        # urllib3 does this for each connection. Another protocol makes the difference visible.
        context.set_alpn_protocols(["http/1.0"])
        assert seen_by_server(context, tmp_path)[1] == "http/1.1"


class TestShow:
    @pytest.mark.parametrize("certificate_in_file", [True, False])
    @pytest.mark.parametrize("key_in_file", [True, False])
    def test_the_certificate_of_the_client_is_shown_and_no_key_stays_in_a_file(
        self, tmp_path: Path, certificate_in_file: bool, key_in_file: bool
    ) -> None:
        directory = tmp_path / "temporary"
        directory.mkdir()
        certificate = in_file(CERTIFICATE, tmp_path / "c") if certificate_in_file else CERTIFICATE
        key = in_file(KEY, tmp_path / "k") if key_in_file else KEY
        context = context_of(directory, certificate=certificate, key=key)
        assert talk(context, tmp_path) == "client"
        assert list(directory.iterdir()) == [], "no key stays in a file"

    def test_a_certificate_and_its_key_in_one_file_are_shown(self, tmp_path: Path) -> None:
        both = in_file(Pem("both", data=CLIENT.certificate + CLIENT.key), tmp_path / "both")
        assert talk(context_of(tmp_path, certificate=both), tmp_path) == "client"

    @pytest.mark.parametrize(
        ("certificate", "key"),
        [
            (b"secret", CLIENT.key),
            (CLIENT.certificate, b"secret"),
            (CLIENT.certificate, issue("other").key),
            (CLIENT.certificate, CLIENT.encrypted_key(b"secret")),
        ],
        ids=["no certificate", "no key", "another key", "encrypted"],
    )
    def test_an_unusable_client_certificate_is_refused(self, tmp_path: Path, certificate: bytes, key: bytes) -> None:
        pems = Pem("'client_cert'", data=certificate), in_file(Pem("'client_key'", data=key), tmp_path / "key")
        assert raised(ConnectError, lambda: context_of(tmp_path, certificate=pems[0], key=pems[1])) == (
            f"'client_cert' with 'client_key' {tmp_path / 'key'} cannot be used: not in PEM format, or encrypted, or the key "
            "does not belong to the certificate"
        )
        assert list(tmp_path.iterdir()) == [tmp_path / "key"]

    def test_a_certificate_without_its_key_is_named_once(self, tmp_path: Path) -> None:
        with pytest.raises(ConnectError, match="^the certificate cannot be used: not in PEM"):
            context_of(tmp_path, certificate=CERTIFICATE)


class TestFiles:
    @pytest.mark.parametrize("part", ["authority", "certificate", "key"])
    @pytest.mark.parametrize(
        ("path", "reason"),
        [
            ("{}/none", "No such file or directory. Correct the path, or create the file there"),
            ("{}", "Is a directory. Name a file"),
            ("{}/a\0b", "the path is not valid"),
        ],
    )
    def test_an_unreadable_file_is_named_with_the_reason(
        self, tmp_path: Path, part: str, path: str, reason: str
    ) -> None:
        place = path.format(tmp_path)
        parts = {"certificate": CERTIFICATE, "key": KEY, part: Pem("'it'", path=place)}
        caught = raised(ConnectError, lambda: context_of(tmp_path, **parts))
        shown = place.replace("\0", " ")
        assert caught == (f"'it' {shown} cannot be read on the host that runs the task: {reason}")

    def test_content_returns_the_pem_of_data_or_a_file(self, tmp_path: Path) -> None:
        assert KEY.content() == CLIENT.key
        assert in_file(KEY, tmp_path / "k").content() == CLIENT.key

    def test_the_repr_of_a_key_hides_it(self) -> None:
        assert "PRIVATE" not in repr(KEY) + str(KEY)
