# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects of a cluster that were read, by namespace and for the whole cluster, trimmed to the parts that an evaluation uses. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Union

from ..core.errors import ImagePullError
from ..core.namespaces import NamespaceSelector
from ..core.objects import (
    POD,
    SECRET,
    SERVICE_ACCOUNT,
    Json,
    Kind,
    ObjectRef,
    as_dict,
    as_list,
    as_str,
    metadata,
    pick,
    without_managed_fields,
)
from ..core.times import content_change
from ..dockerconfig.credential_entry import KubeletReading
from ..dockerconfig.registry_keys import registry_of, without_user
from ..images.nodes import trim_placement
from ..platform.account_lists import LISTS, is_marked_generated, names_in
from ..platform.protected import RESERVED_BINDINGS, BuildSecrets, is_refreshed
from ..rbac.subjects import is_pull_binding, pullers_of
from ..secrets.content import DATA_KEYS, TYPES, StoredSecret, can_be_auth_file
from .lookup import Lookup
from .node_settings import NodeGroup, SettledNode
from .steps.sources import RegistrySignatures, RequiredSignature
from .subjects import CONTAINERS, STATUSES, ContainerPull, template_of, trim_token_volumes
from .verdict import PullVerdict
from .workload_pods import REVISION_LABELS, TEMPLATE_GENERATION, PodOwners, failed_conditions

#: The members of a trimmed object for the secrets that its containers use in addition to pull secrets, for matches of a search, and for the
#: note that a question takes of the whole object.
MOUNTS, MATCHES, NOTE = "mounts", "matches", "note"

#: Returns the places of the searched credential in a secret.
Search = Callable[[Json], Sequence[Any]]
#: Returns what a question needs of a whole object, which is then trimmed.
TakeNote = Callable[[Kind, Json], Any]

_META = ("name", "namespace", "uid", "creationTimestamp", "deletionTimestamp")
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def trim_pod(pod: Json) -> Json:
    """Keep the containers, their states, the volumes of images and tokens, the lists of secrets and the references to other secrets."""
    spec, status = as_dict(pod.get("spec")), as_dict(pod.get("status"))
    states: dict[str, Any] = {
        part: [pick(as_dict(each), "name", "state", "imageID") for each in as_list(status.get(part))]
        for part in STATUSES
    }
    return {
        "metadata": {**_meta(pod), "labels": pick(as_dict(metadata(pod).get("labels")), *REVISION_LABELS)},
        "spec": {**_pod_spec(spec, trim_token_volumes(spec)), **pick(spec, "nodeName")},
        "status": {**pick(status, "phase"), **states},
        MOUNTS: sorted(set(_mounted_secrets(spec))),
    }


def trim_workload(workload: Json) -> Json:
    """Trim an object of any kind that creates pods from a template."""
    spec, status = as_dict(workload.get("spec")), as_dict(workload.get("status"))
    job = as_dict(as_dict(spec.get("jobTemplate")).get("spec"))
    template, failed = template_of(workload), failed_conditions(status)
    kept = {
        "metadata": pick(_meta(template), "annotations"),
        "spec": _pod_spec(as_dict(template.get("spec"))),
    }
    return {
        "metadata": _meta(workload),
        "spec": {
            **pick(spec, "triggers"),
            **({"jobTemplate": {"spec": {"template": kept}}} if job else {"template": kept}),
        },
        "status": {**pick(status, "completionTime", "updateRevision"), **({"conditions": failed} if failed else {})},
        MOUNTS: sorted(set(_mounted_secrets(as_dict(template.get("spec"))))),
    }


def trim_secret(secret: Json, search: Search | None = None) -> Json:
    """Keep the data only if it may be an auth file, and `managedFields` only of the managers that wrote the data."""
    meta = metadata(secret)
    kept: dict[str, Any] = {
        "metadata": {
            **pick(meta, *_META, "ownerReferences"),
            "annotations": {
                key: value for key, value in as_dict(meta.get("annotations")).items() if key != _LAST_APPLIED
            },
            **_written_by(meta, "f:data"),
        },
        "type": secret.get("type"),
    }
    if kept["type"] in TYPES or can_be_auth_file(secret.get("data")):
        kept["data"] = secret.get("data")
    if search is not None:
        kept[MATCHES] = search(secret)
    return kept


def _written_by(meta: Json, field: str) -> dict[str, Any]:
    """Return `managedFields` with the managers that wrote the field, and nothing if there are none."""
    found = [
        {**pick(as_dict(each), "manager", "time"), "fieldsV1": {field: {}}}
        for each in as_list(meta.get("managedFields"))
        if field in as_dict(as_dict(each).get("fieldsV1"))
    ]
    return {"managedFields": found} if found else {}


def trim_account(account: Json) -> Json:
    """Keep all of a service account, but `managedFields` only of the managers that wrote `imagePullSecrets`."""
    kept = without_managed_fields(account)
    return {**kept, "metadata": kept["metadata"] | _written_by(metadata(account), "f:imagePullSecrets")}


def trim_binding(binding: Json) -> Json:
    """Keep the role, the subjects and the metadata of a role binding, and the managers that wrote the subjects."""
    meta = metadata(binding)
    kept = pick(meta, *_META, "labels", "annotations", "ownerReferences")
    return {**pick(binding, "roleRef", "subjects"), "metadata": kept | _written_by(meta, "f:subjects")}


def trim_stream(stream: Json) -> Json:
    """Keep the tags with their sources, conditions and images, the lookup policy and the external repository of an image stream."""
    spec, status = as_dict(stream.get("spec")), as_dict(stream.get("status"))
    tags = [
        {
            **pick(tag, "tag", "conditions"),
            "items": [pick(as_dict(item), "image", "dockerImageReference") for item in as_list(tag.get("items"))],
        }
        for tag in map(as_dict, as_list(status.get("tags")))
    ]
    wanted = [
        pick(as_dict(tag), "name", "from", "referencePolicy", "importPolicy", "reference")
        for tag in as_list(spec.get("tags"))
    ]
    return {
        "metadata": _meta(stream),
        "spec": {**pick(spec, "lookupPolicy", "dockerImageRepository"), "tags": wanted},
        "status": {**pick(status, "dockerImageRepository"), "tags": tags},
    }


def trim_build(build: Json) -> Json:
    """Keep the names of the secrets that the builds of a build config use, and their output."""
    output = as_dict(as_dict(build.get("spec")).get("output"))
    return {
        "metadata": _meta(build),
        "spec": {"output": {"to": pick(as_dict(output.get("to")), "kind", "namespace", "name")}},
        MOUNTS: sorted(set(secret_names(build.get("spec")))),
    }


def trim_to_name(obj: Json) -> Json:
    """Keep the name and namespace of an object whose existence is enough."""
    return {"metadata": pick(metadata(obj), "name", "namespace")}


def _meta(obj: Json) -> dict[str, Any]:
    meta = metadata(obj)
    annotations = as_dict(meta.get("annotations"))
    notes = {key: value for key, value in annotations.items() if "image" in key or key == TEMPLATE_GENERATION}
    owners = [pick(as_dict(each), "kind", "name", "controller", "uid") for each in as_list(meta.get("ownerReferences"))]
    return {**pick(meta, *_META), "annotations": notes, "ownerReferences": owners}


def _pod_spec(spec: Json, more_volumes: Iterable[Json] = ()) -> dict[str, Any]:
    volumes: list[Json] = [
        pick(each, "name", "image") for each in map(as_dict, as_list(spec.get("volumes"))) if "image" in each
    ]
    names = {as_str(each.get("name")) for each in volumes}
    volumes += more_volumes
    containers: dict[str, Any] = {
        part: [_container(as_dict(each), names) for each in as_list(spec[part])] for part in CONTAINERS if part in spec
    }
    kept = pick(spec, "serviceAccountName", "serviceAccount", "imagePullSecrets")
    return {**kept, **trim_placement(spec), **containers, **({"volumes": volumes} if volumes else {})}


def _container(container: Json, volumes: Collection[str]) -> dict[str, Any]:
    """Keep the mounts of these volumes only: most containers have none."""
    every = [as_str(as_dict(mount).get("name")) for mount in as_list(container.get("volumeMounts"))] if volumes else []
    mounts = [{"name": name} for name in every if name in volumes]
    return {**pick(container, "name", "image", "imagePullPolicy"), **({"volumeMounts": mounts} if mounts else {})}


def _mounted_secrets(spec: Json) -> Iterator[str]:
    """Yield the names of the secrets in volumes and environment variables."""
    for volume in map(as_dict, as_list(spec.get("volumes"))):
        yield as_str(as_dict(volume.get("secret")).get("secretName"))
        for source in map(as_dict, as_list(as_dict(volume.get("projected")).get("sources"))):
            yield as_str(as_dict(source.get("secret")).get("name"))
    for part in CONTAINERS:
        for container in map(as_dict, as_list(spec.get(part))):
            for variable in map(as_dict, as_list(container.get("env"))):
                yield as_str(as_dict(as_dict(variable.get("valueFrom")).get("secretKeyRef")).get("name"))
            for source in map(as_dict, as_list(container.get("envFrom"))):
                yield as_str(as_dict(source.get("secretRef")).get("name"))


def secret_names(spec: Any) -> Iterator[str]:
    """Yield the names in every member, such as of a build, whose own name contains "secret"."""
    pending = [("", spec)]
    while pending:
        name, part = pending.pop()
        if isinstance(part, dict):
            if "secret" in name.lower():
                yield as_str(part.get("name")) or as_str(part.get("secretName"))
            pending += part.items()
        elif isinstance(part, list):
            pending += [(name, each) for each in part]


#: The kinds that a rule may need, as messages name them.
SECRETS, ACCOUNTS, PODS, WORKLOADS_READ = "secrets", "service accounts", "pods", "workloads"
BINDINGS, STREAMS, BUILDS, POLICIES = "role bindings", "image streams", "build configs", "image policies"
OPERATORS = "operators and their catalogs"
#: The same for the whole cluster.
CLUSTER_BINDINGS, NODES_READ, PROVIDERS = "cluster role bindings", "nodes", "credential provider configs"
NAMESPACES_READ = "namespaces"

BUILD_CONFIG = Kind("build.openshift.io/v1", "BuildConfig", "buildconfigs", "build config")


@dataclass(frozen=True, repr=False)
class AuditedLogin:
    """One entry with user and password, in a secret of any type. `key` has no user, so it can be shown."""

    secret: AuditedSecret
    key: str
    username: str
    password: str


@dataclass(frozen=True, repr=False, eq=False)
class AuditedSecret:
    """A secret. `stored` is its content, empty if it is not an auth file."""

    namespace: str
    name: str
    obj: Json
    stored: StoredSecret

    @classmethod
    def of(cls, namespace: str, obj: Json) -> AuditedSecret:
        return cls(namespace, as_str(metadata(obj).get("name")), obj, StoredSecret.of(obj))

    @property
    def ref(self) -> ObjectRef:
        return ObjectRef(SECRET, self.namespace, self.name)

    @property
    def is_for_pulls(self) -> bool:
        """Whether its type is one for pull secrets, including Podman's, which no node reads."""
        return self.stored.type in TYPES

    @property
    def is_read(self) -> bool:
        """Whether nodes read its type."""
        return self.stored.type in DATA_KEYS

    @cached_property
    def reading(self) -> KubeletReading:
        """How the kubelet reads the content, or empty if it does not read the type."""
        return self.stored.for_kubelet if self.is_read else KubeletReading({})

    @cached_property
    def keys(self) -> Sequence[str]:
        """The registry keys; empty if a node would use none of them.

        Generated secrets are well-formed, and there is one for each service account, so they are parsed in a shorter way.
        """
        if self.is_generated and self.stored.legacy:
            return _keys_of_generated(self.stored)
        return () if self.reading.problems else tuple(self.reading.logins)

    @cached_property
    def logins(self) -> Sequence[AuditedLogin]:
        """The entries with a password that can be read, whatever the type of the secret."""
        found = self.stored.for_kubelet.logins if self.stored.key else {}
        return [
            AuditedLogin(self, registry_of(key) or without_user(key), user, password)
            for key, (user, password) in found.items()
            if user and password
        ]

    @cached_property
    def is_generated(self) -> bool:
        """Whether the platform generated the secret."""
        return is_marked_generated(self.obj)

    @cached_property
    def is_written_by_others(self) -> bool:
        """Whether the platform or a controller writes the secret, and so renews its content."""
        return is_refreshed(self.obj)

    @cached_property
    def written(self) -> float:
        """When its data was last written, in seconds since 1970; otherwise its creation time, or 0 if both are unknown."""
        changed = content_change(self.obj)
        return 0.0 if changed is None else float(changed.at)


@dataclass(frozen=True)
class NamespaceSnapshot:
    """One namespace. Kinds that could not be read are empty, and `unread` has the reason by kind."""

    namespace: str
    secrets: Mapping[str, AuditedSecret] = field(default_factory=dict)
    accounts: Mapping[str, Json] = field(default_factory=dict)
    pods: Sequence[Json] = ()
    workloads: Sequence[tuple[Kind, Json]] = ()
    bindings: Sequence[Json] = ()
    streams: Sequence[Json] = ()
    builds: Sequence[Json] = ()
    unread: Mapping[str, str] = field(default_factory=dict)
    policies: Sequence[Json] = ()
    operators: Sequence[tuple[Kind, Json]] = ()

    def account_ref(self, name: str) -> ObjectRef:
        return ObjectRef(SERVICE_ACCOUNT, self.namespace, name)

    def find(self, ref: ObjectRef) -> Json | None:
        """Return a secret, service account or role binding. None if it does not exist or was not read."""
        if ref.kind == SECRET:
            return self.secrets[ref.name].obj if ref.name in self.secrets else None
        if ref.kind == SERVICE_ACCOUNT:
            return self.accounts.get(ref.name)
        return next((one for one in self.bindings if self.ref_of(ref.kind, one) == ref), None)

    def ref_of(self, kind: Kind, obj: Json) -> ObjectRef:
        """Return the reference to an object of the namespace."""
        return ObjectRef(kind, self.namespace, as_str(metadata(obj).get("name")))

    @cached_property
    def listed(self) -> Mapping[str, Sequence[str]]:
        """The names in `imagePullSecrets` by account, without duplicates."""
        return {name: tuple(dict.fromkeys(names_in(obj, "imagePullSecrets"))) for name, obj in self.accounts.items()}

    @cached_property
    def named_for_pulls(self) -> Mapping[str, str]:
        """The secrets that something lists for pulls, each with the first object that lists it."""
        found: dict[str, str] = {}
        for account, names in self.listed.items():
            for name in names:
                found.setdefault(name, str(self.account_ref(account)))
        for ref, spec in self.specs():
            for name in names_in(spec, "imagePullSecrets"):
                found.setdefault(name, str(ref))
        return found

    @cached_property
    def named(self) -> frozenset[str]:
        """The names of all secrets that an object of the namespace references, for any purpose."""
        mounted = (
            name for account in self.accounts.values() for key in LISTS.values() for name in names_in(account, key)
        )
        used = (name for _ref, name in self.mounting())
        return frozenset({*self.named_for_pulls, *mounted, *used})

    @property
    def grants(self) -> Sequence[Json]:
        """The bindings to system:image-puller, except those that the platform creates in each project."""
        every = filter(is_pull_binding, self.bindings)
        return [each for each in every if as_str(metadata(each).get("name")) not in RESERVED_BINDINGS]

    def refs_in_grants(self) -> Iterator[ObjectRef]:
        """Yield the accounts and projects that the grants name."""
        return (subject.ref for _name, subject in pullers_of(self.grants) if subject.ref is not None)

    @cached_property
    def templated(self) -> frozenset[str]:
        """The names of pods from a template that is audited itself: problems are reported for the template."""
        return self.owners.templated

    @cached_property
    def owners(self) -> PodOwners:
        return PodOwners(self.namespace, self.pods, self.workloads)

    def mounting(self) -> Iterator[tuple[ObjectRef, str]]:
        """Yield the pods, workloads and build configs with the names of the secrets that they use in addition to pull secrets."""
        users = [
            *self.workloads,
            *((POD, pod) for pod in self.pods),
            *((BUILD_CONFIG, build) for build in self.builds),
        ]
        for kind, obj in users:
            for name in as_list(obj.get(MOUNTS)):
                yield self.ref_of(kind, obj), as_str(name)

    def specs(self) -> Iterator[tuple[ObjectRef, Json]]:
        """Yield the spec of each pod and of each workload's template, with the object."""
        for pod in self.pods:
            yield self.ref_of(POD, pod), as_dict(pod.get("spec"))
        for kind, workload in self.workloads:
            yield self.ref_of(kind, workload), as_dict(template_of(workload).get("spec"))


@dataclass(frozen=True)
class OpenSelector:
    """An entry of the inventory that selects namespaces by their names alone.

    `projects` are the selected projects that users requested.
    """

    title: str
    projects: Sequence[str]


@dataclass(frozen=True)
class SignedImage:
    """An image of a namespace that needs a signature. `asked`: one container for each architecture of the nodes that run the image.

    `user` is an object that uses the image, `location` the place in it, and `others` the number of the other objects.
    """

    user: ObjectRef
    location: str
    others: int
    asked: Sequence[RequiredSignature]

    @property
    def required(self) -> RequiredSignature:
        return self.asked[0]


@dataclass(frozen=True)
class ImageSignature:
    """The answer for an image. `found` is None if the image was not in the share of its namespace."""

    image: SignedImage
    found: RegistrySignatures | None = None


@dataclass(frozen=True)
class ClusterSnapshot:
    """Everything that was read.

    `accesses` are the verdicts for the containers by namespace. `known` are other objects that were looked up. `unread`: why a cluster-wide
    kind could not be read, by kind; its objects are then empty. `none_will_come`: why the platform generates no pull secrets, empty if it
    does, None if that is unknown. `now`: in seconds since 1970.
    `signatures` are the images that need a signature by namespace, if registries were asked. `release_signatures` are those that will need
    one after the upgrade, or None if no registry was asked. `build_secrets`: those of node images. `searched` are the secrets of namespaces that are
    not audited, in which a credential is searched for.
    """

    places: Mapping[str, NamespaceSnapshot]
    now: float
    evidence: Lookup = field(default_factory=Lookup)
    accesses: Mapping[str, Sequence[PullVerdict]] = field(default_factory=dict)
    known: Mapping[ObjectRef, Union[Json, ImagePullError, None]] = field(default_factory=dict)
    cluster_bindings: Sequence[Json] = ()
    none_will_come: str | None = None
    version: str = ""
    is_openshift: bool = False
    nodes: Sequence[Json] = ()
    providers: Sequence[Json] = ()
    unread: Mapping[str, str] = field(default_factory=dict)
    open_selectors: Sequence[OpenSelector] = ()
    node_groups: Sequence[NodeGroup] = ()
    signatures: Mapping[str, Sequence[ImageSignature]] = field(default_factory=dict)
    build_secrets: BuildSecrets = field(default_factory=BuildSecrets)
    release_signatures: Mapping[str, Sequence[ImageSignature]] | None = None
    searched: Mapping[str, NamespaceSnapshot] = field(default_factory=dict)

    @cached_property
    def nodes_by_name(self) -> Mapping[str, tuple[SettledNode, NodeGroup]]:
        """The nodes whose settings were read, with their groups."""
        return {node.versions.name: (node, group) for group in self.node_groups for node in group.nodes}

    @cached_property
    def policies(self) -> frozenset[str]:
        """The names of the verification policies that some node has or will have."""
        settings = (each for node, group in self.nodes_by_name.values() for each in (node.settings, group.coming))
        return frozenset(each.policy.effective for each in settings if each.policy is not None)

    def subject_pods(self, namespace: str) -> Iterator[tuple[ContainerPull, PullVerdict]]:
        """Yield the containers of pods, without those of templates, with their verdicts."""
        for access in self.accesses.get(namespace, ()):
            if access.subject.is_pod:
                yield access.subject, access


def _keys_of_generated(stored: StoredSecret) -> Sequence[str]:
    try:
        return tuple(as_dict(json.loads(stored.text)))
    except (ValueError, RecursionError):
        return ()


@dataclass(frozen=True)
class SnapshotQuestion:
    """The parts of a cluster to read besides the objects of namespaces.

    `verdicts`: the containers are explained. If not, the evidence has the lists only. `search` finds a credential in a secret, None without a
    search; `platform_secrets`: also in the platform's namespaces. `grant_subjects`: the accounts and projects of grants.
    `node_settings`: the settings of kubelets, for nodes that have some. `open_selectors`: selectors by titles, whose projects of users
    are wanted. `more` are other objects of OpenShift. `take_note` is called with each pod, workload, image stream and build config, and with
    each operator and catalog if `operators` is set, of which only the name and the note are kept.
    `node_images`: the names of the images that each node lists. `bindings`: role bindings of namespaces and of the cluster.
    """

    verdicts: bool = True
    nodes: bool = False
    node_settings: bool = False
    providers: bool = False
    build_secrets: bool = False
    grant_subjects: bool = False
    platform_secrets: bool = False
    search: Search | None = field(default=None, repr=False)
    open_selectors: Sequence[tuple[str, NamespaceSelector]] = ()
    more: Sequence[ObjectRef] = ()
    take_note: TakeNote | None = None
    node_images: bool = False
    bindings: bool = True
    operators: bool = False
