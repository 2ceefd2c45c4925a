# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the `WWW-Authenticate` header of a registry (RFC 9110 and distribution's token specification). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from .endpoints import registry_endpoint, url_host

__all__ = ["AuthInfo", "Challenge", "auth_info", "parse_challenges"]

_TOKEN = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"
_SCHEME = re.compile(rf"[\s,]*({_TOKEN})(?=[\s,]|\Z)")
#: A value is a quoted string with backslash escapes, or anything up to a comma: OpenShift sends its realm unquoted.
#: Each character matches in only one way, so the time to read a header is proportional to its length.
_PARAMETER = re.compile(rf'[\s,]*({_TOKEN})\s*=\s*(?:"([^"\\]*(?:\\.[^"\\]*)*)"|([^",]*))', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True)
class Challenge:
    """One scheme with its parameters. The names of both are in lower case."""

    scheme: str
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class AuthInfo:
    """How a registry authenticates.

    `scheme` is `bearer`, `basic` or `none`, or empty if the registry was not asked. `realm_host` is the receiver of logins, as
    `host` or `host:port`. `delegated`: the login is sent to another host or port than the registry's.
    """

    scheme: str
    realm: str = ""
    realm_host: str = ""
    service: str = ""
    delegated: bool = False


def parse_challenges(header: str) -> list[Challenge]:
    """Return the challenges of one header in order. Invalid parts are left out."""
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
    """Return the first scheme in a 401 response of `host` that a node's client supports. None if there is none."""
    for challenge in (challenge for header in headers for challenge in parse_challenges(header)):
        realm = challenge.parameters.get("realm", "")
        if challenge.scheme == "basic":
            return AuthInfo("basic", realm, host)
        if challenge.scheme == "bearer" and (info := _bearer(host, realm, challenge.parameters.get("service", ""))):
            return info
    return None


def _bearer(host: str, realm: str, service: str) -> AuthInfo | None:
    """None if the realm is not a URL to which a login could be sent. A path is one on the registry."""
    if not realm.isprintable() or " " in realm:
        return None
    if realm.startswith("/") and not realm.startswith("//"):
        return AuthInfo("bearer", realm, host, service)
    try:
        realm_host, where = url_host(realm)
    except ValueError:
        return None
    return AuthInfo("bearer", realm, realm_host, service, where != registry_endpoint(host))
