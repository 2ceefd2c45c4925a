# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects of a cluster, their encoded content, and the text of an error, as most tests need them."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

__all__ = [
    "account_subject",
    "auth_file",
    "b64",
    "group_subject",
    "pull_secret",
    "raised",
    "role_binding",
    "user_subject",
]

RBAC = "rbac.authorization.k8s.io"


def b64(content: Any) -> str:
    """Encode text, bytes, or the JSON of any other value."""
    if not isinstance(content, (str, bytes)):
        content = json.dumps(content)
    return base64.b64encode(
        content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
    ).decode()


def auth_file(entries: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    """Docker's config.json, made from registry keys with user and password."""
    return {"auths": {key: {"auth": b64(f"{user}:{password}")} for key, (user, password) in entries.items()}}


def pull_secret(
    name: str, content: Any, kind: str = "kubernetes.io/dockerconfigjson", key: str = "", **parts: Any
) -> dict[str, Any]:
    """A Secret that contains a config.json, given as text, bytes or JSON, under the usual key of its type."""
    key = key or (f".{kind.rpartition('/')[2]}" if kind.startswith("kubernetes.io/") else ".dockerconfigjson")
    return {"metadata": {"name": name, **parts.pop("metadata", {})}, "type": kind, "data": {key: b64(content)}, **parts}


def user_subject(name: str) -> dict[str, str]:
    return {"apiGroup": RBAC, "kind": "User", "name": name}


def group_subject(name: str) -> dict[str, str]:
    return {"apiGroup": RBAC, "kind": "Group", "name": name}


def account_subject(namespace: str, name: str = "default") -> dict[str, str]:
    return {"kind": "ServiceAccount", "namespace": namespace, "name": name}


def role_binding(
    name: str, *subjects: Mapping[str, str], role: str = "system:image-puller", kind: str = "ClusterRole", **meta: Any
) -> dict[str, Any]:
    """A binding of these users, groups and accounts to a role. `meta` are labels or annotations."""
    reference = {"apiGroup": RBAC, "kind": kind, "name": role}
    return {"metadata": {"name": name, **meta}, "roleRef": reference, "subjects": list(subjects)}


def raised(kind: type[BaseException] | tuple[type[BaseException], ...], call: Callable[[], object]) -> str:
    """The text of the error that the call must raise."""
    with pytest.raises(kind) as caught:
        call()
    return str(caught.value)
