# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The O(sa_link) module's wish: secrets on the lists of service accounts. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from .errors import OptionError, Refusal
from .linkable import why_not_there, why_not_usable
from .model import (
    NOTHING_FOUND,
    SECRET,
    SERVICE_ACCOUNT,
    Change,
    Found,
    Json,
    Objects,
    Plan,
    Ref,
    Selection,
    create,
    metadata,
    update,
)
from .names import check_name, is_pattern
from .pods import POD, Lists, PodWithout, pods_without
from .references import LISTS, changes_of, exclusively, link, names, platforms_own, repeated, unlink, view

__all__ = ["LISTS", "SaLink", "from_options", "link", "names", "unlink"]

#: What a secret must be like to be linked; under 'none' none is looked at.
_REQUIREMENTS = {"existing": why_not_there, "usable": why_not_usable}


@dataclass(frozen=True)
class SaLink:
    """C(service_accounts) are names or globs; a name is waited for or created, a glob takes what there is."""

    secrets: tuple[str, ...]
    service_accounts: tuple[str, ...]
    lists: tuple[str, ...]
    present: bool
    exclusive: bool = False
    create: bool = False
    require: str = "none"
    restart_pods: str = "never"
    verify_after: float = 0.0

    prerequisite = None

    @property
    def selection(self) -> Selection:
        exact = tuple(name for name in self.service_accounts if not is_pattern(name))
        return Selection(SERVICE_ACCOUNT, exact if len(exact) == len(self.service_accounts) else ())

    def lookups(self, namespace: str, _objects: Objects) -> Sequence[Ref]:
        if not self.present:
            return ()
        secrets = self.secrets if self.require in _REQUIREMENTS else ()
        pods = [] if self.restart_pods == "never" else [Ref(POD, namespace, "")]
        return [*(Ref(SECRET, namespace, name) for name in secrets), *pods]

    def plan(self, namespace: str, objects: Objects, found: Found = NOTHING_FOUND) -> Plan:
        """:raises Refusal: when a secret is not what is required of it."""
        unread = self._require(namespace, found)
        chosen = {name: objects[name] for name in sorted(objects) if self._chooses(name)}
        missing = self._missing(objects)
        planned = [self._plan_account(Ref(SERVICE_ACCOUNT, namespace, name), chosen[name]) for name in chosen]
        created = [self._create(Ref(SERVICE_ACCOUNT, namespace, name)) for name in missing if self.create]
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

    def _require(self, namespace: str, found: Found) -> list[str]:
        """What could not be verified. :raises Refusal: for the first secret that is not as required."""
        if self.require not in _REQUIREMENTS or not self.present:
            return []
        why_not = _REQUIREMENTS[self.require] if LISTS["pull"] in self.lists else why_not_there
        unread = []
        for ref in (Ref(SECRET, namespace, name) for name in self.secrets):
            if ref not in found:
                unread.append(f"secret {ref.name} may not be read by the caller, so it was not verified")
            elif reason := why_not(ref, found[ref]):
                raise Refusal(reason)
        return unread

    def _plan_account(self, ref: Ref, account: Json) -> Change | None:
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

    def _create(self, ref: Ref) -> Change:
        lists: dict[str, list[Json]] = {key: [{"name": name} for name in self.secrets] for key in self.lists}
        details = {"lists": {key: changes_of([], entries) for key, entries in lists.items()}}
        return create(ref, lists, details, view(lists, lists))

    def _pods_without(
        self, namespace: str, accounts: Mapping[str, Json], found: Found
    ) -> tuple[list[PodWithout], list[str]]:
        """The pods that lack what is linked, and a note when they may not be seen."""
        if self.restart_pods == "never" or not self.present:
            return [], []
        seen = found.get(Ref(POD, namespace, ""))
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


def from_options(options: Mapping[str, Any]) -> SaLink:
    """The wish that the module's options express.

    :raises OptionError: for an empty list, a name that cannot exist, or options that contradict each other.
    """
    for option in ("secrets", "service_accounts", "link_for"):
        if not options[option]:
            raise OptionError(f"option {option!r} is empty: give at least one")
    for option in ("secrets", "service_accounts"):
        for name in options[option]:
            if option == "secrets" or not is_pattern(name):
                check_name(option, name)
    _refuse_contradictions(options)
    return SaLink(
        secrets=tuple(dict.fromkeys(options["secrets"])),
        service_accounts=tuple(dict.fromkeys(options["service_accounts"])),
        lists=tuple(key for purpose, key in LISTS.items() if purpose in options["link_for"]),
        present=options["state"] == "present",
        exclusive=options["exclusive"],
        create=options["create"],
        require=options["require"],
        restart_pods=options["restart_pods"],
        verify_after=options["verify_after"],
    )


def _refuse_contradictions(options: Mapping[str, Any]) -> None:
    for option in ("exclusive", "create"):
        if options[option] and options["state"] == "absent":
            raise OptionError(
                f"option {option!r} goes with state present only: absent takes exactly the given secrets away"
            )
    if options["restart_pods"] != "never" and (options["state"] == "absent" or "pull" not in options["link_for"]):
        raise OptionError(
            "option 'restart_pods' goes with state present and link_for pull only: pods pull with that list"
        )
    if options["verify_after"] < 0:
        raise OptionError("option 'verify_after' must not be negative")


def last_writers(account: Json, key: str, ours: str) -> list[str]:
    """Who else owns a list of the account by its record of field managers, the latest first."""
    entries = [
        entry
        for entry in metadata(account).get("managedFields") or []
        if f"f:{key}" in (entry.get("fieldsV1") or {}) and entry.get("manager") != ours
    ]
    entries.sort(key=lambda entry: str(entry.get("time") or ""), reverse=True)
    return list(dict.fromkeys(str(entry.get("manager")) for entry in entries))
