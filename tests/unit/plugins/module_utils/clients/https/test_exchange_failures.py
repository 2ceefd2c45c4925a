# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each cause of a missing answer has its own sentence with advice."""

from __future__ import annotations

import socket
import ssl

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.https.exchange import (
    OversizedResponse,
    TruncatedResponse,
    Words,
    root_cause,
    sentence,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import ImagePullError

REGISTRY = Words("registry")
NOT_HTTP = "the response is not valid HTTP. Check the name and the port"
CLOSED = "the connection was closed without a response. Check the port, and whether a proxy is needed"
NO_TLS = "the server does not use TLS on this port. Check the port (a registry without TLS is not supported)"
OLD_TLS = "the server supports no TLS version that this host allows. Have TLS 1.2 or later enabled on the registry"


def tls(reason: str | None) -> ssl.SSLError:
    error = ssl.SSLError(1, "[SSL] text of the server")
    error.reason = reason
    return error


def untrusted(number: int, message: str) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code, error.verify_message = number, message
    return error


class TestSentence:
    @pytest.mark.parametrize(
        ("error", "text"),
        [
            (OversizedResponse(), "the response is too large for a registry. Check the name and the port"),
            (TruncatedResponse(),
             "the connection was closed in the middle of the response. Try again, or check the proxy before the registry"),
            (TimeoutError(),
             "there was no complete response in time. Check the network and firewalls, or raise 'timeout: 60'"),
            (socket.gaierror(-2, "Name or service not known"),
             "the name cannot be resolved. Check the name, and DNS on the host that runs the task"),
            (ConnectionRefusedError(), "the connection was refused. Check the port, and whether the registry runs"),
            (ConnectionResetError(), CLOSED),
            (BrokenPipeError(), CLOSED),
            (OSError(101, "Network is unreachable"),
             "Network is unreachable. Check the name, the port and the network"),
            (OSError("text of the server"), NOT_HTTP),
            (ValueError("text of the server"), NOT_HTTP),
        ],
    )  # fmt: skip
    def test_a_connection_error_becomes_a_sentence_with_its_fix(self, error: BaseException, text: str) -> None:
        assert sentence(error, REGISTRY) == text

    @pytest.mark.parametrize(
        ("reason", "text"),
        [
            ("WRONG_VERSION_NUMBER", NO_TLS),
            ("PACKET_LENGTH_TOO_LONG", NO_TLS),
            ("RECORD_LAYER_FAILURE", NO_TLS),
            ("HTTP_REQUEST", NO_TLS),
            ("UNSUPPORTED_PROTOCOL", OLD_TLS),
            ("TLSV1_ALERT_PROTOCOL_VERSION", OLD_TLS),
            ("TLSV13_ALERT_CERTIFICATE_REQUIRED",
             "the server asks for a client certificate, which this module cannot send. Give a host that does not ask for one"),
            ("TLSV1_ALERT_UNKNOWN_CA",
             "the server asks for a client certificate, which this module cannot send. Give a host that does not ask for one"),
            ("SSLV3_ALERT_HANDSHAKE_FAILURE",
             "the TLS connection failed (SSLV3_ALERT_HANDSHAKE_FAILURE). Check the port and the registry's TLS settings"),
            (None, "the TLS connection failed (unknown). Check the port and the registry's TLS settings"),
        ],
    )  # fmt: skip
    def test_a_tls_error_becomes_a_sentence_with_its_fix(self, reason: str | None, text: str) -> None:
        assert sentence(tls(reason), REGISTRY) == text

    @pytest.mark.parametrize("kind", [ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError])
    def test_an_end_of_the_connection_in_tls_is_reported_as_closed(self, kind: type[ssl.SSLError]) -> None:
        assert sentence(kind(8, "EOF"), REGISTRY) == CLOSED

    @pytest.mark.parametrize(
        ("number", "what_to_do"),
        [
            (9, "Have the certificate replaced, or check the clock of the host that runs the task"),
            (10, "Have the certificate renewed, or check the clock of the host that runs the task"),
            (62, "Give the registry by a name that the certificate contains"),
            (64, "Give the registry by a name or address that the certificate contains"),
            (18, "Give the certificate of the authority that signed it: 'ca_cert: /path/to/ca.crt'"),
            (20, "Give the certificate of the authority that signed it: 'ca_cert: /path/to/ca.crt'"),
        ],
    )
    def test_a_certificate_error_becomes_a_sentence_with_its_fix(self, number: int, what_to_do: str) -> None:
        assert sentence(untrusted(number, "why"), REGISTRY) == f"certificate verify failed: why. {what_to_do}"


class TestWords:
    def test_sentences_name_the_server_and_the_options_of_the_client(self) -> None:
        words = Words("service", "ocm_")
        assert sentence(TimeoutError(), words).endswith("or raise 'ocm_timeout: 60'")
        assert sentence(untrusted(20, "{server}"), words) == (
            "certificate verify failed: {server}. Give the certificate of the authority that signed it: 'ocm_ca_cert: /path/to/ca.crt'"
        )
        assert sentence(ConnectionRefusedError(), words).endswith("whether the service runs")
        assert sentence(ConnectionRefusedError(), Words()).endswith("whether the server runs")

    def test_a_client_has_its_own_fixes_for_certificates(self) -> None:
        words = Words("cluster", "x_", "Trust '{prefix}ca'", "the {server} wants '{prefix}cert'", ", in '{prefix}host'")
        assert sentence(untrusted(18, "why"), words) == "certificate verify failed: why. Trust 'x_ca'"
        assert sentence(untrusted(62, "why"), words) == (
            "certificate verify failed: why. Give the cluster by a name that the certificate contains, in 'x_host'"
        )
        assert sentence(untrusted(10, "why"), words).endswith("check the clock of the host that runs the task")
        assert sentence(tls("SSLV3_ALERT_BAD_CERTIFICATE"), words) == "the cluster wants 'x_cert'"


class TestRootCause:
    def test_an_error_alone_is_its_own_root_cause(self) -> None:
        error = ValueError("a", 1)
        assert root_cause(error) is error

    def test_root_cause_follows_causes_and_contexts(self) -> None:
        root, middle, outer = ValueError(), OSError(), RuntimeError()
        outer.__cause__, outer.__context__ = middle, TypeError()
        middle.__context__ = root
        assert root_cause(outer) is root

    def test_root_cause_follows_an_error_in_an_argument_or_a_reason(self) -> None:
        """The way urllib3 wraps errors: `ProtocolError("...", error)`, `MaxRetryError.reason`."""
        root = ConnectionResetError()
        outer = RuntimeError()
        outer.reason = OSError("Connection aborted.", root)  # type: ignore[attr-defined]
        assert root_cause(outer) is root

    def test_root_cause_ignores_a_suppressed_context(self) -> None:
        """urllib3 1.26 first reads an answer the Python 2 way and hides the failure of that attempt."""
        root = ConnectionResetError()
        root.__cause__, root.__context__ = None, TypeError()
        assert root.__suppress_context__
        assert root_cause(root) is root

    def test_root_cause_ignores_the_error_of_an_earlier_request(self) -> None:
        root = ConnectionResetError()
        root.__context__ = ImagePullError("earlier")
        assert root_cause(root) is root

    def test_root_cause_ends_in_a_circle(self) -> None:
        first, second = OSError("first"), OSError("second")
        first.__cause__, second.__cause__ = second, first
        assert root_cause(second) is first

    def test_root_cause_ignores_a_reason_that_is_text(self) -> None:
        error = tls("WRONG_VERSION_NUMBER")
        assert root_cause(error) is error
