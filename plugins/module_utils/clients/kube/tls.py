# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The trusted certificate authorities and the client certificate of connections."""

from __future__ import annotations

import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ...core.files import describe_read_error
from ..https.connections import ClientContext
from .errors import ConnectError, one_line

__all__ = ["Pem", "client_context"]


@dataclass(frozen=True, repr=False)
class Pem:
    """Certificates or a key, in a file (`path`) or directly (`data`). `origin` names them in messages."""

    origin: str
    path: str = ""
    data: bytes = b""

    def __str__(self) -> str:
        return f"{self.origin} {one_line(self.path)}" if self.path else self.origin

    def content(self) -> bytes:
        """Return the bytes.

        :raises ConnectError: if the file cannot be read.
        """
        if not self.path:
            return self.data
        try:
            return Path(self.path).read_bytes()
        except (OSError, ValueError) as error:
            reason = describe_read_error(self.path, error)
            raise ConnectError(
                f"{self} cannot be read on the host that runs the task: {reason}. Correct the path"
            ) from None


def client_context(
    host: str, *, verify: bool, authority: Pem | None, certificate: Pem | None, key: Pem | None, directory: str
) -> ClientContext:
    """Return the TLS context for a host, with the authorities to trust, by default the system's, and the client's certificate.

    Python loads a client's certificate and key only from files. Data is written to `directory` for that moment.

    :raises ConnectError: if one of them cannot be read or used.
    """
    context = ClientContext(host, verify=verify)
    if authority is not None:
        _load_authority(context, authority)
    elif verify:
        context.load_default_certs()
    if certificate is not None:
        _load_certificate(context, certificate, key or certificate, directory)
    return context


def _load_authority(context: ssl.SSLContext, authority: Pem) -> None:
    content = authority.content()
    try:
        if authority.path:
            context.load_verify_locations(cafile=authority.path)
        else:
            # Comments in other alphabets are allowed in a file, but not here.
            context.load_verify_locations(cadata=content.decode("ascii", "ignore"))
    except (OSError, ValueError):
        raise ConnectError(f"{authority} contains no certificate in PEM format") from None


def _load_certificate(context: ssl.SSLContext, certificate: Pem, key: Pem, directory: str) -> None:
    for pem in (certificate, key):
        # OpenSSL does not report which file it cannot read, or why.
        pem.content()
    try:
        with _as_file(certificate, directory) as certificate_file, _as_file(key, directory) as key_file:
            # With any password, even an empty one, Python does not ask for one on the terminal if the key is encrypted.
            context.load_cert_chain(certificate_file, key_file, password="")
    except (OSError, ValueError):
        both = str(certificate) if certificate == key else f"{certificate} with {key}"
        raise ConnectError(
            f"{both} cannot be used: not in PEM format, or encrypted, or the key does not belong to the certificate"
        ) from None


@contextmanager
def _as_file(pem: Pem, directory: str) -> Iterator[str]:
    if pem.path:
        yield pem.path
        return
    with tempfile.NamedTemporaryFile(dir=directory) as file:
        file.write(pem.data)
        file.flush()
        yield file.name
