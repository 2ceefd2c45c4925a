# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The `WWW-Authenticate` header of a registry, RFC 9110 and distribution's token specification. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

__all__ = ["AuthInfo", "Challenge", "auth_info", "parse_challenges"]

_SCHEME = re.compile(r"[\s,]*([A-Za-z0-9!#$%&'*+.^_`|~-]+)(?=\s|,|\Z)")
#: A value is a quoted string with backslash escapes, or anything up to a comma: OpenShift sends its realm unquoted.
_PARAMETER = re.compile(r'[\s,]*([A-Za-z0-9!#$%&\'*+.^_`|~-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^",]*))')


@dataclass(frozen=True)
class Challenge:
    """One scheme with its parameters; both names in lower case."""

    scheme: str
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class AuthInfo:
    """How a registry authenticates.

    `scheme` is `bearer`, `basic` or `none`. `realm_host` is where a login is sent, `host` or `host:port`.
    `delegated`: the login goes to another host than the registry.
    """

    scheme: str
    realm: str = ""
    realm_host: str = ""
    service: str = ""
    delegated: bool = False


def parse_challenges(header: str) -> list[Challenge]:
    """The challenges of one header in order; what cannot be read is left out."""
    challenges = []
    position = 0
    while position < len(header):
        scheme = _SCHEME.match(header, position)
        if not scheme:
            break
        position = scheme.end()
        parameters: dict[str, str] = {}
        while parameter := _PARAMETER.match(header, position):
            name, quoted, plain = parameter.groups()
            value = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else plain.strip()
            parameters.setdefault(name.lower(), value)
            position = parameter.end()
        challenges.append(Challenge(scheme.group(1).lower(), parameters))
    return challenges


def auth_info(host: str, headers: Iterable[str]) -> AuthInfo | None:
    """What a 401 of `host` asks for: the first scheme that a node's client knows. None when it names none."""
    for challenge in (challenge for header in headers for challenge in parse_challenges(header)):
        realm = challenge.parameters.get("realm", "")
        if challenge.scheme == "basic":
            return AuthInfo("basic", realm, host)
        if challenge.scheme == "bearer" and _is_url(realm):
            realm_host = urlsplit(realm).netloc.rpartition("@")[2] or host
            service = challenge.parameters.get("service", "")
            return AuthInfo("bearer", realm, realm_host, service, _with_port(realm_host) != _with_port(host))
    return None


def _is_url(realm: str) -> bool:
    try:
        return bool(urlsplit(realm).geturl())
    except ValueError:
        return False


def _with_port(host: str) -> str:
    return host.lower() if re.search(r":\d+\Z", host) else f"{host.lower()}:443"
