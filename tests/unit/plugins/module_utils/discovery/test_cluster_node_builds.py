# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MachineOSConfigs are read. A missing kind and a missing right leave their secrets unknown, and a failed cluster is an error."""

from __future__ import annotations

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.errors import ClusterError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.discovery.cluster import read_build_secrets
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.protected import BuildSecrets
from support.fake_api import FakeApi
from support.scripted_pool import Answer, Clock, status_object

PATH = "GET /apis/machineconfiguration.openshift.io/v1/machineosconfigs"
ALWAYS = 10**9


@pytest.fixture
def api() -> FakeApi:
    return FakeApi()


def read(api: FakeApi) -> BuildSecrets:
    return read_build_secrets(api.cluster(Clock()))


def test_the_secrets_that_the_objects_name_are_known(api: FakeApi) -> None:
    api.put("machineosconfigs", "", "worker", spec={"renderedImagePushSecret": {"name": "push"}})
    assert read(api) == BuildSecrets({"push": ["renderedImagePushSecret of machine OS config worker"]})


def test_a_cluster_without_objects_names_no_secret(api: FakeApi) -> None:
    assert read(api) == BuildSecrets({})


@pytest.mark.parametrize(
    ("answer", "unread"),
    [
        (status_object(404, "NotFound", "404 page not found"), ""),
        (status_object(403, "Forbidden", "no right"), "the caller may not list them"),
    ],
)
def test_a_missing_kind_or_right_leaves_them_unknown(api: FakeApi, answer: Answer, unread: str) -> None:
    api.fail(PATH, answer, times=ALWAYS)
    assert read(api) == BuildSecrets(unread=unread)


def test_another_error_leaves_them_unknown_with_its_text(api: FakeApi) -> None:
    api.fail(PATH, status_object(400, "BadRequest", "the list is damaged"), times=ALWAYS)
    assert "the list is damaged" in read(api).unread


def test_a_failed_cluster_is_an_error(api: FakeApi) -> None:
    api.fail(PATH, status_object(401, "Unauthorized", "no"), times=ALWAYS)
    with pytest.raises(ClusterError):
        read(api)
