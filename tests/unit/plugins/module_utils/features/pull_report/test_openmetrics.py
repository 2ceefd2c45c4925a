# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as OpenMetrics follows the grammar of the format, and contains no name of an object or a login."""

from __future__ import annotations

from typing import Any

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_report.documents import (
    as_openmetrics,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_report.merge import merge_documents
from hypothesis import given
from hypothesis import strategies as st
from support import audits
from support.openmetrics import read

SOON, LATER, PAST = "2026-11-28T00:00:00Z", "2026-12-01T00:00:00Z", "2026-11-01T00:00:00Z"


def numbers(*clusters: Any, missing: Any = ()) -> dict[tuple[str, ...], float]:
    return read(as_openmetrics(merge_documents({"a": audits.document(*clusters)}, missing)))


def test_findings_are_counted_by_rule_and_severity_and_other_rules_are_zero() -> None:
    every = [audits.finding(), audits.finding(name="b"), audits.finding(severity="info")]
    found = numbers(audits.cluster("prod", findings=every))
    counted = {key[2:]: value for key, value in found.items() if key[0] == "image_pull_findings" and value}
    assert counted == {("secret-type-dead", "error"): 2, ("secret-type-dead", "info"): 1}
    assert found["image_pull_findings", "prod", "link-dangling", "warning"] == 0


def test_findings_over_several_clusters_belong_to_none() -> None:
    rows = [audits.login("a/s"), audits.login("b/s", password="c")]
    found = numbers(audits.cluster("a", logins=rows), audits.cluster("b", logins=rows))
    assert [key[1] for key, value in found.items() if key[0] == "image_pull_findings" and value] == [""]


def test_each_cluster_has_its_time_verdicts_and_unreadable_objects() -> None:
    found = numbers(
        audits.cluster("prod", unreadable=["secrets: forbidden"]), missing=[{"name": "edge", "error": "refused"}]
    )
    assert found["image_pull_audit_timestamp_seconds", "prod"] == 1795626600
    assert found["image_pull_containers", "prod", "will_not_pull"] == 1
    assert (found["image_pull_unreadable", "prod"], found["image_pull_audited", "prod"]) == (1, 1)
    assert {key: value for key, value in found.items() if "edge" in key} == {("image_pull_audited", "edge"): 0}


def test_the_earliest_coming_expiry_of_each_namespace_counts() -> None:
    every = [("a", LATER), ("a", SOON), ("a", PAST), ("b", PAST)]
    findings = [audits.finding(namespace=place, name=at, expires=at) for place, at in every]
    found = numbers(audits.cluster("prod", findings=findings))
    name = "image_pull_credential_expiry_timestamp_seconds"
    assert {key: value for key, value in found.items() if key[0] == name} == {(name, "prod", "a"): 1795824000}


def test_only_the_earliest_expiries_are_in_the_file() -> None:
    findings = [audits.finding(namespace=f"n{number}", expires=LATER) for number in range(1_200)]
    found = numbers(audits.cluster(findings=[*findings, audits.finding(namespace="z", expires=SOON)]))
    places = [key[2] for key in found if key[0] == "image_pull_credential_expiry_timestamp_seconds"]
    assert (len(places), places[0]) == (1_000, "z")


@given(st.text(), st.text(min_size=1))
def test_any_text_keeps_the_grammar_and_names_of_objects_are_left_out(text: str, cluster: str) -> None:
    name = f"canary-{text}"
    finding = audits.finding(name=name, location=name, namespace="a", expires=SOON)
    written = as_openmetrics(
        {**merge_documents({"a": audits.document(audits.cluster("x", findings=[finding]))}), "missing": []}
    )
    assert "canary" not in written
    named = {**audits.cluster(cluster), "made": audits.MADE}
    assert read(as_openmetrics({**audits.document(named), "missing": []}))["image_pull_audited", cluster] == 1
