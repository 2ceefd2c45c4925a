# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deletes pods of probes that are past their deadline, in all namespaces. A killed run leaves such pods.

The owner of the project does not matter: only that pod is deleted, by its UID. A failure is reported, and does not stop the run.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Sequence

from ..clients.kube.client import Cluster
from ..clients.kube.errors import ClusterError, Conflict, NotFound
from ..core.errors import ImagePullError
from ..core.objects import Json, ObjectRef, metadata
from ..core.text import pluralize, summarize
from ..engine.workers import Workers
from ..images.probe_pods import PROBE_POD, has_expired, pod_deletion, uid_of

#: Maximum number of pods that one run deletes, in one namespace and in all. The next run deletes more.
_OF_A_NAMESPACE, _IN_ALL = 20, 500
#: Maximum number of pods in a sentence.
_NAMED = 5


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
