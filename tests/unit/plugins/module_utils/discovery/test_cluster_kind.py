# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What kind of cluster it is: asked, and never guessed."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.api_groups import listed_groups
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.errors import ApiError, Forbidden
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import Refusal
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SECRET, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.discovery.cluster_kind import (
    ClusterKind,
    if_readable,
    recognised,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.cluster_kind import (
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


def test_openshift(openshift: FakeApi) -> None:
    assert recognised(openshift.cluster()) == ClusterKind(STANDALONE, "4.20.1", "id")


@pytest.mark.parametrize("answer", [FORBIDDEN, Answer(200, {"metadata": {"name": "version"}})])
def test_a_version_that_is_not_known_is_none(openshift: FakeApi, answer: Answer) -> None:
    openshift.remove("clusterversions", "", "version")
    assert recognised(openshift.cluster()) == ClusterKind(STANDALONE)
    openshift.fail("clusterversions", answer, times=ALWAYS)
    assert recognised(openshift.cluster()) == ClusterKind(STANDALONE)


def test_no_openshift() -> None:
    api = cluster_of("apps", "route.openshift.io")
    assert recognised(api.cluster()) == ClusterKind(KUBERNETES)
    api.put("configmaps", "kube-public", "microshift-version", data={"version": "4.20"})
    assert recognised(api.cluster()) == ClusterKind(MICROSHIFT)
    assert not any("infrastructures" in request for request in api.asked)


def test_what_cannot_be_read_is_an_error(openshift: FakeApi) -> None:
    openshift.fail("infrastructures", FORBIDDEN)
    with pytest.raises(Forbidden, match="reading Infrastructure cluster"):
        recognised(openshift.cluster())
    openshift.remove("infrastructures", "", "cluster")
    with pytest.raises(Refusal, match="Infrastructure cluster does not exist .* the kind of cluster is unknown"):
        recognised(openshift.cluster())
    api = FakeApi()
    api.fail("GET /apis$", FORBIDDEN)
    with pytest.raises(Forbidden):
        recognised(api.cluster())
    with pytest.raises(Refusal, match="lists no API group under /apis"):
        recognised(cluster_of().cluster())


@pytest.mark.parametrize("groups", [None, {}, [None, 1, {"name": None}, {"name": 1}, {}]])
def test_odd_groups(groups: Any) -> None:
    api = FakeApi()
    api.fail("GET /apis$", Answer(200, {"groups": groups}))
    assert listed_groups(api.cluster()) == frozenset()


def test_if_readable(openshift: FakeApi) -> None:
    ref = ObjectRef(SECRET, "a", "s")
    cluster = openshift.cluster()
    assert if_readable(cluster, ref) is None
    openshift.put("secrets", "a", "s")
    found = if_readable(cluster, ref)
    assert found is not None
    openshift.fail("secrets/s", FORBIDDEN)
    assert if_readable(cluster, ref) is None
    openshift.fail("secrets/s", Answer(404, "404 page not found"))
    assert if_readable(cluster, ref) is None
    openshift.fail("secrets/s", status_object(400, "BadRequest", "odd"))
    with pytest.raises(ApiError):
        if_readable(cluster, ref)
