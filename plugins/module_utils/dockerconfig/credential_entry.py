# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One entry of an auth file: read from an option or a file, refused when no node could use it, and as the nodes read it. Pure.

A mirror of kubelet `pkg/credentialprovider/config.go` and of `encoding/json`; tests/oracle compares it with that code. One part of a
wrong type, in a field that the kubelet decodes, stops every pull of a pod that uses the secret, whatever else is in it.

A mirror of cri-o/crio-credential-provider v0.1.2 `internal/pkg/auth/auth.go` and of `encoding/json`. It reads less than the kubelet: only
`auth`, only secrets of type kubernetes.io/dockerconfigjson, and one undecodable entry does not affect the other entries.

Sources of the field semantics: kubelet `pkg/credentialprovider/config.go`, containers/image `pkg/docker/config/config.go`.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from ..core.errors import OptionError
from ..core.objects import as_int
from .json_text import (
    InvalidContent,
    Member,
    Object,
    decode_string,
    fold_name,
    has_bad_text,
    has_huge_number,
    kind_name,
    value_of,
)
from .registry_keys import check_key, refuse_unused, without_user

#: Standard base64 with full padding or without any (Go `base64.StdEncoding` and `RawStdEncoding`).
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?\Z")


#: The fields of an entry that the kubelet decodes (`dockerConfigEntryWithAuth`).
_KUBELET_FIELDS = ("username", "password", "email", "auth")


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
    found = dict.fromkeys(_KUBELET_FIELDS, "")
    for member in Object.parse(entry).members:
        name = fold_name(member.name)
        if is_undecodable(member):
            raise InvalidContent(f"has a {name!r} that is {kind_name(member.value)}, not a string")
        if name in _KUBELET_FIELDS and member.value != "null":
            found[name] = decode_string(member.value)
    return _decode_auth(found["auth"]) if found["auth"] else (found["username"], found["password"])


def is_undecodable(member: Member) -> bool:
    """Whether a member has a type that the kubelet cannot decode. It decodes only four fields."""
    return fold_name(member.name) in _KUBELET_FIELDS and kind_name(member.value) not in ("a string", "null")


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
    """Return user and password by key, as CRI-O and its provider read them: only `auth`, with its padding.

    Both are empty for an entry without a login, which hides other keys. Empty for invalid content.
    """
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
    for member in Object.parse(entry).members:
        if fold_name(member.name) == "auth" and member.value != "null":
            if kind_name(member.value) != "a string":
                raise InvalidContent("has an 'auth' that is not a string")
            auth = decode_string(member.value)
    return auth


def _decode_auth_strictly(auth: str) -> tuple[str, str] | None:
    """User and password, or None for text that is not base64: such an entry is skipped."""
    text = auth.replace("\n", "").replace("\r", "")
    if not _STRICT_BASE64.match(text):
        return None
    user, colon, password = base64.b64decode(text).decode("utf-8", "surrogateescape").partition(":")
    return (user, password.strip("\0")) if colon else ("", "")


#: Maximum nesting depth that is compared as data. Deeper values are compared as text, because Python limits recursion.
_NESTED = 100

_FIELDS = ("auth", "username", "password", "email", "identitytoken", "registrytoken", "serveraddress")
#: The fix for a number. The content of option `auth_config` comes from YAML.
_QUOTES = "put it in quotes where it is defined, because YAML changes a value such as 0123 without quotes"


@dataclass(frozen=True, repr=False)
class CredentialEntry:
    """The credential under one key. `fields` maps each field name, `auth` included, to its JSON as it will be written."""

    key: str
    username: str
    password: str
    fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The entry as JSON."""
        return "{" + ", ".join(f"{json.dumps(name)}: {value}" for name, value in self.fields.items()) + "}"

    @property
    def meaning(self) -> dict[str, Any]:
        """The entry's content without its form: `auth` and `username`/`password` are equal, padding and order do not count."""
        rest = (name for name in self.fields if name not in ("auth", "username", "password"))
        return {"username": self.username, "password": self.password, **{n: _meaning(self.fields[n]) for n in rest}}

    @property
    def used(self) -> dict[str, str]:
        """The string fields that some reader of auth files uses. A Go program that rewrites the entry may change all others."""
        texts = {name: decode_string(value) for name, value in self.fields.items() if kind_name(value) == "a string"}
        rest = {name: value for name, value in texts.items() if name in _FIELDS and name != "auth"}
        return {**rest, "username": self.username, "password": self.password}


def from_option(item: Mapping[str, Any]) -> CredentialEntry:
    """Return an entry of the `registries` option.

    :raises OptionError: when the auth file format cannot express it.
    """
    key, username = item["registry"], item.get("username") or ""
    where = f"option 'registries': the entry for {without_user(key)!r}"
    password = _text(item.get("password"), where)
    check_key("option 'registries'", key)
    refuse_unused("option 'registries'", key)
    _require_both(where, username, password, "give both 'username' and 'password'")
    fields = {"username": username, "password": password, "auth": _encode(username, password, where)}
    if item.get("email"):
        fields["email"] = item["email"]
    return CredentialEntry(key, username, password, {name: json.dumps(value) for name, value in fields.items()})


def from_file(key: str, value: str, source: str) -> CredentialEntry:
    """Return an entry of a file, given as JSON.

    :raises OptionError: when no node could use it. The message names the file and the registry, and says how to fix it.
    """
    where = f"{source}: the entry for {without_user(key)!r}"
    check_key(source, key)
    if value == "null":
        raise OptionError(f"{where} is empty: log in to it again")
    if kind_name(value) != "an object":
        raise OptionError(f"{where} is {kind_name(value)}, not an object with 'auth'")
    fields = _fields_of(value)
    if not Object.parse(value).members:
        raise OptionError(f"{where} is empty: log in to it again")
    if has_huge_number(value):
        raise OptionError(f"{where} has a number that is too large for the API server: remove it")
    username, password = _credential(fields, where)
    if not password and fields.get("identitytoken"):
        raise OptionError(
            f"{where} holds only an identity token, which the kubelet does not read: use a robot or service account of the "
            "registry, with user and password"
        )
    _require_both(where, username, password, "log in to it again with user and password")
    return CredentialEntry(key, username, password, {**fields, "auth": json.dumps(_encode(username, password, where))})


def stored_entry(key: str, value: str) -> CredentialEntry:
    """Return an entry of a secret, given as JSON, for comparison. An entry that no node could use has neither user nor password."""
    try:
        check_key("a secret", key)
        username, password = login_of(value)
    except (OptionError, InvalidContent):
        return CredentialEntry(without_user(key), "", "")
    usable = bool(username and password)
    return CredentialEntry(key, username, password, _fields_of(value)) if usable else CredentialEntry(key, "", "")


def field_name(name: str) -> str:
    """Return the normal name of an entry's field: known names match in any case, as in Go. Others are unchanged."""
    return fold_name(name) if fold_name(name) in _FIELDS else name


def changed_fields(before: CredentialEntry, after: CredentialEntry) -> list[str]:
    """Return the sorted names of the fields that differ: username, password, email, ..."""
    old, new = before.meaning, after.meaning
    return sorted(name for name in {*old, *new} if old.get(name) != new.get(name))


def _text(password: object, where: str) -> str:
    if password is None or isinstance(password, str):
        return password or ""
    if as_int(password) is not None:
        return str(password)
    raise OptionError(
        f"{where} has a password that is {_option_type(password)}, not a string: quote it, or keep a template's result text "
        "with the filter 'string'"
    )


def _fields_of(value: str) -> dict[str, str]:
    """The JSON of the set fields of an entry, by name. As in Go, known names match in any case and the last duplicate wins."""
    fields = {field_name(item.name): item.value for item in Object.parse(value).members if item.value != "null"}
    return {name: text for name, text in fields.items() if text != '""'}


def _credential(fields: Mapping[str, str], where: str) -> tuple[str, str]:
    """User and password of an entry. `auth` takes precedence over the plain fields, as on a node."""
    for name in _FIELDS:
        kind = kind_name(fields.get(name, '""'))
        if kind != "a string":
            fix = f": {_QUOTES}" if kind in ("a number", "true or false") else ""
            raise OptionError(f"{where} has a {name!r} that is {kind}, not a string{fix}")
    if "auth" not in fields:
        return _decode_plain(fields.get("username", '""'), where), _decode_plain(fields.get("password", '""'), where)
    username, colon, password = _decode(decode_string(fields["auth"]), where).partition(":")
    if not colon:
        twice = " and it was encoded twice" if _is_login(username) else ""
        raise OptionError(
            f"{where} has an 'auth' without a colon: it must be base64 of USER:PASSWORD{twice}. Log in to it again"
        )
    return username, password


def _decode_plain(value: str, where: str) -> str:
    """A user or password from a plain field."""
    if has_bad_text(value):
        raise OptionError(f"{where} has a user or password that is not valid Unicode: save the file as UTF-8")
    return decode_string(value)


def _is_login(text: str) -> bool:
    try:
        return ":" in _decode(text, "")
    except OptionError:
        return False


def _require_both(where: str, username: str, password: str, way_out: str) -> None:
    missing = [name for name, value in (("user", username), ("password", password)) if not value]
    if missing:
        raise OptionError(f"{where} has no {' and no '.join(missing)}: {way_out}")


def _encode(username: str, password: str, where: str) -> str:
    if ":" in username:
        raise OptionError(f"{where} has a ':' in its user name, which the auth file format cannot express")
    try:
        return base64.b64encode(f"{username}:{password}".encode("utf-8", "surrogateescape")).decode("ascii")
    except UnicodeEncodeError:
        raise OptionError(f"{where} has a user or password that is not valid Unicode") from None


def _decode(auth: str, where: str) -> str:
    """The text of an `auth` field. Like the kubelet, accept missing padding and line ends."""
    text = auth.replace("\n", "").replace("\r", "")
    try:
        raw = base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise OptionError(
            f"{where} has an 'auth' that is not standard base64: one such entry stops every pull of the pod. Log in to it again"
        ) from None
    return raw.decode("utf-8", "surrogateescape")


def _meaning(value: str) -> Any:
    """The value of a field for comparison: text as Go reads it, anything else without white space and order where possible."""
    if kind_name(value) == "a string":
        return decode_string(value)
    if value.count("[") + value.count("{") > _NESTED:
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def _option_type(value: object) -> str:
    """The type of an option's value, in words."""
    if isinstance(value, Mapping):
        return "an object"
    names = {str: "a string", list: "a list", bool: "true or false", int: "a number", float: "a number"}
    return names.get(type(value), "of another type")
