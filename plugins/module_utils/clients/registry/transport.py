# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sends one request to a registry or its token service, with limits on time and size."""

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

__all__ = [
    "IMPORT_ERROR",
    "KeptConnections",
    "NotAsked",
    "RegistryError",
    "RegistryOptions",
    "UntrustedCertificate",
    "check_timeout",
    "send_registry_request",
]

#: Maximum size of a response, in bytes. Headers of registries have a few hundred bytes, and servers and proxies allow up to 32 KiB.
_LONGEST_ANSWER = 64 * 1024


class RegistryError(ImagePullError):
    """The registry could not be reached, or its response is not one of a registry."""


class NotAsked(RegistryError):
    """The host was not contacted, because only the host of the task reaches its address and no option names it."""


class UntrustedCertificate(RegistryError):
    """The certificate of the registry could not be verified."""


@dataclass(frozen=True)
class RegistryOptions:
    """Options of requests to a registry. `realm_host`: the known receiver of the logins. The registry is then not asked.

    `ca_cert` is the path of a file. `authorities`: as in `HttpsOptions`. `timeout` is in seconds, for the whole response. `prefix` is the
    prefix of the names of these options. `realm_option`: the option that names hosts to which logins may be sent, for messages. `has_timeout`: as in `Words`.
    """

    registry: str
    realm_host: str | None = None
    ca_cert: str | None = None
    validate_certs: bool = True
    timeout: float = 10.0
    prefix: str = ""
    realm_option: str = "realm_host"
    has_timeout: bool = True
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
            f"{error}, where only hosts that an option names are contacted. If that host is right, name it in {options.realm_option!r}"
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
    words = Words("registry", options.prefix, has_timeout=options.has_timeout)
    trust = (options.ca_cert, options.validate_certs)
    return HttpsOptions(*trust, options.timeout, words, inside, is_insecure, options.authorities)
