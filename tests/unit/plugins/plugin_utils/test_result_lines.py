# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The results of the modules become the last line of each playbook."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.filter.result_line import result_line
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.result_lines import apply_line, rotation_line

Result = dict[str, Any]
#: A name that a user of the cluster chose.
HOSTILE = "evil\x1b[31m{{ 7 * 7 }}"
TEAMS = ("private_registry_secrets_a[0]", "private_registry_secrets_a[1]", "cross_project_pull_grants_b[0]")
WHY = "the line above that begins with fatal: or failed: says why"


def result(*namespaces: Result, failures: Sequence[Result] = (), total: int | None = None, **more: Any) -> Result:
    """Return a registered result of a module that works in namespaces."""
    summary = {"total": len(namespaces) if total is None else total}
    return {
        "changed": any(row["changes"] for row in namespaces),
        "failed": bool(failures),
        "namespaces": list(namespaces),
        "failures": list(failures),
        "summary": summary,
        **more,
    }


def row(name: str, *changes: Result, status: str = "changed") -> Result:
    return {"name": name, "status": status, "changes": list(changes)}


def secret(action: str = "create", name: str = HOSTILE) -> Result:
    return {"action": action, "kind": "Secret", "name": name}


def link(*names: str, action: str = "added", **more: Any) -> Result:
    lists = {"imagePullSecrets": {"added": [], "removed": [], action: list(names)}}
    return {"action": "update", "kind": "ServiceAccount", "name": "default", "lists": lists, **more}


def grant(*subjects: str, how: str = "granted", action: str = "create") -> Result:
    return {"action": action, "kind": "RoleBinding", "name": "b", "role": "r", **({how: list(subjects)} if how else {})}


def applied(*results: Result, check_mode: bool = False, declared: Sequence[str] | None = TEAMS, **more: Any) -> str:
    return apply_line(results, check_mode=check_mode, declared=declared, **more)


class TestApply:
    RUN = (
        result(row("n1", secret(), secret()), row("n2", secret(), secret("update")), verified_logins=2),
        result(row("n1", link("a", "b")), row("n2", link("a", action="added"), link("c", action="removed"))),
        result(row("n3", grant("s1", "s2")), row("n4", grant("s3", how="revoked", action="update"))),
    )

    def test_the_line_counts_the_secrets_that_a_removal_keeps(self) -> None:
        kept = {**row("n1"), "entries": [{"entry": 0, "kept": True}, {"entry": 1}]}
        assert applied(result(kept)).endswith(": nothing changed, 1 secret of others kept: see the warnings")

    def test_the_line_counts_all_changes(self) -> None:
        assert applied(*self.RUN) == (
            "2 of 2 teams, 4 namespaces: 3 secrets created, 1 updated, 3 links, 1 link removed, 2 grants, 1 grant removed, "
            "verified 2 logins"
        )

    def test_the_line_counts_all_changes_in_check_mode(self) -> None:
        assert applied(*self.RUN, check_mode=True) == (
            "2 of 2 teams, 4 namespaces: would create 3 secrets, update 1, add 3 links, remove 1 link, add 2 grants, remove 1 grant, "
            "verified 2 logins"
        )

    def test_a_link_in_both_lists_of_an_account_counts_once(self) -> None:
        lists = {name: {"added": ["a"], "removed": []} for name in ("imagePullSecrets", "secrets")}
        both = result(row("n", {"action": "update", "kind": "ServiceAccount", "name": "x", "lists": lists}))
        assert applied(both) == "2 of 2 teams, 1 namespace: 1 link"

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            (link("a", action="added") | {"action": "create"}, "1 link, 1 service account created"),
            ({"action": "update", "kind": "ServiceAccount", "name": "x", "labels": ["l"]}, "1 service account labeled"),
            ({"action": "update", "kind": "RoleBinding", "name": "x", "labels": ["l"]}, "1 role binding labeled"),
            (grant("s", how="pruned", action="update"), "1 grant removed"),
            (grant(how="", action="delete"), "1 role binding removed"),
            ({"action": "delete", "kind": "Pod", "name": "x"}, "1 pod restarted"),
            (secret("replace"), "1 secret replaced"),
            ({"action": "delete", "kind": "Odd", "name": "x"}, "1 object removed"),
        ],
    )
    def test_a_change_is_counted_by_its_kind(self, change: Result, words: str) -> None:
        assert applied(result(row("n", change))) == f"2 of 2 teams, 1 namespace: {words}"

    def test_pods_that_need_a_restart_are_counted_once(self) -> None:
        waits = {"name": HOSTILE, "owner": "ReplicaSet a", "waiting_reason": "ErrImagePull", "has_own_list": False}
        runs = {**waits, "name": "runs", "waiting_reason": None}
        own = {**waits, "name": "own", "has_own_list": True}
        entries = [{"entry": 0, "pods": [waits, runs, own]}, {"entry": 1, "pods": [waits]}]
        told = "2 of 2 teams, 1 namespace: nothing changed, 2 pods need a restart to get the secret"
        assert applied(result(row("n") | {"entries": entries})) == f"{told} ('restart_pods: stuck' restarts 1 of them)"
        restarted = row("n", {"action": "delete", "kind": "Pod", "name": HOSTILE}) | {"pods": [waits, runs]}
        assert applied(result(restarted)) == (
            "2 of 2 teams, 1 namespace: 1 pod restarted, 1 pod needs a restart to get the secret"
        )

    def test_skipped_tasks_are_not_counted(self) -> None:
        skipped = {"changed": False, "skipped": True, "skip_reason": "Conditional result was False"}
        assert (
            applied({}, skipped, result(row("n", status="unchanged"))) == "2 of 2 teams, 1 namespace: nothing changed"
        )
        assert applied({}, result(row("n")), check_mode=True) == "2 of 2 teams, 1 namespace: nothing would change"

    def test_a_failed_entry_counts_for_its_team(self) -> None:
        failure = {"namespace": "n1", "entry": 0, "name": "pull", "title": f"{TEAMS[1]} (pull)", "error": HOSTILE}
        failed = result(row("n1", status="failed"), row("n2", secret()), failures=[failure, failure])
        assert applied(failed) == f"1 of 2 teams, 2 namespaces: 1 secret created, failed in 1 namespace: {WHY}"

    def test_a_failed_namespace_hides_the_count_of_teams(self) -> None:
        failed = result(row("n1", status="failed"), failures=[{"namespace": "n1", "error": HOSTILE}])
        assert applied(failed, result(row("n1", status="failed"), failures=[{"namespace": "n1", "error": "x"}])) == (
            f"2 teams, 1 namespace: failed in 1 namespace: {WHY}"
        )

    def test_an_entry_that_fails_before_any_namespace_is_counted(self) -> None:
        asked = {"failed": True, "failures": [{"entry": 0, "title": f"{TEAMS[2]} (quay.io)", "error": HOSTILE}]}
        assert applied(asked, self.RUN[0]) == (
            f"1 of 2 teams, 2 namespaces: 3 secrets created, 1 updated, verified 2 logins, failed for 1 entry: {WHY}"
        )

    def test_an_entry_without_a_write_is_counted_as_failed(self) -> None:
        problems = [f"{TEAMS[2]}: registry wants logins sent to evil: another host"]
        asked = {"failed": True, "failures": [{"entry": 0, "title": f"{TEAMS[2]} (quay.io)", "error": HOSTILE}]}
        assert applied({}, problems=problems) == f"1 of 2 teams, 0 namespaces: failed for 1 entry: {WHY}"
        assert applied(asked, problems=problems) == f"1 of 2 teams, 0 namespaces: failed for 1 entry: {WHY}"

    def test_a_refused_task_is_reported_as_stopped(self) -> None:
        line = applied({"failed": True, "msg": HOSTILE}, declared=None)
        assert line == f"stopped: {WHY}"
        assert applied(self.RUN[0], {"failed": True, "msg": HOSTILE}).startswith("2 teams, 2 namespaces: 3 secrets")

    def test_skipped_namespaces_are_counted(self) -> None:
        assert applied(result(row("n1", secret()), row("n2", status="skipped"))) == (
            "2 of 2 teams, 2 namespaces: 1 secret created, 1 namespace skipped"
        )

    def test_entries_of_variables_without_a_suffix_are_counted_as_entries(self) -> None:
        assert applied(self.RUN[0], declared=["private_registry_secrets[0]"]).startswith("1 of 1 entry, ")
        assert applied(self.RUN[0], declared=["private_registry_secrets[0]", TEAMS[0]]).startswith("2 of 2 entries, ")

    def test_unchanged_namespaces_of_a_large_result_are_counted(self) -> None:
        large = result(row("n1", secret()), total=1000)
        assert applied(large).startswith("2 of 2 teams, 1,000 namespaces: ")
        assert applied(large, result(row("n1"), total=1000)).startswith("2 of 2 teams, 1,000 namespaces: ")
        assert applied(large, result(row("other"), total=1)).startswith("2 of 2 teams, at least 1,000 namespaces: ")

    def test_pruned_objects_do_not_count_as_declared(self) -> None:
        pruned = result(row("gone", secret("delete"), link("x", action="removed")), prune={})
        assert applied(self.RUN[0], pruned) == (
            "2 of 2 teams, 2 namespaces: 3 secrets created, 1 updated, 1 removed, 1 link removed, verified 2 logins"
        )

    def test_a_run_without_declarations_is_reported(self) -> None:
        assert applied(declared=[]) == "nothing is declared"
        assert applied({"skipped": True}, declared=[], nothing="Nothing for my-cluster") == "Nothing for my-cluster"
        assert applied({"failed": True, "msg": "x"}, declared=[]).endswith(f"stopped: {WHY}")


def test_no_name_of_a_cluster_is_in_any_line() -> None:
    name = {"namespace": HOSTILE, "name": HOSTILE, "error": HOSTILE, "title": TEAMS[0]}
    bad = result(row(HOSTILE, secret(), link(HOSTILE), grant(HOSTILE)), failures=[name], msg=HOSTILE)
    rotation = {"copies": {"to_change": 1, "kept": 0}, "not_declared_count": 1, "not_declared": [name]}
    lines = [
        applied(bad, {"failed": True, "msg": HOSTILE}),
        rotation_line([bad], plan={"rotation": rotation}, seen={"rotation": rotation}, check_mode=False),
        result_line({**bad, "msg": HOSTILE}, "export", check_mode=False),
        result_line([bad], "account", account="ns/name", check_mode=False),
    ]
    assert not [line for line in lines if "evil" in line or "\x1b" in line or "{{" in line]


class TestRotation:
    PLAN = {"rotation": {"copies": {"to_change": 3}, "not_declared_count": 0}}
    SEEN = {"rotation": {"copies": {"to_change": 0, "kept": 0}, "not_declared_count": 2}}
    RUN = (result(row("n1", secret("update"))), result(row("n1"), row("n2", secret("update"), secret("update"))))

    def test_the_line_reports_a_finished_rotation(self) -> None:
        assert rotation_line(self.RUN, plan=self.PLAN, seen=self.SEEN, check_mode=False, retired=True) == (
            "3 secrets updated in 2 namespaces, 0 confirmed secrets left with the old login, 2 unconfirmed secrets not changed "
            "(pods with them may no longer pull), the registry refuses the old login"
        )

    def test_the_line_reports_that_the_old_login_is_not_retired(self) -> None:
        run = {"plan": self.PLAN, "seen": self.SEEN, "check_mode": False}
        line = rotation_line([{}, result()], **run)
        assert line.startswith("no secret changed, 0 confirmed") and line.endswith(", the old login is not retired")
        line = rotation_line([{}, result()], **run, already_refused=False)
        assert line.endswith(
            ", the old login is not retired: run again with credential_rotation_retire_tasks. Or wait until no pod needs it, disable it at the "
            "registry, and run again with -e credential_rotation_verify_revoked=true"
        )
        line = rotation_line([{}, result()], **run, already_refused=False, is_declared=True)
        assert (
            ", the old login is not retired: replace it in the inventory, and run again with credential_rotation_retire_tasks. Or"
            in line
        )

    def test_the_line_names_the_user_of_the_login_to_disable(self) -> None:
        run = {"plan": self.PLAN, "seen": self.SEEN, "check_mode": False, "usernames": ["u", "n"]}
        line = rotation_line(self.RUN, **run, already_refused=False)
        assert ", the old login (u) is not retired: run again with" in line

    def test_a_rollback_names_both_users_and_advises_nothing_to_disable(self) -> None:
        """The secrets have the old login again."""
        back = {"plan": self.PLAN, "check_mode": False, "is_rollback": True, "usernames": ["n", "u"]}
        seen = {"rotation": {**self.SEEN["rotation"], "not_declared_count": 0}}
        assert rotation_line(self.RUN, **back, seen=seen, already_refused=False) == (
            "3 secrets updated in 2 namespaces: they have the login of u again, 0 confirmed secrets left with the login of n"
        )
        one = rotation_line(self.RUN[:1], **back, seen={})
        assert one == "1 secret updated in 1 namespace: it has the login of u again"
        assert rotation_line([{}], **back, seen=seen) == (
            "no secret changed, 0 confirmed secrets left with the login of n"
        )
        failed = rotation_line([{"failed": True}], **{**back, "usernames": []}, seen={})
        assert failed == f"no secret changed, stopped: {WHY}"
        check = rotation_line(self.RUN, **{**back, "check_mode": True}, seen={})
        assert check == "would update 3 secrets in 2 namespaces"

    def test_the_line_reports_that_there_was_no_login_to_retire(self) -> None:
        """The registries also refuse a mistyped login."""
        run = {"plan": self.PLAN, "seen": self.SEEN, "check_mode": False}
        line = rotation_line([{}, result()], **run, retired=True, already_refused=True)
        assert line.endswith(
            ", nothing was retired: the registries refused the old login before, so it was retired earlier, or is mistyped"
        )
        assert rotation_line(self.RUN, **run, retired=True, already_refused=False).endswith(
            ", the registry refuses the old login"
        )

    def test_check_mode_counts_secrets_that_would_change(self) -> None:
        line = rotation_line(self.RUN, plan=self.PLAN, seen={}, check_mode=True)
        assert line == "would update 3 secrets in 2 namespaces"
        assert rotation_line([{}], plan=self.PLAN, seen={}, check_mode=True) == "no secret would change"

    def test_the_lines_of_a_plan_come_first(self) -> None:
        run = {"plan": self.PLAN, "seen": {}, "check_mode": True}
        assert rotation_line([{}], **run, told={"msg": ["a", "b"]}) == ["a", "b", "no secret would change"]
        for told in ({"msg": []}, {"msg": "it was refused"}, {}, None):
            assert rotation_line([{}], **run, told=told) == "no secret would change"

    def test_check_mode_counts_secrets_that_only_the_plan_would_change(self) -> None:
        rows = [{"namespace": HOSTILE, "name": HOSTILE, "declared": name == "a"} for name in "abc"]
        planned = {"rotation": {**self.PLAN["rotation"], "secrets": rows, "not_declared_count": 2}}
        run = {"plan": planned, "seen": {"changed": False, "skipped": True}, "check_mode": True}
        more = "2 unconfirmed secrets would change if you confirm them, such as with the plan"
        assert rotation_line([{}], **run) == f"no confirmed secret would change, {more}"
        assert rotation_line(self.RUN, **run) == f"would update 3 secrets in 2 namespaces, {more}"
        assert rotation_line([{}], **run, has_plan=True) == (
            "no confirmed secret would change, 2 secrets with the old login not in the plan"
        )
        planned["rotation"] |= {"secrets": rows[:2], "not_declared_count": 3}
        assert rotation_line([{}], **run) == (
            "no confirmed secret would change, 1 unconfirmed secret would change if you confirm it, such as with the plan, "
            "2 unconfirmed secrets not changed"
        )
        done = rotation_line([{}], **{**run, "check_mode": False})
        assert done == "no secret changed, 3 unconfirmed secrets not changed, the old login is not retired"

    def test_confirmed_secrets_that_keep_the_old_login_are_left(self) -> None:
        seen = {"rotation": {"copies": {"to_change": 1, "kept": 2}, "not_declared_count": 0}}
        line = rotation_line(self.RUN, plan=self.PLAN, seen=seen, check_mode=False)
        assert "3 confirmed secrets left with the old login" in line

    def test_changes_for_an_immutable_secret_are_counted_by_kind_and_action(self) -> None:
        annotated = {**secret("update"), "annotations": ["openshift.io/image.excludeSecret"]}
        beside = row("n3", {**secret(), "rotated_from": HOSTILE}, link("x-2"), link("x-2"), annotated)
        line = rotation_line([*self.RUN, result(beside)], plan=self.PLAN, seen=self.SEEN, check_mode=False)
        assert line.startswith("1 secret created, 3 updated, 1 annotated, 2 links in 3 namespaces, 0 confirmed")
        line = rotation_line([*self.RUN, result(beside)], plan=self.PLAN, seen={}, check_mode=True)
        assert line == "would create 1 secret, update 3, annotate 1, add 2 links in 3 namespaces"

    def test_an_unknown_end_of_the_old_login_is_reported_as_unknown(self) -> None:
        line = rotation_line(self.RUN, plan=self.PLAN, seen=self.SEEN, check_mode=False, retired=None)
        assert line.endswith(", it is not known whether the registry refuses the old login")

    def test_a_failed_plan_is_reported_as_stopped(self) -> None:
        failed = [{"failed": True}]
        line = rotation_line(failed, plan={}, seen={}, check_mode=False)
        assert line == f"no secret changed, the old login is not retired, stopped: {WHY}"
        # It is not known whether a secret would change.
        assert rotation_line(failed, plan={}, seen={}, check_mode=True) == f"stopped: {WHY}"

    def test_failed_namespaces_are_counted(self) -> None:
        failed = result(row("n", status="failed"), failures=[{"namespace": "n", "error": HOSTILE}])
        line = rotation_line([failed], plan={}, seen={}, check_mode=False)
        assert line == f"no secret changed, the old login is not retired, failed in 1 namespace: {WHY}"


class TestAudit:
    REPORT = {
        "clusters": ["a", "b"],
        "counts": {"error": 1, "warning": 1200, "info": 0},
        "paths": {"html": "/r/a.html"},
        "not_known": 0,
        "not_tested": 0,
        "incomplete": [],
        "rules": {"error": {"secret-unparsable": 1}, "warning": {"link-dangling": 1200}},
        "failing": {},
    }

    WHY, ASK = ", see rule pull-not-known", ": run again with -e ask_registries=true"

    @pytest.mark.parametrize(
        ("counts", "gaps"),
        [
            ({"not_known": 3}, f"3 containers not known{WHY}"),
            ({"not_tested": 1}, f"1 container with a login that was not tested{ASK}"),
            (
                {"not_known": 1, "not_tested": 2},
                f"1 container not known{WHY}; 2 containers with a login that was not tested{ASK}",
            ),
            ({"incomplete": ["a"]}, "1 cluster not read completely, so findings can be missing"),
            (
                {"not_known": 1, "incomplete": ["a"]},
                f"1 container not known{WHY}; 1 cluster not read completely, so findings can be missing",
            ),
        ],
        ids=range(5),
    )
    def test_gaps_are_counted_with_the_command_that_asks(self, counts: dict[str, Any], gaps: str) -> None:
        assert result_line({**self.REPORT, **counts}, "audit").endswith(f"a.html; {gaps}")

    def test_the_line_contains_counts_and_the_path_of_the_report(self) -> None:
        assert (
            result_line(self.REPORT, "audit")
            == "2 clusters: found 1 error of secret-unparsable (1), 1,200 warnings of link-dangling (1,200), 0 infos, report: /r/a.html"
        )

    def test_a_comparison_counts_the_findings_that_are_new_and_gone(self) -> None:
        compared = {"new": {"error": 1, "warning": 1200, "info": 2}, "gone": {"error": 0, "warning": 4, "info": 0}}
        line = result_line({**self.REPORT, **compared}, "audit")
        assert line.endswith("0 infos, 1,203 new and 4 gone since the older audit, report: /r/a.html")

    def test_the_rules_that_fail_the_audit_are_named_with_the_variable(self) -> None:
        line = result_line({**self.REPORT, "failing": {"secret-type-unread": 1200, "no-login": 1}}, "audit")
        told = "fail_on selects findings of secret-type-unread (1,200) and no-login (1)"
        assert line.endswith(f"a.html; failed because {told}")

    def test_objects_that_were_not_read_fail_the_audit_with_a_reason(self) -> None:
        line = result_line({**self.REPORT, "incomplete": ["a"], "failed": True}, "audit")
        assert line.endswith("; failed because fail_on is set, and not everything could be read")

    def test_a_cluster_without_an_audit_is_counted(self) -> None:
        line = result_line({**self.REPORT, "missing": ["b"], "paths": {}}, "audit")
        assert (
            line
            == "2 clusters: found 1 error of secret-unparsable (1), 1,200 warnings of link-dangling (1,200), 0 infos, 1 cluster not "
            "audited, report: not written in check mode"
        )

    def test_a_failed_audit_is_reported_as_stopped(self) -> None:
        assert result_line({"failed": True, "msg": HOSTILE}, "audit") == f"stopped: {WHY}"


class TestWhatIf:
    ANSWER = {"counts": {"would_break": 1, "unknown": 0, "still_broken": 1, "would_work": 0, "still_pulls": 1200}}

    def test_the_line_adds_the_counts_of_all_clusters(self) -> None:
        other = {"counts": {**self.ANSWER["counts"], "would_work": 2}, "failed": True, "msg": HOSTILE}
        assert result_line([self.ANSWER], "what_if") == (
            "1 cluster: 1 container would no longer get its image, 0 not known, 1 fails today as well, 1,200 still pull"
        )
        assert result_line([self.ANSWER, other], "what_if") == (
            "2 clusters: 2 containers would no longer get their image, 0 not known, 2 fail today as well, 2 repaired, "
            "2,400 still pull"
        )

    def test_pulls_that_would_break_may_fail_today_if_no_registry_was_asked(self) -> None:
        hint = "registries not asked (-e ask_registries=true asks them)"
        harmless = {"counts": {**self.ANSWER["counts"], "would_break": 0}}
        for answer, asked, is_shown in (
            (self.ANSWER, False, True),
            (self.ANSWER, True, False),
            (harmless, False, False),
        ):
            assert (hint in result_line([answer], "what_if", asked=asked)) is is_shown

    def test_the_line_names_everything_that_is_not_known(self) -> None:
        counts = {**self.ANSWER["counts"], "unknown": 3, "not_affected": 1000}
        answer = {"counts": counts, "not_asked": 2, "not_applied": 1}
        assert result_line([answer, answer], "what_if") == (
            "2 clusters: 2 containers would no longer get their image, 6 not known, registries not asked for 4 of them "
            "(-e ask_registries=true asks them), 2 parts of the "
            "inventory not applied, 2 fail today as well, 2,400 still pull, 2,000 not affected"
        )

    @pytest.mark.parametrize(
        ("idle", "named"),
        [
            ([], ""),
            ([[1]], "change 1 affects nothing that was read (check the names, see the warning)"),
            ([[1, 2], [2]], "change 2 affects nothing that was read (check the names, see the warning)"),
            (
                [[1, 2, 3], [1, 3], None],
                "changes 1 and 3 affect nothing that was read (check the names, see the warning)",
            ),
            ([[1], [2]], ""),
            ([None], ""),
        ],
        ids=str,
    )
    def test_a_change_that_affects_nothing_on_any_cluster_is_named(
        self, idle: list[list[int] | None], named: str
    ) -> None:
        """A change can be meant for one of many clusters. A cluster that was not read says nothing."""
        for kind, refused in (("remove_secrets", named), ("moved", "")):
            results = [
                {"failed": True}
                if each is None
                else {**self.ANSWER, "without_effect": [{"number": at, "kind": kind} for at in each]}
                for each in idle
            ]
            assert result_line(results, "idle_changes") == refused
            assert not named or result_line(results, "what_if").count(named) == 1

    def test_a_cluster_that_was_not_read_is_counted(self) -> None:
        line = result_line([self.ANSWER, {"failed": True, "msg": HOSTILE}], "what_if")
        assert line.startswith("1 cluster: ") and line.endswith(", 1 cluster not read")
        assert result_line([{"failed": True, "msg": HOSTILE}], "what_if") == f"stopped: {WHY}"


class TestExport:
    DONE = result(
        row("a", status="unchanged"),
        private_registry_secrets=[{}],
        cross_project_pull_grants=[{}, {}],
        files=["/h/a.yml", "/h/b.yml"],
        left_out={"x": 6, "y": 1},
        not_exported=[{"name": HOSTILE}],
    )

    def test_the_line_names_written_objects_and_files(self) -> None:
        assert result_line(self.DONE, "export", check_mode=False) == (
            "1 secret and 2 grants of 1 namespace written to /h/a.yml and /h/b.yml, 7 objects of the platform left out, "
            "1 object not expressed"
        )
        assert "would be written to /h/a.yml" in result_line(self.DONE, "export", check_mode=True)

    def test_unchanged_files_are_reported_as_up_to_date(self) -> None:
        rest = {"files": [], "left_out": {}, "not_exported": []}
        assert result_line({**self.DONE, **rest}, "export", check_mode=False) == (
            "1 secret and 2 grants of 1 namespace: the files are up to date"
        )

    def test_a_namespace_that_cannot_be_read_is_counted(self) -> None:
        failed = result(row("a", status="failed"), failures=[{"namespace": "a", "error": HOSTILE}])
        assert result_line(failed, "export", check_mode=False) == f"no file was written, failed in 1 namespace: {WHY}"


class TestAccount:
    CHANGES = row(
        "ns",
        *({"action": "create", "kind": kind, "name": "x"} for kind in ("ServiceAccount", "ClusterRole", "ClusterRole")),
    )

    def line(self, *results: Result, check_mode: bool = False, **more: Any) -> str:
        return result_line(results, "account", account="ns/name", check_mode=check_mode, **more)

    def test_the_line_names_the_kubeconfig_and_the_token_expiry(self) -> None:
        made = result(self.CHANGES, files=["/h/k"], token_expires="2026-12-24T18:00:00Z", token="secret-token")
        assert self.line(made) == (
            "account ns/name: 2 cluster roles created, 1 service account created, kubeconfig is in /h/k, its token ends "
            "2026-12-24T18:00:00Z"
        )

    def test_check_mode_counts_objects_that_would_be_created(self) -> None:
        assert self.line(result(self.CHANGES, files=["/h/k"]), check_mode=True) == (
            "account ns/name: would create 2 cluster roles, create 1 service account, kubeconfig would be in /h/k"
        )

    def test_an_object_of_another_kind_is_counted_as_an_object(self) -> None:
        changes = row("ns", {"action": "create", "kind": "ConfigMap", "name": "x"})
        assert self.line(result(changes)) == "account ns/name: 1 object created"

    def test_an_unchanged_account_is_reported(self) -> None:
        assert self.line(result(row("ns"))) == "account ns/name: nothing changed"
        assert self.line({}, {"skipped": True}, check_mode=True) == "account ns/name: nothing would change"

    def test_the_line_names_the_file_of_rendered_objects(self) -> None:
        assert self.line({}, manifests="/h/m.yml") == "account ns/name: objects in /h/m.yml"

    def test_a_refused_account_is_reported_as_stopped(self) -> None:
        assert self.line({"failed": True, "msg": HOSTILE}) == f"account ns/name: stopped: {WHY}"


class TestNodes:
    @pytest.mark.parametrize(
        ("rolled_out", "words"),
        [(True, "all nodes that get it have it"), (None, "it is not known whether the nodes have it")],
    )
    def test_the_line_reports_whether_the_nodes_have_the_secret(self, rolled_out: bool | None, words: str) -> None:
        done = [result(row("openshift-config", secret("update"))), {"verified_logins": 2}]
        line = result_line(done, "nodes", rolled_out=rolled_out, check_mode=False)
        assert line == f"pull secret of the nodes: 1 secret updated, verified 2 logins, {words}"

    def test_check_mode_counts_the_secret_that_would_change(self) -> None:
        line = result_line([result(row("x", secret("update")))], "nodes", rolled_out=None, check_mode=True)
        assert line == "pull secret of the nodes: would update 1 secret"
        assert result_line([result()], "nodes", rolled_out=None, check_mode=True).endswith(": nothing would change")

    def test_a_refused_node_secret_is_reported_as_stopped(self) -> None:
        failure = {"failed": True, "stopped": HOSTILE, "failures": [{"namespace": "x", "error": HOSTILE}]}
        line = result_line([failure], "nodes", rolled_out=None, check_mode=False)
        assert line == f"pull secret of the nodes: failed in 1 namespace, stopped: {WHY}"


class TestVerification:
    def test_the_line_counts_logins_and_failures(self) -> None:
        assert result_line([{"verified_logins": 3, "changed": False}], "verify") == "verified 3 logins"
        refused = {"failed": True, "failures": [{"title": "private_registry_secrets[0]"}], "verified_logins": 1}
        assert result_line([refused], "verify") == f"verified 1 login, failed for 1 entry: {WHY}"
        assert result_line([{}], "verify") == "no login was verified"


def explained(*rows: tuple[str, bool], asked: bool = False) -> str:
    access = [{"verdict": verdict, "tested": tested} for verdict, tested in rows]
    return result_line({"namespaces": [{"name": "a", "access": access}]}, "explain", asked=asked)


def test_an_explanation_counts_the_verdicts() -> None:
    assert explained(("will_not_pull", False)) == "1 container, cannot pull: 1"
    assert explained(("pulls", True), ("pulls", False), ("pulls", False), ("unknown", False)) == (
        "4 containers, pulls: 1, not known: 1, has a login (not tested): 2; to ask the registries, add -e ask_registries=true"
    )
    assert explained(("unknown", False), asked=True) == "1 container, not known: 1"
    assert result_line({"failed": True}, "explain") == f"stopped: {WHY}"


def test_a_list_of_images_counts_images_and_the_answers_about_copies() -> None:
    counts = {"images": 1, "workloads": 2, "namespaces": 1, "containers": 3, "copies": {}}
    assert result_line({"counts": counts}, "images") == "1 image in 2 objects of 1 namespace"
    copied = {**counts, "images": 1200, "copies": {"same": 1100, "no_login": 1}}
    assert result_line({"counts": copied, "dest": "a/x.json", "csv": "a/x.csv"}, "images") == (
        "1,200 images in 2 objects of 1 namespace, no login: 1, same: 1,100, written: a/x.json and a/x.csv"
    )


@pytest.mark.parametrize("kind", ["explain", "audit", "images"])
def test_a_module_that_stopped_is_named(kind: str) -> None:
    named = "openshift_ops.image_pull.sa_link"
    for message in (f"{named} stopped: the cluster refuses the login", f"{named} failed in 1 namespace: a: {HOSTILE}"):
        assert (
            result_line({"failed": True, "msg": message}, kind)
            == f"stopped in {named}: its line above that begins with fatal: or failed: says why"
        )
    for message in (HOSTILE, f"{HOSTILE} {named} stopped", f"{named}{HOSTILE} stopped"):
        assert result_line({"failed": True, "msg": message}, kind) == f"stopped: {WHY}"
