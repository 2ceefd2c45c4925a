# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Combines many declarations: plans the declared state of every namespace, in the given order. Pure."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from ..core.changes import Change, Entry, Failure, Prerequisite
from ..core.errors import ImagePullError, Refusal
from ..core.namespaces import NamespaceSelector
from ..core.objects import Json, Kind, ObjectRef, Objects
from ..core.protocols import NOTHING_RELATED, Desired, ListedBy, Plan, Related
from .related import find_related, store_object
from .targets import NO_TARGETS, Targets
from .writes import Writes, object_after

__all__ = ["Batch", "Declaration"]

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
        self._notes += plan.notes
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
