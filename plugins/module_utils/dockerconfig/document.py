# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stored auth file: the position of its entries in the text, so that the text around them can be kept. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from .json_text import EMPTY, InvalidContent, Object, fold_name, join_members, kind_name, value_of

__all__ = ["Document", "auths_of", "is_bare_map"]

_NOT_FOR_THIS_TYPE = "which no node reads from a secret of this type"


@dataclass(frozen=True, repr=False)
class Document:
    """`auths` holds the entries. `before` and `after` are the text around it, which never changes."""

    before: str
    auths: Object
    after: str

    @classmethod
    def parse(cls, text: str, *, legacy: bool) -> Document:
        """Return the parsed text. `legacy`: it is a `.dockercfg`, the bare map of entries.

        :raises InvalidContent: when it is not an auth file of that form, or when readers see different entries in it.
        """
        value = value_of(text)
        lead, _value, trail = text.partition(value)
        top = Object.parse(value)
        if legacy:
            return cls(lead, _bare_map(top), trail)
        at = auths_of(top)
        if at is None:
            return cls._without_auths(lead, top, trail)
        member = top.members[at]
        before = f"{lead}{top.opening}{join_members(top.members[:at])}{member.before}{member.head}"
        return cls(before, Object.parse(member.value), join_members(top.members[at + 1 :]) + top.closing + trail)

    @classmethod
    def _without_auths(cls, lead: str, top: Object, trail: str) -> Document:
        if is_bare_map(top):
            raise InvalidContent(f"is a .dockercfg, without 'auths', {_NOT_FOR_THIS_TYPE}")
        comma = ", " if top.members else ""
        return cls(f'{lead}{top.opening}{join_members(top.members)}{comma}"auths": ', EMPTY, top.closing + trail)

    def having(self, auths: Object) -> str:
        """Return the text with `auths` as its entries."""
        return self.before + auths.text + self.after


def auths_of(top: Object) -> int | None:
    """Return the index of the member `auths`, in any spelling that Go accepts, or None when there is none.

    :raises InvalidContent: when it occurs twice, because readers differ on that, or when it is not an object.
    """
    found = [at for at, item in enumerate(top.members) if fold_name(item.name) == "auths"]
    if len(found) > 1:
        raise InvalidContent("is not an auth file: it has 'auths' twice")
    for at in found:
        if kind_name(top.members[at].value) not in ("an object", "null"):
            raise InvalidContent(f"is not an auth file: 'auths' is {kind_name(top.members[at].value)}, not an object")
        return at
    return None


def is_bare_map(top: Object) -> bool:
    """Whether this is a `.dockercfg`: no wrapper, every member is an object, and at least one has a credential."""
    if any(kind_name(item.value) != "an object" for item in top.members):
        return False
    fields = {fold_name(field.name) for item in top.members for field in Object.parse(item.value).members}
    return bool(fields & {"auth", "username", "identitytoken"})


def _bare_map(top: Object) -> Object:
    for item in top.members:
        if fold_name(item.name) == "auths" and kind_name(item.value) == "an object" and _has_objects(item.value):
            raise InvalidContent(f"is a config.json, with 'auths', {_NOT_FOR_THIS_TYPE}")
    return top


def _has_objects(value: str) -> bool:
    return any(kind_name(item.value) == "an object" for item in Object.parse(value).members)
