# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates for loopback servers and for clients, created for each run of the tests."""

from __future__ import annotations

import datetime
import functools
import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

__all__ = ["Issued", "authority", "issue", "server_side"]

_BEGIN = datetime.datetime(2020, 1, 1)
_END = datetime.datetime(2100, 1, 1)


@dataclass(frozen=True)
class Issued:
    """A certificate and its key in PEM format, and as objects."""

    certificate: bytes
    key: bytes
    x509: x509.Certificate
    private: ec.EllipticCurvePrivateKey

    def encrypted_key(self, password: bytes) -> bytes:
        kind = serialization.BestAvailableEncryption(password)
        return self.private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, kind)


def authority(name: str = "authority") -> Issued:
    """Create an authority with a self-signed certificate."""
    return _signed(name, None)


def issue(name: str, by: str = "authority") -> Issued:
    """Issue a certificate for a client of that name, and for a server at 127.0.0.1 or a host of that name."""
    return _signed(name, authority(by))


@functools.cache
def _signed(name: str, issuer: Issued | None) -> Issued:
    private = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    signer = issuer.private if issuer else private
    public = signer.public_key()
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.x509.subject if issuer else subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_BEGIN)
        .not_valid_after(_END)
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(private.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
        .add_extension(_usage(ca=issuer is None), critical=True)
    )
    if issuer:
        names = [x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    certificate = builder.sign(signer, hashes.SHA256())
    key = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Issued(certificate.public_bytes(serialization.Encoding.PEM), key, certificate, private)


def _usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )


def server_side(directory: Path, issued: Issued, *, clients: Issued | None = None) -> ssl.SSLContext:
    """The TLS context of a server with this certificate. With `clients`, clients are asked for a certificate of that authority."""
    file = directory / "server.pem"
    file.write_bytes(issued.certificate + issued.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    if clients:
        context.verify_mode = ssl.CERT_OPTIONAL
        context.load_verify_locations(cadata=clients.certificate.decode())
    return context
