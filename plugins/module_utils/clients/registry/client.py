# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds out how a registry authenticates, without sending a credential."""

from __future__ import annotations

from ..https.exchange import HttpResponse
from .challenge import AuthInfo, auth_info
from .endpoints import option_host, redirect_target, registry_endpoint
from .transport import (
    IMPORT_ERROR,
    RegistryError,
    RegistryOptions,
    check_timeout,
    send_registry_request,
)

__all__ = [
    "IMPORT_ERROR",
    "RegistryError",
    "RegistryOptions",
    "ask_registry",
    "check_options",
    "info_from_option",
    "registry_host",
]


def registry_host(options: RegistryOptions) -> str:
    """Return the `host[:port]` of the registry, with the spelling of the option.

    :raises OptionError: if there is none.
    """
    return option_host("registry", options.registry)


def check_options(options: RegistryOptions) -> None:
    """Check the options.

    :raises OptionError: if an option is invalid.
    """
    registry_host(options)
    check_timeout(options)
    if options.realm_host is not None:
        option_host("realm_host", options.realm_host)


def ask_registry(options: RegistryOptions) -> AuthInfo:
    """Return how the registry authenticates, from its response to `GET /v2/`.

    :raises OptionError: if an option is invalid. Nothing has been sent.
    :raises RegistryError: if it cannot be reached, its certificate is not trusted, or it is not a registry.
    """
    check_options(options)
    if (known := info_from_option(options)) is not None:
        return known
    host = registry_host(options)
    url = f"https://{registry_endpoint(host)}/v2/"
    attempt = f"asking registry {host} how it authenticates (GET {url})"
    return _parse_answer(attempt, host, send_registry_request(attempt, url, options))


def info_from_option(options: RegistryOptions) -> AuthInfo | None:
    """Return the result for option `realm_host`, which needs no request to the registry. None without that option.

    :raises OptionError: if a host is invalid.
    """
    if options.realm_host is None:
        return None
    realm_host = option_host("realm_host", options.realm_host)
    return AuthInfo(
        "", realm_host=realm_host, delegated=registry_endpoint(realm_host) != registry_endpoint(registry_host(options))
    )


def _parse_answer(attempt: str, host: str, answer: HttpResponse) -> AuthInfo:
    """The authentication that the response describes.

    :raises RegistryError: if the response is not one of a registry.
    """
    if answer.status == 200:
        return AuthInfo("none")
    info = auth_info(host, answer.all_of("WWW-Authenticate")) if answer.status == 401 else None
    if info is None:
        raise RegistryError(f"{attempt} was answered {answer.status}{_explain_answer(answer)}")
    return info


def _explain_answer(answer: HttpResponse) -> str:
    """The meaning of a response without a login challenge, and the fix."""
    if answer.status == 401:
        return " without a login challenge that a node can use. Check the name: it may not be a registry, or be behind a proxy"
    if 300 <= answer.status < 400:
        return f", a redirect{redirect_target(answer.header('Location'))}. It is not followed: give the registry's own host"
    if answer.status == 429 or answer.status >= 500:
        return ". The registry is overloaded or out of order: try again later"
    return ". It is not a registry of API version 2, or it is behind a proxy: check the name and the port"
