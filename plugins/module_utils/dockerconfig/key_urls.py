# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys of an auth file as URLs, as Go's `net/url` reads them for the kubelet. Pure.

Grammar: Go 1.26 `net/url`, `Parse`. tests/oracle compares it with that code on generated keys.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import unquote

__all__ = ["KeyUrl", "is_image_host", "parse_url", "without_any_scheme", "without_scheme"]

#: The host of an image (distribution/reference, regexp.go).
_PART = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_IMAGE_HOST = re.compile(rf"{_PART}(?:\.{_PART})*(?::[0-9]+)?\Z")

#: Characters that a host cannot contain: an escape of an ASCII character other than the percent sign, and the characters of other parts.
_NO_HOST = re.compile(r"%(?![89A-Fa-f][0-9A-Fa-f]|25)|[\x00-\x20\x7f#/?@\\^`{|}]")
_NO_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_USER = re.compile(r"[A-Za-z0-9._:~!$&'()*+,;=%@-]*")


@dataclass(frozen=True)
class KeyUrl:
    """`host` and `path` are unescaped. `has_user`: an `@` ends a user in front of the host. `has_query`: a query or fragment follows."""

    host: str
    path: str
    has_user: bool = False
    has_query: bool = False

    @property
    def name_and_port(self) -> tuple[str, str]:
        """The port is empty where there is none."""
        name, colon, port = self.host.rpartition(":")
        return (name, port) if colon and "]" not in port else (self.host, "")


def without_scheme(key: str) -> str:
    """The key without one scheme in lower case: another spelling of a scheme is not one to the kubelet."""
    for scheme in ("https://", "http://"):
        if key.startswith(scheme):
            return key[len(scheme) :]
    return key


def without_any_scheme(key: str) -> str:
    """The key without one scheme in any case: the registry that its author meant."""
    return re.sub(r"\Ahttps?://", "", key, flags=re.IGNORECASE)


def is_image_host(text: str) -> bool:
    """Whether an image can have that `host[:port]`."""
    return bool(_IMAGE_HOST.match(text))


def parse_url(schemeless: str) -> KeyUrl | None:
    """The text as Go reads it behind `https://`; None when it refuses it."""
    before, hash_sign, fragment = schemeless.partition("#")
    rest, question_mark, _query = before.partition("?")
    authority, slash, path = rest.partition("/")
    user, at, host = authority.rpartition("@")
    if _CONTROL.search(before) or not _USER.fullmatch(user) or any(map(_NO_ESCAPE.search, (user, path, fragment))):
        return None
    if not _is_host(host):
        return None
    return KeyUrl(_unescaped(host), _unescaped(slash + path), bool(at), bool(hash_sign or question_mark))


def _is_host(host: str) -> bool:
    """Brackets hold an IPv6 address; behind the first colon is a port."""
    if host.startswith("["):
        address, bracket, rest = host[1:].rpartition("]")
        return bool(bracket) and _is_ipv6(address) and bool(re.fullmatch(r"(:[0-9]*)?", rest, re.ASCII))
    name, colon, port = host.partition(":")
    is_port = not colon or bool(re.fullmatch(r"[0-9]*", port, re.ASCII))
    return is_port and "[" not in host and not _NO_HOST.search(name)


def _is_ipv6(text: str) -> bool:
    """One with a zone is refused, too: Go reads it once, and not in the form in which the kubelet keeps it."""
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return text.isascii() and "%" not in text


def _unescaped(text: str) -> str:
    return unquote(text, errors="surrogateescape")
