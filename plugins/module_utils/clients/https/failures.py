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

from ...core.errors import ImagePullError
from .exchange import OversizedResponse, TruncatedResponse

__all__ = ["INCOMPLETE_RESPONSES", "TLS_INTERRUPTIONS", "Words", "root_cause", "sentence"]


@dataclass(frozen=True)
class Words:
    """The words for a server in messages. `prefix` is the prefix of the names of its options.

    `authority` is the fix for an unknown authority, `client_certificate` for a server that wants another certificate of the client.
    `name_options` ends the fix for a wrong name.
    """

    server: str = "server"
    prefix: str = ""
    authority: str = "Give the certificate of the authority that signed it in '{prefix}ca_cert'"
    client_certificate: str = (
        "the server asks for a client certificate, which this module cannot send. Give a host that does not ask for one"
    )
    name_options: str = ""

    def of(self, text: str) -> str:
        return text.replace("{server}", self.server).replace("{prefix}", self.prefix)


#: TLS errors of a connection that was interrupted. The other ones are about protocols and certificates.
TLS_INTERRUPTIONS = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)

#: Errors in the middle of a response. urllib3 1.26 reports them as errors of the proxy if there is one.
INCOMPLETE_RESPONSES = (TimeoutError, OversizedResponse, TruncatedResponse)

_CLOCK = "check the clock of the host that runs the task"
#: The fix for an invalid certificate, by the number of the verification error.
_CERTIFICATES = {
    9: f"Have the certificate replaced, or {_CLOCK}",
    10: f"Have the certificate renewed, or {_CLOCK}",
}
_NAMES = {
    62: "Give the {server} by a name that the certificate contains",
    64: "Give the {server} by a name or address that the certificate contains",
}

_NO_TLS = "the server does not use TLS on this port. Check the port (a {server} without TLS is not supported)"
_OLD_TLS = "the server supports no TLS version that this host allows. Have TLS 1.2 or later enabled on the {server}"
#: Messages by OpenSSL's reason.
_HANDSHAKES = {
    "WRONG_VERSION_NUMBER": _NO_TLS,
    "PACKET_LENGTH_TOO_LONG": _NO_TLS,
    "RECORD_LAYER_FAILURE": _NO_TLS,
    "HTTP_REQUEST": _NO_TLS,
    "UNSUPPORTED_PROTOCOL": _OLD_TLS,
    "TLSV1_ALERT_PROTOCOL_VERSION": _OLD_TLS,
}
#: OpenSSL's reasons for a server that does not accept the certificate of the client, or its absence.
_CLIENT_CERTIFICATES = (
    "TLSV13_ALERT_CERTIFICATE_REQUIRED",
    "SSLV3_ALERT_BAD_CERTIFICATE",
    "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE",
    "SSLV3_ALERT_CERTIFICATE_REVOKED",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN",
    "TLSV1_ALERT_UNKNOWN_CA",
)

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
    """Return the innermost cause of an error. `urllib3` passes some causes only as an argument, or as the context.

    One of our own errors in the context is that of an earlier request.
    """
    seen: list[BaseException] = []
    inner: BaseException | None = error
    while inner is not None and inner not in seen:
        error = inner
        seen.append(error)
        is_earlier = isinstance(error.__context__, ImagePullError)
        context = None if error.__suppress_context__ or is_earlier else error.__context__
        candidates = (*error.args, getattr(error, "reason", None), error.__cause__, context)
        inner = next((candidate for candidate in candidates if isinstance(candidate, BaseException)), None)
    return error


def sentence(error: BaseException, words: Words) -> str:
    """Return the reason and the fix for the root cause of a failure."""
    if isinstance(error, TLS_INTERRUPTIONS):
        error = ConnectionError()
    if isinstance(error, ssl.SSLError):
        return _tls_sentence(error, words)
    for kind, text in _KINDS:
        if isinstance(error, kind):
            return words.of(text)
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}. Check the name, the port and the network"
    return _NOT_HTTP


def _tls_sentence(error: ssl.SSLError, words: Words) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        code = error.verify_code
        fix = f"{_NAMES[code]}{words.name_options}" if code in _NAMES else _CERTIFICATES.get(code, words.authority)
        return f"certificate verify failed: {error.verify_message.rstrip('.')}. {words.of(fix)}"
    reason = error.reason or "unknown"
    if reason in _CLIENT_CERTIFICATES:
        return words.of(words.client_certificate)
    unknown = f"the TLS connection failed ({reason}). Check the port and the {{server}}'s TLS settings"
    return words.of(_HANDSHAKES.get(reason, unknown))
