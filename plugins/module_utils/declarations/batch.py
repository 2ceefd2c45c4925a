# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many declarations as one: what every namespace must have, planned in the order given. Pure."""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from ..core.changes import Change
from ..core.entry import Entry, Failure, Prerequisite
from ..core.errors import ImagePullError, Refusal
from ..core.objects import Json, Kind, ObjectRef, Objects
from ..core.protocols import NOTHING_RELATED, Desired, ListedBy, Plan, Related
from .related import known, stored
from .writes import Writes, object_after

__all__ = ["Batch", "Declaration", "Forecast"]

_Desired = TypeVar("_Desired", bound=Desired)


@dataclass(frozen=True)
class Declaration(Generic[_Desired]):
    """One declaration; `entry` says which of the task's, None when it is the only one. `refused` is why nothing is planned for it."""

    desired: _Desired
    entry: Entry | None = None
    refused: str = ""


@dataclass(frozen=True)
class Forecast:
    """What a look at the declarations shows before the cluster is asked. `refused` are entries that fail, and why."""

    warnings: Sequence[str] = ()
    refused: Mapping[Entry, str] = field(default_factory=dict)


#: Stands for the entry of a declaration that is not one of a list.
_UNNAMED = Entry("", 0)


@dataclass(frozen=True)
class Batch(Generic[_Desired]):
    """What is declared for each namespace, all of one kind. To the engine it is one `Desired`.

    Each entry is planned on what those before it leave, and fails alone. `refused` are namespaces in which nothing is planned, and why.

    A declaration can have a method `objection`: it is asked about the object of its name as it was and as all entries leave it, None where
    there is none. Its answer fails the last of these entries, and nothing of the object is written; where nothing would be, it is a note.
    """

    kind: Kind
    namespaces: Mapping[str, Sequence[Declaration[_Desired]]]
    refused: Mapping[str, str] = field(default_factory=dict)

    @property
    def every(self) -> Collection[_Desired]:
        """Each declaration once, for however many namespaces it is."""
        return {id(one.desired): one.desired for declared in self.namespaces.values() for one in declared}.values()

    @property
    def listed_by(self) -> ListedBy:
        """The selectors of all entries; entries that differ in them are listed once more."""
        found: dict[Kind, dict[str, None]] = {}
        for desired in self.every:
            for kind, selectors in desired.listed_by.items():
                found.setdefault(kind, {}).update(dict.fromkeys(selectors))
        return {kind: tuple(selectors) for kind, selectors in found.items()}

    def declared(self, namespace: str) -> Sequence[Declaration[_Desired]]:
        """The declarations for a namespace, in the order given; none for one that is not in the batch."""
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
        """The plan of all entries but some.

        :raises Refusal: for a namespace that is refused; that of a task's only declaration, while of several each fails alone.
        """
        if namespace in self.refused:
            raise Refusal(self.refused[namespace])
        declared = [one for one in self.namespaces[namespace] if one.entry not in without or one.entry is None]
        if len(declared) == 1 and declared[0].entry is None:
            return _alone(declared[0].desired, namespace, objects, found)
        planner = _BatchPlanner(self.kind, dict(objects), found)
        for one in declared:
            planner.add(namespace, one)
        planner.object_to(namespace, objects, declared)
        return planner.plan


def _alone(desired: Desired, namespace: str, objects: Objects, found: Related) -> Plan:
    """The plan of a task's only declaration.

    :raises Refusal: when it objects to what it leaves.
    """
    plan = desired.plan(namespace, objects, found)
    after = dict(objects)
    for change in plan.changes:
        stored(desired.kind, after, found, change.ref, object_after(change, after.get(change.ref.name)))
    written = {change.ref for change in plan.changes}
    for name in desired.names(namespace):
        ref = ObjectRef(desired.kind, namespace, name)
        why = _objection(desired, ref, objects, after, changed=ref in written)
        if why and ref in written:
            raise Refusal(why)
        plan = replace(plan, notes=(*plan.notes, why)) if why else plan
    return plan


def _objection(desired: Desired, ref: ObjectRef, before: Objects, after: Objects, *, changed: bool) -> str:
    ask = getattr(desired, "objection", None)
    return str(ask(ref, before.get(ref.name), after.get(ref.name), changed=changed)) if ask else ""


class _BatchPlanner:
    """Plans one namespace, entry by entry. `objects` and `found` are what those before leave."""

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
        """Asks the last declaration of each object about what all of them leave: one that was planned, where one was."""
        failed = {failure.entry for failure in self._failures}
        asked = sorted(declared, key=lambda one: (one.entry or _UNNAMED) not in failed)
        last = {name: one for one in asked for name in one.desired.names(namespace)}
        for name, one in last.items():
            ref = ObjectRef(self._kind, namespace, name)
            changed = self._writes.has(ref)
            why = _objection(one.desired, ref, before, self._objects, changed=changed)
            if why and changed:
                self._writes.drop(ref)
                self._failures.append(Failure(one.entry or _UNNAMED, why))
            elif why:
                self._notes.append(why)

    @property
    def plan(self) -> Plan:
        # What depends on them comes last: a pod is restarted once all links of its account are there.
        changes = sorted(self._writes.changes, key=lambda change: change.ref.kind != self._kind)
        return Plan(
            tuple(changes),
            tuple(self._awaited),
            tuple(dict.fromkeys(self._notes)),
            {"entries": self._extras} if self._extras else {},
            tuple(self._failures),
        )

    def _keep(self, change: Change) -> None:
        """What the next entry sees of the object."""
        ref = change.ref
        seen = self._objects.get(ref.name) if ref.kind == self._kind else known(self._found, ref)
        self._found = stored(self._kind, self._objects, self._found, ref, object_after(change, seen))
