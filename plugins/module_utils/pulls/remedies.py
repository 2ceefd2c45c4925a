# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What mends a pull, as tasks of this collection. Pure.

The login of a registry is never known here: a task has the variables `registry_username` and `registry_password` in its place.
"""

from __future__ import annotations

from typing import Any

__all__ = [
    "Remedy",
    "add_registry",
    "grant",
    "import_secret",
    "link",
    "new_secret",
    "new_secret_named",
    "rewrite_secret",
]

#: A task as it stands in a playbook.
Remedy = dict[str, Any]

_PREFIX = "openshift_ops.image_pull"
_PODS = {"restart_pods": "stuck"}


def link(namespace: str, account: str, secret: str) -> list[Remedy]:
    """Links a secret, and has pods that wait for their image created again."""
    options = {"namespaces": [namespace], "service_accounts": [account], "secrets": [secret], **_PODS}
    return [_task(f"Link {secret} to service account {account}", "sa_link", options)]


def new_secret(namespace: str, account: str, registry: str) -> list[Remedy]:
    name = _name_for(registry)
    return [_secret(namespace, name, registry), *link(namespace, account, name)]


def import_secret(namespace: str, registry: str) -> list[Remedy]:
    """For imports of image streams, which need no link."""
    return [_secret(namespace, _name_for(registry), registry)]


def add_registry(namespace: str, secret: str, registry: str) -> list[Remedy]:
    """Adds a registry to a secret, or corrects its login there; its other entries stay."""
    return [_secret(namespace, secret, registry, mode="merge")]


def new_secret_named(namespace: str, secret: str, registry: str) -> list[Remedy]:
    """Creates a secret that is listed already."""
    return [_secret(namespace, secret, registry)]


def rewrite_secret(namespace: str, secret: str, registry: str) -> list[Remedy]:
    """Writes a secret of which nothing can be kept, with a type that nodes read."""
    return [_secret(namespace, secret, registry, mode="replace", recreate=True)]


def grant(project: str, namespace: str, account: str) -> list[Remedy]:
    options = {"namespaces": [project], "service_accounts": [{"namespace": namespace, "name": account}]}
    return [_task(f"Let {namespace}/{account} pull from {project}", "image_puller_grant", options)]


def _name_for(registry: str) -> str:
    return "pull-" + "".join(sign if sign.isalnum() else "-" for sign in registry.lower()).strip("-")


def _secret(namespace: str, name: str, registry: str, **options: Any) -> Remedy:
    login = {"registry": registry, "username": "{{ registry_username }}", "password": "{{ registry_password }}"}
    return _task(
        f"Write the login for {registry} into pull secret {name}",
        "pull_secret",
        {"namespaces": [namespace], "name": name, "registries": [login], **options},
    )


def _task(title: str, module: str, options: dict[str, Any]) -> Remedy:
    return {"name": title, f"{_PREFIX}.{module}": options}
