# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several documents become one, including their cluster names, rules, times and labels."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_report.merge import (
    finding_id,
    merge_documents,
    natural_key,
)
from support import audits


def sources(*documents: Any) -> dict[str, Any]:
    return {f"{number}.json": document for number, document in enumerate(documents)}


def test_clusters_are_in_the_order_of_their_names_with_the_worst_findings_first() -> None:
    found = [audits.finding("secret-unused"), audits.finding("link-dangling"), audits.finding()]
    document = merge_documents(
        sources(audits.document(audits.cluster("c10")), audits.document(audits.cluster("C2", findings=found)))
    )
    assert [cluster["name"] for cluster in document["clusters"]] == ["C2", "c10"]
    assert [finding["severity"] for finding in document["clusters"][0]["findings"]] == ["error", "warning", "info"]
    assert document["findings"] == []


def test_the_time_is_the_newest_and_each_cluster_has_its_own() -> None:
    old = audits.document(audits.cluster("a"), made="2026-11-24T00:00:00Z")
    document = merge_documents(sources(old, audits.document(audits.cluster("b"))))
    assert document["made"] == audits.MADE
    assert [cluster["made"] for cluster in document["clusters"]] == ["2026-11-24T00:00:00Z", audits.MADE]
    assert merge_documents({"r": document})["clusters"][0]["made"] == "2026-11-24T00:00:00Z"


def test_the_newest_description_of_a_rule_is_kept() -> None:
    rule = {**audits.RULES["secret-unused"], "title": "Old"}
    old = audits.document(audits.cluster("b"), rules={"secret-unused": rule, "x": rule}, made="2026-11-24T00:00:00Z")
    for order in ((old, audits.document()), (audits.document(), old)):
        rules = merge_documents(sources(*order))["rules"]
        assert rules["secret-unused"] == audits.RULES["secret-unused"]
        assert list(rules) == sorted([*audits.RULES, "x"])


def test_a_cluster_without_a_name_takes_that_of_its_server() -> None:
    nameless = audits.cluster("", server="https://api.example.com")
    assert merge_documents(sources(audits.document(nameless)))["clusters"][0]["name"] == "https://api.example.com"
    with pytest.raises(OptionError, match=r"file 0\.json contains a cluster without name and server"):
        merge_documents(sources(audits.document(audits.cluster("", server=""))))


def test_a_cluster_that_appears_twice_is_refused() -> None:
    with pytest.raises(OptionError, match=r"'production' occurs twice, in 0\.json and 1\.json"):
        merge_documents(sources(audits.document(), audits.document()))
    with pytest.raises(OptionError, match=r"'production' occurs twice, in 0\.json: "):
        merge_documents(sources(audits.document(audits.cluster(), audits.cluster())))


def test_marks_of_an_earlier_comparison_are_left_out() -> None:
    report = audits.document(audits.cluster(findings=[{**audits.finding(), "new": True}]), compared={"gone": []})
    document = merge_documents(sources(report))
    assert "compared" not in document
    assert "new" not in document["clusters"][0]["findings"][0]


def test_missing_clusters_are_listed() -> None:
    missing = [{"name": "edge\ud800", "error": "refused"}]
    assert merge_documents(sources(audits.document()), missing=missing)["missing"] == [
        {"name": "edge\ufffd", "error": "refused"}
    ]
    assert "missing" not in merge_documents(sources(audits.document()))


def test_own_rules_without_a_finding_are_not_described() -> None:
    assert sorted(merge_documents(sources(audits.document()))["rules"]) == sorted(audits.RULES)


class TestLogins:
    def test_equal_labels_of_several_files_are_equal_logins(self) -> None:
        both = [audits.document(audits.cluster(name, logins=[audits.login(f"{name}/s")])) for name in ("a", "b")]
        document = merge_documents(sources(*both))
        assert [row["login"] for cluster in document["clusters"] for row in cluster["logins"]] == ["login 1", "login 1"]
        assert [finding["rule"] for finding in document["findings"]] == ["credential-in-many-places"]
        assert document["findings"][0]["id"] == finding_id(document["findings"][0])
        assert "credential-in-many-places" in document["rules"]

    def test_running_numbers_of_several_reports_are_not_equal_logins(self) -> None:
        rows = [{**audits.login(place), "login": "login 1", "password": "password 1"} for place in ("n/s", "n/t")]
        document = merge_documents(
            sources(*(audits.document(audits.cluster(name, logins=rows)) for name in ("a", "b")))
        )
        labels = [row["login"] for cluster in document["clusters"] for row in cluster["logins"]]
        assert labels == ["login 1", "login 1", "login 2", "login 2"]
        assert [finding["message"] for finding in document["findings"]] == [
            f"the same login for quay.io is in 2 secrets of 1 cluster (login {number})" for number in (1, 2)
        ]

    def test_a_cluster_whose_audit_has_the_rule_has_its_own_findings(self) -> None:
        cluster = audits.cluster(logins=[audits.login("a/s"), audits.login("b/s")])
        assert len(merge_documents(sources(audits.document(cluster)))["findings"]) == 1
        judged = audits.document(
            cluster, rules={**audits.RULES, "credential-in-many-places": audits.RULES["secret-unused"]}
        )
        assert merge_documents(sources(judged))["findings"] == []

    def test_a_report_as_a_source_gives_the_same_findings(self) -> None:
        cluster = audits.cluster(logins=[audits.login("a/s"), audits.login("b/s")])
        report = merge_documents(sources(audits.document(cluster)))
        assert merge_documents(sources(report)) == report
        own = {**cluster, "findings": [{**audits.finding(), "rule": "credential-in-many-places"}]}
        rules = {**audits.RULES, "credential-in-many-places": audits.RULES["secret-unused"]}
        report = merge_documents(sources(audits.document(own, rules=rules)))
        assert merge_documents(sources(report)) == report


def test_names_are_sorted_in_natural_order() -> None:
    assert sorted(["b2", "B10", "a", "b1"], key=natural_key) == ["a", "b1", "b2", "B10"]
