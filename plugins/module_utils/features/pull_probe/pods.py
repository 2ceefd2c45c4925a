# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pods that make a node pull an image. Pure.

A pod does as little as possible: it runs only `true`, which the image need not contain, as an unprivileged user and without a token.
`imagePullPolicy: Always` makes the node ask the registry with the pod's credentials even if it has the image (kubernetes
pkg/kubelet/images/image_manager.go). The security context satisfies Pod Security `restricted` and OpenShift's `restricted-v2`. Only
OpenShift sets a user. Otherwise an image that would run as root does not run, which the node reports after the pull.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...core.changes import Change, create
from ...core.objects import ObjectRef
from ...images.probe_pods import CONTAINER, LABELS
from .options import PullProbe

__all__ = ["pod_for"]

#: Seconds that a pod may run after the end of the wait, so that a pod that is not deleted ends by itself.
_GRACE = 60


def pod_for(ref: ObjectRef, asked: PullProbe, image: str, selector: Mapping[str, str]) -> Change:
    """Return the creation of the pod that makes a node with these labels pull the image."""
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
        # Limits are set because a quota that counts them rejects a pod without limits.
        "resources": {"requests": {"cpu": "1m", "memory": "8Mi"}, "limits": {"cpu": "100m", "memory": "64Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }
