# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Machine config pools, KubeletConfigs and nodes in them, in the API server's format."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import Lookup
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.node_settings import (
    NodeGroup,
    group_nodes,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_verification import (
    KUBEADM_SETTINGS,
    KUBELET_CONFIGS,
    KUBELET_FILE,
    POOLS,
)

from .pull_evidence import REFUSED, node

__all__ = ["groups_of", "kubelet_config", "node_in", "pool"]


def pool(name: str, current: str = "", target: str = "") -> dict[str, Any]:
    """A pool that is up to date unless its two configurations differ."""
    current = current or f"rendered-{name}"
    return {
        "metadata": {"name": name, "labels": {f"pools.operator.machineconfiguration.openshift.io/{name}": ""}},
        "spec": {
            "nodeSelector": {"matchLabels": {f"node-role.kubernetes.io/{name}": ""}},
            "configuration": {"name": target or current},
        },
        "status": {"configuration": {"name": current}, "conditions": [{"type": "Updated", "status": "True"}]},
    }


def kubelet_config(
    name: str, of: str, settings: Any = None, *, suffix: str | None = None, created: str = "", refused: str = ""
) -> dict[str, Any]:
    """A KubeletConfig for the pool `of`. `suffix` is that of its MachineConfig, None before the operator has made one."""
    notes = {} if suffix is None else {"machineconfiguration.openshift.io/mc-name-suffix": suffix}
    selector = {"matchLabels": {f"pools.operator.machineconfiguration.openshift.io/{of}": ""}}
    condition = {"type": "Failure", "message": refused} if refused else {"type": "Success", "message": "Success"}
    return {
        "metadata": {"name": name, "annotations": notes, "creationTimestamp": created},
        "spec": {"machineConfigPoolSelector": selector, "kubeletConfig": settings or {}},
        "status": {"conditions": [condition]},
    }


def node_in(*roles: str, current: str = "", name: str = "n", **versions: str) -> dict[str, Any]:
    """A node with these roles. `current` is the rendered configuration that it has."""
    found = node(name, **versions)
    found["metadata"]["labels"] = {f"node-role.kubernetes.io/{role}": "" for role in roles}
    if current:
        found["metadata"]["annotations"] = {"machineconfiguration.openshift.io/currentConfig": current}
    return found


def groups_of(
    *nodes: Any, pools: Sequence[Any] = (), configs: Sequence[Any] = (), kubeadm: Any = None, **files: Any
) -> list[NodeGroup]:
    """The nodes by pool, for a caller that may read the `files` of rendered configurations given by pool, and no others."""
    known: dict[ObjectRef, Any] = {
        POOLS: {"items": [*pools]},
        KUBELET_CONFIGS: {"items": [*configs]},
        KUBEADM_SETTINGS: kubeadm,
    }
    for each in pools:
        name, target = each["metadata"]["name"], each["spec"]["configuration"]["name"]
        known[ObjectRef(KUBELET_FILE, "", target)] = REFUSED
        known[ObjectRef(KUBELET_FILE, "", f"rendered-{name}")] = files.get(name, REFUSED)
    return group_nodes(nodes, Lookup(known))
