# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two shapes of work. Pure.

What is reconciled: options become a declared state (`Desired`), which plans the changes that a namespace needs.
What is inspected: options become a question (`Inspection`), which evaluates what was seen in a namespace. It changes nothing.
Both say first what has to be read: the objects of one kind in each namespace (`selection`), then what these refer to (`related`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol, Union

from .changes import Change
from .objects import Json, Kind, ObjectRef, Objects

__all__ = [
    "NOTHING_RELATED",
    "Desired",
    "Evaluation",
    "Inspection",
    "Plan",
    "Question",
    "Related",
    "Selection",
]


@dataclass(frozen=True)
class Selection:
    """What has to be read of one kind in every target namespace: the named objects, or all when no name is given."""

    kind: Kind
    names: tuple[str, ...] = ()


#: Objects that others refer to: the object, None where there is none; for a reference without name a list under `items`.
#: A reference that the caller may not read is not in it.
Related = Mapping[ObjectRef, Union[Json, None]]

NOTHING_RELATED: Related = MappingProxyType({})


class Question(Protocol):
    """What both shapes need to see."""

    @property
    def selection(self) -> Selection:
        """What is read in every target namespace."""

    def related(self, namespace: str, objects: Objects) -> Sequence[ObjectRef]:
        """What else has to be read, in any namespace; read once however often it is asked for."""


@dataclass(frozen=True)
class Plan:
    """What has to be done in one namespace.

    `waiting_for` says in words what has to appear before the plan is complete; `notes` is what the user should know;
    `extra` is what the namespace's result holds besides.
    """

    changes: tuple[Change, ...] = ()
    waiting_for: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    extra: Json = field(default_factory=dict)


class Desired(Question, Protocol):
    """The state that one task declares."""

    @property
    def precondition(self) -> ObjectRef | None:
        """A cluster-scoped object without which no write makes sense."""

    def plan(self, namespace: str, objects: Objects, found: Related) -> Plan:
        """The changes that are left. The same answer for the same objects, so it is asked again after a conflict."""


@dataclass(frozen=True)
class Evaluation:
    """What was found in one namespace: `waiting_for` as in `Plan`, `extra` the findings, `notes` what the user should know."""

    waiting_for: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    extra: Json = field(default_factory=dict)


class Inspection(Question, Protocol):
    """What one task asks."""

    def evaluate(self, namespace: str, objects: Objects, found: Related) -> Evaluation:
        """What was found in one namespace. Asked again while it waits for something."""
