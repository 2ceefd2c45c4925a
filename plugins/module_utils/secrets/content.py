# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How credentials stand in a secret: types and data keys, what a secret holds now, and how a difference is told. Pure.

This is the one place where the content of a stored secret is decoded.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ..core.json_types import as_dict, as_str
from ..core.objects import Json
from ..dockerconfig.auth_file import NOTHING, AuthFile, read_stored
from ..dockerconfig.credential_entry import changed_fields
from ..dockerconfig.json_text import InvalidContent
from ..dockerconfig.kubelet_reading import KubeletReading, kubelet_reading
from ..dockerconfig.registry_keys import shown, without_user

__all__ = [
    "DATA_KEYS", "DOCKERCFG", "DOCKERCONFIGJSON", "MAX_BYTES", "PODMANCONFIGJSON", "TYPES", "StoredSecret", "Target", "encoded", "may_be_auth_file",
    "no_changes", "registry_changes", "stored_view", "view",
]  # fmt: skip

DOCKERCONFIGJSON = "kubernetes.io/dockerconfigjson"
DOCKERCFG = "kubernetes.io/dockercfg"
PODMANCONFIGJSON = "kubernetes.io/podmanconfigjson"

#: The data key that a node reads, for each type that it reads.
DATA_KEYS = {DOCKERCONFIGJSON: ".dockerconfigjson", DOCKERCFG: ".dockercfg"}

#: The types that are written, the default first.
TYPES = (DOCKERCONFIGJSON, DOCKERCFG, PODMANCONFIGJSON)

#: The API server's limit on the decoded data of one secret, in bytes.
MAX_BYTES = 1024 * 1024

#: Stands for what a server sent in place of data.
_NOT_BASE64 = "?"

_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?\Z")


@dataclass(frozen=True)
class Target:
    """How the credentials are stored: the secret's type and the data key that goes with it."""

    type: str
    key: str

    @property
    def legacy(self) -> bool:
        return self.type == DOCKERCFG

    def encode(self, auth_file: AuthFile) -> str:
        """The value of the data key, base64 as the API wants it."""
        return encoded(auth_file.text(legacy=self.legacy))


@dataclass(frozen=True, repr=False)
class StoredSecret:
    """What a secret holds now: its type, the data key of its auth file with its value, and the data beside it.

    `key` is empty when no data key is the auth file's, or when several may be.
    """

    type: str
    key: str
    value: str
    others: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, observed: Json, key: str = "") -> StoredSecret:
        """`key`: the data key to take, if it is there, for a type that has none of its own."""
        given = observed.get("data") or {}
        data = {name: _as_text(value) for name, value in as_dict(given).items()}
        kind = as_str(observed.get("type")) or "Opaque"
        found = DATA_KEYS.get(kind) or (key if key in data else _likely_key(data))
        if given is not as_dict(given):
            return cls(kind, found, _NOT_BASE64)
        return cls(kind, found, data.pop(found, ""), data)

    @property
    def legacy(self) -> bool:
        return self.key == DATA_KEYS[DOCKERCFG]

    @cached_property
    def text(self) -> str:
        """The content as text that becomes the same bytes again; `{}` when there is none.

        :raises Unreadable: when there is no telling which data key is the auth file's, or its value is not base64.
        """
        if not self.key and self.others:
            raise InvalidContent(f"is not in one data key: the secret has {', '.join(sorted(self.others))}")
        return _decoded(self.value) or "{}"

    @cached_property
    def auth_file(self) -> AuthFile:
        """The registries in it, also when no node could use them.

        :raises Unreadable: when it is not an auth file: what it holds is not known.
        """
        return read_stored(self.text, legacy=self.legacy)

    @cached_property
    def unreadable(self) -> str:
        """Why `auth_file` cannot be read, as the rest of a sentence; empty when it can."""
        try:
            _read = self.auth_file
        except InvalidContent as error:
            return str(error)
        return ""

    @property
    def known(self) -> AuthFile:
        """What is known of it: nothing, when it cannot be read. See `unreadable` before you conclude that it is empty."""
        return NOTHING if self.unreadable else self.auth_file

    @property
    def for_kubelet(self) -> KubeletReading:
        """What the kubelet makes of it; nothing for a type that it does not read."""
        try:
            return kubelet_reading(self.text, legacy=self.legacy)
        except InvalidContent as error:
            return KubeletReading({}, (f"it {error}",))

    @property
    def is_auth_file(self) -> bool:
        """Whether a secret of some other type holds an auth file and nothing else."""
        return not self.others and bool(self.known.entries)


def may_be_auth_file(data: object) -> bool:
    """Whether the data of a secret, of whatever type, is worth a look: told from names and beginnings, so without decoding most of it."""
    return any(key in _USUAL_KEYS or _begins_like_one(value) for key, value in as_dict(data).items())


#: The data keys under which auth files usually stand.
_USUAL_KEYS = frozenset({*DATA_KEYS.values(), "config.json", "auth.json"})


def _begins_like_one(value: object) -> bool:
    """Whether it is the base64 of a JSON object in which something is called `auth`."""
    if not isinstance(value, str) or value[:2] not in ("ey", "ew"):
        return False
    try:
        return '"auth' in _decoded(value)
    except InvalidContent:
        return False


def encoded(content: str) -> str:
    return base64.b64encode(content.encode("utf-8", "surrogateescape")).decode("ascii")


def registry_changes(before: AuthFile, after: AuthFile) -> dict[str, Any]:
    """What becomes of the registries, as they may be shown: added, removed, and which parts of a credential change."""
    old, new = before.entries, after.entries
    fields = {key: changed_fields(old[key], new[key]) for key in sorted({*old} & {*new})}
    return {
        "added": shown({*new} - {*old}),
        "changed": {without_user(key): names for key, names in fields.items() if names},
        "removed": shown({*old} - {*new}),
    }


def no_changes() -> dict[str, Any]:
    return {"added": [], "changed": {}, "removed": []}


def view(secret_type: str, registries: Iterable[str], changes: Json | None = None) -> dict[str, Any]:
    """A secret as a diff may show it: registries by name, and which part of a credential changed, never a value."""
    found = changes or no_changes()
    changed = {key: f"credential with changed {', '.join(parts)}" for key, parts in found["changed"].items()}
    names = sorted({*registries, *found["added"]} - {*found["removed"]})
    return {"type": secret_type, "registries": {key: changed.get(key, "credential") for key in names}}


def stored_view(held: StoredSecret) -> dict[str, Any]:
    """A secret as it is, as a diff may show it."""
    if held.unreadable:
        return {"type": held.type, "registries": f"not known: the content {held.unreadable}"}
    return view(held.type, held.auth_file.registries)


def _likely_key(data: Mapping[str, Any]) -> str:
    """The data key of an auth file: the only key, or the only one whose value is an auth file with an entry."""
    if len(data) > 1:
        data = {key: value for key, value in data.items() if StoredSecret("", key, value).known.entries}
    return next(iter(data)) if len(data) == 1 else ""


def _as_text(value: object) -> str:
    """A value as the API server sends it; what is neither text nor null is content that cannot be read."""
    return value if isinstance(value, str) else "" if value is None else _NOT_BASE64


def _decoded(value: str) -> str:
    one_line = value.replace("\n", "").replace("\r", "")
    if not _BASE64.match(one_line):
        raise InvalidContent("is not base64")
    return base64.b64decode(one_line).decode("utf-8", "surrogateescape")
