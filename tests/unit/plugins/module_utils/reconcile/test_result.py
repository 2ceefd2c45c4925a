# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Promises 2 and 4: result, diff and summary come from the same changes; each failed namespace is named."""

from __future__ import annotations

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.changes import Change
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SECRET, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.reconcile.result import NamespaceResult, Outcome

CHANGE = Change(
    "update",
    ObjectRef(SECRET, "b", "quay"),
    body={"data": {"key": "canary"}},
    details={"registries": {"changed": {"quay.io": ["password"]}}},
    before={"registries": ["quay.io"]},
    after={"registries": ["quay.io", "a.io"]},
)
OUTCOME = Outcome(
    [
        NamespaceResult("a", "unchanged", notes=("note",), extra={"service_accounts": []}),
        NamespaceResult("b", "changed", (CHANGE,), notes=("note", "other")),
        NamespaceResult("c", "failed", (CHANGE,), error="no right"),
        NamespaceResult("d", "failed", error="no answer"),
        NamespaceResult("e", "skipped", error="being deleted"),
    ],
    retries=3,
)


class TestReport:
    def test_reports_each_namespace(self) -> None:
        reported = {"action": "update", "kind": "Secret", "name": "quay", **CHANGE.details}
        assert OUTCOME.report()["namespaces"] == [
            {"name": "a", "changed": False, "status": "unchanged", "changes": [], "service_accounts": []},
            {"name": "b", "changed": True, "status": "changed", "changes": [reported]},
            {"name": "c", "changed": True, "status": "failed", "changes": [reported]},
            {"name": "d", "changed": False, "status": "failed", "changes": []},
            {"name": "e", "changed": False, "status": "skipped", "changes": [], "reason": "being deleted"},
        ]

    def test_counts_and_names_the_failures(self) -> None:
        report = OUTCOME.report()
        assert report["failures"] == [{"namespace": "c", "error": "no right"}, {"namespace": "d", "error": "no answer"}]
        counts = {"total": 5, "changed": 1, "unchanged": 1, "failed": 2, "skipped": 1, "retries": 3}
        assert report["summary"] == counts

    def test_changed_and_diff_come_from_the_changes(self) -> None:
        report = OUTCOME.report()
        header = "Secret b/quay"
        diff = {"before_header": header, "after_header": header, "before": CHANGE.before, "after": CHANGE.after}
        assert (report["changed"], report["diff"]) == (True, [diff, diff])
        nothing = Outcome(OUTCOME.namespaces[:1]).report()
        assert (nothing["changed"], nothing["diff"]) == (False, [])

    def test_what_is_sent_is_not_reported(self) -> None:
        assert "canary" not in repr(OUTCOME.report())


class TestNotes:
    def test_each_once(self) -> None:
        assert OUTCOME.notes == ["note", "other"]


class TestMessage:
    def test_one_line_with_each_failed_namespace_and_why(self) -> None:
        assert OUTCOME.message("sa_link") == "sa_link failed in 2 of 5 namespaces: c: no right; d: no answer"


class TestSize:
    """A result stays small: what nobody asked for is counted, not listed."""

    LARGE = Outcome([NamespaceResult(f"n{number}", "changed", (CHANGE,)) for number in range(101)])
    FAILED = Outcome([NamespaceResult(f"n{number}", "failed", error="no right") for number in range(30)])

    def test_a_large_diff_only_when_it_is_asked_for(self) -> None:
        assert len(self.LARGE.report(diff=True)["diff"]) == 101
        assert self.LARGE.report(diff=False)["diff"] == []
        assert len(OUTCOME.report(diff=False)["diff"]) == 2

    def test_a_message_names_the_first_failures_and_the_result_all(self) -> None:
        message = self.FAILED.message("sa_link")
        assert message.startswith("sa_link failed in 30 of 30 namespaces: n0: no right; ")
        assert message.endswith("n19: no right; and 10 more, listed under 'failures'")
        assert len(self.FAILED.report()["failures"]) == 30
