# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Auth files: Docker's `config.json`, Podman's `auth.json`, the legacy `.dockercfg`, and single credentials.

All become one `AuthFile`, in which every entry has a user and a password and no two entries name the same path.
What cannot work on a node is refused here, before anything is sent. Who reads which field: kubelet
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
from .credential_helpers import Helpers
from .entry import FIELDS, Entry, from_file, from_option, is_decodable, json_type, known_fields, stored_entry
from .registry_keys import matches, same_path, without_user

__all__ = ["NOTHING", "AuthFile", "from_registries", "parse", "parse_text", "read_stored", "undecodable"]

_TOP_FIELDS = ("auths", "credsStore", "credHelpers", "HttpHeaders")


@dataclass(frozen=True, repr=False)
class AuthFile:
    """Entries by key, each usable, no two for the same path."""

    entries: Mapping[str, Entry]

    @property
    def registries(self) -> list[str]:
        return sorted(self.entries)

    def holds(self, wanted: AuthFile) -> bool:
        """Whether merging the wanted entries would change nothing: each is here, and no other spelling of it."""
        for key, entry in wanted.entries.items():
            stored = self.entries.get(key)
            if stored is None or not entry.meaning.items() <= stored.meaning.items():
                return False
        paths = {same_path(key) for key in wanted.entries}
        return not any(same_path(key) in paths for key in self.entries if key not in wanted.entries)

    def auths(self) -> dict[str, Any]:
        """The `auths` object, which is also the whole of a legacy `.dockercfg`."""
        return {key: dict(self.entries[key].fields) for key in self.registries}


NOTHING = AuthFile({})


def from_registries(registries: Iterable[Mapping[str, Any]]) -> AuthFile:
    """An auth file from the `registries` option: as `oc create secret docker-registry` writes it.

    :raises OptionError: for a user or password that is missing or cannot be expressed, or two entries for one path.
    """
    return _collect((from_option(item) for item in registries), "option 'registries'")


def parse_text(text: str, source: str, only: Sequence[str] | None = None) -> AuthFile:
    """An auth file from its JSON text. `source` names it in errors.

    :raises OptionError: when it is not JSON, or as for `parse`.
    """
    try:
        data = json.loads(text, object_pairs_hook=_Object, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        where = f" at line {error.lineno}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        raise OptionError(f"{source} is not valid JSON{where}: {_json_hint(text)}") from None
    return parse(data, source, only)


def parse(data: object, source: str, only: Sequence[str] | None = None) -> AuthFile:
    """An auth file from decoded JSON: the object with `auths`, or the bare map of a legacy `.dockercfg`.

    With `only`, names or globs of registries, the other entries are not looked at.

    :raises OptionError: for anything that would not work on a node; the message names `source`, the registry and the
        way out.
    """
    top, auths = _shape(data, source)
    helpers = Helpers.of(top, source)
    chosen = dict(auths) if only is None else _chosen(auths, helpers, source, only)
    repeated = [key for key in getattr(auths, "repeated", ()) if key in chosen]
    if repeated:
        raise OptionError(
            f"{source} has the key {without_user(repeated[0])!r} twice in 'auths'; "
            "keep one, since only the last is ever read"
        )
    if only is None:
        helpers.refuse_unreachable(auths, source)
    if not chosen:
        raise OptionError(f"{source} holds no credential: {_why_empty(data)}")
    for key, value in chosen.items():
        helpers.refuse_empty(key, value, source)
    return _collect((from_file(key, value, source) for key, value in chosen.items()), source)


# In a fleet most namespaces hold the same content: it is read once.
@lru_cache(maxsize=64)
def read_stored(text: str, *, legacy: bool) -> AuthFile:
    """What a secret holds, for comparison only: never refuses; an entry that no node could use has no password.

    `legacy`: it is a `.dockercfg`. A node reads each of the two shapes only from a secret of its own type.
    """
    entries = (stored_entry(key, value) for key, value in _stored_auths(text, legacy=legacy).items())
    return AuthFile({entry.key: entry for entry in entries})


@lru_cache(maxsize=64)
def undecodable(text: str, *, legacy: bool) -> tuple[str, ...]:
    """The keys of a stored secret whose entries no kubelet can read: one of them stops every pull of a pod."""
    auths = _stored_auths(text, legacy=legacy)
    return tuple(sorted(without_user(key) for key, value in auths.items() if not is_decodable(value)))


def _stored_auths(text: str, *, legacy: bool) -> Mapping[str, Any]:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(data, Mapping):
        return {}
    auths = data if legacy else known_fields(data, _TOP_FIELDS).get("auths")
    return auths if isinstance(auths, Mapping) else {}


def _shape(data: object, source: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The file's members, and those of its `auths`."""
    if not isinstance(data, Mapping):
        raise OptionError(f"{source} is not an auth file: expected a JSON object with 'auths', found {json_type(data)}")
    top = known_fields(data, _TOP_FIELDS)
    auths = top.get("auths", data if _is_legacy(data) else {})
    if auths is None:
        auths = {}
    if not isinstance(auths, Mapping):
        raise OptionError(f"{source} is not an auth file: 'auths' is {json_type(auths)}, not an object")
    return top, auths


def _chosen(auths: Mapping[str, Any], helpers: Helpers, source: str, only: Sequence[str]) -> dict[str, Any]:
    """The entries that the patterns name. :raises OptionError: when a pattern names none."""
    for pattern in only:
        if not any(matches(key, pattern) for key in auths):
            helpers.refuse_chosen(pattern, source)
            held = ", ".join(sorted(map(without_user, auths))) or "none"
            raise OptionError(
                f"{source} has no entry that option 'only' means by {pattern!r}: it has {held}; correct it, or leave it out"
            )
    return {key: value for key, value in auths.items() if any(matches(key, pattern) for pattern in only)}


def _why_empty(data: object) -> str:
    members = set(data) if isinstance(data, Mapping) else set()
    if members & {".dockerconfigjson", ".dockercfg"} or {"kind", "apiVersion"} <= members:
        return "it is a secret, or its data; give the decoded value of '.dockerconfigjson' or '.dockercfg' alone"
    return "'auths' is empty; log in to the registry first, for example with 'podman login --authfile FILE REGISTRY'"


class _Object(dict):  # type: ignore[type-arg]
    """A JSON object that remembers the keys it was given twice, of which Python and Go both keep the last."""

    def __init__(self, pairs: Iterable[tuple[str, Any]]) -> None:
        seen = list(pairs)
        super().__init__(seen)
        self.repeated = sorted(key for key, times in Counter(key for key, _value in seen).items() if times > 1)


def _collect(entries: Iterable[Entry], source: str) -> AuthFile:
    by_key = {entry.key: entry for entry in _no_two_for_one_path(entries, source)}
    return AuthFile(by_key)


def _no_two_for_one_path(entries: Iterable[Entry], source: str) -> Iterable[Entry]:
    seen: dict[str, str] = {}
    for entry in entries:
        path = same_path(entry.key)
        if path in seen:
            raise OptionError(
                f"{source} has two entries for {path}: {seen[path]!r} and {entry.key!r}; a node would use either of them; "
                "keep one, or give one a longer path such as 'HOST/TEAM'"
            )
        seen[path] = entry.key
        yield entry


def _is_legacy(data: Mapping[str, Any]) -> bool:
    """Whether this is a `.dockercfg`: no wrapper, every member an object, one at least with a credential."""
    members = [value for value in data.values() if isinstance(value, Mapping)]
    return len(members) == len(data) and any(
        {"auth", "username", "identitytoken"} & set(known_fields(value, FIELDS)) for value in members
    )


def _refuse_constant(name: str) -> None:
    """NaN and Infinity, which Python reads and the API server does not."""
    raise ValueError(name)


def _json_hint(text: str) -> str:
    try:
        decoded = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return "give a Docker config.json or a Podman auth.json"
    return (
        "it looks like base64; decode it first"
        if decoded[:1] == b"{"
        else "give a Docker config.json or a Podman auth.json"
    )
