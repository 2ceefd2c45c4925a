# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why the import of an image into an image stream failed, as one of the causes in `pull_rules`. Pure.

For errors that depend on a login, an import has its own messages (openshift-apiserver pkg/image/apiserver/importer/importer.go). The
others come from the registry or from Go's network library.
"""

from __future__ import annotations

import re

from .pull_messages import without_names
from .pull_rules import RULES, UNKNOWN, rule_for

__all__ = ["CAUSES", "MENDED_BY_A_LOGIN", "cause_of", "fix_for"]

#: All possible causes of a failed import, as ids of `pull_rules`.
CAUSES = (
    "bad_credentials",
    "billing",
    "blocked_by_config",
    "connection_refused",
    "damaged_content",
    "denied",
    "dns",
    "invalid_name",
    "no_credentials",
    "not_found",
    "platform",
    "proxy",
    "rate_limited",
    "redirects",
    "registry_error",
    "timeout",
    "tls_client",
    "tls_expired",
    "tls_http",
    "tls_name",
    "tls_untrusted",
    "tls_version",
    "unauthorized",
    "unknown",
)
MENDED_BY_A_LOGIN = ("bad_credentials", "denied", "no_credentials", "unauthorized")

_QUOTED = re.compile(r'"[^"]*"')
_INTERNAL = re.compile(r"\A(?:internal error occurred: )?", re.IGNORECASE)
#: Messages of the import itself. The first match counts.
_OWN = (
    (re.compile(r"did not have credentials", re.IGNORECASE), "no_credentials"),
    (re.compile(r"you may not have access", re.IGNORECASE), "unauthorized"),
    (re.compile(r"registry \S+ blocked", re.IGNORECASE), "blocked_by_config"),
    (re.compile(r"requires the insecure flag", re.IGNORECASE), "tls_http"),
    (re.compile(r"invalid name:", re.IGNORECASE), "invalid_name"),
)
_REASONS = {"Unauthorized": "unauthorized", "NotFound": "not_found", "Invalid": "invalid_name"}
_FIXES = {rule.id: rule.fix for rule in (*RULES, UNKNOWN)}


def cause_of(message: str, reason: str = "", image: str = "") -> str:
    """Return one of `CAUSES`. `reason` is that of the Status or condition. `image` is the imported one: its name may look like a cause."""
    own = next((cause for expression, cause in _OWN if expression.search(message)), "")
    if own:
        return own
    text = without_names(" ".join(_INTERNAL.sub("", message).split()), [image])
    found = rule_for(_QUOTED.sub("*", text)).id
    if found not in CAUSES or found == UNKNOWN.id:
        return _REASONS.get(reason, UNKNOWN.id)
    return found


def fix_for(cause: str) -> str:
    """Return what to do about a cause, as the rest of a sentence."""
    fix = _FIXES.get(cause, UNKNOWN.fix)
    return fix[:1].lower() + fix[1:]
