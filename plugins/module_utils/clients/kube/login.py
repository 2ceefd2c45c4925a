# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fetches and renews logins.

The client library reads a token file once, runs a plugin once, and continues without a login if the plugin fails (kubernetes client
24.2 to 37, config/kube_config.py). This module fetches each login again when it is due, and when the API server refuses it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from ...core.files import describe_read_error
from .credential import Credential, basic_header, bearer_header, forms_of
from .errors import ConnectError, one_line
from .kubeconfig import Kubeconfig
from .login_plugin import LoginPlugin

__all__ = ["CredentialSource", "from_token_file", "login_of_user", "static_login"]

#: Seconds after which a token file is read again, as in client-go (transport/token_source.go). Nothing is fetched more often.
_PERIOD_SECONDS = 60.0

#: The commands that replace an `auth-provider` by an `exec` plugin, by its name. client-go removed these two in version 1.26.
_REPLACEMENTS = {
    "gcp": "install gke-gcloud-auth-plugin, and run 'gcloud container clusters get-credentials CLUSTER'",
    "azure": "install Azure's kubelogin, and run 'kubelogin convert-kubeconfig'",
}

Fetch = Callable[[], Credential]


class CredentialSource:
    """A credential that is fetched when it is first needed, when it is due, and after it was refused.

    One thread at a time fetches it, and the others wait for the result. Credentials are numbered from 1.
    """

    def __init__(self, fetch: Fetch, now: Callable[[], float] = time.time) -> None:
        self._fetch = fetch
        self._now = now
        self._lock = threading.Lock()
        self._credential = Credential()
        self._secrets: frozenset[str] = frozenset()
        self._number = 0
        self._refused = 0
        self._due = float("-inf")

    @property
    def secrets(self) -> frozenset[str]:
        """Return the secrets in all credentials that were fetched so far, in all forms."""
        return self._secrets

    def current(self) -> tuple[int, Credential]:
        """Return the number of the current credential, and the credential.

        :raises ConnectError: if there is none.
        """
        with self._lock:
            if self._number == 0:
                self._take()
            elif self._now() >= self._due:
                self._due = self._now() + _PERIOD_SECONDS
                # While the old one works, a failed renewal does no harm.
                with suppress(ConnectError):
                    self._take()
            return self._number, self._credential

    def renew(self, number: int) -> bool:
        """Fetch another credential than the refused one of that number, unless there already is one. Whether there is another one.

        :raises ConnectError: if it cannot be fetched.
        """
        with self._lock:
            if number == self._number != self._refused:
                self._take()
                self._refused = number
            return number != self._number

    def _take(self) -> None:
        credential = self._fetch()
        if self._number == 0 or credential.is_other_than(self._credential):
            self._number += 1
            self._credential = credential
            self._secrets |= forms_of(credential.authorization)
        self._due = float("inf") if credential.due is None else max(credential.due, self._now() + _PERIOD_SECONDS)


def static_login(authorization: str) -> Fetch:
    """Return a login that never changes. Empty for none."""
    credential = Credential(authorization)
    return lambda: credential


def from_token_file(path: str, origin: str) -> Fetch:
    """Return a token in a file that another process renews. `origin` names it in messages."""

    def fetch() -> Credential:
        try:
            token = Path(path).read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise ConnectError(f"{origin} {path} cannot be read: {describe_read_error(path, error)}") from None
        return Credential(bearer_header(token, f"{origin} {path}"), due=0.0)

    return fetch


def login_of_user(kubeconfig: Kubeconfig) -> Fetch:
    """Return the login of a kubeconfig's user, in addition to its certificate.

    :raises ConnectError: if the user has an incomplete login, or one that cannot be used here.
    """
    user = kubeconfig.user
    if path := user.file("tokenFile"):
        return from_token_file(path, f"'tokenFile' of {user.title}")
    if token := user.text("token"):
        return static_login(bearer_header(token, f"'token' of {user.title}"))
    if (plugin := user.part("exec")) is not None:
        return LoginPlugin.of(plugin, kubeconfig.cluster).fetch
    username, password = user.text("username"), user.text("password")
    if bool(username) != bool(password):
        raise user.error("it has only one of 'username' and 'password'")
    if username:
        return static_login(basic_header(username, password))
    if (provider := user.part("auth-provider")) is not None and user.pem("client-certificate") is None:
        name = one_line(provider.text("name"))
        command = _REPLACEMENTS.get(name, "write the kubeconfig again with the tool of your cloud or identity provider")
        raise user.error(
            f"it has only the 'auth-provider' {name!r}, which is not supported. Use an 'exec' plugin instead: {command}. Or give 'api_key'"
        )
    return static_login("")
