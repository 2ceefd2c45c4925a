# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts and ports in URLs (RFC 3986), and the proxy through which a server is reached."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from .exchange import urllib3

__all__ = [
    "Endpoint",
    "authority",
    "encode_header",
    "endpoint",
    "environment_proxy",
    "find_proxy",
    "has_tls",
    "proxy_host",
    "proxy_login_headers",
]

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
        raise ValueError(f"port {text!r} is not a number from 1 to 65535, such as 443")
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


def find_proxy(url: str, proxy: str = "", no_proxy: str | None = None) -> str:
    """Return the URL of the proxy for requests to `url`, by default that of the environment. Empty for none.

    `no_proxy` are hosts, domains and networks that are reached without the proxy, separated by commas. By default, those of the environment.

    :raises ValueError: if the proxy is not a valid URL of a host. The message does not contain it.
    """
    found = proxy or environment_proxy(url)
    if not found:
        return ""
    parts = urlsplit(url)
    if _is_excepted(
        parts.hostname or "", parts.netloc.lower(), getproxies().get("no", "") if no_proxy is None else no_proxy
    ):
        return ""
    if no_proxy is None and proxy_bypass(parts.hostname or ""):
        return ""
    scheme, separator, _rest = found.partition("://")
    if not separator or scheme.lower() not in ("http", "https"):
        raise ValueError("it does not begin with http:// or https://")
    proxy_host(found)
    return found


def environment_proxy(url: str) -> str:
    """Return the URL of the environment's proxy for the scheme of `url`. Empty for none."""
    proxies = getproxies()
    found = proxies.get(urlsplit(url).scheme) or proxies.get("all") or ""
    return found if not found or "://" in found else f"http://{found}"


def has_tls(proxy: str) -> bool:
    """Whether the proxy is reached by TLS."""
    return proxy.lower().startswith("https://")


def proxy_host(proxy: str) -> str:
    """Return the host in the URL of a proxy.

    :raises ValueError: if there is none.
    """
    return endpoint(proxy.partition("://")[2].partition("/")[0].rpartition("@")[2]).host


def proxy_login_headers(proxy: str, headers: Mapping[str, Any] | None = None) -> dict[str, str]:
    """Return the headers for a proxy: the login in its URL, which urllib3 ignores, and `headers` in the form of `urllib3.make_headers`.

    :raises ValueError: if a header is invalid.
    """
    login = urllib3.util.parse_url(proxy).auth if proxy else None
    given = {"proxy_basic_auth": unquote(login)} if login else {}
    given.update((name, str(value)) for name, value in (headers or {}).items() if value)
    encoded: dict[str, Any] = {name: encode_header(value) for name, value in given.items()}
    return dict(urllib3.util.make_headers(**encoded))


def encode_header(text: str) -> str:
    """Return a text that becomes UTF-8 (RFC 7617) when Python encodes the header in Latin-1."""
    return text.encode("utf-8", "replace").decode("latin-1")


def _is_excepted(host: str, host_and_port: str, no_proxy: str) -> bool:
    """Whether one of the entries is the host, a domain or a network that contains it, or `*`."""
    for entry in (entry.strip().lower().lstrip(".") for entry in no_proxy.split(",")):
        if entry == "*" or (entry and (f".{host}".endswith(f".{entry}") or f".{host_and_port}".endswith(f".{entry}"))):
            return True
        try:
            if ipaddress.ip_address(host) in ipaddress.ip_network(entry, strict=False):
                return True
        except ValueError:
            continue
    return False
