# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""image_puller_grant gives and takes exactly the declared pull rights, as the registry confirms. It can also verify access and prune subjects."""

from __future__ import annotations

from typing import Any

import pytest
from support.lab import path_of
from support.openshift import allow
from support.truth import three_ways

RBAC = "rbac.authorization.k8s.io"
PULLER = {"apiGroup": RBAC, "kind": "ClusterRole", "name": "system:image-puller"}
OURS = {"app.kubernetes.io/managed-by": "openshift_ops.image_pull"}


def grant_project_a(run: Any, namespaces: list[str], **options: Any) -> dict[str, Any]:
    given = {"service_accounts": [{"namespace": "project-a", "name": "default"}]} if "projects" not in options else {}
    return run("image_puller_grant", namespaces=namespaces, **{**given, **options})


def subjects(lab: Any, namespace: str, name: str = "image-puller-grant") -> list[dict[str, str]] | None:
    found = lab.get(namespace, "rolebindings", name)
    return None if found is None else found.get("subjects", [])


class TestRegistry:
    """The registry refuses before the grant, the pod pulls after it, and the registry refuses again once the grant is removed."""

    @pytest.mark.parametrize("form", ["service_accounts", "projects"])
    def test_a_pod_of_another_project_pulls_only_while_the_grant_exists(self, lab, run, namespaces, form):
        owner, user = namespaces(2)
        lab.run("push", "--dir", str(lab.dir), f"{owner}/app:v1")
        lab.pod(user, "app", f"{lab.registry('integrated')['host']}/{owner}/app:v1")
        options = {"projects": [user]} if form == "projects" else {"service_accounts": [{"namespace": user}]}
        assert not lab.pull(user, "app")["pulled"]
        assert grant_project_a(run, [owner], **options)["changed"]
        assert lab.pull(user, "app")["pulled"]
        assert grant_project_a(run, [owner], **options, state="absent")["changed"]
        assert not lab.pull(user, "app")["pulled"]


class TestOneBinding:
    def test_many_grants_are_stored_in_one_labelled_binding(self, lab, run, namespace):
        grant_project_a(run, [namespace])
        grant_project_a(run, [namespace], projects=["project-a", "project-c"])
        grant_project_a(run, [namespace], users=["alice"], groups=["qa"])
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
        assert grant_project_a(run, names)["summary"]["changed"] == 50
        assert sorted(audit.verbs()) == ["create"] * 50 + ["get", "get", "list"], "the role, the subject, the bindings"
        audit = lab.audit()
        assert grant_project_a(run, names)["summary"]["unchanged"] == 50
        assert sorted(audit.verbs()) == ["get", "get", "list"]

    def test_repeated_grants_lose_no_subject(self, lab, run, namespace):
        """The first run creates our binding, and each later run adds its own subject to it."""
        lab.api("DELETE", path_of(namespace, "rolebindings", "image-puller-grant"), expect=(200, 404))
        for number in range(5):
            grant_project_a(run, [namespace], projects=[f"project-{number}"])
        assert len(subjects(lab, namespace)) == 5


BOB = {"kind": "User", "name": "bob", "apiGroup": RBAC}


def account(namespace: str, name: str = "default") -> dict[str, str]:
    return {"kind": "ServiceAccount", "namespace": namespace, "name": name}


def group(name: str) -> dict[str, str]:
    return {"apiGroup": RBAC, "kind": "Group", "name": name}


def binding(
    *subjects: dict[str, str], name: str = "image-puller-grant", role: str = "", **metadata: Any
) -> dict[str, Any]:
    given = {**PULLER, "name": role} if role else PULLER
    return {"metadata": {"name": name, **metadata}, "roleRef": given, "subjects": list(subjects)}


def grant(run: Any, namespaces: list[str], **options: Any) -> dict[str, Any]:
    return run("image_puller_grant", namespaces=namespaces, **options)


def limited(lab: Any, namespace: str, *rules: dict[str, Any], user: str = "limited") -> None:
    """Give a user only these rights, in one namespace."""
    lab.create(namespace, "roles", {"metadata": {"name": "limited"}, "rules": list(rules)})
    role = {"apiGroup": RBAC, "kind": "Role", "name": "limited"}
    body = {"metadata": {"name": "limited"}, "roleRef": role, "subjects": [{**BOB, "name": user}]}
    lab.create(namespace, "rolebindings", body)


WRITES = {"apiGroups": [RBAC], "resources": ["rolebindings"], "verbs": ["get", "list", "create", "patch", "delete"]}


class TestEverybody:
    @pytest.mark.parametrize(
        ("option", "name"), [("authenticated", "system:authenticated"), ("anonymous", "system:unauthenticated")]
    )
    def test_groups_of_all_users_are_granted_only_by_their_option(self, lab, run, namespace, option, name):
        audit = lab.audit()
        refused = grant(run, [namespace], groups=[name])
        assert f"use '{option}: true' instead" in refused["msg"]
        assert audit.ours() == []
        assert grant(run, [namespace], **{option: True})["changed"]
        assert subjects(lab, namespace) == [group(name)]
        assert grant(run, [namespace], groups=[name], state="absent")["changed"]
        assert subjects(lab, namespace) is None

    def test_anonymous_does_not_include_pods_with_credentials(self, lab, run, namespaces):
        """The registry asks with the caller's own login, and a pod sends the login of its account."""
        owner, user = namespaces(2)
        lab.run("push", "--dir", str(lab.dir), f"{owner}/app:v1")
        lab.pod(user, "app", f"{lab.registry('integrated')['host']}/{owner}/app:v1")
        grant(run, [owner], anonymous=True)
        assert not lab.pull(user, "app")["pulled"]
        grant(run, [owner], anonymous=True, authenticated=True)
        assert lab.pull(user, "app")["pulled"]

    def test_an_anonymous_pull_is_verified_by_the_api_server(self, run, namespace):
        result = grant(run, [namespace], anonymous=True, verify_access=True)
        (answer,) = result["namespaces"][0]["may_pull"]
        assert answer["allowed"] is True


class TestNotThereYet:
    def test_a_missing_project_is_looked_up_and_reported_once_for_fifty_namespaces(self, lab, run, namespaces):
        names = namespaces(50, wait=False)
        audit = lab.audit()
        result = grant(run, names, projects=["tomorrow"])
        assert len(result["warnings"]) == 1
        assert sorted(audit.verbs()) == ["create"] * 50 + ["get", "get", "list"]

    def test_many_projects_need_no_right_to_list_namespaces(self, lab, run, namespace):
        """They are read by name then, so nothing is incomplete."""
        bind = {"apiGroups": [RBAC], "resources": ["clusterroles"], "verbs": ["get", "bind"]}
        user = allow(lab, f"{namespace}-granter", {"namespaces": ["get"]}, WRITES, bind)
        projects = [f"tomorrow-{number}" for number in range(40)]
        given: dict[str, Any] = {"projects": projects, "impersonate_user": user}
        lab.until(lambda: not grant(run, [namespace], check=True, **given)["failed"], "the rights are known")
        result = grant(run, [namespace], **given)
        assert (result["failed"], result["changed"], len(subjects(lab, namespace) or ())) == (False, True, 40)
        assert "namespace tomorrow-0 does not exist yet" in str(result["warnings"])
        assert "permissions" not in str(result["warnings"])


class TestEveryBinding:
    def test_the_platforms_own_binding_is_emptied_and_kept(self, lab, run, namespace):
        """If the binding were deleted, a controller would recreate it. An empty binding grants nothing."""
        name = "system:image-pullers"
        if subjects(lab, namespace, name) is None:
            lab.create(namespace, "rolebindings", binding(group(f"system:serviceaccounts:{namespace}"), name=name))
        grant(run, [namespace], projects=[namespace], state="absent", revoke_from="every_binding")
        assert subjects(lab, namespace, name) == []


class TestPrune:
    def test_deleted_subjects_are_listed_in_check_mode_and_then_removed(self, lab, run, namespace):
        held = [
            BOB,
            account(namespace),
            account(namespace, "gone"),
            account("gone"),
            group("system:serviceaccounts:gone"),
        ]
        lab.create(namespace, "rolebindings", binding(*held, labels=OURS))
        lab.create(namespace, "rolebindings", binding(account("gone"), name="by-hand"))
        audit = lab.audit()
        checked = grant(run, [namespace], prune=True, check=True)
        assert audit.writes() == []
        real = grant(run, [namespace], prune=True)
        assert (checked["namespaces"], checked["diff"]) == (real["namespaces"], real["diff"])
        assert real["namespaces"][0]["changes"][0]["pruned"] == [
            f"ServiceAccount {namespace}/gone",
            "ServiceAccount gone/default",
            "Group system:serviceaccounts:gone",
        ]
        assert subjects(lab, namespace) == [BOB, account(namespace)]
        assert subjects(lab, namespace, "by-hand") == [account("gone")]
        assert not grant(run, [namespace], prune=True)["changed"]

    def test_a_caller_who_may_not_read_subjects_prunes_none(self, lab, run, namespace):
        lab.create(namespace, "rolebindings", binding(account("gone"), labels=OURS))
        limited(lab, namespace, WRITES)
        result = grant(run, [namespace], prune=True, impersonate_user="limited")
        assert (result["failed"], result["changed"]) == (False, False)
        assert "was not pruned: the caller may not read" in str(result["warnings"])


class TestProof:
    """The module reports whether the subjects can pull, and through which binding."""

    def test_verify_access_reports_the_new_access_and_in_check_mode_the_current_one(self, lab, run, namespace):
        given = {
            "service_accounts": [{"namespace": "project-a"}],
            "projects": ["project-c"],
            "users": ["alice"],
            "verify_access": True,
        }
        names = ["ServiceAccount project-a/default", "Group system:serviceaccounts:project-c", "User alice"]
        audit = lab.audit()
        before = grant(run, [namespace], check=True, **given)["namespaces"][0]["may_pull"]
        assert before == [{"subject": name, "allowed": False, "binding": None} for name in names]
        assert {resource for _verb, resource, *_rest in audit.writes()} == {"subjectaccessreviews"}
        after = grant(run, [namespace], **given)
        ours = f"RoleBinding {namespace}/image-puller-grant"
        assert after["namespaces"][0]["may_pull"] == [
            {"subject": name, "allowed": True, "binding": ours} for name in names
        ]
        back = grant(run, [namespace], state="absent", **given)
        assert back["namespaces"][0]["may_pull"] == before

    def test_a_grant_in_another_binding_is_reported_by_name(self, lab, run, namespace):
        lab.create(namespace, "rolebindings", binding(BOB, name="by-hand"))
        result = grant(run, [namespace], users=["bob"], state="absent", verify_access=True)
        assert result["namespaces"][0]["may_pull"][0]["binding"] == f"RoleBinding {namespace}/by-hand"
        assert "User bob may still pull" in str(result["warnings"])

    def test_a_role_that_does_not_allow_pulls_is_reported(self, run, namespace, lab):
        role = f"nothing-{namespace}"
        rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]
        lab.api("POST", f"/apis/{RBAC}/v1/clusterroles", {"metadata": {"name": role}, "rules": rules})
        result = grant(run, [namespace], users=["bob"], role=role, verify_access=True)
        assert result["namespaces"][0]["may_pull"][0]["allowed"] is False
        assert f"User bob may not pull from {namespace}, although it was granted" in str(result["warnings"])

    def test_a_caller_who_may_not_verify_gets_a_warning_and_the_grant(self, lab, run, namespace):
        bind = {"apiGroups": [RBAC], "resources": ["clusterroles"], "verbs": ["bind"]}
        limited(lab, namespace, WRITES, bind)
        result = grant(run, [namespace], users=["bob"], verify_access=True, impersonate_user="limited")
        assert (result["failed"], result["changed"]) == (False, True)
        assert result["namespaces"][0]["may_pull"] == [{"subject": "User bob", "allowed": None, "binding": None}]
        assert "was not verified: asking whether User bob may pull" in str(result["warnings"])


class TestErrors:
    """Each error has its own message."""

    def test_a_missing_role_is_not_taken_for_a_missing_binding(self, lab, run, namespace):
        """A caller who may not read roles gets the error from the write: a 404 that names the role."""
        limited(lab, namespace, WRITES)
        result = grant(run, [namespace], users=["bob"], role="nosuchrole", impersonate_user="limited")
        assert "The role does not exist, not the binding" in result["msg"]

    def test_a_caller_who_may_not_bind_gets_the_missing_verb(self, lab, run, namespace):
        limited(lab, namespace, WRITES)
        result = grant(run, [namespace], users=["bob"], impersonate_user="limited")
        assert "Give the caller the verb 'bind'" in result["msg"]


class TestTruthTable:
    """Check mode predicts the real run and a second run changes nothing, for each state and each existing binding."""

    MINE = account("project-a")
    FOUND = {
        "missing": None,
        "same": binding(MINE, labels=OURS),
        "different": binding({**BOB, "name": "system:serviceaccount:project-a:default"}, MINE, labels=OURS),
        "foreign content": binding(BOB, group("qa"), BOB, labels=OURS),
        "elsewhere": binding(MINE, name="by-hand"),
        "wrong type": binding(MINE, BOB, role="view"),
    }
    CHANGES = {
        ("present",): {"missing", "foreign content"},
        ("present", "exclusive"): {"missing", "foreign content"},
        ("absent",): {"same", "different"},
        ("absent", "every_binding"): {"same", "different", "elsewhere"},
    }

    @pytest.mark.parametrize("desired", CHANGES, ids=" ".join)
    @pytest.mark.parametrize("found", FOUND)
    def test_check_mode_agrees_with_the_real_run(self, lab, run, namespaces, desired, found):
        names = namespaces(3, wait=False)
        for name in names:
            if self.FOUND[found] is not None:
                lab.create(name, "rolebindings", self.FOUND[found])
        state, *more = desired
        options = {"revoke_from": "every_binding"} if "every_binding" in more else dict.fromkeys(more, True)
        given = {"service_accounts": [{"namespace": "project-a"}], "state": state, **options}
        result = three_ways(lab, lambda name, check: grant(run, [name], check=check, **given), names)
        refused = found == "wrong type" and "every_binding" not in more
        assert result["failed"] is refused
        assert result["changed"] is (found in self.CHANGES[desired])
