# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects that an audit has read, by namespace and for the whole cluster. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Union

from ...core.errors import ImagePullError
from ...core.objects import POD, SECRET, SERVICE_ACCOUNT, Json, Kind, ObjectRef, as_dict, as_list, as_str, metadata
from ...core.times import content_change
from ...dockerconfig.node_reading import KubeletReading
from ...dockerconfig.registry_keys import registry_of, without_user
from ...explain.chain import PullVerdict
from ...explain.lookup import Lookup
from ...explain.node_settings import NodeGroup, SettledNode
from ...explain.required_signatures import RequiredSignature
from ...explain.steps.sources import RegistrySignatures
from ...explain.subjects import ContainerPull, template_of
from ...explain.workload_pods import PodOwners
from ...platform.account_lists import LISTS, names_in
from ...platform.protected import BuildSecrets, is_marked_generated, is_refreshed
from ...secrets.content import DATA_KEYS, TYPES, StoredSecret
from .trim import MOUNTS

__all__ = [
    "ACCOUNTS",
    "BINDINGS",
    "BUILDS",
    "BUILD_CONFIG",
    "CLUSTER_BINDINGS",
    "NAMESPACES_READ",
    "NODES_READ",
    "PODS",
    "POLICIES",
    "PROVIDERS",
    "SECRETS",
    "STREAMS",
    "WORKLOADS_READ",
    "AuditedLogin",
    "AuditedSecret",
    "ClusterSnapshot",
    "ImageSignature",
    "NamespaceSnapshot",
    "OpenSelector",
    "SignedImage",
]  # fmt: skip

#: The kinds that a rule may need, as messages name them.
SECRETS, ACCOUNTS, PODS, WORKLOADS_READ = "secrets", "service accounts", "pods", "workloads"
BINDINGS, STREAMS, BUILDS, POLICIES = "role bindings", "image streams", "build configs", "image policies"
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

    def account_ref(self, name: str) -> ObjectRef:
        return ObjectRef(SERVICE_ACCOUNT, self.namespace, name)

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
