# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module calls that the guide oc.rst gives for oc commands have the effect that the guide states, in the recorded state."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from support.lab import mount_names, pull_names
from support.objects import account_subject, b64, group_subject, role_binding, user_subject

PAGE = Path(__file__).parents[2] / "docs" / "docsite" / "rst" / "oc.rst"
RBAC = "rbac.authorization.k8s.io"
PULLER = "system:image-puller"


#: The tests of the rows of the first two tables, and the commands of the rows.
ROWS = {
    "test_link_for_mount": "``link default s1``",
    "test_link_for_pull": "``link default s2 --for=pull``",
    "test_link_for_both_in_the_given_order": "``link default s3 s1 --for=pull,mount``",
    "test_link_a_missing_and_a_new_secret": "``link default nosuch s4 --for=pull``",
    "test_link_to_a_missing_account": "``link nosa s1 --for=pull``",
    "test_link_with_a_prefix": "``link default secrets/s1 --for=pull`` †",
    "test_link_one_that_is_listed_twice": "``link default s2 --for=pull``, s2 listed twice †",
    "test_unlink": "``unlink default s2``",
    "test_unlink_a_deleted_secret": "``unlink default s3``, s3 deleted in the meantime",
    "test_unlink_the_platforms_entry": "``unlink default default-dockercfg-x``, an entry of the platform †",
    "test_grant_an_account": "``add-role-to-user puller system:serviceaccount:project-a:default``",
    "test_grant_an_account_that_does_not_exist": "the same with an account other, which does not exist",
    "test_grant_a_project": "``add-role-to-group puller system:serviceaccounts:project-a``",
    "test_grant_in_a_named_binding": "``add-role-to-user puller alice --rolebinding-name=mine``",
    "test_grant_in_check_mode": "the same with ``--dry-run=server``",
    "test_grant_a_missing_role": "``add-role-to-user nosuchrole alice``",
    "test_grant_every_service_account": "``add-role-to-group puller system:serviceaccounts`` †",
    "test_grant_to_the_anonymous": "``add-role-to-group puller system:unauthenticated`` †",
    "test_revoke_an_account": "``remove-role-from-user puller system:serviceaccount:project-a:default``",
}


def commands() -> list[str]:
    """Return the first cell of each row, without the rows of column titles."""
    return re.findall(
        r"^   \* - (?!``oc )(.+)$", PAGE.read_text(encoding="utf-8").partition("\nSecrets\n---")[0], re.MULTILINE
    )


class TestPage:
    def test_each_row_has_a_test(self):
        assert commands() == [*ROWS.values()]
        tests = {name for found in (TestLinking, TestGranting) for name in vars(found) if name.startswith("test_")}
        assert {*ROWS} <= tests


class TestLinking:
    @pytest.fixture
    def project(self, lab, namespace) -> str:
        auths = {"quay.io": {"auth": b64(b"robot:Secret-1")}}
        data = {".dockerconfigjson": b64(json.dumps({"auths": auths}))}
        for name in ("s1", "s2", "s3", "s4"):
            body = {"metadata": {"name": name}, "type": "kubernetes.io/dockerconfigjson", "data": data}
            lab.create(namespace, "secrets", body)
        return namespace

    @pytest.fixture
    def link(self, run, project):
        def call(*secrets: str, **options: Any) -> dict[str, Any]:
            return run("sa_link", namespaces=[project], secrets=list(secrets), **options)

        return call

    @pytest.fixture
    def lists(self, lab, project):
        """Return both lists without the platform's entry, after checking that it is still the first."""

        def look() -> tuple[list[str], list[str]]:
            account = lab.account(project)
            assert "-dockercfg-" in pull_names(account)[0]
            return pull_names(account)[1:], mount_names(account)[1:]

        return look

    def arrange(self, lab: Any, project: str, pull: str = "", mount: str = "") -> None:
        lab.set_account(project, imagePullSecrets=pull.split(), secrets=mount.split())

    def test_link_for_mount(self, link, lists):
        assert link("s1", link_for=["mount"])["changed"]
        assert lists() == ([], ["s1"])

    def test_link_for_pull(self, lab, project, link, lists):
        self.arrange(lab, project, mount="s1")
        assert link("s2")["changed"]
        assert lists() == (["s2"], ["s1"])

    def test_link_again(self, lab, project, link, lists):
        self.arrange(lab, project, pull="s2")
        with lab.no_writes():
            assert not link("s2")["changed"]

    def test_link_for_both_in_the_given_order(self, lab, project, link, lists):
        self.arrange(lab, project, pull="s2", mount="s1")
        assert link("s3", "s1", link_for=["pull", "mount"])["changed"]
        assert lists() == (["s2", "s3", "s1"], ["s1", "s3"])

    def test_link_a_missing_secret(self, lab, project, link):
        with lab.no_writes():
            result = link("nosuch")
        assert result["failed"]
        assert f"secret {project}/nosuch does not exist: create it first" in result["msg"]

    def test_link_a_missing_and_a_linked_secret(self, lab, project, link):
        self.arrange(lab, project, pull="s1")
        with lab.no_writes():
            assert "nosuch does not exist" in link("nosuch", "s1")["msg"]

    def test_link_a_missing_and_a_new_secret(self, link, lists):
        assert link("nosuch", "s4")["failed"]
        assert lists() == ([], [])
        assert link("nosuch", "s4", require="none")["changed"]
        assert lists() == (["nosuch", "s4"], [])

    def test_link_to_a_missing_account(self, lab, project, link):
        assert "service account nosa did not appear" in link("s1", service_accounts=["nosa"], wait_timeout=0)["msg"]
        assert link("s1", service_accounts=["nosa"], create=True)["changed"]
        assert "s1" in pull_names(lab.account(project, "nosa"))

    def test_link_something_else(self, lab, link):
        with lab.no_requests():
            assert "'configmaps/x' cannot be an object's name" in link("configmaps/x")["msg"]

    @pytest.mark.parametrize("prefix", ["secret", "secrets"])
    def test_link_with_a_prefix(self, lab, link, prefix):
        with lab.no_requests():
            assert f"write 's1' instead of '{prefix}/s1'" in link(f"{prefix}/s1")["msg"]

    def test_link_one_that_is_listed_twice(self, lab, project, link, lists):
        self.arrange(lab, project, pull="s2 s1 s2 s3 s3")
        result = link("s2")
        assert result["namespaces"][0]["changes"][0]["lists"]["imagePullSecrets"]["deduplicated"] == ["s2"]
        assert lists() == (["s2", "s1", "s3", "s3"], [])
        assert "lists secret s3 more than once" in str(result["warnings"])
        assert not link("s2")["changed"]

    def test_unlink_one_that_is_listed_twice(self, lab, project, link, lists):
        self.arrange(lab, project, pull="s2 s1 s2", mount="s2 s2")
        assert self.unlink(link, "s2")["changed"]
        assert lists() == (["s1"], [])

    def test_unlink_the_platforms_entry(self, lab, project, link):
        account = lab.account(project)
        with lab.no_writes():
            result = self.unlink(link, *pull_names(account))
        assert (result["failed"], result["changed"]) == (False, False)
        assert "the platform generated it for this account and would link it again" in str(result["warnings"])

    def unlink(self, link: Any, *secrets: str) -> dict[str, Any]:
        return link(*secrets, state="absent", link_for=["pull", "mount"])

    def test_unlink(self, lab, project, link, lists):
        self.arrange(lab, project, pull="s2 s1 s3 s4", mount="s1 s3 s2")
        assert self.unlink(link, "s2")["changed"]
        assert lists() == (["s1", "s3", "s4"], ["s1", "s3"])

    def test_unlink_again(self, lab, project, link):
        self.arrange(lab, project, pull="s1")
        with lab.no_writes():
            result = self.unlink(link, "s2")
        assert (result["failed"], result["changed"]) == (False, False)

    def test_unlink_a_deleted_secret(self, lab, project, link, lists):
        self.arrange(lab, project, pull="s1 s3 s4", mount="s1 s3")
        lab.api("DELETE", f"/api/v1/namespaces/{project}/secrets/s3")
        result = self.unlink(link, "s3")
        assert (result["failed"], result["changed"]) == (False, True)
        assert lists() == (["s1", "s4"], ["s1"])

    def test_unlink_two(self, lab, project, link, lists):
        self.arrange(lab, project, pull="s1 s4", mount="s1")
        assert self.unlink(link, "s1", "s4")["changed"]
        assert lists() == ([], [])


class TestGranting:
    USER, GROUP = "system:serviceaccount:{}:default", "system:serviceaccounts:{}"

    @pytest.fixture
    def projects(self, namespaces) -> list[str]:
        return namespaces(2)

    @pytest.fixture
    def grant(self, run, projects):
        def call(**options: Any) -> dict[str, Any]:
            return run("image_puller_grant", namespaces=[projects[1]], **options)

        return call

    def bind(self, lab: Any, namespace: str, name: str, *subjects: dict[str, str]) -> None:
        """Create the binding that oc add-role-to-user creates."""
        lab.create(namespace, "rolebindings", role_binding(name, *subjects))

    def group(self, name: str) -> dict[str, str]:
        return group_subject(self.GROUP.format(name))

    def bindings(self, lab: Any, namespace: str) -> dict[str, list[str]]:
        """Return the names of the subjects by binding of the role, without the platform's own binding."""
        found = lab.api("GET", f"/apis/{RBAC}/v1/namespaces/{namespace}/rolebindings")["items"]
        return {
            obj["metadata"]["name"]: [subject["name"] for subject in obj.get("subjects") or []]
            for obj in found
            if obj["roleRef"]["name"] == PULLER and obj["metadata"]["name"] != "system:image-pullers"
        }

    def sprawl(self, lab: Any, user: str, owner: str) -> None:
        """Create the objects that the recording's five calls left in project-b."""
        default, other = account_subject(user), account_subject(user, "other")
        self.bind(lab, owner, PULLER, default)
        self.bind(lab, owner, f"{PULLER}-0", other)
        self.bind(lab, owner, f"{PULLER}-1", self.group(user))
        self.bind(lab, owner, f"{PULLER}-2", default, other)

    def test_grant_an_account(self, lab, projects, grant):
        user, owner = projects
        assert grant(service_accounts=[{"namespace": user}])["changed"]
        assert not grant(users=[self.USER.format(user)])["changed"]
        assert self.bindings(lab, owner) == {"image-puller-grant": ["default"]}

    def test_grant_again(self, lab, projects, grant):
        self.bind(lab, projects[1], PULLER, account_subject(projects[0]))
        with lab.no_writes():
            assert not grant(service_accounts=[{"namespace": projects[0]}])["changed"]

    def test_grant_an_account_that_does_not_exist(self, lab, projects, grant):
        user, owner = projects
        grant(service_accounts=[{"namespace": user}])
        result = grant(service_accounts=[{"namespace": user, "name": "other"}])
        assert f"service account {user}/other does not exist yet" in str(result["warnings"])
        assert self.bindings(lab, owner) == {"image-puller-grant": ["default", "other"]}

    def test_grant_a_project(self, lab, projects, grant):
        user, owner = projects
        grant(service_accounts=[{"namespace": user}])
        assert grant(projects=[user])["changed"]
        assert self.bindings(lab, owner) == {"image-puller-grant": ["default", self.GROUP.format(user)]}

    def test_grant_two_that_are_granted_apart(self, lab, projects, grant):
        user, owner = projects
        self.bind(lab, owner, PULLER, account_subject(user))
        self.bind(lab, owner, f"{PULLER}-0", account_subject(user, "other"))
        with lab.no_writes():
            assert not grant(service_accounts=[{"namespace": user}, {"namespace": user, "name": "other"}])["changed"]

    def test_grant_in_a_named_binding(self, lab, projects, grant):
        assert grant(users=["alice"], binding_name="mine")["changed"]
        assert self.bindings(lab, projects[1]) == {"mine": ["alice"]}

    def test_grant_in_check_mode(self, lab, projects, grant):
        with lab.no_writes():
            assert grant(users=["alice"], binding_name="mine", check=True)["changed"]

    def test_grant_a_missing_role(self, lab, grant):
        with lab.no_writes():
            result = grant(users=["alice"], role="nosuchrole")
        assert result["failed"]
        assert "cluster role nosuchrole does not exist" in result["msg"]

    def test_grant_every_service_account(self, lab, projects, grant):
        with lab.no_requests():
            assert (
                "every service account of the cluster. Name 'projects'"
                in grant(groups=["system:serviceaccounts"])["msg"]
            )

    def test_revoke_every_service_account(self, lab, projects, grant):
        self.bind(lab, projects[1], PULLER, group_subject("system:serviceaccounts"))
        assert self.revoke(grant, groups=["system:serviceaccounts"])["changed"]
        assert self.bindings(lab, projects[1]) == {}

    def test_grant_an_account_that_cannot_exist(self, lab, projects, grant):
        with lab.no_requests():
            result = grant(users=["system:serviceaccount:project-a:Default"])
        assert result["failed"]
        assert "cannot be a service account: give system:serviceaccount:NAMESPACE:NAME" in result["msg"]

    def test_revoke_from_an_account_that_cannot_exist(self, lab, projects, grant):
        name = "system:serviceaccount:project-a:Default"
        self.bind(lab, projects[1], PULLER, user_subject(name))
        assert self.revoke(grant, users=[name])["changed"]
        assert self.bindings(lab, projects[1]) == {}

    def test_grant_to_the_anonymous(self, lab, projects, grant):
        assert "use 'anonymous: true' instead" in grant(groups=["system:unauthenticated"])["msg"]
        assert grant(anonymous=True)["changed"]
        assert self.bindings(lab, projects[1]) == {"image-puller-grant": ["system:unauthenticated"]}

    def revoke(self, grant: Any, **options: Any) -> dict[str, Any]:
        return grant(state="absent", revoke_from="every_binding", **options)

    def test_revoke_an_account(self, lab, projects, grant):
        user, owner = projects
        self.sprawl(lab, user, owner)
        mine = {"service_accounts": [{"namespace": user}]}
        left_alone = grant(state="absent", **mine)
        assert (left_alone["changed"], f"{PULLER}-2" in str(left_alone["warnings"])) == (False, True)
        assert self.revoke(grant, **mine)["changed"]
        found = {f"{PULLER}-0": ["other"], f"{PULLER}-1": [self.GROUP.format(user)], f"{PULLER}-2": ["other"]}
        assert self.bindings(lab, owner) == found

    def test_revoke_again(self, lab, projects, grant):
        self.bind(lab, projects[1], f"{PULLER}-0", account_subject(projects[0], "other"))
        with lab.no_writes():
            result = self.revoke(grant, service_accounts=[{"namespace": projects[0]}])
        assert (result["failed"], result["changed"]) == (False, False)

    def test_revoke_a_project(self, lab, projects, grant):
        user, owner = projects
        self.bind(lab, owner, f"{PULLER}-0", account_subject(user, "other"))
        self.bind(lab, owner, f"{PULLER}-1", self.group(user))
        assert self.revoke(grant, projects=[user])["changed"]
        assert self.bindings(lab, owner) == {f"{PULLER}-0": ["other"]}

    def test_revoke_from_two_bindings(self, lab, projects, grant):
        user, owner = projects
        for name in (f"{PULLER}-0", f"{PULLER}-2"):
            self.bind(lab, owner, name, account_subject(user, "other"))
        assert self.revoke(grant, service_accounts=[{"namespace": user, "name": "other"}])["changed"]
        assert self.bindings(lab, owner) == {}
