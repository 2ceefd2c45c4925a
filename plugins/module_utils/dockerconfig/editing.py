# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Edits of a stored auth file that keep the text of everything else: merge, remove, convert. Pure.

Reading and rewriting JSON loses details that the reader does not keep: the form of a number, a duplicate key, an escape, a byte
that is not UTF-8. So everything that is not ours is copied as text.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import replace

from .auth_file import AuthFile
from .credential_entry import CredentialEntry, changed_fields, field_name, stored_entry
from .document import Document
from .json_text import EMPTY, InvalidContent, Member, Object, member
from .kubelet_reading import is_undecodable
from .registry_keys import same_path

__all__ = ["convert_form", "merge_entries", "remove_entries"]


def merge_entries(text: str, wanted: AuthFile, *, legacy: bool) -> str:
    """Return the text with the wanted entries added. They replace entries for the same path.

    :raises InvalidContent: when the text has no place to merge entries into.
    """
    document = Document.parse(text, legacy=legacy)
    return document.having(_merge(document.auths, wanted.entries.values()))


def remove_entries(text: str, registries: Collection[str], *, legacy: bool) -> str:
    """Return the text without the entries for the given registries, in any spelling and including duplicates.

    :raises InvalidContent: as `merged`.
    """
    paths = {same_path(key) for key in registries}
    document = Document.parse(text, legacy=legacy)
    return document.having(document.auths.having(m for m in document.auths.members if same_path(m.name) not in paths))


def convert_form(text: str, *, legacy: bool) -> str:
    """Return the text in the other of the two forms. `legacy`: convert to a `.dockercfg`.

    :raises InvalidContent: as `merged`.
    """
    auths = Document.parse(text, legacy=not legacy).auths
    return auths.text if legacy else f'{{"auths": {auths.text}}}'


def _merge(auths: Object, wanted: Iterable[CredentialEntry]) -> Object:
    members = auths.members
    by_path = {same_path(entry.key): entry for entry in wanted}
    paths = [same_path(item.name) for item in members]
    # Of several spellings of one path, keep the wanted one. Of duplicate keys, keep the last, which is the one that clients read.
    at: dict[str, int] = {}
    for index, (path, item) in enumerate(zip(paths, members, strict=True)):
        if path in by_path and not (path in at and members[at[path]].name == by_path[path].key != item.name):
            at[path] = index
    kept = [
        _with_credential(item, by_path[path]) if path in by_path else item
        for index, (path, item) in enumerate(zip(paths, members, strict=True))
        if at.get(path, index) == index
    ]
    new = [entry for path, entry in by_path.items() if path not in at]
    return auths.having([*kept, *(member(entry.key, entry.text) for entry in new)])


def _with_credential(stored: Member, entry: CredentialEntry) -> Member:
    """The stored entry with the wanted credential. Its other fields, such as an e-mail address, are kept."""
    named = stored if stored.name == entry.key else replace(member(entry.key, stored.value), before=stored.before)
    held = _readable_fields(stored.value)
    names = {field_name(item.name) for item in held.members}
    plain = {"username": json.dumps(entry.username), "password": json.dumps(entry.password)}
    wanted = {**(plain if {*plain} & names else {}), **entry.fields}
    after = [replace(item, value=wanted.get(field_name(item.name), item.value)) for item in held.members]
    after += [member(name, value) for name, value in wanted.items() if name not in names]
    new = replace(named, value=held.having(after).text)
    return new if _is_changed(stored, new) else named


def _readable_fields(entry: str) -> Object:
    """The fields of a stored entry without those that the kubelet cannot decode, because one such field stops every pull."""
    try:
        held = Object.parse(entry)
    except InvalidContent:
        return EMPTY
    return held.having(item for item in held.members if not is_undecodable(item))


def _is_changed(before: Member, after: Member) -> bool:
    old, new = (stored_entry(after.name, item.value) for item in (before, after))
    return bool(changed_fields(old, new))
