# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an inventory declares and a cluster does not have, from the results of modules that ran in check mode. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ...core.foreign_text import redacted
from ...core.json_types import as_dict, as_list, as_str
from ...core.objects import NAMESPACE, POD, ROLE_BINDING, SECRET, SERVICE_ACCOUNT, Json, Kind, ObjectRef
from .findings import Finding

__all__ = ["DIFFERS", "DRIFT", "INVENTORY", "NOT_APPLICABLE", "drifted"]

DIFFERS, NOT_APPLICABLE = "declared-differs", "declared-cannot-be-applied"
#: The rules that need such results.
DRIFT = (DIFFERS, NOT_APPLICABLE)

_KINDS = {kind.kind: kind for kind in (SECRET, SERVICE_ACCOUNT, ROLE_BINDING, POD)}
#: Stands for the inventory as a whole.
INVENTORY = ObjectRef(Kind("", "Inventory", "inventories", "inventory", namespaced=False), "", "")

_SAID = {
    "create": "it is declared, and does not exist",
    "update": "it is not as it is declared",
    "replace": "it is not as it is declared, and has to be created again for that",
    "delete": "it is declared as absent, and exists",
}


def drifted(results: Sequence[Any]) -> Iterator[Finding]:
    """`results` are those of pull_secret, sa_link and image_puller_grant. What is no such result gives no finding."""
    for result in map(as_dict, results):
        named = list(_named(result))
        yield from named
        yield from _differing(result)
        if result.get("msg") and not named and not as_list(result.get("namespaces")):
            yield Finding(NOT_APPLICABLE, INVENTORY, "", _refused(as_str(result.get("msg"))))


def _differing(result: Json) -> Iterator[Finding]:
    for namespace in map(as_dict, as_list(result.get("namespaces"))):
        for change in map(as_dict, as_list(namespace.get("changes"))):
            kind, action = as_str(change.get("kind")), as_str(change.get("action"))
            ref = ObjectRef(
                _KINDS.get(kind) or Kind("", kind, "", kind), as_str(namespace.get("name")), as_str(change.get("name"))
            )
            # Pods are only restarted: what differs is told of the account.
            if ref.kind != POD:
                yield Finding(DIFFERS, ref, action, f"{ref}: {_SAID.get(action, _SAID['update'])}")


def _named(result: Json) -> Iterator[Finding]:
    """The failures of single namespaces and entries."""
    for failure in map(as_dict, as_list(result.get("failures"))):
        title, error = as_str(failure.get("title")), as_str(failure.get("error"))
        ref = ObjectRef(NAMESPACE, "", as_str(failure.get("namespace")))
        yield Finding(NOT_APPLICABLE, ref, title, _refused(f"{title}: {error}" if title else error))


def _refused(why: str) -> str:
    return f"what is declared cannot be applied: {redacted(why)}"
