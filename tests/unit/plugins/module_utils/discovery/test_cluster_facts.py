# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The facts about a cluster are read, absent, unreadable or failed, and these states are never confused."""

from __future__ import annotations

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.errors import ClusterError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.discovery.cluster import facts_of, with_objects
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.cluster import (
    CLUSTER_VERSION,
    IMAGE_REGISTRY,
    REGISTRY_SERVICE,
    ClusterFacts,
)
from support.fake_api import FakeApi
from support.scripted_pool import Answer, status_object

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
