# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fetches an account's pull secret from OpenShift Cluster Manager: its URLs, the login, and the responses.

Of an error, only the keys `code` and `reason` (OCM) or `error` and `error_description` (RFC 6749) are quoted.

It sends two requests: one to the token service for an access token, which is valid for 15 minutes
(github.com/openshift-online/ocm-sdk-go, authentication/transport_wrapper.go), and one for the pull secret (accounts_mgmt API,
`access_token`).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from ..core.errors import ImagePullError, OptionError
from ..core.redaction import mask, secret_forms
from ..core.text import make_printable, redact_text
from .https.connections import authority, endpoint
from .https.exchange import HttpResponse, Words
from .https.transport import HttpsError, HttpsOptions, check_timeout, send_https_request

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
            f"option {option!r}: only https is supported, because others can read a token that is sent without TLS: give https://"
        )
    return url


#: Maximum number of characters of an error in a message.
_QUOTED = 200
_LATER = "The service is overloaded or out of order: try again later, for example with 'until' and 'retries'"

_OFFLINE = (
    "The offline token is invalid or has expired (it does after 30 days without use): get a new one, for "
    "example at https://console.redhat.com/openshift/token, and check that it belongs to 'token_url'"
)
_CLIENT = (
    "The client id or its secret is invalid: check both, or create a new secret for the service account, and check that it belongs "
    "to 'token_url'"
)
_TOKEN = {
    403: "The token service gives this account no token: check whether the account is blocked, and any proxy before the service",
    404: "There is no token service at this URL: check 'token_url'",
}
_REFUSED = (
    "The token is not valid there, or has expired: check that 'api_url' and 'token_url' belong to the same service, and that "
    "the account is active"
)
_API = {
    400: _REFUSED,
    401: _REFUSED,
    403: (
        "The account is not allowed to have a pull secret: log in with it once at the service's console, where you may have to accept "
        "the terms, or have an administrator of its organization give it the right"
    ),
    404: (
        "The account has no registry account yet, or 'api_url' is wrong: log in with it once at the service's console, for example "
        "https://console.redhat.com/openshift"
    ),
}


class OcmError(ImagePullError):
    """The service could not be reached, or returned no pull secret."""


def parse_access_token(attempt: str, answer: HttpResponse, *, offline: bool, secrets: Iterable[str]) -> str:
    """Return the access token in a token service's response. `offline`: an offline token was sent, not a client's secret.

    :raises OcmError: if there is none. The message contains none of the `secrets`.
    """
    if answer.status != 200:
        refused = _OFFLINE if offline else _CLIENT
        raise _error_from_answer(attempt, answer, {400: refused, 401: refused, **_TOKEN}, "token_url", secrets)
    token = _members(answer.body).get("access_token")
    if not isinstance(token, str) or not token or not token.isascii() or not token.isprintable() or " " in token:
        raise OcmError(
            f"{attempt} was answered 200 without an access token. Check 'token_url', and any proxy before the service"
        )
    return token


def parse_pull_secret(attempt: str, answer: HttpResponse, secrets: Iterable[str]) -> str:
    """Return the text of the account's docker config.

    :raises OcmError: as for `access_token`.
    """
    if answer.status not in (200, 201):
        raise _error_from_answer(attempt, answer, _API, "api_url", secrets)
    if not isinstance(_members(answer.body).get("auths"), dict):
        raise OcmError(
            f"{attempt} was answered {answer.status} without a pull secret. Check 'api_url', and any proxy before the service"
        )
    return answer.body.decode("utf-8")


def _error_from_answer(
    attempt: str, answer: HttpResponse, known: Mapping[int, str], option: str, secrets: Iterable[str]
) -> OcmError:
    said = _error_text(answer.body, secrets)
    quoted = f" ({said})" if said else ""
    return OcmError(f"{attempt} was answered {answer.status}{quoted}. {_advice(answer, known, option)}")


def _advice(answer: HttpResponse, known: Mapping[int, str], option: str) -> str:
    if answer.status in known:
        return known[answer.status]
    if 300 <= answer.status < 400:
        return f"A redirect{_redirect_host(answer.header('Location'))} is not followed with a credential: correct {option!r}"
    if answer.status == 429 or answer.status >= 500:
        return _LATER
    return f"It is not the expected service: check {option!r}, and any proxy before it"


def _redirect_host(location: str) -> str:
    """Only the host of the redirect: the rest may contain a token."""
    try:
        return f" to {authority(location)[1]}"
    except ValueError:
        return ""


def _error_text(body: bytes, secrets: Iterable[str]) -> str:
    """The error in the response. Empty if the form of the response is unknown."""
    found = _members(body)
    code, reason = (
        next((text for name in names if isinstance(text := found.get(name), str) and text), "")
        for names in (("code", "error"), ("reason", "error_description"))
    )
    text = redact_text(
        mask(": ".join(filter(None, (code, reason))), {form for one in secrets for form in secret_forms(one)})
    )
    text = " ".join(make_printable(text).split())
    return text if len(text) <= _QUOTED else f"{text[:_QUOTED]}..."


def _members(body: bytes) -> Mapping[str, Any]:
    """The content of a JSON object. Empty if the body is not a JSON object."""
    try:
        found = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


#: Maximum size of a response in bytes, including headers. A pull secret has a few thousand, and this is the limit of a Kubernetes secret.
_LONGEST = 1024 * 1024
_PATH = "/api/accounts_mgmt/v1/access_token"
#: The client to which Red Hat issues offline tokens, except for FedRAMP.
_PUBLIC_CLIENT = "cloud-services"


def fetch_pull_secret(options: OcmOptions, hide: Callable[[str], None]) -> str:
    """Return the text of the account's docker config. `options` must be checked. `hide` gets the access token before it is used.

    :raises OptionError: if an option is invalid. Nothing has been sent.
    :raises OcmError: if there is no pull secret.
    """
    check_timeout(options.https)
    token = _access_token(options)
    hide(token)
    url = options.api_url + _PATH
    attempt = f"fetching the account's pull secret from {authority(url)[1]}"
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    return parse_pull_secret(attempt, _post(attempt, url, options, headers, "{}"), (*options.secrets, token))


def _access_token(options: OcmOptions) -> str:
    attempt = f"asking {authority(options.token_url)[1]} for an access token"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    if options.offline_token:
        client = options.client_id or _PUBLIC_CLIENT
        asked = {"grant_type": "refresh_token", "client_id": client, "refresh_token": options.offline_token}
    else:
        asked = {"grant_type": "client_credentials", "client_id": options.client_id, "scope": "openid"}
        login = f"{options.client_id}:{options.client_secret}".encode()
        headers["Authorization"] = f"Basic {base64.b64encode(login).decode()}"
    answer = _post(attempt, options.token_url, options, headers, urlencode(asked))
    return parse_access_token(attempt, answer, offline=bool(options.offline_token), secrets=options.secrets)


def _post(attempt: str, url: str, options: OcmOptions, headers: dict[str, str], data: str) -> HttpResponse:
    try:
        return send_https_request(
            attempt,
            url,
            options.https,
            method="POST",
            headers={"Accept": "application/json", **headers},
            data=data,
            longest=_LONGEST,
            with_body=True,
        )
    except HttpsError as error:
        raise OcmError(str(error)) from None
