# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Edits of a stored auth file that leave everything else as the text that it is: merge, remove, convert. Pure.

JSON that is read and written again loses what its reader does not keep: a number's form, a doubled key, an escape. So members that
are not ours are carried over as text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace

from .auth_file import AuthFile
from .entry import Entry, changed_fields, stored_entry
from .registry_keys import same_path

__all__ = ["NotAnAuthFile", "converted", "merged", "without"]

_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"[ \t\n\r]*")


class NotAnAuthFile(ValueError):
    """The text is no auth file, or one that cannot be edited without a loss."""


@dataclass(frozen=True, repr=False)
class _Member:
    """One member of a JSON object. `head` and `value` are its name and value as they are written."""

    name: str
    head: str
    value: str


def merged(text: str, wanted: AuthFile, *, legacy: bool) -> str:
    """The text with the wanted entries added, or put in place of those for the same path.

    :raises NotAnAuthFile: when there is nothing that entries could be merged into.
    """
    return _edited(text, legacy, lambda members: _merge(members, wanted.entries.values()))


def without(text: str, registries: Collection[str], *, legacy: bool) -> str:
    """The text without the entries of some registries, however they are spelt there. :raises NotAnAuthFile: as `merged`."""
    paths = {same_path(key) for key in registries}
    return _edited(text, legacy, lambda members: [m for m in members if same_path(m.name) not in paths])


def converted(text: str, *, legacy: bool) -> str:
    """The text in the other of the two shapes; `legacy`: what it shall be. :raises NotAnAuthFile: as `merged`."""
    if not legacy:
        return _joined([_member("auths", _joined(_members(text)))])
    members = _members(text)
    return _joined(_members(members[_auths_at(members)].value))


def _edited(text: str, legacy: bool, edit: Callable[[list[_Member]], list[_Member]]) -> str:
    members = _members(text)
    if legacy:
        return _joined(edit(members))
    at = _auths_at(members)
    members[at] = replace(members[at], value=_joined(edit(_members(members[at].value))))
    return _joined(members)


def _auths_at(members: list[_Member]) -> int:
    """Where `auths` stands, in any case, as Go reads it; it is added when there is none, or null."""
    found = [index for index, member in enumerate(members) if member.name.lower() == "auths"]
    if len(found) > 1:
        raise NotAnAuthFile("it has 'auths' twice")
    if not found:
        members.append(_member("auths", "{}"))
        return len(members) - 1
    (at,) = found
    if members[at].value == "null":
        members[at] = replace(members[at], value="{}")
    return at


def _merge(members: list[_Member], wanted: Iterable[Entry]) -> list[_Member]:
    by_path = {same_path(entry.key): entry for entry in wanted}
    paths = [same_path(member.name) for member in members]
    # Of several spellings of one path the wanted one stays, and of doubled keys the last, which is the one that is read.
    at: dict[str, int] = {}
    for index, (path, member) in enumerate(zip(paths, members, strict=True)):
        if path in by_path and not (path in at and members[at[path]].name == by_path[path].key != member.name):
            at[path] = index
    kept = [
        _with_credential(member, by_path[path]) if path in by_path else member
        for index, (path, member) in enumerate(zip(paths, members, strict=True))
        if at.get(path, index) == index
    ]
    new = [entry for path, entry in by_path.items() if path not in at]
    return kept + [_member(entry.key, json.dumps(dict(entry.fields))) for entry in new]


def _with_credential(member: _Member, entry: Entry) -> _Member:
    """A stored entry with the wanted credential; its other fields, such as an e-mail address, stay."""
    name = member if member.name == entry.key else _member(entry.key, member.value)
    try:
        held = _members(member.value)
    except NotAnAuthFile:
        held = []
    names = {field.name.lower() for field in held}
    wanted = {"username": entry.username, "password": entry.password} if {"username", "password"} & names else {}
    wanted.update(entry.fields)
    after = [replace(f, value=json.dumps(wanted[f.name.lower()])) if f.name.lower() in wanted else f for f in held]
    after += [_member(field, json.dumps(value)) for field, value in wanted.items() if field.lower() not in names]
    new = replace(name, value=_joined(after))
    return new if _differ(member, new) else name


def _differ(before: _Member, after: _Member) -> bool:
    old, new = (stored_entry("x", json.loads(member.value)) for member in (before, after))
    return bool(changed_fields(old, new))


def _members(text: str) -> list[_Member]:
    """The members of a JSON object, in order, doubled ones too."""
    try:
        if not isinstance(json.loads(text), dict):
            raise NotAnAuthFile("it is no JSON object")
    except (ValueError, RecursionError):
        raise NotAnAuthFile("it is no JSON object") from None
    found: list[_Member] = []
    at = _skip(text, text.index("{") + 1)
    while text[at] != "}":
        name, end = _DECODER.raw_decode(text, at)
        start = _skip(text, _skip(text, end) + 1)
        _value, stop = _DECODER.raw_decode(text, start)
        found.append(_Member(name, text[at:end], text[start:stop]))
        at = _skip(text, stop)
        at = _skip(text, at + 1) if text[at] == "," else at
    return found


def _skip(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    return space.end() if space else at


def _member(name: str, value: str) -> _Member:
    return _Member(name, json.dumps(name), value)


def _joined(members: Iterable[_Member]) -> str:
    return "{" + ", ".join(f"{member.head}: {member.value}" for member in members) + "}"
