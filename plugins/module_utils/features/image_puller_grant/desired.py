# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The `image_puller_grant` module's wish: who may pull a project's image streams. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ...core.changes import MANAGED_BY, Change, create, delete, replace, update
from ...core.errors import Refusal
from ...core.objects import CLUSTER_ROLE, ROLE_BINDING, Json, ObjectRef, Objects, metadata
from ...core.protocols import NOTHING_RELATED, Plan, Related, Selection
from ...rbac.subjects import RBAC, Subject, subject_of, subjects_of

__all__ = ["DEFAULT_BINDING", "DEFAULT_ROLE", "RESERVED", "ImagePullerGrant"]

DEFAULT_ROLE = "system:image-puller"
DEFAULT_BINDING = "image-puller-grant"

#: A controller of the platform makes these in every project, makes them again when they are deleted, and never repairs
#: them (openshift-controller-manager pkg/authorization/defaultrolebindings): emptied, they are switched off.
RESERVED = ("system:image-pullers", "system:image-builders", "system:deployers")

#: The API server itself restores what carries this; `oc` keeps the emptied binding of who switched that off.
_AUTOUPDATE = "rbac.authorization.kubernetes.io/autoupdate"


@dataclass(frozen=True)
class ImagePullerGrant:
    """Grants (or takes back) `role` for `subjects` in each target namespace, which own the image streams."""

    subjects: tuple[Subject, ...]
    role: str
    binding_name: str
    present: bool
    exclusive: bool = False
    everywhere: bool = False
    prune: bool = False
    recreate: bool = False
    verify_access: bool = False

    selection = Selection(ROLE_BINDING)

    @property
    def precondition(self) -> ObjectRef | None:
        return ObjectRef(CLUSTER_ROLE, "", self.role) if self.present else None

    def related(self, _namespace: str, objects: Objects) -> Sequence[ObjectRef]:
        """Whether the subjects are anybody: those to be granted, and those of our binding that may have to be pruned."""
        ours = objects.get(self.binding_name)
        wanted = self.subjects if self.present else ()
        held = subjects_of(ours) if self.prune and ours is not None else ()
        return list(dict.fromkeys(subject.ref for subject in (*wanted, *held) if subject.ref is not None))

    def plan(self, namespace: str, objects: Objects, found: Related = NOTHING_RELATED) -> Plan:
        """:raises Refusal: when the binding of our name gives another role, and may not be made again."""
        ref, ours = ObjectRef(ROLE_BINDING, namespace, self.binding_name), objects.get(self.binding_name)
        others = [obj for name, obj in sorted(objects.items()) if name != self.binding_name and self._gives_role(obj)]
        if ours is not None and not self._gives_role(ours):
            if not self.everywhere:
                return self._plan_other_role(ref, ours, others, found)
            ours = None
        return (
            self._plan_grant(ref, ours, others, found) if self.present else self._plan_revoke(ref, ours, others, found)
        )

    def _gives_role(self, binding: Json) -> bool:
        role = binding.get("roleRef") or {}
        return role.get("kind") == "ClusterRole" and role.get("name") == self.role

    def _plan_other_role(self, ref: ObjectRef, ours: Json, others: list[Json], found: Related) -> Plan:
        role = ours.get("roleRef") or {}
        if not (self.present and self.recreate):
            way_out = "choose another binding_name" + (", or give 'recreate: true'" if self.present else "")
            raise Refusal(
                f"{ref} gives {role.get('kind')} {role.get('name')}, and the role of a binding cannot be changed; {way_out}"
            )
        granted = self._plan_grant(ref, None, others, found)
        held, name = subjects_of(ours), str(role.get("name"))
        if not granted.changes:
            return granted
        (made,) = granted.changes
        details = {**made.details, "from_role": name, "revoked": [str(subject) for subject in held]}
        return Plan(
            (replace(ref, ours, made.body, details, before=_view(name, held), after=made.after),), notes=granted.notes
        )

    def _plan_grant(self, ref: ObjectRef, ours: Json | None, others: list[Json], found: Related) -> Plan:
        held = subjects_of(ours) if ours else []
        granted = {*held, *(subject for binding in others for subject in subjects_of(binding))}
        missing = [subject for subject in self.subjects if subject not in granted]
        revoked = [subject for subject in dict.fromkeys(held) if self.exclusive and subject not in self.subjects]
        pruned = [subject for subject in self._gone(held, found) if subject not in (*revoked, *self.subjects)]
        notes = (*_not_there_yet(self.subjects, found), *self._unread(held, found))
        if not (missing or revoked or pruned):
            return Plan(notes=notes)
        details = self._details(granted=missing, revoked=revoked, pruned=pruned)
        if ours is None:
            role = {"apiGroup": RBAC, "kind": "ClusterRole", "name": self.role}
            body = {"roleRef": role, "subjects": [subject.to_api() for subject in missing]}
            return Plan((create(ref, body, details, _view(self.role, missing)),), notes=notes)
        return Plan((self._edit(ref, ours, {*revoked, *pruned}, missing, details),), notes=notes)

    def _plan_revoke(self, ref: ObjectRef, ours: Json | None, others: list[Json], found: Related) -> Plan:
        bindings = [*([ours] if ours else []), *(others if self.everywhere else [])]
        pruned = self._gone(subjects_of(ours), found) if ours else []
        changes, notes = [], list(self._unread(subjects_of(ours), found)) if ours else []
        for binding in bindings:
            held = subjects_of(binding)
            revoked = [subject for subject in self.subjects if subject in held]
            dead = [subject for subject in pruned if binding is ours and subject not in revoked]
            if revoked or dead:
                at = ObjectRef(ref.kind, ref.namespace, metadata(binding)["name"])
                details = self._details(revoked=revoked, pruned=dead)
                changes.append(self._edit(at, binding, {*revoked, *dead}, [], details))
                notes += _comes_back(at, binding)
        left = [] if self.everywhere else others
        return Plan(tuple(changes), notes=(*notes, *_still_granted(ref.namespace, self.subjects, left)))

    def _edit(
        self, ref: ObjectRef, binding: Json, unwanted: Collection[Subject], wanted: Sequence[Subject], details: Json
    ) -> Change:
        """The binding with some subjects taken out and some put at the end; its deletion when we emptied it and may."""
        entries = binding.get("subjects") or []
        kept = [entry for entry in entries if subject_of(entry, ref.namespace) not in unwanted]
        after = [*kept, *(subject.to_api() for subject in wanted)]
        before = _view(self.role, subjects_of(binding))
        if not after and self._may_delete(binding):
            return delete(ref, binding, details, before)
        shown = _view(self.role, (subject_of(entry, ref.namespace) for entry in after))
        return update(ref, binding, {"subjects": after}, details, before=before, after=shown)

    def _may_delete(self, binding: Json) -> bool:
        if _autoupdate(binding) == "false" or metadata(binding).get("name") in RESERVED:
            return False
        return self.everywhere or _is_ours(binding)

    def _details(self, **subjects: Sequence[Subject]) -> dict[str, Any]:
        named = {what: [str(subject) for subject in found] for what, found in subjects.items() if found}
        return {"role": self.role, **named}

    def _gone(self, held: Sequence[Subject], found: Related) -> list[Subject]:
        """The subjects of our binding whose account or project is known not to exist."""
        if not self.prune:
            return []
        return [subject for subject in dict.fromkeys(held) if _is_gone(subject, found)]

    def _unread(self, held: Sequence[Subject], found: Related) -> Iterator[str]:
        for subject in dict.fromkeys(held):
            if self.prune and subject.ref is not None and subject.ref not in found:
                yield f"{subject} was not pruned: the caller may not see whether {subject.ref} exists"


def _is_ours(binding: Json) -> bool:
    labels = metadata(binding).get("labels") or {}
    return all(labels.get(key) == value for key, value in MANAGED_BY.items())


def _autoupdate(binding: Json) -> str:
    return str((metadata(binding).get("annotations") or {}).get(_AUTOUPDATE) or "")


def _is_gone(subject: Subject, found: Related) -> bool:
    """Whether it is known that there is no such account or project."""
    return subject.ref is not None and found.get(subject.ref, {}) is None


def _not_there_yet(subjects: Iterable[Subject], found: Related) -> Iterator[str]:
    for subject in subjects:
        if _is_gone(subject, found):
            yield f"{subject.ref} does not exist yet: what is granted to {subject} takes effect once it does"


def _comes_back(ref: ObjectRef, binding: Json) -> list[str]:
    return (
        [f"{ref} is restored by the API server when it starts (autoupdate)"] if _autoupdate(binding) == "true" else []
    )


def _still_granted(namespace: str, subjects: Iterable[Subject], others: list[Json]) -> Iterator[str]:
    for subject in subjects:
        names = [metadata(binding).get("name", "") for binding in others if subject in subjects_of(binding)]
        if names:
            yield (
                f"{subject} may still pull from {namespace}: role binding {', '.join(names)} is not ours and was left alone "
                "(revoke_from: every_binding)"
            )


def _view(role: str, subjects: Iterable[Subject]) -> dict[str, Any]:
    return {"role": role, "subjects": [str(subject) for subject in subjects]}
