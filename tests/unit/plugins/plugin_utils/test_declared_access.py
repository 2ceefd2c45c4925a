# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps for the declarations of a host: their order, their entries, and what a failure of one means for the others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from ansible.template import Templar
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.declared_access import (
    AccessStep,
    DeclaredAccess,
    refuse,
)
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.known_variables import VARIABLES
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.role_entries import DeclarationError
from support.templates import trusted

LOGIN = {"username": "robot", "password": "Canary-of-the-steps"}
SECRET = {"name": "pull", "namespaces": ["a", "b"], "registries": [{"registry": "quay.io", **LOGIN}]}
DELEGATED = {"registry": "r.example.com", "realm_host": "sso.example.com", "namespaces": ["a"], **LOGIN}
GRANT = {"namespaces": ["a"], "service_accounts": [{"namespace": "b", "name": "default"}]}
ALL = dict(zip(VARIABLES.values(), ([SECRET], [DELEGATED], [GRANT]), strict=True))
ANSWER = {"registries": [{"registry": "r.example.com", "delegated": True, "realm_host": "sso.example.com"}]}
ROLES = [*VARIABLES]


class Run:
    """The steps that have run, by module, with their options. `answers` are the results of modules."""

    def __init__(
        self, variables: Mapping[str, Any], roles: Any = ROLES, answers: Mapping[str, Any] | None = None, **more: Any
    ) -> None:
        self.given: dict[str, dict[str, Any]] = {}
        self.variables: dict[str, Mapping[str, str]] = {}
        self._answers = {"registry_auth_info": ANSWER, **(answers or {})}
        self.access = DeclaredAccess(roles, variables, Templar(None, variables=dict(variables)), self.run, **more)
        self.access.apply()

    def run(self, step: AccessStep, options: dict[str, Any]) -> dict[str, Any]:
        self.given[step.module], self.variables[step.module] = options, step.settings
        return {"changed": False, **self._answers.get(step.module, {})}

    @property
    def modules(self) -> list[str]:
        return [*self.given]

    @property
    def result(self) -> dict[str, Any]:
        return self.access.result("my-cluster")


APPLIED = ["registry_auth_info", "pull_secret", "sa_link", "sa_wait", "image_puller_grant"]


def test_each_module_runs_once_for_all_roles() -> None:
    run = Run(ALL)
    assert run.modules == APPLIED
    assert [one["name"] for one in run.given["pull_secret"]["secrets"]] == [
        "pull",
        "private-registry",
        "redhat-connect-sso",
    ]
    assert [one["secrets"] for one in run.given["sa_link"]["links"]] == [
        ["pull"],
        ["private-registry", "redhat-connect-sso"],
    ]
    assert {one["require"] for one in run.given["sa_link"]["links"]} == {"usable"}
    assert "failed" not in run.result


def test_a_removal_runs_in_reverse_order_and_asks_nobody() -> None:
    guard = {"image_pull_guard": "what_if", "image_pull_registry_timeout": 7}
    run = Run({**ALL, **guard}, state="absent")
    assert run.modules == ["image_puller_grant", "pull_secret", "sa_link"]
    for options in run.given.values():
        assert (options["guard"], options["registry_timeout"]) == ("what_if", 7)
    assert all(names["guard"] == "image_pull_guard" for names in run.variables.values())
    owned = Run({**ALL, "image_pull_owner": "team-a"}, state="absent")
    assert owned.given["pull_access_prune"] == {
        **{"owner": "team-a", "secrets": [], "links": [], "grants": [], "max_prune": "100%", "prune_everything": True}
    }


def test_a_role_has_the_state_of_its_variable() -> None:
    run = Run({**ALL, "private_registry_state": "absent", "delegated_auth_state": "present"})
    assert [one.get("state") for one in run.given["pull_secret"]["secrets"]] == ["absent", None, None]
    assert "guard" not in run.given["pull_secret"]


def test_removals_come_first_at_the_positions_of_the_first_role() -> None:
    """The links to a merged secret that was deleted are found by the position of its entry."""
    merged = {**SECRET, "name": "old", "mode": "merge", "state": "absent"}
    gone = {**DELEGATED, "state": "absent", "registry_secret_name": "one", "realm_secret_name": "two"}
    variables = {**ALL, "private_registry_secrets": [SECRET, merged], "delegated_auth_registries": [gone]}
    rows = [{"name": "b", "entries": [{"entry": 0, "exists": False}]}]
    run = Run(variables, answers={"pull_secret": {"namespaces": rows}})
    assert [one["name"] for one in run.given["pull_secret"]["secrets"]] == ["old", "one", "two", "pull"]
    (unlinked,) = (one for one in run.given["sa_link"]["links"] if one["secrets"] == ["old"])
    assert (unlinked["namespaces"], unlinked["state"]) == (["b"], "absent")


def test_a_role_alone_knows_the_secrets_of_the_other() -> None:
    same = {**ALL, "delegated_auth_registries": [{**DELEGATED, "namespaces": ["c"], "registry_secret_name": "pull"}]}
    assert Run(same).given["pull_secret"]["declared_elsewhere"] == []
    alone = Run({**same, "ansible_play_role_names": []}, ["private_registry"])
    assert alone.modules == ["pull_secret", "sa_link"]
    (other,) = alone.given["pull_secret"]["declared_elsewhere"]
    assert (other["name"], other["namespaces"]) == ("pull", ["c"])


FAILED = {"failed": True, "msg": "failed in 1 of 2 namespaces: b", "failures": [{"namespace": "b", "error": "no"}]}


def test_a_failure_in_a_namespace_limits_only_later_steps_there() -> None:
    failed = {**FAILED, "failures": [{"namespace": "b", "title": "private_registry_secrets[0] (pull)", "error": "no"}]}
    rows = [{"name": "a", "status": "changed"}, {"name": "b", "status": "failed"}]
    owner = {"image_pull_owner": "team-a", "image_pull_prune": "yes", "image_pull_max_prune": 5}
    run = Run({**ALL, **owner}, answers={"pull_secret": {**failed, "namespaces": rows}})
    assert run.modules == [*APPLIED, "pull_access_prune"]
    assert [one["namespaces"] for one in run.given["sa_link"]["links"]] == [["a"], ["a"]]
    pruned = run.given["pull_access_prune"]
    assert (pruned["owner"], pruned["max_prune"], pruned["exclude_namespaces"]) == ("team-a", 5, ["b"])
    assert [one["namespaces"] for one in pruned["links"]] == [["a", "b"], ["a"]]
    assert (run.result["failed"], run.result["msg"]) == (True, FAILED["msg"])


def test_a_secret_loses_a_registry_when_all_links_are_made() -> None:
    """Where a link failed, the secret keeps it until the next run."""
    rows = [{"name": name, "status": "unchanged", "entries": [{"entry": 0, "postponed": True}]} for name in "ab"]
    failed = {**FAILED, "namespaces": [{"name": "b", "status": "failed"}]}
    variables = {**ALL, "private_registry_secrets": [{**SECRET, "verify": True}]}
    run = Run(variables, answers={"pull_secret": {"namespaces": rows}, "sa_link": failed})
    assert [*run.result["steps"]][1:4] == ["secrets", "links", "removals"]
    (again,) = run.given["pull_secret"]["secrets"]
    assert (again["name"], again["namespaces"], again["verify"]) == ("pull", ["a"], False)
    assert "postpone_removals" not in run.given["pull_secret"]
    checked = Run(variables, answers={"pull_secret": {"namespaces": []}}, check_mode=True)
    assert checked.given["pull_secret"]["postpone_removals"] is False


@pytest.mark.parametrize("check_mode", [True, False])
def test_a_namespace_that_is_being_deleted_gets_no_link(check_mode: bool) -> None:
    rows = [{"name": "a", "status": "changed"}, {"name": "b", "status": "skipped"}]
    run = Run(ALL, answers={"pull_secret": {"namespaces": rows}}, check_mode=check_mode)
    assert [one["namespaces"] for one in run.given["sa_link"]["links"]] == [["a"], ["a"]]


@pytest.mark.parametrize(
    ("module", "done"),
    [("registry_auth_info", 1), ("pull_secret", 2), ("sa_link", 3), ("sa_wait", 4), ("image_puller_grant", 5)],
)
@pytest.mark.parametrize("failed", [{"failed": True, "msg": "stopped"}, {**FAILED, "stopped": "no login"}], ids=str)
def test_a_step_that_stops_is_the_last_one(module: str, done: int, failed: dict[str, Any]) -> None:
    if module == "registry_auth_info" and "failures" in failed:
        failed = {"failed": True, "msg": "stopped", "failures": []}
    run = Run({**ALL, "image_pull_owner": "o", "image_pull_prune": True}, answers={module: failed})
    assert run.modules == APPLIED[:done]
    assert run.result["msg"] == failed["msg"]
    assert run.result["line"].endswith("stopped: the line above that begins with fatal: or failed: says why")


def test_a_registry_that_does_not_answer_fails_only_its_entry() -> None:
    failures = [{"entry": 0, "title": "delegated_auth_registries[0]", "error": "no answer"}]
    unanswered = {"failed": True, "msg": "no answer", "failures": failures, "registries": [{"registry": "r"}]}
    run = Run(ALL, answers={"registry_auth_info": unanswered})
    assert run.modules == APPLIED
    assert [one["name"] for one in run.given["pull_secret"]["secrets"]] == ["pull"]
    assert run.result["msg"] == "delegated_auth_registries[0]: no answer"
    assert "failed for 1 entry" in run.result["line"]


def test_undeclared_objects_are_kept_unless_all_declarations_count() -> None:
    owner = {**ALL, "image_pull_owner": "team-a", "image_pull_prune": True}
    assert Run(owner).modules[-1] == "pull_access_prune"
    for run in (
        Run({**owner, "image_pull_prune": False}),
        Run({**owner, "image_pull_only_namespaces": ["a"]}),
        Run({**owner, "image_pull_only_namespaces": "a,b"}, state="absent"),
        Run({**owner, "ansible_play_role_names": []}, ROLES[:2]),
    ):
        assert "pull_access_prune" not in run.modules
    for empty in ({}, {"image_pull_owner": ""}):
        with pytest.raises(DeclarationError, match="image_pull_prune needs image_pull_owner"):
            Run({**ALL, **empty, "image_pull_prune": True})


def test_accounts_are_not_awaited_if_that_is_switched_off() -> None:
    assert "sa_wait" not in Run({**ALL, "cross_project_pull_wait": "no"}).modules
    assert Run({**ALL, "cross_project_pull_wait_timeout": 3}).given["sa_wait"]["timeout"] == 3


def test_in_check_mode_a_link_needs_no_secret() -> None:
    run = Run(ALL, check_mode=True)
    assert {one["require"] for one in run.given["sa_link"]["links"]} == {"none"}


@pytest.mark.parametrize("state", [None, "absent"])
def test_all_entries_are_read_before_the_first_step(state: str | None) -> None:
    wrong = {**ALL, "private_registry_secrets": {"name": "pull"}}
    with pytest.raises(DeclarationError, match="private_registry_secrets is not a list of entries"):
        Run(wrong, state=state)
    if state is None:
        both = {**wrong, "cross_project_pull_grants": [{**GRANT, "role": ""}]}
        with pytest.raises(DeclarationError, match=r"not a list .*; cross_project_pull_grants\[0\]: option 'role'"):
            Run(both)


def test_a_setting_that_cannot_be_evaluated_is_named() -> None:
    with pytest.raises(DeclarationError, match="variable image_pull_only_namespaces: variable mistyped is undefined"):
        Run({**ALL, "image_pull_only_namespaces": trusted("{{ mistyped }}")})


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        (
            {"cross_project_pull_wait": "perhaps"},
            "variable cross_project_pull_wait is 'perhaps': set it to true or false",
        ),
        (
            {"cross_project_pull_wait_timeout": "soon"},
            "variable cross_project_pull_wait_timeout is a text: give a whole number",
        ),
        ({"image_pull_adopt": "perhaps"}, "variable image_pull_adopt is a text: give true or false"),
        (
            {"image_pull_owner": "Team A"},
            "changed: variable image_pull_owner: 'Team A' cannot be the value of a label.*Write 'Team-A'$",
        ),
        (
            {"image_pull_guard": "strict"},
            "variable image_pull_guard has an unknown value: did you mean 'what_if_strict'",
        ),
        (
            {"image_pull_prune": True, "image_pull_adopt": "x"},
            "true or false; variable image_pull_prune needs image_pull_owner",
        ),
        (
            {"cross_project_pull_grants": [{**GRANT, "role": ""}], "image_pull_registry_timeout": "x"},
            "option 'role'.*; variable image_pull_registry_timeout is a text: give a ",
        ),
    ],
)
def test_an_invalid_setting_is_refused_before_the_first_step(variables: dict[str, Any], said: str) -> None:
    with pytest.raises(DeclarationError, match=said):
        Run({**ALL, **variables})


def test_a_declaration_that_cannot_be_evaluated_ends_a_removal_that_has_begun() -> None:
    late = {**ALL, "delegated_auth_registries": [{**DELEGATED, "service_accounts": trusted("{{ mistyped }}")}]}
    run = Run(
        {**late, "private_registry_secrets": []}, state="absent", answers={"image_puller_grant": {"changed": True}}
    )
    assert run.modules == ["image_puller_grant", "pull_secret"]
    assert (run.result["changed"], run.result["failed"]) == (True, True)
    assert "mistyped" in run.result["msg"]


def test_the_result_has_the_messages_and_changes_of_all_steps() -> None:
    done = {"changed": True, "warnings": ["one"], "diff": [{"before": "", "after": "x"}], "invocation": {}, "n": 1}
    more = {
        "failed": True,
        "msg": "grants failed",
        "failures": FAILED["failures"],
        "warnings": ["two"],
        "diff": {"x": 1},
    }
    result = Run(ALL, answers={"pull_secret": done, "sa_link": FAILED, "image_puller_grant": more}).result
    assert result["changed"] is True
    assert result["msg"] == f"{FAILED['msg']}; grants failed"
    assert (result["warnings"], result["diff"]) == (["one", "two"], [{"before": "", "after": "x"}, {"x": 1}])
    assert result["steps"]["secrets"] == {"changed": True, "n": 1}


@pytest.mark.parametrize(
    ("variables", "line"),
    [
        (
            {"image_pull_only_namespaces": ["c"], **ALL},
            "nothing is declared for the namespaces in image_pull_only_namespaces, 'c': correct their names",
        ),
        ({}, "Nothing is declared for my-cluster: it has no entries in private_registry_secrets, "),
    ],
)
def test_a_host_without_declarations_is_named(variables: dict[str, Any], line: str) -> None:
    run = Run(variables)
    assert run.modules == []
    assert run.result["line"].startswith(line)


def test_refused_declarations_are_a_failed_result_with_a_line() -> None:
    assert refuse("variable x is unknown") == {
        "changed": False,
        "failed": True,
        "msg": "variable x is unknown",
        "line": "stopped: the line above that begins with fatal: or failed: says why",
        "steps": {"declarations": {"failed": True, "msg": "variable x is unknown"}},
    }
    planned = refuse("variable x is unknown", plan=True)
    assert planned == {
        "changed": False,
        "steps": {"declarations": {"failed": True, "msg": "variable x is unknown"}},
        "selectors": [],
    }


def test_a_plan_has_the_changes_and_problems_and_does_not_fail() -> None:
    selected = {**SECRET, "namespace_selector": {"labels": "team=a"}}
    del selected["namespaces"]
    owner = {"image_pull_owner": "team-a", "image_pull_prune": True}
    failures = [{"entry": 0, "title": "delegated_auth_registries[0]", "error": "no answer"}]
    answers = {
        "registry_auth_info": {"failed": True, "msg": "m", "failures": failures, "registries": [{"registry": "r"}]},
        "pull_secret": {
            "changed": True,
            "selected": [{"titles": ["private_registry_secrets[0]"], "namespaces": ["a"]}],
        },
        "image_puller_grant": {"failed": True, "msg": "no login", "failures": []},
    }
    variables = {**ALL, **owner, "private_registry_secrets": [selected]}
    run = Run(variables, plan=True, check_mode=True, answers=answers)
    assert run.modules == ["registry_auth_info", "pull_secret", "sa_link", "image_puller_grant"]
    assert {*run.result} == {"changed", "steps", "selectors"}
    assert run.result["changed"] is False
    assert run.result["selectors"] == [
        {"title": "private_registry_secrets[0]", "namespace_selector": {"labels": "team=a"}}
    ]
    steps = run.result["steps"]
    assert steps["declarations"]["msg"] == "delegated_auth_registries[0]: no answer"
    # The registry of the second entry did not answer, so both of its secrets may be needed.
    assert steps["declarations"]["declared"] == [
        {"name": "pull", "namespaces": ["a"]},
        {"name": "private-registry", "namespaces": ["a"]},
        {"name": "redhat-connect-sso", "namespaces": ["a"]},
    ]
    assert steps["grants"]["msg"] == "no login"
    assert {*steps} == {"declarations", "secrets", "links", "grants"}


@pytest.mark.parametrize(
    ("answer", "places"),
    [
        ({"selected": [{"titles": ["private_registry_secrets[0]"], "namespaces": ["a", "b"]}]}, ["a", "b"]),
        ({"selected": [{"titles": ["private_registry_secrets[0]"], "namespaces": []}]}, []),
        ({"failed": True, "msg": "no right to list namespaces"}, ["*"]),
    ],
)
def test_a_plan_has_the_declared_secrets_with_the_selected_namespaces(
    answer: dict[str, Any], places: list[str]
) -> None:
    """If it is not known what a selector selects, the secret may be declared in each namespace."""
    selected = {"name": "pull", "namespace_selector": {"include": ["team-*"]}, "registries": SECRET["registries"]}
    listed = {**SECRET, "name": "other", "namespaces": "c,d"}
    gone = {**SECRET, "name": "gone", "state": "absent"}
    variables = {"private_registry_secrets": [selected, listed, gone]}
    steps = Run(variables, plan=True, check_mode=True, answers={"pull_secret": answer}).result["steps"]
    assert steps["declarations"] == {
        "declared": [{"name": "pull", "namespaces": places}, {"name": "other", "namespaces": ["c", "d"]}]
    }
    assert "declarations" not in Run({"private_registry_secrets": [gone]}, plan=True, check_mode=True).result["steps"]


def test_links_are_left_out_where_their_secret_failed() -> None:
    failures = [
        {"namespace": "a", "name": "x", "title": "private_registry_secrets[0] (x)", "error": "refused"},
        {"namespace": "b", "name": "x", "title": "private_registry_secrets_team[0] (x)", "error": "refused"},
        {"namespace": "c", "error": "the namespace does not exist"},
    ]
    variables = {"private_registry_secrets": [{**SECRET, "namespaces": ["a", "b", "c"]}]}
    run = Run(variables, answers={"pull_secret": {"failed": True, "msg": "x", "failures": failures}})
    (link,) = run.given["sa_link"]["links"]
    assert link["namespaces"] == ["b"]


@pytest.mark.parametrize(("only", "found"), [(["a"], 1), ("a, x", 1), (["x"], 0), ([], 0)], ids=str)
def test_entries_are_limited_to_the_given_namespaces(only: Any, found: int) -> None:
    variables = {"private_registry_secrets": [{**SECRET, "namespaces": "a, b"}], "image_pull_only_namespaces": only}
    run = Run(variables)
    assert [one["namespaces"] for one in run.given.get("pull_secret", {}).get("secrets", ())] == [["a"]] * found
