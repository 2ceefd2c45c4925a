# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Credentials of requests."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from functools import lru_cache

from ...core.redaction import secret_forms
from .errors import ConnectError
from .tls import Pem

__all__ = ["Credential", "basic_header", "bearer_header", "forms_of"]


@dataclass(frozen=True, repr=False)
class Credential:
    """The value of the header `Authorization`, and the certificate and key from a login plugin, if any.

    `due`: the time at which it must be fetched again, in seconds since 1970. None if unknown.
    """

    authorization: str = ""
    certificate: Pem | None = None
    key: Pem | None = None
    due: float | None = None

    def is_other_than(self, other: Credential) -> bool:
        """Whether it differs from the other one, so that it is worth trying after the other one was refused."""
        return (self.authorization, self.certificate) != (other.authorization, other.certificate)


def bearer_header(token: str, origin: str) -> str:
    """Return the header for a token. `origin` names the source of the token in messages.

    :raises ConnectError: if the token cannot be in a header.
    """
    token = token.strip()
    if not token:
        raise ConnectError(f"{origin} is empty")
    if not re.fullmatch(r"[\x21-\x7e]+", token):
        raise ConnectError(f"{origin} is not a token: it contains a space, a line end or a character outside ASCII")
    return f"Bearer {token}"


@lru_cache(maxsize=4)
def forms_of(authorization: str) -> frozenset[str]:
    """Return the secrets in such a header, in all forms: the token, or the password and the login that contains it."""
    scheme, _space, value = authorization.partition(" ")
    secrets = {value}
    if scheme == "Basic":
        login = base64.b64decode(value).decode("utf-8", "replace")
        secrets |= {login, login.partition(":")[2]}
    return frozenset(form for secret in secrets if secret for form in secret_forms(secret))


def basic_header(username: str, password: str) -> str:
    """Return the header for a user and a password, in UTF-8 (RFC 7617)."""
    return "Basic " + base64.b64encode(f"{username}:{password}".encode("utf-8", "surrogatepass")).decode("ascii")
