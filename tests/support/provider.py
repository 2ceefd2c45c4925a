# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects of a lab for CRI-O's credential provider."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.credential_providers import CRIO_AUDIENCE

from support.lab import Lab
from support.objects import group_subject, role_binding

__all__ = ["PROVIDERS", "RBAC", "create_provider", "token_rights"]


RBAC = "/apis/rbac.authorization.k8s.io/v1"
PROVIDERS = "/apis/config.openshift.io/v1/criocredentialproviderconfigs"


@contextmanager
def token_rights(lab: Lab) -> Iterator[None]:
    """During the block, nodes may request the tokens with which the provider lists secrets, as the machine config operator sets it up."""
    name, verb = "node-credential-providers", "request-serviceaccounts-token-audience"
    rule = {"apiGroups": [""], "resources": [CRIO_AUDIENCE], "verbs": [verb]}
    lab.api("POST", f"{RBAC}/clusterroles", {"metadata": {"name": name}, "rules": [rule]})
    nodes = group_subject("system:nodes")
    lab.api("POST", f"{RBAC}/clusterrolebindings", role_binding(name, nodes, role=name))
    try:
        yield
    finally:
        for resource in ("clusterrolebindings", "clusterroles"):
            lab.api("DELETE", f"{RBAC}/{resource}/{name}")


def create_provider(lab: Lab, *entries: str) -> None:
    """Create the configuration of the cluster. Its condition says that the nodes have it."""
    body: dict[str, Any] = {
        "apiVersion": "config.openshift.io/v1",
        "kind": "CRIOCredentialProviderConfig",
        "metadata": {"name": "cluster"},
        "spec": {"matchImages": [*entries]},
        "status": {"conditions": [{"type": "MachineConfigRendered", "status": "True"}]},
    }
    lab.api("POST", PROVIDERS, body)
