# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The `sa_link` module's wish: secrets on the lists of service accounts. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from ...core.changes import Change, create, update
from ...core.errors import Refusal
from ...core.names import is_pattern
from ...core.objects import SECRET, SERVICE_ACCOUNT, Json, ObjectRef, Objects
from ...core.protocols import NOTHING_RELATED, Plan, Related, Selection
from ...platform.generated import platforms_own
from ...secrets.usable import why_not_there, why_not_usable
from .lists import LISTS, changes_of, exclusively, link, names, repeated, unlink, view
from .pods import POD, Lists, PodWithout, pods_without

__all__ = ["SaLink"]

#: What a secret must be like to be linked; under 'none' none is looked at.
_REQUIREMENTS = {"existing": why_not_there, "usable": why_not_usable}


@dataclass(frozen=True)
class SaLink:
    """`service_accounts` are names or globs; a name is waited for or created, a glob takes what there is."""

    secrets: tuple[str, ...]
    service_accounts: tuple[str, ...]
    lists: tuple[str, ...]
    present: bool
    exclusive: bool = False
    create: bool = False
    require: str = "none"
    restart_pods: str = "never"
    verify_after: float = 0.0

    precondition = None

    @property
    def selection(self) -> Selection:
        exact = tuple(name for name in self.service_accounts if not is_pattern(name))
        return Selection(SERVICE_ACCOUNT, exact if len(exact) == len(self.service_accounts) else ())

    def related(self, namespace: str, _objects: Objects) -> Sequence[ObjectRef]:
        if not self.present:
            return ()
        secrets = self.secrets if self.require in _REQUIREMENTS else ()
        pods = [] if self.restart_pods == "never" else [ObjectRef(POD, namespace, "")]
        return [*(ObjectRef(SECRET, namespace, name) for name in secrets), *pods]

    def plan(self, namespace: str, objects: Objects, found: Related = NOTHING_RELATED) -> Plan:
        """:raises Refusal: when a secret is not what is required of it."""
        unread = self._require(namespace, found)
        chosen = {name: objects[name] for name in sorted(objects) if self._chooses(name)}
        missing = self._missing(objects)
        planned = [self._plan_account(ObjectRef(SERVICE_ACCOUNT, namespace, name), chosen[name]) for name in chosen]
        created = [self._create(ObjectRef(SERVICE_ACCOUNT, namespace, name)) for name in missing if self.create]
        pods, unseen = self._pods_without(namespace, chosen, found)
        restarts = [pod.restart(namespace) for pod in pods if pod.is_helped_by_restart and self.restart_pods == "stuck"]
        notes = [note for name, account in chosen.items() for note in self._notes(f"{namespace}/{name}", account)]
        return Plan(
            changes=(*(change for change in planned if change is not None), *created, *restarts),
            waiting_for=tuple(f"service account {name}" for name in missing if not self.create),
            notes=(*unread, *unseen, *notes),
            extra={} if self.restart_pods == "never" else {"pods": [pod.report() for pod in pods]},
        )

    def lost(self, account: Json) -> dict[str, list[str]]:
        """What should stand on a list of the account and does not."""
        found = {key: set(names(account.get(key) or [])) for key in self.lists}
        lost = {key: [name for name in self.secrets if name not in listed] for key, listed in found.items()}
        return {key: missing for key, missing in lost.items() if missing and self.present}

    def _chooses(self, name: str) -> bool:
        return any(fnmatchcase(name, pattern) for pattern in self.service_accounts)

    def _missing(self, objects: Objects) -> list[str]:
        exact = [name for name in self.service_accounts if not is_pattern(name)]
        return [name for name in exact if self.present and name not in objects]

    def _require(self, namespace: str, found: Related) -> list[str]:
        """What could not be verified. :raises Refusal: for the first secret that is not as required."""
        if self.require not in _REQUIREMENTS or not self.present:
            return []
        why_not = _REQUIREMENTS[self.require] if LISTS["pull"] in self.lists else why_not_there
        unread = []
        for ref in (ObjectRef(SECRET, namespace, name) for name in self.secrets):
            if ref not in found:
                unread.append(f"secret {ref.name} may not be read by the caller, so it was not verified")
            elif reason := why_not(ref, found[ref]):
                raise Refusal(reason)
        return unread

    def _plan_account(self, ref: ObjectRef, account: Json) -> Change | None:
        before = {key: account.get(key) or [] for key in self.lists}
        platforms = platforms_own(account)
        after = {key: self._edited(entries, platforms) for key, entries in before.items()}
        patch = {key: after[key] for key in self.lists if after[key] != before[key]}
        if not patch:
            return None
        details = {"lists": {key: changes_of(before[key], after[key]) for key in patch}}
        return update(ref, account, patch, details, before=view(before, patch), after=view(after, patch))

    def _edited(self, entries: Sequence[Json], platforms: frozenset[str]) -> list[Json]:
        if not self.present:
            return unlink(entries, {*self.secrets} - platforms)
        return exclusively(entries, self.secrets, platforms) if self.exclusive else link(entries, self.secrets)

    def _create(self, ref: ObjectRef) -> Change:
        lists: dict[str, list[Json]] = {key: [{"name": name} for name in self.secrets] for key in self.lists}
        details = {"lists": {key: changes_of([], entries) for key, entries in lists.items()}}
        return create(ref, lists, details, view(lists, lists))

    def _pods_without(
        self, namespace: str, accounts: Mapping[str, Json], found: Related
    ) -> tuple[list[PodWithout], list[str]]:
        """The pods that lack what is linked, and a note when they may not be seen."""
        if self.restart_pods == "never" or not self.present:
            return [], []
        seen = found.get(ObjectRef(POD, namespace, ""))
        if seen is None:
            return [], ["pods may not be listed by the caller, so none was looked for that lacks the secrets"]
        lists = {name: self._lists(account) for name, account in accounts.items()}
        return pods_without(self.secrets, lists, seen.get("items") or []), []

    def _lists(self, account: Json) -> Lists:
        listed = {*names(account.get(LISTS["pull"]) or [])}
        return Lists(known=frozenset({*listed, *self.secrets}), platforms=platforms_own(account) & listed)

    def _notes(self, title: str, account: Json) -> Iterator[str]:
        platforms = platforms_own(account)
        for name in self.secrets:
            if name in platforms and not self.present:
                yield f"secret {name} is the platform's own entry of service account {title} and stays linked"
        for key in self.lists:
            foreign = [] if self.exclusive else repeated(account.get(key) or [])
            for name in foreign:
                if name not in self.secrets:
                    yield f"service account {title} lists secret {name} more than once in {key}: not ours, left alone"
