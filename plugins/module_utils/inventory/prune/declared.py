# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The declarations of an owner for one namespace, as far as a prune needs them. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property

from ...rbac.subjects import Subject

__all__ = ["NOTHING", "DeclaredObjects", "Grant", "Links"]

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
