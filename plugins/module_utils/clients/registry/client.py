# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks a registry how it authenticates. The only room that imports `requests`. Sends no credential."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from ...core.errors import ImagePullError, OptionError
from .challenge import AuthInfo, auth_info

try:
    import requests

    IMPORT_ERROR = None
except ImportError:
    IMPORT_ERROR = traceback.format_exc()

__all__ = ["IMPORT_ERROR", "RegistryError", "RegistryOptions", "ask", "registry_host"]

#: Docker Hub answers to another name than the one in images.
_API_HOSTS = {"docker.io": "registry-1.docker.io", "index.docker.io": "registry-1.docker.io"}


class RegistryError(ImagePullError):
    """A registry that could not be asked, or gave no answer of a registry."""


@dataclass(frozen=True)
class RegistryOptions:
    """`timeout` in seconds, for the connection and for the answer."""

    registry: str
    ca_cert: str | None = None
    validate_certs: bool = True
    timeout: float = 10.0


def registry_host(registry: str) -> str:
    """The `host[:port]` of a registry given as host, URL or repository.

    :raises OptionError: when there is none, or the scheme is not https.
    """
    scheme, found, rest = registry.strip().partition("://")
    if found and scheme.lower() != "https":
        raise OptionError(
            f"option 'registry': {scheme}:// is not asked, since a login over it is readable; give https or no scheme"
        )
    host = urlsplit(f"//{rest if found else registry.strip()}").netloc
    if not host or "@" in host or any(character.isspace() for character in host):
        raise OptionError(f"option 'registry': {registry.rpartition('@')[2]!r} holds no host[:port]")
    return host


def ask(options: RegistryOptions) -> AuthInfo:
    """How the registry authenticates, from its answer to `GET /v2/`.

    :raises RegistryError: when it cannot be reached, its certificate is not trusted, or it is no registry.
    """
    host = registry_host(options.registry)
    url = f"https://{_API_HOSTS.get(host, host)}/v2/"
    response = _get(url, options)
    if response.status_code == 200:
        return AuthInfo("none")
    info = auth_info(host, _headers(response)) if response.status_code == 401 else None
    if info is None:
        raise RegistryError(
            f"asking registry {host} how it authenticates (GET {url}) was answered {response.status_code} without a login "
            "challenge: it is no registry of API version 2, or a proxy stands before it"
        )
    return info


def _get(url: str, options: RegistryOptions) -> Any:
    verify: bool | str = options.validate_certs and (options.ca_cert or True)
    with requests.Session() as session:
        session.auth = _no_login
        try:
            return session.get(url, timeout=options.timeout, verify=verify, allow_redirects=False)
        except requests.exceptions.SSLError as error:
            raise _unreachable(url, error, "give the registry's CA in 'ca_cert'") from None
        except (requests.exceptions.RequestException, OSError) as error:
            raise _unreachable(url, error, "check the name, the port and the network") from None


def _no_login(request: Any) -> Any:
    """Keeps `requests` from sending a login out of a .netrc file."""
    return request


def _headers(response: Any) -> list[str]:
    """All `WWW-Authenticate` headers; `requests` alone would join them, and a realm may hold a comma."""
    return list(response.raw.headers.getlist("WWW-Authenticate"))


def _unreachable(url: str, error: BaseException, way_out: str) -> RegistryError:
    root: BaseException = error
    while (inner := getattr(root, "reason", None) or root.__cause__ or root.__context__) and isinstance(
        inner, BaseException
    ):
        root = inner
    return RegistryError(
        f"asking the registry at {url} how it authenticates failed: {str(root) or type(root).__name__}; {way_out}"
    )
