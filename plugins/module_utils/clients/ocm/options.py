# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The URLs of OpenShift Cluster Manager and its token service, and the login. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from ...core.errors import OptionError
from ..https.endpoints import authority, endpoint
from ..https.failures import Words
from ..https.transport import HttpsOptions

__all__ = ["API_URL", "TOKEN_URL", "OcmOptions", "normalize_options"]

API_URL = "https://api.openshift.com"
TOKEN_URL = "https://sso.redhat.com/auth/realms/redhat-external/protocol/openid-connect/token"

_BOTH_WAYS = "Environment variables OCM_TOKEN, OCM_CLIENT_ID and OCM_CLIENT_SECRET also count"


@dataclass(frozen=True, repr=False)
class OcmOptions:
    """The options with their names. The login is an offline token of a public client, or a client with its secret.

    `ca_cert` is the path of a file. `timeout` is in seconds, for each whole response.
    """

    offline_token: str = ""
    client_id: str = ""
    client_secret: str = ""
    api_url: str = API_URL
    token_url: str = TOKEN_URL
    ca_cert: str | None = None
    validate_certs: bool = True
    timeout: float = 30.0

    @property
    def https(self) -> HttpsOptions:
        return HttpsOptions(self.ca_cert, self.validate_certs, self.timeout, Words("service", "ocm_"))

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return the credentials, which must never be shown."""
        return tuple(filter(None, (self.offline_token, self.client_secret)))


def normalize_options(options: OcmOptions) -> OcmOptions:
    """Return the normalized options: without white space around a credential, or a slash at the end of `api_url`.

    :raises OptionError: if they are invalid. No message contains a given value.
    """
    found = OcmOptions(
        _word("offline_token", options.offline_token),
        _word("client_id", options.client_id),
        _word("client_secret", options.client_secret),
        _url("api_url", options.api_url).rstrip("/"),
        _url("token_url", options.token_url),
        options.ca_cert,
        options.validate_certs,
        options.timeout,
    )
    if ":" in found.client_id:
        raise OptionError(
            "option 'client_id' contains a ':', which no client id has. Give the secret in 'client_secret'"
        )
    if problem := _problem(found):
        raise OptionError(f"{problem}. {_BOTH_WAYS}")
    return found


def _problem(options: OcmOptions) -> str:
    """The problem with the combination of options. Empty if there is none."""
    if options.offline_token:
        return "give either option 'offline_token' or 'client_secret', not both" if options.client_secret else ""
    if bool(options.client_id) != bool(options.client_secret):
        return "without 'offline_token', give options 'client_id' and 'client_secret' together"
    if not options.client_id:
        return "there is no login: give option 'offline_token', or 'client_id' with 'client_secret'"
    return ""


def _word(option: str, text: str) -> str:
    """A credential without the line end that files and prompts add. Other white space is an error."""
    word = text.strip()
    if not word.isascii() or not word.isprintable() or " " in word:
        raise OptionError(
            f"option {option!r} contains white space, a control character or a character that is not ASCII. Copy it again, as one line"
        )
    return word


def _url(option: str, text: str) -> str:
    """The URL.

    :raises OptionError: if no credential may be sent there. The value is not repeated, because it may contain a login.
    """
    url = text.strip()
    try:
        scheme, host = authority(url)
        endpoint(host, scheme)
        parts = urlsplit(url)
        bad = "@" in parts.netloc or parts.query or parts.fragment or not url.isascii()
    except ValueError:
        bad = True
    if bad:
        raise OptionError(f"option {option!r} is not a valid URL of a host, such as {API_URL}")
    if scheme != "https":
        raise OptionError(
            f"option {option!r}: only https is supported, because others can read a token that is sent without TLS"
        )
    return url
