# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An image volume is explained by its own errors, and a shared error decides nothing."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import ReadRequired
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.verdict import PullVerdict
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_streams import IMAGE_STREAM
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.pull_messages import POD_EVENTS
from support.pull_evidence import GOOD, IMAGE, REFUSED, at, event, known, pod, steps, summary, told

DENIED = "reading manifest v1 in q.io/team/app: requested access to the resource is denied"
EVENTS = ObjectRef(POD_EVENTS, "ns", "p")


def volume(*own: str, **more: Any) -> PullVerdict:
    evidence = more.pop("evidence", {})
    subject = pod(*own, **{"container": "", "volume": "model", "is_asked_alone": True, **more})
    return told(subject, known(more=evidence, good=GOOD))


def of_pod(reason: str, message: str, second: int) -> dict[str, Any]:
    found = event(reason, message, second)
    return {**found, "involvedObject": {"kind": "Pod", "name": "p"}}


class TestMounted:
    def test_the_error_of_the_node_decides(self) -> None:
        found = volume(says=DENIED, evidence={EVENTS: {"items": []}})
        assert (found.verdict, found.cause) == ("will_not_pull", "denied")

    def test_the_image_is_there_if_a_mounting_container_has_started(self) -> None:
        assert summary(volume("good", pulled=True)) == ("pulls", "a container that mounts the volume has started")

    def test_a_login_for_the_image_is_reported(self) -> None:
        verdict, reason = summary(volume("good"))
        assert (verdict, "secret good has the key q.io" in reason) == ("pulls", True)

    def test_no_name_of_an_image_stream_is_resolved(self) -> None:
        stream = {ObjectRef(IMAGE_STREAM, "ns", "app"): {"spec": {"lookupPolicy": {"local": True}}}}
        assert steps(volume("good", image="app:v1", evidence=stream), "stream") == []

    def test_an_invalid_name_will_not_pull(self) -> None:
        assert summary(volume(image="UPPER")) == ("will_not_pull", "'UPPER' is not a valid image name")


class TestUnmounted:
    TEXT = "no container mounts volume model. The node pulls its image, but no container waits for it, and only events show an error"

    def test_the_error_is_read_from_the_events_of_the_pod(self) -> None:
        failed = of_pod("Failed", f'Failed to pull image "{IMAGE}": {DENIED}', 5)
        found = volume(is_mounted=False, evidence={EVENTS: {"items": [failed]}})
        assert (found.verdict, found.cause) == ("will_not_pull", "denied")
        assert steps(found, "volume") == [("volume", self.TEXT, True)]

    @pytest.mark.parametrize("events", [{"items": []}, REFUSED, None])
    def test_without_events_the_credentials_decide(self, events: Any) -> None:
        found = volume("good", is_mounted=False, evidence={EVENTS: events})
        assert (found.verdict, found.cause) == ("pulls", "")

    def test_the_events_have_to_be_read_first(self) -> None:
        with pytest.raises(ReadRequired):
            volume(is_mounted=False)

    def test_events_are_read_only_for_one_pod_or_workload(self) -> None:
        assert volume("good", is_mounted=False, is_asked_alone=False).verdict == "pulls"

    def test_an_older_failure_does_not_count(self) -> None:
        items = [
            of_pod("Failed", f'Failed to pull image "{IMAGE}": {DENIED}', 5),
            of_pod("Pulled", f'Successfully pulled image "{IMAGE}" in 1s', 9),
        ]
        assert at(9) > at(5)
        assert volume("good", is_mounted=False, evidence={EVENTS: {"items": items}}).verdict == "pulls"


class TestSharedError:
    SHARED = {"shares_error": True, "reason": "ErrImagePull", "message": "writing blob: no space left on device"}
    TEXT = "the node says: writing blob: no space left on device. This does not name one image of the pod, so it may be about another one"

    def test_it_leaves_a_doubt(self) -> None:
        found = volume("good", **self.SHARED)
        assert (*summary(found), found.cause) == ("unknown", self.TEXT, "disk")
        assert steps(found, "node") == [("node", self.TEXT, None)]

    def test_the_credentials_still_decide(self) -> None:
        broken = {**GOOD, "data": {".dockerconfigjson": "eyJhdXRocyI6eyJxLmlvIjp7ImF1dGgiOiI/In19fQ=="}}
        subject = pod("broken", **self.SHARED)
        assert told(subject, known(broken=broken)).verdict == "will_not_pull"

    def test_a_pull_policy_of_never_leaves_a_doubt(self) -> None:
        message = 'Failed to inspect image "": context deadline exceeded'
        found = volume(pull_policy="Never", shares_error=True, reason="ImageInspectError", message=message)
        assert found.verdict == "unknown"

    def test_a_text_without_a_cause_is_not_reported(self) -> None:
        found = volume("good", shares_error=True, reason="ErrImagePull", evidence={EVENTS: {"items": []}})
        assert (found.verdict, found.cause) == ("pulls", "")
