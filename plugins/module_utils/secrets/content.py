# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How credentials stand in a secret: types and data keys, what a secret holds now, and how a difference is told. Pure."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ..core.objects import Json
from ..dockerconfig.auth_file import NOTHING, AuthFile, read_stored
from ..dockerconfig.entry import changed_fields

__all__ = [
    "DATA_KEYS", "DOCKERCFG", "DOCKERCONFIGJSON", "MAX_BYTES", "PODMANCONFIGJSON", "TYPES", "StoredSecret", "Target", "encoded", "no_changes",
    "registry_changes", "view",
]  # fmt: skip

DOCKERCONFIGJSON = "kubernetes.io/dockerconfigjson"
DOCKERCFG = "kubernetes.io/dockercfg"
PODMANCONFIGJSON = "kubernetes.io/podmanconfigjson"

DATA_KEYS = {DOCKERCONFIGJSON: ".dockerconfigjson", DOCKERCFG: ".dockercfg"}

#: The types that are written, the default first.
TYPES = (DOCKERCONFIGJSON, DOCKERCFG, PODMANCONFIGJSON)

#: The API server's limit on the decoded data of one secret, in bytes.
MAX_BYTES = 1024 * 1024


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
        content: Any = auth_file.auths() if self.legacy else {"auths": auth_file.auths()}
        text = json.dumps(content, ensure_ascii=False)
        return base64.b64encode(text.encode("utf-8", "surrogatepass")).decode("ascii")


@dataclass(frozen=True, repr=False)
class StoredSecret:
    """What a secret holds now: its type, the data key of its auth file, and the data beside it."""

    type: str
    key: str
    value: str
    others: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, observed: Json) -> StoredSecret:
        data = dict(observed.get("data") or {})
        kind = observed.get("type") or "Opaque"
        key = DATA_KEYS.get(kind) or next(iter(data), "")
        value = data.pop(key, None) or ""
        return cls(kind, key, value, data)

    @property
    def legacy(self) -> bool:
        return self.key == DATA_KEYS[DOCKERCFG]

    @property
    def text(self) -> str:
        """The content as text that becomes the same bytes again."""
        try:
            return base64.b64decode(self.value).decode("utf-8", "surrogateescape")
        except binascii.Error:
            return ""

    @cached_property
    def auth_file(self) -> AuthFile:
        """The registries in it, also when no node could use them."""
        return _read(self.value, self.legacy)

    @property
    def is_auth_file(self) -> bool:
        """Whether a secret of some other type holds an auth file and nothing else."""
        return not self.others and bool(self.auth_file.entries)


def encoded(text: str) -> str:
    return base64.b64encode(text.encode("utf-8", "surrogateescape")).decode("ascii")


def registry_changes(before: AuthFile, value: str, *, legacy: bool) -> dict[str, Any]:
    """What becomes of the registries when a data key gets a new value: added, removed, and which parts of a credential change."""
    old, new = before.entries, _read(value, legacy).entries
    fields = {key: changed_fields(old[key], new[key]) for key in sorted({*old} & {*new})}
    return {
        "added": sorted({*new} - {*old}),
        "changed": {key: names for key, names in fields.items() if names},
        "removed": sorted({*old} - {*new}),
    }


def no_changes() -> dict[str, Any]:
    return {"added": [], "changed": {}, "removed": []}


def view(secret_type: str, registries: Mapping[str, Any] | AuthFile, changes: Json | None = None) -> dict[str, Any]:
    """A secret as a diff may show it: registries by name, and which part of a credential changed, never a value."""
    names = set(registries.entries if isinstance(registries, AuthFile) else registries)
    found = changes or no_changes()
    marks = {key: f"credential with changed {', '.join(parts)}" for key, parts in found["changed"].items()}
    shown = sorted((names | set(found["added"])) - set(found["removed"]))
    return {"type": secret_type, "registries": {key: marks.get(key, "credential") for key in shown}}


def _read(value: str, legacy: bool) -> AuthFile:
    try:
        text = base64.b64decode(value).decode("utf-8", "surrogatepass")
    except (binascii.Error, UnicodeDecodeError):
        return NOTHING
    return read_stored(text, legacy=legacy)
