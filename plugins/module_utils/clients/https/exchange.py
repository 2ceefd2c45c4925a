# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sends one request once over a pool of connections, and reads its response, within limits. No redirect is followed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .libraries import urllib3
from .limits import Limits, OversizedResponse

__all__ = ["HttpResponse", "open_response", "read_response", "send_request"]


@dataclass(frozen=True)
class HttpResponse:
    """The status, the headers in their order, and the unchanged body if it was requested."""

    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes = field(default=b"", repr=False)

    def all_of(self, name: str) -> list[str]:
        """Return the values of all headers with that name, ignoring case."""
        return [value for found, value in self.headers if found.lower() == name.lower()]

    def header(self, name: str) -> str:
        """Return the value of a header. Several values are joined by a comma. Empty if there is none."""
        return ", ".join(self.all_of(name))


def send_request(
    pool: Any,
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes | None,
    *,
    limits: Limits,
    with_body: bool = True,
) -> HttpResponse:
    """Send one request and return its response. `pool` is a result of `open_pool`. Errors are those of urllib3 and of the system."""
    response = open_response(pool, method, url, headers, body, limits=limits)
    if with_body:
        with limits.in_effect():
            return read_response(response, limits.size)
    response.close()
    return HttpResponse(response.status, [*response.headers.items()])


def open_response(
    pool: Any, method: str, url: str, headers: Mapping[str, str], body: bytes | None, *, limits: Limits
) -> Any:
    """Send one request and return the response of urllib3, before its body is read."""
    with limits.in_effect():
        # Not request(), which would copy the headers.
        return pool.request_encode_url(
            method,
            url,
            body=body,
            headers=headers,
            timeout=urllib3.Timeout(connect=limits.connect, read=limits.read),
            retries=False,
            redirect=False,
            preload_content=False,
            enforce_content_length=True,
        )


def read_response(response: Any, size: int) -> HttpResponse:
    """Return the whole response with its unchanged body of at most `size` bytes. Only reading to the end shows whether it was truncated.

    :raises OversizedResponse: if the body is too large.
    """
    parts: list[bytes] = []
    left = size
    while part := response.read(left + 1, decode_content=False):
        parts.append(part)
        left -= len(part)
        if left < 0:
            response.close()
            raise OversizedResponse
    response.release_conn()
    return HttpResponse(response.status, [*response.headers.items()], b"".join(parts))
