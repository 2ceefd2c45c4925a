# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Promises 2 and 4: result, diff and summary come from the same changes; each failed namespace is named."""

from __future__ import annotations

from dataclasses import replace

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

    def test_what_the_result_holds_besides(self) -> None:
        assert Outcome([], extra={"files": ["x"], "changed": True}).report()["files"] == ["x"]
        assert Outcome([], extra={"changed": True}).report()["changed"] is True
        assert Outcome([]).with_skipped(["a"], "why").extra == {}


class TestNotes:
    def test_each_once(self) -> None:
        assert OUTCOME.notes == ["note", "other"]


class TestMessage:
    def test_one_line_with_each_failed_namespace_and_why(self) -> None:
        assert OUTCOME.message("sa_link") == "sa_link failed in 2 of 5 namespaces: c: no right; d: no answer"


class TestStopped:
    """A task that ended before all namespaces were attempted says why, once, and what was done."""

    STOPPED = replace(OUTCOME, stopped="the server is gone")

    def test_the_message_says_it_first(self) -> None:
        assert self.STOPPED.message("sa_link") == (
            "sa_link stopped: the server is gone; of 5 namespaces 1 were changed, 1 needed no change, 2 failed and 1 were not "
            "attempted; run it again to finish; failed in 2 of 5 namespaces: c: no right; d: no answer"
        )

    def test_a_failure_of_that_reason_is_not_repeated(self) -> None:
        outcome = Outcome(
            [NamespaceResult("a", "failed", error="gone"), NamespaceResult("b", "skipped")], stopped="gone"
        )
        assert outcome.message("sa_link") == (
            "sa_link stopped: gone; of 2 namespaces 0 were changed, 0 needed no change, 1 failed and 1 were not attempted; "
            "run it again to finish"
        )

    def test_it_has_failed_also_when_no_namespace_has(self) -> None:
        assert Outcome([], stopped="gone").has_failed
        assert OUTCOME.has_failed
        assert not Outcome(OUTCOME.namespaces[:2]).has_failed

    def test_further_skipped_namespaces_leave_it_so(self) -> None:
        more = self.STOPPED.with_skipped(["x", "y"], "being deleted")
        assert [(result.name, result.status, result.error) for result in more.namespaces[-2:]] == [
            ("x", "skipped", "being deleted"),
            ("y", "skipped", "being deleted"),
        ]
        assert (more.stopped, more.retries, len(more.namespaces)) == ("the server is gone", 3, 7)


class TestSize:
    """A result stays small: what nobody asked for is counted, not listed."""

    LARGE = Outcome([NamespaceResult(f"n{number}", "changed", (CHANGE,)) for number in range(101)])
    FAILED = Outcome([NamespaceResult(f"n{number}", "failed", error="no right") for number in range(30)])

    def test_a_large_diff_only_when_it_is_asked_for(self) -> None:
        assert len(self.LARGE.report(diff=True)["diff"]) == 101
        assert self.LARGE.report(diff=False)["diff"] == []
        assert len(OUTCOME.report(diff=False)["diff"]) == 2

    def test_a_message_names_the_first_failures_and_the_result_all(self) -> None:
        different = Outcome([replace(result, error=f"no right in {result.name}") for result in self.FAILED.namespaces])
        message = different.message("sa_link")
        assert message.startswith("sa_link failed in 30 of 30 namespaces: n0: no right in n0; ")
        assert message.endswith("n19: no right in n19; and 10 more, listed under 'failures'")
        assert len(self.FAILED.report()["failures"]) == 30

    def test_twenty_failures_are_all_named(self) -> None:
        outcome = Outcome(self.FAILED.namespaces[:20])
        assert outcome.message("sa_link").endswith("n18, n19: no right")

    def test_one_reason_is_said_once(self) -> None:
        assert self.FAILED.message("sa_link").startswith("sa_link failed in 30 of 30 namespaces: n0, n1, ")
        assert self.FAILED.message("sa_link").endswith("n18, n19 and 10 more: no right")

    def test_a_hundred_namespaces_are_small(self) -> None:
        unchanged = [NamespaceResult(f"n{number}", "unchanged") for number in range(101)]
        assert len(Outcome(unchanged[:100]).report()["namespaces"]) == 100
        assert Outcome(unchanged).report()["namespaces"] == []
        assert len(Outcome(unchanged).report(unchanged=True)["namespaces"]) == 101
        assert Outcome(unchanged[:100]).report(unchanged=False)["namespaces"] == []
        assert len(Outcome(self.LARGE.namespaces[:100]).report(diff=False)["diff"]) == 100

    def test_findings_are_always_listed(self) -> None:
        found = [NamespaceResult(f"n{number}", "unchanged", extra={"found": number}) for number in range(101)]
        assert len(Outcome(found).report()["namespaces"]) == 101
