# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two shapes of work. Pure.

What is reconciled: options become a declared state (`Desired`), which plans the changes that a namespace needs.
What is inspected: options become a question (`Inspection`), which evaluates what was seen in a namespace. It changes nothing.
Both say first what has to be read: the objects of one kind in each namespace (`kind`, `names`), then what these refer to (`related`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol, Union

from .changes import Change
from .entry import Failure, Prerequisite
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


#: Objects that others refer to: the object, None where there is none; for a reference without name a list under `items`.
#: A reference that the caller may not read is not in it.
Related = Mapping[ObjectRef, Union[Json, None]]

NOTHING_RELATED: Related = MappingProxyType({})


#: For a kind, the field selectors that find most of what a question names. The rest is read by name. A reference without name
#: means what they find.
ListedBy = Mapping[Kind, Sequence[str]]

NO_SELECTORS: ListedBy = MappingProxyType({})

#: All of a kind is listed: its objects are few and small.
ALL: Sequence[str] = ("",)


class Question(Protocol):
    """What both shapes need to see."""

    @property
    def kind(self) -> Kind:
        """The kind that is read in every target namespace."""

    def names(self, namespace: str) -> tuple[str, ...]:
        """The objects of that kind that matter in a namespace; all of them when no name is given."""

    @property
    def listed_by(self) -> ListedBy:
        """How many objects of different names are listed; a kind that is not in it is never listed for that."""

    def related(self, namespace: str, objects: Objects) -> Sequence[ObjectRef]:
        """What else has to be read, in any namespace; read once however often it is asked for."""


@dataclass(frozen=True)
class Plan:
    """What has to be done in one namespace.

    `waiting_for` is what has to appear before the plan is complete; `notes` is what the user should know; `extra` is what the
    namespace's result holds besides; `failures` are entries that cannot be carried out, while the others can.
    """

    changes: tuple[Change, ...] = ()
    waiting_for: tuple[Prerequisite, ...] = ()
    notes: tuple[str, ...] = ()
    extra: Json = field(default_factory=dict)
    failures: tuple[Failure, ...] = ()


class Desired(Question, Protocol):
    """The state that one task declares."""

    def plan(self, namespace: str, objects: Objects, found: Related) -> Plan:
        """The changes that are left. The same answer for the same objects, so it is asked again after a conflict."""


@dataclass(frozen=True)
class Evaluation:
    """What was found in one namespace: `waiting_for` says in words what is still awaited, `extra` the findings, `notes` what the user should know."""

    waiting_for: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    extra: Json = field(default_factory=dict)


class Inspection(Question, Protocol):
    """What one task asks."""

    def evaluate(self, namespace: str, objects: Objects, found: Related) -> Evaluation:
        """What was found in one namespace. Asked again while it waits for something."""
