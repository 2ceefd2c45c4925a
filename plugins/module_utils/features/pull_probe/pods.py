# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pods that make a node pull an image. Pure.

A pod does as little as it can: nothing of the image runs but `true`, which need not be in it, as a user of no rights and without a
token. `imagePullPolicy: Always` makes the node ask the registry with the pod's credentials though it has the image (kubernetes
pkg/kubelet/images/image_manager.go). The security context is what Pod Security `restricted` and OpenShift's `restricted-v2` accept; a
user is set by nobody but OpenShift. An image that would run as root is not run then, which is told after it was pulled.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...core.changes import Change, create
from ...core.objects import ObjectRef
from ...images.probe_pods import CONTAINER, LABELS
from .options import PullProbe

__all__ = ["pod_for"]

#: Seconds that a pod may live longer than it is waited for: what nobody deletes ends then.
_GRACE = 60


def pod_for(ref: ObjectRef, asked: PullProbe, image: str, selector: Mapping[str, str]) -> Change:
    """The pod that asks a node with these labels for the image."""
    own = [{"name": name} for name in asked.image_pull_secrets]
    spec = {
        "serviceAccountName": asked.service_account,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "restartPolicy": "Never",
        "activeDeadlineSeconds": asked.timeout + _GRACE,
        "tolerations": [{"operator": "Exists"}],
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [_container(image)],
        **({"nodeSelector": dict(selector)} if selector else {}),
        **({"imagePullSecrets": own} if own else {}),
    }
    return create(ref, {"metadata": {"labels": LABELS}, "spec": spec}, {"image": image}, {"image": image})


def _container(image: str) -> dict[str, Any]:
    return {
        "name": CONTAINER,
        "image": image,
        "imagePullPolicy": "Always",
        "command": ["true"],
        # Limits too: where a quota counts them, a pod without them is refused.
        "resources": {"requests": {"cpu": "1m", "memory": "8Mi"}, "limits": {"cpu": "100m", "memory": "64Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }
