# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fetches and renews logins.

The client library reads a token file once, runs a plugin once, and continues without a login if the plugin fails (kubernetes client
24.2 to 37, config/kube_config.py). This module fetches each login again when it is due, and when the API server refuses it.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ...core.file_errors import describe_read_error
from .credential import Credential, basic_header, bearer_header, forms_of
from .errors import ConnectError, one_line
from .kubeconfig import Kubeconfig, Section
from .libraries import client_library
from .login_plugin import LoginPlugin

__all__ = ["CredentialSource", "from_token_file", "login_of_user", "static_login"]

#: Seconds after which a token file is read again, as in client-go (transport/token_source.go). Nothing is fetched more often.
_PERIOD_SECONDS = 60.0

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


def login_of_user(kubeconfig: Kubeconfig, directory: str, *, persist: bool) -> Fetch:
    """Return the login of a kubeconfig's user, in addition to its certificate.

    `directory` is for temporary files. `persist`: whether a token that the client library has renewed is saved.

    :raises ConnectError: if the user has an incomplete login, or one that cannot be used here.
    """
    user = kubeconfig.user
    if (provider := user.part("auth-provider")) is not None:
        return _from_provider(provider, directory, kubeconfig.save if persist else None)
    if path := user.file("tokenFile"):
        return from_token_file(path, f"'tokenFile' of {user.title}")
    if token := user.text("token"):
        return static_login(bearer_header(token, f"'token' of {user.title}"))
    if (plugin := user.part("exec")) is not None:
        return LoginPlugin.of(plugin, kubeconfig.cluster).fetch
    username, password = user.text("username"), user.text("password")
    if bool(username) != bool(password):
        raise user.error("it has only one of 'username' and 'password'")
    return static_login(basic_header(username, password) if username else "")


def _from_provider(provider: Section, directory: str, save: Callable[[], None] | None) -> Fetch:
    """A login of a kind older than plugins. The client library fetches and renews it, and supports fewer kinds in each version."""
    name = one_line(provider.text("name"))

    def persist() -> None:
        # The token works even if it cannot be saved.
        with suppress(OSError):
            if save is not None:
                save()

    def fetch() -> Credential:
        # The mapping itself, not a copy: the library writes the renewed token into it.
        content = {
            "current-context": "",
            "contexts": [{"name": "", "context": {"cluster": "", "user": " "}}],
            "clusters": [{"name": "", "cluster": {}}],
            "users": [{"name": " ", "user": {"auth-provider": provider.values}}],
        }
        try:
            configuration = client_library("client").Configuration()
            with _use_temporary_directory(directory) as kube_config:
                kube_config.KubeConfigLoader(content, config_base_path="", config_persister=persist).load_and_set(
                    configuration
                )
        except Exception as error:
            # Its message may quote the output of the provider.
            raise ConnectError(f"{failure}: the client library failed with {type(error).__name__}{way_out}") from None
        token = configuration.api_key.get("BearerToken") or configuration.api_key.get("authorization")
        if not token:
            raise ConnectError(f"{failure}{way_out}")
        return Credential(token)

    failure, way_out = f"auth-provider {name!r} of {provider.title} gave no token", ". Log in again, or give 'api_key'"
    return fetch


@contextmanager
def _use_temporary_directory(directory: str) -> Iterator[Any]:
    """Yield the module of the client library that creates files, and make it create them in `directory`."""
    kube_config = client_library("config.kube_config")
    before, tempfile.tempdir = tempfile.tempdir, directory
    try:
        yield kube_config
    finally:
        tempfile.tempdir = before
        # The client remembers them until the process ends.
        getattr(kube_config, "_cleanup_temp_files", lambda: None)()
