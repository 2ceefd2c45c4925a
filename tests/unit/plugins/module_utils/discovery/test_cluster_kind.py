# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kind of a cluster is read from the cluster, never guessed."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.client import list_api_groups
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.errors import ApiError, Forbidden
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import Refusal
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SECRET, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.discovery.cluster import (
    ClusterKind,
    detect_cluster_kind,
    get_if_readable,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.cluster import (
    KUBERNETES,
    MICROSHIFT,
    STANDALONE,
)
from support.fake_api import FakeApi
from support.scripted_pool import Answer, status_object

FORBIDDEN = status_object(403, "Forbidden", "no")
ALWAYS = 10**9


def cluster_of(*groups: str) -> FakeApi:
    api = FakeApi()
    api.fail("GET /apis$", Answer(200, {"groups": [{"name": name} for name in groups]}), times=ALWAYS)
    return api


@pytest.fixture
def openshift() -> FakeApi:
    api = cluster_of("apps", "config.openshift.io")
    api.put("infrastructures", "", "cluster", status={"controlPlaneTopology": "HighlyAvailable"})
    version = {"spec": {"clusterID": "id"}, "status": {"desired": {"version": "4.20.1"}}}
    api.put("clusterversions", "", "version", **version)
    return api


def test_openshift_is_recognised_with_version_and_id(openshift: FakeApi) -> None:
    assert detect_cluster_kind(openshift.cluster()) == ClusterKind(STANDALONE, "4.20.1", "id")
    status = {"controlPlaneTopology": "HighlyAvailable", "platformStatus": {"type": "AWS"}}
    openshift.put("infrastructures", "", "cluster", status=status)
    assert detect_cluster_kind(openshift.cluster()).platform == "AWS"


@pytest.mark.parametrize("answer", [FORBIDDEN, Answer(200, {"metadata": {"name": "version"}})])
def test_an_unknown_version_is_empty(openshift: FakeApi, answer: Answer) -> None:
    openshift.remove("clusterversions", "", "version")
    assert detect_cluster_kind(openshift.cluster()) == ClusterKind(STANDALONE)
    openshift.fail("clusterversions", answer, times=ALWAYS)
    assert detect_cluster_kind(openshift.cluster()) == ClusterKind(STANDALONE)


def test_kubernetes_and_microshift_are_recognised() -> None:
    api = cluster_of("apps", "route.openshift.io")
    assert detect_cluster_kind(api.cluster()) == ClusterKind(KUBERNETES)
    api.put("configmaps", "kube-public", "microshift-version", data={"version": "4.20"})
    assert detect_cluster_kind(api.cluster()) == ClusterKind(MICROSHIFT)
    assert not any("infrastructures" in request for request in api.asked)


def test_an_unreadable_or_missing_infrastructure_is_an_error(openshift: FakeApi) -> None:
    openshift.fail("infrastructures", FORBIDDEN)
    with pytest.raises(Forbidden, match="reading Infrastructure cluster"):
        detect_cluster_kind(openshift.cluster())
    openshift.remove("infrastructures", "", "cluster")
    with pytest.raises(Refusal, match="Infrastructure cluster does not exist .* the kind of cluster is unknown"):
        detect_cluster_kind(openshift.cluster())
    api = FakeApi()
    api.fail("GET /apis$", FORBIDDEN)
    with pytest.raises(Forbidden):
        detect_cluster_kind(api.cluster())
    with pytest.raises(Refusal, match="lists no API group under /apis"):
        detect_cluster_kind(cluster_of().cluster())


@pytest.mark.parametrize("groups", [None, {}, [None, 1, {"name": None}, {"name": 1}, {}]], ids=str)
def test_invalid_api_groups_are_ignored(groups: Any) -> None:
    api = FakeApi()
    api.fail("GET /apis$", Answer(200, {"groups": groups}))
    assert list_api_groups(api.cluster()) == frozenset()


def test_a_missing_or_forbidden_object_is_none_and_another_error_is_raised(openshift: FakeApi) -> None:
    ref = ObjectRef(SECRET, "a", "s")
    cluster = openshift.cluster()
    assert get_if_readable(cluster, ref) is None
    openshift.put("secrets", "a", "s")
    found = get_if_readable(cluster, ref)
    assert found is not None
    openshift.fail("secrets/s", FORBIDDEN)
    assert get_if_readable(cluster, ref) is None
    openshift.fail("secrets/s", status_object(404, "NotFound", "404 page not found"))
    assert get_if_readable(cluster, ref) is None
    openshift.fail("secrets/s", status_object(400, "BadRequest", "odd"))
    with pytest.raises(ApiError):
        get_if_readable(cluster, ref)
