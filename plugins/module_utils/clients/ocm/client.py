# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fetches an account's pull secret from OpenShift Cluster Manager.

It sends two requests: one to the token service for an access token, which is valid for 15 minutes
(github.com/openshift-online/ocm-sdk-go, authentication/transport_wrapper.go), and one for the pull secret (accounts_mgmt API,
`access_token`).
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from urllib.parse import urlencode

from ..https.endpoints import authority
from ..https.exchange import HttpResponse
from ..https.transport import IMPORT_ERROR, HttpsError, check_timeout, send_https_request
from .options import OcmOptions
from .responses import OcmError, parse_access_token, parse_pull_secret

__all__ = ["IMPORT_ERROR", "OcmError", "fetch_pull_secret"]

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
