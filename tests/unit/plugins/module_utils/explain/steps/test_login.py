# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The login is compared with the node's message, including the times of both."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain import fixes
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.verdict import PullVerdict
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_streams import IMAGE_STREAM
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.pull_messages import POD_EVENTS
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.rbac.subjects import SUBJECT_ACCESS_REVIEW
from support.pull_evidence import (
    GENERATED,
    GOOD,
    REFUSED,
    at,
    changed,
    event,
    known,
    pod,
    pulling,
    secret,
    summary,
    told,
)

EVENTS = ObjectRef(POD_EVENTS, "ns", "p")
BAD, DENIED = "invalid username/password: x", "denied"
#: The attempt was at second 1000.
SINCE, BEFORE, CLOSE = 2000, 100, 1010


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
             "the login has no right to this image, or there is no such image: secret good has the key q.io, and the node says: denied"),
            ("authentication required",
             "the registry does not accept the login for this image: it has no right to it, or is no longer valid: secret good has the "
             "key q.io, and the node says: authentication required"),
            ("manifest unknown",
             "there is no such image, or the login has no right to it and the registry hides it: secret good has the key q.io, and the "
             "node says: manifest unknown"),
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
        found = asked(text, CLOSE)
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
