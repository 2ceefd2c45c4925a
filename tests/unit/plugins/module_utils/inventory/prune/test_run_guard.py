# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guard of a prune leaves out the refused removals, and its result names the workloads."""

from __future__ import annotations

from typing import Any

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.changes import INSTANCE, MANAGED_BY
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import (
    POD,
    ROLE_BINDING,
    SECRET,
    ObjectRef,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.fetching import View
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.result import (
    NamespaceResult,
    Outcome,
    Status,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.subjects import ContainerPull
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.verdict import PullVerdict
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.prune.plan import Prune, list_ref
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.prune.run import WorkloadGuard
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.evaluation import Comparison
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.rows import WhatIfRow
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.run_change_guard import (
    GuardJudgement,
)

PRUNE = Prune("a", {})


def view(namespace: str, *names: str) -> View:
    def secret(name: str) -> dict[str, Any]:
        meta = {"name": name, "namespace": namespace, "uid": f"u-{name}", "resourceVersion": "7"}
        labels = {**MANAGED_BY, INSTANCE: "a"}
        return {"metadata": {**meta, "labels": labels}, "type": "kubernetes.io/dockerconfigjson", "data": {}}

    secrets = {"items": [secret(name) for name in names]}
    return View({}, {list_ref(SECRET, namespace): secrets, list_ref(ROLE_BINDING, namespace): {"items": []}})


def row(namespace: str) -> WhatIfRow:
    ref = ObjectRef(POD, namespace, "web")
    subject = ContainerPull(ref, "default", (), "app", "quay.io/team/app:v1")
    verdict = PullVerdict(subject, "will_not_pull", "no secret has a login", ())
    return WhatIfRow(ref, "app", "would_break", Comparison(subject, verdict, verdict, (0,), (0,)), 1)


VIEWS = {"one": view("one", "used", "spare"), "two": view("two", "used")}
PLANNED = {name: PRUNE.plan(name, each.objects, each.related).changes for name, each in VIEWS.items()}


def guard(*refused: str) -> WorkloadGuard:
    """Return the guard after a judgement that refuses these removals."""
    it = WorkloadGuard(PRUNE, VIEWS, PLANNED)
    broken = {each: [row("one")] for each in it.removals if each.title in refused}
    assert len(broken) == len(refused)
    return WorkloadGuard(PRUNE, VIEWS, PLANNED, GuardJudgement(broken))


def outcome(status: Status = "changed") -> Outcome:
    return Outcome([NamespaceResult("one", status, error=""), NamespaceResult("two", "changed")])


class TestPlan:
    def test_only_the_refused_removal_is_left_out(self) -> None:
        desired = guard("secret one/used").desired
        names = {
            name: [change.ref.name for change in desired.plan(name, each.objects, each.related).changes]
            for name, each in VIEWS.items()
        }
        assert names == {"one": ["spare"], "two": ["used"]}

    def test_without_a_judgement_everything_is_removed(self) -> None:
        it = WorkloadGuard(PRUNE, VIEWS, PLANNED)
        assert it.desired == PRUNE
        assert it.refused == []
        assert it.add_to(outcome(), GuardJudgement()) == outcome()

    def test_the_refused_changes_are_those_of_the_removal_alone(self) -> None:
        assert [str(change.ref) for change in guard("secret one/used").refused] == ["secret one/used"]


class TestResult:
    def test_the_namespace_of_a_refused_removal_fails_with_the_workload(self) -> None:
        found = guard("secret one/used").add_to(outcome(), GuardJudgement())
        assert [result.status for result in found.namespaces] == ["failed", "changed"]
        error = found.namespaces[0].error
        assert error.startswith("secret one/used was not removed, because option 'guard' found")
        assert "pod one/web, container app, image quay.io/team/app:v1" in error
        assert "no secret has a login" in error
        assert [each["name"] for each in found.extra["guard"]["would_break"]] == ["web"]

    def test_a_namespace_that_was_not_attempted_stays_skipped(self) -> None:
        found = guard("secret one/used").add_to(outcome("skipped"), GuardJudgement())
        assert [result.status for result in found.namespaces] == ["skipped", "changed"]
