# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compares a report with an older one: new findings and gone findings. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["compare_documents"]

Document = Mapping[str, Any]
Finding = Mapping[str, Any]


def compare_documents(now: Document, before: Document) -> dict[str, Any]:
    """Return the document `now` with the member `new` (a bool) in each finding, and the gone findings in the member `compared`.

    A finding is identified by its cluster's name and its id. A cluster that only one of the documents has is listed in `only_before` or
    `only_now`, without new or gone findings. Findings over several clusters are compared if both documents have the member `findings`.
    """
    old, new = _group_by_cluster(before), _group_by_cluster(now)
    gone: list[dict[str, Any]] = [
        {"cluster": name, "finding": {key: value for key, value in finding.items() if key != "new"}}
        for name in sorted(old.keys() & new.keys())
        for known in [_ids(new[name])]
        for finding in old[name]
        if finding["id"] not in known
    ]
    result = {
        **now,
        "clusters": [
            {**cluster, "findings": _mark_new(cluster["findings"], old.get(cluster["name"]))}
            for cluster in now["clusters"]
        ],
        "findings": _mark_new(now.get("findings", ()), old.get("")),
    }
    result["compared"] = {
        "made": before["made"],
        "gone": gone,
        "rules": {
            entry["finding"]["rule"]: before["rules"][entry["finding"]["rule"]]
            for entry in gone
            if entry["finding"]["rule"] not in now["rules"]
        },
        "only_before": sorted(old.keys() - new.keys() - {""}),
        "only_now": sorted(new.keys() - old.keys() - {""}),
    }
    return result


def _group_by_cluster(document: Document) -> dict[str, Sequence[Finding]]:
    """Return the findings by the name of the cluster, with an empty name for findings over several clusters."""
    found = {cluster["name"] or cluster["server"]: cluster["findings"] for cluster in document["clusters"]}
    return {**found, "": document["findings"]} if "findings" in document else found


def _ids(findings: Sequence[Finding]) -> set[str]:
    return {finding["id"] for finding in findings}


def _mark_new(findings: Sequence[Finding], before: Sequence[Finding] | None) -> list[dict[str, Any]]:
    known = None if before is None else _ids(before)
    return [{**finding, "new": known is not None and finding["id"] not in known} for finding in findings]
