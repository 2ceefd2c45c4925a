# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of a cluster so far, for questions that lead from one object to the next. Pure.

A question is asked again and again: what it looks for and does not find is wanted, the caller reads all that is wanted at once, and
asks again until nothing is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar, Union

from ..core.errors import ImagePullError
from ..core.objects import Json, ObjectRef

__all__ = ["Lookup", "ReadRequired", "UnreadableObject"]


Made = TypeVar("Made")


class ReadRequired(Exception):
    """The answer is not known yet: it is wanted now."""


class UnreadableObject(ImagePullError):
    """The answer cannot be known; the message is the reason, as the rest of a sentence."""


class Lookup:
    """Objects by reference: None for one that does not exist, the error for one that could not be read."""

    def __init__(self, known: Mapping[ObjectRef, Union[Json, ImagePullError, None]] | None = None) -> None:
        self._known = dict(known or {})
        self._wanted: dict[ObjectRef, None] = {}
        self._made: dict[tuple[ObjectRef, Callable[..., Any]], Any] = {}

    def look(self, ref: ObjectRef) -> Json | None:
        """The object, None when there is none. For a reference without name, the list under `items`.

        :raises NotYet: when it has to be read first.
        :raises Unread: when it cannot be read.
        """
        if ref not in self._known:
            self._wanted[ref] = None
            raise ReadRequired
        answer = self._known[ref]
        if isinstance(answer, ImagePullError):
            raise UnreadableObject(str(answer))
        return answer

    def made_of(self, ref: ObjectRef, make: Callable[[Json | None], Made]) -> Made:
        """What a pure function makes of the object, worked out once: for what is large and looked at for each container.

        :raises NotYet, Unread: as `look`.
        """
        answer = self.look(ref)
        if (ref, make) not in self._made:
            self._made[ref, make] = make(answer)
        made: Made = self._made[ref, make]
        return made

    @property
    def unread(self) -> dict[ObjectRef, str]:
        """What was looked for and could not be read, and why."""
        return {ref: str(answer) for ref, answer in self._known.items() if isinstance(answer, ImagePullError)}

    def add(self, answers: Mapping[ObjectRef, Union[Json, ImagePullError, None]]) -> None:
        self._known.update(answers)
        self._made = {key: made for key, made in self._made.items() if key[0] not in answers}

    def take_wanted(self) -> list[ObjectRef]:
        """What was looked for and is not known, each once; afterwards nothing is wanted."""
        wanted, self._wanted = list(self._wanted), {}
        return wanted
