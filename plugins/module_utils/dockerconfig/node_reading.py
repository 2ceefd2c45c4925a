# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the kubelet and CRI-O's credential provider read a pull secret. Pure.

A mirror of kubelet `pkg/credentialprovider/config.go` and of `encoding/json`; tests/oracle compares it with that code. One part of a
wrong type, in a field that the kubelet decodes, stops every pull of a pod that uses the secret, whatever else is in it.

A mirror of cri-o/crio-credential-provider v0.1.2 `internal/pkg/auth/auth.go` and of `encoding/json`. It reads less than the kubelet: only
`auth`, only secrets of type kubernetes.io/dockerconfigjson, and one undecodable entry does not affect the other entries.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from .json_text import InvalidContent, Member, Object, decode_string, fold_name, kind_name, value_of
from .registry_keys import without_user

__all__ = [
    "KubeletReading",
    "file_key",
    "is_login_for",
    "is_undecodable",
    "kubelet_reading",
    "login_of",
    "provider_logins",
]

#: Standard base64 with full padding or without any (Go `base64.StdEncoding` and `RawStdEncoding`).
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?\Z")


#: The fields of an entry that the kubelet decodes (`dockerConfigEntryWithAuth`).
_FIELDS = ("username", "password", "email", "auth")


@dataclass(frozen=True, repr=False)
class KubeletReading:
    """`logins` maps each key to user and password. With `problems`, each of which begins a sentence, the kubelet uses none of them."""

    logins: Mapping[str, tuple[str, str]]
    problems: tuple[str, ...] = ()


# In a fleet most namespaces hold the same content, so each content is parsed only once.
@lru_cache(maxsize=64)
def kubelet_reading(text: str, *, legacy: bool) -> KubeletReading:
    """Return the logins or the problems. `legacy`: the secret has type `kubernetes.io/dockercfg`, a bare map of entries."""
    logins: dict[str, tuple[str, str]] = {}
    problems: list[str] = []
    try:
        value = value_of(text or "null")  # the kubelet skips a secret without content
        parts = (
            [("auths", value)]
            if legacy
            else [(fold_name(part.name), part.value) for part in Object.parse(value).members]
        )
    except InvalidContent as error:
        return KubeletReading({}, (f"it {error}",))
    for name, value in parts:
        if name == "auths":
            _read_entries(value, logins, problems)
        elif name == "httpheaders":
            problems += _wrong_headers(value)
    return KubeletReading(logins, tuple(problems))


def login_of(entry: str) -> tuple[str, str]:
    """Return user and password of one entry, given as JSON. Each may be empty. Field names match in any case, and the last duplicate wins.

    :raises InvalidContent: when the kubelet cannot decode the entry.
    """
    found = dict.fromkeys(_FIELDS, "")
    for field in Object.parse(entry).members:
        name = fold_name(field.name)
        if is_undecodable(field):
            raise InvalidContent(f"has a {name!r} that is {kind_name(field.value)}, not a string")
        if name in _FIELDS and field.value != "null":
            found[name] = decode_string(field.value)
    return _decode_auth(found["auth"]) if found["auth"] else (found["username"], found["password"])


def is_undecodable(field: Member) -> bool:
    """Whether a field has a type that the kubelet cannot decode. It decodes only four fields."""
    return fold_name(field.name) in _FIELDS and kind_name(field.value) not in ("a string", "null")


def _read_entries(value: str, logins: dict[str, tuple[str, str]], problems: list[str]) -> None:
    """Add one map of entries to `logins`. Like Go, a second map adds to the first, and `null` empties it."""
    if value == "null":
        logins.clear()
    try:
        entries = Object.parse(value).members
    except InvalidContent as error:
        problems.append(f"'auths' {error}")
        return
    for entry in entries:
        try:
            logins[entry.name] = login_of(entry.value)
        except InvalidContent as error:
            problems.append(f"the entry for {without_user(entry.name)!r} {error}")


def _wrong_headers(value: str) -> list[str]:
    try:
        headers = Object.parse(value).members
    except InvalidContent as error:
        return [f"'HttpHeaders' {error}"]
    wrong = [kind_name(header.value) for header in headers if kind_name(header.value) not in ("a string", "null")]
    return [f"'HttpHeaders' has a value that is {what}, not a string" for what in wrong[:1]]


def _decode_auth(auth: str) -> tuple[str, str]:
    text = auth.replace("\n", "").replace("\r", "")
    if not _BASE64.match(text):
        raise InvalidContent("has an 'auth' that is not standard base64")
    login = base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4))
    username, colon, password = login.decode("utf-8", "surrogateescape").partition(":")
    if not colon:
        raise InvalidContent("has an 'auth' that is not base64 of USER:PASSWORD")
    return username, password


#: Go's `base64.StdEncoding`, with full padding.
_STRICT_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?\Z")


def provider_logins(text: str) -> Mapping[str, tuple[str, str]]:
    """Return user and password by key. Both are empty for an entry without a login, which hides other keys. Empty for invalid content."""
    try:
        auths = _auths_of(text)
    except InvalidContent:
        return {}
    logins = {key: _decode_auth_strictly(auth) for key, auth in auths.items()}
    return {key: login for key, login in logins.items() if login is not None}


def is_login_for(key: str, repository: str, locations: Iterable[str]) -> bool:
    """Whether an entry is taken for an image: its key, without the scheme, is the beginning of the image or of the location of a mirror."""
    begin = file_key(key)
    return any(place.startswith(begin) for place in (repository, *locations))


def file_key(key: str) -> str:
    """Return the key in the file that CRI-O gets: without the scheme."""
    return next((key.removeprefix(scheme) for scheme in _SCHEMES if key.startswith(scheme)), key)


_SCHEMES: Sequence[str] = ("https://", "http://")


def _auths_of(text: str) -> Mapping[str, str]:
    """The `auth` of each entry. :raises InvalidContent: when a part has the wrong type, so that the whole secret is skipped."""
    auths: dict[str, str] = {}
    for part in Object.parse(value_of(text)).members:
        if fold_name(part.name) == "auths":
            if part.value == "null":
                auths.clear()
            auths.update({entry.name: _auth_of(entry.value) for entry in Object.parse(part.value).members})
    return auths


def _auth_of(entry: str) -> str:
    auth = ""
    for field in Object.parse(entry).members:
        if fold_name(field.name) == "auth" and field.value != "null":
            if kind_name(field.value) != "a string":
                raise InvalidContent("has an 'auth' that is not a string")
            auth = decode_string(field.value)
    return auth


def _decode_auth_strictly(auth: str) -> tuple[str, str] | None:
    """User and password, or None for text that is not base64: such an entry is skipped."""
    text = auth.replace("\n", "").replace("\r", "")
    if not _STRICT_BASE64.match(text):
        return None
    user, colon, password = base64.b64decode(text).decode("utf-8", "surrogateescape").partition(":")
    return (user, password.strip("\0")) if colon else ("", "")
