# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Auth files: Docker's C(config.json), Podman's C(auth.json), the legacy C(.dockercfg), and single credentials.

All become one L(AuthFile), in which every entry has a user and a password and no two entries name the same path.
What cannot work on a node is refused here, before anything is sent. Who reads which field: kubelet
C(pkg/credentialprovider/config.go), containers/image C(pkg/docker/config/config.go), docker/cli
C(cli/config/configfile/file.go).
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .errors import OptionError
from .registry_keys import check_key, same_path, without_user

__all__ = ["NOTHING", "AuthFile", "Entry", "changed_fields", "from_registries", "parse", "parse_text", "read_stored"]

_ENTRY_FIELDS = ("auth", "username", "password", "email", "identitytoken", "registrytoken", "serveraddress")
_TOP_FIELDS = ("auths", "credsStore", "credHelpers", "HttpHeaders")


@dataclass(frozen=True, repr=False)
class Entry:
    """The credential under one key. C(fields) is the entry as it is written, C(auth) included."""

    key: str
    username: str
    password: str
    fields: Mapping[str, Any] = field(default_factory=dict)

    @property
    def meaning(self) -> dict[str, Any]:
        """What the entry says, without its spelling: C(auth) against C(username) and C(password), padding, order."""
        rest = {name: value for name, value in self.fields.items() if name not in ("auth", "username", "password")}
        return {"username": self.username, "password": self.password, **rest}


@dataclass(frozen=True, repr=False)
class AuthFile:
    """Entries by key, each usable, no two for the same path."""

    entries: Mapping[str, Entry]

    @property
    def registries(self) -> list[str]:
        return sorted(self.entries)

    def auths(self) -> dict[str, Any]:
        """The C(auths) object, which is also the whole of a legacy C(.dockercfg)."""
        return {key: dict(self.entries[key].fields) for key in self.registries}


NOTHING = AuthFile({})


def from_registries(registries: Iterable[Mapping[str, Any]]) -> AuthFile:
    """An auth file from the O(registries) option: as C(oc create secret docker-registry) writes it.

    :raises OptionError: for a user or password that is missing or cannot be expressed, or two entries for one path.
    """
    return _collect((_from_option(item) for item in registries), "option 'registries'")


def parse_text(text: str, source: str) -> AuthFile:
    """An auth file from its JSON text. C(source) names it in errors.

    :raises OptionError: when it is not JSON, or as for L(parse).
    """
    try:
        data = json.loads(text, object_pairs_hook=_Object, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        where = f" at line {error.lineno}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        raise OptionError(f"{source} is not valid JSON{where}: {_json_hint(text)}") from None
    return parse(data, source)


def parse(data: object, source: str) -> AuthFile:
    """An auth file from decoded JSON: the object with C(auths), or the bare map of a legacy C(.dockercfg).

    :raises OptionError: for anything that would not work on a node; the message names C(source), the registry and the
        way out.
    """
    if not isinstance(data, Mapping):
        raise OptionError(
            f"{source} is not an auth file: expected a JSON object with 'auths', found {_json_type(data)}"
        )
    top = _fields(data, _TOP_FIELDS)
    auths = top.get("auths", data if _is_legacy(data) else {})
    if auths is None:
        auths = {}
    if not isinstance(auths, Mapping):
        raise OptionError(f"{source} is not an auth file: 'auths' is {_json_type(auths)}, not an object")
    if isinstance(auths, _Object) and auths.repeated:
        raise OptionError(
            f"{source} has the key {without_user(auths.repeated[0])!r} twice in 'auths'; "
            "keep one, since only the last is ever read"
        )
    helpers = _Helpers.of(top, source)
    helpers.refuse_unreachable(auths, source)
    if not auths:
        raise OptionError(
            f"{source} holds no credential: 'auths' is empty; log in to the registry first, "
            "for example with 'podman login --authfile FILE REGISTRY'"
        )
    return _collect((_from_file(key, value, source, helpers) for key, value in auths.items()), source)


def read_stored(text: str, *, legacy: bool) -> AuthFile:
    """What a secret holds, for comparison only: never refuses; an entry that no node could use has no password.

    C(legacy): it is a C(.dockercfg). A node reads each of the two shapes only from a secret of its own type.
    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return NOTHING
    if not isinstance(data, Mapping):
        return NOTHING
    auths = data if legacy else _fields(data, _TOP_FIELDS).get("auths")
    if not isinstance(auths, Mapping):
        return NOTHING
    entries = (_stored_entry(key, value) for key, value in auths.items())
    return AuthFile({entry.key: entry for entry in entries})


def changed_fields(before: Entry, after: Entry) -> list[str]:
    """Which parts of an entry differ, by name: username, password, email, ..."""
    old, new = before.meaning, after.meaning
    return sorted(name for name in {*old, *new} if old.get(name) != new.get(name))


class _Object(dict):  # type: ignore[type-arg]
    """A JSON object that remembers the keys it was given twice, of which Python and Go both keep the last."""

    def __init__(self, pairs: Iterable[tuple[str, Any]]) -> None:
        seen = list(pairs)
        super().__init__(seen)
        self.repeated = sorted({key for key, _value in seen if sum(key == other for other, _ in seen) > 1})


@dataclass(frozen=True)
class _Helpers:
    """Which credential helper holds what the file does not."""

    store: str
    by_host: Mapping[str, str]

    @classmethod
    def of(cls, top: Mapping[str, Any], source: str) -> _Helpers:
        store, helpers = top.get("credsStore") or "", top.get("credHelpers") or {}
        if not isinstance(store, str) or not isinstance(helpers, Mapping):
            raise OptionError(f"{source} is not an auth file: 'credsStore' or 'credHelpers' has the wrong type")
        if not all(isinstance(value, str) for value in helpers.values()):
            raise OptionError(f"{source} is not an auth file: 'credHelpers' holds something else than names of helpers")
        return cls(store, {same_path(without_user(key)): value for key, value in helpers.items()})

    def name_for(self, key: str) -> str:
        return self.by_host.get(same_path(key).partition("/")[0]) or self.store

    def refuse_unreachable(self, keys: Collection[str], source: str) -> None:
        """Refuse a file whose credentials are all, or for some host, only in a helper."""
        hosts = {same_path(key).partition("/")[0] for key in keys}
        elsewhere = [host for host in self.by_host if host not in hosts]
        if elsewhere:
            raise _kept_elsewhere(source, ", ".join(sorted(elsewhere)), self.by_host[elsewhere[0]])
        if self.store and not keys:
            raise _kept_elsewhere(source, "every registry", self.store)


def _kept_elsewhere(source: str, registry: str, helper: str) -> OptionError:
    return OptionError(
        f"{source} holds no credential for {registry}: it is kept by the credential helper {'docker-credential-' + helper!r}, "
        "which no node can ask; log in with 'podman login --authfile FILE REGISTRY', or give 'registries' instead"
    )


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


def _from_option(item: Mapping[str, Any]) -> Entry:
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


def _text(password: object, where: str) -> str:
    if password is None or isinstance(password, str):
        return password or ""
    if isinstance(password, int) and not isinstance(password, bool):
        return str(password)
    raise OptionError(
        f"{where} has a password that is {_json_type(password)}, not a string: quote it, or keep a template's result text "
        "with the filter 'string'"
    )


def _from_file(key: str, value: object, source: str, helpers: _Helpers) -> Entry:
    where = f"{source}: the entry for {key!r}"
    _check_key(key, source)
    if value is None or (isinstance(value, Mapping) and not value):
        helper = helpers.name_for(key)
        raise _kept_elsewhere(source, key, helper) if helper else OptionError(f"{where} is empty: log in to it again")
    if not isinstance(value, Mapping):
        raise OptionError(f"{where} is {_json_type(value)}, not an object with 'auth'")
    fields = {name: part for name, part in _fields(value, _ENTRY_FIELDS).items() if part not in (None, "")}
    username, password = _credential(fields, where)
    if not password and fields.get("identitytoken"):
        raise OptionError(
            f"{where} holds only an identity token, which the kubelet does not read: use a robot or service account of the "
            "registry, with user and password"
        )
    _require_both(where, username, password, "log in to it again with user and password")
    return Entry(key, username, password, {**fields, "auth": _encode(username, password, where)})


def _stored_entry(key: str, value: object) -> Entry:
    try:
        return _from_file(key, value, "the stored secret", _Helpers("", {}))
    except OptionError:
        return Entry(without_user(key), "", "")


def _check_key(key: str, source: str) -> None:
    try:
        check_key(key)
    except OptionError as error:
        raise OptionError(f"{source}: {error}") from None


def _credential(fields: Mapping[str, Any], where: str) -> tuple[str, str]:
    """User and password of an entry; C(auth) wins over the plain fields, as on a node."""
    for name in _ENTRY_FIELDS:
        if not isinstance(fields.get(name, ""), str):
            raise OptionError(f"{where} has a {name!r} that is {_json_type(fields[name])}, not a string")
    if "auth" not in fields:
        return fields.get("username", ""), fields.get("password", "")
    username, colon, password = _decode(fields["auth"], where).partition(":")
    if not colon:
        raise OptionError(
            f"{where} has an 'auth' without a colon: it must be base64 of USER:PASSWORD; log in to it again"
        )
    return username, password


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
    """The text of an C(auth) field. Padding may be missing and a line end is tolerated, as the kubelet does."""
    text = auth.replace("\n", "").replace("\r", "")
    try:
        raw = base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise OptionError(
            f"{where} has an 'auth' that is not standard base64: one such entry stops every pull of the pod; log in to it again"
        ) from None
    return raw.decode("utf-8", "surrogateescape")


def _fields(data: Mapping[str, Any], known: tuple[str, ...]) -> dict[str, Any]:
    """The object's members; known names in any case, as Go's JSON reads them; the last one wins."""
    spelling = {name.lower(): name for name in known}
    return {spelling.get(name.lower(), name): value for name, value in data.items()}


def _is_legacy(data: Mapping[str, Any]) -> bool:
    """Whether this is a C(.dockercfg): no wrapper, every member an object, one at least with a credential."""
    members = [value for value in data.values() if isinstance(value, Mapping)]
    return len(members) == len(data) and any(
        {"auth", "username", "identitytoken"} & set(_fields(value, _ENTRY_FIELDS)) for value in members
    )


def _refuse_constant(name: str) -> None:
    """NaN and Infinity, which Python reads and the API server does not."""
    raise ValueError(name)


def _json_type(value: object) -> str:
    if isinstance(value, Mapping):
        return "an object"
    names = {str: "a string", list: "a list", bool: "true or false", int: "a number", float: "a number"}
    return names.get(type(value), "null")


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
