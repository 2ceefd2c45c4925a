# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who manages the content of a secret, and so would overwrite changes that others make. Pure.

Recognized by an owner that is a controller, by labels and annotations of operators that copy secrets, and by names of field managers.
"""

from __future__ import annotations

import re

from ..core.objects import Json, as_dict, as_list, as_str, metadata
from .protected import NODE_SECRET, NODE_SECRET_COPY, controller_of, is_marked_generated

__all__ = ["external_manager_of", "is_refreshed"]

#: Words in the names of field managers that rewrite secrets regularly: external-secrets, ecr-credential-helper, kubed, ...
_REFRESHERS = re.compile(
    r"(?:^|[^a-z])(?:external-?secrets?|ecr|registry-creds|kubed|reflector|vault|sealed-?secrets?|emberstack)(?:[^a-z]|$)",
    re.IGNORECASE,
)
#: Names of field managers that restore the content of a repository.
_RESTORERS = re.compile(r"(?:^|[^a-z])(?:argo-?cd|kustomize-controller|helm-controller)(?:[^a-z]|$)", re.IGNORECASE)

#: Labels and annotations that operators write on their copies, with the operator's name. Sources: the documentation of each.
_MARKS = {
    "reconcile.external-secrets.io/created-by": "External Secrets",
    "reconcile.external-secrets.io/managed": "External Secrets",
    "reconcile.external-secrets.io/data-hash": "External Secrets",
    "reflector.v1.k8s.emberstack.com/reflects": "Reflector",
    "reflector.v1.k8s.emberstack.com/auto-reflects": "Reflector",
    "replicator.v1.mittwald.de/replicated-from-version": "Replicator",
    "replicator.v1.mittwald.de/replicate-from": "Replicator",
    "kubed.appscode.com/origin": "Config Syncer",
    "argocd.argoproj.io/tracking-id": "Argo CD",
    "kustomize.toolkit.fluxcd.io/name": "Flux",
    "helm.toolkit.fluxcd.io/name": "Flux",
}


def is_refreshed(secret: Json) -> bool:
    """Whether the platform or a controller writes the secret, and so keeps its content fresh."""
    refreshed = any(map(_REFRESHERS.search, _managers(secret)))
    return is_marked_generated(secret) or _is_node_copy(secret) or bool(controller_of(secret)) or refreshed


def external_manager_of(secret: Json) -> str:
    """Return who would overwrite changes of the secret. Empty when no such manager is known."""
    if is_marked_generated(secret):
        return "the platform"
    if _is_node_copy(secret):
        return f"the machine config operator, which copies it from {NODE_SECRET.namespace}/{NODE_SECRET.name},"
    if owner := controller_of(secret):
        return owner
    meta = metadata(secret)
    marked = {**as_dict(meta.get("labels")), **as_dict(meta.get("annotations"))}
    if found := next((who for mark, who in _MARKS.items() if mark in marked), ""):
        return found
    return next((name for name in _managers(secret) if _REFRESHERS.search(name) or _RESTORERS.search(name)), "")


def _is_node_copy(secret: Json) -> bool:
    meta = metadata(secret)
    return (meta.get("namespace"), meta.get("name")) == (NODE_SECRET_COPY.namespace, NODE_SECRET_COPY.name)


def _managers(secret: Json) -> list[str]:
    """The field managers that wrote a part of the secret."""
    return [as_str(as_dict(each).get("manager")) for each in as_list(metadata(secret).get("managedFields"))]
