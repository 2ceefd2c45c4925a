# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The O(pull_secret) module's wish: one named secret with registry credentials in a namespace. Pure."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .auth_entry import changed_fields
from .auth_file import NOTHING, AuthFile, from_registries, parse, parse_text, read_stored
from .errors import OptionError, Refusal
from .model import NOTHING_FOUND, SECRET, Found, Json, Objects, Plan, Ref, Selection, create, delete, metadata, update
from .names import check_name

__all__ = ["TYPES", "PullSecret", "Target", "from_options"]

DOCKERCONFIGJSON = "kubernetes.io/dockerconfigjson"
DOCKERCFG = "kubernetes.io/dockercfg"
PODMANCONFIGJSON = "kubernetes.io/podmanconfigjson"

_DATA_KEYS = {DOCKERCONFIGJSON: ".dockerconfigjson", DOCKERCFG: ".dockercfg"}

#: The types that this module writes, the default first.
TYPES = (DOCKERCONFIGJSON, DOCKERCFG, PODMANCONFIGJSON)

#: The platform writes these; facts: openshift-controller-manager pkg/internalregistry/controllers and, before 4.16,
#: pkg/serviceaccounts/controllers.
_PLATFORM_ANNOTATIONS = ("openshift.io/internal-registry-auth-token.service-account", "openshift.io/token-secret.name")

_PODMAN_WARNING = (
    f"type {PODMANCONFIGJSON} is stored as asked, but the kubelet, CRI-O, image import and builds do not read it, so no pod "
    f"can pull with this secret; Podman's auth.json works when it is stored as {DOCKERCONFIGJSON}, the default type"
)

#: The API server's limit on the decoded data of one secret, in bytes.
_MAX_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Target:
    """How the credentials are stored: the secret's type and the data key that goes with it."""

    type: str
    key: str

    def encode(self, auth_file: AuthFile) -> str:
        """The value of the data key, base64 as the API wants it."""
        content: Any = auth_file.auths() if self.type == DOCKERCFG else {"auths": auth_file.auths()}
        return base64.b64encode(json.dumps(content, ensure_ascii=False).encode("utf-8", "surrogatepass")).decode(
            "ascii"
        )


@dataclass(frozen=True, repr=False)
class PullSecret:
    """C(auth_file) is None when the secret is to be absent."""

    name: str
    target: Target
    auth_file: AuthFile | None

    prerequisite = None

    @property
    def selection(self) -> Selection:
        return Selection(SECRET, (self.name,))

    @property
    def warnings(self) -> list[str]:
        return [_PODMAN_WARNING] if self.auth_file and self.target.type == PODMANCONFIGJSON else []

    def lookups(self, _namespace: str, _objects: Objects) -> Sequence[Ref]:
        return ()

    def plan(self, namespace: str, objects: Objects, found: Found = NOTHING_FOUND) -> Plan:
        """:raises Refusal: when the secret of that name is not one that this module may change."""
        ref, observed = Ref(SECRET, namespace, self.name), objects.get(self.name)
        if observed is not None:
            _refuse_foreign(ref, observed)
        if self.auth_file is None:
            return self._plan_absent(ref, observed)
        return self._plan_present(ref, observed, self.auth_file)

    def _plan_absent(self, ref: Ref, observed: Json | None) -> Plan:
        if observed is None:
            return Plan()
        before = _stored(observed)
        details = {"registries": _registry_changes(before, NOTHING)}
        return Plan((delete(ref, observed, details, _view(observed["type"], before)),))

    def _plan_present(self, ref: Ref, observed: Json | None, wanted: AuthFile) -> Plan:
        data = {"data": {self.target.key: self.target.encode(wanted)}}
        if observed is None:
            details = {"registries": _registry_changes(NOTHING, wanted)}
            body = {"metadata": {}, "type": self.target.type, **data}
            return Plan((create(ref, body, details, _view(self.target.type, wanted)),))
        if observed["type"] != self.target.type:
            raise Refusal(
                f"{ref} exists with type {observed['type']}, and the type of a secret cannot be changed to {self.target.type}; "
                "delete it first with state=absent, or choose another name"
            )
        before = _stored(observed)
        changes = _registry_changes(before, wanted)
        if not any(changes.values()):
            return Plan()
        if observed.get("immutable"):
            raise Refusal(f"{ref} is immutable; delete it first with state=absent, or choose another name")
        details, kind = {"registries": changes}, self.target.type
        views = {"before": _view(kind, before), "after": _view(kind, wanted, changes["changed"])}
        return Plan((update(ref, observed, data, details, **views),))


def from_options(options: Mapping[str, Any], read_file: Callable[[str], str]) -> PullSecret:
    """The wish that the module's options express.

    :raises OptionError: for anything that cannot work; nothing has been read from the cluster yet.
    """
    check_name("name", options["name"])
    secret_type = options["type"]
    key = _DATA_KEYS.get(secret_type) or _base_name(options)
    target = Target(secret_type, key)
    if options["state"] == "absent":
        return PullSecret(options["name"], target, None)
    auth_file = _auth_file(options, read_file)
    size = len(base64.b64decode(target.encode(auth_file)))
    if size > _MAX_BYTES:
        raise OptionError(
            f"the credentials for secret {options['name']} are {size} bytes; a secret holds {_MAX_BYTES} at most"
        )
    return PullSecret(options["name"], target, auth_file)


def _auth_file(options: Mapping[str, Any], read_file: Callable[[str], str]) -> AuthFile:
    if options.get("registries") is not None:
        if not options["registries"]:
            raise OptionError(
                "option 'registries' is empty: give at least one registry, or state=absent to take the secret away"
            )
        return from_registries(options["registries"])
    if options.get("auth_file") is not None:
        return parse_text(read_file(options["auth_file"]), f"auth file {options['auth_file']}")
    config = options["auth_config"]
    return (
        parse_text(config, "option 'auth_config'") if isinstance(config, str) else parse(config, "option 'auth_config'")
    )


def _base_name(options: Mapping[str, Any]) -> str:
    """The key that C(oc create secret generic --from-file=FILE) gives: the file's base name."""
    return (options.get("auth_file") or "auth.json").replace("\\", "/").rpartition("/")[2]


def _refuse_foreign(ref: Ref, observed: Json) -> None:
    annotations = metadata(observed).get("annotations") or {}
    if any(name in annotations for name in _PLATFORM_ANNOTATIONS):
        raise Refusal(f"{ref} belongs to the platform, which would write it again; choose another name")
    if observed.get("type") not in TYPES:
        raise Refusal(
            f"{ref} is no pull secret but of type {observed.get('type')}; it is left alone: choose another name"
        )


def _stored(observed: Json) -> AuthFile:
    """What a secret holds now, also when no node could use it."""
    data = observed.get("data") or {}
    key = _DATA_KEYS.get(observed["type"]) or next(iter(data), "")
    try:
        text = base64.b64decode(data.get(key) or "").decode("utf-8", "surrogatepass")
    except (binascii.Error, UnicodeDecodeError):
        return NOTHING
    return read_stored(text, legacy=observed["type"] == DOCKERCFG)


def _registry_changes(before: AuthFile, after: AuthFile) -> dict[str, Any]:
    old, new = before.entries, after.entries
    fields = {key: changed_fields(old[key], new[key]) for key in sorted({*old} & {*new})}
    return {
        "added": sorted({*new} - {*old}),
        "changed": {key: names for key, names in fields.items() if names},
        "removed": sorted({*old} - {*new}),
    }


def _view(secret_type: str, auth_file: AuthFile, changed: Mapping[str, list[str]] | None = None) -> dict[str, Any]:
    """A secret as a diff may show it: registries by name, and which part of a credential changed, never a value."""
    marks = {key: f"credential with changed {', '.join(names)}" for key, names in (changed or {}).items()}
    return {"type": secret_type, "registries": {key: marks.get(key, "credential") for key in auth_file.registries}}
