# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two inventories are compared without a cluster."""

from __future__ import annotations

import copy
import json
from typing import Any

from support.fake_api import FakeApi
from support.in_memory import in_memory

PASSWORD = "Canary-Word-7"
QUAY = {"registry": "quay.io/team", "username": "u", "password": PASSWORD}
WHERE = {"namespaces": ["a"]}
SECRET = {"name": "quay", "registries": [QUAY], **WHERE}
LINK = {"secrets": ["quay"], **WHERE}
GRANT = {"projects": ["b"], **WHERE}


def compared(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """Return the review. No request is sent."""
    api = FakeApi()
    with in_memory(api) as cluster:
        result = cluster.run(
            "pull_access_what_if", changes=[{"declared": copy.deepcopy(new)}], against=copy.deepcopy(old)
        )
    assert not result["failed"], result["msg"]
    assert PASSWORD not in json.dumps(result)
    assert api.asked == []
    assert result["what_if"]["server"] == ""
    found: dict[str, Any] = result["what_if"]["access"]
    return found


def facts(rows: list[dict[str, Any]]) -> set[tuple[str, ...]]:
    return {(row["namespace"], row["name"], row["registry"] or row["project"]) for row in rows}


def test_equal_inventories_change_nothing() -> None:
    lists = {"secrets": [SECRET], "links": [LINK], "grants": [GRANT]}
    assert compared(lists, lists) == {"gained": [], "lost": [], "unknown": [], "unplanned": []}


def test_a_new_inventory_gains_everything_and_an_empty_one_loses_it() -> None:
    lists = {"secrets": [SECRET], "links": [LINK], "grants": [GRANT]}
    expected = {("a", "default", "quay.io"), ("", "system:serviceaccounts:b", "a")}
    new, gone = compared({"secrets": []}, lists), compared(lists, {"secrets": []})
    assert (facts(new["gained"]), new["lost"]) == (expected, [])
    assert (facts(gone["lost"]), gone["gained"]) == (expected, [])
    assert {tuple(row["entries"]) for row in gone["lost"]} == {("links[0] (quay)", "secrets[0] (quay)"), ("grants[0]",)}


def test_a_removed_link_is_named_among_other_links_of_the_account() -> None:
    other = {"name": "other", "registries": [{**QUAY, "registry": "ghcr.io"}], **WHERE}
    old = {"secrets": [SECRET, other], "links": [LINK, {"secrets": ["other"], **WHERE, "title": "my link"}]}
    (row,) = compared(old, {**old, "links": [LINK]})["lost"]
    assert (row["registry"], row["entries"][0]) == ("ghcr.io", "my link (other)")


def test_a_pattern_and_a_selector_are_places_of_their_own() -> None:
    where = {"namespace_selector": {"include": ["team-*"], "exclude": ["team-x"]}}
    old = {"secrets": [{**SECRET, **where}], "links": [{"secrets": ["quay"], "service_accounts": ["b*"], **where}]}
    lost = compared({**old, "secrets": [{"name": "quay", "registries": [QUAY], **where}]}, {"secrets": []})["lost"]
    assert facts(lost) == {("namespaces with exclude=team-x include=team-*", "b*", "quay.io")}


def test_entries_that_would_fail_are_reported() -> None:
    absent = {**SECRET, "registries": [{"registry": "quay.io"}], "mode": "remove"}
    found = compared({"secrets": []}, {"secrets": [absent], "links": [LINK]})
    assert (found["gained"], found["unplanned"]) == ([], [])


def test_a_grant_of_another_role_is_unknown() -> None:
    lists = {"grants": [{**GRANT, "role": "edit"}]}
    review = compared({"grants": []}, lists)
    assert review["gained"] == []
    assert any("cluster role edit" in sentence for sentence in review["unknown"]), review["unknown"]
