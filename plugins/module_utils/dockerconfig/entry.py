# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One entry of an auth file: read from an option or a file, refused when no node could use it. Pure.

Who reads which field: kubelet `pkg/credentialprovider/config.go`, containers/image `pkg/docker/config/config.go`.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..core.errors import OptionError
from .registry_keys import check_key, without_user

__all__ = [
    "FIELDS",
    "Entry",
    "changed_fields",
    "from_file",
    "from_option",
    "is_decodable",
    "json_type",
    "known_fields",
    "stored_entry",
]

FIELDS = ("auth", "username", "password", "email", "identitytoken", "registrytoken", "serveraddress")


@dataclass(frozen=True, repr=False)
class Entry:
    """The credential under one key. `fields` is the entry as it is written, `auth` included."""

    key: str
    username: str
    password: str
    fields: Mapping[str, Any] = field(default_factory=dict)

    @property
    def meaning(self) -> dict[str, Any]:
        """What the entry says, without its spelling: `auth` against `username` and `password`, padding, order."""
        rest = {name: value for name, value in self.fields.items() if name not in ("auth", "username", "password")}
        return {"username": self.username, "password": self.password, **rest}


def from_option(item: Mapping[str, Any]) -> Entry:
    """An entry of the `registries` option. :raises OptionError: when the auth file format cannot express it."""
    key, username = item["registry"], item.get("username") or ""
    where = f"option 'registries': the entry for {key!r}"
    password = _text(item.get("password"), where)
    _check_key(key, "option 'registries'")
    if ":" in username:
        raise OptionError(f"{where} has a ':' in its user name, which the auth file format cannot express")
    _require_both(where, username, password, "give both 'username' and 'password'")
    fields = {"username": username, "password": password, "auth": _encode(username, password, where)}
    if item.get("email"):
        fields["email"] = item["email"]
    return Entry(key, username, password, fields)


def from_file(key: str, value: object, source: str) -> Entry:
    """An entry of a file. :raises OptionError: when no node could use it; the message names file, registry and way out."""
    where = f"{source}: the entry for {without_user(key)!r}"
    _check_key(key, source)
    if value is None or (isinstance(value, Mapping) and not value):
        raise OptionError(f"{where} is empty: log in to it again")
    if not isinstance(value, Mapping):
        raise OptionError(f"{where} is {json_type(value)}, not an object with 'auth'")
    fields = {name: part for name, part in known_fields(value, FIELDS).items() if part not in (None, "")}
    username, password = _credential(fields, where)
    if not password and fields.get("identitytoken"):
        raise OptionError(
            f"{where} holds only an identity token, which the kubelet does not read: use a robot or service account of the "
            "registry, with user and password"
        )
    _require_both(where, username, password, "log in to it again with user and password")
    return Entry(key, username, password, {**fields, "auth": _encode(username, password, where)})


def stored_entry(key: str, value: object) -> Entry:
    """An entry of a secret, for comparison: one that no node could use has neither user nor password."""
    try:
        return from_file(key, value, "the stored secret")
    except OptionError:
        return Entry(without_user(key), "", "")


def is_decodable(value: object) -> bool:
    """Whether the kubelet can read an entry, be it empty; when it cannot, it gives up the whole secret and every pull."""
    if value is None:
        return True
    if not isinstance(value, Mapping):
        return False
    fields = {name: part for name, part in known_fields(value, FIELDS).items() if part not in (None, "")}
    try:
        _credential(fields, "")
    except OptionError:
        return False
    return True


def changed_fields(before: Entry, after: Entry) -> list[str]:
    """Which parts of an entry differ, by name: username, password, email, ..."""
    old, new = before.meaning, after.meaning
    return sorted(name for name in {*old, *new} if old.get(name) != new.get(name))


def _text(password: object, where: str) -> str:
    if password is None or isinstance(password, str):
        return password or ""
    if isinstance(password, int) and not isinstance(password, bool):
        return str(password)
    raise OptionError(
        f"{where} has a password that is {json_type(password)}, not a string: quote it, or keep a template's result text "
        "with the filter 'string'"
    )


def _check_key(key: str, source: str) -> None:
    try:
        check_key(key)
    except OptionError as error:
        raise OptionError(f"{source}: {error}") from None


def _credential(fields: Mapping[str, Any], where: str) -> tuple[str, str]:
    """User and password of an entry; `auth` wins over the plain fields, as on a node."""
    for name in FIELDS:
        if not isinstance(fields.get(name, ""), str):
            raise OptionError(f"{where} has a {name!r} that is {json_type(fields[name])}, not a string")
    if "auth" not in fields:
        return fields.get("username", ""), fields.get("password", "")
    username, colon, password = _decode(fields["auth"], where).partition(":")
    if not colon:
        twice = " and it was encoded twice" if _is_login(username) else ""
        raise OptionError(
            f"{where} has an 'auth' without a colon: it must be base64 of USER:PASSWORD{twice}; log in to it again"
        )
    return username, password


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
    try:
        return base64.b64encode(f"{username}:{password}".encode("utf-8", "surrogateescape")).decode("ascii")
    except UnicodeEncodeError:
        raise OptionError(f"{where} has a user or password that is not valid Unicode") from None


def _decode(auth: str, where: str) -> str:
    """The text of an `auth` field. Padding may be missing and a line end is tolerated, as the kubelet does."""
    text = auth.replace("\n", "").replace("\r", "")
    try:
        raw = base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise OptionError(
            f"{where} has an 'auth' that is not standard base64: one such entry stops every pull of the pod; log in to it again"
        ) from None
    return raw.decode("utf-8", "surrogateescape")


def known_fields(data: Mapping[str, Any], known: tuple[str, ...]) -> dict[str, Any]:
    """The object's members; known names in any case, as Go's JSON reads them; the last one wins."""
    spelling = {name.lower(): name for name in known}
    return {spelling.get(name.lower(), name): value for name, value in data.items()}


def json_type(value: object) -> str:
    if isinstance(value, Mapping):
        return "an object"
    names = {str: "a string", list: "a list", bool: "true or false", int: "a number", float: "a number"}
    return names.get(type(value), "null")
