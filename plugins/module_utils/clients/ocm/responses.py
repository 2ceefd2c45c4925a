# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads responses of OpenShift Cluster Manager and its token service, and explains errors. Pure.

Of an error, only the keys `code` and `reason` (OCM) or `error` and `error_description` (RFC 6749) are quoted.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from ...core.errors import ImagePullError
from ...core.redaction import mask, secret_forms
from ...core.text import make_printable, redact_text
from ..https.endpoints import authority
from ..https.exchange import HttpResponse

__all__ = ["OcmError", "parse_access_token", "parse_pull_secret"]

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
