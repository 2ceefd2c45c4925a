# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The `pull_secret` module's wish: one named secret with registry credentials in a namespace. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...core.changes import Change, create, delete, replace, update
from ...core.errors import Refusal
from ...core.objects import SECRET, Json, ObjectRef, Objects
from ...core.protocols import NOTHING_RELATED, Plan, Related, Selection
from ...dockerconfig.auth_file import NOTHING, AuthFile
from ...dockerconfig.editing import NotAnAuthFile, converted, merged, without
from ...dockerconfig.key_warnings import key_warnings
from ...platform.protected import check_size, refuse_dropping, refuse_foreign
from ...secrets.content import (
    DOCKERCONFIGJSON,
    PODMANCONFIGJSON,
    StoredSecret,
    Target,
    encoded,
    no_changes,
    registry_changes,
    view,
)
from ...secrets.metadata import SecretMetadata

__all__ = ["MODES", "PullSecret"]

#: What is done to a secret that exists, the default first.
MODES = ("replace", "merge", "remove")

_PODMAN_WARNING = (
    f"type {PODMANCONFIGJSON} is stored as asked, but the kubelet, CRI-O, image import and builds do not read it, so no pod "
    f"can pull with this secret; Podman's auth.json works when it is stored as {DOCKERCONFIGJSON}, the default type"
)


@dataclass(frozen=True, repr=False)
class PullSecret:
    """`mode` is one of `MODES`, or `absent` for the whole secret. `registries` are those to be removed."""

    name: str
    target: Target
    mode: str
    auth_file: AuthFile = NOTHING
    registries: tuple[str, ...] = ()
    marks: SecretMetadata = field(default_factory=SecretMetadata)
    update_existing: bool = True
    recreate: bool = False

    precondition = None

    @property
    def selection(self) -> Selection:
        return Selection(SECRET, (self.name,))

    @property
    def warnings(self) -> list[str]:
        dead = self.auth_file.entries and self.target.type == PODMANCONFIGJSON
        return [*([_PODMAN_WARNING] if dead else []), *key_warnings(self.auth_file.registries)]

    def related(self, _namespace: str, _objects: Objects) -> Sequence[ObjectRef]:
        return ()

    def plan(self, namespace: str, objects: Objects, found: Related = NOTHING_RELATED) -> Plan:
        """:raises Refusal: when the secret of that name is not one that this module may change, or not in that way."""
        ref, observed = ObjectRef(SECRET, namespace, self.name), objects.get(self.name)
        if observed is None:
            return self._plan_new(ref)
        refuse_foreign(ref, observed, convertible=self.recreate and self.mode in ("replace", "merge"))
        if self.mode == "absent":
            return _plan_absent(ref, observed)
        return self._plan_existing(ref, observed) if self.update_existing else Plan()

    def _plan_new(self, ref: ObjectRef) -> Plan:
        if self.mode in ("absent", "remove"):
            return Plan()
        refuse_dropping(ref, self.target.type, (), "create")
        value = self.target.encode(self.auth_file)
        details = {"registries": registry_changes(NOTHING, value, legacy=self.target.legacy)}
        body = {**self.marks.body(), "type": self.target.type, "data": {self.target.key: value}}
        return Plan((create(ref, body, details, view(self.target.type, self.auth_file)),))

    def _plan_existing(self, ref: ObjectRef, observed: Json) -> Plan:
        held = StoredSecret.of(observed)
        target = Target(held.type, held.key) if self.mode == "remove" or held.type == self.target.type else self.target
        target = target if target.key else self.target
        value = self._value(ref, held, target)
        changes = registry_changes(held.auth_file, value, legacy=target.legacy)
        missing = self.marks.missing(observed)
        keeps = held.type == target.type and not any(changes.values())
        difference = _Difference(held, target, held.value if keeps else value, changes, missing)
        if difference.is_none:
            return Plan()
        return Plan((self._change(ref, observed, difference),), notes=tuple(difference.notes(ref, self.auth_file)))

    def _value(self, ref: ObjectRef, held: StoredSecret, target: Target) -> str:
        """What the data key shall hold."""
        if self.mode == "replace":
            return target.encode(self.auth_file)
        if self.mode == "merge" and held.type == target.type and held.auth_file.holds(self.auth_file):
            return held.value
        text = held.text.strip() or "{}"
        try:
            text = converted(text, legacy=target.legacy) if held.legacy != target.legacy else text
            if self.mode == "remove":
                return encoded(without(text, self.registries, legacy=target.legacy))
            return encoded(merged(text, self.auth_file, legacy=target.legacy))
        except NotAnAuthFile as error:
            if self.mode == "remove":
                return held.value
            raise Refusal(
                f"{ref} holds no auth file that could be added to: {error}; use mode=replace to put the given registries in its place"
            ) from None

    def _change(self, ref: ObjectRef, observed: Json, difference: _Difference) -> Change:
        views = {"before": difference.before(), "after": difference.after()}
        why = difference.cannot_update(ref, observed)
        refuse_dropping(ref, difference.target.type, difference.changes["removed"], "replace" if why else "update")
        if not why:
            return update(ref, observed, difference.patch(ref), difference.details, **views)
        if not self.recreate:
            raise Refusal(
                f"{why}; with recreate=true it is deleted and created anew, or put back if that fails; or choose another name"
            )
        body = {**self.marks.body(), **difference.body(ref)}
        if self.marks.immutable is None and observed.get("immutable"):
            body["immutable"] = True
        return replace(ref, observed, body, difference.details, **views)


@dataclass(frozen=True, repr=False)
class _Difference:
    """Between a secret and what it shall be. `value` is that of its data key, `missing` what `SecretMetadata` wants besides."""

    held: StoredSecret
    target: Target
    value: str
    changes: Mapping[str, Any]
    missing: Mapping[str, Any]

    @property
    def is_none(self) -> bool:
        return not any(self.changes.values()) and self.held.type == self.target.type and not self.missing

    @property
    def details(self) -> dict[str, Any]:
        types = {"before": self.held.type, "after": self.target.type}
        marks = {part: value if part == "immutable" else sorted(value) for part, value in self.missing.items()}
        return {"registries": self.changes, **({} if self.held.type == self.target.type else {"type": types}), **marks}

    def before(self) -> dict[str, Any]:
        return {**view(self.held.type, self.held.auth_file), **self._marks("not as wanted", flag=False)}

    def after(self) -> dict[str, Any]:
        return {**view(self.target.type, self.held.auth_file, self.changes), **self._marks("as wanted", flag=True)}

    def _marks(self, words: str, *, flag: bool) -> dict[str, Any]:
        return {
            part: (value is flag) if part == "immutable" else dict.fromkeys(sorted(value), words)
            for part, value in self.missing.items()
        }

    def cannot_update(self, ref: ObjectRef, observed: Json) -> str:
        """Why the API server would refuse an update; empty when it would not."""
        if self.held.type != self.target.type:
            return f"{ref} exists with type {self.held.type}, and the type of a secret cannot be changed to {self.target.type}"
        if observed.get("immutable") and (any(self.changes.values()) or "immutable" in self.missing):
            return f"{ref} is immutable"
        return ""

    def notes(self, ref: ObjectRef, ours: AuthFile) -> Iterable[str]:
        """What the user should know of the content that stays."""
        if self.changes["removed"] and not self.after()["registries"]:
            yield f"{ref} holds no registry any more; state=absent takes it away"
        for key, entry in sorted(self.held.auth_file.entries.items()):
            if not entry.username and key not in ours.entries and key not in self.changes["removed"]:
                yield f"{ref} had an entry for {key} before that no node can use; give it anew, or take it out with mode=remove"

    def patch(self, ref: ObjectRef) -> dict[str, Any]:
        """The part of the object that changes; other data stays."""
        meta = {part: dict(self.missing[part]) for part in ("labels", "annotations") if part in self.missing}
        flag = {"immutable": self.missing["immutable"]} if "immutable" in self.missing else {}
        data = {"data": self.body(ref, others=False)["data"]} if any(self.changes.values()) else {}
        return {**({"metadata": meta} if meta else {}), **data, **flag}

    def body(self, ref: ObjectRef, *, others: bool = True) -> dict[str, Any]:
        """:raises OptionError: when it is more than a secret holds."""
        check_size(str(ref), self.value, *self.held.others.values())
        beside = self.held.others if others else {}
        return {"type": self.target.type, "data": {**beside, self.target.key: self.value}}


def _plan_absent(ref: ObjectRef, observed: Json) -> Plan:
    held = StoredSecret.of(observed)
    refuse_dropping(ref, held.type, (), "delete")
    changes = {**no_changes(), "removed": held.auth_file.registries}
    return Plan((delete(ref, observed, {"registries": changes}, view(held.type, held.auth_file)),))
