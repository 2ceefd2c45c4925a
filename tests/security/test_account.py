# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Role bindings of a project user neither keep an automation account from getting or losing its rights, nor lead to rights elsewhere."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.rbac.subjects import LABELS
from support.lab import path_of
from support.objects import role_binding, user_subject
from support.project_user import ProjectUser

RBAC = "/apis/rbac.authorization.k8s.io/v1"
FINALIZER = "example.com/forever"
_numbers = itertools.count()


@pytest.fixture
def name() -> str:
    return f"robot-{next(_numbers)}"


@pytest.fixture
def account(run, namespace, name):
    """Run the module for an account in the test's namespace."""
    return lambda **options: run("automation_account", **{"namespace": namespace, "name": name, **options})


@pytest.fixture
def mallory(lab, namespaces):
    (own,) = namespaces(1)
    return ProjectUser.create(lab, "mallory", own)


def plant(mallory: ProjectUser, name: str, *subjects: str, role: str = "view", **meta: Any) -> None:
    mallory.create_object("rolebindings", role_binding(name, *map(user_subject, subjects), role=role, **meta))


def may(lab, user: str, verb: str, resource: str, namespace: str, **more: str) -> bool:
    attributes = {"verb": verb, "resource": resource, "namespace": namespace, **more}
    body = {"spec": {"user": user, "resourceAttributes": attributes}}
    return lab.api("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", body)["status"]["allowed"]


def bindings(lab, namespace: str) -> dict[str, Any]:
    return {one["metadata"]["name"]: one for one in lab.api("GET", path_of(namespace, "rolebindings"))["items"]}


def free(lab, namespace: str, name: str) -> None:
    """Remove the finalizer, because the lab's namespaces are reused."""
    lab.api("PATCH", path_of(namespace, "rolebindings", name), {"metadata": {"finalizers": None}}, expect=(200, 404))


PLANTED = {
    "of-others": {},
    "with-our-labels": {"labels": dict(LABELS)},
    "with-a-finalizer": {"labels": dict(LABELS), "finalizers": [FINALIZER]},
}


class TestBindings:
    @pytest.mark.parametrize("meta", PLANTED.values(), ids=PLANTED)
    def test_a_planted_binding_does_not_keep_the_rights_away(self, lab, account, *, mallory, namespace, name, meta):
        """A binding with the account's name and another role made the namespace fail in each run."""
        role = f"image-pull:{namespace}:{name}"
        plant(mallory, role, "mallory", **meta)
        found = account(jobs=["secrets"], namespaces=[mallory.namespace])
        try:
            assert not found["failed"], found["msg"]
            user = f"system:serviceaccount:{namespace}:{name}"
            lab.until(lambda: may(lab, user, "patch", "secrets", mallory.namespace), "the account has its rights")
            ours = [one for one in bindings(lab, mallory.namespace).values() if one["roleRef"]["name"] == role]
            assert [[one["name"] for one in each["subjects"]] for each in ours] == [[name]]
            assert account(jobs=["secrets"], namespaces=[mallory.namespace])["changed"] is False
        finally:
            free(lab, mallory.namespace, role)

    def test_a_binding_stuck_in_deletion_does_not_keep_the_rights_away(self, lab, account, mallory, namespace, name):
        role = f"image-pull:{namespace}:{name}"
        plant(mallory, role, labels=dict(LABELS), finalizers=[FINALIZER])
        mallory.request("DELETE", path_of(mallory.namespace, "rolebindings", role))
        try:
            found = account(jobs=["secrets"], namespaces=[mallory.namespace])
            assert not found["failed"], found["msg"]
            assert f"{role}:2" in bindings(lab, mallory.namespace)
        finally:
            free(lab, mallory.namespace, role)
        account(jobs=["secrets"], namespaces=[mallory.namespace])
        ours = [name for name in bindings(lab, mallory.namespace) if name.startswith("image-pull:")]
        assert ours == [role], "with the name free again, the other one goes"

    @pytest.mark.parametrize("meta", PLANTED.values(), ids=PLANTED)
    def test_a_planted_binding_does_not_stop_the_end_of_the_rights(
        self, lab, account, *, mallory, namespaces, namespace, name, meta
    ):
        (here,) = namespaces(1)
        role = f"image-pull:{namespace}:{name}"
        account(jobs=["secrets", "export"], namespaces=[here])
        plant(mallory, role, "mallory", **meta)
        try:
            found = account(state="absent")
            assert not found["failed"], found["msg"]
            assert lab.get(namespace, "serviceaccounts", name) is None
            assert role not in bindings(lab, here)
            assert lab.api("GET", f"{RBAC}/clusterroles/{role}", expect=(404,))
            told = json.dumps(found.get("warnings"))
            assert (FINALIZER in told, "kubectl patch rolebinding" in told) == (("finalizers" in meta),) * 2
        finally:
            free(lab, mallory.namespace, role)

    def test_a_namespace_that_fails_does_not_keep_the_token_away(self, lab, account, mallory, namespaces, name):
        """The user's project is deleted during the run, or its quota is exhausted."""
        quota = {"metadata": {"name": "none"}, "spec": {"hard": {"count/rolebindings.rbac.authorization.k8s.io": "0"}}}
        lab.api("POST", f"/api/v1/namespaces/{mallory.namespace}/resourcequotas", quota)
        path = f"/api/v1/namespaces/{mallory.namespace}/resourcequotas/none"
        lab.api("PATCH", f"{path}/status", {"status": {"hard": quota["spec"]["hard"], "used": quota["spec"]["hard"]}})
        (here,) = namespaces(1)
        found = account(jobs=["secrets"], namespaces=[here, mallory.namespace], token_seconds=600)
        assert [failure["namespace"] for failure in found["failures"]] == [mallory.namespace]
        assert found["token"]

    def test_subjects_of_a_planted_binding_get_no_rights(self, lab, account, *, mallory, namespaces, namespace, name):
        """She adds herself to a binding that looks like ours, in the only namespace that she can write to."""
        (victim,) = namespaces(1)
        role = f"image-pull:{namespace}:{name}"
        plant(mallory, role, "mallory", "eve", labels=dict(LABELS))
        account(jobs=["secrets"], namespaces=[victim, mallory.namespace])
        for place in (victim, mallory.namespace):
            subjects = bindings(lab, place)[role]["subjects"]
            assert [(one["kind"], one["name"]) for one in subjects] == [("ServiceAccount", name)]
        assert not may(lab, "mallory", "get", "secrets", victim)
        assert not may(lab, "eve", "get", "secrets", mallory.namespace)


class TestGrants:
    def test_subjects_of_a_planted_grant_get_no_rights_elsewhere(self, lab, run, mallory, namespaces):
        (victim,) = namespaces(1)
        ours = {"app.kubernetes.io/managed-by": "openshift_ops.image_pull", "app.kubernetes.io/instance": "team"}
        # On OpenShift, the administrator of a project may let others pull from it.
        lab.create(mallory.namespace, "rolebindings", role_binding("puller", user_subject("mallory")))
        layers = {"group": "image.openshift.io", "subresource": "layers"}
        lab.until(lambda: may(lab, "mallory", "get", "imagestreams", mallory.namespace, **layers), "she may pull")
        plant(mallory, "image-puller-grant-team", "mallory", role="system:image-puller", labels=ours)
        found = run("image_puller_grant", owner="team", projects=["consumer"], namespaces=[victim, mallory.namespace])
        assert not found["failed"], found["msg"]
        subjects = bindings(lab, victim)["image-puller-grant-team"]["subjects"]
        assert [one["name"] for one in subjects] == ["system:serviceaccounts:consumer"]
