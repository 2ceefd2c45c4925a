# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the options of `image_puller_grant`, and plan who is allowed to pull a project's image streams. Refuse contradictory grants. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar

from ...core.changes import ALL, NOTHING_RELATED, Change, Desired, ListedBy, Plan, Related, create, delete, update
from ...core.errors import OptionError, Refusal
from ...core.names import check_path_segment
from ...core.objects import CLUSTER_ROLE, ROLE_BINDING, SERVICE_ACCOUNT, Json, Kind, ObjectRef, Objects, as_dict
from ...core.ownership import Ownership, is_managed, labels_view
from ...declarations.declare import Contradiction
from ...platform.protected import AUTOUPDATE, RESERVED_BINDINGS, autoupdate, is_platform_object
from ...rbac.subjects import (
    IMAGE_PULLER,
    RBAC,
    Subject,
    binding_view,
    subject_entries,
    subject_of,
    subjects_from_options,
    subjects_of,
)

_ACCOUNT = {
    "namespace": {"type": "str", "required": True},
    "name": {"type": "str", "default": "default"},
}

#: Argument spec of one declaration, without its namespaces.
ARGUMENTS: dict[str, Any] = {
    "owner": {"type": "str"},
    "adopt": {"type": "bool", "default": False},
    "service_accounts": {"type": "list", "elements": "dict", "options": _ACCOUNT},
    "projects": {"type": "list", "elements": "str"},
    "groups": {"type": "list", "elements": "str"},
    "users": {"type": "list", "elements": "str"},
    "authenticated": {"type": "bool", "default": False},
    "anonymous": {"type": "bool", "default": False},
    "role": {"type": "str", "default": IMAGE_PULLER},
    "binding_name": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "exclusive": {"type": "bool", "default": False},
    "revoke_from": {"type": "str", "choices": ["ours", "every_binding"], "default": "ours"},
    "prune": {"type": "bool", "default": False},
    "verify_access": {"type": "bool", "default": False},
}


def from_options(options: Mapping[str, Any], _read_file: Callable[[str], str] | None = None) -> ImagePullerGrant:
    """Return the state that the module's options declare.

    :raises OptionError: when there is no subject, a name is reserved or invalid, or options contradict each other.
    """
    check_path_segment("role", options["role"])
    subjects = subjects_from_options(options)
    if not subjects and (options["exclusive"] or not options["prune"]):
        raise OptionError(
            "'service_accounts', 'projects', 'groups', 'users', 'authenticated' and 'anonymous' are all missing or empty: give at least one, "
            "such as 'projects: [project-a]'"
        )
    ownership = Ownership.of(options)
    name = options.get("binding_name") or _default_binding(ownership.owner, options["role"])
    check_path_segment("binding_name", name)
    if name in RESERVED_BINDINGS:
        raise OptionError(
            f"option 'binding_name': {name} is reserved for the platform, which creates it in every project; "
            "choose another name"
        )
    _refuse_contradictions(options)
    return ImagePullerGrant(
        subjects,
        options["role"],
        name,
        present=options["state"] == "present",
        exclusive=options["exclusive"],
        everywhere=options["revoke_from"] == "every_binding",
        prune=options["prune"],
        verify_access=options["verify_access"],
        ownership=ownership,
    )


def _refuse_contradictions(options: Mapping[str, Any]) -> None:
    if options["exclusive"] and options["state"] == "absent":
        raise OptionError(
            "option 'exclusive' is for state present only: state absent removes exactly the given subjects"
        )
    if options["revoke_from"] != "ours" and options["state"] == "present":
        raise OptionError("option 'revoke_from' is for state absent only: state present changes no other binding")


def _default_binding(owner: str, role: str) -> str:
    """Return the default name of a binding: each owner has its own."""
    return "-".join([DEFAULT_BINDING, *([owner] if owner else []), *([role] if role != IMAGE_PULLER else [])])


DEFAULT_BINDING = "image-puller-grant"
_NOT_OPENSHIFT = (
    "only OpenShift has it, for its internal registry. On another cluster there is nothing to grant: remove the grant, and give the pods a "
    "pull secret for the registry of their image"
)


@dataclass(frozen=True)
class ImagePullerGrant(Desired):
    """Grants `role` to `subjects`, or revokes it, in each target namespace. The target namespaces own the image streams.

    `everywhere`: revoke in every binding of the role, not only in ours. `ownership`: the owner of the grant.
    """

    subjects: tuple[Subject, ...]
    role: str
    binding_name: str
    present: bool
    exclusive: bool = False
    everywhere: bool = False
    prune: bool = False
    verify_access: bool = False
    ownership: Ownership = field(default_factory=Ownership)

    kind: ClassVar[Kind] = ROLE_BINDING
    listed_by: ClassVar[ListedBy] = {SERVICE_ACCOUNT: ALL}

    def names(self, _namespace: str) -> tuple[str, ...]:
        return ()

    def related(self, _namespace: str, objects: Objects) -> Sequence[ObjectRef]:
        """Return the role, and the accounts and projects of the subjects: of the wanted ones and, with prune, of those in our binding."""
        ours = objects.get(self.binding_name)
        wanted = self.subjects if self.present else ()
        held: Sequence[Subject] = ()
        with suppress(Refusal):  # plan() reports it.
            held = subjects_of(ours) if self.prune and ours is not None else ()
        subjects = (subject.ref for subject in (*wanted, *held) if subject.ref is not None)
        return list(dict.fromkeys((*([self._role] if self.present else ()), *subjects)))

    def plan(self, namespace: str, objects: Objects, found: Related = NOTHING_RELATED) -> Plan:
        """Return the changes. :raises Refusal: when the role does not exist, our binding has another one, or the subjects of a binding cannot
        be read.
        """
        self._require_role(found)
        ref, ours = ObjectRef(ROLE_BINDING, namespace, self.binding_name), objects.get(self.binding_name)
        if ours is not None and not self.everywhere:
            self.ownership.refuse_other(ref, ours, adoptable=self.present)
        others = {
            name: obj for name, obj in sorted(objects.items()) if name != self.binding_name and self._has_role(obj)
        }
        if ours is not None and not self._has_role(ours):
            if not self.everywhere:
                role = as_dict(ours.get("roleRef"))
                raise Refusal(
                    f"{ref} has {role.get('kind')} {role.get('name')}, and the role of a binding cannot be changed: choose another "
                    f"'binding_name'. If nobody needs this binding, type: oc delete rolebinding {shlex.quote(ref.name)} -n {namespace}"
                )
            ours = None
        return (
            self._plan_grant(ref, ours, others, found) if self.present else self._plan_revoke(ref, ours, others, found)
        )

    @property
    def _role(self) -> ObjectRef:
        return ObjectRef(CLUSTER_ROLE, "", self.role)

    def _require_role(self, found: Related) -> None:
        if self.present and found.get(self._role, {}) is None:
            way_out = _NOT_OPENSHIFT if self.role == IMAGE_PULLER else f"create it, or write 'role: {IMAGE_PULLER}'"
            raise Refusal(f"{self._role} does not exist, so a binding to it would grant nothing: {way_out}")

    def _has_role(self, binding: Json) -> bool:
        role = as_dict(binding.get("roleRef"))
        return role.get("kind") == "ClusterRole" and role.get("name") == self.role

    def _plan_grant(self, ref: ObjectRef, ours: Json | None, others: Objects, found: Related) -> Plan:
        held = subjects_of(ours) if ours else []
        granted = {*held, *(subject for binding in self._lasting_bindings(others) for subject in subjects_of(binding))}
        missing = [subject for subject in self.subjects if subject not in granted]
        revoked = [subject for subject in dict.fromkeys(held) if self.exclusive and subject not in self.subjects]
        pruned = [
            subject for subject in self._missing_subjects(held, found) if subject not in (*revoked, *self.subjects)
        ]
        notes = (*_missing_notes(self.subjects, found), *self._unread_notes(held, found))
        labels = self.ownership.missing(ours) if ours is not None and not is_platform_object(ref, ours) else {}
        if not (missing or revoked or pruned or labels):
            return Plan(notes=notes)
        details = self._details(granted=missing, revoked=revoked, pruned=pruned, labels=sorted(labels))
        if ours is None:
            role = {"apiGroup": RBAC, "kind": "ClusterRole", "name": self.role}
            subjects = [subject.to_api() for subject in missing]
            body = {"metadata": {"labels": self.ownership.labels}, "roleRef": role, "subjects": subjects}
            return Plan((create(ref, body, details, binding_view(self.role, missing)),), notes=notes)
        return Plan((self._edit(ref, ours, {*revoked, *pruned}, missing, details, labels=labels),), notes=notes)

    def _lasting_bindings(self, others: Objects) -> Iterator[Json]:
        """Yield the bindings that count as existing grants. Those of other owners do not, because the owner can remove them."""
        return (binding for binding in others.values() if not self.ownership.other(binding))

    def _plan_revoke(self, ref: ObjectRef, ours: Json | None, others: Objects, found: Related) -> Plan:
        own = subjects_of(ours) if ours else []
        gone = self._missing_subjects(own, found)
        bindings = {**({self.binding_name: ours} if ours else {}), **(others if self.everywhere else {})}
        changes, notes = [], [*self._unread_notes(own, found)]
        for name, binding in bindings.items():
            held = subjects_of(binding)
            revoked = [subject for subject in self.subjects if subject in held]
            pruned = [subject for subject in gone if binding is ours and subject not in revoked]
            if revoked or pruned:
                at = ObjectRef(ref.kind, ref.namespace, name)
                self.ownership.refuse_other(at, binding, adoptable=False)
                details = self._details(revoked=revoked, pruned=pruned)
                changes.append(self._edit(at, binding, {*revoked, *pruned}, [], details))
                notes += _restore_notes(at, binding)
        left = {} if self.everywhere else others
        return Plan(tuple(changes), notes=(*notes, *_remaining_notes(ref.namespace, self.subjects, left)))

    def _edit(
        self,
        ref: ObjectRef,
        binding: Json,
        unwanted: Collection[Subject],
        wanted: Sequence[Subject],
        details: Json,
        *,
        labels: Json = MappingProxyType({}),
    ) -> Change:
        """Return the binding with some subjects removed and some appended, and with `labels`. Delete it when no subject is left
        and deletion is allowed.

        All other entries are kept unchanged, including those that are not subjects.
        """
        kept = [entry for entry in subject_entries(binding) if subject_of(entry, ref.namespace) not in unwanted]
        after = [*kept, *(subject.to_api() for subject in wanted)]
        before = binding_view(self.role, subjects_of(binding))
        if not after and self._may_delete(ref.name, binding):
            return delete(ref, binding, details, before)
        left = (subject_of(entry, ref.namespace) for entry in after)
        shown = binding_view(self.role, (subject for subject in left if subject is not None))
        patch = {"metadata": {"labels": dict(labels)}} if labels else {}
        views = {
            "before": {**before, **labels_view(labels, "not as requested")},
            "after": {**shown, **labels_view(labels, "as requested")},
        }
        return update(ref, binding, {**patch, "subjects": after}, details, **views)

    def _may_delete(self, name: str, binding: Json) -> bool:
        if autoupdate(binding) == "false" or name in RESERVED_BINDINGS:
            return False
        return self.everywhere or is_managed(binding)

    def _details(self, **subjects: Sequence[Subject | str]) -> dict[str, Any]:
        named = {what: [str(subject) for subject in found] for what, found in subjects.items() if found}
        return {"role": self.role, **named}

    def _missing_subjects(self, held: Sequence[Subject], found: Related) -> list[Subject]:
        """Return the subjects of our binding whose account or project is known not to exist."""
        if not self.prune:
            return []
        return [subject for subject in dict.fromkeys(held) if _is_gone(subject, found)]

    def _unread_notes(self, held: Sequence[Subject], found: Related) -> Iterator[str]:
        for subject in dict.fromkeys(held):
            if self.prune and subject.ref is not None and subject.ref not in found:
                yield f"{subject} was not pruned: the caller may not read {subject.ref}, so it is not known whether it exists"


def _is_gone(subject: Subject, found: Related) -> bool:
    """Whether the account or project is known not to exist."""
    return subject.ref is not None and found.get(subject.ref, {}) is None


def _missing_notes(subjects: Iterable[Subject], found: Related) -> Iterator[str]:
    for subject in subjects:
        if _is_gone(subject, found):
            yield f"{subject.ref} does not exist yet: the grant to {subject} takes effect once it does"


def _restore_notes(ref: ObjectRef, binding: Json) -> list[str]:
    return (
        [f"{ref} will be restored by the API server when it restarts (annotation {AUTOUPDATE})"]
        if autoupdate(binding) == "true"
        else []
    )


def _remaining_notes(namespace: str, subjects: Iterable[Subject], others: Objects) -> Iterator[str]:
    for subject in subjects:
        names = [name for name, binding in others.items() if subject in subjects_of(binding)]
        if names:
            yield (
                f"{subject} may still pull from {namespace}, by role binding {', '.join(names)}; not changed: "
                "revoke it there too with 'revoke_from: every_binding'"
            )


def contradictions(declared: Sequence[ImagePullerGrant]) -> Iterator[Contradiction]:
    """Yield contradictions: a subject both granted and revoked, a binding with two roles, or one that another entry owns or prunes.

    All other combinations reach their state in one run, except grants that another binding holds until a later
    entry makes that binding exclusive.
    """
    for position, grant in enumerate(declared):
        for first, other in enumerate(declared[:position]):
            what = _find_conflict(other, grant)
            if what:
                yield Contradiction(first, position, what)


def _find_conflict(first: ImagePullerGrant, second: ImagePullerGrant) -> str:
    """Return the contradiction, empty if there is none. `first` is planned first."""
    if first.binding_name == second.binding_name:
        return _conflict_in_binding(first, second)
    return _conflict_across_bindings(first, second)


def _conflict_in_binding(first: ImagePullerGrant, second: ImagePullerGrant) -> str:
    if first.role != second.role:
        return f"role binding {first.binding_name} is declared with role {first.role} and with role {second.role}"
    if first.present is not second.present and (both := _shared_subjects(first, second)):
        return _describe_opposites(both)
    for grant, other in ((first, second), (second, first)):
        further = [subject for subject in other.subjects if subject not in grant.subjects] if other.present else []
        if grant.exclusive and further:
            return f"one is exclusive in role binding {grant.binding_name}, and the other grants {_names(further)}"
        prunable = [subject for subject in further if subject.ref is not None]
        if grant.prune and prunable:
            # While one of them does not exist, each run would add and remove it.
            return (
                f"one prunes role binding {grant.binding_name}, and the other grants {_names(prunable)}, which would be pruned "
                "until it exists; grant it in the entry with 'prune: true', or in another binding"
            )
    return ""


def _conflict_across_bindings(first: ImagePullerGrant, second: ImagePullerGrant) -> str:
    both = _shared_subjects(first, second) if first.present is not second.present and first.role == second.role else []
    absent = second if first.present else first
    if both and absent.everywhere:
        return _describe_opposites(both)
    if both and absent is second:
        # The first entry adds no grant that the other binding has already, and the second entry then removes that one.
        return (
            f"{_names(both)} is granted by one entry and revoked by the other in role binding {absent.binding_name}: to move it "
            f"to role binding {first.binding_name}, put the entry that revokes before the one that grants"
        )
    return ""


def _shared_subjects(first: ImagePullerGrant, second: ImagePullerGrant) -> list[Subject]:
    return [subject for subject in first.subjects if subject in second.subjects]


def _describe_opposites(both: Sequence[Subject]) -> str:
    return f"{_names(both)} is granted by one entry and revoked by the other"


def _names(subjects: Sequence[Subject]) -> str:
    return ", ".join(str(subject) for subject in subjects)
