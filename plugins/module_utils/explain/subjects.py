# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who pulls which image: containers and image volumes of pods and of workloads without pods, and a service account. Pure.

A node pulls the images of volumes first, with the pod's own pull secrets, even for a volume that no container mounts. The status of each
container that mounts the volume shows the error (kubernetes pkg/kubelet/kuberuntime/kuberuntime_manager.go getImageVolumes).

A container shows the errors of the image volumes that it mounts, and the error of the last one if several fail (kubernetes
pkg/kubelet/kuberuntime/kuberuntime_manager.go toKubeContainerImageVolumes). Its own image is pulled only after these. Some errors do not
name an image, or have the name of several, so they may be about any of them.

For a pod, a node may request tokens for the audiences of its volumes, and for others only with a right (Kubernetes 1.36
plugin/pkg/admission/noderestriction, podReferencesAudience). These are the audiences of projected tokens, and those that the CSI driver of a
volume requests.

openshift/library-go pkg/image/trigger (the annotation), openshift/api apps/v1 (triggers of a DeploymentConfig) and image/v1 (names that
are resolved when a pod or a workload is created).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..core.objects import (
    NODE,
    POD,
    SERVICE_ACCOUNT,
    Json,
    Kind,
    ObjectRef,
    as_dict,
    as_list,
    as_str,
    as_strs,
    controller_reference,
    metadata,
)
from ..images.image_streams import IMAGE_STREAM
from ..images.nodes import limits_of_pod
from ..images.pull_messages import CREATE_ERROR, is_about_image, is_about_volume
from ..images.references import hide_login, reference_of
from ..platform.account_lists import names_in

#: Fields of a pod that list containers.
CONTAINERS = ("initContainers", "containers", "ephemeralContainers")


@dataclass(frozen=True)
class PodImage:
    """One image of a pod. `containers` show its pull in their status: the container itself, or those that mount `volume`."""

    image: str
    pull_policy: str
    containers: tuple[str, ...]
    volume: str = ""


def images_of(pod_spec: Json) -> Iterator[PodImage]:
    """Yield the images of a pod or of a template, containers first. A volume of a template may have no image yet."""
    mounting: dict[str, list[str]] = {}
    for part in CONTAINERS:
        for container in map(as_dict, as_list(pod_spec.get(part))):
            name = as_str(container.get("name"))
            yield PodImage(as_str(container.get("image")), as_str(container.get("imagePullPolicy")), (name,))
            for mount in map(as_dict, as_list(container.get("volumeMounts"))):
                mounting.setdefault(as_str(mount.get("name")), []).append(name)
    for volume in map(as_dict, as_list(pod_spec.get("volumes"))):
        image, name = as_dict(volume.get("image")), as_str(volume.get("name"))
        if name and (reference := as_str(image.get("reference"))):
            containers = tuple(dict.fromkeys(mounting.get(name, ())))
            yield PodImage(reference, as_str(image.get("pullPolicy")) or _default_policy(reference), containers, name)


def named_images(message: str, images: Iterable[str]) -> frozenset[str]:
    """Return the images that an error of a node may be about, empty if it names none of them: those of the first name in the text.

    The text has the name of the pod, or the complete name that a runtime uses. A runtime leaves out the tag of an image with a digest, and
    puts the host of a search registry before a name without one, so two images can have the same name.
    """
    found: dict[tuple[int, int], set[str]] = {}
    for image in images:
        for match in _mentions(message, image):
            found.setdefault((match.start(), -len(match[0])), set()).add(image)
    return frozenset(found[min(found)]) if found else frozenset()


def _default_policy(reference: str) -> str:
    """The pull policy that the API server sets (kubernetes pkg/apis/core/v1/defaults.go SetDefaults_Volume)."""
    parsed = reference_of(reference)
    is_latest = parsed is not None and not parsed.digest and parsed.tag in ("", "latest")
    return "Always" if is_latest else "IfNotPresent"


def _mentions(message: str, image: str) -> Iterator[re.Match[str]]:
    """The places where the text names the image, and not another one whose name or tag is longer."""
    reference = reference_of(image)
    for name in {image, *([str(reference)] if reference is not None else ())} - {""}:
        if name not in message:  # a pod can have thousands of images, and an expression takes long to compile
            continue
        tagged = ":" in name.rpartition("/")[2] or "@" in name
        tag = "" if tagged else r"(?!:(?!latest\b)\w)"
        host = r"(?:[\w.-]+(?::\d+)?/)?" if reference is not None and reference.is_short else ""
        match = re.search(rf"(?<![\w.-]){host}{re.escape(name)}(?![\w/@-]|\.\w){tag}", message)
        if match is not None:
            yield match


@dataclass(frozen=True)
class NodeError:
    """`is_shared`: the error is about this image or about another one of the pod."""

    reason: str
    message: str
    is_shared: bool = False


def errors_of(images: Sequence[PodImage], statuses: Mapping[str, Json]) -> Mapping[PodImage, NodeError]:
    """Return the error for each image that has one. `statuses` are the container statuses by name."""
    found: dict[PodImage, NodeError] = {}
    mounted: dict[str, list[PodImage]] = {}
    for each in images:
        for name in each.containers if each.volume else ():
            mounted.setdefault(name, []).append(each)
    for own in (each for each in images if not each.volume):
        (container,) = own.containers
        for image, error in _errors_of_container(own, mounted.get(container, ()), statuses.get(container, {})):
            if image not in found or (found[image].is_shared and not error.is_shared):
                found[image] = error
    return found


def has_started(status: Json) -> bool:
    """Whether the container has its image, and those of the volumes that it mounts."""
    return bool({"running", "terminated"} & set(as_dict(status.get("state")))) and bool(as_str(status.get("imageID")))


def waits_with_image(status: Json) -> bool:
    """Whether the container waits, and its node has pulled its image and those of the volumes that it mounts.

    A kubelet pulls before it makes a container, and waits to restart a container that has run (kubernetes pkg/kubelet/kuberuntime
    kuberuntime_container.go startContainer, kuberuntime_manager.go doBackOff).
    """
    waiting = as_dict(as_dict(status.get("state")).get("waiting"))
    reason = as_str(waiting.get("reason"))
    return reason in _AFTER_A_PULL or (reason == CREATE_ERROR and not is_about_image(as_str(waiting.get("message"))))


def _errors_of_container(
    own: PodImage, volumes: Sequence[PodImage], status: Json
) -> Iterator[tuple[PodImage, NodeError]]:
    waiting = as_dict(as_dict(status.get("state")).get("waiting"))
    reason, message = as_str(waiting.get("reason")), as_str(waiting.get("message"))
    about = _candidates(own, volumes, reason, message)
    if not about:
        return
    named = named_images(message, [each.image for each in about])
    about = [each for each in about if each.image in named] or about
    is_shared = len({each.image for each in about}) > 1
    yield from ((each, NodeError(reason, message, is_shared)) for each in about)


def _candidates(own: PodImage, volumes: Sequence[PodImage], reason: str, message: str) -> Sequence[PodImage]:
    if reason in _NOT_OF_A_PULL or (reason == CREATE_ERROR and not is_about_image(message)):
        return []
    if reason == CREATE_ERROR:
        return volumes if is_about_volume(message) else [own]
    return [own, *volumes]


#: Reasons to wait that the kubelet gives when it has the image.
_AFTER_A_PULL = (
    "CrashLoopBackOff", "CreateContainerConfigError", "RunContainerError", "PostStartHookError", "PreCreateHookError",
    "PreStartHookError", "VerifyNonRootError",
)  # fmt: skip
#: Reasons to wait that have nothing to do with the image. Any other reason may be an error, because the kubelet puts errors there.
_NOT_OF_A_PULL = ("", "ContainerCreating", "PodInitializing", *_AFTER_A_PULL)


#: The kinds of volumes that have no CSI driver. The API server converts others, such as those of clouds, to volumes of a driver.
_WITHOUT_DRIVER = frozenset(
    ("configMap", "downwardAPI", "emptyDir", "hostPath", "image", "nfs", "projected", "secret", "name")
)


def audiences_of(spec: Json) -> tuple[str, ...] | None:
    """Return the audiences for which a node may request tokens for a pod with this spec, sorted. None if a volume may have a CSI driver.

    Tokens for the API server itself, which every pod has, are left out.
    """
    volumes = _volumes(spec)
    if any(volume.keys() - _WITHOUT_DRIVER for volume in volumes):
        return None
    return tuple(sorted({audience for volume in volumes for audience in _audiences(volume)}))


def trim_token_volumes(spec: Json) -> Iterator[dict[str, Any]]:
    """Yield the volumes of a pod's spec that `audiences_of` needs, without their content."""
    for volume in _volumes(spec):
        kept: dict[str, Any] = dict.fromkeys(sorted(volume.keys() - _WITHOUT_DRIVER))
        if found := [*_audiences(volume)]:
            kept["projected"] = {"sources": [{"serviceAccountToken": {"audience": audience}} for audience in found]}
        if kept:
            yield kept


def _volumes(spec: Json) -> list[Mapping[str, Any]]:
    return [*map(as_dict, as_list(spec.get("volumes")))]


def _audiences(volume: Json) -> Iterator[str]:
    for source in map(as_dict, as_list(as_dict(volume.get("projected")).get("sources"))):
        if audience := as_str(as_dict(source.get("serviceAccountToken")).get("audience")):
            yield audience


_TRIGGERS = "image.openshift.io/triggers"
_RESOLVE = "alpha.image.policy.openshift.io/resolve-names"
_FIELD = re.compile(
    r"spec\.(?:jobTemplate\.spec\.)?template\.spec\.(?P<part>containers|initContainers)"
    r"\[(?:(?P<index>\d{1,4})|\?\(@\.name==[\"'](?P<name>[^\"']*)[\"']\))\]\.image\Z"
)


@dataclass(frozen=True)
class StreamSource:
    """The tag that sets a container's image. `is_paused`: the workload does not get new images."""

    stream: ObjectRef
    tag: str
    is_paused: bool = False


def sources_of(workload: Json, pod_spec: Json, namespace: str) -> Mapping[str, StreamSource]:
    """Return the sources by container name. `pod_spec` is that of the workload's template."""
    annotated = _sources_from_annotation(
        as_str(as_dict(metadata(workload).get("annotations")).get(_TRIGGERS)), pod_spec, namespace
    )
    return {**dict(_sources_from_triggers(as_dict(workload.get("spec")), namespace)), **annotated}


def has_resolve_annotation(*objects: Json) -> bool:
    """Whether one of the objects says that names without a registry refer to image streams."""
    return any(as_dict(metadata(obj).get("annotations")).get(_RESOLVE) == "*" for obj in objects)


def _sources_from_annotation(given: str, pod_spec: Json, namespace: str) -> Mapping[str, StreamSource]:
    try:
        triggers = [as_dict(each) for each in as_list(json.loads(given or "[]"))]
    except (ValueError, RecursionError):
        return {}
    paths = [as_str(trigger.get("fieldPath")) for trigger in triggers]
    if len(set(paths)) < len(paths):
        return {}  # the platform ignores all of them
    found = {}
    for trigger, path in zip(triggers, paths, strict=True):
        source = _source(as_dict(trigger.get("from")), namespace, is_paused=trigger.get("paused") in (True, "true"))
        if source is not None and (name := _container(path, pod_spec)):
            found[name] = source
    return found


def _container(path: str, pod_spec: Json) -> str:
    field = _FIELD.match(path)
    if field is None:
        return ""
    names = [as_str(as_dict(each).get("name")) for each in as_list(pod_spec.get(field["part"]))]
    if field["index"] is None:
        return field["name"] if field["name"] in names else ""
    return names[int(field["index"])] if int(field["index"]) < len(names) else ""


def _sources_from_triggers(spec: Json, namespace: str) -> Iterator[tuple[str, StreamSource]]:
    """The triggers of a DeploymentConfig, by container."""
    for trigger in map(as_dict, as_list(spec.get("triggers"))):
        change = as_dict(trigger.get("imageChangeParams"))
        source = _source(as_dict(change.get("from")), namespace, is_paused=change.get("automatic") is not True)
        if source is not None:
            yield from ((name, source) for name in as_strs(change.get("containerNames")))


def _source(origin: Json, namespace: str, *, is_paused: bool) -> StreamSource | None:
    name, _colon, tag = as_str(origin.get("name")).partition(":")
    if origin.get("kind") != "ImageStreamTag" or not name:
        return None
    place = as_str(origin.get("namespace")) or namespace
    return StreamSource(ObjectRef(IMAGE_STREAM, place, name), tag or "latest", is_paused)


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
    account's. `is_bare`: no controller recreates the pod. `reason` and `message` are the node's report about the image, from the status of a
    waiting container. `shares_error`: it may be about another image of the pod. `is_pulled`: the node has the image. `created` is the pod's
    creation time, as the API server writes it. `is_asked_alone`: only this subject is explained, so reading the pod's events
    and the cluster's nodes is worth it. `source`
    is the image stream tag that sets the image. `resolves_names`: names without a registry refer to image streams. `is_mounted`: false for
    a volume that no container mounts, whose error no status shows. `architectures` are those of the nodes to which the pod is limited, empty
    without a limit. `audiences` are those for which a node may request tokens because of the pod's volumes, None if that is not known: of a
    template, because the API server can add volumes to its pods. `is_copied`: the image was copied to the registry in its name.
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
    is_bare: bool = False
    is_copied: bool = False

    def __post_init__(self) -> None:
        """Hide a login that a user wrote into the name of the image, which is invalid then."""
        if (shown := hide_login(self.image)) != self.image:
            object.__setattr__(self, "image", shown)

    @property
    def location(self) -> str:
        """The part of the object, unique in it. The name of a container has no space."""
        return f"volume {self.volume}" if self.volume else self.container

    @property
    def namespace(self) -> str:
        return self.ref.namespace

    @property
    def way_out(self) -> str:
        """The end of a sentence about a pod whose list of secrets is too old, if no task of this collection recreates the pod."""
        return " (no controller recreates it: delete it and create it again)" if self.is_bare else ""

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
    controller = controller_reference({"metadata": meta})
    # The mirror of a static pod has no account, and gets no list of one (kubernetes plugin/pkg/admission/serviceaccount).
    account = "" if controller.get("kind") == NODE.kind else subject.account
    subject = replace(subject, account=account, is_bare=not controller)
    return replace(subject, created=created, uid=uid, node=node, resolves_names=resolves)


def _add_state(
    subject: ContainerPull, each: PodImage, states: Mapping[str, Json], error: NodeError | None
) -> ContainerPull:
    """A container that has its image has those of its volumes. A later error about one of these, at another start, counts more."""
    found = [states.get(name, {}) for name in each.containers]
    is_pulled = any(has_started(state) or waits_with_image(state) for state in found)
    if error is None or (is_pulled and error.is_shared):
        return replace(subject, is_pulled=is_pulled)
    message = error.message.replace(each.image, subject.image) if each.image else error.message
    return replace(subject, reason=error.reason, message=message, shares_error=error.is_shared)
