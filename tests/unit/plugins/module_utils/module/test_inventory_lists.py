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
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.declarations.declare import ListForm
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.result import Outcome
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_secret import (
    options as pull_secret,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_secret.contradictions import (
    contradictions as between_secrets,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.sa_link import options as sa_link
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.sa_link.contradictions import (
    contradictions as between_links,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.module.inventory_lists import (
    Inventory,
    InventoryList,
    run_inventory,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.module.options import (
    CONNECTION_OPTIONS,
    TARGET_OPTIONS,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.module.task import Task
from support.certificates import loopback_certificate
from support.fake_api import FakeApi

PARTS = (
    InventoryList(
        ListForm(
            "secrets", "name", kind=SECRET, declare=pull_secret.identity_from_options, contradictions=between_secrets
        ),
        {**TARGET_OPTIONS, **pull_secret.ARGUMENTS},
    ),
    InventoryList(
        ListForm("links", "secrets", kind=SERVICE_ACCOUNT, declare=sa_link.from_options, contradictions=between_links),
        {**TARGET_OPTIONS, **sa_link.ARGUMENTS},
    ),
)


@pytest.fixture
def api() -> Iterator[FakeApi]:
    api = FakeApi()
    for name in ("a", "b"):
        api.put("namespaces", "", name)
    return api


class Run:
    """One task. `found` holds the input of the work, `checked` the names of the declared objects."""

    def __init__(self, host: str, directory: Path, **lists: Any) -> None:
        options: dict[str, Any] = dict.fromkeys(CONNECTION_OPTIONS)
        options |= {
            "host": host,
            "api_key": "token",
            "ca_cert": loopback_certificate(),
            "concurrency": 2,
            "max_failures": None,
            "report_unchanged": None,
        }
        self.task = Task(
            "inventory",
            {**options, "progress": True, "secrets": None, "links": None, **lists},
            False,
            True,
            str(directory),
            set(),
        )
        self.found: list[Inventory] = []
        self.checked: list[Any] = []
        self.result = run_inventory(
            self.task,
            PARTS,
            common={"owner": "a"},
            check=self.checked.extend,
            work=lambda _cluster, found, _settings: self.work(found),
        )

    def work(self, found: Inventory) -> Outcome:
        self.found.append(found)
        return Outcome([])


class TestInventoried:
    def test_all_lists_share_one_reading_of_the_namespaces(self, api: FakeApi, tmp_path: Path) -> None:
        everywhere = {"namespace_selector": {"include": ["*"]}}
        secrets = [{"name": "x", **everywhere}, {"name": "y", "namespaces": ["a"], "owner": "b"}]
        with api.served() as host:
            run = Run(host, tmp_path, secrets=secrets, links=[{"secrets": ["x"], **everywhere}])
        (found,) = run.found
        assert sorted(found.batches) == ["links", "secrets"]
        assert [one.desired.name for one in found.batches["secrets"].declared("a")] == ["x", "y"]
        assert [one.desired.ownership.owner for one in found.batches["secrets"].declared("a")] == ["a", "b"]
        assert found.batches["links"].declared("b")[0].desired.service_accounts == ("default",)
        assert [namespace["metadata"]["name"] for namespace in found.namespaces] == ["a", "b"]
        assert len(run.checked) == 3
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
            (found,) = Run(host, tmp_path, secrets=secrets, links=links).found
        assert found.confirmed == {"team-admin", "team-named", "gone"}
        assert "team-evil" in found.batches["secrets"].namespaces

    def test_a_missing_list_differs_from_an_empty_one(self, api: FakeApi, tmp_path: Path) -> None:
        with api.served() as host:
            run = Run(host, tmp_path, secrets=[])
        assert {option: dict(batch.namespaces) for option, batch in run.found[0].batches.items()} == {"secrets": {}}

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
            Run(host, tmp_path, **lists)
        assert "secrets[0]" in str(caught.value)
        assert "links[0]" in str(caught.value)

    def test_the_check_runs_before_any_request(self, api: FakeApi, tmp_path: Path) -> None:
        def refuse(_every: Any) -> None:
            raise OptionError("no")

        with api.served() as host:
            run = Run(host, tmp_path, secrets=[])
            sent = len(api.requests)
            with pytest.raises(OptionError, match="no"):
                run_inventory(run.task, PARTS, common={}, check=refuse, work=lambda *_all: Outcome([]))
        assert len(api.requests) == sent
