# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Promises 2 and 4: result, diff and summary are made from the same changes, and each failed namespace is named."""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.changes import (
    Change,
    Entry,
    Failure,
    NamespaceNote,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.namespaces import missing_sentence
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SECRET, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.result import NamespaceResult, Outcome

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
    def test_the_report_lists_each_namespace(self) -> None:
        reported = {"action": "update", "kind": "Secret", "name": "quay", **CHANGE.details}
        assert OUTCOME.report()["namespaces"] == [
            {"name": "a", "changed": False, "status": "unchanged", "changes": [], "service_accounts": []},
            {"name": "b", "changed": True, "status": "changed", "changes": [reported]},
            {"name": "c", "changed": True, "status": "failed", "changes": [reported]},
            {"name": "d", "changed": False, "status": "failed", "changes": []},
            {"name": "e", "changed": False, "status": "skipped", "changes": [], "reason": "being deleted"},
        ]

    def test_the_report_counts_and_lists_the_failures(self) -> None:
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

    def test_the_report_does_not_hold_the_content_of_writes(self) -> None:
        assert "canary" not in repr(OUTCOME.report())

    def test_extra_results_are_added_to_the_report(self) -> None:
        assert Outcome([], extra={"files": ["x"], "changed": True}).report()["files"] == ["x"]
        assert Outcome([], extra={"changed": True}).report()["changed"] is True
        assert Outcome([]).with_skipped(["a"], "why").extra == {}


class TestNamesOfACluster:
    """The API server accepts line ends and escape sequences in some names."""

    CHANGE = replace(CHANGE, ref=ObjectRef(SECRET, "b", "quay\x1b[2J\u202e\nTASK"))

    def test_the_header_of_a_diff_is_one_line(self) -> None:
        (diff,) = Outcome([NamespaceResult("b", "changed", (self.CHANGE,))]).report()["diff"]
        assert diff["before_header"] == diff["after_header"] == "Secret b/quay [2J  TASK"

    def test_the_message_is_one_line(self) -> None:
        assert Outcome([], refused=f"removed nothing: {self.CHANGE.ref}").message("prune").isprintable()
        assert Outcome([NamespaceResult("b", "failed", error=str(self.CHANGE.ref))]).message("prune").isprintable()


class TestNotes:
    def test_notes_are_listed_once(self) -> None:
        assert OUTCOME.notes == ["note", "other"]

    def test_a_note_about_namespaces_names_the_first_ones(self) -> None:
        def noted(number: int) -> list[str]:
            note = NamespaceNote("nothing is linked")
            return Outcome([NamespaceResult(f"n{at}", "unchanged", notes=(note,)) for at in range(number)]).notes

        assert noted(1) == ["namespace n0: nothing is linked"]
        assert noted(2) == ["namespaces n0, n1: nothing is linked"]
        (many,) = noted(1000)
        assert many.endswith("n19 and 980 more: nothing is linked")


class TestMessage:
    def test_the_message_names_each_failed_namespace_with_its_reason_in_one_line(self) -> None:
        assert OUTCOME.message("sa_link") == "sa_link failed in 2 of 5 namespaces: c: no right; d: no answer"


class TestStopped:
    """A task that stopped early reports the reason once, and the completed changes."""

    STOPPED = replace(OUTCOME, stopped="the server is gone")

    def test_only_the_valid_name_of_a_single_missing_namespace_becomes_part_of_the_command(self) -> None:
        for names, shown in ((["a"], "a"), (["a", "b"], "NAME"), (["a;b"], "NAME")):
            missing = [NamespaceResult(name, "failed", error=missing_sentence("s")) for name in names]
            assert Outcome(missing).message("task").endswith(f"create it: kubectl create namespace {shown}")

    def test_the_message_of_a_stopped_task_begins_with_the_reason(self) -> None:
        assert self.STOPPED.message("sa_link") == (
            "sa_link stopped: the server is gone. Of 5 namespaces: 1 changed, 1 needed no change, 2 failed, 1 not "
            "attempted. Run it again to finish; failed in 2 of 5 namespaces: c: no right; d: no answer"
        )

    def test_a_failure_with_the_reason_of_the_stop_is_not_repeated(self) -> None:
        outcome = Outcome(
            [NamespaceResult("a", "failed", error="gone"), NamespaceResult("b", "skipped")], stopped="gone"
        )
        assert outcome.message("sa_link") == (
            "sa_link stopped: gone. Of 2 namespaces: 0 changed, 0 needed no change, 1 failed, 1 not attempted"
        )

    def test_a_task_that_reached_no_namespace_counts_none(self) -> None:
        assert (
            Outcome([NamespaceResult("a", "skipped")], stopped="refused").message("sa_link")
            == "sa_link stopped: refused"
        )

    def test_a_stopped_task_has_failed_even_if_no_namespace_has(self) -> None:
        assert Outcome([], stopped="gone").has_failed
        assert OUTCOME.has_failed
        assert not Outcome(OUTCOME.namespaces[:2]).has_failed

    def test_a_stopped_task_stays_stopped_with_more_skipped_namespaces(self) -> None:
        more = self.STOPPED.with_skipped(["x", "y"], "being deleted")
        assert [(result.name, result.status, result.error) for result in more.namespaces[-2:]] == [
            ("x", "skipped", "being deleted"),
            ("y", "skipped", "being deleted"),
        ]
        assert (more.stopped, more.retries, len(more.namespaces)) == ("the server is gone", 3, 7)


class TestSize:
    """A result stays small: details that were not requested are counted, not listed."""

    LARGE = Outcome([NamespaceResult(f"n{number}", "changed", (CHANGE,)) for number in range(101)])
    FAILED = Outcome([NamespaceResult(f"n{number}", "failed", error="no right") for number in range(30)])

    def test_a_large_diff_is_omitted_only_on_request(self) -> None:
        assert len(self.LARGE.report(diff=True)["diff"]) == 101
        assert self.LARGE.report(diff=False)["diff"] == []
        assert len(OUTCOME.report(diff=False)["diff"]) == 2

    def test_the_message_names_the_first_failures_and_the_result_lists_all(self) -> None:
        different = Outcome([replace(result, error=f"no right in {result.name}") for result in self.FAILED.namespaces])
        message = different.message("sa_link")
        assert message.startswith("sa_link failed in 30 of 30 namespaces: n0: no right in n0; ")
        assert message.endswith("n19: no right in n19; and 10 more, listed under 'failures'")
        assert len(self.FAILED.report()["failures"]) == 30

    def test_twenty_failures_are_all_named(self) -> None:
        outcome = Outcome(self.FAILED.namespaces[:20])
        assert outcome.message("sa_link").endswith("n18, n19: no right")

    def test_the_same_reason_is_reported_once(self) -> None:
        assert self.FAILED.message("sa_link").startswith("sa_link failed in 30 of 30 namespaces: n0, n1, ")
        assert self.FAILED.message("sa_link").endswith("n18, n19 and 10 more: no right")

    def test_a_hundred_unchanged_namespaces_are_listed_by_default(self) -> None:
        unchanged = [NamespaceResult(f"n{number}", "unchanged") for number in range(101)]
        assert len(Outcome(unchanged[:100]).report()["namespaces"]) == 100
        assert Outcome(unchanged).report()["namespaces"] == []
        assert len(Outcome(unchanged).report(unchanged=True)["namespaces"]) == 101
        assert Outcome(unchanged[:100]).report(unchanged=False)["namespaces"] == []
        assert len(Outcome(self.LARGE.namespaces[:100]).report(diff=False)["diff"]) == 100

    def test_the_diff_is_included_by_default(self) -> None:
        assert len(self.LARGE.report()["diff"]) == len(self.LARGE.report(diff=True)["diff"]) > 100

    def test_findings_are_always_listed(self) -> None:
        found = [NamespaceResult(f"n{number}", "unchanged", extra={"found": number}) for number in range(101)]
        assert len(Outcome(found).report()["namespaces"]) == 101


class TestBeside:
    def test_remarks_come_first(self) -> None:
        assert replace(OUTCOME, remarks=("a\nremark", "note")).notes == ["a remark", "note", "other"]

    def test_a_refused_task_has_failed_and_reports_its_reason(self) -> None:
        refused = Outcome([NamespaceResult("a", "skipped", error="x")], refused="removed nothing: too much")
        assert refused.has_failed
        assert refused.message("prune") == "prune removed nothing: too much"


class TestEntries:
    """Each change and each failure names its entry of the task."""

    ONE, TWO = Entry("secrets", 0, "quay"), Entry("secrets", 7)
    FAILED = NamespaceResult("a", "failed", (), failures=(Failure(ONE, "no right"), Failure(TWO, "no answer")))

    def test_entries_with_the_same_reason_share_it(self) -> None:
        failures = tuple(Failure(entry, "no right") for entry in (self.ONE, self.TWO))
        outcome = Outcome([replace(self.FAILED, name=name, failures=failures) for name in "ab"])
        assert outcome.message("x") == f"x failed in 2 of 2 namespaces: a, b: {self.ONE}, {self.TWO}: no right"

    def test_a_change_names_its_entries(self) -> None:
        result = NamespaceResult("a", "changed", (replace(CHANGE, entries=(self.TWO, self.ONE)),))
        assert [change["entries"] for change in result.report()["changes"]] == [[7, 0]]
        assert "entries" not in NamespaceResult("a", "changed", (CHANGE,)).report()["changes"][0]

    def test_each_failure_is_a_row_with_position_and_name(self) -> None:
        assert Outcome([self.FAILED]).report()["failures"] == [
            {"namespace": "a", "entry": 0, "name": "quay", "title": "secrets[0] (quay)", "error": "no right"},
            {"namespace": "a", "entry": 7, "name": "", "title": "secrets[7]", "error": "no answer"},
        ]

    def test_failures_of_entries_follow_that_of_the_namespace(self) -> None:
        rows = Outcome([replace(self.FAILED, error="gone")]).report()["failures"]
        assert rows[0] == {"namespace": "a", "error": "gone"}
        assert [row.get("entry") for row in rows] == [None, 0, 7]
        assert Outcome([replace(self.FAILED, error="gone")]).message("t") == (
            "t failed in 1 of 1 namespace: a: gone; a: secrets[0] (quay): no right; a: secrets[7]: no answer"
        )

    def test_the_first_twenty_failures_of_entries_are_named(self) -> None:
        for count, told in ((20, ""), (21, "; and 1 more, listed under 'failures'")):
            failures = tuple(Failure(Entry("secrets", number), f"no {number}") for number in range(count))
            message = Outcome([replace(self.FAILED, failures=failures)]).message("t")
            assert message.endswith(f"; a: secrets[19]: no 19{told}")

    def test_a_stopped_task_reports_the_failures_of_entries(self) -> None:
        result = replace(self.FAILED, error="gone")
        assert "secrets[0] (quay): no right" in Outcome([result], stopped="gone").message("t")

    def test_a_further_failure_belongs_to_the_entry_or_the_namespace(self) -> None:
        before = NamespaceResult("a", "changed", (CHANGE,), failures=(Failure(self.ONE, "x"),))
        of_entry = before.failing(self.TWO, "gone again")
        assert (of_entry.status, of_entry.error, of_entry.changes) == ("failed", "", (CHANGE,))
        assert of_entry.failures == (Failure(self.ONE, "x"), Failure(self.TWO, "gone again"))
        of_namespace = before.failing(None, "gone again")
        assert (of_namespace.status, of_namespace.error) == ("failed", "gone again")
        assert of_namespace.failures == before.failures
