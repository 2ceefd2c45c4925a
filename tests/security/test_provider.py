# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A project user who plants a role or a binding of the provider gains nothing, and stops only the work in her own project."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.rbac.subjects import READER_LABELS, READER_ROLE
from support.lab import Lab, path_of
from support.project_user import ProjectUser
from support.provider import PROVIDERS, RBAC, create_reader_role, remove_provider

NAME = READER_ROLE.name
ENTRY = "registry.example.com"


@pytest.fixture
def mallory(lab: Lab, namespaces: Any) -> Iterator[ProjectUser]:
    (own,) = namespaces(1)
    create_reader_role(lab)
    yield ProjectUser.create(lab, "mallory", own)
    lab.api("PATCH", path_of(own, "rolebindings", NAME), {"metadata": {"finalizers": None}}, expect=(200, 404))
    lab.api("DELETE", path_of(own, "rolebindings", NAME), expect=(200, 404))
    remove_provider(lab)


@pytest.fixture
def set_up(run: Callable[..., Any]) -> Callable[..., dict[str, Any]]:
    return lambda **options: run("credential_provider", match_images=[ENTRY], **options)


def role_of(kind: str, name: str) -> dict[str, str]:
    return {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name}


def plant(mallory: ProjectUser, role: dict[str, str], *, subject: str = "mallory", **meta: Any) -> None:
    """Create a binding of our name with her own rights. Its subject is her choice."""
    subjects = [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": subject}]
    mallory.create_object("rolebindings", {"metadata": {"name": NAME, **meta}, "roleRef": role, "subjects": subjects})


def may_list(lab: Lab, user: str, namespace: str) -> bool:
    attributes = {"verb": "list", "resource": "secrets", "namespace": namespace}
    body = {"spec": {"user": user, "resourceAttributes": attributes}}
    answer = lab.api("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", body)
    return bool(answer["status"]["allowed"])


PLANTED = {
    "of-others": (role_of("ClusterRole", NAME), {}),
    "with-another-cluster-role": (role_of("ClusterRole", "system:aggregate-to-view"), {"labels": dict(READER_LABELS)}),
    "with-a-role-of-our-name": (role_of("Role", NAME), {"labels": dict(READER_LABELS)}),
}


@pytest.mark.parametrize("planted", PLANTED)
def test_a_planted_binding_is_not_changed_and_fails_only_its_own_project(
    lab: Lab, mallory: ProjectUser, namespace: str, set_up: Any, planted: str
) -> None:
    role, meta = PLANTED[planted]
    rule = {"apiGroups": [""], "resources": ["secrets", "pods"], "verbs": ["get", "list", "create"]}
    path = f"{RBAC}/namespaces/{mallory.namespace}/roles"
    mallory.request("POST", path, {"metadata": {"name": NAME, "labels": dict(READER_LABELS)}, "rules": [rule]})
    plant(mallory, role, **meta)
    before = lab.get(mallory.namespace, "rolebindings", NAME)
    for state in ("present", "absent", "present"):
        done = set_up(namespaces=[mallory.namespace, namespace], state=state)
        assert [failure["namespace"] for failure in done["failures"]] == [mallory.namespace]
        assert "was not created by this module, or has another role" in done["msg"]
        assert lab.get(mallory.namespace, "rolebindings", NAME) == before
    lab.until(lambda: may_list(lab, f"system:serviceaccount:{namespace}:default", namespace), "the other project works")
    assert not may_list(lab, f"system:serviceaccount:{mallory.namespace}:default", namespace)
    assert lab.api("GET", f"{PROVIDERS}/cluster")["spec"]["matchImages"] == [ENTRY]
    assert lab.api("GET", f"{path}/{NAME}")["rules"] == [rule]


def test_a_planted_binding_like_ours_gives_no_right_outside_her_project_and_is_reported(
    lab: Lab, mallory: ProjectUser, namespace: str, set_up: Any
) -> None:
    evil = "{{ lookup('pipe', 'id') }}"
    plant(mallory, role_of("ClusterRole", NAME), subject=evil, labels=dict(READER_LABELS))
    done = set_up(namespaces=[mallory.namespace, namespace])
    assert not done["failed"], done["msg"]
    assert f"{mallory.namespace}/{NAME} also lets 1 subject list the secrets" in str(done["warnings"])
    assert evil not in json.dumps(done["warnings"])
    subjects = lab.get(mallory.namespace, "rolebindings", NAME)["subjects"]  # type: ignore[index]
    assert [subject["name"] for subject in subjects] == [evil, "default"]
    for user in ("mallory", evil, f"system:serviceaccount:{mallory.namespace}:default"):
        assert not may_list(lab, user, namespace)


def test_a_planted_binding_with_a_finalizer_is_refused_while_it_is_being_deleted(
    lab: Lab, mallory: ProjectUser, namespace: str, set_up: Any
) -> None:
    plant(mallory, role_of("ClusterRole", NAME), labels=dict(READER_LABELS), finalizers=["example.com/forever"])
    mallory.request("DELETE", path_of(mallory.namespace, "rolebindings", NAME))
    done = set_up(namespaces=[mallory.namespace, namespace])
    assert [failure["namespace"] for failure in done["failures"]] == [mallory.namespace]
    assert "a finalizer keeps it" in done["msg"]


def test_a_project_user_cannot_change_what_the_accounts_of_others_get(lab: Lab, mallory: ProjectUser) -> None:
    body = {"rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]}
    assert mallory.request("PATCH", f"{RBAC}/clusterroles/{NAME}", body, expect=(403,))["reason"] == "Forbidden"


def test_the_job_cannot_give_a_right_that_its_account_does_not_have(
    lab: Lab, mallory: ProjectUser, namespace: str, set_up: Any
) -> None:
    """Without list on secrets in a namespace, the API server and the module refuse the binding there."""
    role = {"rules": [{"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["rolebindings"], "verbs": ["*"]}]}
    lab.api("POST", f"{RBAC}/clusterroles", {"metadata": {"name": "binds-only"}, **role}, expect=(201, 409))
    subject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "binder"}
    binding = {"metadata": {"name": "b"}, "roleRef": role_of("ClusterRole", "binds-only"), "subjects": [subject]}
    lab.create(namespace, "rolebindings", binding)
    body = {"metadata": {"name": NAME}, "roleRef": role_of("ClusterRole", NAME), "subjects": [subject]}

    def answer() -> str:
        found = lab.api("POST", path_of(namespace, "rolebindings"), body, user="binder", expect=(403,))
        return str(found["message"])

    lab.until(lambda: "attempting to grant RBAC permissions not currently held" in answer(), "the binder may bind")
    assert not may_list(lab, "binder", namespace)
