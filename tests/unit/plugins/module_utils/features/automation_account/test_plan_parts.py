# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An account gets its own roles and bindings, with only the rights that its jobs need in each place."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.automation_account.plan import (
    AccountRoles,
)

ROLE = "image-pull:home:robot"


def shown(manifests: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    return [(each["kind"], each["metadata"].get("namespace", ""), each["metadata"]["name"]) for each in manifests]


def test_each_place_gets_its_own_role() -> None:
    found = AccountRoles("home", "robot", ("wait",)).wanted()
    assert [(part.name, part.where) for part in found] == [
        (ROLE, ""),
        (f"{ROLE}:cluster", "*"),
        (f"{ROLE}:openshift-image-registry", "openshift-image-registry"),
    ]


def test_the_option_everywhere_means_the_whole_cluster() -> None:
    parts = AccountRoles("home", "robot", ("secrets",), everywhere=True)
    (part,) = parts.wanted()
    assert (part.name, part.where) == (f"{ROLE}:cluster", "*")
    assert {verb for rule in part.rules for verb in rule["verbs"]} == {"get", "list", "create", "patch", "delete"}
    assert shown(parts.manifests([])) == [
        ("ServiceAccount", "home", "robot"),
        ("ClusterRole", "", f"{ROLE}:cluster"),
        ("ClusterRoleBinding", "", f"{ROLE}:cluster"),
    ]


@pytest.mark.parametrize("everywhere", [False, True])
def test_secrets_of_hosted_clusters_are_granted_by_name(everywhere: bool) -> None:
    parts = AccountRoles("home", "robot", ("management_pull_secret",), everywhere, ("prod-pull",))
    rules = [rule for part in parts.wanted() for rule in part.rules if "secrets" in rule["resources"]]
    assert rules == [
        {"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["prod-pull"], "verbs": ["get", "patch"]}
    ]


def test_a_right_in_a_namespace_of_the_platforms_is_not_given_everywhere() -> None:
    found = {
        part.where: part.rules
        for part in AccountRoles("home", "robot", ("nodes_secret", "export"), everywhere=True).wanted()
    }
    assert [rule["resourceNames"] for rule in found["openshift-config"]] == [["pull-secret"]]
    assert {verb for rule in found["*"] for verb in rule["verbs"] if "secrets" in rule["resources"]} == {"list"}


def test_manifests_are_in_the_order_in_which_they_can_be_created() -> None:
    parts = AccountRoles("home", "robot", ("wait",))
    assert parts.fixed_namespaces() == ["openshift-image-registry"]
    assert shown(parts.manifests(["a", "b", "a"])) == [
        ("ServiceAccount", "home", "robot"),
        ("ClusterRole", "", ROLE),
        ("ClusterRole", "", f"{ROLE}:cluster"),
        ("ClusterRole", "", f"{ROLE}:openshift-image-registry"),
        ("ClusterRoleBinding", "", f"{ROLE}:cluster"),
        ("RoleBinding", "a", ROLE),
        ("RoleBinding", "b", ROLE),
        ("RoleBinding", "openshift-image-registry", f"{ROLE}:openshift-image-registry"),
    ]


def test_a_fixed_namespace_that_is_a_target_too_has_both_roles() -> None:
    parts = AccountRoles("home", "robot", ("wait",))
    bound = parts.parts_in("openshift-image-registry", is_target=True)
    assert [part.name for part in bound] == [ROLE, f"{ROLE}:openshift-image-registry"]


def test_a_binding_names_the_account_and_the_role() -> None:
    parts = AccountRoles("home", "robot", ("export",))
    part = parts.wanted()[0]
    binding = parts.binding(part, "a")
    assert binding["subjects"] == [{"kind": "ServiceAccount", "namespace": "home", "name": "robot"}]
    assert binding["roleRef"] == {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": ROLE}
    assert binding["apiVersion"] == "rbac.authorization.k8s.io/v1"
    assert binding["metadata"]["labels"] == {
        "app.kubernetes.io/managed-by": "openshift_ops.image_pull",
        "app.kubernetes.io/component": "automation-account",
    }


@pytest.mark.parametrize("other", [AccountRoles("home", "robot-b", ()), AccountRoles("home-robot", "b", ())])
def test_no_two_accounts_share_a_role(other: AccountRoles) -> None:
    mine = AccountRoles("home", "robot", ())
    assert not {*mine.role_names()} & {*other.role_names()}


def test_every_part_that_an_account_may_have_is_known() -> None:
    assert {*AccountRoles("home", "robot", ()).role_names()} == {
        ROLE,
        f"{ROLE}:cluster",
        f"{ROLE}:openshift-image-registry",
        f"{ROLE}:openshift-config",
        f"{ROLE}:kube-system",
    }
