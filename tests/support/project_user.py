# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A user with only the rights of a project's administrator in one namespace. Attacks in tests use these rights."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any

from support.objects import b64, role_binding, user_subject

from .lab import Lab, path_of

__all__ = ["ProjectUser", "auth_file"]


def auth_file(entries: dict[str, tuple[str, str]]) -> str:
    """The text of an auth file. `entries` are user and password by key."""
    auths = {key: {"auth": b64(f"{username}:{password}")} for key, (username, password) in entries.items()}
    return json.dumps({"auths": auths})


@dataclass(frozen=True)
class ProjectUser:
    """`name` is the user, `namespace` her own project. Each request is sent as her, so the API server enforces her rights."""

    lab: Lab
    name: str
    namespace: str

    @classmethod
    def create(cls, lab: Lab, name: str, namespace: str) -> ProjectUser:
        """Give the user the rights of the cluster role `admin` in the namespace, as OpenShift does for the requester of a project.

        `admin` itself has no rules in the lab, because the controller that aggregates these roles does not run there.
        """
        for part in ("admin", "view", "edit"):
            binding = role_binding(part, user_subject(name), role=f"system:aggregate-to-{part}")
            lab.create(namespace, "rolebindings", binding)
        user = cls(lab, name, namespace)
        # The API server reads role bindings from a watch, so it knows the last one, with this right, only a moment later.
        lab.until(user._may_list_secrets, f"{name} is the administrator of {namespace}")
        return user

    def _may_list_secrets(self) -> bool:
        found = self.request("GET", path_of(self.namespace, "secrets"), expect=(200, 403))
        return bool(found["kind"] == "SecretList")

    def request(self, method: str, path: str, body: Any = None, *, expect: tuple[int, ...] = (200, 201, 202)) -> Any:
        return self.lab.api(method, path, body, expect=expect, user=self.name)

    def create_object(self, resource: str, body: dict[str, Any]) -> dict[str, Any]:
        created: dict[str, Any] = self.request("POST", path_of(self.namespace, resource), body)
        return created

    def secret(self, name: str, text: str, *, key: str = ".dockerconfigjson", **fields: Any) -> dict[str, Any]:
        """Create a pull secret with that text, or an Opaque secret for any other `key`. `fields` are further fields of the object."""
        kind = {".dockerconfigjson": "kubernetes.io/dockerconfigjson", ".dockercfg": "kubernetes.io/dockercfg"}
        data = {key: b64(text)}
        body: dict[str, Any] = {"type": kind.get(key, "Opaque"), "data": data, **fields}
        return self.create_object("secrets", {**body, "metadata": {"name": name, **fields.get("metadata", {})}})

    def read_secret(self, name: str) -> str:
        """Everything that she can read of her own secret, as text."""
        found = self.request("GET", path_of(self.namespace, "secrets", name))
        return "\n".join(
            base64.b64decode(value).decode("utf-8", "replace") for value in (found.get("data") or {}).values()
        )
