# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The login is compared with the node's message, including the times of both."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SECRET, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain import fixes
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import Lookup, ReadRequired
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.steps.login import (
    CHANGED_BEFORE,
    CHANGED_SINCE,
    CLOSE,
    NOT_KNOWN,
    order_of,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.verdict import PullVerdict
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_streams import IMAGE_STREAM
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.pull_messages import POD_EVENTS
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.rbac.subjects import SUBJECT_ACCESS_REVIEW
from support.pull_evidence import (
    GENERATED,
    GOOD,
    IMAGE,
    REFUSED,
    at,
    changed,
    event,
    known,
    pod,
    pulling,
    secret,
    steps,
    summary,
    template,
    told,
)

EVENTS = ObjectRef(POD_EVENTS, "ns", "p")

BAD, DENIED = "invalid username/password: x", "denied"

#: The attempt was at second 1000.
SINCE, BEFORE, MEANWHILE = 2000, 100, 1010


def asked(text: str, second: int, *events: Any, **more: Any) -> PullVerdict:
    found = {EVENTS: {"items": [*events] or [pulling(1000)]}}
    subject = pod("good", says=text, is_asked_alone=True, **more)
    return told(subject, known(more=found, good=changed(second)))


class TestTimes:
    @pytest.mark.parametrize(
        "text", [BAD, DENIED, "authentication required", "manifest unknown", "no basic auth credentials"]
    )
    def test_a_secret_changed_since_the_last_attempt_will_pull(self, text: str) -> None:
        assert summary(asked(text, SINCE)) == (
            "pulls",
            "secret good has the key q.io, which was changed after the node's last attempt: the next attempt, at most five minutes "
            "from now, will pull; delete the pod to have it at once",
        )

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            (BAD, "the registry refuses the login: secret good has the key q.io"),
            (DENIED,
             "the login has no right to this image, or there is no such image: secret good has the key q.io, and the node says: denied. "
             "Check the image name and tag, or give the user of the login the right to pull it"),
            ("authentication required",
             "the registry does not accept the login for this image: it has no right to it, or is no longer valid: secret good has the "
             "key q.io, and the node says: authentication required"),
            ("manifest unknown",
             "there is no such image, or the login has no right to it and the registry hides it: secret good has the key q.io, and the "
             "node says: manifest unknown. Check the image name and tag, or give the user of the login the right to pull it"),
        ],
    )  # fmt: skip
    def test_a_secret_changed_before_the_last_attempt_will_not_pull(self, text: str, reason: str) -> None:
        found = asked(text, BEFORE)
        assert summary(found) == ("will_not_pull", reason)
        assert found.fix == ([] if text == "manifest unknown" else fixes.add_registry("ns", "good", "q.io"))

    @pytest.mark.parametrize("names", [(), ("other",)], ids=str)
    def test_no_login_is_written_for_an_image_that_may_not_exist(self, names: tuple[str, ...]) -> None:
        secrets = {name: secret({"other.io": {"auth": "dTpw"}}) for name in names}
        found = told(pod(*names, says="reading manifest v2 in q.io/team/app: manifest unknown"), known(**secrets))
        assert (found.verdict, list(found.fix)) == ("will_not_pull", [])
        assert found.reason.startswith(
            "there is no such image, or the registry hides it: no pull secret of pod ns/p is for"
        )

    def test_a_listed_secret_that_is_missing_is_written_anyway(self) -> None:
        found = told(pod("gone", says="manifest unknown"), known(gone=None))
        assert found.fix == fixes.create_listed_secret("ns", "gone", "q.io")

    def test_a_login_of_the_platform_is_not_written(self) -> None:
        good = changed(100, secret({"q.io": {"auth": "dTpw"}}, **GENERATED))
        more = {ObjectRef(SUBJECT_ACCESS_REVIEW, "team", "ns/default"): {"allowed": True}}
        more |= {ObjectRef(IMAGE_STREAM, "team", "app"): {}}
        found = told(pod("good", says=DENIED, created=at(500)), known(more=more, good=good))
        assert (found.verdict, found.fix) == ("will_not_pull", [])

    @pytest.mark.parametrize(
        ("text", "means"),
        [
            (BAD, "the registry refuses the login"),
            (DENIED, "the login has no right to this image, or there is no such image"),
        ],
    )
    def test_a_secret_changed_at_about_the_time_of_the_attempt_leaves_a_doubt(self, text: str, means: str) -> None:
        found = asked(text, MEANWHILE)
        assert found.verdict == "unknown"
        assert found.reason.endswith(
            f"Either {means}, or the secret was changed since: then the next attempt, at most five minutes from now, pulls"
        )

    def test_an_error_that_contradicts_the_login_leaves_a_doubt(self) -> None:
        assert summary(asked("no basic auth credentials", BEFORE)) == (
            "unknown",
            "secret good has the key q.io, even at the node's last attempt, but the node says: no basic auth credentials",
        )

    def test_the_creation_of_the_pod_replaces_forbidden_events(self) -> None:
        more = {EVENTS: REFUSED}
        subject = pod("good", says=DENIED, is_asked_alone=True, created=at(500))
        assert told(subject, known(more=more, good=changed(100))).verdict == "will_not_pull"
        assert told(subject, known(more=more, good=changed(900))).verdict == "unknown"

    def test_the_creation_of_the_pod_counts_in_a_question_about_all_pods(self) -> None:
        subject = pod("good", says=DENIED, created=at(500))
        assert told(subject, known(good=changed(100))).verdict == "will_not_pull"
        assert told(subject, known(good=changed(900))).verdict == "unknown"


class TestOlderCause:
    FAILED = 'Failed to pull image "q.io/team/app:v1": reading manifest v1 in q.io/team/app: denied'

    def test_an_older_cause_is_reported_if_the_limit_of_the_kubelet_hides_it(self) -> None:
        found = asked("pull QPS exceeded", BEFORE, pulling(1000), event("Failed", self.FAILED, 1001))
        assert (found.verdict, found.cause) == ("will_not_pull", "denied")

    def test_an_older_cause_is_reported_if_the_status_has_none(self) -> None:
        found = asked("", BEFORE, event("Failed", self.FAILED, 1001), reason="ImagePullBackOff", message="")
        assert found.cause == "denied"

    def test_an_older_cause_is_ignored_if_the_status_has_one(self) -> None:
        found = asked(
            DENIED, BEFORE, pulling(1000), event("Failed", self.FAILED.replace("denied", "no such host"), 1001)
        )
        assert found.cause == "denied"

    def test_a_pod_without_an_older_cause_pulls(self) -> None:
        found = asked("pull QPS exceeded", BEFORE, pulling(1000))
        assert (*summary(found), found.cause) == (
            "pulls",
            "secret good has the key q.io, but the registry was not asked whether it accepts the login",
            "node_limit",
        )


class TestOwnLimit:
    """A message about the kubelet's own limit does not hide an error that is visible in the cluster."""

    @pytest.mark.parametrize(
        ("stored", "why"),
        [
            (None, "does not exist"),
            (secret({"q.io": {"auth": "dTpw"}}, "Opaque"), "has type Opaque, which no node reads"),
        ],
    )
    def test_an_unusable_secret_is_named_with_its_fix(self, stored: Any, why: str) -> None:
        found = told(pod("bad", says="pull QPS exceeded"), known(bad=stored))
        assert (found.verdict, found.cause) == ("unknown", "node_limit")
        assert why in found.reason
        assert found.fix


class TestServers:
    """An error of another server is not attributed to the registry."""

    def test_a_token_server_that_cannot_be_resolved_is_named(self) -> None:
        text = 'Get "https://auth.example.com/token": dial tcp: lookup auth.example.com on 192.0.2.53:53: no such host'
        found = told(
            pod("good", says=f"unable to pull image: initializing source docker://q.io/team/app:v1: {text}"),
            known(good=GOOD),
        )
        assert found.verdict == "will_not_pull"
        assert found.reason.startswith("the node cannot resolve the name of auth.example.com (")
        assert (
            "auth.example.com is a mirror, or a server that the registry names, such as its storage or token service. "
            in found.reason
        )

    @pytest.mark.parametrize("frame", ["parsing image configuration: {}", "reading manifest v1 in q.io/team/app: {}"])
    @pytest.mark.parametrize("path", ["bucket/x", "v2/team/app/manifests/v1"])
    def test_a_host_to_which_the_registry_redirects_is_named(self, frame: str, path: str) -> None:
        text = (
            f'Get "https://store.example.com/{path}": dial tcp: lookup store.example.com on 192.0.2.53:53: no such host'
        )
        subject = pod("good", reason="ErrImagePull", message=f"unable to pull image: {frame.format(text)}")
        found = told(subject, known(good=GOOD))
        assert found.reason.startswith("the node cannot resolve the name of store.example.com (")
        assert (
            "store.example.com is a mirror, or a server that the registry names, such as its storage or" in found.reason
        )

    @pytest.mark.parametrize(
        ("text", "cause"),
        [
            ('pinging container registry q.io: Get "https://q.io/v2/": Forbidden', "proxy"),
            ('reading manifest v1 in q.io/team/app: StatusCode: 403, "<!DOCTYPE html>"', "proxy"),
            (
                "writing blob: happened during read: Digest did not match, expected sha256:1, got sha256:2",
                "damaged_content",
            ),
            ("reading manifest v1 in q.io/team/app: unknown: payment required", "billing"),
        ],
    )
    @pytest.mark.parametrize("names", [(), ("good",)], ids=str)
    def test_no_task_is_offered_for_a_cause_that_no_login_changes(
        self, text: str, cause: str, names: tuple[str, ...]
    ) -> None:
        found = told(pod(*names, says=text), known(good=GOOD))
        assert (found.verdict, found.cause, list(found.fix)) == ("will_not_pull", cause, [])


# --- A secret was changed before or after the node's last attempt


def order(*seconds: int | None, attempt: int | None = None, created: int | None = None, alone: bool = True) -> str:
    """The result for secrets with these change times. None means that no change is recorded."""
    secrets = {f"s{number}": changed(second) for number, second in enumerate(seconds)}
    known: dict[ObjectRef, Any] = {ObjectRef(SECRET, "ns", name): each for name, each in secrets.items()}
    known[EVENTS] = {"items": [] if attempt is None else [pulling(attempt)]}
    subject = pod(created="" if created is None else at(created), is_asked_alone=alone)
    return order_of(subject, secrets, Lookup(known))


class TestEvents:
    @pytest.mark.parametrize(
        ("second", "attempt", "found"),
        [(1000, 939, CHANGED_SINCE), (1000, 940, CLOSE), (1000, 1060, CLOSE), (1000, 1061, CHANGED_BEFORE)],
    )
    def test_times_within_a_minute_count_as_close(self, second: int, attempt: int, found: str) -> None:
        assert order(second, attempt=attempt) == found

    def test_the_secret_that_was_changed_last_counts(self) -> None:
        assert order(0, 1000, attempt=500) == CHANGED_SINCE
        assert order(0, 100, attempt=500) == CHANGED_BEFORE

    def test_events_are_read_for_a_single_pod_only(self) -> None:
        assert order(1000, attempt=0, alone=False) == NOT_KNOWN
        subject = template(is_asked_alone=True)
        assert order_of(subject, ["s"], Lookup({ObjectRef(SECRET, "ns", "s"): changed(5)})) == NOT_KNOWN

    @pytest.mark.parametrize("events", [REFUSED, None, {"items": []}])
    def test_missing_events_leave_the_order_unknown(self, events: Any) -> None:
        evidence = Lookup({ObjectRef(SECRET, "ns", "s"): changed(5), EVENTS: events})
        assert order_of(pod(is_asked_alone=True), ["s"], evidence) == NOT_KNOWN


class TestCreation:
    @pytest.mark.parametrize(("created", "found"), [(106, CHANGED_BEFORE), (105, NOT_KNOWN), (0, NOT_KNOWN)])
    def test_a_pod_created_after_the_change_never_had_other_content(self, created: int, found: str) -> None:
        assert order(100, created=created, alone=False) == found

    def test_the_creation_of_the_pod_decides_without_events(self) -> None:
        evidence = Lookup({ObjectRef(SECRET, "ns", "s"): changed(5)})
        assert order_of(pod(created=at(500), is_asked_alone=True), ["s"], evidence) == CHANGED_BEFORE
        with pytest.raises(ReadRequired):
            order_of(pod(created=at(0), is_asked_alone=True), ["s"], evidence)
        assert evidence.take_wanted() == [EVENTS]


class TestNoRecord:
    """Without a record of its managers, a secret may have been changed at any time after its creation."""

    def test_a_secret_without_a_record_can_have_changed_after_its_creation(self) -> None:
        known = {ObjectRef(SECRET, "ns", "s"): {"metadata": {"creationTimestamp": at(1000)}}}
        for attempt, found in ((0, CHANGED_SINCE), (1000, NOT_KNOWN), (5000, NOT_KNOWN)):
            evidence = Lookup({**known, EVENTS: {"items": [pulling(attempt)]}})
            assert order_of(pod(created=at(0), is_asked_alone=True), ["s"], evidence) == found
        assert order_of(pod(created=at(2000)), ["s"], Lookup(known)) == NOT_KNOWN

    def test_a_secret_without_any_time_leaves_the_order_unknown(self) -> None:
        assert order(None, 100, attempt=5000, created=5000) == NOT_KNOWN
        assert order(attempt=5) == NOT_KNOWN


# --- An image volume is explained by its own errors, and a shared error decides nothing

DENIED_VOLUME = "reading manifest v1 in q.io/team/app: requested access to the resource is denied"


def volume(*own: str, **more: Any) -> PullVerdict:
    evidence = more.pop("evidence", {})
    subject = pod(*own, **{"container": "", "volume": "model", "is_asked_alone": True, **more})
    return told(subject, known(more=evidence, good=GOOD))


def of_pod(reason: str, message: str, second: int) -> dict[str, Any]:
    found = event(reason, message, second)
    return {**found, "involvedObject": {"kind": "Pod", "name": "p"}}


class TestMounted:
    def test_the_error_of_the_node_decides(self) -> None:
        found = volume(says=DENIED_VOLUME, evidence={EVENTS: {"items": []}})
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
        failed = of_pod("Failed", f'Failed to pull image "{IMAGE}": {DENIED_VOLUME}', 5)
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
            of_pod("Failed", f'Failed to pull image "{IMAGE}": {DENIED_VOLUME}', 5),
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
