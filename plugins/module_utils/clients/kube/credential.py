# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a request is logged in with."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from functools import lru_cache

from ...core.redaction import forms
from .errors import ConnectError
from .tls import Pem

__all__ = ["Credential", "basic", "bearer", "forms_of"]


@dataclass(frozen=True, repr=False)
class Credential:
    """The value of the header `Authorization`, and a certificate with its key where a plugin gave one.

    `due`: when it must be fetched again, in seconds since the epoch, None when it is not known.
    """

    authorization: str = ""
    certificate: Pem | None = None
    key: Pem | None = None
    due: float | None = None

    def is_other_than(self, other: Credential) -> bool:
        """Whether it is worth a try after the other one was refused."""
        return (self.authorization, self.certificate) != (other.authorization, other.certificate)


def bearer(token: str, origin: str) -> str:
    """The header for a token. `origin` says in messages where the token is from.

    :raises ConnectError: when no header can hold it.
    """
    token = token.strip()
    if not token:
        raise ConnectError(f"{origin} is empty")
    if not re.fullmatch(r"[\x21-\x7e]+", token):
        raise ConnectError(f"{origin} is not a token: it has a space, a line end or a letter outside ASCII in it")
    return f"Bearer {token}"


@lru_cache(maxsize=4)
def forms_of(authorization: str) -> frozenset[str]:
    """What must not be shown of such a header, in all forms: the token, or the password and the login around it."""
    scheme, _space, value = authorization.partition(" ")
    secrets = {value}
    if scheme == "Basic":
        login = base64.b64decode(value).decode("utf-8", "replace")
        secrets |= {login, login.partition(":")[2]}
    return frozenset(form for secret in secrets if secret for form in forms(secret))


def basic(username: str, password: str) -> str:
    """The header for a password, in UTF-8 (RFC 7617)."""
    return "Basic " + base64.b64encode(f"{username}:{password}".encode("utf-8", "surrogatepass")).decode("ascii")
