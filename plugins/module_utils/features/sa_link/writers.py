# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Determine who wrote a list of a service account, from its record of field managers. Pure."""

from __future__ import annotations

from ...core.json_types import as_dict, as_list
from ...core.objects import Json, metadata

__all__ = ["last_writers"]


def last_writers(account: Json, key: str, ours: str) -> list[str]:
    """Return the other owners of a list of the account, from its record of field managers, the latest first."""
    fields = as_list(metadata(account).get("managedFields"))
    entries = [
        entry
        for entry in map(as_dict, fields)
        if f"f:{key}" in as_dict(entry.get("fieldsV1")) and entry.get("manager") != ours
    ]
    entries.sort(key=lambda entry: str(entry.get("time") or ""), reverse=True)
    return list(dict.fromkeys(str(entry.get("manager")) for entry in entries))
