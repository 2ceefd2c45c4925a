# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may pull a project's image streams: subjects of role bindings, and the O(image_puller_grant) module's wish. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .errors import OptionError, Refusal
from .model import (
    CLUSTER_ROLE,
    MANAGED_BY,
    NOTHING_FOUND,
    ROLE_BINDING,
    Found,
    Json,
    Objects,
    Plan,
    Ref,
    Selection,
    create,
    delete,
    metadata,
    update,
)
from .names import check_name, check_namespace

__all__ = ["ImagePullerGrant", "Subject", "from_options", "subjects_of"]

DEFAULT_ROLE = "system:image-puller"
DEFAULT_BINDING = "image-puller-grant"
_RBAC = "rbac.authorization.k8s.io"
_ACCOUNT = "system:serviceaccount:"
_PROJECT = "system:serviceaccounts:"

#: A controller of the platform makes these in every project and never repairs them
#: (openshift-controller-manager pkg/authorization/defaultrolebindings).
_RESERVED = ("system:image-pullers", "system:image-builders", "system:deployers")


@dataclass(frozen=True, order=True)
class Subject:
    """A subject in its one normal form: two spellings that grant the same are equal."""

    kind: str
    name: str
    namespace: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"

    def to_api(self) -> dict[str, str]:
        if self.kind == "ServiceAccount":
            return {"kind": self.kind, "namespace": self.namespace, "name": self.name}
        return {"apiGroup": _RBAC, "kind": self.kind, "name": self.name}


def subject_of(entry: Json, binding_namespace: str) -> Subject:
    """The normal form of an API subject.

    A service account without namespace is one of the binding's, and a user named C(system:serviceaccount:NS:NAME) is that
    service account (kubernetes pkg/registry/rbac/validation/rule.go).
    """
    kind, name = entry.get("kind", ""), entry.get("name", "")
    if kind == "ServiceAccount":
        return Subject(kind, name, entry.get("namespace") or binding_namespace)
    parts = name[len(_ACCOUNT) :].split(":") if name.startswith(_ACCOUNT) else []
    if kind == "User" and len(parts) == 2 and all(parts):
        return Subject("ServiceAccount", parts[1], parts[0])
    return Subject(kind, name)


def subjects_of(binding: Json) -> list[Subject]:
    namespace = metadata(binding).get("namespace", "")
    return [subject_of(entry, namespace) for entry in binding.get("subjects") or []]


@dataclass(frozen=True)
class ImagePullerGrant:
    """Grants (or takes back) C(role) for C(subjects) in each target namespace, which own the image streams."""

    subjects: tuple[Subject, ...]
    role: str
    binding_name: str
    present: bool

    selection = Selection(ROLE_BINDING)

    @property
    def prerequisite(self) -> Ref | None:
        return Ref(CLUSTER_ROLE, "", self.role) if self.present else None

    def lookups(self, _namespace: str, _objects: Objects) -> Sequence[Ref]:
        return ()

    def plan(self, namespace: str, objects: Objects, found: Found = NOTHING_FOUND) -> Plan:
        """:raises Refusal: when the binding of our name gives another role."""
        ref, ours = Ref(ROLE_BINDING, namespace, self.binding_name), objects.get(self.binding_name)
        if ours is not None and not self._gives_role(ours):
            role = ours.get("roleRef") or {}
            raise Refusal(
                f"{ref} gives {role.get('kind')} {role.get('name')}, and the role of a binding cannot be changed; "
                "choose another binding_name"
            )
        others = [obj for name, obj in sorted(objects.items()) if name != self.binding_name and self._gives_role(obj)]
        return self._plan_grant(ref, ours, others) if self.present else self._plan_revoke(ref, ours, others)

    def _gives_role(self, binding: Json) -> bool:
        role = binding.get("roleRef") or {}
        return role.get("kind") == "ClusterRole" and role.get("name") == self.role

    def _plan_grant(self, ref: Ref, ours: Json | None, others: list[Json]) -> Plan:
        granted = {subject for binding in [*others, *([ours] if ours else [])] for subject in subjects_of(binding)}
        missing = [subject for subject in self.subjects if subject not in granted]
        if not missing:
            return Plan()
        details = {"role": self.role, "granted": [str(subject) for subject in missing]}
        if ours is None:
            role = {"apiGroup": _RBAC, "kind": "ClusterRole", "name": self.role}
            body = {"roleRef": role, "subjects": [subject.to_api() for subject in missing]}
            return Plan((create(ref, body, details, _view(self.role, missing)),))
        entries = [*(ours.get("subjects") or []), *(subject.to_api() for subject in missing)]
        before, after = subjects_of(ours), [*subjects_of(ours), *missing]
        change = update(
            ref, ours, {"subjects": entries}, details, before=_view(self.role, before), after=_view(self.role, after)
        )
        return Plan((change,))

    def _plan_revoke(self, ref: Ref, ours: Json | None, others: list[Json]) -> Plan:
        notes = tuple(_still_granted(ref.namespace, self.subjects, others))
        held = subjects_of(ours) if ours else []
        revoked = [subject for subject in self.subjects if subject in held]
        if ours is None or not revoked:
            return Plan(notes=notes)
        details = {"role": self.role, "revoked": [str(subject) for subject in revoked]}
        kept = [entry for entry in ours.get("subjects") or [] if subject_of(entry, ref.namespace) not in revoked]
        before = _view(self.role, held)
        if not kept and _is_ours(ours):
            return Plan((delete(ref, ours, details, before),), notes=notes)
        after = _view(self.role, (subject_of(entry, ref.namespace) for entry in kept))
        return Plan((update(ref, ours, {"subjects": kept}, details, before=before, after=after),), notes=notes)


def from_options(options: Mapping[str, Any]) -> ImagePullerGrant:
    """The wish that the module's options express.

    :raises OptionError: when no subject is given, or a name is reserved or cannot exist.
    """
    subjects = tuple(dict.fromkeys(_subjects(options)))
    if not subjects:
        raise OptionError("give at least one of 'service_accounts', 'projects', 'groups' and 'users'")
    name = options.get("binding_name") or _default_binding(options["role"])
    if name in _RESERVED:
        raise OptionError(
            f"option 'binding_name': {name} is reserved for the platform, which makes it in every project"
        )
    for option in ("role", "binding_name"):
        value = options.get(option) or "-"
        if "/" in value or "%" in value or value in (".", ".."):
            raise OptionError(f"option {option!r}: {value!r} cannot be an object's name")
    return ImagePullerGrant(subjects, options["role"], name, options["state"] == "present")


def _default_binding(role: str) -> str:
    return DEFAULT_BINDING if role == DEFAULT_ROLE else f"{DEFAULT_BINDING}-{role}"


def _subjects(options: Mapping[str, Any]) -> Iterable[Subject]:
    for account in options.get("service_accounts") or []:
        check_namespace("service_accounts", account["namespace"])
        check_name("service_accounts", account["name"])
        yield Subject("ServiceAccount", account["name"], account["namespace"])
    for project in options.get("projects") or []:
        check_namespace("projects", project)
        yield Subject("Group", _PROJECT + project)
    for group in options.get("groups") or []:
        yield Subject("Group", _not_empty("groups", group))
    for user in options.get("users") or []:
        yield subject_of({"kind": "User", "name": _not_empty("users", user)}, "")


def _not_empty(option: str, name: str) -> str:
    if not name.strip():
        raise OptionError(f"option {option!r} holds an empty name")
    return name


def _is_ours(binding: Json) -> bool:
    labels = metadata(binding).get("labels") or {}
    return all(labels.get(key) == value for key, value in MANAGED_BY.items())


def _still_granted(namespace: str, subjects: Iterable[Subject], others: list[Json]) -> Iterable[str]:
    for subject in subjects:
        names = [metadata(binding).get("name", "") for binding in others if subject in subjects_of(binding)]
        if names:
            yield f"{subject} may still pull from {namespace}: role binding {', '.join(names)} is not ours and was left alone"


def _view(role: str, subjects: Iterable[Subject]) -> dict[str, Any]:
    return {"role": role, "subjects": [str(subject) for subject in subjects]}
