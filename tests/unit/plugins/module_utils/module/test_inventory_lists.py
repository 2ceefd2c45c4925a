# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists of several kinds are declared together as one inventory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SECRET, SERVICE_ACCOUNT
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.declarations.batch import Batch
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.declarations.declare import ListForm
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.namespaces import list_visible_namespaces
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.result import Outcome
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_secret import plan as pull_secret
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_secret.plan import (
    contradictions as between_secrets,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.sa_link import plan as sa_link
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.sa_link.plan import (
    contradictions as between_links,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.module.inventory_lists import (
    batch_lists,
    lists_reader,
    read_lists,
    with_batches,
    without_cluster,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.module.options import (
    CONNECTION_OPTIONS,
    TARGET_OPTIONS,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.module.task import Task
from support.certificates import loopback_certificate
from support.fake_api import FakeApi

FORMS = (
    ListForm("secrets", "name", kind=SECRET, arguments={**TARGET_OPTIONS, **pull_secret.ARGUMENTS},
             declare=pull_secret.identity_from_options, contradictions=between_secrets),
    ListForm("links", "secrets", kind=SERVICE_ACCOUNT, arguments={**TARGET_OPTIONS, **sa_link.ARGUMENTS},
             declare=sa_link.from_options, contradictions=between_links),
)  # fmt: skip


@pytest.fixture
def api() -> Iterator[FakeApi]:
    api = FakeApi()
    for name in ("a", "b"):
        api.put("namespaces", "", name)
    return api


def batches(host: str, directory: Path, **lists: Any) -> dict[str, Batch[Any]]:
    """Return the batches of one task, whose own owner is `a`."""
    options: dict[str, Any] = dict.fromkeys(CONNECTION_OPTIONS)
    options |= {"host": host, "api_key": "token", "ca_cert": loopback_certificate(), "secrets": None, "links": None}
    task = Task("inventory", {**options, **lists}, False, True, str(directory), set())
    declared = read_lists(task.params, FORMS, {"owner": "a"}, task.read_file)
    with task.cluster() as run:
        return batch_lists(run, FORMS, declared, list_visible_namespaces(run.cluster))


class TestInventoried:
    def test_all_lists_share_one_reading_of_the_namespaces(self, api: FakeApi, tmp_path: Path) -> None:
        everywhere = {"namespace_selector": {"include": ["*"]}}
        secrets = [{"name": "x", **everywhere}, {"name": "y", "namespaces": ["a"], "owner": "b"}]
        with api.served() as host:
            found = batches(host, tmp_path, secrets=secrets, links=[{"secrets": ["x"], **everywhere}])
        assert sorted(found) == ["links", "secrets"]
        assert [one.desired.name for one in found["secrets"].declared("a")] == ["x", "y"]
        assert [one.desired.ownership.owner for one in found["secrets"].declared("a")] == ["a", "b"]
        assert found["links"].declared("b")[0].desired.service_accounts == ("default",)
        assert api.asked == ["GET /api/v1/namespaces?limit=1000"]

    def test_a_namespace_selected_only_by_a_user_chosen_name_is_not_confirmed(
        self, api: FakeApi, tmp_path: Path
    ) -> None:
        for name in ("team-evil", "team-named"):
            api.put("namespaces", "", name, metadata={"annotations": {"openshift.io/requester": "mallory"}})
        api.put("namespaces", "", "team-admin", metadata={})
        secrets = [{"name": "x", "namespace_selector": {"include": ["team-*"]}}]
        links = [{"secrets": ["x"], "namespaces": ["team-named", "gone"], "state": "absent"}]
        with api.served() as host:
            found = batches(host, tmp_path, secrets=secrets, links=links)
        assert {name: batch.confirmed for name, batch in found.items()} == {
            "secrets": {"team-admin"},
            "links": {"team-named", "gone"},
        }
        assert "team-evil" in found["secrets"].namespaces

    def test_a_missing_list_differs_from_an_empty_one(self, api: FakeApi, tmp_path: Path) -> None:
        with api.served() as host:
            found = batches(host, tmp_path, secrets=[])
        assert {option: dict(batch.namespaces) for option, batch in found.items()} == {"secrets": {}}

    @pytest.mark.parametrize(
        "lists",
        [
            {"secrets": [{"name": "x"}], "links": [{"secrets": []}]},
            {
                "secrets": [{"name": "x", "namespaces": ["a"]}] * 2,
                "links": [{"secrets": ["s"], "namespaces": ["a"], "state": state} for state in ("present", "absent")],
            },
        ],
    )
    def test_problems_of_all_lists_are_reported_at_once(self, api: FakeApi, tmp_path: Path, lists: Any) -> None:
        with api.served() as host, pytest.raises(OptionError) as caught:
            batches(host, tmp_path, **lists)
        assert "secrets[0]" in str(caught.value)
        assert "links[0]" in str(caught.value)


def task_for(directory: Path, **more: Any) -> Task:
    options = {"report_unchanged": None, "namespaces": None, "namespace_selector": None}
    return Task(
        "inventory", {**dict.fromkeys(CONNECTION_OPTIONS), **options, **more}, False, True, str(directory), set()
    )


class TestInventoriesOfOneTask:
    """Lists that are options of an option, on a cluster or without one."""

    def test_entries_get_the_owner_of_the_option(self, tmp_path: Path) -> None:
        read = lists_reader(task_for(tmp_path), FORMS)
        own = {"name": "y", "namespaces": ["a"], "owner": "b"}
        given = {"secrets": [{"name": "x", "namespaces": ["a"]}, own], "links": None, "owner": "team", "adopt": True}
        found = read(given)
        assert [(one.desired.ownership.owner, one.desired.ownership.adopt) for one in found["secrets"]] == [
            ("team", True),
            ("b", True),
        ]
        assert [*found] == ["secrets"]

    def test_the_namespaces_are_read_once_and_those_being_deleted_are_left_out(
        self, api: FakeApi, tmp_path: Path
    ) -> None:
        api.put("namespaces", "", "gone", status={"phase": "Terminating"})
        seen: list[Any] = []

        def work(_run: Any, batches: Any, names: Any) -> Outcome:
            seen.extend((batches, names))
            return Outcome([])

        with api.served() as host:
            task = task_for(tmp_path, host=host, api_key="token", ca_cert=loopback_certificate(), namespaces=["a"])
            lists = lists_reader(task, FORMS)({"secrets": [{"name": "x", "namespaces": ["b"]}], "links": None})
            result = with_batches(task, FORMS, {1: lists}, work)
            assert with_batches(task, FORMS, {}, work)["changed"] is False
        assert result["server"] == host
        assert [*seen[0][1]["secrets"].namespaces] == ["b"]
        assert seen[1] == ["a", "b"]
        assert seen[2:] == [{}, []]
        assert len(api.asked) == 1

    @pytest.mark.parametrize(("system", "selected"), [(False, ["a", "b"]), (True, ["a", "b", "openshift-x"])], ids=str)
    def test_the_namespaces_of_the_platform_are_selected_on_request(
        self, api: FakeApi, tmp_path: Path, system: bool, selected: list[str]
    ) -> None:
        api.put("namespaces", "", "openshift-x", status={"phase": "Active"})
        seen: list[Any] = []

        def work(run: Any, *_nothing: Any) -> Outcome:
            seen.extend(run.namespaces)
            return Outcome([])

        with api.served() as host:
            task = task_for(tmp_path, host=host, api_key="token", ca_cert=loopback_certificate(), namespaces=None)
            with_batches(task, FORMS, {}, work, system=system)
        assert seen == selected

    def test_without_a_cluster_a_selector_is_a_namespace(self, tmp_path: Path) -> None:
        task = task_for(tmp_path)
        selector = {"include": ["team-*"], "labels": "a=b"}
        lists = lists_reader(task, FORMS)(
            {
                "secrets": [{"name": "x", "namespaces": ["a"]}, {"name": "y", "namespace_selector": selector}],
                "links": [],
            }
        )
        seen: list[Any] = []

        def work(*batches: Any) -> Outcome:
            seen.extend(batches)
            return Outcome([])

        result = without_cluster(task, FORMS, [lists, lists], work)
        assert "server" not in result
        assert [[*batches["secrets"].namespaces] for batches in seen] == [
            ["a", "namespaces with include=team-* labels=a=b"]
        ] * 2
        assert [*seen[0]["links"].namespaces] == []
