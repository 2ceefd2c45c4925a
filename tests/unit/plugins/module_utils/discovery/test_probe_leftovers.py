# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of a probe or a rotation delete only pods of killed probes, in all namespaces, and never fail for it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import Json, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.discovery.probe_leftovers import (
    delete_leftovers,
    is_leftover,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.workers import Workers
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_probe.pods import (
    PullProbe,
    pod_for,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.probe_pods import PROBE_POD
from support.fake_api import FakeApi
from support.scripted_pool import Clock, status_object


def put(api: FakeApi, namespace: str, name: str = "pull-probe-old", **meta: Any) -> dict[str, Any]:
    """A pod that a run left a long time ago."""
    body = pod_for(ObjectRef(PROBE_POD, namespace, name), PullProbe(("q.io/a:1",)), "q.io/a:1", {}).body
    labels = {"labels": body["metadata"]["labels"], "creationTimestamp": "2026-01-01T00:00:00Z", **meta}
    return api.put("pods", namespace, name, metadata=labels, spec=body["spec"], status={})


def clean(api: FakeApi, *, check: bool = False) -> tuple[str, ...]:
    pods: list[Json] = [pod for (kind, _namespace, _name), pod in sorted(api.objects.items()) if kind == "pods"]
    with Workers(2) as workers:
        found = [pod for pod in pods if is_leftover(pod)]
        return delete_leftovers(api.cluster(Clock()), workers, found, check_mode=check)


def left(api: FakeApi) -> list[tuple[str, str]]:
    return sorted((namespace, name) for kind, namespace, name in api.objects if kind == "pods")


@pytest.fixture
def api() -> FakeApi:
    return FakeApi()


def test_pods_past_their_deadline_are_deleted_by_their_uid(api: FakeApi) -> None:
    put(api, "a")
    put(api, "b", "pull-probe-new", creationTimestamp="2126-01-01T00:00:00Z")
    put(api, "c", "theirs")
    assert clean(api, check=True) == ("would delete 1 pod of probes that ended without cleaning up: a/pull-probe-old",)
    assert api.writes == []
    assert clean(api) == ("deleted 1 pod of probes that ended without cleaning up: a/pull-probe-old",)
    assert left(api) == [("b", "pull-probe-new"), ("c", "theirs")]
    (request,) = [each for each in api.requests if each.method == "DELETE"]
    assert b"uid" in str(request.body).encode()


def test_a_cluster_without_leftovers_gives_no_report(api: FakeApi) -> None:
    assert (clean(api), api.requests) == ((), [])


def test_a_pod_that_cannot_be_deleted_is_reported_once(api: FakeApi) -> None:
    for name in "ab":
        put(api, name)
    api.fail("DELETE .*/a/", status_object(403, "Forbidden", 'User "u" cannot delete'), times=9)
    deleted, kept = clean(api)
    assert deleted.endswith(": b/pull-probe-old")
    assert kept.startswith("1 pod of earlier probes could not be deleted, such as a/pull-probe-old: ")


@pytest.mark.parametrize(("code", "reason"), [(404, "NotFound"), (409, "Conflict")])
def test_a_pod_that_is_already_gone_is_not_a_failure(api: FakeApi, code: int, reason: str) -> None:
    """Another pod can have its name by then: the deletion is bound to the uid."""
    put(api, "a")
    api.fail("DELETE", status_object(code, reason, "gone"))
    assert clean(api) == ("deleted 1 pod of probes that ended without cleaning up: a/pull-probe-old",)


def test_a_namespace_with_many_leftovers_takes_no_time_from_others(api: FakeApi) -> None:
    for number in range(30):
        put(api, "a", f"pull-probe-{number:02}")
    put(api, "b")
    clean(api)
    assert len([each for each in api.asked if each.startswith("DELETE")]) == 21
    assert ("b", "pull-probe-old") not in left(api)
