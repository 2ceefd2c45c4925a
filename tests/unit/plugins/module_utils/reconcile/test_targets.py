# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which namespaces a task is for is checked before anything is sent."""

from __future__ import annotations

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.errors import Forbidden
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.namespaces import NamespaceSelector
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.reconcile.targets import (
    Targets,
    from_options,
    resolve,
    visible,
)
from support.fake_api import FakeApi
from support.scripted_pool import Answer, status_object


class TestFromOptions:
    def test_each_name_once_in_the_given_order(self) -> None:
        assert from_options({"namespaces": ["b", "a", "b"]}) == Targets(["b", "a"])

    def test_refuses_an_empty_list(self) -> None:
        with pytest.raises(OptionError, match=r"^option 'namespaces' is empty: give at least one$"):
            from_options({"namespaces": []})

    def test_refuses_a_name_that_cannot_exist(self) -> None:
        with pytest.raises(OptionError, match=r"^option 'namespaces': 'a.b' cannot be a namespace"):
            from_options({"namespaces": ["a", "a.b"]})

    def test_a_selector_is_kept_for_the_cluster(self) -> None:
        assert from_options({"namespace_selector": {"labels": "a=b"}}) == NamespaceSelector(labels="a=b")


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
