# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One finding of an audit. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...core.audit_format import SEVERITIES
from ...core.objects import ObjectRef
from ...core.text import make_printable
from ...explain.fixes import Fix, make_offer
from .rules import RULES

__all__ = ["Finding", "sort_findings"]


@dataclass(frozen=True)
class Finding:
    """`location` is a part of the object, such as a container or a registry key. An empty `severity` means that of the rule."""

    rule: str
    ref: ObjectRef
    location: str
    message: str
    fix: Sequence[Fix] = ()
    severity: str = ""

    @property
    def effective_severity(self) -> str:
        """The severity of the finding, or that of its rule."""
        return self.severity or RULES[self.rule].severity

    @property
    def id(self) -> str:
        """16 hexadecimal digits, the same in every run for the same finding of a cluster."""
        parts = (self.rule, self.ref.namespace, self.ref.kind.kind, self.ref.name, self.location)
        return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]

    def report(self) -> dict[str, Any]:
        """Return the finding as the document shows it."""
        return {
            "id": self.id,
            "rule": self.rule,
            "severity": self.effective_severity,
            "namespace": self.ref.namespace,
            "kind": self.ref.kind.kind,
            "name": self.ref.name,
            "location": make_printable(self.location),
            "message": make_printable(self.message),
            **make_offer(self.fix).report(),
        }


def sort_findings(findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings, the worst first, then by namespace, rule and object."""
    order = {severity: at for at, severity in enumerate(SEVERITIES)}
    return sorted(
        findings,
        key=lambda each: (order[each.effective_severity], each.ref.namespace, each.rule, each.ref.name, each.location),
    )
