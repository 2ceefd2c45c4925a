# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Workloads of the lab with the objects that their controllers would create, down to a pod."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from support.lab import Lab

__all__ = ["CHAINS", "create_chain", "workload_spec"]

_APPS, _BATCH, _CORE = "apis/apps/v1", "apis/batch/v1", "api/v1"
#: From a workload to the object that creates the pods: the path of the API, and the kind.
CHAINS = {
    "Deployment": ((_APPS, "Deployment"), (_APPS, "ReplicaSet")),
    "StatefulSet": ((_APPS, "StatefulSet"),),
    "DaemonSet": ((_APPS, "DaemonSet"),),
    "ReplicaSet": ((_APPS, "ReplicaSet"),),
    "Job": ((_BATCH, "Job"),),
    "CronJob": ((_BATCH, "CronJob"), (_BATCH, "Job")),
    "DeploymentConfig": (("apis/apps.openshift.io/v1", "DeploymentConfig"), (_CORE, "ReplicationController")),
}


def create_chain(lab: Lab, namespace: str, kind: str, image: str) -> Sequence[dict[str, Any]]:
    """Create the workload `web`, its dependent objects, and the pod `app`. Return the pod's owner references."""
    containers = [{"name": "app", "image": image}]
    owners: list[dict[str, Any]] = []
    for number, (path, each) in enumerate(CHAINS[kind]):
        meta = {"name": f"web-{number}" if number else "web", "ownerReferences": owners}
        version = path.partition("/")[2]
        body = {
            "apiVersion": version,
            "kind": each,
            "metadata": meta,
            "spec": workload_spec(path, each, {"containers": containers}),
        }
        made = lab.api("POST", f"/{path}/namespaces/{namespace}/{each.lower()}s", body, expect=(201,))
        owner = {"apiVersion": version, "kind": each, "name": meta["name"], "controller": True}
        owners = [{**owner, "uid": made["metadata"]["uid"]}]
    pod = {"metadata": {"name": "app", "ownerReferences": owners}, "spec": {"containers": containers}}
    lab.create(namespace, "pods", pod)
    return owners


def workload_spec(path: str, kind: str, pod_spec: dict[str, Any]) -> dict[str, Any]:
    """The spec of a workload, or of a pod alone."""
    if kind == "Pod":
        return pod_spec
    template: dict[str, Any] = {"metadata": {"labels": {"a": "b"}}, "spec": {**pod_spec}}
    if path == _BATCH:
        template["spec"]["restartPolicy"] = "Never"
        job = {"template": template}
        return {"schedule": "@yearly", "jobTemplate": {"spec": job}} if kind == "CronJob" else job
    selector = {"matchLabels": {"a": "b"}} if path == _APPS else {"a": "b"}
    return {"template": template, "selector": selector, **({"serviceName": "web"} if kind == "StatefulSet" else {})}
