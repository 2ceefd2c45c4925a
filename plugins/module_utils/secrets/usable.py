# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a secret does what it is linked for: exists, has a type that a node reads, holds a credential. Pure.

What a node reads: kubelet `pkg/credentialprovider/secrets/secrets.go`; everything else it skips without a word.
"""

from __future__ import annotations

import base64
import binascii

from ..core.objects import Json, ObjectRef
from ..dockerconfig.auth_file import read_stored, undecodable

__all__ = ["why_not_there", "why_not_usable"]

#: The data key that a node reads of each type that it reads.
_KEYS = {"kubernetes.io/dockerconfigjson": ".dockerconfigjson", "kubernetes.io/dockercfg": ".dockercfg"}

_ANYWAY = "or link it all the same with 'require: none'"


def why_not_there(ref: ObjectRef, secret: Json | None) -> str:
    """Why nothing can be done with the secret, with the way out; empty when it exists."""
    return "" if secret is not None else f"{ref} does not exist: create it first (module pull_secret), {_ANYWAY}"


def why_not_usable(ref: ObjectRef, secret: Json | None) -> str:
    """Why no pod would pull with the secret, with the way out; empty when one may."""
    if secret is None:
        return why_not_there(ref, secret)
    kind = secret.get("type") or "Opaque"
    if kind not in _KEYS:
        return (
            f"{ref} has type {kind}, which no node reads: make it again as kubernetes.io/dockerconfigjson "
            f"(module pull_secret), {_ANYWAY}"
        )
    text, legacy = _text(secret, _KEYS[kind]), kind.endswith("/dockercfg")
    entries = read_stored(text, legacy=legacy).entries
    if not any(entry.username and entry.password for entry in entries.values()):
        return f"{ref} holds no entry with user and password: write it again (module pull_secret), {_ANYWAY}"
    broken = undecodable(text, legacy=legacy)
    if broken:
        return (
            f"{ref} has an entry for {', '.join(broken)} that does not decode, which stops every pull of a pod: "
            f"write it again (module pull_secret), {_ANYWAY}"
        )
    return ""


def _text(secret: Json, key: str) -> str:
    try:
        return base64.b64decode((secret.get("data") or {}).get(key) or "").decode("utf-8", "replace")
    except binascii.Error:
        return ""
