# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixes for failed pulls, as tasks of this collection. Pure.

The login of a registry is never known here, so a task contains the variables `registry_username` and `registry_password` instead. Titles
are fixed sentences, and names of objects are only in the options. `offers` decides whether a task is offered.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..core.names import LONGEST_NAME
from ..core.yaml_text import Sentence, TemplateText

__all__ = [
    "PREFIX",
    "REGISTRY",
    "TITLES",
    "VARIABLES",
    "Fix",
    "add_registry",
    "convert_secret",
    "create_listed_secret",
    "create_secret",
    "create_unlinked_secret",
    "grant",
    "grant_to",
    "import_again",
    "import_secret",
    "link",
    "link_only",
    "remove_registry",
    "remove_secret",
    "revoke",
    "rewrite_secret",
    "secret_name_for",
    "unlink",
    "wait_for_account",
]  # fmt: skip

#: A task as in a playbook.
Fix = dict[str, Any]

PREFIX = "openshift_ops.image_pull."
#: Placeholder for an unknown registry.
REGISTRY = TemplateText("{{ registry }}")
#: The login of a registry: fields of an entry of a pull secret. The email is optional.
VARIABLES: Mapping[str, TemplateText] = {
    "username": TemplateText("{{ registry_username }}"),
    "password": TemplateText("{{ registry_password }}"),
    "email": TemplateText("{{ registry_email }}"),
}
_PODS = {"restart_pods": "stuck"}

_LINK = Sentence("Link a pull secret to a service account")
_UNLINK = Sentence("Unlink a pull secret from a service account")
_WRITE = Sentence("Write a login into a pull secret")
_REMOVE_ENTRIES = Sentence("Remove registries from a pull secret")
_REMOVE = Sentence("Remove a pull secret")
_GRANT = Sentence("Let others pull from a project")
_REVOKE = Sentence("Revoke pulling from a project")
_IMPORT = Sentence("Import an image stream again")
_WAIT = Sentence("Wait for the pull secret of a service account")
#: All titles. They contain nothing from a cluster.
TITLES = frozenset({_LINK, _UNLINK, _WRITE, _REMOVE_ENTRIES, _REMOVE, _GRANT, _REVOKE, _IMPORT, _WAIT})


def link(namespace: str, account: str, secret: str) -> list[Fix]:
    """Link a secret, and recreate the pods that wait for their image."""
    options = {"namespaces": [namespace], "service_accounts": [account], "secrets": [secret], **_PODS}
    return [_task(_LINK, "sa_link", options)]


def create_secret(namespace: str, account: str, registry: str) -> list[Fix]:
    name = secret_name_for("pull", registry)
    return [_secret(namespace, name, registry), *link(namespace, account, name)]


def import_secret(namespace: str, registry: str) -> list[Fix]:
    """Create a secret for imports of image streams, which need no link."""
    return [_secret(namespace, secret_name_for("pull", registry), registry)]


def create_unlinked_secret(namespace: str, registry: str) -> list[Fix]:
    """Create a secret that the nodes find without a link, through CRI-O's credential provider."""
    return [_secret(namespace, secret_name_for("mirror", registry), registry)]


def import_again(namespace: str, stream: str) -> list[Fix]:
    """Retry the failed imports of a stream."""
    return [_task(_IMPORT, "image_stream_import", {"namespaces": [namespace], "streams": [stream]})]


def add_registry(namespace: str, secret: str, registry: str, *, with_email: bool = False) -> list[Fix]:
    """Add a registry to a secret, or correct its login there. Other entries are kept."""
    fix = _secret(namespace, secret, registry, mode="merge")
    if with_email:
        (login,) = fix[f"{PREFIX}pull_secret"]["registries"]
        login["email"] = VARIABLES["email"]
    return [fix]


def create_listed_secret(namespace: str, secret: str, registry: str) -> list[Fix]:
    """Create a secret that is already linked."""
    return [_secret(namespace, secret, registry)]


def rewrite_secret(namespace: str, secret: str, registry: str) -> list[Fix]:
    """Replace the whole content of a secret, and give it a type that nodes read."""
    return [_secret(namespace, secret, registry, mode="replace", recreate=True)]


def grant(project: str, namespace: str, account: str) -> list[Fix]:
    options = {"namespaces": [project], "service_accounts": [{"namespace": namespace, "name": account}]}
    return [_task(_GRANT, "image_puller_grant", options)]


def grant_to(project: str, subjects: dict[str, Any]) -> list[Fix]:
    """Grant pulls from a project. `subjects`: options of image_puller_grant."""
    return [_task(_GRANT, "image_puller_grant", {"namespaces": [project], **subjects})]


def revoke(project: str, subjects: dict[str, Any]) -> list[Fix]:
    """Remove the right from every binding of the project."""
    options = {"namespaces": [project], **subjects, "state": "absent", "revoke_from": "every_binding"}
    return [_task(_REVOKE, "image_puller_grant", options)]


def link_only(namespace: str, account: str, secret: str) -> list[Fix]:
    """Link a secret once, even an unusable one, without recreating pods."""
    options = {"namespaces": [namespace], "service_accounts": [account], "secrets": [secret], "require": "none"}
    return [_task(_LINK, "sa_link", options)]


def unlink(namespace: str, account: str, secret: str, purpose: str = "pull") -> list[Fix]:
    """Remove a link. `purpose`: `pull` or `mount`, the list of the account."""
    options = {
        "namespaces": [namespace],
        "service_accounts": [account],
        "secrets": [secret],
        "link_for": [purpose],
        "state": "absent",
    }
    return [_task(_UNLINK, "sa_link", options)]


def remove_secret(namespace: str, secret: str) -> list[Fix]:
    options = {"namespaces": [namespace], "name": secret, "state": "absent"}
    return [_task(_REMOVE, "pull_secret", options)]


def remove_registry(namespace: str, secret: str, *registries: str) -> list[Fix]:
    """Remove entries of a secret. Other entries are kept."""
    entries = [{"registry": registry} for registry in registries]
    options = {"namespaces": [namespace], "name": secret, "registries": entries, "mode": "remove"}
    return [_task(_REMOVE_ENTRIES, "pull_secret", options)]


def convert_secret(namespace: str, secret: str, registry: str) -> list[Fix]:
    """Recreate a secret with a type that nodes read. Other entries are kept."""
    return [_secret(namespace, secret, registry, mode="merge", recreate=True)]


def wait_for_account(namespace: str, account: str) -> list[Fix]:
    options = {"namespaces": [namespace], "service_accounts": [account]}
    return [_task(_WAIT, "sa_wait", options)]


def secret_name_for(purpose: str, registry: str) -> str:
    """Return a name for a secret with the login of a registry."""
    words = re.sub("[^a-z0-9]", "-", registry.lower()).strip("-")
    return f"{purpose}-{words}"[:LONGEST_NAME].rstrip("-")


def _secret(namespace: str, name: str, registry: str, **options: Any) -> Fix:
    login = {"registry": registry, **{field: VARIABLES[field] for field in ("username", "password")}}
    return _task(_WRITE, "pull_secret", {"namespaces": [namespace], "name": name, "registries": [login], **options})


def _task(title: Sentence, module: str, options: dict[str, Any]) -> Fix:
    return {"name": title, f"{PREFIX}{module}": options}
