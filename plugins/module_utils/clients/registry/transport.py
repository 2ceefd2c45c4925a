# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One request to a registry or its token service, within a time and a size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ...core.errors import ImagePullError
from ..https import transport
from ..https.failures import Words
from ..https.transport import IMPORT_ERROR, HttpsError, HttpsOptions, InsideAddressError

__all__ = ["IMPORT_ERROR", "NotAsked", "RegistryError", "RegistryOptions", "RegistryResponse", "check_timeout", "send"]

#: Bytes of an answer up to the end of its headers. Registries send a few hundred; servers and proxies allow up to 32 KiB.
_LONGEST_ANSWER = 64 * 1024


class RegistryError(ImagePullError):
    """A registry that could not be asked, or gave no answer of a registry."""


class NotAsked(RegistryError):
    """A host that was not asked, because only the host of the task reaches its address and no option names it."""


@dataclass(frozen=True)
class RegistryOptions:
    """`realm_host`: who takes the logins, when that is known: the registry is not asked then.

    `ca_cert` is the path of a file, `timeout` in seconds, for the whole answer. `prefix` is what the names of their options begin with.
    `realm_option`: the option that names who may be given logins, for messages.
    """

    registry: str
    realm_host: str | None = None
    ca_cert: str | None = None
    validate_certs: bool = True
    timeout: float = 10.0
    prefix: str = ""
    realm_option: str = "realm_host"


@dataclass(frozen=True)
class RegistryResponse:
    """What is read of an answer. `body` only where it was asked for."""

    status: int
    challenges: Sequence[str]
    location: str
    digest: str = ""
    body: bytes = field(default=b"", repr=False)


def check_timeout(options: RegistryOptions) -> None:
    """:raises OptionError: when no answer can come in that time."""
    transport.check_timeout(_https(options))


def send(
    attempt: str,
    url: str,
    options: RegistryOptions,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    with_body: bool = False,
    inside: bool = True,
    is_insecure: bool = False,
) -> RegistryResponse:
    """The answer to one request, as `https.transport.send` gives it. Without `inside`, the host is text of others.

    `is_insecure`: as in `HttpsOptions`.

    :raises OptionError: when an option cannot work; nothing has been sent.
    :raises NotAsked: when such a host is at an address that only the host of the task reaches.
    :raises RegistryError: when there is no answer.
    """
    try:
        found = transport.send(
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
            f"{error}, where only hosts that an option names are asked: if that is right, name it in {options.realm_option!r}"
        ) from None
    except HttpsError as error:
        raise RegistryError(str(error)) from None
    return RegistryResponse(
        found.status,
        found.all_of("WWW-Authenticate"),
        found.header("Location"),
        found.header("Docker-Content-Digest"),
        found.body,
    )


def check_authorities(options: RegistryOptions) -> None:
    """:raises OptionError: when the file with the certificate authorities cannot be used."""
    transport.check_authorities(_https(options))


def _https(options: RegistryOptions, *, inside: bool = True, is_insecure: bool = False) -> HttpsOptions:
    words = Words("registry", options.prefix)
    return HttpsOptions(options.ca_cert, options.validate_certs, options.timeout, words, inside, is_insecure)
