# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One entry of an auth file: read from an option or a file, and refused when no node could use it. Pure.

Sources of the field semantics: kubelet `pkg/credentialprovider/config.go`, containers/image `pkg/docker/config/config.go`.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..core.errors import OptionError
from ..core.objects import as_int
from .json_text import InvalidContent, Object, decode_string, fold_name, has_bad_text, has_huge_number, kind_name
from .node_reading import login_of
from .registry_keys import check_key, refuse_unused, without_user

__all__ = ["CredentialEntry", "changed_fields", "field_name", "from_file", "from_option", "stored_entry"]

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
