# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""References to secrets on a service account: the arithmetic of its two lists. Pure.

`imagePullSecrets` is an atomic list for the API server (api/core/v1/types.go): whoever writes it writes all of it. So
the functions here return the whole list with our own entries put in or taken out, everything else where it was.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ...core.objects import Json

__all__ = [
    "LISTS",
    "Entries",
    "changes_of",
    "exclusively",
    "link",
    "names",
    "repeated",
    "unlink",
    "view",
]

#: Which list of the service account serves which purpose, as `oc secrets link --for` has it.
LISTS = {"pull": "imagePullSecrets", "mount": "secrets"}

Entries = Sequence[Json]


def names(entries: Entries) -> list[str]:
    return [entry.get("name", "") for entry in entries]


def link(entries: Entries, wanted: Sequence[str]) -> list[Json]:
    """`entries` with each wanted name in it once: kept where it first stands, appended in the given order otherwise."""
    seen: set[str] = set()
    kept = []
    for entry in entries:
        name = entry.get("name", "")
        if name not in wanted or name not in seen:
            kept.append(entry)
        seen.add(name)
    return kept + [{"name": name} for name in dict.fromkeys(wanted) if name not in seen]


def exclusively(entries: Entries, wanted: Sequence[str], platforms: Collection[str]) -> list[Json]:
    """As `link`, without anything that is neither wanted nor the platform's."""
    return [entry for entry in link(entries, wanted) if entry.get("name", "") in {*wanted, *platforms}]


def unlink(entries: Entries, unwanted: Collection[str]) -> list[Json]:
    """`entries` without the unwanted names, duplicates included."""
    return [entry for entry in entries if entry.get("name", "") not in unwanted]


def repeated(entries: Entries) -> list[str]:
    """The names that stand in the list more than once."""
    found = names(entries)
    return [name for name in dict.fromkeys(found) if name and found.count(name) > 1]


def changes_of(before: Entries, after: Entries) -> dict[str, list[str]]:
    """What a report says of one list."""
    old, new = names(before), names(after)
    changes = {
        "added": [name for name in new if name not in old],
        "removed": [name for name in dict.fromkeys(old) if name not in new],
    }
    cleaned = [name for name in dict.fromkeys(old) if name in new and old.count(name) > new.count(name)]
    return {**changes, "deduplicated": cleaned} if cleaned else changes


def view(lists: Mapping[str, Entries], shown: Mapping[str, Any]) -> dict[str, Any]:
    """The lists as a diff shows them."""
    return {key: names(lists[key]) for key in shown}
