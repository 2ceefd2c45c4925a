# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A pull is compared before and after. Changes that touch nothing of it cost nothing."""

from __future__ import annotations

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.chain import (
    PULLS,
    UNKNOWN,
    WILL_NOT_PULL,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.subjects import pulls_of_pod
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_audit.trim import trim_pod
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.effects import patches_of
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.evaluation import (
    NOT_KNOWN,
    STILL_BROKEN,
    STILL_PULLS,
    WOULD_BREAK,
    WOULD_WORK,
    PresentPulls,
    PullEvaluator,
    answer_of,
)
from support.supposed import changes_of
from support.surveyed import account, place, pod, secret, survey

LOST = {"unreachable_registries": ["q.io"]}


@pytest.mark.parametrize(
    ("before", "after", "answer"),
    [
        (PULLS, PULLS, STILL_PULLS),
        (PULLS, WILL_NOT_PULL, WOULD_BREAK),
        (PULLS, UNKNOWN, NOT_KNOWN),
        (WILL_NOT_PULL, PULLS, WOULD_WORK),
        (WILL_NOT_PULL, WILL_NOT_PULL, STILL_BROKEN),
        (WILL_NOT_PULL, UNKNOWN, NOT_KNOWN),
        (UNKNOWN, PULLS, NOT_KNOWN),
        (UNKNOWN, WILL_NOT_PULL, WOULD_BREAK),
        (UNKNOWN, UNKNOWN, NOT_KNOWN),
    ],
)
def test_the_answer_follows_from_both_verdicts(before, after, answer) -> None:
    assert answer_of(before, after) == answer


def compared(one, *given):
    """The comparison for a pod."""
    snapshot = survey(place(secrets=[secret("s")], accounts=[account("s")], pods=[one]))
    patches = [patches_of(each, snapshot) for each in changes_of(*given)]
    evaluator = PullEvaluator(PresentPulls(snapshot.evidence, asks=False), patches)
    (subject,) = pulls_of_pod(trim_pod(one), "a")
    return evaluator.compare(subject)


def test_an_untouched_pull_has_one_verdict() -> None:
    found = compared(pod("s"), {"remove_secrets": {"name": "other"}})
    assert found.after is found.before
    assert (found.answer, found.touched, found.causes) == (STILL_PULLS, (), ())


def test_the_image_of_a_running_container_proves_nothing_for_the_next_pull() -> None:
    found = compared(pod("s", runs=True), LOST)
    assert (found.before.verdict, found.after.verdict) == (PULLS, WILL_NOT_PULL)
    assert "the nodes do not reach q.io" in found.after.reason


def test_only_the_changes_that_break_alone_are_causes() -> None:
    found = compared(pod("s"), {"remove_links": {"secrets": ["s"]}}, LOST, {"unreachable_registries": ["r.io"]})
    assert found.answer == WOULD_BREAK
    assert found.causes == (1,)
    assert found.touched == (1, 2)


def test_changes_that_break_only_together_are_all_causes() -> None:
    mirrors = {"add_objects": {"src": "f.yml"}}
    lost = [{"unreachable_registries": ["mirror.example.com"]}, LOST]
    alone = compared(pod("s"), mirrors, lost[0])
    assert alone.answer == STILL_PULLS
    one, other = {"only_registries": ["q.io", "x.io"]}, {"only_registries": ["x.io", "y.io"]}
    assert compared(pod("s"), one).answer == STILL_PULLS
    assert compared(pod("s"), one, other).causes == (1,)


def test_the_error_of_a_node_is_about_the_time_before_the_changes() -> None:
    denied = pod(says="Failed to pull image: unauthorized: access to the requested resource is not authorized")
    found = compared(denied, {"add_objects": {"src": "f.yml"}})
    assert found.before.verdict == WILL_NOT_PULL
    assert found.answer in (NOT_KNOWN, STILL_BROKEN)


def test_equal_pods_are_compared_once() -> None:
    snapshot = survey(place(secrets=[secret("s")], pods=[pod("s")]))
    patches = [patches_of(each, snapshot) for each in changes_of(LOST)]
    evaluator = PullEvaluator(PresentPulls(snapshot.evidence, asks=False), patches)
    one, other = (pulls_of_pod(trim_pod(pod("s", name=name)), "a")[0] for name in ("one", "two"))
    first, second = evaluator.compare(one), evaluator.compare(other)
    assert second.after is first.after
    assert second.subject.ref.name == "two"


class TestEarlier:
    """The changes replace earlier ones: both start from the present cluster."""

    def compared(self, one, earlier, *given):
        snapshot = survey(place(secrets=[secret("s")], accounts=[account("s")], pods=[one]))
        before, *patches = (patches_of(each, snapshot) for each in changes_of(earlier, *given))
        evaluator = PullEvaluator(PresentPulls(snapshot.evidence, asks=False), patches, before)
        (subject,) = pulls_of_pod(trim_pod(one), "a")
        return evaluator.compare(subject)

    def test_changes_are_compared_with_the_earlier_state(self) -> None:
        found = self.compared(pod("s"), LOST, {"new_nodes": True})
        assert (found.before.verdict, found.after.verdict, found.touched) == (WILL_NOT_PULL, PULLS, (0,))
        back = self.compared(pod("s"), {"new_nodes": True}, LOST)
        assert (back.answer, back.causes) == (WOULD_BREAK, (0,))

    def test_the_same_change_in_both_states_touches_nothing(self) -> None:
        removed = {"remove_secrets": {"name": "s"}}
        found = self.compared(pod("s"), removed, removed)
        assert found.after is found.before
        assert found.before.verdict != PULLS
        assert found.touched == ()

    def test_a_change_of_neither_is_the_present_pull(self) -> None:
        found = self.compared(pod("s"), {"remove_secrets": {"name": "one"}}, {"remove_secrets": {"name": "two"}})
        assert (found.answer, found.touched) == (STILL_PULLS, ())

    def test_the_error_of_a_node_counts_only_in_the_present_state(self) -> None:
        reason = 'Failed to pull image "q.io/team/app:v1": dial tcp: lookup q.io: no such host'
        mirrors, other = {"add_objects": {"src": "f.yml"}}, {"remove_secrets": {"name": "other"}}
        found = self.compared(pod("s", says=reason), mirrors, other)
        assert found.after.verdict == WILL_NOT_PULL
        assert "no such host" in found.after.reason
        assert found.before.verdict == UNKNOWN
        assert found.before.reason.startswith(
            "nothing visible fails in this state, but the node reports an error today: "
        )
        assert self.compared(pod("s", says=reason), other, mirrors).after == found.before
