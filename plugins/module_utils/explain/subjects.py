# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who pulls which image: containers and image volumes of pods and of workloads without pods, and a service account. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from ..core.objects import POD, SERVICE_ACCOUNT, Json, Kind, ObjectRef, as_dict, as_list, as_str, metadata
from ..images.nodes import limits_of_pod
from ..platform.account_lists import names_in
from .node_errors import NodeError, errors_of, has_started, waits_with_image
from .pod_images import CONTAINERS, PodImage, images_of
from .stream_sources import StreamSource, has_resolve_annotation, sources_of
from .token_volumes import audiences_of

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
    """One container that needs its image, or one image volume: `container` is then empty, and `volume` is its name.

    `own` are the secrets in the list of the pod or the template. A pod's list is final, and an empty list of a template is replaced by the
    account's. `reason` and `message` are the node's report about the image, from the status of a waiting container. `shares_error`: it
    may be about another image of the pod. `is_pulled`: the node has the image. `created` is the pod's creation time, as the API server
    writes it. `is_asked_alone`: only this subject is explained, so reading the pod's events and the cluster's nodes is worth it. `source`
    is the image stream tag that sets the image. `resolves_names`: names without a registry refer to image streams. `is_mounted`: false for
    a volume that no container mounts, whose error no status shows. `architectures` are those of the nodes to which the pod is limited, empty
    without a limit. `audiences` are those for which a node may request tokens because of the pod's volumes, None if that is not known: of a
    template, because the API server can add volumes to its pods.
    """

    ref: ObjectRef
    account: str
    own: tuple[str, ...]
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
    volume: str = ""
    is_mounted: bool = True
    shares_error: bool = False
    architectures: tuple[str, ...] = ()
    audiences: tuple[str, ...] | None = None

    @property
    def location(self) -> str:
        """The part of the object, unique in it. The name of a container has no space."""
        return f"volume {self.volume}" if self.volume else self.container

    @property
    def namespace(self) -> str:
        return self.ref.namespace

    @property
    def account_ref(self) -> ObjectRef:
        return ObjectRef(SERVICE_ACCOUNT, self.namespace, self.account)


def pulls_of_pod(pod: Json, namespace: str) -> list[ContainerPull]:
    """Return the containers of a pod, including init and ephemeral ones, and its image volumes."""
    meta, spec = metadata(pod), as_dict(pod.get("spec"))
    ref = ObjectRef(POD, namespace, as_str(meta.get("name")))
    status, images = as_dict(pod.get("status")), list(images_of(spec))
    states = {as_str(each.get("name")): each for part in STATUSES for each in map(as_dict, as_list(status.get(part)))}
    errors = errors_of(images, states)
    subjects = _pulls_in_spec(ref, spec, images, is_pod=True)
    return [
        _add_state(_add_pod_facts(meta, spec, subject), each, states, errors.get(each))
        for subject, each in zip(subjects, images, strict=True)
    ]


def pulls_of_workload(kind: Kind, workload: Json, namespace: str) -> list[ContainerPull]:
    """Return the containers and image volumes of the pods that a workload will create."""
    ref = ObjectRef(kind, namespace, as_str(metadata(workload).get("name")))
    template = template_of(workload)
    pod_spec = as_dict(template.get("spec"))
    sources, resolves = sources_of(workload, pod_spec, namespace), has_resolve_annotation(workload, template)
    subjects = _pulls_in_spec(ref, pod_spec, images_of(pod_spec), is_pod=False)
    return [
        subject if subject.volume else replace(subject, source=sources.get(subject.container), resolves_names=resolves)
        for subject in subjects
    ]


def template_of(workload: Json) -> Json:
    """Return the pod template of a workload. A cron job has it in the template of its jobs."""
    spec = as_dict(workload.get("spec"))
    return as_dict((as_dict(as_dict(spec.get("jobTemplate")).get("spec")) or spec).get("template"))


def pull_of_account(namespace: str, account: str, image: str) -> ContainerPull:
    """Return a pod of the account that would use this image."""
    return ContainerPull(ObjectRef(SERVICE_ACCOUNT, namespace, account), account, (), "", image)


def _pulls_in_spec(ref: ObjectRef, spec: Json, images: Iterable[PodImage], *, is_pod: bool) -> Iterator[ContainerPull]:
    account = as_str(spec.get("serviceAccountName")) or as_str(spec.get("serviceAccount")) or "default"
    own, limits = tuple(dict.fromkeys(names_in(spec, "imagePullSecrets"))), limits_of_pod(spec)
    audiences = audiences_of(spec) if is_pod else None
    for each in images:
        yield ContainerPull(
            ref,
            account,
            own,
            "" if each.volume else each.containers[0],
            each.image,
            is_pod,
            pull_policy=each.pull_policy,
            volume=each.volume,
            is_mounted=bool(each.containers),
            architectures=limits,
            audiences=audiences,
        )


def _add_pod_facts(meta: Json, spec: Json, subject: ContainerPull) -> ContainerPull:
    """The subject with the data of the whole pod. OpenShift resolves the names of containers only."""
    resolves = not subject.volume and has_resolve_annotation({"metadata": meta})
    created, uid, node = as_str(meta.get("creationTimestamp")), as_str(meta.get("uid")), as_str(spec.get("nodeName"))
    return replace(subject, created=created, uid=uid, node=node, resolves_names=resolves)


def _add_state(
    subject: ContainerPull, each: PodImage, states: Mapping[str, Json], error: NodeError | None
) -> ContainerPull:
    """A container that has its image has those of its volumes. A later error about one of these, at another start, counts more."""
    found = [states.get(name, {}) for name in each.containers]
    is_pulled = any(has_started(state) or waits_with_image(state) for state in found)
    if error is None or (is_pulled and error.is_shared):
        return replace(subject, is_pulled=is_pulled)
    return replace(subject, reason=error.reason, message=error.message, shares_error=error.is_shared)
