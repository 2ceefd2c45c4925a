# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who pulls which image: containers of pods, of workloads without pods, and of a service account. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ..core.json_types import as_dict, as_list, as_str
from ..core.objects import POD, SERVICE_ACCOUNT, Json, Kind, ObjectRef, metadata
from ..platform.account_lists import names_in
from .pod_images import CONTAINERS, images_of
from .stream_sources import StreamSource, has_resolve_annotation, sources_of

__all__ = [
    "CONTAINERS",
    "STATUSES",
    "WORKLOADS",
    "ContainerPull",
    "pull_of_account",
    "pulls_of_pod",
    "pulls_of_workload",
    "template_of",
]

_APPS = "apps/v1"
#: The kinds that create pods from a template, by the lower-case name of the kind.
WORKLOADS: Mapping[str, Kind] = {
    kind.kind.lower(): kind
    for kind in (
        Kind(_APPS, "Deployment", "deployments", "deployment"),
        Kind(_APPS, "StatefulSet", "statefulsets", "stateful set"),
        Kind(_APPS, "DaemonSet", "daemonsets", "daemon set"),
        Kind(_APPS, "ReplicaSet", "replicasets", "replica set"),
        Kind("batch/v1", "Job", "jobs", "job"),
        Kind("batch/v1", "CronJob", "cronjobs", "cron job"),
        Kind("apps.openshift.io/v1", "DeploymentConfig", "deploymentconfigs", "deployment config"),
        Kind("v1", "ReplicationController", "replicationcontrollers", "replication controller"),
    )
}

#: Fields of a pod with the status of its containers.
STATUSES = ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses")


@dataclass(frozen=True)
class ContainerPull:
    """One container that needs its image.

    `own` are the secrets in the list of the pod or the template. A pod's list is final, and an empty list of a template is replaced by the
    account's. `reason` and `message` are the node's report about a waiting container. `is_pulled`: it already has the image. `created` is
    the pod's creation time, as the API server writes it. `is_asked_alone`: only this subject is explained, so reading the pod's events and
    the cluster's nodes is worth it. `source` is the image stream tag that sets the image. `resolves_names`: names without a registry refer
    to image streams.
    """

    ref: ObjectRef
    account: str
    own: Sequence[str]
    container: str
    image: str
    is_pod: bool = False
    reason: str = ""
    message: str = ""
    is_pulled: bool = False
    created: str = ""
    uid: str = ""
    node: str = ""
    pull_policy: str = ""
    is_asked_alone: bool = False
    source: StreamSource | None = None
    resolves_names: bool = False

    @property
    def namespace(self) -> str:
        return self.ref.namespace

    @property
    def account_ref(self) -> ObjectRef:
        return ObjectRef(SERVICE_ACCOUNT, self.namespace, self.account)


def pulls_of_pod(pod: Json, namespace: str) -> list[ContainerPull]:
    """Return the containers of a pod, including init and ephemeral ones."""
    meta, spec = metadata(pod), as_dict(pod.get("spec"))
    ref = ObjectRef(POD, namespace, as_str(meta.get("name")))
    status = as_dict(pod.get("status"))
    states = {as_str(each.get("name")): each for part in STATUSES for each in map(as_dict, as_list(status.get(part)))}
    return [
        _add_state(_add_pod_facts(meta, spec, subject), states.get(subject.container, {}))
        for subject in _pulls_in_spec(ref, spec, is_pod=True)
    ]


def pulls_of_workload(kind: Kind, workload: Json, namespace: str) -> list[ContainerPull]:
    """Return the containers of the pods that a workload will create."""
    ref = ObjectRef(kind, namespace, as_str(metadata(workload).get("name")))
    template = template_of(workload)
    pod_spec = as_dict(template.get("spec"))
    sources, resolves = sources_of(workload, pod_spec, namespace), has_resolve_annotation(workload, template)
    return [
        replace(subject, source=sources.get(subject.container), resolves_names=resolves)
        for subject in _pulls_in_spec(ref, pod_spec, is_pod=False)
    ]


def template_of(workload: Json) -> Json:
    """Return the pod template of a workload. A cron job has it in the template of its jobs."""
    spec = as_dict(workload.get("spec"))
    return as_dict((as_dict(as_dict(spec.get("jobTemplate")).get("spec")) or spec).get("template"))


def pull_of_account(namespace: str, account: str, image: str) -> ContainerPull:
    """Return a pod of the account that would use this image."""
    return ContainerPull(ObjectRef(SERVICE_ACCOUNT, namespace, account), account, (), "", image)


def _pulls_in_spec(ref: ObjectRef, spec: Json, *, is_pod: bool) -> Iterator[ContainerPull]:
    account = as_str(spec.get("serviceAccountName")) or as_str(spec.get("serviceAccount")) or "default"
    own = tuple(dict.fromkeys(names_in(spec, "imagePullSecrets")))
    for each in images_of(spec):
        if not each.volume:
            yield ContainerPull(ref, account, own, each.containers[0], each.image, is_pod, pull_policy=each.pull_policy)


def _add_pod_facts(meta: Json, spec: Json, subject: ContainerPull) -> ContainerPull:
    """The subject with the data of the whole pod."""
    resolves = has_resolve_annotation({"metadata": meta})
    created, uid, node = as_str(meta.get("creationTimestamp")), as_str(meta.get("uid")), as_str(spec.get("nodeName"))
    return replace(subject, created=created, uid=uid, node=node, resolves_names=resolves)


def _add_state(subject: ContainerPull, status: Json) -> ContainerPull:
    state = as_dict(status.get("state"))
    waiting = as_dict(state.get("waiting"))
    has_started = bool({"running", "terminated"} & set(state)) and bool(as_str(status.get("imageID")))
    reason = as_str(waiting.get("reason"))
    if reason in _NOT_OF_A_PULL:
        return replace(subject, is_pulled=has_started)
    return replace(subject, is_pulled=has_started, reason=reason, message=as_str(waiting.get("message")))


#: Reasons to wait that have nothing to do with the image. Any other reason may be an error, because the kubelet puts errors there.
_NOT_OF_A_PULL = (
    "", "ContainerCreating", "PodInitializing", "CrashLoopBackOff", "CreateContainerConfigError", "CreateContainerError",
    "RunContainerError", "PostStartHookError", "PreCreateHookError", "PreStartHookError", "VerifyNonRootError",
)  # fmt: skip
