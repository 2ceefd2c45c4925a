# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Only the pods of probes are recognized and deleted."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import ObjectRef, trim_object
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_probe.pods import (
    PullProbe,
    pod_for,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.probe_pods import (
    PROBE_POD,
    SELECTOR,
    edition_of,
    has_expired,
    is_probe,
    pod_deletion,
    uid_of,
)

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
