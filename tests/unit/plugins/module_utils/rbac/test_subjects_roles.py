# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A role gives the right to pull if one of its rules does."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import CLUSTER_ROLE, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.rbac.subjects import ROLE, gives_pull, role_of

PULL = {"verbs": ["get"], "apiGroups": ["image.openshift.io"], "resources": ["imagestreams/layers"]}


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"verbs": ["*"]},
        {"verbs": ["list", "get"]},
        {"apiGroups": ["", "*"]},
        {"resources": ["*"]},
        {"resources": ["*/layers"]},
        {"resourceNames": []},
    ],
)
def test_a_rule_for_the_layers_of_image_streams_gives_the_right(more: dict[str, Any]) -> None:
    assert gives_pull({"rules": [{"verbs": ["get"]}, {**PULL, **more}]})


@pytest.mark.parametrize(
    "more",
    [
        {"verbs": ["list"]},
        {"apiGroups": [""]},
        {"resources": ["imagestreams"]},
        {"resources": ["*/status"]},
        {"resourceNames": ["app"]},
        {"verbs": None},
        {"verbs": "get"},
    ],
)
def test_another_rule_does_not_give_the_right(more: dict[str, Any]) -> None:
    assert not gives_pull({"rules": [{**PULL, **more}]})


@pytest.mark.parametrize("role", [None, {}, {"rules": None}, {"rules": ["get"]}], ids=str)
def test_a_role_without_rules_gives_no_right(role: Any) -> None:
    assert not gives_pull(role)


def test_the_kind_has_the_names_of_the_api_server() -> None:
    """kubernetes pkg/apis/rbac/types.go, pkg/registry/rbac/rest/storage_rbac.go"""
    assert (ROLE.api_version, ROLE.kind, ROLE.resource) == ("rbac.authorization.k8s.io/v1", "Role", "roles")


def test_a_binding_refers_to_a_role_of_its_namespace_or_of_the_cluster() -> None:
    meta = {"namespace": "a", "name": "b"}
    own = {"metadata": meta, "roleRef": {"kind": "Role", "name": "r"}}
    assert role_of(own) == ObjectRef(ROLE, "a", "r")
    assert role_of({**own, "roleRef": {"kind": "ClusterRole", "name": "r"}}) == ObjectRef(CLUSTER_ROLE, "", "r")
