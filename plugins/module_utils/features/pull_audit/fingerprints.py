# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Labels logins that are stored in several places, so that equal ones can be recognized in one document. Pure.

The labels are made with a key (HMAC) that is not stored: without the key, passwords cannot be tried against them.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

from .rules_credentials import Copies

__all__ = ["label_logins"]

_LENGTH = 16


def label_logins(every: Copies, key: bytes) -> list[dict[str, Any]]:
    """Return a row for each secret of each login: `registry`, `login` and `password` (labels), `namespace` and `secret`."""
    rows = [
        {
            "registry": login.key,
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
