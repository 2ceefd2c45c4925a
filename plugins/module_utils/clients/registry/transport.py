# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sends one request to a registry or its token service, within limits, and finds out how a registry authenticates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...core.errors import ImagePullError
from ..https import transport
from ..https.exchange import HttpResponse
from ..https.failures import Words
from ..https.transport import (
    IMPORT_ERROR,
    CertificateError,
    HttpsError,
    HttpsOptions,
    InsideAddressError,
    KeptConnections,
)
from .endpoints import AuthInfo, auth_info, option_host, redirect_target, registry_endpoint

__all__ = [
    "IMPORT_ERROR",
    "KeptConnections",
    "NotAsked",
    "RegistryError",
    "RegistryOptions",
    "UntrustedCertificate",
    "ask_registry",
    "check_options",
    "check_timeout",
    "info_from_option",
    "registry_host",
    "send_registry_request",
]

#: Maximum size of a response, in bytes. Headers of registries have a few hundred bytes, and servers and proxies allow up to 32 KiB.
_LONGEST_ANSWER = 64 * 1024
_WORDS = Words("registry", "registry_")


class RegistryError(ImagePullError):
    """The registry could not be reached, or its response is not one of a registry."""


class NotAsked(RegistryError):
    """The host was not contacted, because only the host of the task reaches its address and no option names it."""


class UntrustedCertificate(RegistryError):
    """The certificate of the registry could not be verified."""


@dataclass(frozen=True)
class RegistryOptions:
    """Options of requests to a registry. `realm_host`: the known receiver of the logins. The registry is then not asked.

    `ca_cert` is the path of a file. `authorities`: as in `HttpsOptions`. `timeout` is in seconds, for the whole response.
    """

    registry: str
    realm_host: str | None = None
    ca_cert: str | None = None
    validate_certs: bool = True
    timeout: float = 10.0
    authorities: str | None = None


def check_timeout(options: RegistryOptions) -> None:
    """Check the timeout.

    :raises OptionError: if no response can arrive in that time.
    """
    transport.check_timeout(_https(options))


def send_registry_request(
    attempt: str,
    url: str,
    options: RegistryOptions,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    with_body: bool = False,
    inside: bool = True,
    is_insecure: bool = False,
) -> HttpResponse:
    """Send one request with `https.transport.send` and return the response. Without `inside`, the cluster's text names the host.

    `is_insecure`: as in `HttpsOptions`.

    :raises OptionError: if an option is invalid. Nothing has been sent.
    :raises NotAsked: if such a host is at an address that only the host of the task reaches.
    :raises UntrustedCertificate: if its certificate could not be verified.
    :raises RegistryError: if there is no response.
    """
    try:
        return transport.send_https_request(
            attempt,
            url,
            _https(options, inside=inside, is_insecure=is_insecure),
            method=method,
            headers=headers,
            longest=_LONGEST_ANSWER,
            with_body=with_body,
        )
    except InsideAddressError as error:
        raise NotAsked(
            f"{error}, where only hosts that an option names are contacted. If that host is right, name it in 'realm_hosts'"
        ) from None
    except CertificateError as error:
        raise UntrustedCertificate(str(error)) from None
    except HttpsError as error:
        raise RegistryError(str(error)) from None


def check_authorities(options: RegistryOptions) -> None:
    """Check the file with the certificate authorities.

    :raises OptionError: if it cannot be used.
    """
    transport.check_authorities(_https(options))


def _https(options: RegistryOptions, *, inside: bool = True, is_insecure: bool = False) -> HttpsOptions:
    trust = (options.ca_cert, options.validate_certs)
    return HttpsOptions(*trust, options.timeout, _WORDS, inside, is_insecure, options.authorities)


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
