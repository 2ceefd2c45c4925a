# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS contexts of connections, and the sockets that they open."""

from __future__ import annotations

import ssl
from typing import Any

from .libraries import urllib3
from .limits import current_limits

__all__ = ["ClientContext"]


class LimitedSocket(ssl.SSLSocket):
    """TLS within TLS reads it repeatedly for a single read, so the time is limited here as well."""

    def recv(self, *arguments: Any, **keywords: Any) -> bytes:
        """Receive bytes, within the limits that are in effect."""
        limits = current_limits()
        if limits is not None:
            limits.shorten_timeout(self)
        return super().recv(*arguments, **keywords)


class ClientContext(ssl.SSLContext):
    """A TLS context for connections to one host, as urllib3 makes it, but without authorities.

    It compares a certificate with `host` even if the caller names none: urllib3 1.26 does not name a host that is an IP address.
    """

    sslsocket_class = LimitedSocket

    def __new__(cls, host: str, *, verify: bool) -> ClientContext:
        return super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)

    def __init__(self, host: str, *, verify: bool) -> None:
        policy = urllib3.util.ssl_.create_urllib3_context()
        for name in (
            "minimum_version",
            "options",
            "verify_flags",
            "post_handshake_auth",
            "hostname_checks_common_name",
        ):
            setattr(self, name, getattr(policy, name))
        # A node does not require key identifiers of certificates (Go's crypto/x509), and Python does since 3.13.
        self.verify_flags &= ~ssl.VERIFY_X509_STRICT
        if policy.keylog_filename:
            self.keylog_filename = policy.keylog_filename
        self.check_hostname = verify
        self.verify_mode = ssl.CERT_REQUIRED if verify else ssl.CERT_NONE
        self._host = host
        super().set_alpn_protocols(["http/1.1"])

    def set_alpn_protocols(self, alpn_protocols: Any) -> None:
        """Keep the protocols.

        urllib3 sets them again for each connection, which frees memory that another thread's handshake is about to copy: the server then
        refuses invalid bytes (python/cpython issue 141012).
        """

    def wrap_socket(self, *arguments: Any, **keywords: Any) -> Any:
        return super().wrap_socket(*arguments, **self._add_name(keywords))

    def wrap_bio(self, *arguments: Any, **keywords: Any) -> Any:
        return super().wrap_bio(*arguments, **self._add_name(keywords))

    def _add_name(self, keywords: dict[str, Any]) -> dict[str, Any]:
        return {**keywords, "server_hostname": keywords.get("server_hostname") or self._host}
