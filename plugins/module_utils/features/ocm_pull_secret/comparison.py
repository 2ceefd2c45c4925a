# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare an account's pull secret with that of a cluster, registry by registry, without any values. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...dockerconfig.auth_file import AuthFile
from ...dockerconfig.credential_entry import CredentialEntry, changed_fields
from ...dockerconfig.registry_keys import is_match, same_path, without_user
from ...platform.protected import NO_REGISTRIES

__all__ = ["compare_registries", "list_registries"]


def list_registries(account: AuthFile) -> list[dict[str, Any]]:
    """Return the registries of the account's pull secret by name. `is_registry` is false for entries that serve no images."""
    return [_row(path) for path in sorted(_group_by_path(account.entries))]


def compare_registries(account: AuthFile, held: AuthFile, include: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """Return the same rows with their differences, plus the registries that only the cluster has.

    `status` is `same`, `differs` (with the names of the differing parts), `missing` on the cluster, or `only_there`. With `include`,
    other registries of the cluster are ignored. Different spellings of a key are one row; each of them counts.
    """
    ours = _group_by_path(account.entries)
    theirs = _group_by_path({key: entry for key, entry in held.entries.items() if _is_wanted(key, include)})
    return [{**_row(path), **_status(ours.get(path, ()), theirs.get(path, ()))} for path in sorted({*ours, *theirs})]


def _row(path: str) -> dict[str, Any]:
    return {
        "registry": without_user(path.removeprefix("/")),
        "is_registry": path.partition("/")[0] not in NO_REGISTRIES,
    }


def _status(ours: Sequence[CredentialEntry], theirs: Sequence[CredentialEntry]) -> dict[str, Any]:
    if not theirs:
        return {"status": "missing", "differs": []}
    if not ours:
        return {"status": "only_there", "differs": []}
    parts = sorted({part for entry in theirs for part in changed_fields(entry, ours[0])})
    return {"status": "differs" if parts else "same", "differs": parts}


def _group_by_path(entries: Mapping[str, CredentialEntry]) -> dict[str, list[CredentialEntry]]:
    found: dict[str, list[CredentialEntry]] = {}
    for key, entry in entries.items():
        found.setdefault(same_path(key), []).append(entry)
    return found


def _is_wanted(key: str, include: Iterable[str] | None) -> bool:
    return include is None or any(is_match(key, pattern) for pattern in include)
