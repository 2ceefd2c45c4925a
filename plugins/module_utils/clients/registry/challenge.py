# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The `WWW-Authenticate` header of a registry, RFC 9110 and distribution's token specification. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from .endpoints import endpoint, url_host

__all__ = ["AuthInfo", "Challenge", "auth_info", "parse_challenges"]

_TOKEN = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"
_SCHEME = re.compile(rf"[\s,]*({_TOKEN})(?=[\s,]|\Z)")
#: A value is a quoted string with backslash escapes, or anything up to a comma: OpenShift sends its realm unquoted.
#: Each character can be read in one way only, so a header is read in time proportional to its length.
_PARAMETER = re.compile(rf'[\s,]*({_TOKEN})\s*=\s*(?:"([^"\\]*(?:\\.[^"\\]*)*)"|([^",]*))', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True)
class Challenge:
    """One scheme with its parameters; both names in lower case."""

    scheme: str
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class AuthInfo:
    """How a registry authenticates.

    `scheme` is `bearer`, `basic` or `none`; empty when the registry was not asked. `realm_host` is where a login is sent,
    `host` or `host:port`. `delegated`: the login goes to another host than the registry, or to another port.
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
    while scheme := _SCHEME.match(header, position):
        position = scheme.end()
        parameters: dict[str, str] = {}
        while parameter := _PARAMETER.match(header, position):
            name, quoted, plain = parameter.groups()
            value = plain.strip() if quoted is None else _ESCAPED.sub(r"\1", quoted)
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
        if challenge.scheme == "bearer" and (info := _bearer(host, realm, challenge.parameters.get("service", ""))):
            return info
    return None


def _bearer(host: str, realm: str, service: str) -> AuthInfo | None:
    """None when the realm is no URL that a login could be sent to. A path alone is one on the registry."""
    if not realm.isprintable() or " " in realm:
        return None
    if realm.startswith("/") and not realm.startswith("//"):
        return AuthInfo("bearer", realm, host, service)
    try:
        realm_host, where = url_host(realm)
    except ValueError:
        return None
    return AuthInfo("bearer", realm, realm_host, service, where != endpoint(host))
