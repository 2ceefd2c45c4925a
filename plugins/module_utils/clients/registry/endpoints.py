# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts and ports of registries and of the services that take their logins. Pure.

Grammar: `github.com/distribution/reference`, `reference.go` (an image name begins with `host[:port]`, in ASCII), and RFC 3986.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from ...core.errors import OptionError

__all__ = ["Endpoint", "endpoint", "option_host", "url_host"]

#: Where Docker Hub's registry answers requests, and the names that it has in images and auth files.
_DOCKER_HUB = "registry-1.docker.io"
_DOCKER_HUB_NAMES = frozenset({"docker.io", "index.docker.io"})

_AUTHORITY = re.compile(r"(?P<host>\[[^\]]*\]|[^:\[\]]*)(?::(?P<port>[^:]*))?")
_NAME = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*")
_LONGEST_NAME = 253
#: What an '@' in an image may stand before; any other one ends a login.
_DIGEST = re.compile(r"@sha(256|384|512):[0-9a-fA-F]+\Z")
_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True)
class Endpoint:
    """A host, in the one spelling that is compared and connected to, and its port.

    Two endpoints are equal when a request to either goes to the same place: lower case, without a trailing dot, the default
    port filled in, one name for Docker Hub.
    """

    host: str
    port: int

    def __str__(self) -> str:
        """`host[:port]` as it stands in an `https` URL."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS["https"] else f"{host}:{self.port}"


def endpoint(text: str, scheme: str = "https") -> Endpoint:
    """The endpoint that `host[:port]` in a URL of that scheme, `http` or `https`, means.

    :raises ValueError: when it is none; the message says why.
    """
    parts = _AUTHORITY.fullmatch(text)
    if parts is None:
        raise ValueError("it is more than host and port; an IPv6 address stands in brackets, such as [::1]:5000")
    port = _port(parts["port"], _PORTS[scheme])
    host = _host(parts["host"])
    hub = host in _DOCKER_HUB_NAMES and port == _PORTS["https"]
    return Endpoint(_DOCKER_HUB if hub else host, port)


def option_host(option: str, text: str) -> str:
    """The `host[:port]` in an option that holds a host, a URL, an image or a repository.

    :raises OptionError: when there is none, or the scheme is not `https`.
    """
    scheme, found, rest = text.strip().partition("://")
    if found and scheme.lower() != "https":
        raise OptionError(
            f"option {option!r}: only https is supported, since others can read a login that is sent without TLS; "
            "give host[:port] without a scheme"
        )
    reference = _DIGEST.sub("", rest if found else scheme)
    shown = reference.rpartition("@")[2]
    if shown != reference:
        raise OptionError(f"option {option!r}: give host[:port] without a user or password, such as {shown!r}")
    host = reference.partition("/")[0]
    try:
        endpoint(host)
    except ValueError as error:
        raise OptionError(f"option {option!r}: {shown!r} does not begin with host[:port]: {error}") from None
    return host


def url_host(url: str) -> tuple[str, Endpoint]:
    """The `host[:port]` of an `http` or `https` URL, as it stands there, and its endpoint.

    :raises ValueError: when it is no such URL.
    """
    if not url.isprintable() or " " in url:
        raise ValueError("a URL holds no white space or control character")
    parts = urlsplit(url)
    if parts.scheme not in _PORTS:
        raise ValueError("it is no http or https URL")
    host = parts.netloc.rpartition("@")[2]
    return host, endpoint(host, parts.scheme)


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
        raise ValueError("a host in an image name is ASCII; give its ASCII form, which begins with xn--")
    name = text.lower().removesuffix(".")
    if len(name) > _LONGEST_NAME or not _NAME.fullmatch(name):
        raise ValueError("the host is not a DNS name or an IP address")
    return name


def _ipv6(text: str) -> str:
    try:
        return ipaddress.IPv6Address(text).compressed
    except ValueError:
        raise ValueError(f"{text!r} is not an IPv6 address") from None
