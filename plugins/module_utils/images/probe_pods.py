# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pods that test pulls on nodes: how to recognize and delete them. Pure."""

from __future__ import annotations

from dataclasses import replace

from ..core.changes import MANAGED_BY, Change
from ..core.objects import POD, Json, ObjectRef, as_dict, as_int, as_list, as_str, metadata, pick
from ..core.times import seconds_of

#: Prefix of the name of each pod.
NAME = "pull-probe-"

#: The container with the requested image. Admission may add others.
CONTAINER = "probe"
LABELS = {**MANAGED_BY, "app.kubernetes.io/component": "pull-probe"}
#: Selects the pods of all runs.
SELECTOR = ",".join(f"{key}={value}" for key, value in LABELS.items())

#: Maximum seconds that the clock of this host may be ahead of the API server's.
_SKEW = 120

_OF_METADATA = ("name", "namespace", "uid", "generation", "labels", "creationTimestamp", "deletionTimestamp")
_OF_SPEC = ("nodeName", "activeDeadlineSeconds", "restartPolicy", "automountServiceAccountToken")
_OF_STATUS = ("phase", "reason", "message", "conditions")
_OF_CONTAINER = ("name", "imageID", "state")


def _trim_pod(pod: Json) -> Json:
    """The part of a pod that is needed, because many pods are listed repeatedly."""
    spec, status = as_dict(pod.get("spec")), as_dict(pod.get("status"))
    images = [pick(as_dict(each), "name", "image") for each in as_list(spec.get("containers"))]
    containers = [pick(as_dict(each), *_OF_CONTAINER) for each in as_list(status.get("containerStatuses"))]
    return {
        "metadata": pick(metadata(pod), *_OF_METADATA),
        "spec": {**pick(spec, *_OF_SPEC), "containers": images},
        "status": {**pick(status, *_OF_STATUS), "containerStatuses": containers},
    }


PROBE_POD = replace(POD, trim=_trim_pod)


def is_probe(pod: Json) -> bool:
    """Whether the pod has both labels. Other pods are never deleted."""
    labels = as_dict(metadata(pod).get("labels"))
    return all(labels.get(key) == value for key, value in LABELS.items())


def has_expired(pod: Json, now: float) -> bool:
    """Whether a run of this module created the pod and the pod has outlived its own deadline. `now` is in seconds since 1970.

    Users can write labels, so the name and the shape are checked as well, and a pod that only has the labels is not deleted. The API
    server sets the creation time. A node ends a pod at its deadline, but nothing ends a pod that is not assigned to a node.
    """
    meta, spec = metadata(pod), as_dict(pod.get("spec"))
    containers = [as_str(as_dict(each).get("name")) for each in as_list(spec.get("containers"))]
    has_shape = CONTAINER in containers and spec.get("restartPolicy") == "Never"
    has_token = spec.get("automountServiceAccountToken") is not False
    created, deadline = seconds_of(meta.get("creationTimestamp")), as_int(spec.get("activeDeadlineSeconds"))
    if not (is_probe(pod) and has_shape and as_str(meta.get("name")).startswith(NAME)) or has_token:
        return False
    if created is None or deadline is None or meta.get("deletionTimestamp"):
        return False
    return created + deadline + _SKEW < now


def pod_deletion(ref: ObjectRef, uid: str) -> Change:
    """Return the immediate deletion of this one pod. It is bound to `uid`, not to the resourceVersion, which a node changes all the time.

    With an empty `uid`, the pod was never seen.
    """
    preconditions = {"preconditions": {"uid": uid}} if uid else {}
    body = {"apiVersion": "v1", "kind": "DeleteOptions", "gracePeriodSeconds": 0, **preconditions}
    return Change("delete", ref, body)


def uid_of(pod: Json) -> str:
    """Return the uid of the pod, or an empty text."""
    return as_str(metadata(pod).get("uid"))


def edition_of(pod: Json) -> tuple[int | None, str]:
    """Return the pod's generation (set from Kubernetes 1.33 on, otherwise None) and its image, to detect edits by others.

    A user who can edit pods in the namespace could set another image, and restore the first one before the next check.
    """
    containers = map(as_dict, as_list(as_dict(pod.get("spec")).get("containers")))
    images = [as_str(each.get("image")) for each in containers if each.get("name") == CONTAINER]
    return as_int(metadata(pod).get("generation")), next(iter(images), "")
