# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Self-signed certificates for servers on 127.0.0.1."""

from __future__ import annotations

import atexit
import datetime
import functools
import ipaddress
import shutil
import ssl
import tempfile
import threading
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

_LOCK = threading.Lock()
_HOUR = datetime.timedelta(hours=1)


def write_certificate(
    file: Path, *, address: str = "127.0.0.1", name: str = "test", begins: int = -1, ends: int = 1
) -> str:
    """Write a certificate and its key to `file`, and return its path. The validity is given in hours from now."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now + begins * _HOUR)
        .not_valid_after(now + ends * _HOUR)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    encoded = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    form = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(encoded + key.private_bytes(serialization.Encoding.PEM, *form))
    return str(file)


def write_chain_without_identifiers(directory: Path) -> tuple[str, str]:
    """Write an authority, and a certificate of it for 127.0.0.1 with its key, without key identifiers, as old tools make them."""
    now = datetime.datetime.now(datetime.timezone.utc)
    keys = [ec.generate_private_key(ec.SECP256R1()) for _name in range(2)]
    names = [x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]) for name in ("authority", "server")]
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    extensions = ((x509.BasicConstraints(ca=True, path_length=None), True), (address, False))
    paths = [directory / "authority.pem", directory / "server.pem"]
    for key, name, (extension, is_critical), path in zip(keys, names, extensions, paths, strict=True):
        builder = x509.CertificateBuilder(names[0], name, key.public_key(), x509.random_serial_number())
        builder = builder.not_valid_before(now - _HOUR).not_valid_after(now + _HOUR)
        signed = builder.add_extension(extension, is_critical).sign(keys[0], hashes.SHA256())
        form = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        path.write_bytes(
            signed.public_bytes(serialization.Encoding.PEM) + key.private_bytes(serialization.Encoding.PEM, *form)
        )
    return str(paths[0]), str(paths[1])


def loopback_certificate() -> str:
    """The path of a certificate with its key for 127.0.0.1, which exists until this process ends."""
    with _LOCK:
        return _loopback_certificate()


@functools.cache
def _loopback_certificate() -> str:
    directory = tempfile.mkdtemp(prefix="certificate-")
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    return write_certificate(Path(directory) / "loopback.pem", ends=24)


def server_context(certificate: str) -> ssl.SSLContext:
    """The TLS context of a server with a certificate of `write_certificate`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context
