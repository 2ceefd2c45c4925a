# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `pull_secret` declares: one named secret with registry credentials in a namespace. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

from ...core.changes import Change, create, delete, replace, update
from ...core.errors import Refusal
from ...core.objects import SECRET, Json, Kind, ObjectRef, Objects
from ...core.ownership import Ownership, is_managed
from ...core.phrases import summarize
from ...core.protocols import NOTHING_RELATED, ListedBy, Plan, Related
from ...dockerconfig.auth_file import NOTHING, AuthFile, read_stored
from ...dockerconfig.editing import converted, merged, without
from ...dockerconfig.json_text import InvalidContent
from ...dockerconfig.key_warnings import key_warnings
from ...dockerconfig.kubelet_reading import kubelet_reading
from ...dockerconfig.registry_keys import same_path, without_user
from ...explain.verification import Verification
from ...platform.hosted import ADDITIONAL_SECRET, objection, unmerged
from ...platform.protected import check_size, is_platforms, refuse_dropping, refuse_foreign, refuse_unknown_loss
from ...secrets.content import (
    DATA_KEYS,
    DOCKERCONFIGJSON,
    PODMANCONFIGJSON,
    StoredSecret,
    Target,
    encoded,
    no_changes,
    registry_changes,
    stored_view,
    view,
)
from ...secrets.metadata import SecretMetadata

__all__ = ["MODES", "PullSecret"]

#: What is done to a secret that exists, the default first.
MODES = ("replace", "merge", "remove")

_PODMAN_WARNING = (
    f"type {PODMANCONFIGJSON} is written as requested, but the kubelet, CRI-O, image import and builds do not read it, so no pod "
    f"can pull with this secret; Podman's auth.json works when it is stored as {DOCKERCONFIGJSON}, the default type"
)
_SHOWN = 5
#: What `delete_empty` reports of a namespace without the secret, so that links to it can be removed there.
_GONE = {"exists": False}
_HOW_TO_RECREATE = (
    "with recreate=true it is deleted and created again, or restored if that fails; or choose another name"
)


@dataclass(frozen=True, repr=False)
class PullSecret:
    """`mode` is one of `MODES`, or `absent` for the whole secret. `registries` are those to be removed.

    With `only_managed`, `absent` keeps a secret that does not carry our label. With `delete_empty`, `remove` deletes a secret that
    carries it and holds nothing any more, and the additional secret of a hosted cluster whoever made it: the platform keeps the logins of
    one without entries. `ownership` is for whom. `verification` is what has to be proven before.
    `drop_platform_registries`: entries of the platform that may be removed from the nodes' pull secret; not None where it is one.
    """

    name: str
    target: Target
    mode: str
    auth_file: AuthFile = NOTHING
    registries: tuple[str, ...] = ()
    secret_metadata: SecretMetadata = field(default_factory=SecretMetadata)
    update_existing: bool = True
    recreate: bool = False
    only_managed: bool = False
    delete_empty: bool = False
    ownership: Ownership = field(default_factory=Ownership)
    verification: Verification | None = None
    drop_platform_registries: tuple[str, ...] | None = None

    kind: ClassVar[Kind] = SECRET

    @property
    def listed_by(self) -> ListedBy:
        return {SECRET: (f"type={self.target.type}",)}

    def names(self, _namespace: str) -> tuple[str, ...]:
        return (self.name,)

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
        if self.only_managed and not is_managed(observed):
            return Plan(
                notes=(f"{ref} does not carry the label of this collection, so it was kept (only_managed=true)",)
            )
        if self.only_managed and (other := self.ownership.other(observed)):
            return Plan(notes=(f"{ref} belongs to owner {other}, so it was kept (only_managed=true)",))
        self.ownership.refuse_other(ref, observed, adoptable=self._creates)
        refuse_foreign(ref, observed, convertible=self.recreate and self.mode in ("replace", "merge"))
        held = StoredSecret.of(observed, self.target.key)
        if self.mode == "absent":
            return self._plan_delete(ref, observed, held)
        return self._plan_existing(ref, observed, held) if self.update_existing else Plan()

    objection = staticmethod(objection)

    @property
    def _creates(self) -> bool:
        """Whether the secret is declared to exist: only then it can be adopted."""
        return self.mode in ("replace", "merge")

    def _plan_new(self, ref: ObjectRef) -> Plan:
        if self.mode in ("absent", "remove"):
            return Plan(extra=_GONE if self.delete_empty else {})
        refuse_dropping(ref, self.target.type, (), "create")
        details = {"registries": {**no_changes(), "added": self.auth_file.registries}}
        meta = self.secret_metadata.labelled(self.ownership.labels).body()
        body = {**meta, "type": self.target.type, "data": {self.target.key: self._value}}
        return Plan((create(ref, body, details, view(self.target.type, self.auth_file.registries)),))

    @cached_property
    def _value(self) -> str:
        """The value of the data key of a secret that holds exactly the given registries."""
        return self.target.encode(self.auth_file)

    def _is_as_written(self, held: StoredSecret) -> bool:
        """Whether it is, to the byte, what this module writes: then nothing has to be parsed."""
        is_given = self._creates and bool(self.auth_file.entries)
        return is_given and (held.type, held.key, held.value) == (self.target.type, self.target.key, self._value)

    def _plan_existing(self, ref: ObjectRef, observed: Json, held: StoredSecret) -> Plan:
        missing = self._wanted_metadata(ref, observed).missing(observed)
        if self._is_as_written(held) and not missing:
            return Plan()
        target = self._target(ref, held)
        text, after = self._content(ref, held, target)
        if self._is_left_empty(ref, observed, after) and not held.others:
            return self._plan_delete(ref, observed, held, _GONE)
        difference = _Difference(held, target, text, after, missing, self._broken(ref, held))
        notes = tuple(difference.notes(ref))
        return Plan(() if difference.is_none else (self._change(ref, observed, difference),), notes=notes)

    def _target(self, ref: ObjectRef, held: StoredSecret) -> Target:
        """The type of a secret is kept where entries are removed, and where the platform reads it whatever its type is."""
        keeps = self.mode == "remove" or held.type == self.target.type or ref == ADDITIONAL_SECRET
        return Target(held.type, held.key) if keeps and held.key else self.target

    def _is_left_empty(self, ref: ObjectRef, observed: Json, after: AuthFile) -> bool:
        return self.delete_empty and not after.entries and (is_managed(observed) or ref == ADDITIONAL_SECRET)

    def _wanted_metadata(self, ref: ObjectRef, observed: Json) -> SecretMetadata:
        """With the labels of the owner who adopts the secret."""
        adoptable = self._creates and not is_platforms(ref, observed)
        return self.secret_metadata.labelled(self.ownership.missing(observed) if adoptable else {})

    def _content(self, ref: ObjectRef, held: StoredSecret, target: Target) -> tuple[str, AuthFile]:
        """The content that the data key must have, as text and as entries.

        :raises Refusal: when the old content cannot be edited.
        """
        try:
            text = self._text(ref, held, target)
            return text, read_stored(text, legacy=target.legacy)
        except InvalidContent as error:
            raise Refusal(
                f"{ref} was not changed: its content {error}, so registries can neither be added nor removed; "
                "use mode=replace with all registries that the secret must have, or delete it with state=absent"
            ) from None

    def _text(self, ref: ObjectRef, held: StoredSecret, target: Target) -> str:
        """:raises Unreadable: when the content cannot be edited."""
        if self.mode == "replace":
            refuse_unknown_loss(ref, held.unreadable, guarded=self.drop_platform_registries is not None)
            return self.auth_file.text(legacy=target.legacy)
        kept = held.auth_file  # read before anything else: what cannot be read is never edited
        if self.mode == "merge" and held.type == target.type and kept.holds(self.auth_file):
            return held.text
        text = converted(held.text, legacy=target.legacy) if held.legacy != target.legacy else held.text
        if self.mode == "remove":
            return without(text, self.registries, legacy=target.legacy)
        return merged(text, self.auth_file, legacy=target.legacy)

    def _broken(self, ref: ObjectRef, held: StoredSecret) -> str:
        """Why the old content must be replaced although its registries may be the wanted ones; empty when it need not."""
        if self.mode != "replace":
            return ""
        if ref == ADDITIONAL_SECRET and (found := unmerged(held)):
            return f"is not merged by the platform, because {found.why}"
        problems = held.for_kubelet.problems if held.type in DATA_KEYS else ()
        return held.unreadable or (f"stops every pull: {problems[0]}" if problems else "")

    def _plan_delete(self, ref: ObjectRef, observed: Json, held: StoredSecret, extra: Json | None = None) -> Plan:
        refuse_dropping(ref, held.type, (), "delete", self.drop_platform_registries)
        unknown = {"previous_content": held.unreadable} if held.unreadable else {}
        details = {"registries": {**no_changes(), "removed": held.known.registries}, **unknown}
        notes = (_lost(ref, held),) if held.unreadable else ()
        return Plan((delete(ref, observed, details, stored_view(held)),), notes=notes, extra=extra or {})

    def _change(self, ref: ObjectRef, observed: Json, difference: _Difference) -> Change:
        views = {"before": difference.view_before(), "after": difference.view_after()}
        why = difference.cannot_update(ref, observed)
        action, allowed = "replace" if why else "update", self.drop_platform_registries
        refuse_dropping(ref, difference.target.type, difference.dropped, action, allowed)
        if not why:
            return update(ref, observed, difference.patch(ref), difference.details, **views)
        if not self.recreate:
            raise Refusal(f"{why}; {_HOW_TO_RECREATE}")
        body = {**self.secret_metadata.labelled(self.ownership.labels).body(), **difference.body(ref)}
        if self.secret_metadata.immutable is None and observed.get("immutable"):
            body["immutable"] = True
        return replace(ref, observed, body, difference.details, **views)


@dataclass(frozen=True, repr=False)
class _Difference:
    """Between a secret as it is and as it must be.

    `text` is the content that its data key must have and `after` are the entries in it; `missing` is what it lacks of `SecretMetadata`;
    `broken` is why the old content must be replaced although its registries may be the wanted ones, empty when it need not.
    """

    held: StoredSecret
    target: Target
    text: str
    after: AuthFile
    missing: Mapping[str, Any]
    broken: str

    @cached_property
    def changes(self) -> dict[str, Any]:
        return registry_changes(self.held.known, self.after)

    @property
    def is_none(self) -> bool:
        return not (self._converts or self._content_differs or self.missing)

    @property
    def dropped(self) -> list[str]:
        """The registries that are removed and not there in another spelling."""
        kept = {same_path(key) for key in self.after.entries}
        return [key for key in self.changes["removed"] if same_path(key) not in kept]

    @property
    def details(self) -> dict[str, Any]:
        types = {"type": {"before": self.held.type, "after": self.target.type}} if self._converts else {}
        broken = {"previous_content": self.broken} if self.broken else {}
        parts = {part: value if part == "immutable" else sorted(value) for part, value in self.missing.items()}
        return {"registries": self.changes, **broken, **types, **parts}

    def view_before(self) -> dict[str, Any]:
        return {**stored_view(self.held), **self._metadata_view("not as requested", flag=False)}

    def view_after(self) -> dict[str, Any]:
        shown = view(self.target.type, self.held.known.registries, self.changes)
        return {**shown, **self._metadata_view("as requested", flag=True)}

    def cannot_update(self, ref: ObjectRef, observed: Json) -> str:
        """Why the API server would refuse an update; empty when it would not."""
        if self._converts:
            return f"{ref} exists with type {self.held.type}, and the type of a secret cannot be changed to {self.target.type}"
        if observed.get("immutable") and (self._content_differs or "immutable" in self.missing):
            return f"{ref} is immutable"
        return ""

    def notes(self, ref: ObjectRef) -> Iterable[str]:
        """What the user should know of the content before and after."""
        if self.held.unreadable:
            yield _lost(ref, self.held)
        if self.changes["removed"] and not self.after.entries:
            yield f"{ref} holds no registry any more; delete it with state=absent"
        read = self.target.type in DATA_KEYS and ref != ADDITIONAL_SECRET  # see `objection`
        problems = kubelet_reading(self.text, legacy=self.target.legacy).problems if read else ()
        if problems:
            yield (
                f"{ref} stops every pull of a pod that uses it, because {summarize(problems, _SHOWN, '; ')}; remove such entries with "
                "mode=remove, or replace the whole content with mode=replace"
            )
        for key, entry in sorted(self.after.entries.items()):
            if not (entry.username or problems or self.is_none):
                yield f"{ref} has an entry for {without_user(key)} that no node can use; give it a login, or remove it with mode=remove"

    def patch(self, ref: ObjectRef) -> dict[str, Any]:
        """The part of the object that changes; other data stays."""
        meta = {part: dict(self.missing[part]) for part in ("labels", "annotations") if part in self.missing}
        flag = {"immutable": self.missing["immutable"]} if "immutable" in self.missing else {}
        data = {"data": {self.target.key: self._value(ref)}} if self._content_differs else {}
        return {"metadata": meta, **data, **flag}

    def body(self, ref: ObjectRef) -> dict[str, Any]:
        """Type and data of the object that takes its place."""
        return {"type": self.target.type, "data": {**self.held.others, self.target.key: self._value(ref)}}

    @property
    def _converts(self) -> bool:
        return self.held.type != self.target.type

    @property
    def _content_differs(self) -> bool:
        return bool(self.broken) or any(self.changes.values())

    def _metadata_view(self, words: str, *, flag: bool) -> dict[str, Any]:
        return {
            part: (value is flag) if part == "immutable" else dict.fromkeys(sorted(value), words)
            for part, value in self.missing.items()
        }

    def _value(self, ref: ObjectRef) -> str:
        """The value of the data key.

        :raises OptionError: when it is more than a secret holds.
        """
        value = encoded(self.text) if self._converts or self._content_differs else self.held.value
        check_size(str(ref), value, *self.held.others.values())
        return value


def _lost(ref: ObjectRef, held: StoredSecret) -> str:
    return f"the old content of {ref} {held.unreadable}, so it is not known which registries it held"
