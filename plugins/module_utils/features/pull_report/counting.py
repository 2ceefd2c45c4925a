# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Counts findings and selects those that fail the task. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ...core.audit_format import ERROR, SEVERITIES, WARNING
from ...core.text import pluralize
from .options import NEVER

__all__ = ["all_findings", "count_by_severity", "format_counts", "select_failing", "severities_from"]

Finding = Mapping[str, Any]


def all_findings(document: Mapping[str, Any]) -> Iterator[tuple[str, Finding]]:
    """Yield each finding with its cluster's name, empty for one over several clusters. Within a cluster, the worst comes first."""
    yield from (("", finding) for finding in document.get("findings", ()))
    for cluster in document["clusters"]:
        yield from ((cluster["name"], finding) for finding in cluster["findings"])


def count_by_severity(findings: Iterable[Finding]) -> dict[str, int]:
    """Return the number of findings by severity, including severities without findings."""
    found = dict.fromkeys(SEVERITIES, 0)
    for finding in findings:
        found[finding["severity"]] += 1
    return found


def severities_from(fail_on: str) -> tuple[str, ...]:
    """Return the severities that `fail_on` selects: this one and the worse ones, or none for `never`."""
    return () if fail_on == NEVER else SEVERITIES[: SEVERITIES.index(fail_on) + 1]


def select_failing(document: Mapping[str, Any], fail_on: str, *, only_new: bool) -> list[tuple[str, Finding]]:
    """Return the findings that fail the task, with their clusters, the worst first."""
    severities = severities_from(fail_on)
    found = [
        (cluster, finding)
        for cluster, finding in all_findings(document)
        if finding["severity"] in severities and (not only_new or finding.get("new"))
    ]
    return sorted(found, key=lambda place: severities.index(place[1]["severity"]))


def format_counts(number: Mapping[str, int], severities: Sequence[str] = SEVERITIES) -> str:
    """Return the numbers as a text such as `1 error, 3 infos`, without zeros, or `no finding`."""
    names = {ERROR: "error", WARNING: "warning"}
    found = [pluralize(number[severity], names.get(severity, "info")) for severity in severities if number[severity]]
    return ", ".join(found) or "no finding"
