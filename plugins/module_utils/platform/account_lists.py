# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two lists of secrets on a service account, and how to change them. Pure.

`imagePullSecrets` is an atomic list for the API server (api/core/v1/types.go): every write replaces all of it. So the functions here
return the whole list with our own entries added or removed. All other entries keep their place, including those that name no secret.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ..core.errors import Refusal
from ..core.objects import Json, ObjectRef, as_dict, as_list, as_str

__all__ = [
    "LISTS",
    "Entries",
    "add_links",
    "changes_of",
    "duplicate_names",
    "entries_of",
    "entry_names",
    "names_in",
    "remove_links",
    "view_lists",
]

#: The list of the service account for each purpose, as in `oc secrets link --for`.
LISTS = {"pull": "imagePullSecrets", "mount": "secrets"}

#: Entries as the API server sent them. Each should be an object with a name.
Entries = Sequence[Any]


def entries_of(ref: ObjectRef, account: Json, key: str) -> Entries:
    """Return the list `key` of the account, for a change. :raises Refusal: when it is not a list."""
    entries = account.get(key)
    if entries is not None and not isinstance(entries, list):
        raise Refusal(f"{ref} cannot be read: its '{key}' are not a list. Nothing was changed in this namespace")
    return entries or []


def entry_names(entries: Entries) -> list[str]:
    """Return the name in each entry, or an empty text where an entry names no secret."""
    return [_name(entry) for entry in entries]


def names_in(holder: Json, key: str) -> list[str]:
    """Return the secrets in a list of an account or a pod, for reading only. Anything other than a list is treated as empty."""
    return [name for name in entry_names(as_list(holder.get(key))) if name]


def add_links(entries: Entries, wanted: Sequence[str]) -> list[Any]:
    """Return `entries` with each wanted name once: at its first position, or appended in the given order."""
    seen: set[str] = set()
    kept = []
    for entry in entries:
        name = _name(entry)
        if name not in wanted or name not in seen:
            kept.append(entry)
        seen.add(name)
    return kept + [{"name": name} for name in dict.fromkeys(wanted) if name not in seen]


def remove_links(entries: Entries, unwanted: Collection[str]) -> list[Any]:
    """Return `entries` without the unwanted names, including duplicates."""
    return [entry for entry in entries if _name(entry) not in unwanted]


def duplicate_names(entries: Entries) -> list[str]:
    """Return the names that occur more than once in the list."""
    found = entry_names(entries)
    return [name for name in dict.fromkeys(found) if name and found.count(name) > 1]


def changes_of(before: Entries, after: Entries) -> dict[str, list[str]]:
    """Return the reported changes of one list."""
    old, new = Counter(entry_names(before)), Counter(entry_names(after))
    changes = {
        "added": [name for name in entry_names(after) if name not in old],
        "removed": [name for name in old if name not in new],
    }
    cleaned = [name for name, count in old.items() if count > new[name] > 0]
    return {**changes, "deduplicated": cleaned} if cleaned else changes


def view_lists(lists: Mapping[str, Entries], shown: Mapping[str, Any]) -> dict[str, Any]:
    """Return the lists for a diff."""
    return {key: entry_names(lists[key]) for key in shown}


def _name(entry: Any) -> str:
    return as_str(as_dict(entry).get("name"))
