# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plan a prune: of all objects with an owner's labels, only those that the owner declares are kept. Pure.

Entries of service accounts' lists are removed before the secrets that they name. So a run that is killed in between leaves
secrets that still have their labels, and the next run finds them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from ...core.changes import Change, delete, update
from ...core.objects import (
    ROLE_BINDING,
    SECRET,
    SERVICE_ACCOUNT,
    Json,
    Kind,
    ObjectRef,
    Objects,
    as_dict,
    as_list,
    as_str,
    metadata,
)
from ...core.ownership import is_owned_by
from ...core.protocols import NO_SELECTORS, NOTHING_RELATED, Desired, ListedBy, Plan, Related
from ...platform.account_lists import LISTS, changes_of, entries_of, entry_names, remove_links, view_lists
from ...platform.generated import Origin, is_generated, origin_of
from ...platform.protected import is_platform_object
from ...rbac.subjects import Subject, binding_view, subject_entries, subject_of, subjects_of
from ...secrets.content import TYPES, StoredSecret, no_changes, view_stored_secret
from .declared import NOTHING, DeclaredObjects

__all__ = ["KINDS", "Prune", "count_removals", "list_ref"]

#: The options with lists, and the kind that each declares.
KINDS = {"secrets": SECRET, "links": SERVICE_ACCOUNT, "grants": ROLE_BINDING}

_CLUSTER_ROLE = "ClusterRole"


def list_ref(kind: Kind, namespace: str) -> ObjectRef:
    """Return the reference to all objects of the kind in a namespace."""
    return ObjectRef(kind, namespace, "")


def count_removals(changes: Iterable[Change]) -> Counter[str]:
    """Count the removals in the changes of a namespace, by `KINDS`. A link that is removed with its secret is not counted; a binding
    without subjects counts as one."""
    every = list(changes)
    secrets = {change.ref.name for change in every if change.ref.kind == SECRET}
    count = Counter(secrets=len(secrets))
    for change in every:
        if change.ref.kind == SERVICE_ACCOUNT:
            names = (name for lists in change.details["lists"].values() for name in lists["removed"])
            count["links"] += sum(name not in secrets for name in names)
        elif change.ref.kind == ROLE_BINDING:
            count["grants"] += len(change.details["revoked"]) or 1
    return +count


@dataclass(frozen=True)
class Prune(Desired):
    """`declared` are the declarations of `owner`, by namespace. `kinds` are those with a given list: objects of other kinds are kept."""

    owner: str
    declared: Mapping[str, DeclaredObjects]
    kinds: frozenset[Kind] = field(default_factory=lambda: frozenset((SECRET, SERVICE_ACCOUNT, ROLE_BINDING)))

    kind: ClassVar[Kind] = SERVICE_ACCOUNT
    listed_by: ClassVar[ListedBy] = NO_SELECTORS

    def names(self, _namespace: str) -> tuple[str, ...]:
        return ()

    def related(self, namespace: str, _objects: Objects) -> Sequence[ObjectRef]:
        return (list_ref(SECRET, namespace), list_ref(ROLE_BINDING, namespace))

    def owns(self, obj: Json) -> bool:
        """Whether the object has both labels, with this owner."""
        return is_owned_by(obj, self.owner)

    def plan(self, namespace: str, objects: Objects, found: Related = NOTHING_RELATED) -> Plan:
        """Return the changes. :raises Refusal: when a list of an account or the subjects of a binding cannot be read."""
        return _PrunePlanner(self, namespace, objects, found).plan()

    def count_existing(self, namespace: str, objects: Objects, found: Related) -> Counter[str]:
        """Count the existing objects that are declared for a namespace, by `KINDS`. Never more than the lists declare: a glob counts
        once, however many service accounts it matches.

        :raises Refusal: as `plan`.
        """
        return _PrunePlanner(self, namespace, objects, found).count_existing()


class _PrunePlanner:
    """Plans one namespace. `secrets` and `bindings` are the owner's, without those that the platform manages."""

    def __init__(self, prune: Prune, namespace: str, objects: Objects, found: Related) -> None:
        self._prune, self._namespace = prune, namespace
        self._declared = prune.declared.get(namespace, NOTHING)
        self._accounts = {ObjectRef(SERVICE_ACCOUNT, namespace, name): objects[name] for name in sorted(objects)}
        self.notes: list[str] = []
        self.secrets = dict(self._ours(SECRET, found, _why_no_secret))
        grants = ROLE_BINDING in prune.kinds
        self.bindings = dict(self._ours(ROLE_BINDING, found, _why_no_binding)) if grants else {}

    def plan(self) -> Plan:
        going = self._undeclared_secrets()
        unlinked = [self._unlink(ref, unwanted) for ref, unwanted in self._unwanted(going).items()]
        deleted = [
            _delete_secret(ref, secret)
            for ref, secret in self.secrets.items()
            if ref.name in going and not _is_terminating(secret)
        ]
        bindings = [self._revoke(ref, binding) for ref, binding in self.bindings.items()]
        changes = (*unlinked, *deleted, *bindings)
        return Plan(tuple(change for change in changes if change is not None), notes=tuple(self.notes))

    def count_existing(self) -> Counter[str]:
        secrets = sum(
            ref.name in self._declared.secrets for ref, secret in self.secrets.items() if not _is_terminating(secret)
        )
        links = {one for ref, key, name in self.links() for one in self._declared.links_for(ref.name, key, name)}
        grants = {(role, subject) for role, subject in self._granted() if self._declared.grants_to(role, subject)}
        return +Counter(secrets=secrets, links=len(links), grants=len(grants))

    def _granted(self) -> Iterator[tuple[str, Subject]]:
        for binding in self.bindings.values():
            role = str(as_dict(binding.get("roleRef")).get("name"))
            yield from ((role, subject) for subject in subjects_of(binding))

    def links(self) -> Iterator[tuple[ObjectRef, str, str]]:
        """Yield each entry that names a secret of the owner once: the account, the list and the name."""
        owned = {ref.name for ref in self.secrets}
        for ref, account in self._accounts.items():
            for key in LISTS.values():
                for name in dict.fromkeys(entry_names(entries_of(ref, account, key))):
                    if name in owned:
                        yield ref, key, name

    def _ours(self, kind: Kind, found: Related, why_not: Any) -> Iterator[tuple[ObjectRef, Json]]:
        """Return the owner's objects by name, and add a note on each object with the labels that must not be touched."""
        items = as_list(as_dict(found.get(list_ref(kind, self._namespace))).get("items"))
        ours = {as_str(metadata(obj).get("name")): obj for obj in map(as_dict, items) if self._prune.owns(obj)}
        for name, obj in sorted(ours.items()):
            ref = ObjectRef(kind, self._namespace, name)
            why = why_not(ref, obj)
            if kind == ROLE_BINDING and _is_terminating(obj):
                continue
            if why:
                self.notes.append(f"{ref} has the labels of owner {self._prune.owner}, but {why}, so it was kept")
            else:
                yield ref, obj

    def _undeclared_secrets(self) -> frozenset[str]:
        """Yield the secrets to delete, except those with an entry on an account that the platform would restore."""
        if SECRET not in self._prune.kinds:
            return frozenset()
        stays = {name for ref, key, name in self.links() if self._is_platforms_link(ref, key, name)}
        return frozenset({ref.name for ref in self.secrets} - self._declared.secrets - stays)

    def _unwanted(self, going: frozenset[str]) -> dict[ObjectRef, dict[str, set[str]]]:
        """Return the names to remove, by account and list."""
        found: dict[ObjectRef, dict[str, set[str]]] = {}
        for ref, key, name in self.links():
            if self._is_unwanted(ref, key, name, going) and not self._is_platforms_link(ref, key, name):
                found.setdefault(ref, {}).setdefault(key, set()).add(name)
        return found

    def _unlink(self, ref: ObjectRef, unwanted: Mapping[str, set[str]]) -> Change:
        account = self._accounts[ref]
        before = {key: entries_of(ref, account, key) for key in unwanted}
        after = {key: remove_links(entries, unwanted[key]) for key, entries in before.items()}
        details = {"lists": {key: changes_of(before[key], after[key]) for key in before}}
        return update(ref, account, after, details, before=view_lists(before, before), after=view_lists(after, after))

    def _is_unwanted(self, ref: ObjectRef, key: str, name: str, going: frozenset[str]) -> bool:
        if name in going:
            return True
        return SERVICE_ACCOUNT in self._prune.kinds and not self._declared.links_to(ref.name, key, name)

    def _is_platforms_link(self, ref: ObjectRef, key: str, name: str) -> bool:
        """Whether the platform would restore the entry."""
        account, secret = self._accounts[ref], self.secrets[ObjectRef(SECRET, self._namespace, name)]
        return origin_of(account, key, name) is Origin.GENERATED or is_generated(account, secret)

    def _revoke(self, ref: ObjectRef, binding: Json) -> Change | None:
        """Yield the binding without the subjects that no grant declares, or its deletion if none is left."""
        role = str(as_dict(binding.get("roleRef")).get("name"))
        held = list(dict.fromkeys(subjects_of(binding)))
        revoked = dict.fromkeys(subject for subject in held if not self._declared.grants_to(role, subject))
        kept = [entry for entry in subject_entries(binding) if subject_of(entry, ref.namespace) not in revoked]
        details = {"role": role, "revoked": [str(subject) for subject in revoked]}
        before = binding_view(role, held)
        if not kept and (revoked or not self._declared.uses(role, ref.name)):
            return delete(ref, binding, details, before)
        if not revoked:
            return None
        after = binding_view(role, [subject for subject in held if subject not in revoked])
        return update(ref, binding, {"subjects": kept}, details, before=before, after=after)


def _why_no_secret(ref: ObjectRef, secret: Json) -> str:
    """Return why the object must not be touched, whatever its labels are; empty when it can be."""
    if is_platform_object(ref, secret):
        return "the platform or a controller looks after it"
    kind = StoredSecret.of(secret).type
    return "" if kind in TYPES else f"it has type {kind} and is not a pull secret"


def _why_no_binding(ref: ObjectRef, binding: Json) -> str:
    if is_platform_object(ref, binding):
        return "the platform or a controller looks after it"
    kind = as_dict(binding.get("roleRef")).get("kind")
    return "" if kind == _CLUSTER_ROLE else f"it has a {kind}, which this collection never grants"


def _is_terminating(obj: Json) -> bool:
    """Whether it is being deleted and waits for a finalizer."""
    return bool(metadata(obj).get("deletionTimestamp"))


def _delete_secret(ref: ObjectRef, secret: Json) -> Change:
    held = StoredSecret.of(secret)
    details = {"registries": {**no_changes(), "removed": held.known.registries}}
    return delete(ref, secret, details, view_stored_secret(held))
