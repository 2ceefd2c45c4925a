# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""References to secrets on a service account, and the O(sa_link) module's wish. Pure.

C(imagePullSecrets) is an atomic list for the API server (api/core/v1/types.go): whoever writes it writes all of it. So
the functions here return the whole list with our own entries put in or taken out, everything else where it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from .errors import OptionError
from .model import NOTHING_FOUND, SERVICE_ACCOUNT, Found, Json, Objects, Plan, Ref, Selection, update
from .names import check_name, is_pattern

__all__ = ["SaLink", "from_options", "link", "names", "unlink"]

#: Which list of the service account serves which purpose, as C(oc secrets link --for) has it.
LISTS = {"pull": "imagePullSecrets", "mount": "secrets"}

Entries = Sequence[Json]


def names(entries: Entries) -> list[str]:
    return [entry.get("name", "") for entry in entries]


def link(entries: Entries, wanted: Sequence[str]) -> list[Json]:
    """C(entries) with each wanted name in it once: kept where it first stands, appended in the given order otherwise."""
    seen: set[str] = set()
    kept = []
    for entry in entries:
        name = entry.get("name", "")
        if name not in wanted or name not in seen:
            kept.append(entry)
        seen.add(name)
    return kept + [{"name": name} for name in dict.fromkeys(wanted) if name not in seen]


def unlink(entries: Entries, unwanted: Sequence[str]) -> list[Json]:
    """C(entries) without the unwanted names, duplicates included."""
    return [entry for entry in entries if entry.get("name", "") not in unwanted]


@dataclass(frozen=True)
class SaLink:
    """C(service_accounts) are names or globs; a name is waited for, a glob takes what there is."""

    secrets: tuple[str, ...]
    service_accounts: tuple[str, ...]
    lists: tuple[str, ...]
    present: bool

    prerequisite = None

    @property
    def selection(self) -> Selection:
        exact = tuple(name for name in self.service_accounts if not is_pattern(name))
        return Selection(SERVICE_ACCOUNT, exact if len(exact) == len(self.service_accounts) else ())

    def lookups(self, _namespace: str, _objects: Objects) -> Sequence[Ref]:
        return ()

    def plan(self, namespace: str, objects: Objects, found: Found = NOTHING_FOUND) -> Plan:
        chosen = [name for name in sorted(objects) if self._chooses(name)]
        planned = (self._plan_account(Ref(SERVICE_ACCOUNT, namespace, name), objects[name]) for name in chosen)
        missing = [
            name for name in self.service_accounts if self.present and name not in objects and not is_pattern(name)
        ]
        return Plan(
            changes=tuple(change for change in planned if change is not None),
            waiting_for=tuple(f"service account {name}" for name in missing),
        )

    def _chooses(self, name: str) -> bool:
        return any(fnmatchcase(name, pattern) for pattern in self.service_accounts)

    def _plan_account(self, ref: Ref, account: Json) -> Any:
        before = {key: account.get(key) or [] for key in self.lists}
        edit = link if self.present else unlink
        after = {key: edit(entries, self.secrets) for key, entries in before.items()}
        patch = {key: after[key] for key in self.lists if after[key] != before[key]}
        if not patch:
            return None
        details = {"lists": {key: _list_changes(before[key], after[key]) for key in patch}}
        return update(ref, account, patch, details, before=_view(before, patch), after=_view(after, patch))


def from_options(options: Mapping[str, Any]) -> SaLink:
    """The wish that the module's options express.

    :raises OptionError: for an empty list or a name that cannot exist.
    """
    for option in ("secrets", "service_accounts", "link_for"):
        if not options[option]:
            raise OptionError(f"option {option!r} is empty: give at least one")
    for name in options["secrets"]:
        check_name("secrets", name)
    for name in options["service_accounts"]:
        if not is_pattern(name):
            check_name("service_accounts", name)
    return SaLink(
        secrets=tuple(dict.fromkeys(options["secrets"])),
        service_accounts=tuple(dict.fromkeys(options["service_accounts"])),
        lists=tuple(key for purpose, key in LISTS.items() if purpose in options["link_for"]),
        present=options["state"] == "present",
    )


def _list_changes(before: Entries, after: Entries) -> dict[str, list[str]]:
    old, new = names(before), names(after)
    changes = {
        "added": [name for name in new if name not in old],
        "removed": [name for name in dict.fromkeys(old) if name not in new],
    }
    repeated = [name for name in dict.fromkeys(old) if name in new and old.count(name) > new.count(name)]
    return {**changes, "deduplicated": repeated} if repeated else changes


def _view(lists: Mapping[str, Entries], shown: Mapping[str, Any]) -> dict[str, Any]:
    return {key: names(lists[key]) for key in shown}
