# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The end of a rotation: the waits, the retirement of the old login, and the line with the result."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.rotation_end import drop_idle_warnings
from support.rotations import KEY, decide, found

RETIRE = {"retire_tasks": "retire.yml"}
ROW = {"namespace": "a", "secret": "quay", "reason": "why"}
FOREIGN = [{"place": "private_registry_secrets[0]", "registry": "quay.io", "problem": "", "variable": "team.password"}]
NO_PASSWORD = {"old": {"username": "u"}}


def changed(namespace: str) -> Any:
    """Return the result of a task that changed one secret."""
    change = {"kind": "Secret", "name": "quay", "action": "update"}
    return {"changed": True, "namespaces": [{"name": namespace, "status": "changed", "changes": [change]}]}


class TestRetirement:
    def decision(self, outcome: str, **given: Any) -> Any:
        answer = {"item": "quay.io", "login": {"outcome": outcome, "message": "it said no"}}
        return decide("retirement", _asked={"results": [answer]}, **{**RETIRE, **given})

    def test_a_login_that_the_registries_accept_is_retired(self) -> None:
        assert self.decision("logs_in") == {
            "refusal": "", "notes": [], "old_login": "works",
            "files": ["new_login", "ready", "disable", "new_login", "dead_login", "pods"],
        }  # fmt: skip

    @pytest.mark.parametrize("allowed", [False, True])
    def test_nothing_is_retired_if_the_registries_refuse_the_login_already(self, allowed: bool) -> None:
        """The login was retired by an earlier run, or it is mistyped. The run ends well, and reports that it retired nothing."""
        found_ = self.decision("bad_login", allow=["remaining"] * allowed, _seen=found(similar=[ROW]))
        assert (found_["refusal"], "disable" in found_["files"]) == ("", False)
        (note,) = found_["notes"]
        assert note.endswith("is mistyped. a/quay has why.")

    def test_an_unknown_login_is_retired_only_if_that_is_allowed(self) -> None:
        said = self.decision("unanswered")["refusal"]
        assert said.startswith("the old login was not retired: it is not known whether the registries accept it")
        assert "quay.io: it said no. Correct credential_rotation_old" in said
        allowed = self.decision("unanswered", allow=["remaining"])
        assert (allowed["refusal"], "disable" in allowed["files"]) == ("", True)
        assert (
            "Without its password, the registries cannot be asked"
            in self.decision("logs_in", **NO_PASSWORD, _plan=found(old_login="unknown"))["refusal"]
        )

    def test_the_answers_of_plans_are_named(self) -> None:
        plans = {
            name: {"__credential_rotation_plan": found(registries=["x"], old_login=state)}
            for name, state in (("b", "refused"), ("c", "unknown"), ("d", "works"))
        }
        said = self.decision("logs_in", hosts=plans, allow=["absent"])["refusal"]
        assert "b: a registry refused it when" in said
        assert "c: a registry gave no answer when" in said
        assert "d: a registry" not in said

    def test_without_retire_tasks_the_registries_must_only_refuse_it(self) -> None:
        for outcome in ("logs_in", "bad_login", "unanswered"):
            found_ = self.decision(outcome, retire_tasks="", verify_revoked="yes")
            assert (found_["refusal"], found_["notes"]) == ("", [])
            assert found_["files"] == ["ready", "new_login", "dead_login", "pods"]
        assert (
            "declares the login"
            in self.decision("bad_login", retire_tasks="", verify_revoked="yes", _inventory=FOREIGN)["refusal"]
        )
        assert self.decision("bad_login", retire_tasks="", _inventory=FOREIGN)["refusal"] == ""

    def test_a_new_login_that_no_cluster_has_is_refused(self) -> None:
        host = {
            "__credential_rotation_logins": {KEY: {}},
            "__credential_rotation_seen": found(copies={"old": 1, "new": 0}),
        }
        said = self.decision("logs_in", hosts={"a": host})["refusal"]
        assert "no secret has an entry for quay.io with the login of credential_rotation_new" in said

    def test_nothing_is_retired_if_a_cluster_of_the_play_has_failed(self) -> None:
        """Without `any_errors_fatal`, a play continues on the other clusters."""
        both: dict[str, Any] = {"a": {}, "b": {}}
        assert (
            "cannot be reached, and they may still use it: a. Correct"
            in decide("disable", both, ["b"], **RETIRE)["refusal"]
        )
        assert decide("disable", both, ["b"])["refusal"] == ""
        assert decide("disable", both, ["a", "b"], **RETIRE)["refusal"] == ""

    @pytest.mark.parametrize(
        ("unknown", "allowed", "retires"), [("", False, True), ("x", False, False), ("x", True, True)]
    )
    def test_the_login_is_retired_only_if_the_pulls_are_known(self, unknown: str, allowed: Any, retires: bool) -> None:
        step = decide("pulls", _seen=found(pending_pulls_unknown=unknown), allow=["unread"] * allowed)
        assert (step["refusal"] == "") is retires

    def test_the_change_names_each_registry_once(self) -> None:
        registries = ["quay.io/team", "quay.io", "r.example.com:5000/x"]
        step = decide("supposed", registries=registries)
        login = {"username": "u", "password": "p"}
        assert step == {
            "changes": [{"remove_credential": {"registry": host, **login}} for host in ("quay.io", "r.example.com:5000")],
        }  # fmt: skip
        assert decide("supposed", **NO_PASSWORD)["changes"] == [
            {"remove_credential": {"registry": "quay.io", "username": "u"}}
        ]

    def test_a_login_that_no_secret_has_any_more_is_no_warning(self) -> None:
        idle = [{"number": 1, "kind": "remove_credential"}, {"number": 3, "kind": "remove_secrets"}]
        warnings = [f"Change {number} affects nothing that was read: why." for number in (1, 2, 3, 11)] + [
            "the server is slow"
        ]
        result = {"without_effect": idle, "warnings": warnings, "counts": {}}
        assert drop_idle_warnings(result) == {**result, "warnings": warnings[1:]}
        assert drop_idle_warnings({"failed": True}) == {"failed": True}

    def test_a_warning_of_a_module_in_its_own_process_is_an_object(self) -> None:
        idle = [{"number": 1, "kind": "remove_credential"}]
        warnings = [{"msg": f"Change {number} affects nothing that was read: why."} for number in (1, 2)]
        assert drop_idle_warnings({"without_effect": idle, "warnings": warnings})["warnings"] == warnings[1:]

    @pytest.mark.parametrize("guard", ["what_if", "what_if_strict"])
    def test_workloads_are_evaluated_only_before_a_retirement_with_a_guard(self, guard: str) -> None:
        assert self.decision("logs_in", guard=guard)["files"][0] == "guard"
        assert "guard" not in self.decision("logs_in")["files"]
        assert "guard" not in self.decision("logs_in", guard=guard, retire_tasks="")["files"]
        assert "guard" not in self.decision("bad_login", guard=guard)["files"], "nothing is retired"

    def test_registries_are_asked_about_a_login_only_with_its_password(self) -> None:
        assert "dead_login" not in self.decision("logs_in", allow=["remaining"], **NO_PASSWORD)["files"]
        assert self.decision("logs_in", retire_tasks="")["files"] == []


class TestWorkloads:
    def row(self, answer: str, **more: Any) -> dict[str, Any]:
        after = {"reason": "why", "step": "login"}
        return {
            "kind": "Pod",
            "namespace": "a",
            "name": "p",
            "container": "c",
            "volume": "",
            "image": "i",
            "answer": answer,
            "after": after,
            **more,
        }

    def decision(self, *rows: Any, unreadable: tuple[str, ...] = (), guard: str = "what_if") -> Any:
        return decide(
            "workloads", _supposed={"what_if": {"containers": [*rows], "unreadable": [*unreadable]}}, guard=guard
        )

    def test_a_workload_that_needs_the_login_refuses(self) -> None:
        step = self.decision(
            self.row("would_break"), self.row("still_pulls"), self.row("would_break", container="", volume="v")
        )
        assert (
            "(containers: 2): Pod a/p (c, i) at step login: why. Pod a/p (v, i) at step login: why. Replace"
            in step["refusal"]
        )
        assert step["notes"] == []

    def test_only_a_strict_guard_refuses_because_of_unknown_workloads(self) -> None:
        unknown = self.row("unknown")
        plain, strict = self.decision(unknown), self.decision(unknown, guard="what_if_strict")
        assert plain["refusal"] == ""
        assert (
            "need the old login, so they do not stop its retirement (containers: 1): Pod a/p (c, i): why"
            in plain["notes"][0]
        )
        assert "(containers: 1, sentences about objects that could not be read: 0)" in strict["refusal"]
        assert "whether workloads need the old login (containers: 1): Pod a/p (c, i): why" in strict["refusal"]

    def test_objects_that_cannot_be_read_are_named(self) -> None:
        denied = "the pods of a could not be read: the caller may not list pods"
        plain = self.decision(unreadable=(denied, "no answer"))
        assert plain["refusal"] == ""
        assert "because the caller may not read pods of a. With" in plain["notes"][0]
        assert plain["notes"][1] == "Not read (sentences: 1): no answer"
        assert (
            "could not be read: 2)"
            in self.decision(unreadable=(denied, "no answer"), guard="what_if_strict")["refusal"]
        )
        assert self.decision(guard="what_if_strict") == {"refusal": "", "notes": []}


class TestWait:
    @pytest.mark.parametrize(
        ("nodes", "changed", "seconds"), [([], [], 60), ([ROW], [], 300), ([], [ROW], 300), (None, None, 300)]
    )
    @pytest.mark.parametrize("rotates_nodes", [True, "false"])
    def test_a_login_of_nodes_makes_the_wait_longer(
        self, nodes: Any, changed: Any, seconds: int, rotates_nodes: Any
    ) -> None:
        """An earlier run may have just written it. None means that the play has no plan, so its hosts are unknown."""
        plan = {"_plan": None} if nodes is None else {"_plan": found(nodes=nodes, nodes_changed=changed)}
        step = decide("end", {}, [], **plan, **RETIRE, nodes=rotates_nodes, soak_seconds="60")
        assert step["own_minimum"] == step["seconds"] == (seconds if rotates_nodes is True else 60)
        assert ("nodes_wait" in step["files"]) is (rotates_nodes is True and nodes == [] and bool(changed))

    def test_the_plan_of_another_rotation_does_not_count(self) -> None:
        assert decide("end", _plan=found(users="others"), soak_seconds=0)["own_minimum"] == 300

    def test_the_longest_wait_of_all_clusters_counts(self) -> None:
        """Each cluster has computed its own, because each can rotate a login of its own. A failed one does not count."""
        hosts = {
            name: {"__credential_rotation_end": {"own_minimum": n}} for name, n in (("a", 60), ("b", 300), ("c", 90))
        }
        assert decide("end", hosts, ["a", "c"], **RETIRE, soak_seconds=10, nodes=False)["seconds"] == 90
        assert decide("end", hosts, **RETIRE, soak_seconds=10, nodes=False)["seconds"] == 300

    @pytest.mark.parametrize(
        "given", [{"rollback": True}, {"emergency": "yes"}, {"ansible_check_mode": True}, {"retire_tasks": ""}]
    )
    def test_only_a_retirement_waits(self, given: Any) -> None:
        step = decide("end", **{**RETIRE, **given})
        assert (step["seconds"], step["pulls_timeout"], {"soak", "pulls"} & {*step["files"]}) == (0, 0, set())
        assert step["files"] == {
            "rollback": ["check"], "emergency": ["check", "old_login", "retire"], "ansible_check_mode": [], "retire_tasks": ["check", "retire"],
        }[next(iter(given))]  # fmt: skip
        assert decide("end", **RETIRE, pulls_timeout="20")["pulls_timeout"] == 20
        assert decide("end", **RETIRE)["pulls_timeout"] == 60
        assert decide("end", **RETIRE)["files"] == ["soak", "pulls", "check", "old_login", "retire"]
        assert "old_login" in decide("end", verify_revoked=True)["files"]
        assert decide("end", **RETIRE, verify_revoked=True, rollback=True)["files"] == ["check"]
        assert "old_login" not in decide("end", **RETIRE, **NO_PASSWORD)["files"]


def answered(outcome: str, scheme: str = "bearer", item: str = "quay.io") -> Any:
    return {"item": item, "scheme": scheme, "login": {"outcome": outcome, "message": f"{item} says {outcome}"}}


class TestAnswers:
    """The registries are asked before and after the retirement."""

    @pytest.mark.parametrize(
        ("outcome", "scheme", "allowed", "fails"),
        [
            ("bad_login", "bearer", False, False), ("expired", "bearer", False, False), ("logs_in", "bearer", True, True),
            ("logs_in", "none", False, True), ("logs_in", "none", True, False), ("unanswered", "bearer", True, True),
        ],
    )  # fmt: skip
    def test_the_registries_must_refuse_the_retired_login(
        self, outcome: str, scheme: str, allowed: bool, fails: bool
    ) -> None:
        """A registry that requires no login rejects none, so it counts only if that is allowed."""
        dead = {"results": [answered(outcome, scheme)]}
        assert bool(decide("old_login", _dead=dead, allow=["remaining"] * allowed)["refusal"]) is fails

    @pytest.mark.parametrize(
        ("outcome", "scheme", "allowed", "fails"),
        [
            ("logs_in", "bearer", False, False), ("bad_login", "bearer", True, True), ("logs_in", "none", False, True),
            ("logs_in", "none", True, False),
        ],
    )  # fmt: skip
    def test_the_registries_must_accept_the_new_login(
        self, outcome: str, scheme: str, allowed: bool, fails: bool
    ) -> None:
        alive = {"results": [answered(outcome, scheme)]}
        assert bool(decide("new_login", _alive=alive, allow=["remaining"] * allowed)["refusal"]) is fails

    @pytest.mark.parametrize(("step", "fact"), [("old_login", "_dead"), ("new_login", "_alive")])
    def test_a_registry_without_an_answer_is_neither(self, step: str, fact: str) -> None:
        good = answered("bad_login" if step == "old_login" else "logs_in")
        for missing in (
            [],
            [{"item": "b.io", "skipped": True}],
            [{"item": "b.io", "msg": "no answer"}],
            [{"item": "b.io", "login": None}],
        ):
            given: Any = {fact: {"results": [good, *missing]}, "registries": ["quay.io", "b.io"]}
            assert ": b.io: no answer. " in decide(step, **given)["refusal"]
        assert decide(step, **{fact: None})["refusal"]
        assert decide(step, **{fact: {"failed": True, "msg": "m"}})["refusal"]

    def test_the_refusal_names_the_registries_and_the_next_step(self) -> None:
        dead = {
            "results": [answered("logs_in"), answered("bad_login", item="b.io"), answered("logs_in", "none", "c.io")]
        }
        assert decide("old_login", _dead=dead, registries=["quay.io", "b.io", "c.io"])["refusal"] == (
            "the registries must refuse the old login: quay.io: quay.io says logs_in. c.io: it requires no login, so it accepts "
            "each. If that is intended, set credential_rotation_allow: [remaining]. Disable it there, and run again"
        )
        said = decide("new_login", _alive={"results": [answered("bad_login")]})["refusal"]
        assert said.endswith(
            "quay.io says bad_login. Correct credential_rotation_new, or the account at the registry, and run again"
        )


class TestResult:
    ANSWER = (answered("bad_login"),)

    @pytest.mark.parametrize(
        ("dead", "known", "retired"),
        [
            ({"results": [*ANSWER]}, {}, True), (None, {}, None), (None, None, False), ({"results": []}, {}, None),
            ({"results": [answered("logs_in", "none")]}, {}, None), ({"results": [answered("bad_login", item="other")]}, {}, None),
            ({"results": [answered("logs_in")]}, {}, False), ({"failed": True}, {}, None),
            # Ansible skips the question for each registry if nothing is retired.
            ({"skipped": True, "results": [{"item": "quay.io", "skipped": True}]}, None, False),
        ],
    )  # fmt: skip
    def test_a_login_is_retired_if_all_registries_refuse_it(self, dead: Any, known: Any, retired: Any) -> None:
        line = decide("line", _dead=dead, _known_failures=known, **RETIRE)["line"]
        ends = {
            True: "the registry refuses the old login",
            None: "it is not known whether the registry refuses the old login",
            False: "the old login (u) is not retired: run again with credential_rotation_retire_tasks",
        }
        assert ends[retired] in line

    def test_only_a_declared_login_is_to_be_replaced_in_the_inventory(self) -> None:
        assert (
            "is not retired: replace it in the inventory, and run again" in decide("line", _inventory=FOREIGN)["line"]
        )
        assert "inventory" not in decide("line", _inventory=[])["line"]

    def test_a_login_that_was_refused_before_is_reported(self) -> None:
        refused, said = {"_retirement": {"old_login": "refused"}}, "the registries refused the old login before"
        assert said in decide("line", **refused, **RETIRE)["line"]
        assert said not in decide("line", **refused)["line"] + decide("line", **RETIRE)["line"]

    def test_the_users_are_named_if_the_plan_did_not_fail(self) -> None:
        back = {"rollback": "yes", "_canary": changed("a")}
        assert (
            "it has the login of u again, 0 confirmed secrets left with the login of n"
            in decide("line", **back)["line"]
        )
        assert "the old login (u) is not retired" in decide("wave_line")["line"]
        for plan in (None, {"failed": True}):
            assert decide("plan_line", old=None, _plan=plan)["line"].startswith(
                "no secret changed, the old login is not retired"
            )

    def test_the_changes_of_all_steps_are_counted(self) -> None:
        steps = {"_canary": changed("a"), "_result": changed("b"), "_nodes_result": changed("c")}
        for step in ("wave_line", "line"):
            assert decide(step, **steps, _seen=None)["line"].startswith("3 secrets updated in 3 namespaces")
        planned = {**found(), **changed("d")}
        assert decide("wave_line", **steps, _plan=planned, ansible_check_mode=True)["line"].startswith(
            "would update 4 secrets"
        )
        assert decide("wave_line", **steps, _plan=planned)["line"].startswith("3 secrets updated")

    def test_a_cluster_that_failed_is_reported_once(self) -> None:
        lost: Any = {"hosts": {"a": {}, "b": {}}, "active": ["a"]}
        for step in ("plan_line", "wave_line", "line"):
            assert decide(step, **lost)["line"].endswith(
                "stopped: the line above that begins with fatal: or failed: says why"
            )
            assert "stopped" not in decide(step)["line"]

    def test_the_plan_has_the_last_line_in_check_mode_or_if_a_cluster_failed(self) -> None:
        check = {"ansible_check_mode": True, "_told": {"msg": ["one", "two"]}}
        assert decide("plan_line", **check) == {"prints": True, "line": ["one", "two", "no secret would change"]}
        assert not decide("plan_line")["prints"]
        assert decide("plan_line", hosts={"a": {}, "b": {}}, active=["a"])["prints"]

    def test_the_last_wave_has_no_line_of_its_own(self) -> None:
        two = {"a": {}, "b": {}}
        assert not decide("wave_line", hosts=two, ansible_play_batch=["b"])["prints"]
        assert decide("wave_line", hosts=two, ansible_play_batch=["a"])["prints"]
        assert decide("wave_line", hosts=two, ansible_play_batch=["b"], active=["b"])["prints"]
        assert decide("wave_line", hosts=two, ansible_play_batch=["b"], ansible_check_mode=True)["prints"]
        assert not decide("wave_line", hosts=two, ansible_play_batch=["a"], _plan=None)["prints"]
