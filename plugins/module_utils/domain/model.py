# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The values that flow through the house: what is read, what is planned, what is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, Protocol, Union

from .errors import Refusal

__all__ = [
    "CLUSTER_ROLE",
    "MANAGED_BY",
    "NAMESPACE",
    "NOTHING_FOUND",
    "ROLE_BINDING",
    "SECRET",
    "SERVICE_ACCOUNT",
    "Change",
    "Desired",
    "Found",
    "Kind",
    "Objects",
    "Plan",
    "Ref",
    "Selection",
    "create",
    "delete",
    "metadata",
    "replace",
    "restored",
    "update",
]

Action = Literal["create", "update", "delete", "replace"]
Json = Mapping[str, Any]

#: The label on every object that this collection creates.
MANAGED_BY = {"app.kubernetes.io/managed-by": "openshift_ops.image_pull"}


@dataclass(frozen=True)
class Kind:
    """One API resource, named as the API server names it."""

    api_version: str
    kind: str
    resource: str
    title: str
    namespaced: bool = True


NAMESPACE = Kind("v1", "Namespace", "namespaces", "namespace", namespaced=False)
SECRET = Kind("v1", "Secret", "secrets", "secret")
SERVICE_ACCOUNT = Kind("v1", "ServiceAccount", "serviceaccounts", "service account")
CLUSTER_ROLE = Kind("rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles", "cluster role", namespaced=False)
ROLE_BINDING = Kind("rbac.authorization.k8s.io/v1", "RoleBinding", "rolebindings", "role binding")


@dataclass(frozen=True)
class Ref:
    """Where one object is. C(namespace) is empty for cluster-scoped kinds; without C(name) all of the kind in it are meant."""

    kind: Kind
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind.title} {self.namespace}/{self.name}" if self.namespace else f"{self.kind.title} {self.name}"


@dataclass(frozen=True)
class Selection:
    """What has to be read of one kind in every target namespace: the named objects, or all when no name is given."""

    kind: Kind
    names: tuple[str, ...] = ()


#: The objects of one namespace by name, as the API server sent them.
Objects = Mapping[str, Json]

#: What was looked up besides: the object, None where there is none; for a reference without name a list under C(items).
#: A reference that the caller may not read is not in it.
Found = Mapping[Ref, Union[Json, None]]


NOTHING_FOUND: Found = MappingProxyType({})


@dataclass(frozen=True)
class Change:
    """One write.

    C(body) is what is sent: the object for create, a merge patch with C(metadata.resourceVersion) for update, the
    delete options with preconditions for delete. A replacement is a delete and a create, for what cannot be updated;
    C(old) is the object that it deletes. C(details), C(before) and C(after) are what is reported; they never hold a credential.
    """

    action: Action
    ref: Ref
    body: Json
    details: Json = field(default_factory=dict)
    before: Json = field(default_factory=dict)
    after: Json = field(default_factory=dict)
    old: Json = field(default_factory=dict, repr=False)

    def report(self) -> dict[str, Any]:
        return {"action": self.action, "kind": self.ref.kind.kind, "name": self.ref.name, **self.details}


@dataclass(frozen=True)
class Plan:
    """What has to be done in one namespace.

    C(waiting_for) says in words what has to appear before the plan is complete; C(notes) is what the user should know;
    C(extra) is what the namespace's result holds besides.
    """

    changes: tuple[Change, ...] = ()
    waiting_for: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    extra: Json = field(default_factory=dict)


class Desired(Protocol):
    """One task's wish: says what it needs to see, and what is to be done about what is seen. Pure."""

    @property
    def selection(self) -> Selection: ...

    @property
    def prerequisite(self) -> Ref | None:
        """A cluster-scoped object without which no write makes sense."""

    def lookups(self, namespace: str, objects: Objects) -> Sequence[Ref]:
        """What else has to be known before planning, in any namespace; read once however often it is asked for."""

    def plan(self, namespace: str, objects: Objects, found: Found) -> Plan: ...


def metadata(obj: Json) -> Json:
    """The object's metadata, or an empty mapping."""
    return obj.get("metadata") or {}


def create(ref: Ref, body: Json, details: Json, after: Json) -> Change:
    """A create of C(ref), labelled as ours."""
    labels = {**MANAGED_BY, **(metadata(body).get("labels") or {})}
    head = {"apiVersion": ref.kind.api_version, "kind": ref.kind.kind}
    meta = {**metadata(body), "name": ref.name, "namespace": ref.namespace, "labels": labels}
    return Change("create", ref, {**head, **body, "metadata": meta}, details, {}, after)


def update(ref: Ref, observed: Json, patch: Json, details: Json, *, before: Json, after: Json) -> Change:
    """A merge patch that the server refuses when the object is no longer the one that was read."""
    locked = {**metadata(patch), "resourceVersion": metadata(observed).get("resourceVersion")}
    return Change("update", ref, {**patch, "metadata": locked}, details, before, after)


def delete(ref: Ref, observed: Json, details: Json, before: Json) -> Change:
    """A delete that the server refuses when the object is no longer the one that was read."""
    meta = metadata(observed)
    preconditions = {"uid": meta.get("uid"), "resourceVersion": meta.get("resourceVersion")}
    body = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": preconditions}
    return Change("delete", ref, body, details, before, {})


def replace(ref: Ref, observed: Json, body: Json, details: Json, *, before: Json, after: Json) -> Change:
    """A delete of what was read and a create in its place, with the old labels, annotations and owners beside the new ones.

    :raises Refusal: when the object would not be gone after its deletion.
    """
    kept, meta = _own_metadata(observed), metadata(observed)
    if meta.get("finalizers") or meta.get("deletionTimestamp"):
        raise Refusal(
            f"{ref} cannot be deleted and created in one go: it has a finalizer, or is being deleted; choose another name"
        )
    for part in ("labels", "annotations"):
        merged = {**(kept.get(part) or {}), **(metadata(body).get(part) or {})}
        kept.update({part: merged} if merged else {})
    new = create(ref, {**body, "metadata": kept}, details, after)
    return Change("replace", ref, new.body, details, before, after, observed)


def restored(change: Change) -> Change:
    """The create that puts back what a replacement has deleted."""
    head = {"apiVersion": change.ref.kind.api_version, "kind": change.ref.kind.kind}
    return Change("create", change.ref, {**change.old, **head, "metadata": _own_metadata(change.old)})


def _own_metadata(obj: Json) -> dict[str, Any]:
    """What somebody gave the object; the rest is the server's."""
    given = ("name", "namespace", "labels", "annotations", "ownerReferences")
    return {name: metadata(obj)[name] for name in given if name in metadata(obj)}
