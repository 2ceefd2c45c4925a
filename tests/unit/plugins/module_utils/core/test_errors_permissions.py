# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A refusal of the API server names the missing permission."""

from __future__ import annotations

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import (
    RIGHTS_PAGE,
    MissingPermission,
    describe_missing,
)

LIST = 'pods is forbidden: User "u" cannot list resource "pods" in API group "" in the namespace "a"'
CLUSTER = 'User "u" cannot get resource "images" in API group "config.openshift.io" at the cluster scope'
NAMESPACE = (
    'namespaces "a" is forbidden: User "u" cannot get resource "namespaces" in API group "" in the namespace "a"'
)
TOKEN = 'User "u" cannot create resource "serviceaccounts/token" in API group "" in the namespace "a": RBAC: not found'


@pytest.mark.parametrize(
    ("message", "name", "says"),
    [
        (LIST, "", "list on pods in namespace a"),
        (LIST.replace("list", "get"), "p", "get on pods p in namespace a"),
        (CLUSTER, "cluster", "get on images.config.openshift.io cluster"),
        (NAMESPACE, "a", "get on namespaces a"),
        (TOKEN, "r", "create on serviceaccounts/token r in namespace a"),
    ],
)
def test_a_refusal_is_read_as_the_missing_right(message: str, name: str, says: str) -> None:
    assert str(MissingPermission.of(message, name)) == says


@pytest.mark.parametrize(
    "message",
    [
        'User "u" cannot list pods in project "a"',
        'cannot list resource "po ds" in API group "" in the namespace "a"',
        'cannot list resource "pods" in API group "" in the namespace "a b"',
        "pods is forbidden: exceeded quota",
        "",
    ],
)
def test_any_other_message_names_no_right(message: str) -> None:
    assert MissingPermission.of(message, "") is None


class TestLacking:
    def test_lacking_is_empty_without_needs(self) -> None:
        assert describe_missing([]) == []

    def test_lacking_lists_each_right_once_in_order_with_the_page(self) -> None:
        needs = [
            MissingPermission("list", "pods", "", "b"),
            MissingPermission("get", "secrets", "", "a", "s"),
            MissingPermission("list", "pods", "", "b"),
        ]
        (sentence,) = describe_missing(needs)
        assert "needs get on secrets s in namespace a; list on pods in namespace b. See" in sentence
        assert sentence.endswith(RIGHTS_PAGE)

    def test_lacking_names_three_of_many_similar_rights(self) -> None:
        (sentence,) = describe_missing([MissingPermission("list", "pods", "", f"n{number}") for number in range(5)])
        assert "list on pods in namespace n2 and 2 more. See" in sentence
        assert "n3" not in sentence

    def test_lacking_names_three_rights_without_a_count_of_the_rest(self) -> None:
        (sentence,) = describe_missing([MissingPermission("list", "pods", "", f"n{number}") for number in range(3)])
        assert "n2. See" in sentence
