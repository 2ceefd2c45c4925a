# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guard reads only if something is removed, and a cluster that fails stops the run. tests/modules/test_guard.py has its judgements."""

from __future__ import annotations

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.changes import Change
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import Refusal
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SECRET, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.reconciliation import PlannedChanges
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.result import Outcome
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.run import Clock as EngineClock
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.run import RunSettings
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_questions import RegistryAccess
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.run_change_guard import (
    ChangeGuard,
    GuardAccess,
    GuardScope,
    judge_effects,
)
from support.fake_api import FakeApi
from support.scripted_pool import Clock, status_object

SECRET_REF = ObjectRef(SECRET, "a", "pull")
ACCESS = GuardAccess(RegistryAccess())
DELETED, ADDED = Change("delete", SECRET_REF, {}), Change("create", SECRET_REF, {})
UNAUTHORIZED = status_object(401, "Unauthorized", "Unauthorized")


@pytest.fixture
def api() -> FakeApi:
    api = FakeApi()
    api.put("namespaces", "", "a")
    return api


def settings(clock: Clock) -> RunSettings:
    return RunSettings(check_mode=False, concurrency=1, clock=EngineClock(clock.now, clock.sleep))


def guard(api: FakeApi, access: GuardAccess | None) -> ChangeGuard:
    clock = Clock()
    return ChangeGuard(api.cluster(clock), access, settings(clock))


class TestChangeGuard:
    def test_without_the_option_nothing_is_read_and_the_result_is_unchanged(self, api: FakeApi) -> None:
        it = guard(api, None)
        assert it.judge is None
        assert it.add_to(Outcome([])) == Outcome([])
        assert api.asked == []

    def test_a_change_that_only_adds_is_not_judged(self, api: FakeApi) -> None:
        it = guard(api, ACCESS)
        assert it.judge is not None
        assert it.judge(PlannedChanges([ADDED])) == {}
        assert it.add_to(Outcome([])).extra == {"guard": {"would_break": [], "unknown": 0}}
        assert api.asked == []

    def test_a_failing_cluster_is_a_refusal_that_names_the_option(self, api: FakeApi) -> None:
        api.fail("GET", UNAUTHORIZED, times=1000)
        judge = guard(api, ACCESS).judge
        assert judge is not None
        with pytest.raises(Refusal, match="no removal was made, because option 'guard' could not check") as caught:
            judge(PlannedChanges([DELETED]))
        assert "set 'guard: false'" in str(caught.value)
        assert api.writes == []


class TestRemovals:
    def test_without_removals_nothing_is_read(self, api: FakeApi) -> None:
        clock = Clock()
        scope = GuardScope(api.cluster(clock), ["a"], ACCESS, settings(clock))
        assert judge_effects(scope, {}, lambda _refused, _places: []).refused == {}
        assert api.asked == []

    def test_a_cluster_that_fails_after_the_namespaces_is_a_refusal(self, api: FakeApi) -> None:
        clock = Clock()
        scope = GuardScope(api.cluster(clock), ["a"], ACCESS, settings(clock))
        api.fail("GET", UNAUTHORIZED, times=1000)
        with pytest.raises(Refusal, match="no removal was made"):
            judge_effects(scope, {SECRET_REF: [SECRET_REF]}, lambda _refused, _places: [DELETED])
