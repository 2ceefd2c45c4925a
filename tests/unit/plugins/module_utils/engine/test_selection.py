# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Selectors are resolved with as few lists as possible."""

from __future__ import annotations

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.errors import ApiError, Forbidden
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.namespaces import NamespaceSelector
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.declarations.targets import Targets
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.selection import resolve, visible
from support.fake_api import FakeApi
from support.scripted_pool import Answer, Request, status_object

FORBIDDEN = status_object(403, "Forbidden", "namespaces is forbidden")
EVERY = "GET /api/v1/namespaces?limit=1000"


def selector(labels: str = "", **more: tuple[str, ...]) -> NamespaceSelector:
    return NamespaceSelector(labels=labels, **more)


class TestResolve:
    """Namespaces are listed once, however many entries select them."""

    @pytest.fixture
    def api(self) -> FakeApi:
        api = FakeApi()
        for name, labels in {"a": {"team": "red"}, "b": {"team": "blue", "ci": "1"}, "c": None}.items():
            api.put("namespaces", "", name, metadata={"labels": labels})
        api.put("namespaces", "", "going", metadata={"labels": {"team": "red"}, "deletionTimestamp": "now"})
        return api

    def test_named_ones_need_no_request(self, api: FakeApi) -> None:
        named = [Targets(["x", "a"]), Targets(["y"])]
        assert resolve(api.cluster(), named) == named
        assert resolve(api.cluster(), []) == []
        assert api.asked == []

    def test_one_selector_is_left_to_the_server(self, api: FakeApi) -> None:
        assert resolve(api.cluster(), [selector("team=red")]) == [Targets(["a"], ["going"])]
        assert api.asked == ["GET /api/v1/namespaces?labelSelector=team%3Dred&limit=1000"]

    def test_so_is_one_that_several_entries_give(self, api: FakeApi) -> None:
        found = resolve(api.cluster(), [selector("team=red"), Targets(["x"]), selector("team=red", exclude=("a",))])
        assert found == [Targets(["a"], ["going"]), Targets(["x"]), Targets([], ["going"])]
        assert len(api.asked) == 1

    def test_many_are_one_list(self, api: FakeApi) -> None:
        wanted = [
            selector("team=red"),
            selector("team in (red, blue)"),
            selector("!team"),
            Targets(["x"]),
            selector(include=("b", "c")),
            selector("ci", exclude=("c",)),
            selector("team=none"),
        ]
        assert resolve(api.cluster(), wanted) == [
            Targets(["a"], ["going"]),
            Targets(["a", "b"], ["going"]),
            Targets(["c"], []),
            Targets(["x"]),
            Targets(["b", "c"], []),
            Targets(["b"], []),
            Targets([], []),
        ]
        assert api.asked == [EVERY]

    def test_one_that_only_the_server_understands_is_a_list_of_its_own(self, api: FakeApi) -> None:
        odd = Answer(200, {"metadata": {}, "items": [{"metadata": {"name": "c"}}]})
        api.fail("labelSelector=ci%3E0", odd)
        assert resolve(api.cluster(), [selector("team=red"), selector("ci>0"), selector("ci=1")]) == [
            Targets(["a"], ["going"]),
            Targets(["c"], []),
            Targets(["b"], []),
        ]
        assert api.asked == [EVERY, "GET /api/v1/namespaces?labelSelector=ci%3E0&limit=1000"]

    def test_only_such_ones_need_no_list_of_all(self, api: FakeApi) -> None:
        resolve(api.cluster(), [selector("ci>0"), selector("ci<9")])
        assert api.asked == [f"GET /api/v1/namespaces?labelSelector=ci%3{sign}&limit=1000" for sign in ("E0", "C9")]

    @pytest.mark.parametrize("labels", [5, "red", ["team"], {"team": ["red"]}, {"team": None}])
    def test_labels_that_are_no_text(self, api: FakeApi, labels: object) -> None:
        api.put("namespaces", "", "odd", metadata={"labels": labels})
        found = resolve(api.cluster(), [selector("team=red"), selector(include=("*",))])
        assert [one.namespaces for one in found] == [["a"], ["a", "b", "c", "odd"]]

    @pytest.mark.parametrize("wanted", [[selector("team=red")], [selector("team=red"), selector("ci=1")]])
    def test_who_may_not_list_them_gets_the_callers_projects(
        self, api: FakeApi, wanted: list[NamespaceSelector]
    ) -> None:
        project = {"metadata": {"name": "mine", "labels": {"team": "red"}}}
        api.fail("GET /api/v1/namespaces", FORBIDDEN)
        api.fail("GET /apis/project.openshift.io/v1/projects", Answer(200, {"metadata": {}, "items": [project]}))
        assert resolve(api.cluster(), wanted)[0] == Targets(["mine"], [])
        assert len(api.asked) == 2

    def test_where_there_are_no_projects_the_refusal_is_told(self, api: FakeApi) -> None:
        api.fail("GET /api/v1/namespaces", FORBIDDEN)
        api.fail("GET /apis/project", lambda _request: status_object(404, "NotFound", "404 page not found"))
        with pytest.raises(Forbidden, match="^listing namespaces"):
            resolve(api.cluster(), [selector("team=red")])

    def test_any_other_failure_is_told(self, api: FakeApi) -> None:
        def odd(_request: Request) -> Answer:
            return status_object(400, "BadRequest", "odd")

        api.fail("GET", odd)
        with pytest.raises(ApiError, match="^listing namespaces"):
            resolve(api.cluster(), [selector("team=red"), selector("ci")])
        assert len(api.asked) == 1


class TestVisible:
    def test_all_namespaces(self) -> None:
        api = FakeApi()
        for name in ("b", "a"):
            api.put("namespaces", "", name)
        assert [namespace["metadata"]["name"] for namespace in visible(api.cluster())] == ["a", "b"]

    def test_or_the_callers_projects(self) -> None:
        api = FakeApi()
        api.put("namespaces", "", "a")
        api.put("projects", "", "mine")
        api.fail("GET /api/v1/namespaces", status_object(403, "Forbidden", "no"))
        assert [namespace["metadata"]["name"] for namespace in visible(api.cluster())] == ["mine"]

    def test_never_none_for_what_may_not_be_listed(self) -> None:
        api = FakeApi()
        api.fail("GET /api/v1/namespaces", status_object(403, "Forbidden", "no"))
        api.fail("GET .*/projects", status_object(404, "NotFound", "404 page not found"))
        with pytest.raises(Forbidden):
            visible(api.cluster())


class TestResolveInWhatIsKnown:
    def test_asks_for_nothing(self) -> None:
        api = FakeApi()
        every = [{"metadata": {"name": name, "labels": {"team": name}}} for name in ("a", "b")]
        wanted = [Targets(["x"]), NamespaceSelector(labels="team=b"), NamespaceSelector(include=("*",))]
        found = resolve(api.cluster(), wanted, every)
        assert [list(each.namespaces) for each in found] == [["x"], ["b"], ["a", "b"]]
        assert api.requests == []

    def test_but_for_what_only_the_server_understands(self) -> None:
        api = FakeApi()
        api.fail("GET /api/v1/namespaces", Answer(200, {"metadata": {}, "items": [{"metadata": {"name": "a"}}]}))
        (found,) = resolve(api.cluster(), [NamespaceSelector(labels="a in ((b))")], [{"metadata": {"name": "b"}}])
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

    def test_what_users_may_join_by_a_name_is_told_apart(self, api: FakeApi) -> None:
        by_name, by_label, by_user = resolve(
            api.cluster(), [selector(include=("team-*",)), selector("team"), selector(requesters=("ann",))]
        )
        assert (by_name.namespaces, by_name.open_to_users) == (
            ["team-a", "team-admin", "team-evil"],
            ("team-a", "team-evil"),
        )
        assert (by_label.namespaces, by_label.open_to_users) == (["team-a", "team-evil"], ())
        assert (by_user.namespaces, by_user.open_to_users) == (["team-a"], ())

    def test_a_cluster_without_requesters_is_told(self, api: FakeApi) -> None:
        (found,) = resolve(api.cluster(), [selector("!team", requesters=("ann",))])
        assert found.namespaces == []
        assert "none of 1 namespaces has the annotation openshift.io/requester" in found.remarks[0]
