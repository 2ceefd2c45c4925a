# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The removals of a plan, each of which can be left out alone. Pure.

A removal is left out by a declaration of its objects, so the plan without it is made in the same way as any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ...core.changes import Change
from ...core.objects import ROLE_BINDING, SECRET, SERVICE_ACCOUNT, Json, ObjectRef, as_dict, as_list, as_str, metadata
from ...core.protocols import Related
from ...rbac.subjects import Subject, subjects_of
from .declared import NOTHING, DeclaredObjects, Grant, Links
from .plan import Prune, list_ref

__all__ = ["Removal", "keep_removals", "removals_of"]


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
