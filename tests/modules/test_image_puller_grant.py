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
