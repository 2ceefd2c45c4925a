# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pods that ask a node for an image: how they are made, and which pods are such. Pure.

A pod does as little as it can: nothing of the image runs but `true`, which need not be in it, as a user of no rights and without a
token. `imagePullPolicy: Always` makes the node ask the registry with the pod's credentials though it has the image (kubernetes
pkg/kubelet/images/image_manager.go). The security context is what Pod Security `restricted` and OpenShift's `restricted-v2` accept; a
user is set by nobody but OpenShift. An image that would run as root is not run then, which is told after it was pulled.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...core.changes import MANAGED_BY, Change, create
from ...core.objects import Json, Kind, ObjectRef, metadata, only
from ...core.shapes import mapping, sequence, text, whole
from ...core.times import seconds_of
from .options import PullProbe

__all__ = [
    "CONTAINER",
    "NAME",
    "POD",
    "SELECTOR",
    "deletion",
    "edition_of",
    "has_expired",
    "is_probe",
    "made",
    "uid_of",
]

#: How the name of each pod begins.
NAME = "pull-probe-"

#: The container whose image is asked for. A pod may get others by admission.
CONTAINER = "probe"
_LABELS = {**MANAGED_BY, "app.kubernetes.io/component": "pull-probe"}
#: Finds the pods of all runs.
SELECTOR = ",".join(f"{key}={value}" for key, value in _LABELS.items())

#: Seconds that a pod may live longer than it is waited for: what nobody deletes ends then.
_GRACE = 60
#: Seconds that the clock of this host may be ahead of the API server's.
_SKEW = 120

_OF_METADATA = ("name", "namespace", "uid", "generation", "labels", "creationTimestamp", "deletionTimestamp")
_OF_SPEC = ("nodeName", "activeDeadlineSeconds", "restartPolicy", "automountServiceAccountToken")
_OF_STATUS = ("phase", "reason", "message", "conditions")
_OF_CONTAINER = ("name", "imageID", "state")


def _trimmed(pod: Json) -> Json:
    """What is read of a pod: many are listed, again and again."""
    spec, status = mapping(pod.get("spec")), mapping(pod.get("status"))
    images = [only(mapping(each), "name", "image") for each in sequence(spec.get("containers"))]
    containers = [only(mapping(each), *_OF_CONTAINER) for each in sequence(status.get("containerStatuses"))]
    return {
        "metadata": only(metadata(pod), *_OF_METADATA),
        "spec": {**only(spec, *_OF_SPEC), "containers": images},
        "status": {**only(status, *_OF_STATUS), "containerStatuses": containers},
    }


POD = Kind("v1", "Pod", "pods", "pod", trim=_trimmed)


def is_probe(pod: Json) -> bool:
    """Whether the pod carries both labels: no other is ever deleted."""
    labels = mapping(metadata(pod).get("labels"))
    return all(labels.get(key) == value for key, value in _LABELS.items())


def has_expired(pod: Json, now: float) -> bool:
    """Whether a run of this module made the pod, and the pod has outlived its own deadline. `now` in seconds since 1970.

    Users can write labels. So the name and the shape count too, and a pod that only has the labels is left alone. The API server sets the time
    of creation. A node ends a pod at its deadline, but not one that no node has.
    """
    meta, spec = metadata(pod), mapping(pod.get("spec"))
    containers = [text(mapping(each).get("name")) for each in sequence(spec.get("containers"))]
    has_shape = CONTAINER in containers and spec.get("restartPolicy") == "Never"
    has_token = spec.get("automountServiceAccountToken") is not False
    created, deadline = seconds_of(meta.get("creationTimestamp")), whole(spec.get("activeDeadlineSeconds"))
    if not (is_probe(pod) and has_shape and text(meta.get("name")).startswith(NAME)) or has_token:
        return False
    if created is None or deadline is None or meta.get("deletionTimestamp"):
        return False
    return created + deadline + _SKEW < now


def made(ref: ObjectRef, asked: PullProbe, image: str, selector: Mapping[str, str]) -> Change:
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
    return create(ref, {"metadata": {"labels": _LABELS}, "spec": spec}, {"image": image}, {"image": image})


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


def deletion(ref: ObjectRef, uid: str) -> Change:
    """Of this one pod, at once. Not bound to its version, which a node changes all the time; without `uid`, it was never seen."""
    preconditions = {"preconditions": {"uid": uid}} if uid else {}
    body = {"apiVersion": "v1", "kind": "DeleteOptions", "gracePeriodSeconds": 0, **preconditions}
    return Change("delete", ref, body)


def uid_of(pod: Json) -> str:
    """Empty when it has none."""
    return text(metadata(pod).get("uid"))


def edition_of(pod: Json) -> tuple[int | None, str]:
    """Its generation, which an API server counts from Kubernetes 1.33 on, and its image: another edition once others have edited the pod.

    Users who may edit pods in the namespace can put another image there, and restore the first one before the next look.
    """
    containers = map(mapping, sequence(mapping(pod.get("spec")).get("containers")))
    images = [text(each.get("image")) for each in containers if each.get("name") == CONTAINER]
    return whole(metadata(pod).get("generation")), next(iter(images), "")
