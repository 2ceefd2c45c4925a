# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts and ports of registries and of their token services, and the `WWW-Authenticate` header that names them. Pure.

Grammar: `github.com/distribution/reference`, `reference.go` (an image name begins with `host[:port]`, in ASCII), and RFC 3986.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from ...core.errors import OptionError
from ..https.endpoints import Endpoint, authority
from ..https.endpoints import endpoint as any_endpoint

__all__ = [
    "AuthInfo",
    "Challenge",
    "Endpoint",
    "auth_info",
    "is_token_service_of",
    "option_host",
    "parse_challenges",
    "redirect_target",
    "registry_endpoint",
    "url_host",
]

#: The host of Docker Hub's registry, and its names in images and auth files.
_DOCKER_HUB = Endpoint("registry-1.docker.io", 443)
_DOCKER_HUB_NAMES = frozenset({Endpoint("docker.io", 443), Endpoint("index.docker.io", 443)})
#: The token service of Docker Hub. Like its other names, it is fixed and not taken from a response.
_DOCKER_HUB_TOKENS = Endpoint("auth.docker.io", 443)

#: A digest, which may follow an '@' in an image. Any other '@' ends a login.
_DIGEST = re.compile(r"@sha(256|384|512):[0-9a-fA-F]+\Z")


@lru_cache(maxsize=64)  # A key of a secret can be a megabyte long.
def registry_endpoint(text: str, scheme: str = "https") -> Endpoint:
    """Return the endpoint for `host[:port]` in a URL with that scheme, `http` or `https`. All names of Docker Hub have the same one.

    :raises ValueError: if it is invalid. The message gives the reason.
    """
    found = any_endpoint(text, scheme)
    return _DOCKER_HUB if found in _DOCKER_HUB_NAMES else found


def is_token_service_of(registry: Endpoint, service: Endpoint) -> bool:
    """Whether logins of the registry may be sent to the service without an option: its own endpoint, and Docker Hub's service."""
    return service == registry or (registry, service) == (_DOCKER_HUB, _DOCKER_HUB_TOKENS)


def option_host(option: str, text: str) -> str:
    """Return the `host[:port]` in an option whose value is a host, a URL, an image or a repository.

    :raises OptionError: if there is none, or the scheme is not `https`.
    """
    scheme, found, rest = text.strip().partition("://")
    if found and scheme.lower() != "https":
        raise OptionError(
            f"option {option!r}: only https is supported, because others can read a login that is sent without TLS. "
            "Give host[:port] without a scheme"
        )
    reference = _DIGEST.sub("", rest if found else scheme)
    shown = reference.rpartition("@")[2]
    if shown != reference:
        raise OptionError(f"option {option!r}: give host[:port] without a user or password, such as {shown!r}")
    host = reference.partition("/")[0]
    try:
        registry_endpoint(host)
    except ValueError as error:
        raise OptionError(f"option {option!r}: {shown!r} does not begin with host[:port]: {error}") from None
    return host


def url_host(url: str) -> tuple[str, Endpoint]:
    """Return the unchanged `host[:port]` of an `http` or `https` URL, and its endpoint.

    :raises ValueError: if it is not such a URL.
    """
    scheme, host = authority(url)
    return host, registry_endpoint(host, scheme)


def redirect_target(location: str) -> str:
    """Return the target of a redirect as the end of a clause. Empty if it is the same host or unknown."""
    try:
        return f" to {url_host(location)[1]}"
    except ValueError:
        return ""


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
