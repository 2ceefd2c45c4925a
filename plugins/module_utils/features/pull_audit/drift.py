# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds differences between an inventory and a cluster in the results of modules that ran in check mode. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ...core.objects import (
    NAMESPACE,
    POD,
    ROLE_BINDING,
    SECRET,
    SERVICE_ACCOUNT,
    Json,
    Kind,
    ObjectRef,
    as_dict,
    as_list,
    as_str,
)
from ...core.text import redact_text
from .findings import Finding

__all__ = ["DIFFERS", "DRIFT", "INVENTORY", "NOT_APPLICABLE", "find_drift"]

DIFFERS, NOT_APPLICABLE = "declared-differs", "declared-cannot-be-applied"
#: The rules that need the option `drift`.
DRIFT = (DIFFERS, NOT_APPLICABLE)

_KINDS = {kind.kind: kind for kind in (SECRET, SERVICE_ACCOUNT, ROLE_BINDING, POD)}
#: The object of findings about the inventory as a whole.
INVENTORY = ObjectRef(Kind("", "Inventory", "inventories", "inventory", namespaced=False), "", "")

_SAID = {
    "create": "it is declared, but does not exist",
    "update": "it differs from its declaration",
    "replace": "it differs from its declaration, and must be recreated",
    "delete": "it is declared as absent, but exists",
}


def find_drift(results: Sequence[Any]) -> Iterator[Finding]:
    """Yield the findings in `results` of pull_secret, sa_link and image_puller_grant. Values that are not such results are ignored."""
    for result in map(as_dict, results):
        named = list(_find_failures(result))
        yield from named
        yield from _find_differences(result)
        if result.get("msg") and not named and not as_list(result.get("namespaces")):
            yield Finding(NOT_APPLICABLE, INVENTORY, "", _format_refusal(as_str(result.get("msg"))))


def _find_differences(result: Json) -> Iterator[Finding]:
    for namespace in map(as_dict, as_list(result.get("namespaces"))):
        for change in map(as_dict, as_list(namespace.get("changes"))):
            kind, action = as_str(change.get("kind")), as_str(change.get("action"))
            ref = ObjectRef(
                _KINDS.get(kind) or Kind("", kind, "", kind), as_str(namespace.get("name")), as_str(change.get("name"))
            )
            # Pods are only restarted: the difference is reported for the account.
            if ref.kind != POD:
                yield Finding(DIFFERS, ref, action, f"{ref}: {_SAID.get(action, _SAID['update'])}")


def _find_failures(result: Json) -> Iterator[Finding]:
    """The failures of single namespaces and entries."""
    for failure in map(as_dict, as_list(result.get("failures"))):
        title, error = as_str(failure.get("title")), as_str(failure.get("error"))
        ref = ObjectRef(NAMESPACE, "", as_str(failure.get("namespace")))
        yield Finding(NOT_APPLICABLE, ref, title, _format_refusal(f"{title}: {error}" if title else error))


def _format_refusal(why: str) -> str:
    return f"the declaration cannot be applied: {redact_text(why)}"
