# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Edits of a stored auth file that keep the text of everything else: merge, remove, convert, replace a login. Pure.

Reading and rewriting JSON loses details that the reader does not keep: the form of a number, a duplicate key, an escape, a byte
that is not UTF-8. So everything that is not ours is copied as text.

The key, the e-mail address and the form of each entry are kept. From Kubernetes 1.35 on, the kubelet treats an entry with another
e-mail address as another credential (pkg/credentialprovider, the hash of an `AuthConfig`).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from .auth_file import AuthFile, Document
from .credential_entry import CredentialEntry, changed_fields, field_name, is_undecodable, login_of, stored_entry
from .json_text import EMPTY, InvalidContent, Member, Object, decode_string, kind_name, member
from .registry_keys import is_host_match, same_path, without_user


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


@dataclass(frozen=True, repr=False)
class UserPassword:
    """A login. An empty `password` matches any password of the user."""

    username: str
    password: str

    def matches(self, username: str, password: str) -> bool:
        return username == self.username and self.password in ("", password)


@dataclass(frozen=True, repr=False)
class LoginReplacement:
    """A login to replace. `registries` are `host[:port]`, optionally with a path. Entries for other registries are not changed."""

    registries: tuple[str, ...]
    old: UserPassword
    new: UserPassword

    def is_for(self, key: str) -> bool:
        """Whether the key is for one of the registries: for the registry, for a path in it, or by a glob for its host."""
        held, _slash, path = same_path(key).partition("/")
        for registry in self.registries:
            host, _slash, within = same_path(registry).partition("/")
            if is_host_match(held, host) and f"{path}/".startswith(f"{within}/" if within else ""):
                return True
        return False

    def host_of(self, key: str) -> str:
        """Return the host of the first registry that the key is for, or an empty text when it is for none."""
        of_one = (replace(self, registries=(registry,)) for registry in self.registries)
        return next((same_path(one.registries[0]).partition("/")[0] for one in of_one if one.is_for(key)), "")

    def is_in(self, repository: str) -> bool:
        """Whether an image's repository, including its host, is in one of the registries."""
        names = (same_path(registry) for registry in self.registries)
        return any(f"{same_path(repository)}/".startswith(f"{name}/") for name in names)

    def is_old(self, username: str, password: str) -> bool:
        """Whether this is the old login. The new login never is, even if the old one matches any password of its user."""
        return not self.is_new(username, password) and bool(password) and self.old.matches(username, password)

    def is_new(self, username: str, password: str) -> bool:
        return (username, password) == (self.new.username, self.new.password)

    def has_other_password(self, username: str, password: str) -> bool:
        """Whether this is the user of one of the two logins with another password, so that an option may be mistyped."""
        if self.is_old(username, password) or self.is_new(username, password):
            return False
        return bool(password) and username in (self.old.username, self.new.username)

    def is_other_user(self, username: str) -> bool:
        """Whether this is a user, and that of neither login."""
        return bool(username) and username not in (_UNDECODABLE[0], self.old.username, self.new.username)


@dataclass(frozen=True)
class LoginKeys:
    """The keys of a file that have the old login or the new one, in a form that is safe to show.

    `tokens`: keys with the old login and an identity token, which CRI-O and Docker send instead. `undecodable`: keys whose login
    cannot be read. `other_passwords`: keys with the user of one of the logins and another password. `old_user`: those of the old user.
    `other_users`: keys with another user.
    """

    old: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    tokens: tuple[str, ...] = ()
    undecodable: tuple[str, ...] = ()
    other_passwords: tuple[str, ...] = ()
    old_user: tuple[str, ...] = ()
    other_users: tuple[str, ...] = ()


def find_logins(text: str, wanted: LoginReplacement, *, legacy: bool) -> LoginKeys:
    """Return the keys that have one of the two logins, including duplicates.

    :raises InvalidContent: when it is not an auth file of that form.
    """
    entries = [(each, *_login(each)) for each in _members(text, wanted, legacy=legacy)]
    old = [each for each, *login in entries if wanted.is_old(*login)]
    others = [(each, user) for each, user, password in entries if wanted.has_other_password(user, password)]
    return LoginKeys(
        _names(old),
        _names(each for each, *login in entries if wanted.is_new(*login)),
        _names(each for each in old if _has_token(each)),
        _names(each for each, *login in entries if login == [*_UNDECODABLE]),
        _names(each for each, _user in others),
        _names(each for each, user in others if user == wanted.old.username),
        _names(each for each, user, _password in entries if wanted.is_other_user(user)),
    )


def old_logins(text: str, wanted: LoginReplacement, *, legacy: bool) -> list[tuple[str, UserPassword]]:
    """Return each distinct login that `exchanged` would replace, with the host of its registry.

    :raises InvalidContent: as `found_in`.
    """
    logins = ((wanted.host_of(each.name), _login(each)) for each in _members(text, wanted, legacy=legacy))
    return list(dict.fromkeys((host, UserPassword(*login)) for host, login in logins if wanted.is_old(*login)))


def replace_logins(text: str, wanted: LoginReplacement, *, legacy: bool) -> str:
    """Return the text with the new login in every place of the old one.

    :raises InvalidContent: as `found_in`.
    """
    document = Document.parse(text, legacy=legacy)
    members = (
        _with_login(each, wanted.new) if wanted.is_for(each.name) and wanted.is_old(*_login(each)) else each
        for each in document.auths.members
    )
    return document.having(document.auths.having(members))


def _members(text: str, wanted: LoginReplacement, *, legacy: bool) -> list[Member]:
    return [each for each in Document.parse(text, legacy=legacy).auths.members if wanted.is_for(each.name)]


#: A login that no option can describe, because its user name has a colon.
_UNDECODABLE = (":", "")


def _login(member: Member) -> tuple[str, str]:
    """User and password as the kubelet reads them, or `_UNDECODABLE` where it cannot."""
    try:
        return login_of(member.value)
    except InvalidContent:
        return _UNDECODABLE


def _with_login(member: Member, login: UserPassword) -> Member:
    """The entry with the new login in the fields that it already has: `auth`, or user and password, or all of them."""
    raw = f"{login.username}:{login.password}".encode("utf-8", "surrogateescape")
    wanted = {
        "auth": json.dumps(base64.b64encode(raw).decode("ascii")),
        "username": json.dumps(login.username),
        "password": json.dumps(login.password),
    }
    entry = Object.parse(member.value)
    fields = (
        replace(each, value=wanted.get(field_name(each.name), each.value)) if _is_set(each) else each
        for each in entry.members
    )
    return replace(member, value=entry.having(fields).text)


def _is_set(field: Member) -> bool:
    """Whether the field has a value. An empty `auth` next to user and password stays empty."""
    return kind_name(field.value) == "a string" and bool(decode_string(field.value))


def _has_token(member: Member) -> bool:
    return any(
        field_name(each.name) == "identitytoken" and _is_set(each) for each in Object.parse(member.value).members
    )


def _names(members: Iterable[Member]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(without_user(each.name) for each in members))
