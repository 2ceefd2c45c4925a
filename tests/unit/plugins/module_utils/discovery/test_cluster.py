# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The facts about a cluster, its kind and the builds of its nodes are read, never guessed."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.client import list_api_groups
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.errors import (
    ApiError,
    ClusterError,
    Forbidden,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import Refusal
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SECRET, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.discovery.cluster import (
    ClusterKind,
    detect_cluster_kind,
    facts_of,
    get_if_readable,
    has_ready_node,
    read_build_secrets,
    with_objects,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.cluster import (
    CLUSTER_VERSION,
    IMAGE_REGISTRY,
    KUBERNETES,
    MICROSHIFT,
    REGISTRY_SERVICE,
    STANDALONE,
    ClusterFacts,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.protected import BuildSecrets
from support.fake_api import FakeApi
from support.scripted_pool import Answer, Clock, status_object

# --- The facts about a cluster are read, absent, unreadable or failed, and these states are never confused

ALWAYS = 10**9

GROUPS = {"groups": [{"name": "apps"}, {"name": "config.openshift.io"}]}

FORBIDDEN = status_object(403, "Forbidden", "no")

ODD = status_object(400, "Odd", "odd")


def cluster_with(groups: Answer, version: Answer, operator: Answer) -> FakeApi:
    api = FakeApi()
    paths = ("GET /apis$", groups), ("clusterversions/version", version), ("clusteroperators/image-registry", operator)
    for path, answer in paths:
        api.fail(path, answer, times=ALWAYS)
    return api


def test_objects_are_read_absent_or_unreadable() -> None:
    api = cluster_with(Answer(200, GROUPS), FORBIDDEN, status_object(404, "NotFound", "not found"))
    facts = facts_of(api.cluster())
    assert facts.api_groups == {"apps", "config.openshift.io"}
    assert (facts.unreadable, facts.absent, facts.failed) == ((CLUSTER_VERSION,), (IMAGE_REGISTRY,), ())


@pytest.mark.parametrize(
    "message", ['User "u" cannot list resource "nodes" in API group "" at the cluster scope', "no"]
)
def test_a_caller_who_may_not_list_nodes_lacks_no_right(message: str) -> None:
    api = FakeApi()
    api.fail("GET .*/nodes", status_object(403, "Forbidden", message), times=ALWAYS)
    cluster = api.cluster()
    assert (has_ready_node(cluster), cluster.needs) == (None, set())


def test_a_failure_is_kept_with_its_reason() -> None:
    facts = facts_of(cluster_with(ODD, ODD, Answer(200, {"metadata": {"name": "image-registry"}})).cluster())
    assert facts.api_groups is None
    assert [("400 odd" in reason) for reason in facts.failed] == [True, True]
    assert facts.image_registry == {"metadata": {"name": "image-registry"}}


def test_a_cluster_without_openshift_is_asked_only_for_its_api_groups() -> None:
    api = cluster_with(Answer(200, {"groups": [{"name": "apps"}]}), ODD, ODD)
    assert facts_of(api.cluster()) == ClusterFacts({"apps"})
    assert [line for line in api.asked if "config.openshift.io" in line] == []


def test_a_failure_of_the_registry_service_alone_changes_no_fact() -> None:
    api = FakeApi()
    api.fail("services/image-registry", ODD, times=ALWAYS)
    assert with_objects(api.cluster(), ClusterFacts(None), REGISTRY_SERVICE) == ClusterFacts(None)


def test_a_cluster_that_fails_ends_the_search() -> None:
    api = cluster_with(status_object(401, "Unauthorized", "no"), ODD, ODD)
    with pytest.raises(ClusterError):
        facts_of(api.cluster())
    assert api.asked == ["GET /apis"]
    api = cluster_with(Answer(200, GROUPS), status_object(401, "Unauthorized", "no"), ODD)
    with pytest.raises(ClusterError):
        facts_of(api.cluster())
    assert not any("clusteroperators" in line for line in api.asked)


def test_forbidden_api_groups_are_unknown_and_no_failure() -> None:
    missing = status_object(404, "NotFound", "not found")
    facts = facts_of(cluster_with(FORBIDDEN, missing, missing).cluster())
    assert (facts.api_groups, facts.failed) == (None, ())


# --- The kind of a cluster is read from the cluster, never guessed


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


# --- MachineOSConfigs are read. A missing kind and a missing right leave their secrets unknown, and a failed cluster is an error

PATH = "GET /apis/machineconfiguration.openshift.io/v1/machineosconfigs"


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
