# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prepares clusters for guides that inspect a cluster."""

from __future__ import annotations

import base64
import json
from typing import Any

import yaml

from support import objects
from support.guides import Reader
from support.lab import Lab, path_of

__all__ = ["broken_pod", "deployment", "inventory", "pull_secret", "waiting", "written"]

NODE_SAYS = "reading manifest v1 in {repository}: unauthorized: access to the requested resource is not authorized"


def inventory(reader: Reader, **variables: Any) -> None:
    """One cluster, with the reader's own variables."""
    shown = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}", **variables}
    hosts = {"all": {"hosts": {"production": None}, "vars": shown}}
    (reader.folder / reader.inventory).write_text(yaml.dump(hosts), encoding="utf-8")


def pull_secret(lab: Lab, namespace: str, name: str, host: str, account: dict[str, str], *, kind: str = "") -> None:
    content = objects.auth_file({host: (account["username"], account["password"])})
    kind = kind or "kubernetes.io/dockerconfigjson"
    lab.create(namespace, "secrets", objects.pull_secret(name, content, kind))


def written(lab: Lab, namespace: str, name: str) -> dict[str, tuple[str, str]]:
    """The logins of a pull secret, by registry."""
    secret = lab.get(namespace, "secrets", name)
    assert secret is not None
    auths = json.loads(base64.b64decode(secret["data"][".dockerconfigjson"]))["auths"]
    logins = ((key, base64.b64decode(entry["auth"]).decode().partition(":")) for key, entry in auths.items())
    return {key: (user, password) for key, (user, _colon, password) in logins}


def broken_pod(lab: Lab, namespace: str, name: str = "app") -> None:
    """Create a pod whose only secret has a type that no node reads, with the message of its node."""
    registry = lab.registry("private")
    pull_secret(lab, namespace, "pull", registry["host"], registry["accounts"][0], kind="Opaque")
    spec = {"containers": [{"name": "app", "image": registry["image"]}], "imagePullSecrets": [{"name": "pull"}]}
    lab.create(namespace, "pods", {"metadata": {"name": name}, "spec": spec})
    repository = registry["image"].rpartition(":")[0]
    waiting(lab, namespace, name, NODE_SAYS.format(repository=repository))


def waiting(lab: Lab, namespace: str, name: str, message: str) -> None:
    """Write the node's message into the status of a pod with one container."""
    pod = lab.get(namespace, "pods", name)
    assert pod is not None
    status = {
        "name": pod["spec"]["containers"][0]["name"],
        "image": pod["spec"]["containers"][0]["image"],
        "imageID": "",
        "ready": False,
        "restartCount": 0,
        "state": {"waiting": {"reason": "ErrImagePull", "message": message}},
    }
    lab.api("PATCH", f"{path_of(namespace, 'pods', name)}/status", {"status": {"containerStatuses": [status]}})


def deployment(lab: Lab, namespace: str, name: str = "app") -> None:
    labels = {"app": name}
    spec = {"containers": [{"name": "app", "image": lab.registry("private")["image"]}]}
    template = {"metadata": {"labels": labels}, "spec": spec}
    body = {
        "metadata": {"name": name},
        "spec": {"replicas": 0, "selector": {"matchLabels": labels}, "template": template},
    }
    lab.api("POST", f"/apis/apps/v1/namespaces/{namespace}/deployments", body)
