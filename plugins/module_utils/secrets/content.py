# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubernetes secrets of the types that nodes read: content, view, changes, and the labels and annotations that a task gives them. Pure.

Only this module decodes the content of a stored secret.

Types that a node reads: kubelet `pkg/credentialprovider/secrets/secrets.go`. The kubelet silently ignores all others.

Limits of the API server: apimachinery `pkg/util/validation` and `pkg/api/validation/objectmeta.go`.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from ..core.errors import OptionError
from ..core.objects import Json, ObjectRef, as_dict, as_int, as_str, metadata
from ..core.redaction import secret_forms
from ..core.text import summarize
from ..dockerconfig.auth_file import NOTHING, AuthFile, parse_stored
from ..dockerconfig.credential_entry import KubeletReading, changed_fields, kubelet_reading
from ..dockerconfig.json_text import InvalidContent
from ..dockerconfig.registry_keys import host_of, keyring_key, redact_keys, without_user

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

        :raises InvalidContent: when it is not known which data key holds the auth file, or its value is not base64.
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
    def bad_keys(self) -> Sequence[str]:
        """The keys of the entries without which nodes could read the content. Empty if nothing or something else is wrong with it."""
        reading = self.for_kubelet
        bad = self.known.entries.keys() - {*map(without_user, reading.logins)}
        return sorted(bad) if len(bad) == len(reading.problems) else []

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


_ANYWAY = "or link it without this check, with 'require: none'"
_SHOWN = 5


def why_secret_missing(ref: ObjectRef, secret: Json | None) -> str:
    """Return why nothing can be done with the secret and how to fix it. Empty when the secret exists."""
    return (
        ""
        if secret is not None
        else f"{ref} does not exist: create it first (module pull_secret, but not in check mode), {_ANYWAY}"
    )


def why_not_usable(ref: ObjectRef, secret: Json | None) -> str:
    """Return why no pod could pull with the secret and how to fix it. Empty when one could."""
    if secret is None:
        return why_secret_missing(ref, secret)
    held = StoredSecret.of(secret)
    if held.type not in DATA_KEYS:
        return (
            f"{ref} has type {held.type}, which no node reads: create it as kubernetes.io/dockerconfigjson "
            f"(module pull_secret with 'recreate: true'), {_ANYWAY}"
        )
    reading = held.for_kubelet
    if reading.problems:
        return (
            f"{ref} stops every pull of a pod that uses it, because {summarize(reading.problems, _SHOWN, '; ')}: "
            f"write it again (module pull_secret), {_ANYWAY}"
        )
    if not any(user and password and keyring_key(key) is not None for key, (user, password) in reading.logins.items()):
        return f"{ref} holds no entry with user and password: write it again (module pull_secret), {_ANYWAY}"
    return ""


#: Minimum length of a searched credential. A shorter one would also be found in unrelated words.
SHORTEST = 8


@dataclass(frozen=True)
class Match:
    """`location` is a registry key, a data key or an annotation. `as_asked`: the registry and the user match those that were given, too."""

    location: str
    as_asked: bool


@dataclass(frozen=True, repr=False)
class CredentialSearch:
    """`secret` is the password or token. With `registry` and `username`, only entries for them count as the exact login."""

    secret: str
    registry: str = ""
    username: str = ""

    @cached_property
    def _forms(self) -> Sequence[bytes]:
        return [form.encode("utf-8", "surrogateescape") for form in secret_forms(self.secret)]

    def matches(self, secret: Json) -> list[Match]:
        """Return each location of the credential in the secret once: first entries of the auth file, then data keys, then annotations."""
        held = StoredSecret.of(secret)
        found = {}
        for key, (username, password) in held.for_kubelet.logins.items():
            if password == self.secret:
                found[without_user(key)] = self._is_login(key, username)
        data = {name: value for name, value in as_dict(secret.get("data")).items() if isinstance(value, str)}
        for name, value in data.items():
            # If no entry of the auth file has it, its data key may still hold the credential in another form.
            if not (found and name == held.key) and self._is_in(_decode_value(value)):
                found[f"data key {name}"] = not (self.registry or self.username)
        for name, value in as_dict(metadata(secret).get("annotations")).items():
            if isinstance(value, str) and any(self._is_in(part) for part in _annotation_parts(value)):
                found[f"annotation {name}"] = not (self.registry or self.username)
        return [Match(location, as_asked) for location, as_asked in found.items()]

    def _is_login(self, key: str, username: str) -> bool:
        return (not self.registry or host_of(self.registry) == host_of(key)) and self.username in ("", username)

    def _is_in(self, content: bytes) -> bool:
        return any(form in content for form in self._forms)


def _decode_value(value: str) -> bytes:
    try:
        return base64.b64decode(value)
    except (binascii.Error, ValueError):
        return value.encode("utf-8", "surrogatepass")


def _annotation_parts(annotation: str) -> Iterator[bytes]:
    """The text of an annotation, and each base64 value in it: `kubectl apply` writes the whole secret into one."""
    yield annotation.encode("utf-8", "surrogatepass")
    for part in annotation.split('"'):
        if len(part) > SHORTEST:
            try:
                yield base64.b64decode(part, validate=True)
            except (binascii.Error, ValueError):
                continue


#: The API server's limit on the annotations of one object together, including names, in bytes.
_MAX_ANNOTATIONS = 256 * 1024

_WORD = r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_DNS_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_LABEL_VALUE = re.compile(rf"({_WORD})?\Z")
_NAME = re.compile(rf"((?=[^/]{{1,253}}/){_DNS_LABEL}(\.{_DNS_LABEL})*/)?{_WORD}\Z")


@dataclass(frozen=True)
class SecretMetadata:
    """Labels and annotations to compare and write. Others are left as they are. `immutable` is None when it does not matter."""

    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    immutable: bool | None = None

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> SecretMetadata:
        """Return the metadata that the options describe.

        :raises OptionError: for anything that the API server would refuse.
        """
        labels, annotations = (_texts(name, options.get(name)) for name in ("labels", "annotations"))
        for name, value in labels.items():
            if not _LABEL_VALUE.match(value):
                raise OptionError(
                    f"option 'labels': the value of {name!r} is not valid: a label value has at most 63 letters, digits, '-', '_' "
                    "and '.', and begins and ends with a letter or digit. Use 'annotations' for other text"
                )
        size = sum(len(name.encode()) + len(value.encode()) for name, value in annotations.items())
        if size > _MAX_ANNOTATIONS:
            raise OptionError(
                f"option 'annotations': they have {size} bytes, but the maximum for all annotations of an object is {_MAX_ANNOTATIONS}: "
                "shorten them"
            )
        return cls(labels, annotations, options.get("immutable"))

    def with_labels(self, labels: Mapping[str, str]) -> SecretMetadata:
        """Return the same metadata with additional labels."""
        return replace(self, labels={**self.labels, **labels}) if labels else self

    def body(self) -> dict[str, Any]:
        """Return the fields of a new object."""
        meta = {name: dict(value) for name, value in self._parts() if value}
        return {"metadata": meta, **({} if self.immutable is None else {"immutable": self.immutable})}

    def missing(self, observed: Json) -> dict[str, Any]:
        """Return the values that an object lacks, by field. Empty when it lacks none."""
        held = metadata(observed)
        wrong = {
            part: {name: value for name, value in wanted.items() if as_dict(held.get(part)).get(name) != value}
            for part, wanted in self._parts()
        }
        found: dict[str, Any] = {part: names for part, names in wrong.items() if names}
        if self.immutable is not None and self.immutable is not bool(observed.get("immutable")):
            found["immutable"] = self.immutable
        return found

    def _parts(self) -> list[tuple[str, Mapping[str, str]]]:
        return [("labels", self.labels), ("annotations", self.annotations)]


def _texts(option: str, given: Mapping[str, Any] | None) -> dict[str, str]:
    for name, value in (given or {}).items():
        # The API server ignores the case of annotation prefixes, but not that of labels.
        if not _NAME.match(str(name).lower() if option == "annotations" else str(name)):
            raise OptionError(
                f"option {option!r}: the name {name!r} is not valid: write [prefix/]name, as in example.com/team, with at most 63 "
                "letters, digits, '-', '_' and '.' after the prefix"
            )
        if not isinstance(value, str) and as_int(value) is None:
            raise OptionError(f"option {option!r}: the value of {name!r} is not text: quote it")
        if not _is_unicode(str(value)):
            raise OptionError(f"option {option!r}: the value of {name!r} is not valid Unicode")
    return {str(name): str(value) for name, value in (given or {}).items()}


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
