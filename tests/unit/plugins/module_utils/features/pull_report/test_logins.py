# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The labels of logins become numbers, and logins in many places become findings."""

from __future__ import annotations

import json
import random
from typing import Any

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_report.merge import (
    find_shared_logins,
    number_logins,
)
from support import audits


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
