# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a linked secret is usable: it exists, has a type that a node reads, and holds a credential. Pure.

Types that a node reads: kubelet `pkg/credentialprovider/secrets/secrets.go`. The kubelet silently ignores all others.
"""

from __future__ import annotations

from ..core.objects import Json, ObjectRef
from ..core.text import summarize
from ..dockerconfig.key_matching import keyring_key
from .content import DATA_KEYS, StoredSecret

__all__ = ["why_not_usable", "why_secret_missing"]

_ANYWAY = "or link it without this check, with 'require: none'"
_SHOWN = 5


def why_secret_missing(ref: ObjectRef, secret: Json | None) -> str:
    """Return why nothing can be done with the secret and how to fix it. Empty when the secret exists."""
    return "" if secret is not None else f"{ref} does not exist: create it first (module pull_secret), {_ANYWAY}"


def why_not_usable(ref: ObjectRef, secret: Json | None) -> str:
    """Return why no pod could pull with the secret and how to fix it. Empty when one could."""
    if secret is None:
        return why_secret_missing(ref, secret)
    held = StoredSecret.of(secret)
    if held.type not in DATA_KEYS:
        return (
            f"{ref} has type {held.type}, which no node reads: create it as kubernetes.io/dockerconfigjson "
            f"(module pull_secret with recreate=true), {_ANYWAY}"
        )
    reading = held.for_kubelet
    if reading.problems:
        return (
            f"{ref} stops every pull of a pod that uses it, because {summarize(reading.problems, _SHOWN, '; ')}: "
            f"write it again (module pull_secret), {_ANYWAY}"
        )
    if not any(user and password and keyring_key(key) is not None for key, (user, password) in reading.logins.items()):
        return f"{ref} holds no entry with user and password: write it again (module pull_secret), {_ANYWAY}"
    return ""
