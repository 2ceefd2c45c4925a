# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""image_puller_grant gives and takes exactly the declared pull rights, as the integrated registry itself confirms."""

from __future__ import annotations

from typing import Any

import pytest
from support.lab import path_of

RBAC = "rbac.authorization.k8s.io"
PULLER = {"apiGroup": RBAC, "kind": "ClusterRole", "name": "system:image-puller"}
ACCOUNT = {"kind": "ServiceAccount", "namespace": "project-a", "name": "default"}
GROUP = {"kind": "Group", "name": "system:serviceaccounts:project-a", "apiGroup": RBAC}
AS_USER = {"kind": "User", "name": "system:serviceaccount:project-a:default", "apiGroup": RBAC}
OURS = {"app.kubernetes.io/managed-by": "openshift_ops.image_pull"}


def binding(*subjects: dict[str, str], name: str = "image-puller-grant", **metadata: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, **metadata}, "roleRef": PULLER, "subjects": list(subjects)}


def grant(run: Any, namespaces: list[str], **options: Any) -> dict[str, Any]:
    given = {"service_accounts": [{"namespace": "project-a", "name": "default"}]} if "projects" not in options else {}
    return run("image_puller_grant", namespaces=namespaces, **{**given, **options})


def subjects(lab: Any, namespace: str, name: str = "image-puller-grant") -> list[dict[str, str]] | None:
    found = lab.get(namespace, "rolebindings", name)
    return None if found is None else found.get("subjects", [])


class TestProof:
    """The registry refuses before the grant, the pod pulls after it, and the registry refuses again once the grant is removed."""

    @pytest.mark.parametrize("form", ["service_accounts", "projects"])
    def test_a_pod_of_another_project_pulls_only_while_the_grant_exists(self, lab, run, namespaces, form):
        owner, user = namespaces(2)
        lab.run("push", "--dir", str(lab.dir), f"{owner}/app:v1")
        lab.pod(user, "app", f"{lab.registry('integrated')['host']}/{owner}/app:v1")
        options = {"projects": [user]} if form == "projects" else {"service_accounts": [{"namespace": user}]}
        assert not lab.pull(user, "app")["pulled"]
        assert grant(run, [owner], **options)["changed"]
        assert lab.pull(user, "app")["pulled"]
        assert grant(run, [owner], **options, state="absent")["changed"]
        assert not lab.pull(user, "app")["pulled"]


class TestOneBinding:
    def test_many_grants_are_stored_in_one_labelled_binding(self, lab, run, namespace):
        grant(run, [namespace])
        grant(run, [namespace], projects=["project-a", "project-c"])
        grant(run, [namespace], users=["alice"], groups=["qa"])
        found = lab.get(namespace, "rolebindings", "image-puller-grant")
        assert found["roleRef"] == PULLER
        assert found["metadata"]["labels"] == OURS
        assert [subject["name"] for subject in found["subjects"]] == [
            "default",
            "system:serviceaccounts:project-a",
            "system:serviceaccounts:project-c",
            "qa",
            "alice",
        ]

    @pytest.mark.parametrize("theirs", [ACCOUNT, AS_USER])
    def test_an_equivalent_grant_of_others_causes_no_change(self, lab, run, namespace, theirs):
        lab.create(namespace, "rolebindings", binding(theirs, name="system:image-puller"))
        audit = lab.audit()
        assert grant(run, [namespace])["changed"] is False
        assert audit.writes() == []
        assert subjects(lab, namespace) is None


class TestTakingBack:
    """Exactly the declared subjects are removed. Grants of others stay and are reported."""

    def test_subjects_of_others_keep_their_order(self, lab, run, namespace):
        theirs = {"kind": "User", "name": "bob", "apiGroup": RBAC}
        lab.create(namespace, "rolebindings", binding(theirs, ACCOUNT, GROUP, theirs, labels=OURS))
        assert grant(run, [namespace], state="absent")["changed"]
        assert subjects(lab, namespace) == [theirs, GROUP, theirs]

    def test_an_emptied_binding_is_deleted_only_if_it_is_ours(self, lab, run, namespace):
        lab.create(namespace, "rolebindings", binding(ACCOUNT, labels=OURS))
        lab.create(namespace, "rolebindings", binding(ACCOUNT, name="by-hand"))
        grant(run, [namespace], state="absent")
        assert subjects(lab, namespace) is None
        grant(run, [namespace], state="absent", binding_name="by-hand")
        assert subjects(lab, namespace, "by-hand") == []

    def test_a_grant_in_another_binding_is_reported(self, lab, run, namespace):
        lab.create(namespace, "rolebindings", binding(ACCOUNT, name="by-hand"))
        result = grant(run, [namespace], state="absent")
        assert result["changed"] is False
        (warning,) = map(str, result["warnings"])
        assert "by-hand" in warning
        assert "may still pull" in warning


class TestRefusals:
    def test_a_binding_of_another_role_is_left_alone(self, lab, run, namespace):
        other = {**binding(GROUP), "roleRef": {**PULLER, "name": "view"}}
        before = lab.create(namespace, "rolebindings", other)
        result = grant(run, [namespace])
        assert "has ClusterRole view, and the role of a binding cannot be changed" in result["failures"][0]["error"]
        assert f"type: oc delete rolebinding image-puller-grant -n {namespace}" in result["msg"]
        assert lab.get(namespace, "rolebindings", "image-puller-grant") == before
        lab.api("DELETE", path_of(namespace, "rolebindings", "image-puller-grant"))
        assert grant(run, [namespace])["changed"]


class TestFleet:
    """A fleet of namespaces needs one list and only the necessary writes."""

    def test_fifty_namespaces_need_one_list_of_bindings(self, lab, run, namespaces):
        names = namespaces(50, wait=False)
        audit = lab.audit()
        assert grant(run, names)["summary"]["changed"] == 50
        assert sorted(audit.verbs()) == ["create"] * 50 + ["get", "get", "list"], "the role, the subject, the bindings"
        audit = lab.audit()
        assert grant(run, names)["summary"]["unchanged"] == 50
        assert sorted(audit.verbs()) == ["get", "get", "list"]

    def test_repeated_grants_lose_no_subject(self, lab, run, namespace):
        """The first run creates our binding, and each later run adds its own subject to it."""
        lab.api("DELETE", path_of(namespace, "rolebindings", "image-puller-grant"), expect=(200, 404))
        for number in range(5):
            grant(run, [namespace], projects=[f"project-{number}"])
        assert len(subjects(lab, namespace)) == 5
