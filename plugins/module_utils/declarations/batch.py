# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Combines many declarations: plans the declared state of every namespace, in the given order, and joins the writes. Pure."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from ..core.changes import (
    NOTHING_RELATED,
    Change,
    Desired,
    Entry,
    Failure,
    ListedBy,
    NamespaceNote,
    Plan,
    Prerequisite,
    Related,
)
from ..core.errors import ImagePullError, Refusal
from ..core.namespaces import NO_TARGETS, NamespaceSelector, Targets
from ..core.objects import Json, Kind, ObjectRef, Objects, metadata


def find_related(found: Related, ref: ObjectRef) -> Json | None:
    """Return the object that was read, separately or in the list of its kind. None if it was not read."""
    if ref in found:
        return found[ref]
    listed = found.get(replace(ref, name="")) or {}
    return next((item for item in listed.get("items") or [] if metadata(item).get("name") == ref.name), None)


def update_related(found: Related, ref: ObjectRef, now: Json | None) -> Related:
    """Return `found` with the current state of `ref`, None if it is deleted: separately and in the list of its kind."""
    whole = replace(ref, name="")
    known = {**found, ref: now} if ref in found else dict(found)
    listed = known.get(whole)
    if listed is not None:
        others = [item for item in listed.get("items") or [] if metadata(item).get("name") != ref.name]
        known[whole] = {"items": [*others, *([now] if now is not None else [])]}
    return known


def store_object(kind: Kind, objects: dict[str, Json], found: Related, ref: ObjectRef, now: Json | None) -> Related:
    """Store the current state of an object, None if it is deleted, for the next plan.

    `objects` are the objects of `kind` by name, and are changed. Return `found`, in which an object of any other kind is `updated`.
    """
    if ref.kind != kind:
        return update_related(found, ref, now)
    if now is None:
        objects.pop(ref.name, None)
    else:
        objects[ref.name] = now
    return found


#: The placeholder for the version of an object that is not written yet.
_UNWRITTEN = "unwritten"


class Writes:
    """The changes of several plans in their order. Changes of one object are joined if one write has the same effect."""

    def __init__(self) -> None:
        self._changes: list[Change] = []
        self._last: dict[ObjectRef, int] = {}

    def add(self, change: Change, entry: Entry) -> None:
        """Append a change, or join it with the last one of the same object."""
        change = replace(change, entries=(entry,))
        at = self._last.get(change.ref)
        joined = None if at is None else _join_changes(self._changes[at], change)
        if at is not None and joined is not None:
            self._changes[at] = joined
        else:
            self._last[change.ref] = len(self._changes)
            self._changes.append(change)

    def has(self, ref: ObjectRef) -> bool:
        return ref in self._last

    def drop(self, ref: ObjectRef) -> None:
        """Remove all changes of an object."""
        self._changes = [change for change in self._changes if change.ref != ref]
        self._last = {change.ref: at for at, change in enumerate(self._changes)}

    @property
    def changes(self) -> tuple[Change, ...]:
        return tuple(self._changes)


def object_after(change: Change, observed: Json | None) -> Json | None:
    """Return the object after the change, or None after a deletion.

    It keeps the resourceVersion that was read, because the next write is bound to it. A new object gets a placeholder.
    """
    if change.action == "delete":
        return None
    if change.action == "update":
        after: Json = _apply_patch(observed, change.body)
        return after
    return {**change.body, "metadata": {**metadata(change.body), "resourceVersion": _UNWRITTEN}}


def _join_changes(first: Change, second: Change) -> Change | None:
    """One change with the effect of both, or None if two writes are needed."""
    ends = second.action in ("delete", "replace")
    if second.action == "create" or (ends and first.action != "update"):
        return None
    entries = tuple(dict.fromkeys((*first.entries, *second.entries)))
    details, before = _merge_details(first.details, second.details), {**second.before, **first.before}
    if ends:
        # The planned deletion includes the update: `old` has the observed version.
        return replace(second, entries=entries, details=details, before=before)
    is_patch = first.action == "update"
    if is_patch and not _is_one_patch(first.body, second.body):
        return None
    return replace(
        first,
        body=_join_patches(first.body, second.body)
        if is_patch
        else _without_version(_apply_patch(first.body, second.body)),
        entries=entries,
        details=details,
        before=before if is_patch else first.before,
        after={**first.after, **second.after},
    )


def _apply_patch(observed: Any, patch: Any) -> Any:
    """A JSON merge patch, applied (RFC 7386)."""
    if not isinstance(patch, Mapping):
        return patch
    result = dict(observed) if isinstance(observed, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = _apply_patch(result.get(key), value)
    return result


def _is_one_patch(first: Any, second: Any) -> bool:
    """Whether one merge patch has the effect of both. None replaces the old value with an object: it would merge the two."""
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        return all(_is_one_patch(first[key], value) for key, value in second.items() if key in first)
    return not isinstance(second, Mapping)


def _join_patches(first: Any, second: Any) -> Any:
    """One merge patch for two successive ones: as `_apply_patch`, but removed keys stay null."""
    if not (isinstance(first, Mapping) and isinstance(second, Mapping)):
        return second
    return {
        **first,
        **{key: _join_patches(first[key], value) if key in first else value for key, value in second.items()},
    }


def _without_version(body: Json) -> Json:
    meta = {key: value for key, value in metadata(body).items() if key != "resourceVersion"}
    return {**body, "metadata": meta}


def _merge_details(first: Any, second: Any) -> Any:
    """The merged report of both: lists are joined, each item once. Otherwise the second value is used."""
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        return {
            **first,
            **{key: _merge_details(first[key], value) if key in first else value for key, value in second.items()},
        }
    if _is_list(first) and _is_list(second):
        return [*first, *(item for item in second if item not in first)]
    return second


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


_Desired = TypeVar("_Desired", bound=Desired)


@dataclass(frozen=True)
class Declaration(Generic[_Desired]):
    """One declaration, and the namespaces that its options name or select.

    `entry` is its entry in the task, None if it is the only one. `refused` is the reason why it is not planned. `is_claim`: another task
    carries it out, and this one must not contradict it.
    """

    desired: _Desired
    entry: Entry | None = None
    refused: str = ""
    targets: Targets | NamespaceSelector = NO_TARGETS
    is_claim: bool = False


#: The placeholder for the entry of a declaration that is not in a list.
_UNNAMED = Entry("", 0)


@dataclass(frozen=True)
class Batch(Generic[_Desired]):
    """The declarations for each namespace, all of one kind. For the engine it is one `Desired`.

    Each entry is planned on the result of the previous entries, and fails separately. `refused` are namespaces without a plan, with the
    reasons. `confirmed` are the namespaces that an entry selects independently of the namespace's users.

    If a declaration objects to the object of its name after all entries, the last of these entries fails, and the object is not written.
    If nothing would be written, the reason is a note.
    """

    kind: Kind
    namespaces: Mapping[str, Sequence[Declaration[_Desired]]]
    refused: Mapping[str, str] = field(default_factory=dict)
    confirmed: frozenset[str] = frozenset()

    @classmethod
    def of_one(cls, desired: _Desired, namespaces: Iterable[str]) -> Batch[_Desired]:
        """Return the batch of a single declaration for all of these namespaces."""
        return cls(desired.kind, dict.fromkeys(namespaces, (Declaration(desired),)))

    @property
    def every(self) -> Collection[_Desired]:
        """Return each declaration once, regardless of its number of namespaces."""
        return {id(one.desired): one.desired for declared in self.namespaces.values() for one in declared}.values()

    @property
    def listed_by(self) -> ListedBy:
        """Return the selectors of all entries."""
        found: dict[Kind, dict[str, None]] = {}
        for desired in self.every:
            for kind, selectors in desired.listed_by.items():
                found.setdefault(kind, {}).update(dict.fromkeys(selectors))
        return {kind: tuple(selectors) for kind, selectors in found.items()}

    def declared(self, namespace: str) -> Sequence[Declaration[_Desired]]:
        """Return the declarations for a namespace in the given order. Empty if the namespace is not in the batch."""
        return self.namespaces.get(namespace, ())

    def names(self, namespace: str) -> tuple[str, ...]:
        every = [declared.desired.names(namespace) for declared in self.namespaces[namespace]]
        return tuple(dict.fromkeys(name for names in every for name in names)) if all(every) else ()

    def related(self, namespace: str, objects: Objects) -> Sequence[ObjectRef]:
        every = (declared.desired.related(namespace, objects) for declared in self.namespaces[namespace])
        return list(dict.fromkeys(ref for refs in every for ref in refs))

    def plan(
        self,
        namespace: str,
        objects: Objects,
        found: Related = NOTHING_RELATED,
        *,
        without: Container[Entry | None] = (),
    ) -> Plan:
        """Return the plan of all entries except those in `without`.

        :raises Refusal: for a refused namespace, and for a single declaration. In a list, each entry fails separately.
        """
        if namespace in self.refused:
            raise Refusal(self.refused[namespace])
        declared = [one for one in self.namespaces[namespace] if one.entry not in without or one.entry is None]
        if len(declared) == 1 and declared[0].entry is None:
            return _plan_single(declared[0].desired, namespace, objects, found)
        planner = _BatchPlanner(self.kind, dict(objects), found)
        for one in declared:
            planner.add(namespace, one)
        planner.object_to(namespace, objects, declared)
        return planner.plan


def _plan_single(desired: Desired, namespace: str, objects: Objects, found: Related) -> Plan:
    """The plan of a task's only declaration.

    :raises Refusal: if the declaration objects to the resulting object.
    """
    plan = desired.plan(namespace, objects, found)
    for name in desired.names(namespace):
        ref = ObjectRef(desired.kind, namespace, name)
        changes = [change for change in plan.changes if change.ref == ref]
        before = after = objects.get(name)
        for change in changes:
            after = object_after(change, after)
        why = desired.objection(ref, before, after, changed=bool(changes))
        if why and changes:
            raise Refusal(why)
        plan = replace(plan, notes=(*plan.notes, why)) if why else plan
    return plan


class _BatchPlanner:
    """Plans one namespace, entry by entry. `objects` and `found` are the result of the previous entries."""

    def __init__(self, kind: Kind, objects: dict[str, Json], found: Related) -> None:
        self._kind, self._objects, self._found = kind, objects, found
        self._writes = Writes()
        self._awaited: list[Prerequisite] = []
        self._notes: list[str] = []
        self._extras: list[Json] = []
        self._failures: list[Failure] = []

    def add(self, namespace: str, declared: Declaration[Any]) -> None:
        entry = declared.entry or _UNNAMED
        if declared.refused:
            self._failures.append(Failure(entry, declared.refused))
            return
        try:
            plan = declared.desired.plan(namespace, self._objects, self._found)
        except ImagePullError as error:
            self._failures.append(Failure(entry, str(error)))
            return
        for change in plan.changes:
            self._keep(change)
            self._writes.add(change, entry)
        self._awaited += (replace(awaited, entry=entry) for awaited in plan.waiting_for)
        # A glob of another entry can be the same.
        named = declared.entry is not None
        self._notes += (
            NamespaceNote(f"{entry}: {note}") if named and isinstance(note, NamespaceNote) else note
            for note in plan.notes
        )
        if plan.extra:
            self._extras.append({"entry": entry.position, **plan.extra})

    def object_to(self, namespace: str, before: Objects, declared: Sequence[Declaration[Any]]) -> None:
        """Ask the last declaration of each object, if possible one without a failure, for its objection to the result of all entries."""
        failed = {failure.entry for failure in self._failures}
        asked = sorted(declared, key=lambda one: (one.entry or _UNNAMED) not in failed)
        last = {name: one for one in asked for name in one.desired.names(namespace)}
        for name, one in last.items():
            ref = ObjectRef(self._kind, namespace, name)
            changed = self._writes.has(ref)
            why = one.desired.objection(ref, before.get(name), self._objects.get(name), changed=changed)
            if why and changed:
                self._writes.drop(ref)
                self._failures.append(Failure(one.entry or _UNNAMED, why))
            elif why:
                self._notes.append(why)

    @property
    def plan(self) -> Plan:
        # Dependent objects come last: a pod is restarted when all links of its account exist.
        changes = sorted(self._writes.changes, key=lambda change: change.ref.kind != self._kind)
        return Plan(
            tuple(changes),
            tuple(self._awaited),
            tuple(dict.fromkeys(self._notes)),
            {"entries": self._extras} if self._extras else {},
            tuple(self._failures),
        )

    def _keep(self, change: Change) -> None:
        """Store the object as the next entry sees it."""
        ref = change.ref
        seen = self._objects.get(ref.name) if ref.kind == self._kind else find_related(self._found, ref)
        self._found = store_object(self._kind, self._objects, self._found, ref, object_after(change, seen))
