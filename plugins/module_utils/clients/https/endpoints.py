# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts and ports in URLs, RFC 3986. Pure."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

__all__ = ["Endpoint", "authority", "endpoint"]

_AUTHORITY = re.compile(r"(?P<host>\[[^\]]*\]|[^:\[\]]*)(?::(?P<port>[^:]*))?")
_NAME = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*")
_LONGEST_NAME = 253
#: The default port of each scheme.
_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True)
class Endpoint:
    """A host in normalized spelling, and its port.

    Two endpoints are equal if requests to both reach the same place: the host is in lower case without a trailing dot, and the
    default port is filled in.
    """

    host: str
    port: int

    def __str__(self) -> str:
        """Return `host[:port]` as in an `https` URL."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS["https"] else f"{host}:{self.port}"


def endpoint(text: str, scheme: str = "https") -> Endpoint:
    """Return the endpoint for `host[:port]` in a URL with that scheme, `http` or `https`.

    :raises ValueError: if it is invalid. The message gives the reason.
    """
    parts = _AUTHORITY.fullmatch(text)
    if parts is None:
        raise ValueError("it is more than host and port. Write an IPv6 address in brackets, such as [::1]:5000")
    port = _port(parts["port"], _PORTS[scheme])
    return Endpoint(_host(parts["host"]), port)


def authority(url: str) -> tuple[str, str]:
    """Return the scheme of an `http` or `https` URL, and its unchanged `host[:port]`.

    :raises ValueError: if it is not such a URL.
    """
    if not url.isprintable() or " " in url:
        raise ValueError("a URL must not contain white space or control characters")
    parts = urlsplit(url)
    if parts.scheme not in _PORTS:
        raise ValueError("it is not an http or https URL")
    return parts.scheme, parts.netloc.rpartition("@")[2]


def _port(text: str | None, default: int) -> int:
    if text is None:
        return default
    if not re.fullmatch(r"[0-9]{1,5}", text) or not 1 <= int(text) <= 65535:
        raise ValueError(f"port {text!r} is not a number from 1 to 65535")
    return int(text)


def _host(text: str) -> str:
    if text.startswith("["):
        return _ipv6(text[1:-1])
    if not text:
        raise ValueError("there is no host")
    if not text.isascii():
        raise ValueError("a host in an image name must be ASCII. Give its ASCII form, which begins with xn--")
    name = text.lower().removesuffix(".")
    if len(name) > _LONGEST_NAME or not _NAME.fullmatch(name):
        raise ValueError("the host is not a DNS name or an IP address")
    return name


def _ipv6(text: str) -> str:
    try:
        return ipaddress.IPv6Address(text).compressed
    except ValueError:
        raise ValueError(f"{text!r} is not an IPv6 address") from None
