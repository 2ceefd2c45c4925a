# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the objects that grant an account the rights of its jobs: cluster roles, by the place where they are bound. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from ...core.objects import CLUSTER_ROLE, CLUSTER_ROLE_BINDING, ROLE_BINDING, SERVICE_ACCOUNT, ObjectRef
from ...rbac.rights import CLUSTER, EVERY, HOSTED_PULL_SECRETS, JOBS, rights_of, rules_of
from ...rbac.subjects import LABELS, RBAC

__all__ = ["AccountRole", "AccountRoles", "is_name_of", "names_from"]

_NUMBER = re.compile(r"[2-9]|[1-9][0-9]{1,5}")
#: All places in which a job can need a right.
_PLACES = tuple(dict.fromkeys((EVERY, CLUSTER, *(right.where for job in JOBS.values() for right in job.rights))))


@dataclass(frozen=True)
class AccountRole:
    """A cluster role and where it is bound: in each namespace of the jobs, in the cluster, or in one namespace."""

    name: str
    where: str
    rules: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class AccountRoles:
    """All objects of the account `namespace`/`name`. `everywhere`: rights in namespaces are granted in all namespaces.

    `hosted_pull_secrets`: the names of the pull secrets of hosted clusters.
    """

    namespace: str
    name: str
    jobs: Sequence[str]
    everywhere: bool = False
    hosted_pull_secrets: Sequence[str] = ()

    @property
    def account(self) -> ObjectRef:
        return ObjectRef(SERVICE_ACCOUNT, self.namespace, self.name)

    @property
    def subject(self) -> dict[str, str]:
        return {"kind": "ServiceAccount", "namespace": self.namespace, "name": self.name}

    def wanted(self) -> Sequence[AccountRole]:
        """Return one cluster role for each place in which the jobs need rights."""
        places: dict[str, list[Any]] = {}
        for right in rights_of(self.jobs, {HOSTED_PULL_SECRETS: self.hosted_pull_secrets}):
            where = CLUSTER if self.everywhere and right.where == EVERY else right.where
            places.setdefault(where, []).append(right)
        return [AccountRole(self.role_name(where), where, rules_of(rights)) for where, rights in sorted(places.items())]

    def role_names(self) -> Sequence[str]:
        """Return the names of all cluster roles that an account can have, so that unneeded ones are found as well."""
        return [self.role_name(where) for where in _PLACES]

    def is_binding(self, name: str) -> bool:
        """Whether the name is one that a binding of this account can have."""
        return any(is_name_of(first, name) for first in self.role_names())

    def role_name(self, where: str) -> str:
        """Return a name that is unique to this account: the name of an account cannot contain a colon."""
        suffix = {EVERY: "", CLUSTER: ":cluster"}.get(where, f":{where}")
        return f"image-pull:{self.namespace}:{self.name}{suffix}"

    def parts_in(self, namespace: str, *, is_target: bool) -> Sequence[AccountRole]:
        """Return the cluster roles that are bound in a namespace. `is_target`: the jobs work in it."""
        return [part for part in self.wanted() if part.where == namespace or (is_target and part.where == EVERY)]

    def fixed_namespaces(self) -> Sequence[str]:
        """Return the namespaces that always have a binding, whatever the namespaces of the jobs are."""
        return [part.where for part in self.wanted() if part.where not in (EVERY, CLUSTER)]

    def role(self, part: AccountRole) -> dict[str, Any]:
        return {**_head(ObjectRef(CLUSTER_ROLE, "", part.name)), "rules": [dict(rule) for rule in part.rules]}

    def binding(self, part: AccountRole, namespace: str = "") -> dict[str, Any]:
        """Return a role binding in the namespace, or a cluster role binding without one."""
        ref = ObjectRef(ROLE_BINDING if namespace else CLUSTER_ROLE_BINDING, namespace, part.name)
        role = {"apiGroup": RBAC, "kind": CLUSTER_ROLE.kind, "name": part.name}
        return {**_head(ref), "roleRef": role, "subjects": [self.subject]}

    def manifests(self, namespaces: Iterable[str]) -> list[dict[str, Any]]:
        """Return all objects in creation order. The namespaces must exist."""
        targets = list(dict.fromkeys(namespaces))
        places = list(dict.fromkeys([*targets, *self.fixed_namespaces()]))
        bindings = (
            self.binding(part, namespace)
            for namespace in places
            for part in self.parts_in(namespace, is_target=namespace in targets)
        )
        return [
            _head(self.account),
            *(self.role(part) for part in self.wanted()),
            *(self.binding(part) for part in self.wanted() if part.where == CLUSTER),
            *bindings,
        ]


def names_from(first: str) -> Iterator[str]:
    """Return the possible names of a binding in a namespace, in the order in which they are tried."""
    yield first
    yield from (f"{first}:{number}" for number in count(2))


def is_name_of(first: str, name: str) -> bool:
    """Whether `names_from` yields the name."""
    number = name.removeprefix(f"{first}:")
    return name == first or (number != name and _NUMBER.fullmatch(number) is not None)


def _head(ref: ObjectRef) -> dict[str, Any]:
    where = {"namespace": ref.namespace} if ref.namespace else {}
    metadata = {"name": ref.name, **where, "labels": dict(LABELS)}
    return {"apiVersion": ref.kind.api_version, "kind": ref.kind.kind, "metadata": metadata}
