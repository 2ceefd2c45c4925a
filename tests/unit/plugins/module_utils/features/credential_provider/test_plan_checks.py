# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks name the known reasons why nodes would add no login, and explain images for each account."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SERVICE_ACCOUNT, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import Lookup, ReadRequired
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.credential_provider.plan import (
    explain_images,
    find_obstacles,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.credential_providers import CRIO_AUDIENCE
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.kubelet_settings import NODES
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.rbac.access_reviews import token_review
from support.pull_evidence import AUTH, DIGEST_SETS, REFUSED, TAG_SETS, known, node, secret

ACCOUNT = ObjectRef(SERVICE_ACCOUNT, "ns", "default")
REVIEW = token_review("ns", "default", CRIO_AUDIENCE)
MIRRORS = {"items": [{"spec": {"imageTagMirrors": [{"source": "q.io/team", "mirrors": ["m.io"]}]}}]}
GOOD: dict[ObjectRef, Any] = {
    ObjectRef(TAG_SETS, "", ""): MIRRORS,
    NODES: {"items": [node(runtime="cri-o://1.35.0", kubelet="v1.35.1")]},
    REVIEW: {"allowed": True},
}


def obstacles(entries: list[str], more: dict[ObjectRef, Any] | None = None, account: Any = ACCOUNT) -> list[str]:
    return find_obstacles(entries, account, Lookup(known(None, {**GOOD, **(more or {})})))


def test_a_working_cluster_has_no_obstacles() -> None:
    assert obstacles(["q.io"]) == []


def test_entries_without_a_mirror_are_named() -> None:
    (found,) = obstacles(["q.io", "m.io", "q.io/other"])
    assert found.startswith("no mirror set has a source for m.io, q.io/other, and the provider does nothing")


def test_nodes_that_cannot_run_the_provider_are_named_by_problem() -> None:
    old = [node(name, "cri-o://1.34.1", "v1.34.2") for name in ("a", "b")]
    (found,) = obstacles(["q.io"], {NODES: {"items": [*old, node("c", "cri-o://1.35.0", "v1.35.1")]}})
    assert found == ("2 nodes cannot run the provider: CRI-O 1.34.1 does not read the files of the provider (a, b)")


def test_nodes_that_may_not_request_tokens_are_reported() -> None:
    (found,) = obstacles(["q.io"], {REVIEW: {"allowed": False}})
    assert found.startswith(f"the nodes may not request a token of service account ns/default for {CRIO_AUDIENCE}")
    assert obstacles(["q.io"], {REVIEW: {"allowed": False}}, account=None) == []


def test_what_cannot_be_read_is_not_known() -> None:
    unread = {ObjectRef(TAG_SETS, "", ""): REFUSED, NODES: REFUSED, REVIEW: REFUSED}
    assert obstacles(["other.io"], unread) == [
        "whether a mirror set has a source for other.io is not known: the caller may not read it",
        "whether the nodes can run the provider is not known: the caller may not read it",
        f"whether the nodes may request a token of service account ns/default for {CRIO_AUDIENCE} is not known: the caller may not read it",
    ]


def test_a_mirror_in_another_list_settles_the_entry() -> None:
    assert obstacles(["q.io"], {ObjectRef(DIGEST_SETS, "", ""): REFUSED}) == []


def test_everything_is_requested_at_once() -> None:
    evidence = Lookup()
    with pytest.raises(ReadRequired):
        find_obstacles(["q.io"], ACCOUNT, evidence)
    assert len(evidence.take_wanted()) == 5


class TestExplainImages:
    def test_each_account_and_image_has_a_row(self) -> None:
        content = {**secret({"q.io": AUTH}), "metadata": {"name": "s"}}
        evidence = Lookup(known({"imagePullSecrets": [{"name": "s"}]}, s=content))
        rows = explain_images(["q.io/a:v1", "q.io/b:v1"], [ACCOUNT], evidence)
        assert [(row["namespace"], row["service_account"], row["image"]) for row in rows] == [
            ("ns", "default", "q.io/a:v1"),
            ("ns", "default", "q.io/b:v1"),
        ]
        assert {row["verdict"] for row in rows} == {"pulls"}
        assert rows[0]["text"][0] == f"pulls: {rows[0]['reason']}"

    def test_the_objects_of_all_rows_are_requested_together(self) -> None:
        evidence = Lookup()
        accounts = [ACCOUNT, ObjectRef(SERVICE_ACCOUNT, "ns", "builder")]
        with pytest.raises(ReadRequired):
            explain_images(["q.io/a:v1"], accounts, evidence)
        assert {*accounts} <= {*evidence.take_wanted()}
