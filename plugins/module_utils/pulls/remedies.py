# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What mends a pull, as tasks of this collection. Pure.

The login of a registry is never known here: a task has the variables `registry_username` and `registry_password` in its place.
"""

from __future__ import annotations

from typing import Any

from ..dockerconfig.registry_keys import registry_of

__all__ = [
    "Remedy", "add_registry", "convert_secret", "grant", "grant_to", "import_again", "import_secret", "link", "link_only", "new_secret",
    "new_secret_named", "remove_registry", "remove_secret", "revoke", "rewrite_secret", "unlink", "wait_for_account",
]  # fmt: skip

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


def import_again(namespace: str, stream: str) -> list[Remedy]:
    """Imports the tags of a stream whose import failed for want of a login."""
    return [_task(f"Import {stream} again", "image_stream_import", {"namespaces": [namespace], "streams": [stream]})]


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


def grant_to(project: str, subjects: dict[str, Any]) -> list[Remedy]:
    """`subjects`: as the options of image_puller_grant name them."""
    return [_task(f"Grant pulling from {project} once", "image_puller_grant", {"namespaces": [project], **subjects})]


def revoke(project: str, subjects: dict[str, Any]) -> list[Remedy]:
    """Takes the right out of every binding of the project."""
    options = {"namespaces": [project], **subjects, "state": "absent", "revoke_from": "every_binding"}
    return [_task(f"Revoke pulling from {project}", "image_puller_grant", options)]


def link_only(namespace: str, account: str, secret: str) -> list[Remedy]:
    """Links a secret, also one of no use, once; pods are left alone."""
    options = {"namespaces": [namespace], "service_accounts": [account], "secrets": [secret], "require": "none"}
    return [_task(f"Link {secret} to service account {account} once", "sa_link", options)]


def unlink(namespace: str, account: str, secret: str, purpose: str = "pull") -> list[Remedy]:
    """`purpose`: `pull` or `mount`, the list of the account."""
    options = {
        "namespaces": [namespace],
        "service_accounts": [account],
        "secrets": [secret],
        "link_for": [purpose],
        "state": "absent",
    }
    return [_task(f"Unlink {secret} from service account {account}", "sa_link", options)]


def remove_secret(namespace: str, secret: str) -> list[Remedy]:
    options = {"namespaces": [namespace], "name": secret, "state": "absent"}
    return [_task(f"Remove pull secret {secret}", "pull_secret", options)]


def remove_registry(namespace: str, secret: str, *registries: str) -> list[Remedy]:
    """Removes entries of a secret; its others stay."""
    named = [registry_of(registry) for registry in registries]
    entries = [{"registry": registry} for registry in named]
    options = {"namespaces": [namespace], "name": secret, "registries": entries, "mode": "remove"}
    return [_task(f"Remove {', '.join(named)} from pull secret {secret}", "pull_secret", options)]


def convert_secret(namespace: str, secret: str, registry: str) -> list[Remedy]:
    """Creates a secret again with a type that nodes read; its other entries stay."""
    return [_secret(namespace, secret, registry, mode="merge", recreate=True)]


def wait_for_account(namespace: str, account: str) -> list[Remedy]:
    options = {"namespaces": [namespace], "service_accounts": [account]}
    return [_task(f"Wait for the pull secret of service account {account}", "sa_wait", options)]


def _name_for(registry: str) -> str:
    return "pull-" + "".join(sign if sign.isalnum() else "-" for sign in registry.lower()).strip("-")


def _secret(namespace: str, name: str, registry: str, **options: Any) -> Remedy:
    registry = registry_of(registry)
    login = {"registry": registry, "username": "{{ registry_username }}", "password": "{{ registry_password }}"}
    return _task(
        f"Write the login for {registry} into pull secret {name}",
        "pull_secret",
        {"namespaces": [namespace], "name": name, "registries": [login], **options},
    )


def _task(title: str, module: str, options: dict[str, Any]) -> Remedy:
    return {"name": title, f"{_PREFIX}.{module}": options}
