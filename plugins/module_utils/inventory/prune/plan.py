# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plan a prune: of all objects with an owner's labels, only those that the owner declares are kept. Limit the removals. Pure.

Entries of service accounts' lists are removed before the secrets that they name. So a run that is killed in between leaves
secrets that still have their labels, and the next run finds them.

A removal is left out by a declaration of its objects, so the plan without it is made in the same way as any other.

Users of a project can write labels and links. So a percentage counts only declarations of the lists, and objects with an owner's
labels in one project do not stop the prune in the others. No object of a namespace that no entry confirms changes anything in a
confirmed one.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import cached_property, partial
from math import floor
from typing import Any, ClassVar

from ...core.changes import NO_SELECTORS, NOTHING_RELATED, Change, Desired, ListedBy, Plan, Related, delete, update
from ...core.errors import Limit
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
from ...platform.account_lists import (
    LISTS,
    Origin,
    changes_of,
    entries_of,
    entry_names,
    is_generated,
    origin_of,
    remove_links,
    view_lists,
)
from ...platform.protected import is_platform_object
from ...rbac.subjects import Subject, binding_view, subject_entries, subject_of, subjects_of
from ...secrets.content import TYPES, StoredSecret, no_changes, view_stored_secret

#: The characters that make a name a glob.
_SPECIAL = frozenset("*?[")


@dataclass(frozen=True)
class Links:
    """Secrets on lists (`imagePullSecrets`, `secrets`) of service accounts; `accounts` are names or globs."""

    secrets: frozenset[str]
    accounts: tuple[str, ...]
    lists: frozenset[str]


@dataclass(frozen=True)
class Grant:
    """Subjects that are granted a role, and the binding for grants that no other binding has already."""

    role: str
    binding_name: str
    subjects: frozenset[Subject]


@dataclass(frozen=True)
class DeclaredObjects:
    """All objects that are declared to be present."""

    secrets: frozenset[str] = frozenset()
    links: tuple[Links, ...] = ()
    grants: tuple[Grant, ...] = ()

    def links_to(self, account: str, key: str, secret: str) -> bool:
        """Whether the secret is declared on that list of the account."""
        return any(True for _link in self.links_for(account, key, secret))

    def links_for(self, account: str, key: str, secret: str) -> Iterator[tuple[str, str, str]]:
        """Yield the declared links that put the secret on that list of the account, each with the name or glob of its accounts."""
        names, globs = self._patterns.get((key, secret), ((), ()))
        if account in names:
            yield account, key, secret
        yield from ((glob, key, secret) for glob in globs if fnmatchcase(account, glob))

    def grants_to(self, role: str, subject: Subject) -> bool:
        """Whether the subject is granted the role, by any binding: if one grants it, a second one does not."""
        return subject in self._subjects.get(role, ())

    def uses(self, role: str, binding_name: str) -> bool:
        """Whether a grant is declared for that binding."""
        return (role, binding_name) in self._bindings

    @cached_property
    def _patterns(self) -> Mapping[tuple[str, str], tuple[dict[str, None], dict[str, None]]]:
        """The names and the globs of accounts, by list and secret. A removal that is kept is a declaration, so there can be many names."""
        found: dict[tuple[str, str], tuple[dict[str, None], dict[str, None]]] = {}
        for links in self.links:
            for where in itertools.product(links.lists, links.secrets):
                names, globs = found.setdefault(where, ({}, {}))
                for pattern in links.accounts:
                    (globs if _SPECIAL & {*pattern} else names)[pattern] = None
        return found

    @cached_property
    def _subjects(self) -> Mapping[str, set[Subject]]:
        """The subjects with a grant, by role."""
        found: dict[str, set[Subject]] = {}
        for grant in self.grants:
            found.setdefault(grant.role, set()).update(grant.subjects)
        return found

    @cached_property
    def _bindings(self) -> frozenset[tuple[str, str]]:
        return frozenset((grant.role, grant.binding_name) for grant in self.grants)

    @classmethod
    def of(cls, parts: Iterable[DeclaredObjects]) -> DeclaredObjects:
        """Return the union of the parts."""
        every = list(parts)
        return cls(
            frozenset().union(*(one.secrets for one in every)),
            tuple(links for one in every for links in one.links),
            tuple(grant for one in every for grant in one.grants),
        )

    @classmethod
    def merge(cls, parts: Iterable[Mapping[str, DeclaredObjects]]) -> dict[str, DeclaredObjects]:
        """Return the union of several declarations, by namespace."""
        places: dict[str, list[DeclaredObjects]] = {}
        for part in parts:
            for namespace, one in part.items():
                places.setdefault(namespace, []).append(one)
        return {namespace: cls.of(every) for namespace, every in places.items()}


NOTHING = DeclaredObjects()


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


@dataclass(frozen=True)
class Removal:
    """One removal in a namespace: a secret with its links, one link, or one subject. `objects` declares all that it removes."""

    namespace: str
    title: str
    objects: DeclaredObjects = field(hash=False)

    def __str__(self) -> str:
        return self.title

    @property
    def refs(self) -> frozenset[ObjectRef]:
        """The objects that it changes or deletes."""
        secrets = (ObjectRef(SECRET, self.namespace, name) for name in self.objects.secrets)
        accounts = (
            ObjectRef(SERVICE_ACCOUNT, self.namespace, name) for links in self.objects.links for name in links.accounts
        )
        bindings = (ObjectRef(ROLE_BINDING, self.namespace, grant.binding_name) for grant in self.objects.grants)
        return frozenset((*secrets, *accounts, *bindings))


def removals_of(namespace: str, changes: Sequence[Change], found: Related) -> list[Removal]:
    """Return the removals of a plan. `found`: the related objects that the plan was made of."""
    secrets = [change.ref for change in changes if change.ref.kind == SECRET]
    links = list(_group(_links_of(changes)))
    own: dict[str, list[Links]] = {ref.name: [] for ref in secrets}
    for (account, name), lists in links:
        if name in own:
            own[name].append(_links(account, name, lists))
    return [
        *(_of_secret(ref, own[ref.name]) for ref in secrets),
        *(_of_links(account, name, lists) for (account, name), lists in links if name not in own),
        *_of_grants(namespace, changes, found),
    ]


def keep_removals(prune: Prune, kept: Iterable[Removal]) -> Prune:
    """Return the prune without these removals."""
    parts: dict[str, list[DeclaredObjects]] = {}
    for removal in kept:
        parts.setdefault(removal.namespace, [prune.declared.get(removal.namespace, NOTHING)]).append(removal.objects)
    return replace(
        prune, declared={**prune.declared, **{name: DeclaredObjects.of(each) for name, each in parts.items()}}
    )


_Link = tuple[ObjectRef, str, str]


def _links_of(changes: Iterable[Change]) -> Iterator[_Link]:
    """Yield the account, the name of the secret and the list of each removed entry."""
    for change in changes:
        if change.ref.kind == SERVICE_ACCOUNT:
            for key, names in change.details["lists"].items():
                yield from ((change.ref, name, key) for name in names["removed"])


def _group(links: Iterable[_Link]) -> Iterator[tuple[tuple[ObjectRef, str], frozenset[str]]]:
    found: dict[tuple[ObjectRef, str], set[str]] = {}
    for account, name, key in links:
        found.setdefault((account, name), set()).add(key)
    yield from ((where, frozenset(lists)) for where, lists in found.items())


def _of_secret(ref: ObjectRef, links: Sequence[Links]) -> Removal:
    return Removal(ref.namespace, str(ref), DeclaredObjects(frozenset({ref.name}), tuple(links)))


def _of_links(account: ObjectRef, name: str, lists: frozenset[str]) -> Removal:
    objects = DeclaredObjects(links=(_links(account, name, lists),))
    return Removal(account.namespace, f"the link of {account} to secret {name}", objects)


def _links(account: ObjectRef, name: str, lists: frozenset[str]) -> Links:
    return Links(frozenset({name}), (account.name,), lists)


def _of_grants(namespace: str, changes: Iterable[Change], found: Related) -> Iterator[Removal]:
    """Yield each subject with all bindings that lose it, because one of them would be enough to pull."""
    bindings = {as_str(metadata(each).get("name")): each for each in _bindings(namespace, found)}
    grants: dict[Subject, list[Grant]] = {}
    for change in changes:
        if change.ref.kind == ROLE_BINDING:
            for subject in _revoked(change, bindings):
                grants.setdefault(subject, []).append(
                    Grant(change.details["role"], change.ref.name, frozenset({subject}))
                )
    for subject, each in grants.items():
        yield Removal(namespace, f"the grant to {subject} in {namespace}", DeclaredObjects(grants=tuple(each)))


def _bindings(namespace: str, found: Related) -> Iterator[Json]:
    return map(as_dict, as_list(as_dict(found.get(list_ref(ROLE_BINDING, namespace))).get("items")))


def _revoked(change: Change, bindings: Mapping[str, Json]) -> Iterator[Subject]:
    names = frozenset(change.details["revoked"])
    yield from (subject for subject in dict.fromkeys(subjects_of(bindings[change.ref.name])) if str(subject) in names)


#: At most one in this number of namespaces is held back so that the others can continue, but always at least one.
_ONE_OF = 10
#: Maximum number of removals that each percentage above 0 allows: one entry in the three namespaces of a small team (development, test,
#: production). Never more than a third, so a lost part of a short list is still noticed.
_FEW, _SHARE_OF_FEW = 3, 3


@dataclass(frozen=True)
class Balance:
    """One namespace: how many objects of each kind are declared and exist, and how many would be removed.

    `is_confirmed`: an entry selects the namespace, independently of the namespace's users.
    """

    declared: Counter[str] = field(default_factory=Counter)
    removed: Counter[str] = field(default_factory=Counter)
    is_confirmed: bool = False


@dataclass(frozen=True)
class PruneVerdict:
    """`held_back` are the namespaces in which nothing is removed. With `is_refused`, these are all namespaces.

    `declared`, `removed` and `allowed` count each kind: existing declared objects, objects to remove, and the maximum of removals.
    """

    declared: Counter[str]
    removed: Counter[str]
    allowed: Counter[str]
    held_back: frozenset[str] = frozenset()
    is_refused: bool = False

    @classmethod
    def of(cls, declared: Counter[str], removed: Counter[str], most: Limit) -> PruneVerdict:
        few = _FEW if most.is_share and most.amount else 0
        total = declared + removed
        allowed = {kind: max(floor(most.of(total[kind])), min(few, total[kind] // _SHARE_OF_FEW)) for kind in total}
        return cls(declared, removed, Counter(allowed))

    @property
    def exceeded(self) -> list[str]:
        """Return the kinds whose removals exceed the limit."""
        return [kind for kind, removed in self.removed.items() if removed > self.allowed[kind]]


def judge_removals(balances: Mapping[str, Balance], most: Limit) -> PruneVerdict:
    """Decide in which namespaces objects are removed, so that the removals of each kind stay within `most`.

    The confirmed namespaces are judged without the others, which get the rest of the limit. If a group exceeds it, leave out the few
    namespaces of the group with the most removals. If that is not enough, leave out the group, and the unconfirmed one with the confirmed one.
    An unconfirmed namespace that exceeds the limit on its own is left out in any case, so it is not one of the few.
    """
    declared = _total(one.declared for one in balances.values() if one.is_confirmed)
    judge = partial(PruneVerdict.of, declared, most=most)
    concerned = {name: one for name, one in balances.items() if one.removed}
    confirmed = {name: one.removed for name, one in concerned.items() if one.is_confirmed}
    others = {
        name: one.removed for name, one in concerned.items() if not (one.is_confirmed or judge(one.removed).exceeded)
    }
    removed, kept = Counter[str](), list[str]()
    for group in (confirmed, others):
        chosen = _leave_out_heaviest(group, judge, removed)
        if chosen is None:
            break
        removed = removed + _total(group[name] for name in chosen)
        kept += chosen
    if concerned and not kept:
        everything = judge(_total(one.removed for one in concerned.values()))
        return replace(everything, held_back=frozenset(concerned), is_refused=True)
    return replace(judge(removed), held_back=frozenset(concerned) - {*kept})


def _leave_out_heaviest(
    group: Mapping[str, Counter[str]], judge: Callable[[Counter[str]], PruneVerdict], before: Counter[str]
) -> Sequence[str] | None:
    """Return the namespaces whose removals, with those `before`, stay within the limit: all, or all without the few with the most removals
    of the exceeded kinds. None if that is not enough."""
    removed = before + _total(group.values())
    exceeded = judge(removed).exceeded
    heaviest = sorted(group, key=lambda name: (-sum(group[name][kind] for kind in exceeded), name))
    for count in range(max(1, len(heaviest) // _ONE_OF) + 1):
        if not judge(removed).exceeded:
            return heaviest[count:]
        removed = removed - group[heaviest[count]]
    return None


def _total(counts: Iterable[Counter[str]]) -> Counter[str]:
    total = Counter[str]()
    for count in counts:
        total.update(count)
    return total
