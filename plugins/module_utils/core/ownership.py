# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose an object is: created by this collection, and for which owner. The one place where that is decided. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .changes import MANAGED_BY
from .errors import OptionError, Refusal
from .json_types import as_dict, as_str
from .objects import Json, ObjectRef, metadata

__all__ = [
    "INSTANCE",
    "OWNERSHIP_LABELS",
    "Ownership",
    "check_owner",
    "is_managed",
    "is_owned_by",
    "labels_view",
    "owner_of",
]

#: Beside `MANAGED_BY`, the label that names the owner.
INSTANCE = "app.kubernetes.io/instance"

#: The labels that say whose an object is.
OWNERSHIP_LABELS = (*MANAGED_BY, INSTANCE)

#: A label value as the API server accepts it, but never empty.
_OWNER = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?\Z")


def is_managed(obj: Json) -> bool:
    """Whether the object carries our label, which every object has that this collection created."""
    labels = as_dict(metadata(obj).get("labels"))
    return all(labels.get(key) == value for key, value in MANAGED_BY.items())


def owner_of(obj: Json) -> str:
    """The owner of an object that this collection created; empty when it has none, or when others created it."""
    return as_str(as_dict(metadata(obj).get("labels")).get(INSTANCE)) if is_managed(obj) else ""


def is_owned_by(obj: Json, owner: str) -> bool:
    """Whether the object carries both labels, with that owner; no object belongs to an owner without a name."""
    return bool(owner) and owner_of(obj) == owner


def labels_view(labels: Json, words: str) -> dict[str, dict[str, str]]:
    """How a diff shows labels that an object gets when it is adopted; nothing for none."""
    return {"labels": dict.fromkeys(sorted(labels), words)} if labels else {}


def check_owner(owner: str) -> None:
    """:raises OptionError: unless the API server takes the name as the value of a label, and it is not empty."""
    if not _OWNER.match(owner):
        raise OptionError(
            f"option 'owner': {owner[:80]!r} cannot be the value of a label: use 1 to 63 letters, digits, '-', '_' and '.', "
            "beginning and ending with a letter or digit"
        )


@dataclass(frozen=True)
class Ownership:
    """For whom a task works. Without `owner` it works as if there were no owners. `adopt`: take over what exists."""

    owner: str = ""
    adopt: bool = False

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Ownership:
        """:raises OptionError: for an owner that cannot be one, and for `adopt` without an owner."""
        owner, adopt = options.get("owner"), bool(options.get("adopt"))
        if owner is not None:
            check_owner(owner)
        elif adopt:
            raise OptionError("option 'adopt' needs option 'owner': name the owner who takes over what exists")
        return cls(owner or "", adopt)

    @property
    def labels(self) -> dict[str, str]:
        """What is created carries these beside `MANAGED_BY`."""
        return {INSTANCE: self.owner} if self.owner else {}

    def other(self, obj: Json) -> str:
        """The name of the other owner that the object belongs to; empty when there is none, or for a task without owner."""
        found = owner_of(obj) if self.owner else ""
        return "" if found == self.owner else found

    def refuse_other(self, ref: ObjectRef, observed: Json, *, adoptable: bool) -> None:
        """:raises Refusal: for another owner's object, unless it is `adoptable` and to be adopted."""
        other = self.other(observed)
        if other and not (adoptable and self.adopt):
            take_over = ", or take it over with 'adopt: true'" if adoptable else ""
            raise Refusal(
                f"{ref} belongs to owner {other} and not to {self.owner} (label {INSTANCE}); not changed: "
                f"leave it to that owner{take_over}"
            )

    def missing(self, observed: Json) -> dict[str, str]:
        """The labels that an object lacks to be this owner's; none when nothing is to be adopted."""
        wanted = {**MANAGED_BY, **self.labels} if self.adopt else {}
        labels = as_dict(metadata(observed).get("labels"))
        return {name: value for name, value in wanted.items() if labels.get(name) != value}
