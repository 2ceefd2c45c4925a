# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a server gave no answer, and what to do about it, from the error that the TLS library or the system raised.

Nothing that a server sent is repeated. Numbers of verification errors: OpenSSL, `include/openssl/x509_vfy.h.in`.
"""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass

from .limits import OversizedResponse, TruncatedResponse

__all__ = ["Words", "root_cause", "sentence"]


@dataclass(frozen=True)
class Words:
    """What a message calls the server, and what the names of the options that are for it begin with."""

    server: str = "server"
    prefix: str = ""

    def of(self, text: str) -> str:
        return text.replace("{server}", self.server).replace("{prefix}", self.prefix)


_CLOCK = "check the clock of the host that runs the task"
#: What is wrong with a certificate, and what to do, by the number of the verification error.
_CERTIFICATES = {
    9: f"have the certificate replaced, or {_CLOCK}",
    10: f"have the certificate renewed, or {_CLOCK}",
    62: "give the {server} by a name that the certificate holds",
    64: "give the {server} by a name or address that the certificate holds",
}
_UNTRUSTED = "give the certificate of the authority that signed it in '{prefix}ca_cert'"

_NO_TLS = "the server does not speak TLS on this port; check the port, since a {server} without TLS is not asked"
_OLD_TLS = "the server speaks no TLS version that this host allows; have TLS 1.2 or later enabled on the {server}"
_WANTS_CERTIFICATE = (
    "the server asks for a client certificate, which this module cannot send; give the host where it asks for none"
)
#: By the reason that OpenSSL gives.
_HANDSHAKES = {
    "WRONG_VERSION_NUMBER": _NO_TLS,
    "PACKET_LENGTH_TOO_LONG": _NO_TLS,
    "RECORD_LAYER_FAILURE": _NO_TLS,
    "HTTP_REQUEST": _NO_TLS,
    "UNSUPPORTED_PROTOCOL": _OLD_TLS,
    "TLSV1_ALERT_PROTOCOL_VERSION": _OLD_TLS,
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": _WANTS_CERTIFICATE,
}

#: The first kind that an error is of decides.
_KINDS: tuple[tuple[type[BaseException], str], ...] = (
    (OversizedResponse, "the answer is longer than a {server}'s; check the name and the port"),
    (
        TruncatedResponse,
        "the connection was closed in the middle of the answer; try again, or check the proxy before the {server}",
    ),
    (TimeoutError, "there was no complete answer in time; check the network and firewalls, or raise '{prefix}timeout'"),
    (socket.gaierror, "the name cannot be resolved; check the name, and DNS on the host that runs the task"),
    (ConnectionRefusedError, "the connection was refused; check the port, and whether the {server} runs"),
    (ConnectionError, "the connection was closed without an answer; check the port, and whether a proxy is needed"),
)
_NOT_HTTP = "the answer is not valid HTTP; check the name and the port"


def root_cause(error: BaseException) -> BaseException:
    """The innermost of the errors that one error was raised for. `urllib3` hands some on as an argument only."""
    context = None if error.__suppress_context__ else error.__context__
    inner = (*error.args, getattr(error, "reason", None), error.__cause__, context)
    found = next((candidate for candidate in inner if isinstance(candidate, BaseException)), None)
    return error if found is None else root_cause(found)


def sentence(error: BaseException, words: Words) -> str:
    """What went wrong and what to do, for the root cause of a failure."""
    if isinstance(error, ssl.SSLCertVerificationError):
        what_to_do = words.of(_CERTIFICATES.get(error.verify_code, _UNTRUSTED))
        return f"certificate verify failed: {error.verify_message.rstrip('.')}; {what_to_do}"
    if isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        error = ConnectionError()
    if isinstance(error, ssl.SSLError):
        reason = error.reason or "unknown"
        unknown = f"the TLS connection failed ({reason}); check the port and the {{server}}'s TLS settings"
        return words.of(_HANDSHAKES.get(reason, unknown))
    for kind, text in _KINDS:
        if isinstance(error, kind):
            return words.of(text)
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}; check the name, the port and the network"
    return _NOT_HTTP
