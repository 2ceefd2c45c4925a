# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Only the pods of probes are recognized. Runs of a probe or a rotation delete those of killed ones, in all namespaces, and never fail for it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import Json, ObjectRef, trim_object
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.discovery.probe_pods import (
    PROBE_POD,
    SELECTOR,
    delete_leftovers,
    edition_of,
    has_expired,
    is_leftover,
    is_probe,
    pod_deletion,
    uid_of,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.workers import Workers
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_probe.pods import (
    PullProbe,
    pod_for,
)
from support.fake_api import FakeApi
from support.scripted_pool import Clock, status_object

REF = ObjectRef(PROBE_POD, "a", "pull-probe-1")
LABELS = {"app.kubernetes.io/managed-by": "openshift_ops.image_pull", "app.kubernetes.io/component": "pull-probe"}


def test_a_deletion_is_bound_to_the_uid_and_has_no_grace_period() -> None:
    assert pod_deletion(REF, "u").body == {
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        "gracePeriodSeconds": 0,
        "preconditions": {"uid": "u"},
    }
    assert "preconditions" not in pod_deletion(REF, "").body


class TestWhichAreProbes:
    def test_the_selector_names_both_labels(self) -> None:
        assert SELECTOR.split(",") == [f"{key}={value}" for key, value in LABELS.items()]

    @pytest.mark.parametrize(
        ("labels", "ours"),
        [
            (LABELS, True),
            ({**LABELS, "more": "x"}, True),
            (dict(list(LABELS.items())[:1]), False),
            (dict(list(LABELS.items())[1:]), False),
            ({**LABELS, "app.kubernetes.io/managed-by": "somebody"}, False),
            (None, False),
            ([], False),
        ],
    )
    def test_only_pods_with_both_labels_are_probes(self, labels: Any, ours: bool) -> None:
        assert is_probe({"metadata": {"labels": labels}}) is ours

    def test_a_trimmed_pod_keeps_the_labels_and_the_fields_that_are_read(self) -> None:
        pod = {
            "metadata": {"name": "p", "namespace": "a", "uid": "u", "generation": 1, "labels": LABELS,
             "annotations": {}},
            "spec": {"nodeName": "n", "containers": [{"name": "probe", "image": "q.io/a:1", "env": []}, None]},
            "status": {"phase": "Failed", "reason": "Evicted", "message": "low on memory",
             "conditions": [{"type": "PodScheduled"}], "podIP": "x",
             "containerStatuses": [{"name": "probe", "imageID": "i", "state": {}, "ready": False}, None]},
        }  # fmt: skip
        kept = trim_object(PROBE_POD, pod)
        assert kept == {
            "metadata": {"name": "p", "namespace": "a", "uid": "u", "generation": 1, "labels": LABELS},
            "spec": {"nodeName": "n", "containers": [{"name": "probe", "image": "q.io/a:1"}, {}]},
            "status": {
                "phase": "Failed",
                "reason": "Evicted",
                "message": "low on memory",
                "conditions": [{"type": "PodScheduled"}],
                "containerStatuses": [{"name": "probe", "imageID": "i", "state": {}}, {}],
            },
        }
        assert is_probe(kept)
        assert uid_of(kept) == "u"
        assert edition_of(kept) == edition_of(pod) == (1, "q.io/a:1")

    def test_an_empty_pod_is_read_without_an_error(self) -> None:
        assert trim_object(PROBE_POD, {}) == {
            "metadata": {},
            "spec": {"containers": []},
            "status": {"containerStatuses": []},
        }
        assert uid_of({"metadata": {"uid": 7}}) == ""
        assert edition_of(
            {"metadata": {"generation": "1"}, "spec": {"containers": [{"name": "probe", "image": 1}]}}
        ) == (None, "")


class TestExpired:
    """A killed run leaves its pods. Other objects may have the same labels."""

    NOW = 1_800_000_000.0
    MADE = "2027-01-15T07:50:00Z"  # 600 seconds before

    def pod(self, deadline: int = 400, **meta: Any) -> dict[str, Any]:
        change = pod_for(REF, PullProbe(("q.io/a:1",), timeout=deadline - 60), "q.io/a:1", {})
        body = {
            **change.body,
            "metadata": {**change.body["metadata"], "creationTimestamp": self.MADE, "uid": "u", **meta},
        }
        return trim_object(PROBE_POD, body)

    def test_a_pod_past_its_deadline_has_expired(self) -> None:
        assert has_expired(self.pod(), self.NOW)

    def test_a_pod_close_to_its_deadline_has_not_expired(self) -> None:
        assert not has_expired(self.pod(700), self.NOW)
        assert not has_expired(self.pod(500), self.NOW)

    @pytest.mark.parametrize(
        "meta",
        [
            {"labels": {"app.kubernetes.io/component": "pull-probe"}},
            {"name": "theirs"},
            {"creationTimestamp": None},
            {"creationTimestamp": "yesterday"},
            {"deletionTimestamp": "2027-01-15T07:50:00Z"},
        ],
    )
    def test_a_pod_with_other_metadata_never_expires(self, meta: dict[str, Any]) -> None:
        assert not has_expired(self.pod(**meta), self.NOW)

    @pytest.mark.parametrize(
        "spec",
        [
            {"activeDeadlineSeconds": None},
            {"restartPolicy": "Always"},
            {"automountServiceAccountToken": None},
            {"containers": [{"name": "app"}]},
        ],
    )
    def test_a_pod_with_another_spec_never_expires(self, spec: dict[str, Any]) -> None:
        pod = self.pod()
        assert not has_expired({**pod, "spec": {**pod["spec"], **spec}}, self.NOW)


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
