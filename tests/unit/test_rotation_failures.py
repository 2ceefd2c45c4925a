# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of the role `credential_rotation` select the pod failures that end a rotation, over Ansible's own templating."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from support.templates import trusted

ROLE = Path(__file__).parents[2] / "roles" / "credential_rotation"
OPTIONS = {"credential_rotation_verify": True}


def look(*failing: str, undecided: tuple[str, ...] = (), proven: tuple[str, ...] = (), to_change: int = 0) -> Any:
    """Return the result of a look at the pods. A place is `NAMESPACE REPOSITORY` here."""
    rows = [{"place": place, "repository": place.partition(" ")[2]} for place in failing]
    repositories = [{"repository": name, "outcome": "pulls"} for name in proven]
    rotation = {"failing": rows, "undecided": [*undecided], "repositories": repositories}
    return {"rotation": {**rotation, "copies": {"to_change": to_change}}}


def variables_with(**variables: Any) -> dict[str, Any]:
    own = yaml.safe_load((ROLE / "vars" / "main.yml").read_text(encoding="utf-8"))
    return {**trusted({**own, "__credential_rotation_key": "key"}), **OPTIONS, **variables}


def evaluated(name: str, variables: dict[str, Any]) -> Any:
    templar = Templar(loader=DataLoader(), variables=variables)
    return templar.template(trusted(f"{{{{ {name} }}}}"))


def known(**variables: Any) -> Any:
    """Return the failures that the role remembers before it retires a login."""
    tasks = yaml.safe_load((ROLE / "tasks" / "finish.yml").read_text(encoding="utf-8"))
    every = [*tasks, *(inner for task in tasks for inner in task.get("block", ()))]
    (fact,) = (task["ansible.builtin.set_fact"] for task in every if "ansible.builtin.set_fact" in task)
    ((name, value),) = fact.items()
    all_of = variables_with(**variables)
    return {name: Templar(loader=DataLoader(), variables=all_of).template(trusted(value))}


def new_failures(plan: Any, seen: Any, **variables: Any) -> list[str]:
    given = {"__credential_rotation_plan": plan} if plan else {}
    all_of = variables_with(__credential_rotation_seen=seen, **given, **variables)
    return [row["place"] for row in evaluated("__credential_rotation_new_failures", all_of)]


def after_retirement(plan: Any, before: Any, after: Any) -> list[str]:
    """Return the failures that count in a look after the retirement."""
    given = {"__credential_rotation_plan": plan} if plan else {}
    facts = known(__credential_rotation_seen=before, **given)
    return new_failures(plan, after, **facts)


@pytest.mark.parametrize(
    ("nodes", "changed", "seconds"),
    [([], [], 60), ([{"secret": "pull-secret"}], [], 300), ([], [{"secret": "pull-secret"}], 300), (None, None, 300)],
)
@pytest.mark.parametrize("rotates_nodes", [True, "false"])
def test_a_login_of_nodes_makes_the_wait_longer(nodes: Any, changed: Any, seconds: int, rotates_nodes: Any) -> None:
    """An earlier run may have just written it. None means that the play has no plan, so its hosts are unknown."""
    plan = {"__credential_rotation_plan": {"rotation": {"nodes": nodes, "nodes_changed": changed}}}
    hosts = {"a": {}} if nodes is None else {"a": plan}
    given = {"credential_rotation_nodes": rotates_nodes, "credential_rotation_soak_seconds": "60"}
    all_of = variables_with(hostvars=hosts, ansible_play_hosts_all=[*hosts], **given)
    found = evaluated("__credential_rotation_minimum", all_of)
    assert int(found) == (seconds if rotates_nodes is True else 60)


class TestOtherPasswords:
    """The old login is not retired if confirmed secrets have its user with another password, and the given one may be mistyped."""

    def refuses(self, count: int, old_login: str = "refused", **variables: Any) -> bool:
        """Whether the role refuses the retirement."""
        (_list, refuse) = yaml.safe_load((ROLE / "tasks" / "other_passwords.yml").read_text(encoding="utf-8"))
        seen = {"rotation": {"other_passwords": [], "other_passwords_count": count}}
        plan = {"rotation": {"old_login": old_login}}
        given = {
            "credential_rotation_allow_remaining": "false",
            "__credential_rotation_looked": seen,
            "__credential_rotation_plan": plan,
        }
        all_of = {**variables_with(), "__credential_rotation_refuses": True, **given, **variables}
        runs = evaluated(f"(({refuse['when']}) | bool)", all_of)
        return bool(runs and not evaluated(f"(({refuse['ansible.builtin.assert']['that']}) | bool)", all_of))

    def test_the_retirement_is_refused_unless_it_is_allowed(self) -> None:
        assert (self.refuses(1), self.refuses(0)) == (True, False)
        assert (self.refuses(1, "unknown"), self.refuses(1, "works")) == (True, False)
        assert not self.refuses(1, credential_rotation_allow_remaining="yes")
        assert not self.refuses(1, __credential_rotation_refuses=False)


class TestNewLogin:
    """The registries must accept the new login before and after the retirement."""

    @pytest.mark.parametrize(
        ("outcome", "scheme", "allowed", "fails"),
        [
            ("logs_in", "bearer", False, False),
            ("bad_login", "bearer", "yes", True),
            ("logs_in", "none", "no", True),
            ("logs_in", "none", "yes", False),
        ],
    )
    def test_a_registry_that_requires_no_login_accepts_none(
        self, outcome: str, scheme: str, allowed: Any, fails: bool
    ) -> None:
        (task,) = yaml.safe_load((ROLE / "tasks" / "new_login.yml").read_text(encoding="utf-8"))
        answer = {"failed": False, "scheme": scheme, "login": {"outcome": outcome}}
        given = {"__credential_rotation_alive": answer, "credential_rotation_allow_remaining": allowed}
        assert evaluated(f"(({task['failed_when']}) | bool)", {**variables_with(), **given}) is fails


class TestUnreadablePods:
    @pytest.mark.parametrize(
        ("unknown", "allowed", "retires"), [("", False, True), ("x", "no", False), ("x", "yes", True)]
    )
    def test_the_login_is_retired_only_if_the_pulls_are_known(self, unknown: str, allowed: Any, retires: bool) -> None:
        tasks = yaml.safe_load((ROLE / "tasks" / "finish.yml").read_text(encoding="utf-8"))
        (refuse,) = (task for task in tasks if task["name"] == "Refuse to retire a login if its pulls are unknown")
        seen = {"rotation": {"pending_pulls_unknown": unknown}}
        given = {"__credential_rotation_seen": seen, "credential_rotation_allow_unread": allowed}
        assert refuse["when"] == "__credential_rotation_waits"
        condition = refuse["ansible.builtin.assert"]["that"]
        assert evaluated(f"(({condition}) | bool)", {**variables_with(), **given}) is retires


class TestCanary:
    """The conditions under which a node tests the new login."""

    def runs(self, to_change: int, **variables: Any) -> list[str]:
        """Return the tasks of the role that run, up to the rotation in all namespaces."""
        tasks = yaml.safe_load((ROLE / "tasks" / "main.yml").read_text(encoding="utf-8"))
        defaults = {
            name: value
            for name, value in yaml.safe_load((ROLE / "defaults" / "main.yml").read_text(encoding="utf-8")).items()
            if "undef" not in str(value)
        }
        given = {**defaults, "ansible_check_mode": False, "__credential_rotation_plan": look(to_change=to_change)}
        all_of = {**variables_with(), **given, **variables}
        wanted = [task for task in tasks if "canary" in str(task) or "ansible.builtin.debug" in task][:2]
        return [
            task["name"]
            for task in wanted
            if all(evaluated(f"(({condition}) | bool)", all_of) for condition in task["when"])
        ]

    CANARY, UNTESTED = "Rotate in a few namespaces first", "Report that the new login was not tested"

    def test_a_run_that_only_retires_pulls_first(self) -> None:
        retire = {"credential_rotation_retire_tasks": "retire.yml"}
        assert self.runs(0, **retire) == [self.CANARY]
        assert self.runs(0, **retire, credential_rotation_rollback="true") == []
        assert self.runs(0, **retire, ansible_check_mode=True) == []
        assert self.runs(0, **retire, credential_rotation_emergency=True) == []

    def test_a_run_that_changes_nothing_reports_that_nothing_was_tested(self) -> None:
        assert (self.runs(1), self.runs(0)) == ([self.CANARY], [self.UNTESTED])
        assert self.runs(0, credential_rotation_verify_revoked="yes") == [], "the registries are asked at the end"

    def test_the_new_login_is_verified_before_the_retire_tasks(self) -> None:
        tasks = yaml.safe_load((ROLE / "tasks" / "finish.yml").read_text(encoding="utf-8"))
        (block,) = (task["block"] for task in tasks if "block" in task)
        names = [task["name"] for task in block]
        retire = names.index("Disable the old login at the registry")
        (before, after) = (
            n for n, task in enumerate(block) if task.get("ansible.builtin.import_tasks") == "new_login.yml"
        )
        assert before < retire < after


class TestBeforeTheRetirement:
    def test_only_failures_since_the_plan_with_a_proven_image_count(self) -> None:
        plan = look("a x", undecided=("b x",), proven=("x",), to_change=1)
        assert new_failures(plan, look("a x", "b x", "c x", "d y")) == ["c x"]

    @pytest.mark.parametrize("proven", [(), ("x",)])
    def test_a_run_that_changes_nothing_is_not_the_cause_of_a_failure(self, proven: tuple[str, ...]) -> None:
        """Otherwise, a user whose pods fail again and again, each with another image, prevents the retirement."""
        assert new_failures(look(proven=proven), look("a x")) == []

    @pytest.mark.parametrize("verify", [False, "false", "no"])
    def test_each_failure_counts_if_no_registry_was_queried(self, verify: Any) -> None:
        plan = look(to_change=1)
        assert new_failures(plan, look("a x"), credential_rotation_verify=verify) == ["a x"]


class TestAfterTheRetirement:
    def test_an_earlier_failure_is_not_counted(self) -> None:
        plan = look("a x", proven=("x",), to_change=1)
        assert after_retirement(plan, look("a x"), look("a x", "b x")) == ["b x"]

    def test_a_failure_undecided_since_the_plan_is_not_counted(self) -> None:
        plan = look("a x", undecided=("b x",), proven=("x",), to_change=1)
        assert after_retirement(plan, look(undecided=("a x", "b x")), look("a x", "b x")) == []

    @pytest.mark.parametrize("plan", [look("a x"), look(undecided=("a x",))])
    def test_a_pull_that_worked_just_before_is_counted(self, plan: Any) -> None:
        plan["rotation"] |= look(proven=("x",), to_change=1)["rotation"] | {
            name: plan["rotation"][name] for name in ("failing", "undecided")
        }
        assert after_retirement(plan, look(), look("a x")) == ["a x"]

    def test_a_pull_that_waited_at_the_retirement_is_counted(self) -> None:
        plan = look(proven=("x",), to_change=1)
        assert after_retirement(plan, look(undecided=("a x",)), look("a x")) == ["a x"]

    def test_a_later_run_that_only_retires_counts_all(self) -> None:
        """It has nothing to change, so it has not proven any repository."""
        assert after_retirement(look(), look(), look("a x")) == ["a x"]

    def test_failures_are_compared_with_the_last_look_without_a_plan(self) -> None:
        assert after_retirement(None, look("a x"), look("a x", "b x")) == ["b x"]
