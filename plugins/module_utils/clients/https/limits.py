# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Limits the time and the size of a server's response.

The timeout of a socket counts from one read to the next, so a server that sends a byte now and then could keep the connection open forever.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable
from copy import copy
from typing import Any

__all__ = ["Limits", "OversizedResponse", "TruncatedResponse", "limit_context", "limit_socket"]


class OversizedResponse(OSError):
    """The server sent more than a response needs."""


class TruncatedResponse(OSError):
    """The server closed the connection in the middle of its response."""


class Limits:
    """The remaining limits of one response: `seconds` from now on, and `size` in bytes.

    `clock` returns seconds from any start.
    """

    def __init__(self, seconds: float, size: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._end = clock() + seconds
        self._size = size
        self._begun = False

    def of_proxy(self) -> Limits:
        """Return limits with the same time and a separate size, because the proxy's own response does not count."""
        return copy(self)

    def seconds_left(self) -> float:
        """Return the seconds that are left.

        :raises TimeoutError: if none are left.
        """
        left = self._end - self._clock()
        if left <= 0:
            raise TimeoutError("timed out")
        return left

    def count(self, size: int) -> int:
        """Count and return the number of bytes of one read. 0 means the end of the connection.

        :raises TruncatedResponse: if the connection ends after the response has begun.
        :raises OversizedResponse: if it is more than the remaining size.
        """
        if not size and self._begun:
            raise TruncatedResponse("the connection was closed in the middle of the response")
        self._begun = True
        self._size -= size
        if self._size < 0:
            raise OversizedResponse("the response is too long")
        return size


def limit_context(context: ssl.SSLContext, limits: Limits) -> ssl.SSLContext:
    """Change the context so that its future connections apply the limits to the handshake and to all reads, and return it."""

    class Limited(ssl.SSLSocket):
        def do_handshake(self, block: bool = False) -> None:
            self.settimeout(limits.seconds_left())
            super().do_handshake(block)

        def recv_into(self, *arguments: Any, **keywords: Any) -> int:
            self.settimeout(limits.seconds_left())
            return limits.count(super().recv_into(*arguments, **keywords))

        def recv(self, *arguments: Any, **keywords: Any) -> bytes:
            """TLS within TLS is read by this method."""
            self.settimeout(limits.seconds_left())
            part = super().recv(*arguments, **keywords)
            limits.count(len(part))
            return part

    context.sslsocket_class = Limited
    return context


def limit_socket(plain: socket.socket, limits: Limits) -> socket.socket:
    """Return the connection with limits, for connections without TLS: to a proxy, or to a token service without TLS."""

    class Limited(socket.socket):
        def recv_into(self, *arguments: Any, **keywords: Any) -> int:
            self.settimeout(limits.seconds_left())
            return limits.count(super().recv_into(*arguments, **keywords))

    timeout = plain.gettimeout()
    found = Limited(plain.family, plain.type, plain.proto, plain.detach())
    found.settimeout(timeout)
    return found
