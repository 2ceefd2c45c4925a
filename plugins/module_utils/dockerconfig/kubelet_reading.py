# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kubelet makes of the content of a pull secret: the logins in it, or why it gives up the whole secret. Pure.

A mirror of kubelet `pkg/credentialprovider/config.go` and of `encoding/json`; tests/oracle compares it with that code. One part of a
wrong type, in a field that the kubelet decodes, stops every pull of a pod that uses the secret, whatever else is in it.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from .json_text import InvalidContent, Member, Object, fold, kind, string, value_of
from .registry_keys import without_user

__all__ = ["KubeletReading", "is_wrong", "kubelet_reading", "login_of"]

#: Standard base64 with all of its padding or with none (Go `base64.StdEncoding` and `RawStdEncoding`).
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?\Z")


#: What the kubelet decodes of an entry (`dockerConfigEntryWithAuth`).
_FIELDS = ("username", "password", "email", "auth")


@dataclass(frozen=True, repr=False)
class KubeletReading:
    """`logins` holds user and password by key. With `problems`, each the beginning of a sentence, the kubelet uses none of them."""

    logins: Mapping[str, tuple[str, str]]
    problems: tuple[str, ...] = ()


# In a fleet most namespaces hold the same content: it is read once.
@lru_cache(maxsize=64)
def kubelet_reading(text: str, *, legacy: bool) -> KubeletReading:
    """`legacy`: the secret is of type `kubernetes.io/dockercfg`, so the text is the bare map of entries."""
    logins: dict[str, tuple[str, str]] = {}
    problems: list[str] = []
    try:
        value = value_of(text or "null")  # it skips a secret without content
        parts = (
            [("auths", value)] if legacy else [(fold(part.name), part.value) for part in Object.parse(value).members]
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
    """User and password of one entry, given as JSON; each may be empty. A field in another case counts, and the last one wins.

    :raises Unreadable: when the kubelet cannot decode the entry.
    """
    found = dict.fromkeys(_FIELDS, "")
    for field in Object.parse(entry).members:
        name = fold(field.name)
        if is_wrong(field):
            raise InvalidContent(f"has a {name!r} that is {kind(field.value)}, not a string")
        if name in _FIELDS and field.value != "null":
            found[name] = string(field.value)
    return _decoded(found["auth"]) if found["auth"] else (found["username"], found["password"])


def is_wrong(field: Member) -> bool:
    """Whether a field of an entry has a type that the kubelet does not decode; it looks at four fields only."""
    return fold(field.name) in _FIELDS and kind(field.value) not in ("a string", "null")


def _read_entries(value: str, logins: dict[str, tuple[str, str]], problems: list[str]) -> None:
    """Reads one map of entries. A second one adds to the first, as Go decodes into the map that is there; `null` empties it."""
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
    wrong = [kind(header.value) for header in headers if kind(header.value) not in ("a string", "null")]
    return [f"'HttpHeaders' has a value that is {what}, not a string" for what in wrong[:1]]


def _decoded(auth: str) -> tuple[str, str]:
    text = auth.replace("\n", "").replace("\r", "")
    if not _BASE64.match(text):
        raise InvalidContent("has an 'auth' that is not standard base64")
    login = base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4))
    username, colon, password = login.decode("utf-8", "surrogateescape").partition(":")
    if not colon:
        raise InvalidContent("has an 'auth' that is not base64 of USER:PASSWORD")
    return username, password
