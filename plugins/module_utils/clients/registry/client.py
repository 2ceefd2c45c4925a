# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks a registry how it authenticates. Sends no credential."""

from __future__ import annotations

from .challenge import AuthInfo, auth_info
from .endpoints import endpoint, option_host, redirect_target
from .transport import IMPORT_ERROR, RegistryError, RegistryOptions, RegistryResponse, check_timeout, send

__all__ = ["IMPORT_ERROR", "RegistryError", "RegistryOptions", "ask", "check_options", "known_info", "registry_host"]


def registry_host(options: RegistryOptions) -> str:
    """The `host[:port]` of the registry, as the option spells it.

    :raises OptionError: when there is none.
    """
    return option_host("registry", options.registry)


def check_options(options: RegistryOptions) -> None:
    """:raises OptionError: when an option cannot work."""
    registry_host(options)
    check_timeout(options)
    if options.realm_host is not None:
        option_host("realm_host", options.realm_host)


def ask(options: RegistryOptions) -> AuthInfo:
    """How the registry authenticates, from its answer to `GET /v2/`.

    :raises OptionError: when an option cannot work; nothing has been sent.
    :raises RegistryError: when it cannot be reached, its certificate is not trusted, or it is no registry.
    """
    check_options(options)
    if (known := known_info(options)) is not None:
        return known
    host = registry_host(options)
    url = f"https://{endpoint(host)}/v2/"
    attempt = f"asking registry {host} how it authenticates (GET {url})"
    return _understood(attempt, host, send(attempt, url, options))


def known_info(options: RegistryOptions) -> AuthInfo | None:
    """The answer that `realm_host` gives, for which no registry is asked; None without that option.

    :raises OptionError: when a host is none.
    """
    if options.realm_host is None:
        return None
    realm_host = option_host("realm_host", options.realm_host)
    return AuthInfo("", realm_host=realm_host, delegated=endpoint(realm_host) != endpoint(registry_host(options)))


def _understood(attempt: str, host: str, answer: RegistryResponse) -> AuthInfo:
    """:raises RegistryError: when the answer is not one of a registry."""
    if answer.status == 200:
        return AuthInfo("none")
    info = auth_info(host, answer.challenges) if answer.status == 401 else None
    if info is None:
        raise RegistryError(f"{attempt} was answered {answer.status}{_explained(answer)}")
    return info


def _explained(answer: RegistryResponse) -> str:
    """What an answer means that says nothing of logins, and what to do."""
    if answer.status == 401:
        return " without a login challenge that a node can use; check the name: it may be no registry, or one behind a proxy"
    if 300 <= answer.status < 400:
        return f", a redirect{redirect_target(answer.location)}; it is not followed: give the registry's own host"
    if answer.status == 429 or answer.status >= 500:
        return "; the registry is overloaded or out of order: try again later"
    return "; it is no registry of API version 2, or a proxy stands before it: check the name and the port"
