# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several documents become one. The comparison marks what is new or gone, and logins in many places become findings."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_report.merge import (
    all_findings,
    compare_documents,
    count_by_severity,
    find_shared_logins,
    finding_id,
    format_counts,
    merge_documents,
    natural_key,
    number_logins,
    select_failing,
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


def test_a_cluster_with_a_part_of_its_audit_is_not_missing() -> None:
    """Prometheus refuses a file in which a cluster has two values of one metric."""
    document = audits.document()
    missing = [{"name": cluster["name"], "error": "refused"} for cluster in document["clusters"]]
    assert "missing" not in merge_documents(sources(document), missing=missing)


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


ERROR, WARNING, INFO = (audits.finding(rule) for rule in ("secret-type-dead", "link-dangling", "secret-unused"))
DOCUMENT = audits.document(
    audits.cluster("a", findings=[INFO, {**WARNING, "new": True}]),
    audits.cluster("b", findings=[ERROR]),
    findings=[INFO],
)


def test_findings_of_all_clusters_are_counted() -> None:
    found = list(all_findings(DOCUMENT))
    assert [cluster for cluster, _finding in found] == ["", "a", "a", "b"]
    assert count_by_severity(finding for _cluster, finding in found) == {"error": 1, "warning": 1, "info": 2}
    assert count_by_severity([]) == {"error": 0, "warning": 0, "info": 0}


@pytest.mark.parametrize(("fail_on", "number"), [("never", 0), ("error", 1), ("warning", 2), ("info", 4)])
def test_findings_fail_from_the_given_severity_on(fail_on: str, number: int) -> None:
    found = select_failing(DOCUMENT, fail_on, only_new=False)
    assert len(found) == number
    assert [finding["severity"] for _cluster, finding in found] == ["error", "warning", "info", "info"][:number]


def test_old_findings_do_not_fail_with_only_new() -> None:
    assert select_failing(DOCUMENT, "info", only_new=True) == [("a", {**WARNING, "new": True})]
    assert select_failing(DOCUMENT, "error", only_new=True) == []


def test_counts_are_written_in_words() -> None:
    assert format_counts({"error": 1, "warning": 2000, "info": 0}) == "1 error, 2,000 warnings"
    assert format_counts({"error": 0, "warning": 1, "info": 3}) == "1 warning, 3 infos"
    assert format_counts({"error": 0, "warning": 0, "info": 0}) == "no finding"


def clusters(**logins: list[Any]) -> list[Any]:
    return number_logins([audits.cluster(name, logins=rows) for name, rows in logins.items()])


def test_no_label_is_left() -> None:
    rows = [audits.login("a/s"), audits.login("b/s", password="c"), audits.login("c/s", user="z")]
    text = json.dumps(clusters(prod=rows, other=[audits.login("a/s")]))
    assert not any(row[name] in text for row in rows for name in ("login", "password"))


def test_numbers_are_equal_where_labels_were_and_do_not_depend_on_them() -> None:
    def found(salt: str) -> list[Any]:
        rows = [
            audits.login(f"{place}/s", user=f"{user}{salt}", password=f"{user}{salt}")
            for place, user in zip("abcdef", "xyxzyz", strict=True)
        ]
        random.Random(salt).shuffle(rows)
        return clusters(prod=rows)

    assert [(row["namespace"], row["login"], row["password"]) for row in found("1")[0]["logins"]] == [
        ("a", "login 1", "password 1"),
        ("b", "login 2", "password 2"),
        ("c", "login 1", "password 1"),
        ("d", "login 3", "password 3"),
        ("e", "login 2", "password 2"),
        ("f", "login 3", "password 3"),
    ]
    assert found("1") == found("2")


def test_the_clusters_stay_in_their_order() -> None:
    made = clusters(
        z=[audits.login("a/s"), audits.login("b/s")],
        a=[audits.login("a/s", user="other"), audits.login("b/s", user="other")],
    )
    assert [(cluster["name"], cluster["logins"][0]["login"]) for cluster in made] == [
        ("z", "login 2"),
        ("a", "login 1"),
    ]


def test_a_login_in_one_secret_of_all_clusters_is_left_out() -> None:
    everywhere = audits.login("a/s")
    made = clusters(a=[everywhere, audits.login("b/s", user="alone")], b=[everywhere])
    assert [[row["namespace"] for row in cluster["logins"]] for cluster in made] == [["a"], ["a"]]


class TestAcross:
    def test_a_finding_counts_secrets_clusters_and_other_passwords(self) -> None:
        some = [audits.login(f"n{number}/s") for number in range(4)]
        (finding,) = find_shared_logins(
            clusters(a=some, b=[audits.login("n/s", password="other")], c=[audits.login("n/s", user="x")])
        )
        assert finding["message"] == (
            "the same login for quay.io is in 5 secrets of 2 clusters, 1 of them with another password (login 1)"
        )
        assert (finding["severity"], finding["location"]) == ("warning", "first in a/n0/s")

    def test_a_single_password_makes_an_info(self) -> None:
        (finding,) = find_shared_logins(clusters(a=[audits.login("x/s"), audits.login("y/s")]))
        assert finding["severity"] == "info"
        assert finding["message"] == "the same login for quay.io is in 2 secrets of 1 cluster (login 1)"

    def test_two_keys_of_one_secret_are_one_place(self) -> None:
        assert (
            find_shared_logins(clusters(a=[audits.login("x/s"), {**audits.login("x/s"), "registry": "quay.io"}])) == []
        )

    def test_findings_of_a_judged_cluster_are_left_out_unless_they_span_clusters(self) -> None:
        two = [audits.login("x/s"), audits.login("y/s")]
        assert find_shared_logins(clusters(a=two), judged={"a"}) == []
        assert len(find_shared_logins(clusters(a=two, b=two), judged={"a", "b"})) == 1

    def test_two_logins_that_begin_in_one_secret_are_distinguished(self) -> None:
        rows = [audits.login(place, user=user) for place in ("x/s", "y/s") for user in "ab"]
        assert [finding["location"] for finding in find_shared_logins(clusters(c=rows))] == [
            "first in c/x/s",
            "first in c/x/s, login 2",
        ]
