# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A missing or terminating namespace is recognized and refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.errors import (
    ApiError,
    Forbidden,
    NamespaceMissing,
    NamespaceTerminating,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.namespaces import NamespaceSelector, Targets
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.namespaces import (
    deleted_sentence,
    is_terminating,
    list_visible_namespaces,
    require_namespace,
    resolve_targets,
)
from support.fake_api import FakeApi
from support.scripted_pool import Answer, Request, status_object


@pytest.mark.parametrize(
    ("namespace", "terminating"),
    [
        ({}, False),
        ({"metadata": None, "status": None}, False),
        ({"status": "Terminating"}, False),
        ({"status": {"phase": "Active"}}, False),
        ({"status": {"phase": "Terminating"}}, True),
        ({"metadata": {"deletionTimestamp": "now"}, "status": {"phase": "Active"}}, True),
    ],
)
def test_a_terminating_namespace_is_recognised(namespace: Any, terminating: bool) -> None:
    assert is_terminating(namespace) is terminating


class TestRequire:
    def test_objects_without_a_namespace_need_none(self) -> None:
        api = FakeApi()
        require_namespace(api.cluster(), "")
        assert api.asked == []

    def test_an_existing_namespace_is_accepted(self) -> None:
        api = FakeApi()
        api.put("namespaces", "", "a")
        require_namespace(api.cluster(), "a")
        assert api.asked == ["GET /api/v1/namespaces/a"]

    def test_a_missing_namespace_is_refused(self) -> None:
        sentence = "^the namespace does not exist on https://api.example.com:6443. Correct its name, or create it: kubectl create namespace NAME$"
        with pytest.raises(NamespaceMissing, match=sentence):
            require_namespace(FakeApi().cluster(), "a")

    def test_a_task_that_only_reads_does_not_advise_to_create_a_namespace(self) -> None:
        cluster = FakeApi().cluster()
        cluster.forbid_writes()
        with pytest.raises(NamespaceMissing, match="example.com:6443. Correct its name$"):
            require_namespace(cluster, "a")

    def test_a_terminating_namespace_is_refused(self) -> None:
        api = FakeApi()
        api.put("namespaces", "", "a", status={"phase": "Terminating"})
        with pytest.raises(
            NamespaceTerminating, match="^the namespace is being deleted on https://api.example.com:6443$"
        ):
            require_namespace(api.cluster(), "a")

    def test_a_forbidden_read_of_the_namespace_is_ignored(self) -> None:
        api = FakeApi()
        api.fail("GET", status_object(403, "Forbidden", "no"))
        require_namespace(api.cluster(), "a")

    def test_any_other_error_is_raised(self) -> None:
        api = FakeApi()
        api.fail("GET", status_object(400, "BadRequest", "odd"))
        with pytest.raises(ApiError, match="reading namespace a"):
            require_namespace(api.cluster(), "a")

    def test_the_deletion_of_a_namespace_during_the_task_has_its_own_sentence(self) -> None:
        assert deleted_sentence(FakeApi().cluster()) == (
            "the namespace was deleted on https://api.example.com:6443 while the task was running. Create it again, or remove it "
            "from the task"
        )


# --- Selectors are resolved with as few lists as possible

FORBIDDEN = status_object(403, "Forbidden", "namespaces is forbidden")

EVERY = "GET /api/v1/namespaces?limit=1000"


def selector(labels: str = "", **more: tuple[str, ...]) -> NamespaceSelector:
    return NamespaceSelector(labels=labels, **more)


class TestResolve:
    """Namespaces are listed once, for any number of entries."""

    @pytest.fixture
    def api(self) -> FakeApi:
        api = FakeApi()
        for name, labels in {"a": {"team": "red"}, "b": {"team": "blue", "ci": "1"}, "c": None}.items():
            api.put("namespaces", "", name, metadata={"labels": labels})
        api.put("namespaces", "", "going", metadata={"labels": {"team": "red"}, "deletionTimestamp": "now"})
        return api

    def test_named_namespaces_need_no_request(self, api: FakeApi) -> None:
        named = [Targets(["x", "a"]), Targets(["y"])]
        assert resolve_targets(api.cluster(), named) == named
        assert resolve_targets(api.cluster(), []) == []
        assert api.asked == []

    def test_one_selector_is_left_to_the_server(self, api: FakeApi) -> None:
        assert resolve_targets(api.cluster(), [selector("team=red")]) == [Targets(["a"], ["going"])]
        assert api.asked == ["GET /api/v1/namespaces?labelSelector=team%3Dred&limit=1000"]

    def test_one_selector_of_several_entries_is_listed_once(self, api: FakeApi) -> None:
        found = resolve_targets(
            api.cluster(), [selector("team=red"), Targets(["x"]), selector("team=red", exclude=("a",))]
        )
        assert found == [Targets(["a"], ["going"]), Targets(["x"]), Targets([], ["going"])]
        assert len(api.asked) == 1

    def test_many_selectors_share_one_list(self, api: FakeApi) -> None:
        wanted = [
            selector("team=red"),
            selector("team in (red, blue)"),
            selector("!team"),
            Targets(["x"]),
            selector(include=("b", "c")),
            selector("ci", exclude=("c",)),
            selector("team=none"),
        ]
        assert resolve_targets(api.cluster(), wanted) == [
            Targets(["a"], ["going"]),
            Targets(["a", "b"], ["going"]),
            Targets(["c"], []),
            Targets(["x"]),
            Targets(["b", "c"], []),
            Targets(["b"], []),
            Targets([], []),
        ]
        assert api.asked == [EVERY]

    def test_a_selector_that_only_the_server_understands_has_its_own_list(self, api: FakeApi) -> None:
        odd = Answer(200, {"metadata": {}, "items": [{"metadata": {"name": "c"}}]})
        api.fail("labelSelector=ci%3E0", odd)
        assert resolve_targets(api.cluster(), [selector("team=red"), selector("ci>0"), selector("ci=1")]) == [
            Targets(["a"], ["going"]),
            Targets(["c"], []),
            Targets(["b"], []),
        ]
        assert api.asked == [EVERY, "GET /api/v1/namespaces?labelSelector=ci%3E0&limit=1000"]

    def test_selectors_that_only_the_server_understands_need_no_list_of_all(self, api: FakeApi) -> None:
        resolve_targets(api.cluster(), [selector("ci>0"), selector("ci<9")])
        assert api.asked == [f"GET /api/v1/namespaces?labelSelector=ci%3{sign}&limit=1000" for sign in ("E0", "C9")]

    @pytest.mark.parametrize("labels", [5, "red", ["team"], {"team": ["red"]}, {"team": None}], ids=str)
    def test_labels_that_are_not_text_are_ignored(self, api: FakeApi, labels: object) -> None:
        api.put("namespaces", "", "odd", metadata={"labels": labels})
        found = resolve_targets(api.cluster(), [selector("team=red"), selector(include=("*",))])
        assert [one.namespaces for one in found] == [["a"], ["a", "b", "c", "odd"]]

    @pytest.mark.parametrize("wanted", [[selector("team=red")], [selector("team=red"), selector("ci=1")]])
    def test_a_forbidden_list_is_replaced_by_the_projects_of_the_caller(
        self, api: FakeApi, wanted: list[NamespaceSelector]
    ) -> None:
        project = {"metadata": {"name": "mine", "labels": {"team": "red"}}}
        api.fail("GET /api/v1/namespaces", FORBIDDEN)
        api.fail("GET /apis/project.openshift.io/v1/projects", Answer(200, {"metadata": {}, "items": [project]}))
        (first, *_others) = found = resolve_targets(api.cluster(), wanted)
        assert replace(first, unlisted="") == Targets(["mine"], [])
        assert len(api.asked) == 2
        for each in found:
            assert "namespaces is forbidden" in each.unlisted

    def test_a_forbidden_list_is_reported_if_there_are_no_projects(self, api: FakeApi) -> None:
        api.fail("GET /api/v1/namespaces", FORBIDDEN)
        api.fail("GET /apis/project", lambda _request: status_object(404, "NotFound", "404 page not found"))
        with pytest.raises(Forbidden, match="^listing namespaces"):
            resolve_targets(api.cluster(), [selector("team=red")])

    def test_any_other_failure_is_raised(self, api: FakeApi) -> None:
        def odd(_request: Request) -> Answer:
            return status_object(400, "BadRequest", "odd")

        api.fail("GET", odd)
        with pytest.raises(ApiError, match="^listing namespaces"):
            resolve_targets(api.cluster(), [selector("team=red"), selector("ci")])
        assert len(api.asked) == 1


def test_the_steps_of_one_task_use_the_same_list() -> None:
    api = FakeApi()
    api.put("namespaces", "", "a", metadata={"labels": {"team": "red"}})
    shared: dict[str, object] = {}
    for labels in ("", "team=red", "team=red", ""):
        cluster = api.cluster()
        cluster.namespaces = shared
        assert resolve_targets(cluster, [selector(labels, include=("a",))]) == [Targets(["a"], [])]
    assert api.asked == [EVERY, "GET /api/v1/namespaces?labelSelector=team%3Dred&limit=1000"]


class TestVisible:
    def test_visible_lists_all_namespaces(self) -> None:
        api = FakeApi()
        for name in ("b", "a"):
            api.put("namespaces", "", name)
        assert [namespace["metadata"]["name"] for namespace in list_visible_namespaces(api.cluster())] == ["a", "b"]

    def test_visible_lists_the_projects_of_the_caller_if_namespaces_are_forbidden(self) -> None:
        api = FakeApi()
        api.put("namespaces", "", "a")
        api.put("projects", "", "mine")
        api.fail("GET /api/v1/namespaces", status_object(403, "Forbidden", "no"))
        assert [namespace["metadata"]["name"] for namespace in list_visible_namespaces(api.cluster())] == ["mine"]


class TestResolveInWhatIsKnown:
    def test_known_namespaces_are_resolved_without_a_request(self) -> None:
        api = FakeApi()
        every = [{"metadata": {"name": name, "labels": {"team": name}}} for name in ("a", "b")]
        wanted = [Targets(["x"]), NamespaceSelector(labels="team=b"), NamespaceSelector(include=("*",))]
        found = resolve_targets(api.cluster(), wanted, every)
        assert [list(each.namespaces) for each in found] == [["x"], ["b"], ["a", "b"]]
        assert api.requests == []

    def test_a_selector_that_only_the_server_understands_is_sent_to_it(self) -> None:
        api = FakeApi()
        api.fail("GET /api/v1/namespaces", Answer(200, {"metadata": {}, "items": [{"metadata": {"name": "a"}}]}))
        (found,) = resolve_targets(
            api.cluster(), [NamespaceSelector(labels="a in ((b))")], [{"metadata": {"name": "b"}}]
        )
        assert found.namespaces == ["a"]


class TestRequested:
    """Users choose the names of the projects that they request."""

    @pytest.fixture
    def api(self) -> FakeApi:
        api = FakeApi()
        for name, user in {"team-a": "ann", "team-evil": "mallory"}.items():
            annotations = {"openshift.io/requester": user}
            api.put("namespaces", "", name, metadata={"labels": {"team": "a"}, "annotations": annotations})
        api.put("namespaces", "", "team-admin", metadata={})
        return api

    def test_namespaces_that_users_can_join_by_name_are_listed_separately(self, api: FakeApi) -> None:
        by_name, by_label, by_user = resolve_targets(
            api.cluster(), [selector(include=("team-*",)), selector("team"), selector(requesters=("ann",))]
        )
        assert (by_name.namespaces, by_name.open_to_users) == (
            ["team-a", "team-admin", "team-evil"],
            ("team-a", "team-evil"),
        )
        assert (by_label.namespaces, by_label.open_to_users) == (["team-a", "team-evil"], ())
        assert (by_user.namespaces, by_user.open_to_users) == (["team-a"], ())

    def test_a_cluster_without_requesters_is_reported(self, api: FakeApi) -> None:
        (found,) = resolve_targets(api.cluster(), [selector("!team", requesters=("ann",))])
        assert found.namespaces == []
        assert "none of 1 namespace has the annotation openshift.io/requester" in found.remarks[0]
