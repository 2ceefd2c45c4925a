# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Labels for logins that stand in several places, so that equal ones can be told in one document. Pure.

They are made with a key (HMAC), which is kept nowhere: without it nobody can try passwords against them.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

from ...dockerconfig.registry_keys import without_user
from .rules_credentials import Copies

__all__ = ["labelled"]

_LENGTH = 16


def labelled(every: Copies, key: bytes) -> list[dict[str, Any]]:
    """A row for each place of each login."""
    rows = [
        {
            "registry": without_user(login.key),
            "login": _label(key, "login", host, user),
            "password": _label(key, "password", login.password),
            "namespace": login.secret.namespace,
            "secret": login.secret.name,
        }
        for (host, user), logins in every.items()
        for login in logins
    ]
    return sorted(rows, key=lambda row: (row["namespace"], row["secret"], row["registry"]))


def _label(key: bytes, *parts: str) -> str:
    message = "\0".join(parts).encode("utf-8", "surrogatepass")
    return hmac.new(key, message, hashlib.sha256).hexdigest()[:_LENGTH]
