# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Define the objects to read of each namespace: its service accounts, the secrets of pull types, its role bindings. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

from ...core.errors import Refusal
from ...core.objects import ROLE_BINDING, SECRET, SERVICE_ACCOUNT, Json, Kind, ObjectRef, Objects, metadata, trim_object
from ...core.protocols import ALL, ListedBy, Related
from ...platform.protected import is_marked_generated
from ...secrets.content import TYPES

__all__ = ["NamespaceObjects", "NamespaceQuestion"]


def _drop_tokens(secret: Json) -> Json:
    """Return a secret without data that the platform generated, which is three tokens for each namespace of the cluster."""
    kept = trim_object(SECRET, secret)
    return {**kept, "data": {}} if is_marked_generated(secret) else kept


_SECRET = replace(SECRET, trim=_drop_tokens)


@dataclass(frozen=True, repr=False)
class NamespaceObjects:
    """The objects of one namespace by name."""

    accounts: Objects = field(default_factory=dict)
    secrets: Objects = field(default_factory=dict)
    bindings: Objects = field(default_factory=dict)


@dataclass(frozen=True)
class NamespaceQuestion:
    """Lists all needed objects of a namespace."""

    kind: ClassVar[Kind] = SERVICE_ACCOUNT
    listed_by: ClassVar[ListedBy] = {
        SERVICE_ACCOUNT: ALL,
        SECRET: tuple(f"type={each}" for each in TYPES),
        ROLE_BINDING: ALL,
    }

    def names(self, _namespace: str) -> tuple[str, ...]:
        return ()

    def related(self, namespace: str, _objects: Objects) -> Sequence[ObjectRef]:
        return [ObjectRef(_SECRET, namespace, ""), ObjectRef(ROLE_BINDING, namespace, "")]

    def objects(self, namespace: str, accounts: Objects, found: Related) -> NamespaceObjects:
        """Return the objects. :raises Refusal: when the caller is not allowed to list the secrets or the role bindings."""
        secrets, bindings = (_require_list(kind, namespace, found) for kind in (SECRET, ROLE_BINDING))
        return NamespaceObjects(accounts, secrets, bindings)


def _require_list(kind: Kind, namespace: str, found: Related) -> Objects:
    answer = found.get(ObjectRef(kind, namespace, ""))
    if answer is None:
        raise Refusal(
            f"the caller may not list {kind.resource} in namespace {namespace}, so the export would be incomplete: allow the caller "
            f"to 'list' {kind.resource}, or leave the namespace out"
        )
    return {metadata(obj)["name"]: obj for obj in answer["items"]}
