# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each guard of a prune works against an in-memory API server. Every test fails if its guard is removed."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.changes import INSTANCE, MANAGED_BY
from support.fake_api import LOST, FakeApi
from support.in_memory import InMemory, in_memory
from support.scripted_pool import Answer, Request, status_object

ROLE = "system:image-puller"
FORBIDDEN = status_object(403, "Forbidden", "no")
BROKEN = status_object(400, "BadRequest", "no such selector")
LISTS = {"secrets": [], "links": [], "grants": []}
EVERYTHING = {**LISTS, "prune_everything": True, "max_prune": "100%"}


@pytest.fixture
def api() -> FakeApi:
    api = FakeApi()
    for name in ("ns1", "ns2", "ns3"):
        api.put("namespaces", "", name, metadata={"labels": {"team": name}})
    return api


@pytest.fixture
def cluster(api: FakeApi) -> Iterator[InMemory]:
    with in_memory(api) as found:
        yield found


def labels(owner: str | None) -> dict[str, Any]:
    return {"labels": {} if owner is None else {**MANAGED_BY, **({INSTANCE: owner} if owner else {})}}


def put_secret(api: FakeApi, namespace: str, name: str = "quay", owner: str | None = "a", **more: Any) -> None:
    data = {".dockerconfigjson": "e30="}
    api.put(
        "secrets",
        namespace,
        name,
        **{"metadata": labels(owner), "type": "kubernetes.io/dockerconfigjson", "data": data, **more},
    )


def put_account(api: FakeApi, namespace: str, *secrets: str, name: str = "default") -> None:
    api.put("serviceaccounts", namespace, name, imagePullSecrets=[{"name": one} for one in secrets])


def put_binding(
    api: FakeApi, namespace: str, *users: str, name: str = "image-puller-grant-a", owner: str | None = "a"
) -> None:
    subjects = [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user} for user in users]
    role = {"kind": "ClusterRole", "name": ROLE}
    api.put("rolebindings", namespace, name, metadata=labels(owner), roleRef=role, subjects=subjects)


def full(api: FakeApi) -> None:
    """Create a linked secret and a grant of owner a in each namespace."""
    for name in ("ns1", "ns2", "ns3"):
        put_secret(api, name)
        put_account(api, name, "theirs", "quay")
        put_binding(api, name, "jane")


def secret(*namespaces: str, name: str = "quay", **more: Any) -> dict[str, Any]:
    return {"name": name, "namespaces": list(namespaces), **more}


def link(*namespaces: str, **more: Any) -> dict[str, Any]:
    return {"secrets": ["quay"], "namespaces": list(namespaces), **more}


def grant(*namespaces: str, **more: Any) -> dict[str, Any]:
    return {"users": ["jane"], "namespaces": list(namespaces), **more}


def declared(*namespaces: str) -> dict[str, Any]:
    return {"secrets": [secret(*namespaces)], "links": [link(*namespaces)], "grants": [grant(*namespaces)]}


def prune(cluster: InMemory, owner: str = "a", **options: Any) -> dict[str, Any]:
    return cluster.run("pull_access_prune", owner=owner, **{"max_prune": "100%", **options})


def counts(result: dict[str, Any], part: str) -> tuple[int, int, int]:
    """Return the counts of secrets, links and grants."""
    return tuple(result["prune"][kind][part] for kind in ("secrets", "links", "grants"))


def changed(result: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [
        (one["name"], change["action"], change["kind"]) for one in result["namespaces"] for change in one["changes"]
    ]


class TestDifference:
    def test_excluded_namespaces_are_not_read_and_keep_everything(self, api: FakeApi, cluster: InMemory) -> None:
        full(api)
        result = prune(cluster, **declared("ns1"), exclude_namespaces=["ns2", "gone"])
        assert {name for name, *_rest in changed(result)} == {"ns3"}
        assert result["warnings"] == ["nothing was removed in ns2: 'exclude_namespaces' names it"]
        assert result["prune"]["secrets"] == {"declared": 1, "removed": 1, "allowed": 2}
        assert result["summary"] == {"total": 3, "changed": 1, "unchanged": 1, "failed": 0, "skipped": 1, "retries": 0}

    def test_a_namespace_that_a_selector_no_longer_covers_is_pruned(self, api: FakeApi, cluster: InMemory) -> None:
        full(api)
        api.put("namespaces", "", "ns2", metadata={"labels": {"team": "other"}})
        some = {"namespace_selector": {"labels": "team in (ns1, ns2, ns3)"}}
        lists = {
            "secrets": [{"name": "quay", **some}],
            "links": [{"secrets": ["quay"], **some}],
            "grants": [{"users": ["jane"], **some}],
        }
        assert {name for name, *_rest in changed(prune(cluster, **lists))} == {"ns2"}

    def test_a_selector_without_a_namespace_is_reported(self, api: FakeApi, cluster: InMemory) -> None:
        lists = {
            **declared("ns1"),
            "secrets": [secret("ns1"), {"name": "x", "namespace_selector": {"labels": "no=such"}}],
        }
        assert prune(cluster, **lists)["warnings"] == [
            "secrets[1] (x): its selector selects no namespace, so it declares nothing on this cluster"
        ]

    def test_a_link_that_a_glob_no_longer_covers_is_removed(self, api: FakeApi, cluster: InMemory) -> None:
        put_secret(api, "ns1")
        put_account(api, "ns1", "quay")
        put_account(api, "ns1", "quay", name="build-1")
        lists = {"secrets": [secret("ns1")], "links": [link("ns1", service_accounts=["build-*"])]}
        prune(cluster, **lists)
        assert api.writes == ["PATCH /api/v1/namespaces/ns1/serviceaccounts/default"]

    @pytest.mark.parametrize(
        ("option", "absent", "removed"),
        [
            ("secrets", secret("ns2", state="absent"), {"ServiceAccount", "Secret"}),
            ("links", link("ns2", state="absent"), {"ServiceAccount"}),
            ("grants", grant("ns2", state="absent"), {"RoleBinding"}),
        ],
    )
    def test_an_absent_entry_declares_nothing(
        self, api: FakeApi, cluster: InMemory, option: str, absent: Any, removed: set[str]
    ) -> None:
        full(api)
        lists = declared("ns1", "ns2", "ns3")
        lists[option] = [{**lists[option][0], "namespaces": ["ns1", "ns3"]}, absent]
        result = changed(prune(cluster, **lists))
        assert {name for name, *_rest in result} == {"ns2"}
        assert {kind for *_rest, kind in result} == removed

    def test_objects_in_another_owners_entry_are_kept(self, api: FakeApi, cluster: InMemory) -> None:
        full(api)
        lists = {
            **declared("ns1", "ns3"),
            "secrets": [secret("ns1", "ns3"), secret("ns2", owner="b")],
            "links": [link("ns1", "ns2", "ns3")],
        }
        assert changed(prune(cluster, **lists)) == [("ns2", "delete", "RoleBinding")]

    def test_only_kinds_with_a_given_list_are_removed(self, api: FakeApi, cluster: InMemory) -> None:
        full(api)
        prune(cluster, secrets=[secret("ns1", "ns2")])
        assert [text.rpartition("namespaces/")[2] for text in api.writes] == [
            "ns3/serviceaccounts/default",
            "ns3/secrets/quay",
        ]
        assert not [text for text in api.asked if "rolebindings" in text]


class TestWhose:
    @pytest.mark.parametrize("owner", [None, "", "b"])
    def test_objects_without_both_labels_are_kept(self, api: FakeApi, cluster: InMemory, owner: str | None) -> None:
        """The server or a proxy may ignore label selectors."""
        put_secret(api, "ns1", owner=owner)
        put_account(api, "ns1", "quay")
        put_binding(api, "ns1", "jane", owner=owner)

        def all_of_them(resource: str) -> Answer:
            found = [copy.deepcopy(one) for (kind, *_rest), one in sorted(api.objects.items()) if kind == resource]
            return Answer(200, {"metadata": {}, "items": found})

        for resource in ("secrets", "rolebindings"):
            api.fail(f"GET .*/{resource}[?]", lambda _request, resource=resource: all_of_them(resource))
        result = cluster.run("pull_access_prune", owner="a", **EVERYTHING)
        assert (result["failed"], result["changed"], api.writes) == (False, False, [])
        assert counts(result, "removed") == (0, 0, 0)

    def test_a_secret_that_changes_owner_during_the_run_is_kept(self, api: FakeApi, cluster: InMemory) -> None:
        put_secret(api, "ns1")
        put_secret(api, "ns2")

        def change(request: Request) -> None:
            if (
                request.method == "DELETE"
                and "ns1" in request.path
                and api.get("secrets", "ns1", "quay")["metadata"]["labels"][INSTANCE] == "a"
            ):
                put_secret(api, "ns1", owner="b")

        api.before = change
        result = cluster.run("pull_access_prune", owner="a", **EVERYTHING)
        assert api.get("secrets", "ns1", "quay")
        assert api.get("secrets", "ns2", "quay") is None
        assert (result["failed"], counts(result, "removed"), result["summary"]["retries"]) == (False, (1, 0, 0), 1)

    def test_a_secret_written_during_the_run_is_read_again_and_deleted(self, api: FakeApi, cluster: InMemory) -> None:
        put_secret(api, "ns1")
        times = iter([1])

        def change(request: Request) -> None:
            if request.method == "DELETE" and next(times, None):
                put_secret(api, "ns1", data={})

        api.before = change
        assert counts(cluster.run("pull_access_prune", owner="a", **EVERYTHING), "removed") == (1, 0, 0)
        assert [text.partition(" ")[0] for text in api.asked[-4:-1]] == ["DELETE", "GET", "DELETE"]

    def test_the_nodes_pull_secret_is_kept(self, api: FakeApi, cluster: InMemory) -> None:
        api.put("namespaces", "", "openshift-config")
        put_secret(api, "openshift-config", "pull-secret")
        result = cluster.run("pull_access_prune", owner="a", **EVERYTHING)
        assert api.writes == []
        assert "looks after it, so it was kept" in result["warnings"][0]


class TestSight:
    """Objects that the run cannot judge are never removed."""

    LISTS = ("/api/v1/secrets", "/api/v1/serviceaccounts", "/apis/rbac.authorization.k8s.io/v1/rolebindings")

    def forbid(self, api: FakeApi, *paths: str) -> None:
        for path in paths:
            api.fail(f"GET {re.escape(path)}[?]", FORBIDDEN, times=100)

    @pytest.mark.parametrize("paths", [LISTS, LISTS[:1], LISTS[1:2], LISTS[2:]])
    def test_a_caller_without_cluster_wide_lists_lists_each_namespace(
        self, api: FakeApi, cluster: InMemory, paths: Any
    ) -> None:
        full(api)
        self.forbid(api, *paths)
        result = prune(cluster, **declared("ns1"))
        assert {name for name, *_rest in changed(result)} == {"ns2", "ns3"}
        assert counts(result, "removed") == (2, 0, 2)

    def test_namespaces_that_are_left_out_are_named_in_their_order(self, api: FakeApi, cluster: InMemory) -> None:
        full(api)
        self.forbid(api, *(path for path in self.LISTS if path.endswith("rolebindings")))
        api.fail("GET .*/namespaces/ns2/rolebindings[?]", FORBIDDEN, times=100)
        result = prune(cluster, **declared("ns1"), exclude_namespaces=["ns3", "ns1"])
        assert result["warnings"] == [
            "nothing was removed in ns1, ns2, ns3: 'exclude_namespaces' names it; the caller may not list rolebindings in it"
        ]

    @pytest.mark.parametrize("resource", ["secrets", "serviceaccounts", "rolebindings"])
    def test_a_namespace_whose_objects_may_not_be_listed_is_left_out(
        self, api: FakeApi, cluster: InMemory, resource: str
    ) -> None:
        full(api)
        self.forbid(api, *(path for path in self.LISTS if path.endswith(resource)))
        api.fail(f"GET .*/namespaces/ns2/{resource}[?]", FORBIDDEN, times=100)
        result = prune(cluster, **declared("ns1"))
        assert {name for name, *_rest in changed(result)} == {"ns3"}
        assert not [text for text in api.writes if "ns2" in text]
        assert result["warnings"] == [f"nothing was removed in ns2: the caller may not list {resource} in it"]
        assert [one["reason"] for one in result["namespaces"] if one["name"] == "ns2"] == [
            f"not attempted: the caller may not list {resource} in it"
        ]
        assert not result["failed"]

    def test_a_caller_who_sees_no_namespace_removes_nothing(self, api: FakeApi, cluster: InMemory) -> None:
        full(api)
        self.forbid(api, "/api/v1/namespaces", "/apis/project.openshift.io/v1/projects")
        result = cluster.run("pull_access_prune", owner="a", **EVERYTHING)
        assert result["failed"]
        assert "listing projects" in result["msg"]
        assert api.writes == []

    def test_a_namespace_that_is_being_deleted_is_left_alone(self, api: FakeApi, cluster: InMemory) -> None:
        full(api)
        api.put("namespaces", "", "ns2", metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"})
        cluster.run("pull_access_prune", owner="a", **EVERYTHING)
        assert {re.search("ns[123]", text)[0] for text in api.writes} == {"ns1", "ns3"}

    @pytest.mark.parametrize("answer", [BROKEN, Answer(200, {"items": []}), Answer(200, b"<html>")])
    @pytest.mark.parametrize("path", [*LISTS, "/api/v1/namespaces", "second page"])
    def test_an_unreadable_list_stops_the_prune(
        self, api: FakeApi, cluster: InMemory, path: str, answer: Answer
    ) -> None:
        full(api)
        if path == "second page":
            api.page = 2
            api.fail(f"GET {self.LISTS[1]}.*continue", answer, times=1000)
        else:
            api.fail(f"GET {path}[?]", answer, times=1000)
        result = cluster.run("pull_access_prune", owner="a", **EVERYTHING)
        assert result["failed"]
        assert api.writes == []

    def test_an_unreadable_account_leaves_its_namespace_unchanged(self, api: FakeApi, cluster: InMemory) -> None:
        full(api)
        api.put("serviceaccounts", "ns2", "odd", imagePullSecrets={"name": "quay"})
        result = cluster.run("pull_access_prune", owner="a", **EVERYTHING)
        assert [one["namespace"] for one in result["failures"]] == ["ns2"]
        assert "service account ns2/odd cannot be read" in result["msg"]
        assert not [text for text in api.writes if "ns2" in text]

    def test_an_unreadable_list_of_one_namespace_stops_the_prune(self, api: FakeApi, cluster: InMemory) -> None:
        full(api)
        self.forbid(api, "/api/v1/serviceaccounts")
        api.fail("GET /api/v1/namespaces/ns2/serviceaccounts[?]", Answer(200, b"no"), times=100)
        result = cluster.run("pull_access_prune", owner="a", **EVERYTHING)
        assert result["failed"]
        assert result["msg"].startswith("nothing was removed, because not all objects of owner a could be read: ")
        assert api.writes == []


class TestRefusals:
    @pytest.mark.parametrize(
        "lists",
        [
            LISTS,
            {"secrets": []},
            {"secrets": [secret("ns1", state="absent")], "links": [link("ns1", state="absent")]},
            {"secrets": [secret("ns1", owner="b")]},
        ],
    )
    def test_an_owner_who_declares_nothing_is_refused(self, api: FakeApi, cluster: InMemory, lists: Any) -> None:
        full(api)
        result = prune(cluster, **lists)
        assert result["msg"] == (
            "owner a declares nothing: no secret, link or grant has state present for it; nothing was read or "
            "removed. To remove everything, set 'prune_everything: true' and 'max_prune: 100%'"
        )
        assert api.requests == []

    def test_an_owner_who_declares_nothing_for_existing_namespaces_is_refused(
        self, api: FakeApi, cluster: InMemory
    ) -> None:
        full(api)
        result = prune(
            cluster, secrets=[secret("gone"), {"name": "x", "namespace_selector": {"labels": "no=such"}}], links=[]
        )
        assert result["failed"]
        assert "owner a declares nothing for any namespace of http" in result["msg"]
        assert api.writes == []
        assert [text.partition("?")[0] for text in api.asked] == ["GET /api/v1/namespaces"]

    def test_a_project_that_a_user_requested_declares_nothing(self, api: FakeApi, cluster: InMemory) -> None:
        """Otherwise a user could request a project with a matching name to bypass the guard."""
        full(api)
        api.put("namespaces", "", "team-evil", metadata={"annotations": {"openshift.io/requester": "mallory"}})
        selected = {"name": "quay", "namespace_selector": {"include": ["team-*"]}}
        result = prune(cluster, secrets=[selected], links=[])
        assert "owner a declares nothing for any namespace of http" in result["msg"]
        assert api.writes == []

    @pytest.mark.parametrize("check", [True, False])
    @pytest.mark.parametrize(
        ("limit", "allowed"), [("10%", 1), ("0", 0), ("0%", 0), ("49%", 1), ("66%", 1), ("67%", 2), ("2", 2)]
    )
    def test_more_than_max_prune_is_refused_before_the_first_write(
        self, api: FakeApi, cluster: InMemory, limit: str, allowed: int, check: bool
    ) -> None:
        """Two of three secrets, or one of two if a namespace is held back. The limit is rounded down: 49% of two is less than one. A small
        percentage allows a third."""
        full(api)
        result = prune(cluster, max_prune=limit, check=check, **declared("ns1"))
        if allowed >= 2:
            assert result["failed"] is False
            assert counts(result, "removed") == (2, 0, 2)
            assert len(api.writes) == (0 if check else 6)
            return
        if limit == "66%":
            assert [one["namespace"] for one in result["failures"]] == ["ns2"]
            assert (counts(result, "removed"), len(api.writes)) == ((1, 0, 1), 0 if check else 3)
            return
        assert (result["failed"], result["changed"], api.writes) == (True, False, [])
        assert (
            f"removed nothing: 'max_prune: {limit}' is exceeded on {result['server']}: of owner a, 2 secrets are no longer declared, "
            f"1 is, and {allowed} may go; "
        ) in result["msg"]
        assert "delete secret ns2/quay" in result["msg"]
        assert "Check the lists, or set 'max_prune: 2'." in result["msg"]
        assert counts(result, "removed") == (0, 0, 0)
        assert [(one["namespace"], one["action"], one["kind"]) for one in result["prune"]["refused"]] == [
            (name, *what)
            for name in ("ns2", "ns3")
            for what in (("update", "ServiceAccount"), ("delete", "Secret"), ("delete", "RoleBinding"))
        ]
        assert {one["status"] for one in result["namespaces"]} == {"skipped"}

    def test_a_prune_without_removals_never_exceeds_the_limit(self, api: FakeApi, cluster: InMemory) -> None:
        full(api)
        assert not prune(cluster, max_prune="0", **declared("ns1", "ns2", "ns3"))["failed"]

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({"owner": "a b"}, "option 'owner': 'a b' cannot be the value of a label"),
            ({"max_prune": "much"}, "option 'max_prune'"),
            ({"secrets": [secret("ns1"), {"name": "x"}]}, "secrets[1] (x): give one of the options"),
            ({"secrets": [secret("ns1", name="A")]}, "secrets[0]: option 'name'"),
            ({"secrets": [secret("ns1", registries=[{"username": "u"}])]}, "registries[0].registry is missing"),
            ({"links": [{"namespaces": ["ns1"]}]}, "links[0]: option 'secrets' is empty"),
            ({"links": [link("ns1", exclusive=True, state="absent")]}, "option 'exclusive' is for state present only"),
            ({"grants": [{"namespaces": ["ns1"]}]}, "give at least one, such as"),
        ],
    )
    def test_invalid_options_are_refused_before_any_request(
        self, api: FakeApi, cluster: InMemory, options: Any, words: str
    ) -> None:
        result = prune(cluster, **{"owner": "a", **declared("ns1"), **options})
        assert result["failed"]
        assert words in result["msg"]
        assert api.requests == []

    def test_problems_of_all_lists_are_reported_at_once(self, cluster: InMemory) -> None:
        result = prune(cluster, secrets=[{"name": "x"}], links=[{"namespaces": ["ns1"]}])
        assert "secrets[0] (x)" in result["msg"]
        assert "links[0]" in result["msg"]

    @pytest.mark.parametrize(
        "lists",
        [
            {"secrets": [secret("ns1"), secret("ns1", state="absent")]},
            {"links": [link("ns1"), link("ns1", state="absent")]},
            {"grants": [grant("ns1"), grant("ns1", state="absent")]},
        ],
    )
    def test_entries_that_contradict_each_other_are_refused(self, api: FakeApi, cluster: InMemory, lists: Any) -> None:
        full(api)
        result = prune(cluster, **lists)
        assert result["failed"]
        assert "contradict each other in namespace ns1" in result["msg"]
        assert api.writes == []

    def test_a_prune_requires_at_least_one_list(self, api: FakeApi, cluster: InMemory) -> None:
        result = cluster.run("pull_access_prune", owner="a", prune_everything=True)
        assert result["failed"]
        assert "options 'secrets', 'links' and 'grants' are all missing or empty" in result["msg"]


class TestOrder:
    def test_a_secret_that_cannot_be_unlinked_is_kept(self, api: FakeApi, cluster: InMemory) -> None:
        full(api)
        api.fail("PATCH .*/ns2/serviceaccounts", status_object(403, "Forbidden", "no"), times=100)
        result = cluster.run("pull_access_prune", owner="a", **EVERYTHING)
        assert api.get("secrets", "ns2", "quay")
        assert api.get("secrets", "ns1", "quay") is api.get("secrets", "ns3", "quay") is None
        assert [one["namespace"] for one in result["failures"]] == ["ns2"]
        assert counts(result, "removed") == (2, 0, 2)

    @pytest.mark.parametrize("after", range(9))
    @pytest.mark.parametrize("carried_out", [True, False])
    def test_the_next_run_finishes_a_killed_run(
        self, api: FakeApi, cluster: InMemory, after: int, carried_out: bool
    ) -> None:
        """The run stops at one of its writes, completed or not. Links to deleted secrets never remain, and the next run removes the rest."""
        full(api)
        api.fail("^(PATCH|DELETE) ", FORBIDDEN, times=1000, after=after + carried_out)
        cluster.run("pull_access_prune", owner="a", **EVERYTHING)
        for name in ("ns1", "ns2", "ns3"):
            listed = [one["name"] for one in api.get("serviceaccounts", name, "default")["imagePullSecrets"]]
            assert "quay" not in listed or api.get("secrets", name, "quay")
        api.faults.clear()
        cluster.run("pull_access_prune", owner="a", **EVERYTHING)
        assert not [key for key in api.objects if key[0] in ("secrets", "rolebindings")]
        assert {
            str(api.get("serviceaccounts", name, "default")["imagePullSecrets"]) for name in ("ns1", "ns2", "ns3")
        } == {"[{'name': 'theirs'}]"}

    def test_a_lost_answer_to_a_delete_does_not_fail_the_run(self, api: FakeApi, cluster: InMemory) -> None:
        full(api)
        api.fail("DELETE .*/ns2/secrets", LOST, carried_out=True)
        result = cluster.run("pull_access_prune", owner="a", **EVERYTHING)
        assert (result["failed"], counts(result, "removed")) == (False, (3, 0, 3))


class TestCheckMode:
    def test_check_mode_shows_no_content(self, api: FakeApi, cluster: InMemory) -> None:
        content = "eyJhdXRocyI6eyJxdWF5LmlvIjp7ImF1dGgiOiJjbTlpYjNRNlkyRnVZWEo1In19fQ=="
        put_secret(api, "ns1", data={".dockerconfigjson": content})
        result = cluster.run("pull_access_prune", owner="a", **EVERYTHING)
        assert result["namespaces"][0]["changes"][0]["registries"]["removed"] == ["quay.io"]
        assert "cm9ib3Q6Y2FuYXJ5" not in str(result)
        assert content not in str(result)
