# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a server may take for an answer and how much it may send, whatever it does.

The timeout of a socket counts from one read to the next, so a server that sends a byte now and then would be read for ever.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable
from copy import copy
from typing import Any

__all__ = ["Limits", "OversizedResponse", "TruncatedResponse", "limit", "limited"]


class OversizedResponse(OSError):
    """The server sent more than an answer needs."""


class TruncatedResponse(OSError):
    """The server closed the connection in the middle of its answer."""


class Limits:
    """What is left for one answer: `seconds` from now on, and `size` in bytes.

    `clock` returns seconds; only their difference counts.
    """

    def __init__(self, seconds: float, size: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._end = clock() + seconds
        self._size = size
        self._begun = False

    def of_proxy(self) -> Limits:
        """The same time, and a size of its own: what a proxy says is no part of the answer behind it."""
        return copy(self)

    def seconds_left(self) -> float:
        """:raises TimeoutError: when there are none."""
        left = self._end - self._clock()
        if left <= 0:
            raise TimeoutError("timed out")
        return left

    def count(self, size: int) -> int:
        """Counts what one read brought, in bytes, and returns it. None is the end of the connection.

        :raises CutOff: when that comes after the answer has begun.
        :raises TooLong: when it is more than was left.
        """
        if not size and self._begun:
            raise TruncatedResponse("the connection was closed in the middle of the answer")
        self._begun = True
        self._size -= size
        if self._size < 0:
            raise OversizedResponse("the answer is too long")
        return size


def limit(context: ssl.SSLContext, limits: Limits) -> ssl.SSLContext:
    """The context, whose connections from now on keep the limits: in the handshake, and in all that is read."""

    class Limited(ssl.SSLSocket):
        def do_handshake(self, block: bool = False) -> None:
            self.settimeout(limits.seconds_left())
            super().do_handshake(block)

        def recv_into(self, *arguments: Any, **keywords: Any) -> int:
            self.settimeout(limits.seconds_left())
            return limits.count(super().recv_into(*arguments, **keywords))

        def recv(self, *arguments: Any, **keywords: Any) -> bytes:
            """So is read what is TLS within TLS."""
            self.settimeout(limits.seconds_left())
            part = super().recv(*arguments, **keywords)
            limits.count(len(part))
            return part

    context.sslsocket_class = Limited
    return context


def limited(plain: socket.socket, limits: Limits) -> socket.socket:
    """The same connection, which keeps the limits where there is no TLS: to a proxy, or to a token service that has none."""

    class Limited(socket.socket):
        def recv_into(self, *arguments: Any, **keywords: Any) -> int:
            self.settimeout(limits.seconds_left())
            return limits.count(super().recv_into(*arguments, **keywords))

    timeout = plain.gettimeout()
    found = Limited(plain.family, plain.type, plain.proto, plain.detach())
    found.settimeout(timeout)
    return found
