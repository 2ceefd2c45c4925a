# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes of the lab as the API server shows them: their versions, their machine config pools and the KubeletConfigs of these."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from support.lab import Lab

__all__ = [
    "KUBELET_CONFIGS",
    "ROOT",
    "LabNode",
    "add_kubelet_config",
    "add_nodes",
    "define_kind",
    "described_nodes",
    "kubelet_config",
    "node_pulls",
]

GROUP = "machineconfiguration.openshift.io"
ROOT = f"/apis/{GROUP}/v1"
KUBELET_CONFIGS = f"{ROOT}/kubeletconfigs"
_KINDS = {
    "MachineConfigPool": "machineconfigpools",
    "MachineConfig": "machineconfigs",
    "KubeletConfig": "kubeletconfigs",
}
_CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


@dataclass(frozen=True)
class LabNode:
    """A node. `pool` is the name of its machine config pool, empty without one. `architecture` is empty if the node does not report it."""

    name: str
    pool: str = ""
    kubelet: str = "v1.36.1"
    runtime: str = "cri-o://1.36.0"
    architecture: str = ""


def add_nodes(lab: Lab, *nodes: LabNode) -> None:
    """Create the nodes, or change them, with their pools."""
    for node in nodes:
        labels = {f"node-role.kubernetes.io/{node.pool}": ""} if node.pool else {}
        body = {"metadata": {"name": node.name, "labels": labels}}
        lab.api("POST", "/api/v1/nodes", body, expect=(201, 409))
        info = {
            "kubeletVersion": node.kubelet,
            "containerRuntimeVersion": node.runtime,
            "architecture": node.architecture,
        }
        lab.api("PATCH", f"/api/v1/nodes/{node.name}/status", {"status": {"nodeInfo": info}})
    for pool in {node.pool for node in nodes if node.pool}:
        _define_kinds(lab)
        _add_pool(lab, pool)


def kubelet_config(pool: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """A KubeletConfig for the pool, as an administrator writes it."""
    selector = {"matchLabels": {f"pools.operator.{GROUP}/{pool}": ""}}
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": "KubeletConfig",
        "metadata": {"name": f"{pool}-settings"},
        "spec": {"machineConfigPoolSelector": selector, "kubeletConfig": dict(settings)},
    }


def add_kubelet_config(lab: Lab, pool: str, settings: Mapping[str, Any]) -> None:
    """Create a KubeletConfig for the pool, or change it."""
    _define_kinds(lab)
    status = {"conditions": [{"type": "Success", "status": "True", "message": "Success"}]}
    lab.api("DELETE", f"{KUBELET_CONFIGS}/{pool}-settings", expect=(200, 404))
    lab.api("POST", KUBELET_CONFIGS, {**kubelet_config(pool, settings), "status": status})


def node_pulls(lab: Lab, namespace: str, pod: str, *options: str) -> bool:
    """Return whether a node with these options of the lab gets the pod's image."""
    done = lab.run("pull", "--dir", str(lab.dir), "--json", *options, namespace, pod, check=False)
    assert done.returncode in (0, 1), done.stderr
    found: bool = json.loads(done.stdout)["pulled"]
    return found


@contextmanager
def described_nodes(
    lab: Lab, *nodes: LabNode, configs: Mapping[str, Mapping[str, Any]] | None = None
) -> Iterator[None]:
    """Show these nodes until the end of the block. `configs` are the settings of the KubeletConfigs by pool."""
    add_nodes(lab, *nodes)
    try:
        for pool, settings in (configs or {}).items():
            add_kubelet_config(lab, pool, settings)
        yield
    finally:
        for pool in configs or {}:
            lab.api("DELETE", f"{KUBELET_CONFIGS}/{pool}-settings", expect=(200, 404))
        for node in nodes:
            lab.api("DELETE", f"/api/v1/nodes/{node.name}", expect=(200, 404))
        for pool in {node.pool for node in nodes if node.pool}:
            lab.api("DELETE", f"{ROOT}/machineconfigpools/{pool}", expect=(200, 404))


def _define_kinds(lab: Lab) -> None:
    """Define the kinds that the lab does not have."""
    for kind, plural in _KINDS.items():
        define_kind(lab, f"{GROUP}/v1", kind, plural)


def define_kind(lab: Lab, api_version: str, kind: str, plural: str, scope: str = "Cluster") -> None:
    """Define a kind whose objects can have any content, and wait until it is served."""
    group, _slash, served = api_version.partition("/")
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    version = {"name": served, "served": True, "storage": True, "schema": schema}
    names = {"kind": kind, "plural": plural, "singular": kind.lower(), "listKind": f"{kind}List"}
    body = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {"group": group, "scope": scope, "names": names, "versions": [version]},
    }
    lab.api("POST", _CRDS, body, expect=(201, 409))
    lab.until(partial(_is_served, lab, f"/apis/{api_version}/{plural}"), f"{plural} are served")


def _is_served(lab: Lab, path: str) -> bool:
    """Whether the API server lists the kind. At first it knows no such path, and then the storage starts."""
    try:
        lab.api("GET", path)
    except AssertionError:
        return False
    return True


def _add_pool(lab: Lab, name: str) -> None:
    """Create the pool as up to date, or let the existing one select its nodes."""
    rendered = {"name": f"rendered-{name}"}
    meta = {"name": name, "labels": {f"pools.operator.{GROUP}/{name}": ""}}
    spec = {"nodeSelector": {"matchLabels": {f"node-role.kubernetes.io/{name}": ""}}}
    body = {"apiVersion": f"{GROUP}/v1", "kind": "MachineConfigPool", "metadata": meta}
    status = {"configuration": rendered, "conditions": [{"type": "Updated", "status": "True"}]}
    whole = {**body, "spec": {**spec, "configuration": rendered}, "status": status}
    if lab.api("POST", f"{ROOT}/machineconfigpools", whole, expect=(201, 409)).get("kind") == "Status":
        lab.api("PATCH", f"{ROOT}/machineconfigpools/{name}", {"metadata": {"labels": meta["labels"]}, "spec": spec})
