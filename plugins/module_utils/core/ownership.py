# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decides whether this collection created an object, and for which owner. No other module decides this. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .changes import INSTANCE, MANAGED_BY
from .errors import OptionError, Refusal
from .objects import Json, ObjectRef, as_dict, as_str, metadata

#: The labels that record the ownership of an object.
OWNERSHIP_LABELS = (*MANAGED_BY, INSTANCE)

#: A non-empty label value that the API server accepts.
_OWNER = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?\Z")


def is_managed(obj: Json) -> bool:
    """Whether the object has the label that this collection sets on every object that it creates."""
    labels = as_dict(metadata(obj).get("labels"))
    return all(labels.get(key) == value for key, value in MANAGED_BY.items())


def owner_of(obj: Json) -> str:
    """Return the owner of an object that this collection created. Empty if it has no owner, or another tool created it."""
    return as_str(as_dict(metadata(obj).get("labels")).get(INSTANCE)) if is_managed(obj) else ""


def is_owned_by(obj: Json, owner: str) -> bool:
    """Whether the object has both labels and that owner. No object belongs to an owner without a name."""
    return bool(owner) and owner_of(obj) == owner


def labels_view(labels: Json, words: str) -> dict[str, dict[str, str]]:
    """Return the labels that an adopted object gets, as the diff shows them. Empty if there are none."""
    return {"labels": dict.fromkeys(sorted(labels), words)} if labels else {}


def check_owner(owner: str) -> None:
    """Check the name of an owner.

    :raises OptionError: unless it is a non-empty label value that the API server accepts.
    """
    if not _OWNER.match(owner):
        meant = re.sub(r"\s+", "-", owner.strip())
        raise OptionError(
            f"option 'owner': {owner[:80]!r} cannot be the value of a label: use 1 to 63 letters, digits, '-', '_' and '.', "
            f"beginning and ending with a letter or digit{f'. Write {meant!r}' if _OWNER.match(meant) else ''}"
        )


@dataclass(frozen=True)
class Ownership:
    """The owner that a task works for. Without `owner`, owners are ignored. `adopt`: take over existing objects."""

    owner: str = ""
    adopt: bool = False

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Ownership:
        """Return the ownership that the options `owner` and `adopt` give.

        :raises OptionError: for an invalid owner, and for `adopt` without an owner.
        """
        owner, adopt = options.get("owner"), bool(options.get("adopt"))
        if owner is not None:
            check_owner(owner)
        elif adopt:
            raise OptionError("option 'adopt' needs option 'owner': name the owner who takes over existing objects")
        return cls(owner or "", adopt)

    @property
    def labels(self) -> dict[str, str]:
        """Return the labels that created objects get in addition to `MANAGED_BY`."""
        return {INSTANCE: self.owner} if self.owner else {}

    def other(self, obj: Json) -> str:
        """Return the other owner of the object. Empty if there is none, or if the task has no owner."""
        found = owner_of(obj) if self.owner else ""
        return "" if found == self.owner else found

    def refuse_other(self, ref: ObjectRef, observed: Json, *, adoptable: bool) -> None:
        """Refuse an object of another owner.

        :raises Refusal: for another owner's object, unless it is `adoptable` and the task adopts objects.
        """
        other = self.other(observed)
        if other and not (adoptable and self.adopt):
            take_over = ", or take it over with 'adopt: true'" if adoptable else ""
            raise Refusal(
                f"{ref} belongs to owner {other} and not to {self.owner} (label {INSTANCE}), so it was not changed. "
                f"Leave it to that owner{take_over}"
            )

    def missing(self, observed: Json) -> dict[str, str]:
        """Return the labels that the object needs to belong to this owner. Empty if the task does not adopt objects."""
        wanted = {**MANAGED_BY, **self.labels} if self.adopt else {}
        labels = as_dict(metadata(observed).get("labels"))
        return {name: value for name, value in wanted.items() if labels.get(name) != value}
