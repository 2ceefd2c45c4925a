# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The comparison marks new findings and lists findings that are gone, for each cluster."""

from __future__ import annotations

from typing import Any

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_report.merge import (
    compare_documents,
)
from support import audits


def document(**clusters: list[Any]) -> dict[str, Any]:
    return audits.document(*(audits.cluster(name, findings=found) for name, found in clusters.items()))


A, B, C = (audits.finding(name=name) for name in "abc")


def test_findings_are_new_gone_or_the_same() -> None:
    before = {**document(x=[A, B]), "made": "2026-11-01T00:00:00Z"}
    made = compare_documents(document(x=[B, C]), before)
    assert [(finding["name"], finding["new"]) for finding in made["clusters"][0]["findings"]] == [
        ("b", False),
        ("c", True),
    ]
    assert made["compared"] == {
        "made": "2026-11-01T00:00:00Z",
        "gone": [{"cluster": "x", "finding": A}],
        "rules": {},
        "only_before": [],
        "only_now": [],
    }


def test_the_same_finding_of_another_cluster_is_a_different_one() -> None:
    made = compare_documents(document(x=[A], y=[]), document(x=[], y=[A]))
    assert made["clusters"][0]["findings"][0]["new"]
    assert [entry["cluster"] for entry in made["compared"]["gone"]] == ["y"]


def test_a_cluster_in_only_one_report_has_no_new_or_gone_findings() -> None:
    made = compare_documents(document(x=[A], z=[A]), document(y=[B], z=[A]))
    assert [finding["new"] for cluster in made["clusters"] for finding in cluster["findings"]] == [False, False]
    assert made["compared"]["gone"] == []
    assert (made["compared"]["only_before"], made["compared"]["only_now"]) == (["y"], ["x"])


def test_findings_over_several_clusters_are_compared() -> None:
    now = {**document(x=[]), "findings": [A, B]}
    made = compare_documents(now, {**document(x=[]), "findings": [B, C]})
    assert [finding["new"] for finding in made["findings"]] == [True, False]
    assert made["compared"]["gone"] == [{"cluster": "", "finding": C}]
    # An audit has no findings over several clusters, so nothing is known about earlier ones.
    made = compare_documents(now, document(x=[]))
    assert [finding["new"] for finding in made["findings"]] == [False, False]
    assert (made["compared"]["only_before"], made["compared"]["only_now"]) == ([], [])


def test_marks_of_the_older_comparison_are_left_out_and_its_rule_is_described() -> None:
    old = {**document(x=[{**A, "new": True}])}
    made = compare_documents({**document(x=[]), "rules": {}}, old)
    assert made["compared"]["gone"] == [{"cluster": "x", "finding": A}]
    assert made["compared"]["rules"] == {A["rule"]: audits.RULES[A["rule"]]}


def test_a_nameless_cluster_is_identified_by_its_server() -> None:
    before = audits.document(audits.cluster("", server="x", findings=[A]))
    assert compare_documents(document(x=[A]), before)["clusters"][0]["findings"][0]["new"] is False


def test_two_findings_with_one_id_are_both_kept() -> None:
    """For example, two keys of a secret may differ only in the name of a user."""
    two = [A, {**A, "message": "another"}]
    made = compare_documents(document(x=two), document(x=[]))
    assert [finding["new"] for finding in made["clusters"][0]["findings"]] == [True, True]
    made = compare_documents(document(x=[]), document(x=two))
    assert [entry["finding"]["message"] for entry in made["compared"]["gone"]] == [A["message"], "another"]
