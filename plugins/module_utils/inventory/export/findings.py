# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects to read of each namespace, the findings from which its entries are built, and their check by the features that apply them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Union

from ...core.changes import ALL, NOTHING_RELATED, Desired, ListedBy, Plan, Related
from ...core.errors import ImagePullError, Refusal
from ...core.objects import ROLE_BINDING, SECRET, SERVICE_ACCOUNT, Json, Kind, ObjectRef, Objects, metadata, trim_object
from ...dockerconfig.auth_file import AuthFile
from ...features.image_puller_grant.plan import ImagePullerGrant
from ...features.pull_secret.plan import PullSecret
from ...features.sa_link.plan import SaLink
from ...platform.account_lists import LISTS
from ...platform.protected import is_marked_generated
from ...rbac.subjects import Subject
from ...secrets.content import DATA_KEYS, TYPES, SecretMetadata, Target

__all__ = [
    "ExportCheck",
    "ExportedGrant",
    "ExportedLinks",
    "ExportedSecret",
    "Findings",
    "LeftOut",
    "NamespaceObjects",
    "NamespaceQuestion",
    "NotExported",
]


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


@dataclass(frozen=True)
class LeftOut:
    """A platform object, counted under one word."""

    why: str


@dataclass(frozen=True)
class NotExported:
    """An object that no entry can express, with the reason, but without its content."""

    ref: ObjectRef
    reason: str


@dataclass(frozen=True)
class ExportedLinks:
    """Links of one secret: `link_for` on each of the `service_accounts`."""

    service_accounts: tuple[str, ...]
    link_for: tuple[str, ...] = ("pull",)


@dataclass(frozen=True, repr=False)
class ExportedSecret:
    """One secret. `logins` are its registries as values, None if only the whole auth file can express them.

    `require` is the option of its links, None for the role's default.
    """

    name: str
    type: str
    auth_file: AuthFile
    logins: tuple[Mapping[str, str], ...] | None
    immutable: bool = False
    links: tuple[ExportedLinks, ...] = ()
    require: str | None = None


@dataclass(frozen=True)
class ExportedGrant:
    """One role binding. `options` are the subjects as an entry gives them, `named` its role and binding name."""

    role: str
    binding_name: str
    subjects: tuple[Subject, ...]
    options: Mapping[str, Any]
    named: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Findings:
    """All findings of one namespace. `order`: the linked names on each list of an account, in their order."""

    secrets: list[ExportedSecret] = field(default_factory=list)
    grants: list[ExportedGrant] = field(default_factory=list)
    left_out: dict[str, int] = field(default_factory=dict)
    unexpressed: list[NotExported] = field(default_factory=list)
    order: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    def note(self, ref: ObjectRef, what: Union[LeftOut, str]) -> None:
        """Count a platform object, or record an object that cannot be expressed."""
        if isinstance(what, LeftOut):
            self.left_out[what.why] = self.left_out.get(what.why, 0) + 1
        else:
            self.unexpressed.append(NotExported(ref, what))


@dataclass(frozen=True)
class ExportCheck:
    """Each method returns why applying a part of the findings would change the namespace; empty when it would not."""

    namespace: str
    seen: NamespaceObjects
    found: Related

    def of_secret(self, secret: ExportedSecret) -> str:
        kept = SecretMetadata(immutable=True if secret.immutable else None)
        target = Target(secret.type, DATA_KEYS[secret.type])
        desired = PullSecret(secret.name, target, "replace", secret.auth_file, secret_metadata=kept)
        return self._why(desired, self.seen.secrets)

    def of_links(self, secret: ExportedSecret) -> str:
        related = {ObjectRef(SECRET, self.namespace, secret.name): self.seen.secrets.get(secret.name)}
        require = secret.require or "usable"
        for links in secret.links:
            lists = tuple(key for purpose, key in LISTS.items() if purpose in links.link_for)
            desired = SaLink((secret.name,), links.service_accounts, lists, present=True, require=require)
            if why := self._why(desired, self.seen.accounts, related):
                return why
        return ""

    def of_grant(self, grant: ExportedGrant) -> str:
        desired = ImagePullerGrant(grant.subjects, grant.role, grant.binding_name, present=True)
        return self._why(desired, self.seen.bindings, self.found)

    def _why(self, desired: Desired, objects: Mapping[str, Any], found: Related = NOTHING_RELATED) -> str:
        try:
            plan = desired.plan(self.namespace, objects, found)
        except ImagePullError as error:
            return str(error)
        return f"an entry for it would change it: {_describe_plan(plan)}" if plan.changes or plan.waiting_for else ""


def _describe_plan(plan: Plan) -> str:
    waits = [f"it waits for {awaited.what}" for awaited in plan.waiting_for]
    return "; ".join([*(f"{change.action} {change.ref}" for change in plan.changes), *waits])
