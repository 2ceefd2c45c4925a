# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes: writes to the API server, how they are reported, the entries of a task that cause them, and the two kinds of work. Pure.

Reconciliation: options become a declared state (`Desired`), which plans the changes that a namespace needs.
Inspection: options become a question (`Inspection`), which evaluates the objects of a namespace. It changes nothing.
Both first name the objects to read: those of one kind in each namespace (`kind`, `names`), then their references (`related`).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, Protocol, Union

from .errors import Refusal
from .objects import Json, Kind, ObjectRef, Objects, as_dict, metadata, pick


@dataclass(frozen=True)
class Entry:
    """One item of a list of declarations: the option, the position from 0, and the name that the item gives, if any.

    `title` names the entry in messages, for example the variable that it comes from. If it is empty, messages use option and position.
    """

    option: str
    position: int
    name: str = ""
    title: str = ""

    def __str__(self) -> str:
        return f"{self.place} ({self.name})" if self.name else self.place

    @property
    def place(self) -> str:
        """Return the title or, without one, the option and the position."""
        return self.title or f"{self.option}[{self.position}]"


@dataclass(frozen=True)
class Failure:
    """The error of one entry in a namespace. The other entries were carried out."""

    entry: Entry
    error: str


@dataclass(frozen=True)
class Prerequisite:
    """An object that a plan waits for, up to `within` seconds. `entry` is the entry that needs it, None in a task with one declaration."""

    what: str
    within: float = 0.0
    entry: Entry | None = None


Action = Literal["create", "update", "delete", "replace"]

#: The label on every object that this collection creates.
MANAGED_BY = {"app.kubernetes.io/managed-by": "openshift_ops.image_pull"}
#: The label that names the owner, in addition to `MANAGED_BY`.
INSTANCE = "app.kubernetes.io/instance"


@dataclass(frozen=True)
class Change:
    """One write to the API server.

    `body` is sent to the server: the object for create, a merge patch with `metadata.resourceVersion` for update, the
    delete options with preconditions for delete. A replacement deletes and creates an object that cannot be updated.
    `old` is the object that it deletes. `entries` are the task's entries that request the change, none in a task with one declaration.
    `details`, `before` and `after` are reported. They never contain a credential.
    """

    action: Action
    ref: ObjectRef
    body: Json
    details: Json = field(default_factory=dict)
    before: Json = field(default_factory=dict)
    after: Json = field(default_factory=dict)
    old: Json = field(default_factory=dict, repr=False)
    entries: tuple[Entry, ...] = ()

    def report(self) -> dict[str, Any]:
        """Return the change as the result lists it: action, kind, name, the positions of its entries, and the details."""
        entries = {"entries": [entry.position for entry in self.entries]} if self.entries else {}
        return {"action": self.action, "kind": self.ref.kind.kind, "name": self.ref.name, **entries, **self.details}


def create(ref: ObjectRef, body: Json, details: Json, after: Json) -> Change:
    """Return a create of `ref`, with the label of this collection."""
    labels = {**MANAGED_BY, **(metadata(body).get("labels") or {})}
    head = {"apiVersion": ref.kind.api_version, "kind": ref.kind.kind}
    meta = {**metadata(body), "name": ref.name, "namespace": ref.namespace, "labels": labels}
    return Change("create", ref, {**head, **body, "metadata": meta}, details, {}, after)


def update(ref: ObjectRef, observed: Json, patch: Json, details: Json, *, before: Json, after: Json) -> Change:
    """Return a merge patch that the server refuses if the object has changed since it was read.

    :raises Refusal: if the object was read without a version. The server would then apply any patch.
    """
    locked = {**metadata(patch), "resourceVersion": _version(ref, observed)}
    return Change("update", ref, {**patch, "metadata": locked}, details, before, after)


def delete(ref: ObjectRef, observed: Json, details: Json, before: Json) -> Change:
    """Return a delete that the server refuses if the object has changed since it was read.

    :raises Refusal: as `update`.
    """
    uid = metadata(observed).get("uid")
    preconditions = {**({"uid": uid} if uid else {}), "resourceVersion": _version(ref, observed)}
    body = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": preconditions}
    return Change("delete", ref, body, details, before, {})


def replace(ref: ObjectRef, observed: Json, body: Json, details: Json, *, before: Json, after: Json) -> Change:
    """Return a delete of the object that was read, and a create that keeps its labels, annotations and owners and adds the new ones.

    :raises Refusal: if the object would still exist after its deletion.
    """
    kept, meta = _own_metadata(observed), metadata(observed)
    if meta.get("finalizers") or meta.get("deletionTimestamp"):
        raise Refusal(
            f"{ref} cannot be deleted and created in one go: it has a finalizer, or is being deleted. Choose another name"
        )
    for part in ("labels", "annotations"):
        merged = {**as_dict(kept.get(part)), **as_dict(metadata(body).get(part))}
        kept.pop(part, None)
        kept.update({part: merged} if merged else {})
    new = create(ref, {**body, "metadata": kept}, details, after)
    return Change("replace", ref, new.body, details, before, after, observed)


def restore(change: Change) -> Change:
    """Return the create that restores the object that a replacement has deleted."""
    head = {"apiVersion": change.ref.kind.api_version, "kind": change.ref.kind.kind}
    return Change("create", change.ref, {**change.old, **head, "metadata": _own_metadata(change.old)})


#: A secret that holds another one while that is deleted and created. No client reads its type. A prune reports the copy, and keeps it.
_COPY = Kind("v1", "Secret", "secrets", "copy")
_COPY_TYPE = "image-pull.openshift-ops/replaced-secret"
#: The data key of everything but the data.
_HEAD = ".object"


def copy_ref(ref: ObjectRef) -> ObjectRef:
    """Return the place for the copy of a secret."""
    return ObjectRef(_COPY, ref.namespace, f"{ref.name}.replaced")


def store_copy(change: Change) -> Change:
    """Return the create of a copy of the secret that a replacement deletes."""
    old = restore(change).body
    head = json.dumps({**pick(old, "type", "immutable"), "metadata": _own_metadata(old)}, sort_keys=True)
    data = {**as_dict(old.get("data")), _HEAD: base64.b64encode(head.encode()).decode()}
    meta = {"labels": pick(metadata(change.body)["labels"], INSTANCE)}
    return create(copy_ref(change.ref), {"metadata": meta, "type": _COPY_TYPE, "data": data, "immutable": True}, {}, {})


def is_copy(obj: Json | None) -> bool:
    """Whether the object is a copy. The API server refuses every change of the type of a secret."""
    return obj is not None and obj.get("type") == _COPY_TYPE


def read_copy(ref: ObjectRef, copy: Json) -> Json:
    """Return the secret in its copy.

    :raises Refusal: if it cannot be read.
    """
    data = dict(as_dict(copy.get("data")))
    try:
        head = json.loads(base64.b64decode(data.pop(_HEAD, "")))
        meta = {**_own_metadata(head), "name": ref.name, "namespace": ref.namespace, "resourceVersion": "unwritten"}
        return {**pick(head, "type", "immutable"), "metadata": meta, "data": data}
    except (TypeError, ValueError, AttributeError):
        raise Refusal(f"{copy_ref(ref)} cannot be read: check it, delete it, then run again") from None


def recreate(change: Change, after: Json) -> Change:
    """Return the create of an object that is missing. `change` would have led to `after`."""
    return create(change.ref, {**after, "metadata": _own_metadata(after)}, change.details, change.after)


def _own_metadata(obj: Json) -> dict[str, Any]:
    """The metadata that the creator of the object set. The server sets the rest."""
    given = ("name", "namespace", "labels", "annotations", "ownerReferences")
    return {name: metadata(obj)[name] for name in given if name in metadata(obj)}


def _version(ref: ObjectRef, observed: Json) -> str:
    """The version that a write is bound to. Without it, the write is unconditional (apimachinery: an empty version matches all)."""
    version = metadata(observed).get("resourceVersion")
    if not isinstance(version, str) or not version:
        raise Refusal(
            f"{ref} was read without a resourceVersion, so it cannot be changed without the risk of undoing another client's "
            "change. Check for a proxy between this host and the API server"
        )
    return version


#: Objects that other objects refer to. The value is the object, or None if it does not exist. A reference without a name has a list under
#: `items`. A reference that the caller is not allowed to read is missing.
Related = Mapping[ObjectRef, Union[Json, None]]

NOTHING_RELATED: Related = MappingProxyType({})


#: For a kind, the field selectors that find most objects that a question names. The other objects are read by name. A reference without
#: a name means the objects that the selectors find.
ListedBy = Mapping[Kind, Sequence[str]]

NO_SELECTORS: ListedBy = MappingProxyType({})

#: All objects of a kind are listed, because they are few and small.
ALL: Sequence[str] = ("",)


class Question(Protocol):
    """The objects that both kinds of work need to read."""

    @property
    def kind(self) -> Kind:
        """Return the kind that is read in every target namespace."""

    def names(self, namespace: str) -> tuple[str, ...]:
        """Return the names of the relevant objects of that kind in a namespace. Empty for all of them."""

    @property
    def listed_by(self) -> ListedBy:
        """Return the selectors for listing many objects with different names. A kind without an entry is never listed for that."""

    def related(self, namespace: str, objects: Objects) -> Sequence[ObjectRef]:
        """Return other objects to read, in any namespace. Each is read once, even if several namespaces refer to it."""


class NamespaceNote(str):
    """A note about a whole namespace. A task with many namespaces reports it once, with their names."""

    __slots__ = ()


@dataclass(frozen=True)
class Plan:
    """The changes that one namespace needs.

    `waiting_for` are objects that must appear before the plan is complete. `notes` are messages for the user. `extra` is added to the
    namespace's result. `failures` are the entries that cannot be carried out.
    """

    changes: tuple[Change, ...] = ()
    waiting_for: tuple[Prerequisite, ...] = ()
    notes: tuple[str, ...] = ()
    extra: Json = field(default_factory=dict)
    failures: tuple[Failure, ...] = ()


class Desired(Question, Protocol):
    """The state that one declaration describes. `warnings` are about the declaration itself."""

    @property
    def warnings(self) -> Sequence[str]:
        return ()

    def plan(self, namespace: str, objects: Objects, found: Related) -> Plan:
        """Return the remaining changes. The result depends only on the objects, so the engine plans again after a conflict."""

    @staticmethod
    def objection(ref: ObjectRef, before: Json | None, after: Json | None, *, changed: bool) -> str:
        """Return why the task must not leave an object of a declared name as it is after all entries. Empty if there is no reason.

        `before` and `after` are the object, or None if it does not exist. `changed`: whether the task would write it.
        """
        return ""


@dataclass(frozen=True)
class Evaluation:
    """The findings of one namespace (`extra`), a description of each object still awaited (`waiting_for`), and notes for the user."""

    waiting_for: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    extra: Json = field(default_factory=dict)


class Inspection(Question, Protocol):
    """The question of one task."""

    def evaluate(self, namespace: str, objects: Objects, found: Related) -> Evaluation:
        """Return the findings in one namespace. The engine calls it again while something is awaited."""
