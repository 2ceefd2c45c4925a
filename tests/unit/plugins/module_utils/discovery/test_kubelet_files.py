# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kubelet's settings are read from the object that contains its file, and a file that cannot be read is never an empty one."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import ImagePullError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.discovery.kubelet_files import read_kubelet_file
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import UnreadableObject
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.kubelet_settings import (
    KUBEADM_SETTINGS,
    KUBELET_FILE,
    KUBELET_FILE_PATH,
)
from support.fake_api import FakeApi
from support.scripted_pool import status_object

RENDERED = ObjectRef(KUBELET_FILE, "", "rendered-worker")
TEXT = "kind: KubeletConfiguration\nstaticPodPath: /canary\nimagePullCredentialsVerificationPolicy: NeverVerify\n"
SETTINGS = {"imagePullCredentialsVerificationPolicy": "NeverVerify"}


def rendered(api: FakeApi, text: str, path: str = KUBELET_FILE_PATH) -> None:
    file = {"path": path, "contents": {"source": f"data:,{quote(text)}"}}
    api.put("machineconfigs", "", RENDERED.name, spec={"config": {"storage": {"files": [file]}}})


def test_the_file_of_a_rendered_configuration_is_read() -> None:
    api = FakeApi()
    rendered(api, TEXT)
    assert read_kubelet_file(api.cluster(), RENDERED) == SETTINGS


def test_the_file_of_kubeadm_is_read() -> None:
    api = FakeApi()
    api.put("configmaps", "kube-system", "kubelet-config", data={"kubelet": TEXT})
    assert read_kubelet_file(api.cluster(), KUBEADM_SETTINGS) == SETTINGS


@pytest.mark.parametrize("ref", [RENDERED, KUBEADM_SETTINGS])
def test_a_missing_object_is_an_absence(ref: ObjectRef) -> None:
    api = FakeApi()
    assert read_kubelet_file(api.cluster(), ref) is None


def test_a_kind_that_the_cluster_does_not_have_is_an_absence() -> None:
    api = FakeApi()
    api.fail("GET", status_object(404, "NotFound", "404 page not found"), times=10)
    assert read_kubelet_file(api.cluster(), RENDERED) is None


@pytest.mark.parametrize(
    ("ref", "what"),
    [(RENDERED, "machine config rendered-worker"), (KUBEADM_SETTINGS, "config map kube-system/kubelet-config")],
)
def test_a_forbidden_object_is_unreadable(ref: ObjectRef, what: str) -> None:
    api = FakeApi()
    api.fail("GET", status_object(403, "Forbidden", "no right"), times=10)
    found = read_kubelet_file(api.cluster(), ref)
    assert isinstance(found, UnreadableObject)
    assert str(found) == f"the caller may not read {what}"


def test_another_error_stays_an_error() -> None:
    api = FakeApi()
    api.fail("GET", status_object(401, "Unauthorized", "no"), times=10)
    assert isinstance(read_kubelet_file(api.cluster(), RENDERED), ImagePullError)


@pytest.mark.parametrize(
    ("text", "path", "why"),
    [("canary", KUBELET_FILE_PATH, "it is not a mapping"), (TEXT, "/other", "it is missing")],
)
def test_a_file_that_cannot_be_parsed_is_unreadable(text: str, path: str, why: str) -> None:
    api = FakeApi()
    rendered(api, text, path)
    found = read_kubelet_file(api.cluster(), RENDERED)
    assert isinstance(found, UnreadableObject)
    assert str(found) == f"the kubelet's file in machine config rendered-worker cannot be read: {why}"


@pytest.mark.parametrize("data", [{}, {"kubelet": 3}, {"other": TEXT}])
def test_a_config_map_without_a_file_is_unreadable(data: Any) -> None:
    api = FakeApi()
    api.put("configmaps", "kube-system", "kubelet-config", data=data)
    assert isinstance(read_kubelet_file(api.cluster(), KUBEADM_SETTINGS), UnreadableObject)
