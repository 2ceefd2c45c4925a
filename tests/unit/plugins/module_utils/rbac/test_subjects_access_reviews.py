# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Access reviews, objects of automation accounts, and roles with the right to pull."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import (
    CLUSTER_ROLE,
    SERVICE_ACCOUNT,
    ObjectRef,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.rbac.subjects import (
    LABELS,
    ROLE,
    SUBJECT_ACCESS_REVIEW,
    Subject,
    gives_pull,
    has_account_labels,
    is_bound_to,
    is_pull_review,
    parse_review,
    pull_review,
    question_of,
    review_spec,
    role_of,
    secrets_review,
    token_review,
)

# --- The access review for another user equals the registry's own, and its answer is read

ACCOUNT = Subject("ServiceAccount", "default", "project-a")

LOGGED_IN = "system:authenticated"


class TestQuestion:
    def test_the_question_is_a_cluster_wide_subject_access_review(self) -> None:
        kind = SUBJECT_ACCESS_REVIEW
        assert (kind.api_version, kind.kind, kind.resource, kind.namespaced) == (
            "authorization.k8s.io/v1",
            "SubjectAccessReview",
            "subjectaccessreviews",
            False,
        )
        assert kind.title == "subject access review"

    def test_the_question_equals_the_one_that_the_registry_asks(self) -> None:
        assert review_spec(ACCOUNT, "project-b")["resourceAttributes"] == {
            "namespace": "project-b",
            "verb": "get",
            "group": "image.openshift.io",
            "resource": "imagestreams",
            "subresource": "layers",
        }

    @pytest.mark.parametrize(
        ("subject", "login"),
        [
            (ACCOUNT, {"user": "system:serviceaccount:project-a:default",
             "groups": ["system:serviceaccounts", "system:serviceaccounts:project-a", LOGGED_IN]}),
            (Subject("User", "jane"), {"user": "jane", "groups": [LOGGED_IN]}),
            (Subject("Group", "ops"), {"groups": ["ops", LOGGED_IN]}),
            (Subject("Group", "system:serviceaccounts:project-a"),
             {"groups": ["system:serviceaccounts:project-a", "system:serviceaccounts", LOGGED_IN]}),
            (Subject("Group", LOGGED_IN), {"groups": [LOGGED_IN]}),
            (Subject("Group", "system:unauthenticated"), {"user": "system:anonymous",
             "groups": ["system:unauthenticated"]}),
        ],
    )  # fmt: skip
    def test_the_question_names_a_user_with_only_its_own_groups(self, subject: Subject, login: Any) -> None:
        asked = review_spec(subject, "project-b")
        assert {key: asked[key] for key in asked if key != "resourceAttributes"} == login


class TestReferences:
    def test_a_pull_review_is_about_the_account_of_another_project(self) -> None:
        ref = pull_review("project-b", "project-a", "default")
        assert question_of(ref) == (
            review_spec(ACCOUNT, "project-b"),
            "ServiceAccount project-a/default may pull from project-b",
        )
        assert is_pull_review(ref)

    def test_a_review_of_secrets_is_about_the_account(self) -> None:
        spec, question = question_of(secrets_review("project-a", "default"))
        assert spec["user"] == "system:serviceaccount:project-a:default"
        assert spec["resourceAttributes"] == {
            "namespace": "project-a",
            "group": "",
            "verb": "list",
            "resource": "secrets",
        }
        assert question == "ServiceAccount project-a/default may list secrets"

    def test_a_review_of_tokens_is_about_any_node(self) -> None:
        spec, _question = question_of(token_review("project-a", "default", "https://x"))
        assert spec == {
            "user": "system:node:any",
            "groups": ["system:nodes", LOGGED_IN],
            "resourceAttributes": {
                "namespace": "project-a",
                "group": "",
                "verb": "request-serviceaccounts-token-audience",
                "resource": "https://x",
                "name": "default",
            },
        }

    @pytest.mark.parametrize("account", ['a"]', "a/b", "[", '", "x'])
    def test_no_name_of_an_account_changes_the_question(self, account: str) -> None:
        spec, _question = question_of(secrets_review("project-a", account))
        assert spec["user"] == f"system:serviceaccount:project-a:{account}"
        assert spec["resourceAttributes"]["resource"] == "secrets"
        assert not is_pull_review(secrets_review("project-a", account))
        assert is_pull_review(pull_review("project-b", "project-a", account))


class TestMayPull:
    GRANT = 'RBAC: allowed by {} of ClusterRole "system:image-puller" to ServiceAccount "default/project-a"'

    @pytest.mark.parametrize(
        ("status", "allowed", "binding"),
        [
            (
                {"allowed": True, "reason": GRANT.format('RoleBinding "image-puller-grant/project-b"')},
                True,
                "RoleBinding project-b/image-puller-grant",
            ),
            ({"allowed": True, "reason": GRANT.format('ClusterRoleBinding "all"')}, True, "ClusterRoleBinding all"),
            ({"allowed": True, "reason": "by a webhook"}, True, None),
            ({"allowed": True}, True, None),
            ({"allowed": False, "reason": GRANT.format('RoleBinding "a/b"')}, False, None),
            ({"allowed": True, "reason": None}, True, None),
            ({"allowed": True, "reason": ["x"]}, True, None),
            ({"allowed": False}, False, None),
            (None, None, None),
            # An answer without a decision is not an answer.
            ({}, None, None),
            ({"allowed": None}, None, None),
            ({"allowed": "false", "reason": GRANT.format('RoleBinding "a/b"')}, None, None),
            ({"allowed": 1}, None, None),
            ([], None, None),
            ("text", None, None),
        ],
    )
    def test_the_answer_names_whether_a_pull_is_allowed_and_by_which_binding(
        self, status: Any, allowed: bool | None, binding: str | None
    ) -> None:
        told = {"subject": "ServiceAccount project-a/default", "allowed": allowed, "binding": binding}
        assert parse_review(ACCOUNT, status) == told


# --- Objects of an automation account are recognized by their labels and subjects


@pytest.mark.parametrize(
    ("labels", "is_ours"),
    [
        (dict(LABELS), True),
        ({**LABELS, "x": "y"}, True),
        ({**LABELS, "app.kubernetes.io/component": "pull-probe"}, False),
        ({"app.kubernetes.io/managed-by": "openshift_ops.image_pull"}, False),
        ({}, False),
        (None, False),
        ("text", False),
    ],
)
def test_an_object_of_an_account_is_recognized_by_both_labels(labels: Any, is_ours: bool) -> None:
    assert has_account_labels({"metadata": {"labels": labels}}) is is_ours


@pytest.mark.parametrize(
    ("subjects", "expected"),
    [
        ([{"kind": "ServiceAccount", "namespace": "home", "name": "robot"}], True),
        ([{"kind": "User", "name": "system:serviceaccount:home:robot"}], True),
        ([{"kind": "Group", "name": "x"}, {"kind": "ServiceAccount", "name": "robot"}], True),
        ([{"kind": "ServiceAccount", "namespace": "other", "name": "robot"}], False),
        ([{"kind": "Group", "name": "system:serviceaccounts:home"}], False),
        ([None, 7, {"kind": "ServiceAccount", "name": None}], False),
        (None, False),
        ("robot", False),
    ],
)
def test_a_binding_that_names_the_account_is_recognized(subjects: Any, expected: bool) -> None:
    binding = {"metadata": {"name": "b", "namespace": "home"}, "subjects": subjects}
    assert is_bound_to(binding, ObjectRef(SERVICE_ACCOUNT, "home", "robot")) is expected


# --- A role gives the right to pull if one of its rules does

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
