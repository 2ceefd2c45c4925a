# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes: what is written to the API server, and how it is reported. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from .entry import Entry
from .errors import Refusal
from .json_types import as_dict, as_str
from .objects import Json, ObjectRef, metadata

__all__ = ["MANAGED_BY", "Change", "create", "delete", "replace", "restored", "update"]

Action = Literal["create", "update", "delete", "replace"]

#: The label on every object that this collection creates.
MANAGED_BY = {"app.kubernetes.io/managed-by": "openshift_ops.image_pull"}


@dataclass(frozen=True)
class Change:
    """One write.

    `body` is what is sent: the object for create, a merge patch with `metadata.resourceVersion` for update, the
    delete options with preconditions for delete. A replacement is a delete and a create, for what cannot be updated;
    `old` is the object that it deletes. `entries` are those of the task that ask for it, none in a task with one declaration.
    `details`, `before` and `after` are what is reported; they never hold a credential. `uid` is that of the object that an update is for.
    """

    action: Action
    ref: ObjectRef
    body: Json
    details: Json = field(default_factory=dict)
    before: Json = field(default_factory=dict)
    after: Json = field(default_factory=dict)
    old: Json = field(default_factory=dict, repr=False)
    entries: tuple[Entry, ...] = ()
    uid: str = field(default="", compare=False)

    def report(self) -> dict[str, Any]:
        entries = {"entries": [entry.position for entry in self.entries]} if self.entries else {}
        return {"action": self.action, "kind": self.ref.kind.kind, "name": self.ref.name, **entries, **self.details}


def create(ref: ObjectRef, body: Json, details: Json, after: Json) -> Change:
    """A create of `ref`, labelled as ours."""
    labels = {**MANAGED_BY, **(metadata(body).get("labels") or {})}
    head = {"apiVersion": ref.kind.api_version, "kind": ref.kind.kind}
    meta = {**metadata(body), "name": ref.name, "namespace": ref.namespace, "labels": labels}
    return Change("create", ref, {**head, **body, "metadata": meta}, details, {}, after)


def update(ref: ObjectRef, observed: Json, patch: Json, details: Json, *, before: Json, after: Json) -> Change:
    """A merge patch that the server refuses when the object is no longer the one that was read.

    :raises Refusal: when it was read without a version, since then the server would refuse nothing.
    """
    locked = {**metadata(patch), "resourceVersion": _version(ref, observed)}
    uid = as_str(metadata(observed).get("uid"))
    return Change("update", ref, {**patch, "metadata": locked}, details, before, after, uid=uid)


def delete(ref: ObjectRef, observed: Json, details: Json, before: Json) -> Change:
    """A delete that the server refuses when the object is no longer the one that was read.

    :raises Refusal: as `update`.
    """
    uid = metadata(observed).get("uid")
    preconditions = {**({"uid": uid} if uid else {}), "resourceVersion": _version(ref, observed)}
    body = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": preconditions}
    return Change("delete", ref, body, details, before, {})


def replace(ref: ObjectRef, observed: Json, body: Json, details: Json, *, before: Json, after: Json) -> Change:
    """A delete of what was read and a create in its place, with the old labels, annotations and owners beside the new ones.

    :raises Refusal: when the object would not be gone after its deletion.
    """
    kept, meta = _own_metadata(observed), metadata(observed)
    if meta.get("finalizers") or meta.get("deletionTimestamp"):
        raise Refusal(
            f"{ref} cannot be deleted and created in one go: it has a finalizer, or is being deleted; choose another name"
        )
    for part in ("labels", "annotations"):
        merged = {**as_dict(kept.get(part)), **as_dict(metadata(body).get(part))}
        kept.pop(part, None)
        kept.update({part: merged} if merged else {})
    new = create(ref, {**body, "metadata": kept}, details, after)
    return Change("replace", ref, new.body, details, before, after, observed)


def restored(change: Change) -> Change:
    """The create that puts back what a replacement has deleted."""
    head = {"apiVersion": change.ref.kind.api_version, "kind": change.ref.kind.kind}
    return Change("create", change.ref, {**change.old, **head, "metadata": _own_metadata(change.old)})


def _own_metadata(obj: Json) -> dict[str, Any]:
    """What the object's creator gave it; the rest is the server's."""
    given = ("name", "namespace", "labels", "annotations", "ownerReferences")
    return {name: metadata(obj)[name] for name in given if name in metadata(obj)}


def _version(ref: ObjectRef, observed: Json) -> str:
    """What a write is bound to: null or none at all would make it unconditional (apimachinery: an empty resourceVersion matches every object)."""
    version = metadata(observed).get("resourceVersion")
    if not isinstance(version, str) or not version:
        raise Refusal(
            f"{ref} was read without a resourceVersion, so it cannot be changed without the risk of undoing another client's "
            "change; check what stands between this host and the API server"
        )
    return version
