# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lists of an owner give the declared objects of one namespace."""

from __future__ import annotations

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.prune.plan import (
    NOTHING,
    DeclaredObjects,
    Grant,
    Links,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.rbac.subjects import Subject

JANE, OPS = Subject("User", "jane"), Subject("Group", "ops")
LINKS = Links(frozenset({"quay"}), ("default", "build-*"), frozenset({"imagePullSecrets"}))
GRANT = Grant("puller", "ours", frozenset({JANE}))


class TestDeclared:
    @pytest.mark.parametrize(
        ("account", "key", "secret", "declared"),
        [
            ("default", "imagePullSecrets", "quay", True),
            ("build-1", "imagePullSecrets", "quay", True),
            ("builder", "imagePullSecrets", "quay", False),
            ("default", "secrets", "quay", False),
            ("default", "imagePullSecrets", "other", False),
        ],
    )
    def test_declared_links_are_recognized(self, account: str, key: str, secret: str, declared: bool) -> None:
        assert DeclaredObjects(links=(LINKS,)).links_to(account, key, secret) is declared
        assert not NOTHING.links_to(account, key, secret)

    def test_a_declared_grant_is_found_in_any_binding(self) -> None:
        found = DeclaredObjects(grants=(GRANT,))
        assert found.grants_to("puller", JANE)
        assert not found.grants_to("view", JANE)
        assert not found.grants_to("puller", OPS)

    def test_the_binding_of_a_declared_grant_counts_as_used(self) -> None:
        found = DeclaredObjects(grants=(GRANT,))
        assert found.uses("puller", "ours")
        assert not found.uses("view", "ours")
        assert not found.uses("puller", "other")

    def test_declarations_are_merged_by_namespace(self) -> None:
        secrets = {"a": DeclaredObjects(frozenset({"x"})), "b": DeclaredObjects(frozenset({"y"}))}
        more = {"a": DeclaredObjects(frozenset({"z"}), (LINKS,), (GRANT,))}
        assert DeclaredObjects.merge([secrets, more]) == {
            "a": DeclaredObjects(frozenset({"x", "z"}), (LINKS,), (GRANT,)),
            "b": DeclaredObjects(frozenset({"y"})),
        }
        assert DeclaredObjects.merge([]) == {}
