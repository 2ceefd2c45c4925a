# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plan the state of `sa_link`: secrets on the lists of service accounts. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, ClassVar

from ...core.changes import Change, Prerequisite, create, update
from ...core.errors import Refusal
from ...core.names import is_pattern
from ...core.objects import SECRET, SERVICE_ACCOUNT, Json, Kind, ObjectRef, Objects, as_dict, as_list
from ...core.ownership import Ownership, labels_view
from ...core.protocols import ALL, NOTHING_RELATED, Desired, ListedBy, Plan, Related
from ...platform.account_lists import (
    LISTS,
    add_links,
    changes_of,
    duplicate_names,
    entries_of,
    names_in,
    remove_links,
    view_lists,
)
from ...platform.generated import Origin, origin_of
from ...platform.protected import is_platform_object
from ...secrets.content import DOCKERCONFIGJSON, why_not_usable, why_secret_missing
from .pods import TRIMMED_POD, AccountPullList, PodMissingSecrets, pods_missing_secrets
from .unlinking import Decision, Unlinking

__all__ = ["SaLink"]

#: Checks of the secrets to link, by the value of `require`. With 'none', secrets are not checked.
_REQUIREMENTS = {"existing": why_secret_missing, "usable": why_not_usable}

#: The decisions on unwanted entries, by list and name.
_Decisions = Mapping[tuple[str, str], Decision]


@dataclass(frozen=True)
class SaLink(Desired):
    """The declared links. `service_accounts` are names or globs: a missing name is awaited or created, a glob matches existing accounts.

    `wait_timeout` is in seconds. `only_managed`: with `present` False, unlink only secrets that have our label, or do not exist.
    `ownership`: the owner of the links. An account belongs to an owner only if `create` declares it.
    """

    secrets: tuple[str, ...]
    service_accounts: tuple[str, ...]
    lists: tuple[str, ...]
    present: bool
    exclusive: bool = False
    only_managed: bool = False
    create: bool = False
    require: str = "none"
    restart_pods: str = "never"
    wait_timeout: float = 0.0
    ownership: Ownership = field(default_factory=Ownership)

    kind: ClassVar[Kind] = SERVICE_ACCOUNT
    #: Secrets of the usual type are listed. Those of any other type are read one by one.
    listed_by: ClassVar[ListedBy] = {SERVICE_ACCOUNT: ALL, SECRET: (f"type={DOCKERCONFIGJSON}",)}

    def names(self, _namespace: str) -> tuple[str, ...]:
        return () if any(is_pattern(name) for name in self.service_accounts) else self.service_accounts

    def related(self, namespace: str, objects: Objects) -> Sequence[ObjectRef]:
        """Return the secrets that must be usable, those that must be read before they can be unlinked, and the pods."""
        required = self.secrets if self.present and self.require in _REQUIREMENTS else ()
        doubtful = (
            name
            for account in self._chosen(objects).values()
            for key, name in self._unwanted(account)
            if self._unlinking.must_be_read(account, key, name)
        )
        secrets = [ObjectRef(SECRET, namespace, name) for name in dict.fromkeys((*required, *doubtful))]
        return [*secrets, ObjectRef(TRIMMED_POD, namespace, "")] if self._looks_at_pods else secrets

    def plan(self, namespace: str, objects: Objects, found: Related = NOTHING_RELATED) -> Plan:
        """Return the changes. :raises Refusal: when a secret does not meet the requirement, or an account cannot be read."""
        unread = self._require(namespace, found)
        chosen = {ObjectRef(SERVICE_ACCOUNT, namespace, name): obj for name, obj in self._chosen(objects).items()}
        decisions = {ref: self._decisions(namespace, account, found) for ref, account in chosen.items()}
        missing = self._missing(objects)
        planned = [self._plan_account(ref, account, decisions[ref]) for ref, account in chosen.items()]
        created = [self._create(ObjectRef(SERVICE_ACCOUNT, namespace, name)) for name in missing if self.create]
        pods, unseen = self._pods(namespace, chosen, found)
        restarts = [pod.restart(namespace) for pod in pods if pod.recovers_by_restart and self.restart_pods == "stuck"]
        notes = [note for ref, account in chosen.items() for note in self._notes(ref, account, decisions[ref])]
        return Plan(
            changes=(*(change for change in planned if change is not None), *created, *restarts),
            waiting_for=tuple(
                Prerequisite(f"service account {name}", self.wait_timeout) for name in missing if not self.create
            ),
            notes=(*unread, *unseen, *notes),
            extra={"pods": [pod.report() for pod in pods]} if self._looks_at_pods else {},
        )

    @property
    def _looks_at_pods(self) -> bool:
        return self.restart_pods != "never"

    @property
    def _unlinking(self) -> Unlinking:
        return Unlinking(by_name=not self.present, only_managed=self.only_managed, ownership=self.ownership)

    def _chosen(self, objects: Objects) -> Objects:
        chosen = (name for name in objects if any(fnmatchcase(name, pattern) for pattern in self.service_accounts))
        return {name: objects[name] for name in sorted(chosen)}

    def _missing(self, objects: Objects) -> list[str]:
        exact = [name for name in self.service_accounts if not is_pattern(name)]
        return [name for name in exact if self.present and name not in objects]

    def _require(self, namespace: str, found: Related) -> list[str]:
        """Check the secrets, and return notes on unchecked ones. :raises Refusal: for the first that does not meet the requirement."""
        if self.require not in _REQUIREMENTS or not self.present:
            return []
        why_not = _REQUIREMENTS[self.require] if LISTS["pull"] in self.lists else why_secret_missing
        unread = []
        for ref in (ObjectRef(SECRET, namespace, name) for name in self.secrets):
            if ref not in found:
                unread.append(f"{ref} was not checked: the caller may not read it")
            elif reason := why_not(ref, found[ref]):
                raise Refusal(reason)
        return unread

    def _unwanted(self, account: Json) -> Iterator[tuple[str, str]]:
        """Yield each list with each name to remove from it."""
        if self.present and not self.exclusive:
            return
        for key in self.lists:
            for name in dict.fromkeys(names_in(account, key)):
                if (name in self.secrets) is not self.present:
                    yield key, name

    def _decisions(self, namespace: str, account: Json, found: Related) -> _Decisions:
        return {
            (key, name): self._unlinking.decide(account, key, ObjectRef(SECRET, namespace, name), found)
            for key, name in self._unwanted(account)
        }

    def _plan_account(self, ref: ObjectRef, account: Json, decisions: _Decisions) -> Change | None:
        """Return the change of an account. :raises Refusal: when a list cannot be read, or another owner has created the account."""
        labels = self._adoption_labels(ref, account)
        before = {key: entries_of(ref, account, key) for key in self.lists}
        after: dict[str, Any] = {}
        for key, entries in before.items():
            linked = add_links(entries, self.secrets) if self.present else entries
            after[key] = remove_links(
                linked, {name for (where, name), fate in decisions.items() if where == key and fate.remove}
            )
        patch = {key: after[key] for key in self.lists if after[key] != before[key]}
        if not (patch or labels):
            return None
        details: dict[str, Any] = {"lists": {key: changes_of(before[key], after[key]) for key in patch}}
        views = {
            "before": {**view_lists(before, patch), **labels_view(labels, "not as requested")},
            "after": {**view_lists(after, patch), **labels_view(labels, "as requested")},
        }
        if labels:
            patch = {**patch, "metadata": {"labels": labels}}
            details["labels"] = sorted(labels)
        return update(ref, account, patch, details, **views)

    def _adoption_labels(self, ref: ObjectRef, account: Json) -> dict[str, str]:
        """Return the missing ownership labels of an account that `create` declares. :raises Refusal: when another owner has it."""
        if not self.create or ref.name not in self.service_accounts:
            return {}
        self.ownership.refuse_other(ref, account, adoptable=True)
        return {} if is_platform_object(ref, account) else self.ownership.missing(account)

    def _create(self, ref: ObjectRef) -> Change:
        lists: dict[str, list[Json]] = {key: [{"name": name} for name in self.secrets] for key in self.lists}
        body = {"metadata": {"labels": self.ownership.labels}, **lists}
        details = {"lists": {key: changes_of([], entries) for key, entries in lists.items()}}
        return create(ref, body, details, view_lists(lists, lists))

    def _pods(
        self, namespace: str, accounts: Mapping[ObjectRef, Json], found: Related
    ) -> tuple[list[PodMissingSecrets], list[str]]:
        """Return the pods that lack a linked secret, and a note when the caller is not allowed to list pods."""
        if not self._looks_at_pods:
            return [], []
        seen = found.get(ObjectRef(TRIMMED_POD, namespace, ""))
        if seen is None:
            return [], [f"the pods of namespace {namespace} were not checked: the caller may not list them"]
        lists = {ref.name: self._pull_list(account) for ref, account in accounts.items()}
        return pods_missing_secrets(self.secrets, lists, as_list(as_dict(seen).get("items"))), []

    def _pull_list(self, account: Json) -> AccountPullList:
        key = LISTS["pull"]
        listed = names_in(account, key)
        generated = frozenset(name for name in listed if origin_of(account, key, name) is not Origin.OTHER)
        return AccountPullList(frozenset({*listed, *self.secrets}), generated)

    def _notes(self, ref: ObjectRef, account: Json, decisions: _Decisions) -> Iterator[str]:
        yield from dict.fromkeys(fate.note for fate in decisions.values() if fate.note)
        for key in self.lists:
            for name in duplicate_names(entries_of(ref, account, key)):
                if name not in self.secrets and (key, name) not in decisions:
                    yield f"{ref} lists secret {name} more than once in {key}: the duplicate is not ours and was kept"
