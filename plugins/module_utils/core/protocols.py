# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two kinds of work. Pure.

Reconciliation: options become a declared state (`Desired`), which plans the changes that a namespace needs.
Inspection: options become a question (`Inspection`), which evaluates the objects of a namespace. It changes nothing.
Both first name the objects to read: those of one kind in each namespace (`kind`, `names`), then their references (`related`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol, Union

from .changes import Change, Failure, Prerequisite
from .objects import Json, Kind, ObjectRef, Objects

__all__ = [
    "ALL",
    "NOTHING_RELATED",
    "NO_SELECTORS",
    "Desired",
    "Evaluation",
    "Inspection",
    "ListedBy",
    "Plan",
    "Question",
    "Related",
]


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
