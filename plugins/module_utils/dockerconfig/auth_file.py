# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Auth files: Docker's `config.json`, Podman's `auth.json`, the legacy `.dockercfg`, and single credentials. Pure.

All become one `AuthFile`, in which every entry has a user and a password and no two entries name the same path.
Content that cannot work on a node is refused here, before anything is sent. Sources of the field semantics: kubelet
`pkg/credentialprovider/config.go`, containers/image `pkg/docker/config/config.go`, docker/cli
`cli/config/configfile/file.go`.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ..core.errors import OptionError
from .credential_entry import CredentialEntry, from_file, from_option, stored_entry
from .json_text import (
    EMPTY,
    InvalidContent,
    Member,
    Object,
    decode_string,
    fold_name,
    join_members,
    kind_name,
    value_of,
)
from .registry_keys import is_match, redact_keys, same_path, without_user

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


@dataclass(frozen=True)
class Helpers:
    """The credential helpers of a file: `store` for all registries, `by_host` for single ones."""

    store: str
    by_host: Mapping[str, str]

    @classmethod
    def of(cls, top: Object, source: str) -> Helpers:
        """Return the helpers that a file names.

        :raises OptionError: when the file gives them in a wrong type.
        """
        fields = {fold_name(item.name): item.value for item in top.members if item.value != "null"}
        store = fields.get("credsstore", '""')
        try:
            helpers = Object.parse(fields.get("credhelpers", "null")).members
        except InvalidContent as error:
            raise OptionError(f"{source} is not an auth file: 'credHelpers' {error}") from None
        if kind_name(store) != "a string":
            raise OptionError(f"{source} is not an auth file: 'credsStore' is {kind_name(store)}, not a string")
        for item in helpers:
            if kind_name(item.value) != "a string":
                raise OptionError(
                    f"{source} is not an auth file: 'credHelpers' has a value that is {kind_name(item.value)}, not a string"
                )
        by_host = {same_path(without_user(item.name)): decode_string(item.value) for item in helpers}
        return cls(decode_string(store), by_host)

    def name_for(self, key: str) -> str:
        return self.by_host.get(same_path(key).partition("/")[0]) or self.store

    def refuse_empty(self, key: str, value: str, source: str) -> None:
        """Refuse an entry, given as JSON, that only marks that a helper keeps its credential."""
        empty = kind_name(value) in ("an object", "null") and not Object.parse(value).members
        if empty and (helper := self.name_for(key)):
            raise _helper_error(source, without_user(key), helper)

    def refuse_chosen(self, pattern: str, source: str) -> None:
        """Refuse a chosen registry whose credential only a helper keeps."""
        for host, helper in self.by_host.items():
            if is_match(host, pattern):
                raise _helper_error(source, host, helper)

    def refuse_unreachable(self, keys: Collection[str], source: str) -> None:
        """Refuse a file if helpers keep all of its credentials, or those of some host."""
        hosts = {same_path(key).partition("/")[0] for key in keys}
        elsewhere = [host for host in self.by_host if host not in hosts]
        if elsewhere:
            raise _helper_error(source, ", ".join(sorted(elsewhere)), self.by_host[elsewhere[0]])
        if self.store and not keys:
            raise _helper_error(source, "every registry", self.store)


def _helper_error(source: str, registry: str, helper: str) -> OptionError:
    return OptionError(
        f"{source} holds no credential for {registry}: the credential helper {'docker-credential-' + helper!r} keeps it, "
        "and nodes cannot ask the helper. Log in with 'podman login --authfile FILE REGISTRY', or give 'registries' instead"
    )


@dataclass(frozen=True, repr=False)
class AuthFile:
    """Entries by key. Each entry is usable, and no two are for the same path."""

    entries: Mapping[str, CredentialEntry]

    @property
    def registries(self) -> list[str]:
        """The sorted keys in a form that is safe to show."""
        return redact_keys(self.entries)

    def holds(self, wanted: AuthFile) -> bool:
        """Whether merging the wanted entries would change nothing: each entry exists, and no other spelling of its key does."""
        for key, entry in wanted.entries.items():
            stored = self.entries.get(key)
            if stored is None or not entry.meaning.items() <= stored.meaning.items():
                return False
        paths = {same_path(key) for key in wanted.entries}
        return not any(same_path(key) in paths for key in self.entries if key not in wanted.entries)

    def text(self, *, legacy: bool) -> str:
        """Return the file as JSON: the object with `auths` or, with `legacy`, the bare map."""
        entries = ", ".join(f"{json.dumps(key)}: {self.entries[key].text}" for key in sorted(self.entries))
        return f"{{{entries}}}" if legacy else f'{{"auths": {{{entries}}}}}'


NOTHING = AuthFile({})


def from_registries(registries: Iterable[Mapping[str, Any]]) -> AuthFile:
    """Return the auth file that the `registries` option describes, in the form that `oc create secret docker-registry` writes.

    :raises OptionError: for a user or password that is missing or cannot be expressed, or two entries for one path.
    """
    return _collect((from_option(item) for item in registries), "option 'registries'")


def parse(data: object, source: str, include: Sequence[str] | None = None) -> AuthFile:
    """Return the auth file from decoded JSON. `source` names it in errors.

    :raises OptionError: when JSON cannot express it, or as for `parse_text`.
    """
    try:
        text = json.dumps(data, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        raise OptionError(
            f"{source} holds a value that JSON cannot express, such as a date or '.nan', or is nested too deeply: "
            "give the content of a Docker config.json or a Podman auth.json"
        ) from None
    return parse_text(text, source, include)


def parse_text(text: str, source: str, include: Sequence[str] | None = None) -> AuthFile:
    """Return the auth file from its JSON text: the object with `auths`, or the bare map of a legacy `.dockercfg`.

    `include` holds names or globs of registries. If it is given, only the matching entries are checked and returned.

    :raises OptionError: for anything that would not work on a node. The message names `source` and the registry, and says
        how to fix it.
    """
    try:
        top = _top(value_of(text))
        auths = _auths(top)
    except InvalidContent as error:
        hint = f": {_json_hint(text)}" if str(error).startswith("is not valid JSON") else ""
        raise OptionError(f"{source} {error}{hint}") from None
    helpers = Helpers.of(top, source)
    chosen = auths.members if include is None else _select_members(auths, helpers, source, include)
    names = [item.name for item in chosen]
    _refuse_doubled(names, source)
    if include is None:
        helpers.refuse_unreachable(names, source)
    if not chosen:
        raise OptionError(f"{source} holds no credential: {_why_empty(top)}")
    for item in chosen:
        helpers.refuse_empty(item.name, item.value, source)
    return _collect((from_file(item.name, item.value, source) for item in chosen), source)


# In a fleet most namespaces hold the same content, so each content is parsed only once.
@lru_cache(maxsize=64)
def parse_stored(text: str, *, legacy: bool) -> AuthFile:
    """Return the content of a secret, for comparison only. An entry that no node could use has no password.

    `legacy`: the text is a `.dockercfg`. A node reads each of the two forms only from a secret of the matching type.

    :raises InvalidContent: when it is not an auth file of that form.
    """
    entries = (stored_entry(item.name, item.value) for item in Document.parse(text, legacy=legacy).auths.members)
    return AuthFile({entry.key: entry for entry in entries})


def _top(value: str) -> Object:
    if kind_name(value) != "an object":
        raise InvalidContent(f"is not an auth file: expected a JSON object with 'auths', found {kind_name(value)}")
    return Object.parse(value)


def _auths(top: Object) -> Object:
    """The entries of a file of either form, or none when it has no `auths`."""
    at = auths_of(top)
    if at is not None:
        return Object.parse(top.members[at].value)
    return top if is_bare_map(top) else EMPTY


def _select_members(auths: Object, helpers: Helpers, source: str, include: Sequence[str]) -> tuple[Member, ...]:
    """The entries that match the patterns.

    :raises OptionError: when a pattern matches no entry.
    """
    names = [item.name for item in auths.members]
    for pattern in include:
        if not any(is_match(name, pattern) for name in names):
            helpers.refuse_chosen(pattern, source)
            held = ", ".join(sorted(map(without_user, names))) or "none"
            raise OptionError(
                f"{source} has no entry that matches {pattern!r} of option 'include'. Its entries: {held}. Name some of these in 'include', "
                "or leave it out"
            )
    return tuple(item for item in auths.members if any(is_match(item.name, pattern) for pattern in include))


def _refuse_doubled(names: Iterable[str], source: str) -> None:
    for name, times in Counter(names).items():
        if times > 1:
            raise OptionError(
                f"{source} has the key {without_user(name)!r} twice in 'auths'. Keep one, because clients read only the last"
            )


def _why_empty(top: Object) -> str:
    names = {item.name for item in top.members}
    if names & {".dockerconfigjson", ".dockercfg"} or {"kind", "apiVersion"} <= names:
        return "it is a secret, or the data of one. Give only the decoded value of '.dockerconfigjson' or '.dockercfg'"
    return "'auths' is empty. Log in to the registry first, for example with 'podman login --authfile FILE REGISTRY'"


def _collect(entries: Iterable[CredentialEntry], source: str) -> AuthFile:
    by_key = {entry.key: entry for entry in _refuse_same_path(entries, source)}
    return AuthFile(by_key)


def _refuse_same_path(entries: Iterable[CredentialEntry], source: str) -> Iterable[CredentialEntry]:
    seen: dict[str, str] = {}
    for entry in entries:
        path = same_path(entry.key)
        if path in seen:
            raise OptionError(
                f"{source} has two entries for {path}: {seen[path]!r} and {entry.key!r}. A node could use either of them. "
                "Keep one, or give one a longer path such as 'HOST/TEAM'"
            )
        seen[path] = entry.key
        yield entry


def _json_hint(text: str) -> str:
    if "\nkind: Secret" in f"\n{text}":
        return "it is the manifest of a secret: give its content, which 'oc extract secret/NAME --keys=.dockerconfigjson --to=-' prints"
    if text.startswith("\ufeff"):
        return "save it as UTF-8 without that mark"
    if "\0" in text:
        return "it looks like UTF-16. Save it as UTF-8"
    try:
        decoded = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        decoded = b""
    if decoded[:1] == b"{":
        return "it looks like base64. Decode it first"
    empty = "" if text.strip() else "it is empty: "
    return f"{empty}give a Docker config.json or a Podman auth.json, whose content begins with '{{\"auths\"'"


#: Options of which exactly one is given.
SOURCES = ("registries", "auth_file", "auth_config")

#: Options for a file of Docker's or Podman's, and for the entries to use from it.
FILE_ARGUMENTS: dict[str, Any] = {
    # Not a path: Ansible would replace environment variables, such as one that names the credential of a job.
    "auth_file": {"type": "str"},
    # Redacted by its position in the parameters (core/redaction.py). With `no_log`, Ansible would mask each user name in all output.
    "auth_config": {"type": "raw", "no_log": False},
    "include": {"type": "list", "elements": "str"},
}


def auth_file_from_options(options: Mapping[str, Any], read_file: Callable[[str], str]) -> AuthFile:
    """Return the auth file from the one of `SOURCES` that is given, limited to `include`.

    :raises OptionError: for anything that no node could use.
    """
    if options.get("registries") is not None:
        if not options["registries"]:
            raise OptionError(
                "option 'registries' is empty: give at least one registry, or delete the secret with 'state: absent'"
            )
        return from_registries(options["registries"])
    include = options.get("include")
    if options.get("auth_file") is not None:
        return parse_text(read_file(options["auth_file"]), f"auth file {options['auth_file']}", include)
    config = options["auth_config"]
    read = parse_text if isinstance(config, str) else parse
    return read(config, "option 'auth_config'", include)
