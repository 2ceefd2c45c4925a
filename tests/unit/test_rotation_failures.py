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
#: The fact with the failures before the retirement.
KNOWN = "__credential_rotation_known_failures"


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
    (value,) = (
        task["ansible.builtin.set_fact"][KNOWN] for task in every if KNOWN in task.get("ansible.builtin.set_fact", ())
    )
    all_of = variables_with(**variables)
    return {KNOWN: Templar(loader=DataLoader(), variables=all_of).template(trusted(value))}


def planned(plan: Any) -> dict[str, Any]:
    """Return the facts of a host after a plan. None: the play has no plan of this rotation."""
    if plan is None:
        return {}
    return {"__credential_rotation_plan": plan, "__credential_rotation_planned": {"key": "key"}}


def new_failures(plan: Any, seen: Any, **variables: Any) -> list[str]:
    all_of = variables_with(__credential_rotation_seen=seen, **planned(plan), **variables)
    return [row["place"] for row in evaluated("__credential_rotation_new_failures", all_of)]


def after_retirement(plan: Any, before: Any, after: Any) -> list[str]:
    """Return the failures that count in a look after the retirement."""
    facts = known(__credential_rotation_seen=before, **planned(plan))
    return new_failures(plan, after, **facts)


@pytest.mark.parametrize(
    ("nodes", "changed", "seconds"),
    [([], [], 60), ([{"secret": "pull-secret"}], [], 300), ([], [{"secret": "pull-secret"}], 300), (None, None, 300)],
)
@pytest.mark.parametrize("rotates_nodes", [True, "false"])
def test_a_login_of_nodes_makes_the_wait_longer(nodes: Any, changed: Any, seconds: int, rotates_nodes: Any) -> None:
    """An earlier run may have just written it. None means that the play has no plan, so its hosts are unknown."""
    facts = planned(None if nodes is None else {"rotation": {"nodes": nodes, "nodes_changed": changed}})
    given = {"credential_rotation_nodes": rotates_nodes, "credential_rotation_soak_seconds": "60"}
    found = evaluated("__credential_rotation_own_minimum", variables_with(**facts, **given))
    assert int(found) == (seconds if rotates_nodes is True else 60)


def test_the_longest_wait_of_all_clusters_counts() -> None:
    """Each cluster has computed its own, because each can rotate a login of its own."""
    hosts = {"a": "60", "b": 300, "c": 90}
    facts = {name: {"__credential_rotation_minimum_of_host": seconds} for name, seconds in hosts.items()}
    both = variables_with(hostvars=facts, ansible_play_hosts=["a", "c"])
    assert int(evaluated("__credential_rotation_minimum", both)) == 90
    assert int(evaluated("__credential_rotation_minimum", {**both, "ansible_play_hosts": [*hosts]})) == 300


def test_the_plan_of_another_rotation_does_not_count() -> None:
    """A play can plan several rotations before the end of the first one."""
    plan = look("ns a", proven=("a",), to_change=1)
    own = variables_with(__credential_rotation_seen=look("ns b"), **planned(plan))
    other = {**own, "__credential_rotation_planned": {"key": "other"}}
    assert int(evaluated("__credential_rotation_first.copies.to_change", own)) == 1
    assert int(evaluated("__credential_rotation_first.copies.to_change", other)) == 0
    given = {"credential_rotation_nodes": True, "credential_rotation_soak_seconds": 0}
    plan = {"__credential_rotation_plan": {"rotation": {"nodes": [], "nodes_changed": []}}}
    other = variables_with(**plan, __credential_rotation_planned={"key": "other"}, **given)
    assert int(evaluated("__credential_rotation_own_minimum", other)) == 300


@pytest.mark.parametrize("name", ["plan.yml", "check.yml"])
def test_a_rotation_stops_if_secrets_cannot_be_read(name: str) -> None:
    """The end of a rotation checks it as well, because it can run on its own."""
    tasks = yaml.safe_load((ROLE / "tasks" / name).read_text(encoding="utf-8"))
    (condition,) = (
        str(task["ansible.builtin.assert"]["that"])
        for task in tasks
        if "unreadable_secrets" in str(task.get("ansible.builtin.assert"))
    )
    found = "__credential_rotation_plan" if name == "plan.yml" else "__credential_rotation_seen"
    for sentences, allows, continues in ((["a"], "false", False), (["a"], "yes", True), ([], False, True)):
        given = {found: {"rotation": {"unreadable_secrets": sentences}}, "credential_rotation_allow_unread": allows}
        assert evaluated(f"(({condition}) | bool)", variables_with(**given)) is continues


class TestOtherPasswords:
    """The old login is not retired if confirmed secrets have its user with another password, and the given one may be mistyped."""

    def refuses(self, count: int, old_login: str = "refused", **variables: Any) -> bool:
        """Whether the role refuses the retirement."""
        (_list, refuse) = yaml.safe_load((ROLE / "tasks" / "other_passwords.yml").read_text(encoding="utf-8"))
        seen = {"rotation": {"other_passwords": [], "other_passwords_count": count}}
        given = {"credential_rotation_allow_remaining": "false", "__credential_rotation_looked": seen}
        given |= {"__credential_rotation_refuses": True, "__credential_rotation_old_answer": old_login}
        all_of = {**variables_with(), **given, **variables}
        runs = evaluated(f"(({refuse['when']}) | bool)", all_of)
        return bool(runs and not evaluated(f"(({refuse['ansible.builtin.assert']['that']}) | bool)", all_of))

    def test_the_retirement_is_refused_unless_it_is_allowed(self) -> None:
        assert (self.refuses(1), self.refuses(0)) == (True, False)
        assert (self.refuses(1, "unknown"), self.refuses(1, "works")) == (True, False)
        assert not self.refuses(1, credential_rotation_allow_remaining="yes")
        assert not self.refuses(1, __credential_rotation_refuses=False)

    @pytest.mark.parametrize("old_login", ["works", "refused"])
    def test_the_answers_of_the_plan_count_in_the_plan_and_later_ones_at_the_end(self, old_login: str) -> None:
        """The entry point `finish` can run without a plan."""
        (plan,) = imports("plan.yml", "other_passwords.yml")
        (finish,) = imports("finish.yml", "other_passwords.yml")
        given = {"__credential_rotation_old_login": old_login}
        assert answer_in(finish, **given) == old_login
        assert answer_in(plan, __credential_rotation_plan={"rotation": given_plan(old_login)}) == old_login


def imports(name: str, imported: str) -> list[Any]:
    tasks = yaml.safe_load((ROLE / "tasks" / name).read_text(encoding="utf-8"))
    return [task for task in tasks if task.get("ansible.builtin.import_tasks") == imported]


def answer_in(task: Any, **variables: Any) -> Any:
    all_of = {**variables_with(**variables), **trusted(task["vars"])}
    return evaluated("__credential_rotation_old_answer", all_of)


def given_plan(old_login: str) -> dict[str, str]:
    return {"old_login": old_login}


class TestOldLogin:
    """The tasks that retire the old login run only if the registries accept it, because a mistyped one is in no secret."""

    def answer(self, outcome: str, scheme: str = "bearer") -> dict[str, Any]:
        return {"item": "quay.io", "scheme": scheme, "login": {"outcome": outcome, "message": "said"}}

    def state(self, *answers: Any, plans: tuple[str, ...] = (), password: str = "p", **more: Any) -> str:
        """`more`: other facts of the plans, which are for another registry by default."""
        of_other = {"registries": ["other.example.com"], "users": ["u", "n"], **more}
        hosts = {
            str(n): {"__credential_rotation_planned": {**of_other, **given_plan(plan)}} for n, plan in enumerate(plans)
        }
        given: dict[str, Any] = {
            "hostvars": {**hosts, "none": {}},
            "ansible_play_hosts_all": [*hosts, "none"],
            "credential_rotation_registries": ["quay.io"],
            "credential_rotation_old": {"username": "u", **({"password": password} if password else {})},
            "credential_rotation_new": {"username": "n"},
        }
        if answers:
            given["__credential_rotation_asked"] = {"results": [*answers]}
        return str(evaluated("__credential_rotation_old_state", variables_with(**given)))

    def test_all_registries_must_give_the_same_answer(self) -> None:
        works, bad, expired = map(self.answer, ("logs_in", "bad_login", "expired"))
        assert (self.state(works), self.state(works, works)) == ("works", "works")
        assert (self.state(bad), self.state(bad, expired)) == ("refused", "refused")
        assert self.state(works, bad) == "unknown"

    @pytest.mark.parametrize("outcome", ["unanswered", "rate_limited", "not_sent"])
    def test_a_registry_without_an_answer_leaves_it_unknown(self, outcome: str) -> None:
        other = self.answer(outcome)
        assert self.state(other) == "unknown"
        assert self.state(self.answer("logs_in"), other) == "unknown"
        assert self.state(self.answer("bad_login"), other) == "unknown"
        assert self.state({"item": "quay.io", "msg": "no such host"}) == "unknown"

    def test_a_registry_that_requires_no_login_accepts_none(self) -> None:
        assert self.state(self.answer("logs_in", scheme="none")) == "unknown"

    def test_another_cluster_with_another_answer_leaves_it_unknown(self) -> None:
        """Each cluster can have its own registry, but only the registries of the first one are asked at the end."""
        works, bad = self.answer("logs_in"), self.answer("bad_login")
        assert self.state(works, plans=("works", "unknown")) == "works"
        assert self.state(works, plans=("works", "unknown"), has_login=True) == "unknown"
        assert self.state(works, plans=("works", "refused")) == "unknown"
        assert self.state(bad, plans=("refused", "works")) == "unknown"

    @pytest.mark.parametrize(
        ("outcome", "scheme", "allowed", "fails"),
        [
            ("bad_login", "bearer", False, False), ("expired", "bearer", False, False), ("logs_in", "bearer", True, True),
            ("logs_in", "none", False, True), ("logs_in", "none", True, False), ("unanswered", "bearer", True, True),
        ],
    )  # fmt: skip
    def test_the_registries_must_reject_the_retired_login(
        self, outcome: str, scheme: str, allowed: bool, fails: bool
    ) -> None:
        """A registry that requires no login rejects none, so it counts only if that is allowed."""
        tasks = yaml.safe_load((ROLE / "tasks" / "finish.yml").read_text(encoding="utf-8"))
        inner = [one for task in tasks for one in task.get("block", ())]
        (dead,) = [one for one in inner if one.get("register") == "__credential_rotation_dead"]
        answer = {"failed": False, **self.answer(outcome, scheme)}
        given = variables_with(__credential_rotation_dead=answer, credential_rotation_allow_remaining=allowed)
        assert bool(evaluated(f"(({dead['failed_when']}) | bool)", given)) is fails

    def test_the_plan_of_another_login_does_not_count(self) -> None:
        assert self.state(self.answer("bad_login"), plans=("works",), users=["u", "other"]) == "refused"
        assert self.state(password="", plans=("works",), users=["other", "n"]) == "unknown"

    def test_an_answer_of_today_replaces_that_of_the_plan(self) -> None:
        """The login can expire while nodes are rolled out."""
        assert self.state(self.answer("bad_login"), plans=("works",), registries=["quay.io"]) == "refused"
        assert self.state(self.answer("logs_in"), plans=("refused",), registries=["quay.io"]) == "works"
        assert self.state(password="", plans=("works",), registries=["quay.io"]) == "works"

    def test_without_a_password_the_plan_decides(self) -> None:
        stale = self.answer("logs_in")
        assert self.state(stale, password="", plans=("unknown", "works")) == "works"
        assert self.state(stale, password="", plans=("unknown", "works"), has_login=True) == "works"
        assert self.state(stale, password="", plans=("unknown",)) == "unknown"
        assert self.state(password="") == "unknown"

    def tasks(self, old_login: str, **variables: Any) -> list[str]:
        """Return the tasks of the retirement that run. A task that refuses it ends the list."""
        tasks = yaml.safe_load((ROLE / "tasks" / "finish.yml").read_text(encoding="utf-8"))
        (block,) = (task["block"] for task in tasks if "block" in task)
        given = {
            "__credential_rotation_old_login": old_login,
            "credential_rotation_allow_remaining": "no",
            "credential_rotation_guard": "what_if",
            "credential_rotation_retire_tasks": "retire.yml",
            "credential_rotation_verify_revoked": False,
            "credential_rotation_old": {"username": "u", "password": "p"},
            "ansible_play_hosts": ["a", "b"],
            "ansible_play_hosts_all": ["a", "b"],
            **variables,
        }
        found = []
        for task in block:
            conditions = task.get("when", [])
            every = conditions if isinstance(conditions, list) else [conditions]
            if not all(evaluated(f"(({one}) | bool)", variables_with(**given)) for one in every):
                continue
            found.append(task["name"])
            refuses = task.get("ansible.builtin.assert", {}).get("that")
            if refuses and not evaluated(f"(({refuses}) | bool)", variables_with(**given)):
                break
        return found

    REFUSAL = "Refuse to retire a login if it is not known whether the registries accept it"
    REPORT, GUARD = "Report that there is no login to retire", "Check for workloads that need the old login"
    RETIRE, PROOF = "Disable the old login at the registry", "Verify that the registries reject the old login"

    def test_nothing_is_retired_if_a_cluster_of_the_play_has_failed(self) -> None:
        """Without `any_errors_fatal`, a play continues on the other clusters."""
        found = self.tasks("works", ansible_play_hosts=["b"])
        assert found[-1] == "Refuse to retire a login if a cluster has failed"
        assert self.RETIRE not in found

    def test_a_login_that_the_registries_accept_is_retired(self) -> None:
        found = self.tasks("works")
        assert {self.GUARD, self.RETIRE, self.PROOF} <= {*found}
        assert self.REPORT not in found

    @pytest.mark.parametrize("allowed", ["no", "yes"])
    def test_nothing_is_retired_if_the_registries_refuse_the_login_already(self, allowed: str) -> None:
        """The login was retired by an earlier run, or it is mistyped. The run ends well, and reports that it retired nothing."""
        found = self.tasks("refused", credential_rotation_allow_remaining=allowed)
        assert {self.REPORT, self.PROOF} <= {*found}
        assert not {self.GUARD, self.RETIRE} & {*found}

    def test_an_unknown_login_is_retired_only_if_that_is_allowed(self) -> None:
        assert self.tasks("unknown") == [self.REFUSAL]
        assert self.RETIRE in self.tasks("unknown", credential_rotation_allow_remaining="yes")

    def test_without_retire_tasks_the_registries_must_only_refuse_it(self) -> None:
        revoked = {"credential_rotation_retire_tasks": "", "credential_rotation_verify_revoked": "yes"}
        for old_login in ("works", "refused", "unknown"):
            found = self.tasks(old_login, **revoked)
            assert self.PROOF in found
            assert not {self.REFUSAL, self.REPORT, self.RETIRE} & {*found}

    @pytest.mark.parametrize(
        ("password", "works", "allowed", "refuses"),
        [("p", False, "no", False), ("", True, "no", False), ("", False, "no", True), ("", False, "yes", False)],
    )
    def test_a_run_that_can_not_ask_about_the_login_begins_only_if_that_is_allowed(
        self, password: str, works: bool, allowed: str, refuses: bool
    ) -> None:
        tasks = yaml.safe_load((ROLE / "tasks" / "plan.yml").read_text(encoding="utf-8"))
        (task,) = (each for each in tasks if each["name"] == "Refuse to retire a login without its password")
        given = {
            "credential_rotation_old": {"username": "u", **({"password": password} if password else {})},
            "credential_rotation_allow_remaining": allowed,
            "__credential_rotation_old_state": "works" if works else "unknown",
        }
        condition = task["ansible.builtin.assert"]["that"]
        assert evaluated(f"(({condition}) | bool)", variables_with(**given)) is not refuses


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


class TestShortenedLists:
    """A message that lists some rows says how many more there are."""

    ROW = {"namespace": "a", "secret": "s", "location": "l", "reason": "r", "pod": "p", "image": "i", "cause": "c"}

    @pytest.mark.parametrize(("number", "more"), [(10, 0), (12, 2)])
    @pytest.mark.parametrize(
        ("name", "title", "words"),
        [
            ("check", "Verify that no confirmed secret has the old login", "And {} more."),
            ("watch", "Stop at new pull failures", "and {} more."),
        ],
    )
    def test_the_number_of_the_other_rows_is_said(
        self, name: str, title: str, words: str, number: int, more: int
    ) -> None:
        tasks = yaml.safe_load((ROLE / "tasks" / f"{name}.yml").read_text(encoding="utf-8"))
        (task,) = (each for each in tasks if each["name"] == title)
        rows = [self.ROW] * number
        counts = {"copies": {"to_change": number}, "remaining_count": number}
        rotation = {"to_change": rows, "remaining": rows, "nodes": [], **counts}
        given = {
            "__credential_rotation_seen": {"rotation": rotation},
            "__credential_rotation_first": {"not_accepted": []},
            "__credential_rotation_new_failures": rows,
        }
        message = task["ansible.builtin.assert"]["fail_msg"]
        said = Templar(loader=DataLoader(), variables={**variables_with(), **given}).template(trusted(message))
        assert said.count(words.format(more)) == (0 if not more else 2 if name == "check" else 1)
