# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""After a grant or a revocation, the API server's own answer decides who can pull. Answers from before the write do not count."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.changes import Change, Entry, Failure
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import ROLE_BINDING, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.declarations.batch import Batch, Declaration
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.result import NamespaceResult, Outcome
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.run import Clock as EngineClock
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.run import RunSettings
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.image_puller_grant.plan import (
    ImagePullerGrant,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.image_puller_grant.run import (
    verify_access,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.rbac.subjects import Subject
from support.fake_api import FakeApi
from support.scripted_pool import Clock, status_object

BOB, JANE = Subject("User", "bob"), Subject("User", "jane")
NO: dict[str, Any] = {"allowed": False}


def by(binding: str) -> dict[str, Any]:
    return {"allowed": True, "reason": f'RBAC: allowed by RoleBinding "{binding}/b" of ClusterRole "r" to User "bob"'}


def changed(*bindings: str) -> NamespaceResult:
    return NamespaceResult(
        "b", "changed", tuple(Change("update", ObjectRef(ROLE_BINDING, "b", name), {}) for name in bindings)
    )


UNCHANGED = NamespaceResult("b", "unchanged", notes=("noted",), extra={"more": 1})


def verify(
    answers: list[Any] | Callable[[Any], Any],
    result: NamespaceResult,
    clock: Clock | None = None,
    *,
    check: bool = False,
    stopped: str = "",
    subjects: tuple[Subject, ...] = (BOB,),
    **more: Any,
) -> tuple[NamespaceResult, FakeApi]:
    api, clock = FakeApi(), clock or Clock()
    if isinstance(answers, list):
        left = list(answers)
        api.review = lambda _spec: left.pop(0) if len(left) > 1 else left[0]
    else:
        api.review = answers
    given = {"subjects": subjects, "role": "puller", "binding_name": "ours", "present": True, "verify_access": True}
    settings = RunSettings(check, concurrency=1, clock=EngineClock(clock.now, clock.sleep))
    desired = ImagePullerGrant(**{**given, **more})
    outcome = verify_access(
        api.cluster(clock), Batch.of_one(desired, ["b"]), Outcome([result], stopped=stopped), settings
    )
    return outcome.namespaces[0], api


def access(result: NamespaceResult) -> list[tuple[Any, Any]]:
    return [(answer["allowed"], answer["binding"]) for answer in result.extra["may_pull"]]


class TestAsks:
    def test_each_subject_is_asked_about(self) -> None:
        result, api = verify([by("ours"), NO], UNCHANGED, subjects=(BOB, JANE))
        assert access(result) == [(True, "RoleBinding b/ours"), (False, None)]
        assert [answer["subject"] for answer in result.extra["may_pull"]] == ["User bob", "User jane"]
        assert [request.body["spec"]["user"] for request in api.requests] == ["bob", "jane"]
        assert api.asked[0] == "POST /apis/authorization.k8s.io/v1/subjectaccessreviews"
        assert result.extra["more"] == 1
        assert result.notes[0] == "noted"

    @pytest.mark.parametrize(
        ("result", "given"),
        [
            (UNCHANGED, {"verify_access": False}),
            (UNCHANGED, {"stopped": "the cluster failed"}),
            (NamespaceResult("b", "failed", error="no"), {}),
            (NamespaceResult("b", "skipped", error="going"), {}),
        ],
    )
    def test_no_subject_is_asked_about_after_a_failure_or_without_verify_access(
        self, result: NamespaceResult, given: Any
    ) -> None:
        found, api = verify([NO], result, **given)
        assert (found, api.asked) == (result, [])


class TestGranted:
    def test_a_grant_is_confirmed(self) -> None:
        clock = Clock()
        result, _api = verify([by("ours")], changed("ours"), clock)
        assert (access(result), result.notes, result.status) == ([(True, "RoleBinding b/ours")], (), "changed")
        assert clock.slept == []

    def test_an_answer_from_before_the_write_is_asked_for_again(self) -> None:
        clock = Clock()
        result, api = verify([NO, NO, NO, by("ours")], changed("ours"), clock)
        assert (access(result), result.notes) == ([(True, "RoleBinding b/ours")], ())
        assert clock.slept == [0.01, 0.02, 0.04]
        assert len(api.requests) == 4

    def test_a_grant_that_does_not_take_effect_is_reported(self) -> None:
        clock = Clock()
        result, _api = verify([NO], changed("ours"), clock)
        assert result.notes == (
            "User bob may not pull from b, although it was granted: cluster role puller does not allow 'get' on "
            "imagestreams/layers",
        )
        assert 2.0 <= sum(clock.slept) < 2.6
        assert max(clock.slept) == 0.5

    def test_the_first_answer_counts_if_nothing_was_written(self) -> None:
        clock = Clock()
        result, api = verify([NO], UNCHANGED, clock)
        assert len(api.requests) == 1
        assert "may not pull" in result.notes[1]


class TestRevoked:
    def test_a_revocation_is_confirmed(self) -> None:
        result, api = verify([NO], changed("ours"), present=False)
        assert (access(result), result.notes, len(api.requests)) == ([(False, None)], (), 1)

    @pytest.mark.parametrize("edited", ["ours", "of-somebody-else"])
    def test_an_answer_by_any_binding_that_was_edited_is_asked_for_again(self, edited: str) -> None:
        """`revoke_from: every_binding` also edits bindings other than `binding_name`."""
        clock = Clock()
        result, _api = verify([by(edited), by(edited), NO], changed("ours", "of-somebody-else"), clock, present=False)
        assert (access(result), result.notes) == ([(False, None)], ())
        assert clock.slept == [0.01, 0.02]

    def test_another_binding_is_reported_at_once(self) -> None:
        clock = Clock()
        result, _api = verify([by("third")], changed("ours"), clock, present=False)
        assert result.notes == ("User bob may still pull from b, by RoleBinding b/third",)
        assert clock.slept == []

    def test_an_outdated_answer_is_reported_without_a_claim(self) -> None:
        result, _api = verify([by("ours")], changed("ours"), present=False)
        assert result.notes == (
            "the API server still names RoleBinding b/ours, from which this task removed User bob 2 s ago: run again to see "
            "whether it may still pull from b",
        )

    def test_the_first_answer_counts_if_nothing_was_written(self) -> None:
        result, api = verify([by("ours")], UNCHANGED, present=False)
        assert len(api.requests) == 1
        assert result.notes == ("noted", "User bob may still pull from b, by RoleBinding b/ours")


class TestCheckMode:
    def test_check_mode_reports_the_current_access_and_disproves_nothing(self) -> None:
        result, api = verify([NO], changed("ours"), check=True)
        assert (access(result), result.notes, len(api.requests)) == ([(False, None)], (), 1)


class TestErrors:
    def refused(self, status: int, reason: str) -> tuple[NamespaceResult, FakeApi]:
        api = FakeApi()
        api.fail("POST", status_object(status, reason, "no"), times=10**9)
        desired = ImagePullerGrant((BOB,), "puller", "ours", present=True, verify_access=True)
        clock = Clock()
        settings = RunSettings(False, concurrency=1, clock=EngineClock(clock.now, clock.sleep))
        outcome = verify_access(api.cluster(clock), Batch.of_one(desired, ["b"]), Outcome([changed("ours")]), settings)
        return outcome.namespaces[0], api

    def test_a_missing_right_to_ask_is_reported_as_not_verified(self) -> None:
        result, api = self.refused(403, "Forbidden")
        assert access(result) == [(None, None)]
        assert result.status == "changed"
        assert len(result.notes) == 1
        assert result.notes[0].startswith(
            "whether they may pull was not verified: asking whether User bob may pull from b"
        )
        assert len(api.requests) == 1

    def test_any_other_error_fails_the_namespace(self) -> None:
        result, _api = self.refused(400, "BadRequest")
        assert result.status == "failed"
        assert result.error.startswith(
            "whether they may pull was not verified: asking whether User bob may pull from b"
        )
        assert result.changes == changed("ours").changes


class TestEntries:
    """Of several grants for one namespace, each grant with verification is verified and fails on its own."""

    ANN = Subject("User", "ann")

    def verify(
        self, api: FakeApi, result: NamespaceResult, *grants: ImagePullerGrant, namespace: str = "b"
    ) -> NamespaceResult:
        declared = [Declaration(grant, Entry("grants", number)) for number, grant in enumerate(grants)]
        clock = Clock()
        settings = RunSettings(False, concurrency=1, clock=EngineClock(clock.now, clock.sleep))
        batch = Batch(ROLE_BINDING, {namespace: declared})
        return verify_access(api.cluster(clock), batch, Outcome([result]), settings).namespaces[0]

    def grant(self, *subjects: Subject, **more: Any) -> ImagePullerGrant:
        given = {"role": "puller", "binding_name": "ours", "present": True, "verify_access": True}
        return ImagePullerGrant(subjects, **{**given, **more})

    @pytest.fixture
    def api(self) -> FakeApi:
        api = FakeApi()
        api.review = lambda spec: by("ours") if spec["user"] != "jane" else NO
        return api

    def test_answers_name_their_entry(self, api: FakeApi) -> None:
        result = self.verify(
            api, UNCHANGED, self.grant(BOB, JANE), self.grant(self.ANN, verify_access=False), self.grant(self.ANN)
        )
        assert [(answer["entry"], answer["subject"], answer["allowed"]) for answer in result.extra["may_pull"]] == [
            (0, "User bob", True),
            (0, "User jane", False),
            (2, "User ann", True),
        ]
        assert [request.body["spec"]["user"] for request in api.requests] == ["bob", "jane", "ann"]
        assert result.extra["more"] == 1
        assert [note for note in result.notes if "jane" in note] == [result.notes[1]]

    def test_the_answer_for_a_single_declaration_names_no_entry(self, api: FakeApi) -> None:
        result, _api = verify([NO], UNCHANGED)
        assert "entry" not in result.extra["may_pull"][0]

    def test_a_failed_grant_is_not_asked_about(self, api: FakeApi) -> None:
        failed = NamespaceResult("b", "failed", failures=(Failure(Entry("grants", 0), "no"),))
        result = self.verify(api, failed, self.grant(BOB), self.grant(self.ANN))
        assert [answer["entry"] for answer in result.extra["may_pull"]] == [1]
        assert result.failures == failed.failures

    def test_a_grant_that_cannot_be_verified_fails_alone(self, api: FakeApi) -> None:
        api.fail("POST", status_object(400, "BadRequest", "no"))
        result = self.verify(api, changed("ours"), self.grant(BOB), self.grant(self.ANN))
        assert (result.status, result.error) == ("failed", "")
        assert [failure.entry.position for failure in result.failures] == [0]
        assert result.failures[0].error.startswith("whether they may pull was not verified: ")
        assert [answer["entry"] for answer in result.extra["may_pull"]] == [1]

    def test_a_missing_right_to_ask_is_reported_for_each_grant(self, api: FakeApi) -> None:
        api.fail("POST", status_object(403, "Forbidden", "no"), times=2)
        result = self.verify(api, changed("ours"), self.grant(BOB), self.grant(self.ANN))
        assert [(answer["entry"], answer["allowed"]) for answer in result.extra["may_pull"]] == [(0, None), (1, None)]
        assert result.status == "changed"

    def test_a_namespace_of_no_entry_is_left_alone(self, api: FakeApi) -> None:
        skipped = NamespaceResult("b", "unchanged")
        assert self.verify(api, skipped, self.grant(BOB), namespace="other") == skipped
        assert api.asked == []

    def test_a_grant_without_verify_access_is_not_asked_about(self, api: FakeApi) -> None:
        assert self.verify(api, UNCHANGED, self.grant(BOB, verify_access=False)) == UNCHANGED
        assert api.asked == []
