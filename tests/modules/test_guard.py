# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guard of the modules that remove secrets, entries and links: a removal that breaks a workload is refused, and all others are made."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from support.audited import Scene
from support.hostile import hostile
from support.hostile_proxy import refused
from support.lab import pull_names
from support.objects import account_subject, group_subject, role_binding

OTHER = {"registry": "other.example.com", "username": "reader", "password": "Secret-1"}


@pytest.fixture
def scene(lab, run, namespaces) -> Scene:
    """Two namespaces with the linked secret `pull`. The deployment of the first needs it."""
    it = Scene(lab, namespaces(2))
    login = {"registry": it.host, **it.login}
    where = {"namespaces": list(it.names)}
    assert run("pull_secret", name="pull", registries=[login, OTHER], **where)["changed"]
    assert run("sa_link", secrets=["pull"], **where)["changed"]
    it.deployment(it.image)
    return it


@pytest.fixture
def guarded(lab, run) -> Any:
    """Run a module with the guard. The lab's registries are at loopback addresses."""

    def call(module: str, **options: Any) -> dict[str, Any]:
        result: dict[str, Any] = run(module, guard="what_if", **lab.reached, **options)
        return result

    return call


def needs(scene: Scene) -> str:
    return f"deployment {scene.name}/web, container app, image {scene.image}"


class TestSecrets:
    def test_a_needed_secret_stays_and_the_other_one_is_deleted(self, lab, guarded, scene):
        first, second = scene.names
        options = {"name": "pull", "state": "absent", "namespaces": [first, second]}
        audit = lab.audit()
        checked = guarded("pull_secret", check=True, **options)
        assert {write[1] for write in audit.writes()} <= {"subjectaccessreviews"}
        result = guarded("pull_secret", **options)
        for found in (checked, result):
            (failure,) = found["failures"]
            assert failure["namespace"] == first
            assert failure["error"].startswith(f"secret {first}/pull was not changed, because option 'guard' found")
            assert needs(scene) in failure["error"]
        assert lab.get(first, "secrets", "pull")
        assert lab.get(second, "secrets", "pull") is None
        scene.pod()
        assert lab.pull(first, "app")["pulled"]

    def test_a_needed_entry_stays_and_another_one_is_removed(self, guarded, scene):
        options = {"name": "pull", "mode": "remove", "namespaces": [scene.name]}
        refused = guarded("pull_secret", registries=[{"registry": scene.host}], **options)
        assert (refused["failed"], refused["changed"]) == (True, False)
        assert needs(scene) in refused["msg"]
        removed = guarded("pull_secret", registries=[{"registry": OTHER["registry"]}], **options)
        assert (removed["failed"], removed["changed"]) == (False, True)
        assert removed["guard"] == {"would_break": [], "unknown": 0}


class TestUnread:
    def test_a_caller_who_may_not_list_workloads_gets_a_warning(self, lab, scene):
        with hostile(lab) as server:
            for path in (r"/api/v1/.*pods\?", r"/apis/apps/v1/.*deployments\?"):
                server.proxy.rule(f"GET {path}", refused(403, "Forbidden", "you may not list here"))
            options = {"name": "pull", "state": "absent", "namespaces": [scene.name], "guard": "what_if"}
            result = server.run("pull_secret", check=True, **options)
        assert not result["failed"], result["msg"]
        assert "are not known, and option 'guard' refuses nothing because of that" in str(result["warnings"])
        assert "could not be read (the caller may not list them)" in str(result["warnings"])


class TestLinks:
    def test_a_needed_link_stays_and_the_other_one_is_removed(self, lab, guarded, scene):
        first, second = scene.names
        result = guarded("sa_link", secrets=["pull"], state="absent", namespaces=[first, second])
        assert [row["namespace"] for row in result["failures"]] == [first]
        assert needs(scene) in result["msg"]
        assert "pull" in pull_names(lab.account(first))
        assert "pull" not in pull_names(lab.account(second))

    def test_a_workload_that_an_added_link_breaks_stops_no_removal(self, lab, guarded, scene):
        """The secret is her own: she chooses its content, and so which links break her workload."""
        first, second = scene.names
        scene.secret({scene.host: scene.entry(), "other.example.com": {"auth": "?"}}, name="broken")
        add = {"secrets": ["broken"], "require": "none", "namespaces": [first]}
        result = guarded("sa_link", links=[add, {"secrets": ["pull"], "state": "absent", "namespaces": [second]}])
        assert (result["failed"], result["guard"]["would_break"]) == (False, []), result["msg"]
        assert {"pull", "broken"} <= {*pull_names(lab.account(first))}
        assert "pull" not in pull_names(lab.account(second))


class TestGrants:
    def test_a_needed_grant_stays_and_another_one_is_revoked(self, lab, run, guarded, namespaces):
        it = Scene(lab, namespaces(2))
        consumer, project = it.names
        grant = {"namespaces": [project]}
        assert run("image_puller_grant", projects=[consumer, "other"], **grant)["changed"]
        lab.run("push", "--dir", str(lab.dir), f"{project}/app:v1")
        it.deployment(f"{lab.registry('integrated')['host']}/{project}/app:v1")
        refused = guarded("image_puller_grant", projects=[consumer], state="absent", **grant)
        assert (refused["failed"], refused["changed"]) == (True, False), refused["warnings"]
        assert f"deployment {consumer}/web, container app" in refused["msg"]
        assert f"may not pull from project {project}" in refused["msg"]
        it.pod(f"{lab.registry('integrated')['host']}/{project}/app:v1")
        assert lab.pull(consumer, "app")["pulled"]
        assert guarded("image_puller_grant", projects=["other"], state="absent", **grant)["changed"]
        binding = lab.get(project, "rolebindings", "image-puller-grant")
        assert [each["name"] for each in binding["subjects"]] == [f"system:serviceaccounts:{consumer}"]

    @pytest.mark.parametrize("kind", ["Group", "ServiceAccount"])
    def test_a_right_that_two_bindings_give_stays_and_other_projects_lose_theirs(self, lab, guarded, namespaces, kind):
        """The first one gives it to the group of the consumer's accounts, the second one to the group or to the account."""
        it = Scene(lab, namespaces(3))
        consumer, project, other = it.names
        group = group_subject(f"system:serviceaccounts:{consumer}")
        subjects = {"one": group, "two": group if kind == "Group" else account_subject(consumer)}
        for place, name in itertools.product((project, other), subjects):
            lab.create(place, "rolebindings", role_binding(name, subjects[name]))
        lab.run("push", "--dir", str(lab.dir), f"{project}/app:v1")
        it.deployment(f"{lab.registry('integrated')['host']}/{project}/app:v1")
        options = {"projects": [consumer], "state": "absent", "revoke_from": "every_binding"}
        if kind == "ServiceAccount":
            options["service_accounts"] = [{"namespace": consumer}]
        result = guarded("image_puller_grant", namespaces=[project, other], **options)
        assert [row["namespace"] for row in result["failures"]] == [project]
        assert f"deployment {consumer}/web, container app" in result["msg"]
        for name in subjects:
            assert lab.get(project, "rolebindings", name)["subjects"]
            assert not (lab.get(other, "rolebindings", name) or {}).get("subjects")
