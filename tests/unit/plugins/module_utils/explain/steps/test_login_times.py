# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A secret was changed before or after the node's last attempt."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SECRET, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import Lookup, ReadRequired
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.steps.login import (
    CHANGED_BEFORE,
    CHANGED_SINCE,
    CLOSE,
    NOT_KNOWN,
    order_of,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.pull_messages import POD_EVENTS
from support.pull_evidence import REFUSED, at, changed, pod, pulling, template

EVENTS = ObjectRef(POD_EVENTS, "ns", "p")


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
