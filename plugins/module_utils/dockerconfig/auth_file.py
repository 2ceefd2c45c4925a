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
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ..core.errors import OptionError
from .credential_entry import CredentialEntry, from_file, from_option, stored_entry
from .credential_helpers import Helpers
from .document import Document, auths_of, is_bare_map
from .json_text import EMPTY, InvalidContent, Member, Object, kind_name, value_of
from .registry_keys import is_match, redact_keys, same_path, without_user

__all__ = ["NOTHING", "AuthFile", "from_registries", "parse", "parse_stored", "parse_text"]


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
                f"{source} has no entry that matches {pattern!r} of option 'include'. Its entries: {held}"
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
    return "give a Docker config.json or a Podman auth.json"
