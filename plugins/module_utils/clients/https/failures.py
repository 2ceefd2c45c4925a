# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Explains errors of the TLS library or the system: why a server did not answer, and how to fix it.

No text of the server is repeated. Numbers of verification errors: OpenSSL, `include/openssl/x509_vfy.h.in`.
"""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass

from .limits import OversizedResponse, TruncatedResponse

__all__ = ["Words", "root_cause", "sentence"]


@dataclass(frozen=True)
class Words:
    """The noun for the server in messages, and the prefix of the names of its options."""

    server: str = "server"
    prefix: str = ""

    def of(self, text: str) -> str:
        return text.replace("{server}", self.server).replace("{prefix}", self.prefix)


_CLOCK = "check the clock of the host that runs the task"
#: The fix for an invalid certificate, by the number of the verification error.
_CERTIFICATES = {
    9: f"Have the certificate replaced, or {_CLOCK}",
    10: f"Have the certificate renewed, or {_CLOCK}",
    62: "Give the {server} by a name that the certificate contains",
    64: "Give the {server} by a name or address that the certificate contains",
}
_UNTRUSTED = "Give the certificate of the authority that signed it in '{prefix}ca_cert'"

_NO_TLS = "the server does not use TLS on this port. Check the port (a {server} without TLS is not supported)"
_OLD_TLS = "the server supports no TLS version that this host allows. Have TLS 1.2 or later enabled on the {server}"
_WANTS_CERTIFICATE = (
    "the server asks for a client certificate, which this module cannot send. Give a host that does not ask for one"
)
#: Messages by OpenSSL's reason.
_HANDSHAKES = {
    "WRONG_VERSION_NUMBER": _NO_TLS,
    "PACKET_LENGTH_TOO_LONG": _NO_TLS,
    "RECORD_LAYER_FAILURE": _NO_TLS,
    "HTTP_REQUEST": _NO_TLS,
    "UNSUPPORTED_PROTOCOL": _OLD_TLS,
    "TLSV1_ALERT_PROTOCOL_VERSION": _OLD_TLS,
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": _WANTS_CERTIFICATE,
}

#: The first type that matches an error decides.
_KINDS: tuple[tuple[type[BaseException], str], ...] = (
    (OversizedResponse, "the response is too large for a {server}. Check the name and the port"),
    (
        TruncatedResponse,
        "the connection was closed in the middle of the response. Try again, or check the proxy before the {server}",
    ),
    (
        TimeoutError,
        "there was no complete response in time. Check the network and firewalls, or raise '{prefix}timeout'",
    ),
    (socket.gaierror, "the name cannot be resolved. Check the name, and DNS on the host that runs the task"),
    (ConnectionRefusedError, "the connection was refused. Check the port, and whether the {server} runs"),
    (ConnectionError, "the connection was closed without a response. Check the port, and whether a proxy is needed"),
)
_NOT_HTTP = "the response is not valid HTTP. Check the name and the port"


def root_cause(error: BaseException) -> BaseException:
    """Return the innermost cause of an error. `urllib3` passes some causes only as an argument."""
    context = None if error.__suppress_context__ else error.__context__
    inner = (*error.args, getattr(error, "reason", None), error.__cause__, context)
    found = next((candidate for candidate in inner if isinstance(candidate, BaseException)), None)
    return error if found is None else root_cause(found)


def sentence(error: BaseException, words: Words) -> str:
    """Return the reason and the fix for the root cause of a failure."""
    if isinstance(error, ssl.SSLCertVerificationError):
        fix = words.of(_CERTIFICATES.get(error.verify_code, _UNTRUSTED))
        return f"certificate verify failed: {error.verify_message.rstrip('.')}. {fix}"
    if isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        error = ConnectionError()
    if isinstance(error, ssl.SSLError):
        reason = error.reason or "unknown"
        unknown = f"the TLS connection failed ({reason}). Check the port and the {{server}}'s TLS settings"
        return words.of(_HANDSHAKES.get(reason, unknown))
    for kind, text in _KINDS:
        if isinstance(error, kind):
            return words.of(text)
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}. Check the name, the port and the network"
    return _NOT_HTTP
