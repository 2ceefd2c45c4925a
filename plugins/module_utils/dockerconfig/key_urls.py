# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys of an auth file as URLs, parsed as Go's `net/url` parses them for the kubelet. Pure.

Grammar: Go 1.26 `net/url`, `Parse`. tests/oracle compares it with that code on generated keys.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from urllib.parse import unquote

__all__ = ["KeyUrl", "is_image_host", "parse_url", "without_any_scheme", "without_scheme"]

#: The host of an image (distribution/reference, regexp.go).
_PART = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_IMAGE_HOST = re.compile(rf"{_PART}(?:\.{_PART})*(?::[0-9]+)?\Z")

#: Characters that a host cannot contain: escaped ASCII characters other than the percent sign, and the delimiters of other parts.
_NO_HOST = re.compile(r"%(?![89A-Fa-f][0-9A-Fa-f]|25)|[\x00-\x20\x7f#/?@\\^`{|}]")
_NO_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_USER = re.compile(r"[A-Za-z0-9._:~!$&'()*+,;=%@-]*")


@dataclass(frozen=True)
class KeyUrl:
    """`host` and `path` are unescaped. `has_user`: the URL has a user before the host."""

    host: str
    path: str
    has_user: bool = False

    @cached_property
    def name_and_port(self) -> tuple[str, str]:
        """The name and the port of the host. The port is empty where there is none."""
        name, colon, port = self.host.rpartition(":")
        return (name, port) if colon and "]" not in port else (self.host, "")


def without_scheme(key: str) -> str:
    """Return the key without one lower-case scheme. The kubelet does not recognize other spellings of a scheme."""
    for scheme in ("https://", "http://"):
        if key.startswith(scheme):
            return key[len(scheme) :]
    return key


def without_any_scheme(key: str) -> str:
    """Return the key without one scheme in any case: the registry that its author meant."""
    return re.sub(r"\Ahttps?://", "", key, flags=re.IGNORECASE)


def is_image_host(text: str) -> bool:
    """Whether `text` is a valid `host[:port]` of an image."""
    return bool(_IMAGE_HOST.match(text))


@lru_cache(maxsize=4096)
def parse_url(schemeless: str) -> KeyUrl | None:
    """Return the text as Go parses it after `https://`, or None when Go refuses it. An audit compares few keys with many images."""
    before, _sign, fragment = schemeless.partition("#")
    rest, _sign, _query = before.partition("?")
    authority, slash, path = rest.partition("/")
    user, at, host = authority.rpartition("@")
    if _CONTROL.search(before) or not _USER.fullmatch(user) or any(map(_NO_ESCAPE.search, (user, path, fragment))):
        return None
    if not _is_host(host):
        return None
    return KeyUrl(_unescape(host), _unescape(slash + path), bool(at))


def _is_host(host: str) -> bool:
    """Whether the host is valid: brackets hold an IPv6 address, and a port follows the first colon."""
    if host.startswith("["):
        address, bracket, rest = host[1:].rpartition("]")
        return bool(bracket) and _is_ipv6(address) and bool(re.fullmatch(r"(:[0-9]*)?", rest, re.ASCII))
    name, colon, port = host.partition(":")
    is_port = not colon or bool(re.fullmatch(r"[0-9]*", port, re.ASCII))
    return is_port and "[" not in host and not _NO_HOST.search(name)


def _is_ipv6(text: str) -> bool:
    """Refuse an address with a zone, too: Go parses it once, but not in the form in which the kubelet stores it."""
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return text.isascii() and "%" not in text


def _unescape(text: str) -> str:
    return unquote(text, errors="surrogateescape")
