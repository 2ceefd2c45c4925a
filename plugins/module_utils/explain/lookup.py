# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The known objects of a cluster, for questions that lead from one object to the next. Pure.

A question is asked repeatedly: each object that is not known yet is recorded as wanted, the caller reads all wanted objects at once, and
asks again until nothing is wanted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar, Union

from ..core.errors import ImagePullError
from ..core.objects import Json, ObjectRef
from ..images.node_registries import KNOWN_IMAGE_POLICIES
from ..images.registry_sources import NODE_NETWORK

__all__ = ["Lookup", "ReadRequired", "UnreadableObject"]


Made = TypeVar("Made")

#: Stands for an object that was not read, and for a result that was not computed.
_ABSENT: Any = object()


class ReadRequired(Exception):
    """The object is not known yet, and is now recorded as wanted."""


class UnreadableObject(ImagePullError):
    """The object cannot be read. The message is the reason, as the rest of a sentence."""


class Lookup:
    """Objects by reference: None for an object that does not exist, an error for one that could not be read."""

    def __init__(self, known: Mapping[ObjectRef, Union[Json, ImagePullError, None]] | None = None) -> None:
        self._known = dict(known or {})
        self._wanted: dict[ObjectRef, None] = {}
        self._made: dict[tuple[ObjectRef, Callable[..., Any]], Any] = {}

    def look(self, ref: ObjectRef) -> Json | None:
        """Return the object, or None if it does not exist. For a reference without a name, return the list under `items`.

        :raises ReadRequired: when it has to be read first.
        :raises UnreadableObject: when it cannot be read.
        """
        answer: Any = self._known.get(ref, _ABSENT)
        if answer is _ABSENT:
            # No object shows the network, and an explanation of one namespace must not need rights in all of them.
            if ref.kind == NODE_NETWORK or ref == KNOWN_IMAGE_POLICIES:
                return None
            self._wanted[ref] = None
            raise ReadRequired
        if isinstance(answer, ImagePullError):
            raise UnreadableObject(str(answer))
        found: Json | None = answer
        return found

    def derive(self, ref: ObjectRef, make: Callable[[Json | None], Made]) -> Made:
        """Return the result of a pure function of the object, computed once: for large objects that every container needs.

        :raises ReadRequired, UnreadableObject: as `look`.
        """
        key = ref, make
        made: Made = self._made.get(key, _ABSENT)
        if made is _ABSENT:
            made = self._made[key] = make(self.look(ref))
        return made

    @property
    def unrecorded(self) -> Lookup:
        """The same objects. Nothing records that they are read: they decide only a reason or a task, and no verdict."""
        return self

    @property
    def unread(self) -> dict[ObjectRef, str]:
        """The objects that could not be read, with the reason."""
        return {ref: str(answer) for ref, answer in self._known.items() if isinstance(answer, ImagePullError)}

    def add(self, answers: Mapping[ObjectRef, Union[Json, ImagePullError, None]]) -> None:
        self._known.update(answers)
        self._made = {key: made for key, made in self._made.items() if key[0] not in answers}

    def take_wanted(self) -> list[ObjectRef]:
        """Return the wanted objects, each once, and clear the list."""
        wanted, self._wanted = list(self._wanted), {}
        return wanted
