# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How credentials are stored in a secret: types and data keys, the current content, and how a difference is reported. Pure.

Only this module decodes the content of a stored secret.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ..core.objects import Json, as_dict, as_str
from ..dockerconfig.auth_file import NOTHING, AuthFile, parse_stored
from ..dockerconfig.credential_entry import changed_fields
from ..dockerconfig.json_text import InvalidContent
from ..dockerconfig.node_reading import KubeletReading, kubelet_reading
from ..dockerconfig.registry_keys import redact_keys, without_user

__all__ = [
    "DATA_KEYS",
    "DOCKERCFG",
    "DOCKERCONFIGJSON",
    "MAX_BYTES",
    "PODMANCONFIGJSON",
    "TYPES",
    "StoredSecret",
    "Target",
    "can_be_auth_file",
    "encode_content",
    "no_changes",
    "registry_changes",
    "view_secret",
    "view_stored_secret",
]  # fmt: skip

DOCKERCONFIGJSON = "kubernetes.io/dockerconfigjson"
DOCKERCFG = "kubernetes.io/dockercfg"
PODMANCONFIGJSON = "kubernetes.io/podmanconfigjson"

#: The data key that a node reads, for each secret type that it reads.
DATA_KEYS = {DOCKERCONFIGJSON: ".dockerconfigjson", DOCKERCFG: ".dockercfg"}

#: The types of pull secrets. No node reads the one that OpenShift's documentation names for Podman's file.
TYPES = (DOCKERCONFIGJSON, DOCKERCFG, PODMANCONFIGJSON)

#: The API server's limit on the decoded data of one secret, in bytes.
MAX_BYTES = 1024 * 1024

#: Placeholder for something other than data in a server's response. It is not valid base64.
_NOT_BASE64 = "?"

_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?\Z")


@dataclass(frozen=True)
class Target:
    """How credentials are stored: the secret's type and the matching data key."""

    type: str
    key: str

    @property
    def legacy(self) -> bool:
        return self.type == DOCKERCFG

    def encode(self, auth_file: AuthFile) -> str:
        """Return the value of the data key, in base64 as the API requires."""
        return encode_content(auth_file.text(legacy=self.legacy))


@dataclass(frozen=True, repr=False)
class StoredSecret:
    """The current content of a secret: its type, the data key of its auth file with its value, and all other data.

    `key` is empty when the secret has no auth file, or when several data keys may hold it.
    """

    type: str
    key: str
    value: str
    others: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, observed: Json, key: str = "") -> StoredSecret:
        """Return the content of a secret. `key`: the data key to use, if it exists, for a type without a fixed one."""
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
        """The content as text that encodes to the same bytes again, or `{}` when there is none.

        :raises InvalidContent: when it is unknown which data key holds the auth file, or its value is not base64.
        """
        if not self.key and self.others:
            raise InvalidContent(f"is not in one data key: the secret has {', '.join(sorted(self.others))}")
        return _decode_base64(self.value) or "{}"

    @cached_property
    def auth_file(self) -> AuthFile:
        """The registries in the secret, including those that no node could use.

        :raises InvalidContent: when it is not an auth file, so that its content is unknown.
        """
        return parse_stored(self.text, legacy=self.legacy)

    @cached_property
    def unreadable(self) -> str:
        """The reason why `auth_file` cannot be read, as the rest of a sentence. Empty when it can."""
        try:
            _read = self.auth_file
        except InvalidContent as error:
            return str(error)
        return ""

    @property
    def known(self) -> AuthFile:
        """The known content: an empty auth file when it cannot be read. Check `unreadable` before you conclude that the secret is empty."""
        return NOTHING if self.unreadable else self.auth_file

    @property
    def for_kubelet(self) -> KubeletReading:
        """The content as the kubelet reads it. Check the secret's type first: the kubelet ignores some."""
        try:
            return kubelet_reading(self.text, legacy=self.legacy)
        except InvalidContent as error:
            return KubeletReading({}, (f"it {error}",))

    @property
    def is_auth_file(self) -> bool:
        """Whether a secret of another type holds an auth file and nothing else."""
        return not self.others and bool(self.known.entries)


def can_be_auth_file(data: object) -> bool:
    """Whether the data of a secret of any type may hold an auth file. Checks names and prefixes, to avoid decoding most values."""
    return any(key in _USUAL_KEYS or _is_auth_json(value) for key, value in as_dict(data).items())


#: The usual data keys of auth files.
_USUAL_KEYS = frozenset({*DATA_KEYS.values(), "config.json", "auth.json"})


def _is_auth_json(value: object) -> bool:
    """Whether the value is the base64 of a JSON object that contains a name beginning with `auth`."""
    if not isinstance(value, str) or value[:2] not in ("ey", "ew"):
        return False
    try:
        return '"auth' in _decode_base64(value)
    except InvalidContent:
        return False


def encode_content(content: str) -> str:
    return base64.b64encode(content.encode("utf-8", "surrogateescape")).decode("ascii")


def registry_changes(before: AuthFile, after: AuthFile) -> dict[str, Any]:
    """Return the changes of the registries, safe to show: added, removed, and the changed fields of each changed credential.

    Shape: `{"added": [KEY], "changed": {KEY: [FIELD]}, "removed": [KEY]}`.
    """
    old, new = before.entries, after.entries
    fields = {key: changed_fields(old[key], new[key]) for key in sorted({*old} & {*new})}
    return {
        "added": redact_keys({*new} - {*old}),
        "changed": {without_user(key): names for key, names in fields.items() if names},
        "removed": redact_keys({*old} - {*new}),
    }


def no_changes() -> dict[str, Any]:
    return {"added": [], "changed": {}, "removed": []}


def view_secret(secret_type: str, registries: Iterable[str], changes: Json | None = None) -> dict[str, Any]:
    """Return a secret for a diff: registries by name, and the changed fields of a credential, never a value."""
    found = changes or no_changes()
    changed = {key: f"credential with changed {', '.join(parts)}" for key, parts in found["changed"].items()}
    names = sorted({*registries, *found["added"]} - {*found["removed"]})
    return {"type": secret_type, "registries": {key: changed.get(key, "credential") for key in names}}


def view_stored_secret(held: StoredSecret) -> dict[str, Any]:
    """Return a stored secret for a diff."""
    if held.unreadable:
        return {"type": held.type, "registries": f"not known: the content {held.unreadable}"}
    return view_secret(held.type, held.auth_file.registries)


def _likely_key(data: Mapping[str, Any]) -> str:
    """The data key of an auth file: the only key, or the only one whose value is an auth file with an entry."""
    if len(data) > 1:
        data = {key: value for key, value in data.items() if StoredSecret("", key, value).known.entries}
    return next(iter(data)) if len(data) == 1 else ""


def _as_text(value: object) -> str:
    """A value as the API server sends it. Anything other than text or null is unreadable content."""
    return value if isinstance(value, str) else "" if value is None else _NOT_BASE64


def _decode_base64(value: str) -> str:
    one_line = value.replace("\n", "").replace("\r", "")
    if not _BASE64.match(one_line):
        raise InvalidContent("is not base64")
    return base64.b64decode(one_line).decode("utf-8", "surrogateescape")
