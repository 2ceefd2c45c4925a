# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prune removes the objects that an owner no longer declares from a real API server, and nothing else."""

from __future__ import annotations

import pytest
from support.audited import Scene
from support.hostile import hostile
from support.hostile_proxy import refused
from support.killed_runs import KilledRuns
from support.lab import mount_names, pull_names
from support.openshift import allow, allow_in

QUAY = {"registry": "quay.io", "username": "reader", "password": "Secret-1"}
RBAC = "rbac.authorization.k8s.io"


def lists(*namespaces, name="quay", **link):
    where = {"namespaces": list(namespaces)}
    return {
        "secrets": [{"name": name, "registries": [QUAY], **where}],
        "links": [{"secrets": [name], **where, **link}],
        "grants": [{"projects": ["consumer"], **where}],
    }


def site(run, owner, declared):
    """Apply the declarations of an owner."""
    for module, option in (("pull_secret", "secrets"), ("sa_link", "links"), ("image_puller_grant", "grants")):
        result = run(module, owner=owner, **{option: declared[option]})
        assert not result["failed"], result["msg"]


def prune(run, owner, declared, **options):
    return run("pull_access_prune", owner=owner, **{"max_prune": "100%", **declared, **options})


def everything(run, owner, **options):
    return prune(run, owner, {"secrets": [], "links": [], "grants": []}, prune_everything=True, **options)


def removed(result):
    return [result["prune"][kind]["removed"] for kind in ("secrets", "links", "grants")]


@pytest.fixture
def owner(namespace):
    """A separate owner for each test, so that leftovers of other tests do not count."""
    return f"team-{namespace}"


class TestPrune:
    def test_an_undeclared_namespace_and_account_are_pruned(self, lab, run, namespaces, owner):
        first, second = namespaces(2)
        site(run, owner, lists(first, second, service_accounts=["*"], link_for=["pull", "mount"]))
        site(run, f"{owner}-b", lists(first, second, name="theirs"))
        before = pull_names(lab.account(second))
        new = lists(first, service_accounts=["d*"])
        audit = lab.audit()
        checked = prune(run, owner, new, check=True)
        assert audit.writes() == []
        assert [event["objectRef"]["resource"] for event in audit.ours()] == [
            "namespaces",
            "secrets",
            "serviceaccounts",
            "rolebindings",
        ]
        audit = lab.audit()
        real = prune(run, owner, new)
        parts = ("failed", "changed", "diff", "namespaces", "failures", "summary", "prune")
        assert [checked[part] for part in parts] == [real[part] for part in parts]
        writes = audit.writes()
        assert sorted(set(writes)) == sorted(writes)
        assert len(writes) == sum(len(one["changes"]) for one in real["namespaces"])
        in_second = [(verb, resource) for verb, resource, namespace, _name in writes if namespace == second]
        assert in_second[-2:] == [("delete", "secrets"), ("delete", "rolebindings")]
        assert set(in_second[:-2]) == {("patch", "serviceaccounts")}
        assert pull_names(lab.account(second)) == [name for name in before if name != "quay"]
        assert lab.get(second, "secrets", "quay") is None
        assert "quay" in pull_names(lab.account(first))
        assert "quay" not in mount_names(lab.account(first))
        for place in (first, second):
            assert "theirs" in pull_names(lab.account(place))
            assert lab.get(place, "secrets", "theirs")
            assert lab.get(place, "rolebindings", f"image-puller-grant-{owner}-b")["subjects"]
        with lab.no_writes():
            site(run, owner, new)
            assert prune(run, owner, new)["changed"] is False

    def test_an_undeclared_subject_is_revoked(self, lab, run, namespace, owner):
        old = {**lists(namespace), "grants": [{"projects": ["consumer", "other"], "namespaces": [namespace]}]}
        site(run, owner, old)
        result = prune(run, owner, lists(namespace))
        assert result["namespaces"][0]["changes"][0]["revoked"] == ["Group system:serviceaccounts:other"]
        binding = lab.get(namespace, "rolebindings", f"image-puller-grant-{owner}")
        assert [subject["name"] for subject in binding["subjects"]] == ["system:serviceaccounts:consumer"]

    def test_a_prune_above_the_limit_is_refused_before_the_first_write(self, lab, run, namespaces, owner):
        first, second = namespaces(2)
        site(run, owner, lists(first, second))
        with lab.no_writes():
            result = prune(run, owner, lists(first), max_prune="10%")
        assert (result["failed"], result["changed"]) == (True, False)
        assert result["prune"]["secrets"] == {"declared": 1, "removed": 0, "allowed": 0}
        assert {row["namespace"] for row in result["prune"]["refused"]} == {second}
        assert f"delete secret {second}/quay" in result["msg"]

    def test_an_owner_without_an_inventory_is_pruned_only_with_prune_everything(self, lab, run, namespaces, owner):
        first, second = namespaces(2)
        before = {place: pull_names(lab.account(place)) for place in (first, second)}
        site(run, owner, lists(first, second))
        refused = run("pull_access_prune", owner=owner, secrets=[], links=[], grants=[])
        assert f"owner {owner} declares nothing" in refused["msg"]
        assert removed(everything(run, owner)) == [2, 0, 2]
        for place in (first, second):
            assert pull_names(lab.account(place)) == before[place]
            assert lab.get(place, "secrets", "quay") is None
            assert lab.get(place, "rolebindings", f"image-puller-grant-{owner}") is None
        again = everything(run, owner)
        assert (again["changed"], removed(again)) == (False, [0, 0, 0])

    def test_an_adopted_secret_is_pruned_and_a_changed_one_is_kept(self, lab, run, namespace, owner):
        content = {"type": "kubernetes.io/dockerconfigjson", "data": {".dockerconfigjson": "e30="}}
        for name in ("adopted", "changed"):
            lab.create(namespace, "secrets", {"metadata": {"name": name}, **content})
            options = {"name": name, "namespaces": [namespace], "registries": [QUAY]}
            assert run("pull_secret", owner=owner, adopt=name == "adopted", **options)["changed"]
        everything(run, owner)
        assert lab.get(namespace, "secrets", "adopted") is None
        assert lab.get(namespace, "secrets", "changed")

    def test_a_generated_secret_labelled_by_hand_is_kept(self, lab, run, namespace, owner):
        (generated,) = [name for name in pull_names(lab.account(namespace)) if "-dockercfg-" in name]
        labels = {"app.kubernetes.io/managed-by": "openshift_ops.image_pull", "app.kubernetes.io/instance": owner}
        lab.api("PATCH", f"/api/v1/namespaces/{namespace}/secrets/{generated}", {"metadata": {"labels": labels}})
        with lab.no_writes():
            result = everything(run, owner)
        assert f"secret {namespace}/{generated} has the labels of owner {owner}, but" in str(result["warnings"])
        assert generated in pull_names(lab.account(namespace))


class TestLimitedCaller:
    def test_a_limited_caller_prunes_only_projects_that_it_may_list(self, lab, run, namespaces, owner):
        """OpenShift shows users only their own projects. The lab has no such view, so the test creates the projects itself."""
        allowed, half, hidden = namespaces(3)
        site(run, owner, lists(allowed, half, hidden))
        user = f"pruner-{allowed}"
        rest = {"apiGroups": ["", RBAC], "resources": ["serviceaccounts", "rolebindings"], "verbs": ["*"]}
        allow_in(lab, allowed, user, {"secrets": ["list", "delete", "get"]}, rest)
        allow_in(lab, half, user, rest)
        allow(lab, user, {"projects.project.openshift.io": ["list"]})
        for place in (allowed, half):
            body = {"apiVersion": "project.openshift.io/v1", "kind": "Project", "metadata": {"name": place}}
            lab.api("POST", "/apis/project.openshift.io/v1/projects", body)
        try:
            result = everything(run, owner, impersonate_user=user)
        finally:
            for place in (allowed, half):
                lab.api("DELETE", f"/apis/project.openshift.io/v1/projects/{place}")
        assert not result["failed"], result["msg"]
        statuses = {one["name"]: one["status"] for one in result["namespaces"]}
        assert (statuses[allowed], statuses[half]) == ("changed", "skipped")
        assert hidden not in statuses
        # The warning may also name namespaces of other tests.
        (warning,) = (words for words in map(str, result["warnings"]) if "nothing was removed in " in words)
        assert half in warning
        assert lab.get(allowed, "secrets", "quay") is None
        for place in (half, hidden):
            assert lab.get(place, "secrets", "quay")
            assert lab.get(place, "rolebindings", f"image-puller-grant-{owner}")


def guarded(run, lab, owner, declared, **options):
    """Prune with the guard. The lab's registries are at loopback addresses."""
    return prune(run, owner, declared, guard="what_if", **lab.reached, **options)


class TestGuard:
    """`used` is a secret that a deployment needs, `spare` one that nothing needs. Both are linked, and neither is declared any more."""

    @pytest.fixture
    def scene(self, lab, run, namespaces, owner):
        it = Scene(lab, namespaces(2))
        login = {"registry": it.host, **it.login}
        where = {"namespaces": list(it.names)}
        old = {
            "secrets": [{"name": name, "registries": [login], **where} for name in ("used", "spare")],
            "links": [{"secrets": ["used"], **where}, {"secrets": ["spare"], "link_for": ["mount"], **where}],
            "grants": [{"projects": ["consumer"], **where}],
        }
        site(run, owner, old)
        it.deployment(it.image)
        return it

    def test_a_removal_that_breaks_a_workload_is_refused_and_the_others_are_made(self, lab, run, owner, scene):
        first, second = scene.names
        nothing = {"secrets": [], "links": [], "grants": []}
        audit = lab.audit()
        checked = guarded(run, lab, owner, nothing, prune_everything=True, check=True)
        assert {write[1] for write in audit.writes()} <= {"subjectaccessreviews"}
        audit = lab.audit()
        result = guarded(run, lab, owner, nothing, prune_everything=True)
        parts = ("failed", "msg", "changed", "diff", "namespaces", "failures", "summary", "prune", "guard")
        assert [checked[part] for part in parts] == [result[part] for part in parts]
        assert result["failed"]
        (failure,) = result["failures"]
        assert failure["namespace"] == first
        assert f"secret {first}/used was not removed, because option 'guard' found" in failure["error"]
        assert f"deployment {first}/web, container app, image {scene.image}" in failure["error"]
        assert "set 'guard: false'" in failure["error"]
        assert [(row["kind"], row["name"]) for row in result["guard"]["would_break"]] == [("Deployment", "web")]
        assert lab.get(first, "secrets", "used")
        assert "used" in pull_names(lab.account(first))
        assert lab.get(first, "secrets", "spare") is None
        assert lab.get(first, "rolebindings", f"image-puller-grant-{owner}") is None
        assert lab.get(second, "secrets", "used") is None
        assert removed(result) == [3, 0, 2]
        assert {(row["namespace"], row["kind"], row["name"]) for row in result["prune"]["refused"]} == {
            (first, "ServiceAccount", "default"),
            (first, "Secret", "used"),
        }
        scene.pod(name="next")
        assert lab.pull(first, "next")["pulled"]
        again = guarded(run, lab, owner, nothing, prune_everything=True)
        assert (again["failed"], again["changed"]) == (True, False)
        lab.api("DELETE", f"/apis/apps/v1/namespaces/{first}/deployments/web", expect=(200,))
        lab.api("DELETE", f"/api/v1/namespaces/{first}/pods/next?gracePeriodSeconds=0", expect=(200,))
        assert removed(guarded(run, lab, owner, nothing, prune_everything=True)) == [1, 0, 0]

    def test_a_link_that_a_workload_needs_is_kept_and_the_other_entries_of_the_account_go(self, lab, run, owner, scene):
        first, second = scene.names
        stay = {"secrets": [{"name": name, "namespaces": [first, second]} for name in ("used", "spare")]}
        result = guarded(run, lab, owner, {**stay, "links": [], "grants": []})
        assert [row["namespace"] for row in result["failures"]] == [first]
        assert f"the link of service account {first}/default to secret used was not removed" in result["msg"]
        assert "used" in pull_names(lab.account(first))
        assert "spare" not in mount_names(lab.account(first))
        assert "used" not in pull_names(lab.account(second))

    def test_a_workload_that_cannot_be_judged_is_a_warning_and_stops_nothing(self, lab, run, owner, scene):
        nothing = {"secrets": [], "links": [], "grants": []}
        result = prune(run, owner, nothing, guard="what_if", prune_everything=True)
        assert not result["failed"], result["msg"]
        warnings = str(result["warnings"])
        assert "it is not known whether the removals break 1 container, and option 'guard'" in warnings
        assert f"deployment {scene.name}/web, container app" in warnings
        assert result["guard"] == {"would_break": [], "unknown": 1}
        assert lab.get(scene.name, "secrets", "used") is None

    def test_without_the_guard_the_secret_is_removed(self, lab, run, owner, scene):
        result = prune(run, owner, {"secrets": [], "links": [], "grants": []}, guard=False, prune_everything=True)
        assert not result["failed"], result["msg"]
        assert "guard" not in result
        assert lab.get(scene.name, "secrets", "used") is None

    def test_a_prune_that_is_killed_leaves_no_workload_without_its_image_and_the_next_run_finishes(
        self, lab, run, owner, scene, tmp_path
    ):
        """It is killed before, during and after the judgement: the requests of the guard are writes to the proxy."""
        first, second = scene.names
        nothing = {"secrets": [], "links": [], "grants": [], "max_prune": "100%", "prune_everything": True}
        access = {"guard": "what_if", **lab.reached}
        runs = KilledRuns(lab, tmp_path)
        for writes in (0, 1, 2):
            runs.kill("pull_access_prune", {"owner": owner, **nothing, **access}, writes=writes)
            assert lab.get(first, "secrets", "used")
            assert "used" in pull_names(lab.account(first))
            if "used" in pull_names(lab.account(second)):
                assert lab.get(second, "secrets", "used"), "a secret was deleted, and a link to it is left"
        result = guarded(run, lab, owner, nothing)
        assert [row["namespace"] for row in result["failures"]] == [first]
        scene.pod(name="next")
        assert lab.pull(first, "next")["pulled"]
        for place, name in ((first, "spare"), (second, "spare"), (second, "used")):
            assert lab.get(place, "secrets", name) is None
        assert not guarded(run, lab, owner, nothing)["changed"]

    @pytest.mark.parametrize("path", [r"/api/v1/pods\?", r"/apis/apps/v1/deployments\?"])
    def test_a_cluster_that_fails_during_the_judgement_stops_the_prune_before_the_first_write(
        self, lab, owner, scene, path
    ):
        with hostile(lab) as server:
            server.proxy.rule(f"GET {path}", refused(401, "Unauthorized", "no"))
            nothing = {"secrets": [], "links": [], "grants": [], "max_prune": "100%", "prune_everything": True}
            result = server.run("pull_access_prune", owner=owner, guard="what_if", **nothing)
        assert result["failed"]
        assert "no removal was made, because option 'guard' could not check the removals" in result["msg"]
        assert "set 'guard: false'" in result["msg"]
        assert server.proxy.asked("^(PATCH|DELETE|PUT)") == []
        assert lab.get(scene.name, "secrets", "spare")
