# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One finding of an audit, and the differences between an inventory and a cluster. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ...core.documents import SEVERITIES
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
from ...core.text import make_printable, redact_text
from ...core.times import format_utc
from ...explain.fixes import Fix, make_offer
from .rules import RULES

__all__ = [
    "DIFFERS",
    "DRIFT",
    "INVENTORY",
    "NOT_APPLICABLE",
    "Finding",
    "find_drift",
    "sort_findings",
]

#: The last second of the year 9999. A token can contain any number.
_LATEST = 253_402_300_799


@dataclass(frozen=True)
class Finding:
    """`location` is a part of the object, such as a container or a registry key. An empty `severity` means that of the rule.

    `expires` is the time at which a login expires, in seconds since 1970.
    """

    rule: str
    ref: ObjectRef
    location: str
    message: str
    fix: Sequence[Fix] = ()
    severity: str = ""
    expires: float | None = None

    @property
    def effective_severity(self) -> str:
        """The severity of the finding, or that of its rule."""
        return self.severity or RULES[self.rule].severity

    @property
    def id(self) -> str:
        """16 hexadecimal digits, the same in every run for the same finding of a cluster."""
        parts = (self.rule, self.ref.namespace, self.ref.kind.kind, self.ref.name, self.location)
        return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]

    def report(self, access_options: Sequence[str] = ()) -> dict[str, Any]:
        """Return the finding as the document shows it. `access_options`: see `make_offer`."""
        return {
            "id": self.id,
            "rule": self.rule,
            "severity": self.effective_severity,
            "namespace": self.ref.namespace,
            "kind": self.ref.kind.kind,
            "name": self.ref.name,
            "location": make_printable(self.location),
            "message": make_printable(self.message),
            **make_offer(self.fix, access_options).report(),
            **({} if self.expires is None else {"expires": format_utc(min(max(self.expires, 0), _LATEST))}),
        }


def sort_findings(findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings, the worst first, then by namespace, rule and object."""
    order = {severity: at for at, severity in enumerate(SEVERITIES)}
    return sorted(
        findings,
        key=lambda each: (order[each.effective_severity], each.ref.namespace, each.rule, each.ref.name, each.location),
    )


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
