# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pods that test pulls on nodes: how to recognize them, and to delete in all namespaces those that a killed run left.

The owner of the project does not matter: only a pod past its deadline is deleted, by its UID. A failure is reported, and does not stop the run.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from ..clients.kube.client import Cluster
from ..clients.kube.errors import ClusterError, Conflict, NotFound
from ..core.changes import MANAGED_BY, Change
from ..core.errors import ImagePullError
from ..core.objects import POD, Json, ObjectRef, as_dict, as_int, as_list, as_str, metadata, pick
from ..core.text import pluralize, summarize
from ..core.times import seconds_of
from ..engine.workers import Workers

__all__ = [
    "CONTAINER",
    "LABELS",
    "NAME",
    "PROBE_POD",
    "SELECTOR",
    "delete_leftovers",
    "edition_of",
    "has_expired",
    "is_leftover",
    "is_probe",
    "pod_deletion",
    "uid_of",
]

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

#: Maximum number of pods that one run deletes, in one namespace and in all. The next run deletes more.
_OF_A_NAMESPACE, _IN_ALL = 20, 500
#: Maximum number of pods in a sentence.
_NAMED = 5


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


def is_leftover(pod: Json) -> bool:
    """Whether a probe created the pod and its deadline has passed, by the clock of this host."""
    return has_expired(pod, time.time())


def delete_leftovers(
    cluster: Cluster, workers: Workers, pods: Iterable[Json], *, check_mode: bool = False
) -> tuple[str, ...]:
    """Delete these pods, each of which `is_leftover`, and return messages about it. In check mode, report the pods only."""
    chosen = _limit_pods(pods)
    refs = [ObjectRef(PROBE_POD, metadata(pod)["namespace"], metadata(pod)["name"]) for pod in chosen]
    errors = [""] * len(chosen)
    if not check_mode:
        items = [(ref, uid_of(pod)) for ref, pod in zip(refs, chosen, strict=True)]
        errors = workers.map(lambda item: _delete(cluster, *item), items)
    gone = [ref for ref, error in zip(refs, errors, strict=True) if not error]
    left = [(ref, error) for ref, error in zip(refs, errors, strict=True) if error]
    return (*_deleted_sentence(gone, check_mode=check_mode), *_left_sentence(left))


def _limit_pods(pods: Iterable[Json]) -> list[Json]:
    """The pods to delete, limited so that a user with many such pods does not delay others."""
    counts: Counter[str] = Counter()
    chosen = []
    for pod in pods:
        namespace = metadata(pod)["namespace"]
        counts[namespace] += 1
        if counts[namespace] <= _OF_A_NAMESPACE and uid_of(pod):
            chosen.append(pod)
    return chosen[:_IN_ALL]


def _delete(cluster: Cluster, ref: ObjectRef, uid: str) -> str:
    """The reason why the pod may still exist. Empty if it is deleted or another pod has its name."""
    try:
        cluster.write(pod_deletion(ref, uid))
    except (NotFound, Conflict):
        return ""
    except ClusterError:
        raise
    except ImagePullError as error:
        return str(error)
    return ""


def _deleted_sentence(refs: Sequence[ObjectRef], *, check_mode: bool) -> tuple[str, ...]:
    if not refs:
        return ()
    what = "would delete" if check_mode else "deleted"
    names = summarize([f"{ref.namespace}/{ref.name}" for ref in refs], _NAMED)
    return (f"{what} {pluralize(len(refs), 'pod')} of probes that ended without cleaning up: {names}",)


def _left_sentence(refs: Sequence[tuple[ObjectRef, str]]) -> tuple[str, ...]:
    if not refs:
        return ()
    (ref, error), *_others = refs
    return (
        f"{pluralize(len(refs), 'pod')} of earlier probes could not be deleted, such as {ref.namespace}/{ref.name}: {error}. Give the "
        "caller the right to delete pods, or delete them by hand",
    )
