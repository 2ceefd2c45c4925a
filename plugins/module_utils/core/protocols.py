# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two shapes of work: what is reconciled, and what is inspected. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol, Union

from .changes import Change
from .objects import Json, Kind, ObjectRef, Objects

__all__ = ["NOTHING_RELATED", "Desired", "Plan", "Related", "Selection"]


@dataclass(frozen=True)
class Selection:
    """What has to be read of one kind in every target namespace: the named objects, or all when no name is given."""

    kind: Kind
    names: tuple[str, ...] = ()


#: What was looked up besides: the object, None where there is none; for a reference without name a list under `items`.
#: A reference that the caller may not read is not in it.
Related = Mapping[ObjectRef, Union[Json, None]]


NOTHING_RELATED: Related = MappingProxyType({})


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


class Desired(Protocol):
    """One task's wish: says what it needs to see, and what is to be done about what is seen. Pure."""

    @property
    def selection(self) -> Selection:
        """What is read in every target namespace."""

    @property
    def precondition(self) -> ObjectRef | None:
        """A cluster-scoped object without which no write makes sense."""

    def related(self, namespace: str, objects: Objects) -> Sequence[ObjectRef]:
        """What else has to be known before planning, in any namespace; read once however often it is asked for."""

    def plan(self, namespace: str, objects: Objects, found: Related) -> Plan:
        """What has to be done in one namespace, given its objects and what was looked up besides."""
