# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A missing or terminating namespace is recognized and refused."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.errors import (
    ApiError,
    NamespaceMissing,
    NamespaceTerminating,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.namespaces import (
    deleted_sentence,
    is_terminating,
    require_namespace,
)
from support.fake_api import FakeApi
from support.scripted_pool import status_object


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
