# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The decisions of a rotation: when it begins, what it changes, which failures stop it, and when the old login is retired."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.credential_rotation.options import (
    label_users,
)
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils import rotation
from support.rotations import KEY, decide, facts, found

#: Check mode that writes a plan for a person.
REVIEW = {"ansible_check_mode": True, "plan_dest": "plan.yml"}
RETIRE = {"retire_tasks": "retire.yml"}
ROW = {"namespace": "a", "secret": "quay", "reason": "why"}
FOREIGN = [{"place": "private_registry_secrets[0]", "registry": "quay.io", "problem": "", "variable": "team.password"}]
NO_PASSWORD = {"old": {"username": "u"}}


def look(*failing: str, undecided: tuple[str, ...] = (), proven: tuple[str, ...] = (), to_change: int = 0) -> Any:
    """Return the result of a look at the pods. A place is `NAMESPACE REPOSITORY` here."""
    rows = [
        {
            "place": place,
            "repository": place.partition(" ")[2],
            "namespace": "a",
            "pod": "p",
            "image": "i",
            "cause": "c",
        }
        for place in failing
    ]
    repositories = [{"repository": name, "outcome": "pulls"} for name in proven]
    repositories.append({"repository": "other", "outcome": "bad_login"})
    return found(failing=rows, undecided=[*undecided], repositories=repositories, copies={"to_change": to_change})


class TestLogins:
    def refusal(self, **given: Any) -> str:
        """The end of a rotation refuses as well, because it can run on its own."""
        plan, end = (decide(step, **given)["refusal"] for step in ("plan", "retirement"))
        assert ("needs the password" in plan, "rotated another" in plan) == (
            "needs the password" in end,
            "rotated another" in end,
        )
        return str(plan)

    def test_a_guard_needs_the_password_of_a_user_that_stays(self) -> None:
        same = {"new": {"username": "u", "password": "q"}, "guard": "what_if", **RETIRE}
        assert "needs the password of credential_rotation_old" in self.refusal(**same, **NO_PASSWORD)
        for change in (
            {"old": {"username": "u", "password": "p"}},
            {"guard": "false"},
            {"rollback": "yes"},
            {"retire_tasks": ""},
        ):
            assert "needs the password" not in self.refusal(**{**same, **NO_PASSWORD, **change})

    def test_tasks_that_cannot_run_stop_the_rotation_before_its_first_write(self) -> None:
        for given in ({}, {"ansible_check_mode": True}, REVIEW):
            said = self.refusal_of("plan", retire_tasks="other.yml", **given)
            assert said.startswith(
                "nothing was changed: credential_rotation_retire_tasks: there is no file /home/me/other.yml. Correct"
            )
        assert "there is no file" in self.refusal_of("retirement", retire_tasks="other.yml")
        assert self.refusal_of("plan", retire_tasks="other.yml", rollback="yes") == ""

    def refusal_of(self, step: str, **given: Any) -> str:
        return str(decide(step, **given)["refusal"])

    def test_a_second_rotation_with_the_same_users_is_refused(self) -> None:
        for inputs, refuses in (({"old": 1}, True), ({"old": 2}, False)):
            given: Any = {"_inputs": {KEY: inputs}, "_input": {"old": 2}}
            said = self.refusal(**given)
            assert ("has already rotated another login for quay.io from user u to user n" in said) is refuses
            step = decide("prepare", **given, ansible_check_mode=True)
            assert step == {"is_known": True, "plans": refuses}

    def test_check_mode_plans_once(self) -> None:
        assert decide("prepare", _logins=None) == {"is_known": False, "plans": True}
        assert not decide("prepare", ansible_check_mode=True)["plans"]
        assert decide("prepare", ansible_check_mode=True, _plan=None)["plans"]
        assert decide("prepare", ansible_check_mode=True, rollback=True)["plans"], "the plan is for the other direction"

    def test_a_command_gives_the_password(self) -> None:
        assert decide("login") == {"username": "n", "password": "q"}
        assert decide("login", new_command=["print", "token "]) == {"username": "n", "password": "print token"}


class TestPlan:
    def refusal(self, result: Any = None, **given: Any) -> str:
        return str(decide("plan", _plan=result or found(), **given)["refusal"])

    def test_a_plan_without_problems_begins(self) -> None:
        assert decide("plan", _plan=found(copies={"to_change": 1})) == {"refusal": "", "notes": [], "told": []}
        assert decide("plan", **RETIRE) == {"refusal": "", "notes": [], "told": []}

    def test_a_login_that_no_cluster_has_is_refused(self) -> None:
        nothing = found(
            copies={"old": 0, "new": 0},
            similar=[{**ROW, "reason": "the user with another password"}],
            unreadable_secrets=["x"],
        )
        said = self.refusal(
            nothing, hosts={"a": {"__credential_rotation_logins": {KEY: {}}, "__credential_rotation_plan": nothing}}
        )
        assert said.startswith(
            "nothing was changed: (1) no secret has an entry for quay.io with the user and password of credential_rotation_old, or"
        )
        assert (
            "Of 12 searched secrets, 3 have a login of any user for these registries. a/quay has the user with another password. x. Correct"
            in said
        )
        assert "Correct credential_rotation_old, credential_rotation_new, credential_rotation_secrets or" in said
        nothing["rotation"]["searched"] = {"secrets": 1, "for_registries": 0}
        said = self.refusal(
            nothing, hosts={"a": {"__credential_rotation_logins": {KEY: {}}, "__credential_rotation_plan": nothing}}
        )
        assert "Of 1 searched secret, 0 have a login of any user for these registries." in said
        assert "Correct credential_rotation_registries, credential_rotation_secrets or" in said
        assert "with the user of credential_rotation_old" in self.refusal(nothing, hosts={}, **NO_PASSWORD)
        assert "no secret" not in self.refusal(nothing, hosts={}, allow=["absent", "unread"])

    @pytest.mark.parametrize(
        ("copies", "refuses"),
        [({"old": 1, "new": 0}, False), ({"old": 0, "new": 2}, False), ({"old": 0, "new": 0}, True)],
    )
    def test_one_cluster_with_either_login_is_enough(self, copies: Any, refuses: bool) -> None:
        """Clusters that rotate another login do not count."""
        has = {"__credential_rotation_logins": {KEY: {}}, "__credential_rotation_plan": found(copies=copies)}
        other = {"__credential_rotation_logins": {"other": {}}, "__credential_rotation_plan": found()}
        said = self.refusal(found(copies={"old": 0, "new": 0}), hosts={"a": {}, "b": has, "c": other})
        assert ("no secret has an entry" in said) is refuses

    def test_a_login_that_the_inventory_declares_stops_only_a_retirement(self) -> None:
        text = "private_registry_secrets[0] (quay.io), password variable: team.password; replace it there"
        for given, refuses in (
            (RETIRE, True), ({}, False), ({**RETIRE, "ansible_check_mode": True}, True), ({**RETIRE, **REVIEW}, False),
            ({**RETIRE, "rollback": "yes"}, False), ({**RETIRE, "allow": "other, remaining"}, False),
        ):  # fmt: skip
            step = decide("plan", _inventory=FOREIGN, **{"retire_tasks": "", "verify_revoked": True, **given})
            assert (text in step["refusal"], text in str(step["notes"])) == (refuses, not refuses)
        assert decide("plan", _inventory=FOREIGN, emergency=True, **RETIRE) == {"refusal": "", "notes": [], "told": []}

    def test_all_declarations_are_counted(self) -> None:
        (note,) = decide("plan", _inventory=FOREIGN * 12, _to_edit="Ask", **RETIRE, allow=["remaining"])["notes"]
        assert note.count("private_registry_secrets[0]") == 10
        assert "and 2 more; replace it there with the new login. Ask" in note

    @pytest.mark.parametrize(
        ("given", "refuses"),
        [
            ({}, True), ({"named": [ROW]}, False), ({"plan": "plan.yml"}, False), ({"nodes": False}, True),
            ({"plan_only": True, "ansible_check_mode": True}, False), ({"plan_dest": "x", "ansible_check_mode": True}, False),
            ({"plan_only": True}, True), ({"ansible_check_mode": True}, True),
        ],
    )  # fmt: skip
    def test_unconfirmed_secrets_need_a_plan_or_an_entry(self, given: Any, refuses: bool) -> None:
        rows = [{**ROW, "fix": ""}, {**ROW, "fix": "- {name: b}"}]
        named = given.pop("named", [])
        said = self.refusal(found(not_declared=rows), _named=named, **given)
        assert ("2 secrets in 1 namespace hold the old login, or may hold it" in said) is refuses
        assert ("for example - {name: b}" in said) is refuses
        nodes = found(not_declared=rows, nodes=[ROW])
        assert (self.refusal(nodes, **given) == "") is (given.get("nodes", True) or not refuses)

    def test_a_login_that_no_secret_has_needs_no_confirmation(self) -> None:
        plan = found(not_declared=[{**ROW, "fix": ""}], copies={"old": 0, "new": 0})
        assert self.refusal(plan, hosts={}).endswith("set credential_rotation_allow: [absent]")
        assert self.refusal(plan, hosts={}, allow=["absent"]).endswith("Or add entries to credential_rotation_secrets")

    def test_a_plan_for_a_review_has_no_answer_that_a_later_run_would_not_count(self) -> None:
        row = {"namespace": "a", "name": "quay", "uid": "1", "declared": True}
        plan = {**found(secrets=[{**row, "is_accepted": False}]), "server": "https://api.example.com:6443"}
        for is_rollback, users in ((False, ("u", "n")), (True, ("n", "u"))):
            document = decide("document", _plan=plan, rollback=is_rollback)
            assert (document["server"], document["registries"], document["secrets"]) == (
                plan["server"],
                ["quay.io"],
                [row],
            )
            assert (document["old_username"], document["new_username"]) == users

    def test_a_rotation_without_an_accepted_login_is_refused(self) -> None:
        row = {"declared": True, "is_accepted": False}
        for rows, refuses in (
            ([row], True),
            ([row, {**row, "is_accepted": True}], False),
            ([{"declared": False, "is_accepted": True}], True),
        ):
            said = self.refusal(found(not_accepted=[ROW], secrets=rows))
            assert ("accept the login of none of the 1 confirmed secret. a/quay: why. Run again" in said) is refuses

    @pytest.mark.parametrize(("step", "name"), [("plan", "_plan"), ("rest", "_seen")])
    def test_a_rotation_stops_if_secrets_cannot_be_read(self, step: str, name: str) -> None:
        """The end of a rotation checks it as well, because it can run on its own."""
        unread = {name: found(unreadable_secrets=["x"])}
        assert "secrets that cannot be read: x. Use a login" in decide(step, **unread)["refusal"]
        assert decide(step, **unread, allow=["unread"])["refusal"] == ""

    def test_a_login_that_is_refused_already_needs_an_emergency(self) -> None:
        refused = found(old_login="refused", copies={"to_change": 1})
        assert "a registry already rejects the old login" in self.refusal(refused)
        assert self.refusal(refused, emergency="yes") == ""
        assert self.refusal(found(old_login="refused")) == ""

    @pytest.mark.parametrize(
        ("given", "works", "refuses"),
        [
            ({}, False, False), (NO_PASSWORD, True, False), (NO_PASSWORD, False, True), ({**NO_PASSWORD, "allow": "absent, remaining"}, False, False),
            ({**NO_PASSWORD, "rollback": "yes"}, False, False), ({**NO_PASSWORD, "emergency": "yes"}, False, False),
            ({**NO_PASSWORD, "ansible_check_mode": True}, False, True), ({**NO_PASSWORD, **REVIEW}, False, False),
            ({**NO_PASSWORD, "retire_tasks": ""}, False, False),
        ],
    )  # fmt: skip
    def test_a_run_that_can_not_ask_about_the_login_begins_only_if_that_is_allowed(
        self, given: Any, works: bool, refuses: bool
    ) -> None:
        hosts = {"a": {"__credential_rotation_plan": found(old_login="works" if works else "unknown")}}
        said = self.refusal(hosts=hosts, **{"allow": ["absent"], **RETIRE, **given})
        assert ("without the password of credential_rotation_old, it is not known" in said) is refuses

    def test_all_problems_are_reported_at_once(self) -> None:
        said = self.refusal(
            found(
                unreadable_secrets=["x"],
                not_declared=[{**ROW, "fix": ""}],
                old_login="refused",
                copies={"to_change": 1},
            )
        )
        assert all(part in said for part in ("hold the old login", "cannot be read", "already rejects"))
        assert said.count("nothing was changed") == 1

    def test_an_unverified_login_and_the_secrets_that_need_attention_are_noted(self) -> None:
        rows = {name: [ROW] for name in ("not_accepted", "other_passwords", "other_users")}
        secrets = [{"declared": True, "is_accepted": True}]
        plan = found(not_declared=[{**ROW, "fix": "- {name: quay}"}], **rows, secrets=secrets, copies={"to_change": 1})
        notes = decide("plan", _plan=plan, _named=[ROW], verify="no")["notes"]
        assert notes[:-1] == [
            "1 secret confirmed, with a login of u for quay.io that no registry accepts: why", "a/quay",
            "1 secret confirmed, with another password of u for quay.io: why", "a/quay",
            "1 secret named, with another user than u for quay.io: why", "a/quay",
            "1 secret not confirmed and not changed, with the login of u for quay.io: why. A line with '- {' confirms its secret in "
            "credential_rotation_secrets", "- {name: quay}",
        ]  # fmt: skip
        assert notes[-1].startswith("credential_rotation_verify is false")

    def test_the_plan_of_check_mode_names_the_secrets_that_would_change(self) -> None:
        rows = [{**ROW, "secret": f"s{number}"} for number in range(40)]
        plan = found(to_change=rows, not_declared=[{**ROW, "fix": "- {}"}] * 3, copies={"to_change": 50})
        notes = decide("plan", _plan=plan, ansible_check_mode=True, plan_dest="p.yml")["notes"]
        assert notes[0] == (
            "50 secrets would get the new login, instead of that of u for quay.io (20 listed, the file p.yml has the others)"
        )
        assert notes[1:21] == [f"a/s{number}" for number in range(20)]
        assert notes[21:] == [
            "3 secrets not confirmed and not changed, with the login of u for quay.io (0 listed, the file p.yml has the others)"
        ]
        assert "would get" not in str(decide("plan", _plan=plan)["notes"])

    def test_check_mode_names_the_tasks_that_would_disable_the_login(self) -> None:
        note = "at the end of the run, the tasks in retire.yml would disable the old login"
        for given, is_noted in (
            (REVIEW, True),
            ({"ansible_check_mode": True}, True),
            ({}, False),
            ({**REVIEW, "rollback": True}, False),
        ):
            assert (note in decide("plan", **RETIRE, **given)["notes"]) is is_noted
        unless = f"{note}, unless credential_rotation_guard stops it, which needs a real run"
        assert unless in decide("plan", **RETIRE, **REVIEW, guard="what_if")["notes"]

    @pytest.mark.parametrize(
        ("old_login", "given", "text"),
        [
            ("works", {}, "at the end of the run, the tasks in retire.yml would disable the old login"),
            (
                "refused",
                {},
                "credential_rotation_retire_tasks would not run, and nothing would be retired, because the registries already",
            ),
            ("unknown", {}, "the old login would not be retired: it is not known whether the registries accept it"),
            (
                "unknown",
                {"allow": ["remaining"]},
                "at the end of the run, the tasks in retire.yml would disable the old login, if the ",
            ),
            (
                "unknown",
                {"verify": False},
                "at the end of the run, the tasks in retire.yml would disable the old login, if the registries ",
            ),
        ],
        ids=["works", "refused", "unknown", "allowed", "not verified"],
    )
    def test_check_mode_promises_no_retirement_that_the_run_would_refuse(
        self, old_login: str, given: Any, text: str
    ) -> None:
        step = decide("plan", _plan=found(old_login=old_login), **RETIRE, ansible_check_mode=True, **given)
        notes = step["notes"]
        assert step["refusal"] == ""
        assert [note.startswith(text) for note in notes].count(True) == 1, notes

    def test_the_review_of_a_plan_reports_what_the_retirement_needs(self) -> None:
        """The review passes, but the run with the plan would not."""
        given = {**RETIRE, "_inventory": FOREIGN}
        step = decide("plan", **given, **REVIEW)
        begin = "with the tasks in retire.yml, the run would change nothing: the inventory of "
        assert step["refusal"] == ""
        assert [note.startswith(begin) for note in step["notes"]].count(True) == 1
        assert "would disable" not in str(step["notes"])
        assert str(step["notes"]).count("declares the login to replace") == 1
        assert "declares the login to replace" in decide("plan", **given)["refusal"]
        unknown = {"a": {"__credential_rotation_plan": found(old_login="unknown")}}
        password = decide("plan", hosts=unknown, allow=["absent"], **RETIRE, **REVIEW, **NO_PASSWORD)["notes"]
        assert "the run would change nothing: the old login would not be retired: without the password" in str(password)

    def test_a_reason_is_printed_once_and_with_each_secret_that_has_another(self) -> None:
        rows = [{**ROW, "fix": "- {a}"}, {**ROW, "fix": "", "reason": "other"}, {**ROW, "fix": "- {b}"}]
        plan = found(not_declared=rows, copies={"to_change": 1})
        title, *lines = decide("plan", _plan=plan, _named=[ROW])["notes"]
        assert ": why. A line" in title
        assert lines == ["- {a}", "a/quay # other", "- {b}"]

    def test_later_steps_print_only_new_lines(self) -> None:
        unconfirmed = found(not_declared=[{**ROW, "fix": "- {a}"}])
        told = {"msg": decide("plan", _plan=unconfirmed, _named=[ROW])["notes"]}
        assert decide("rest", _seen=unconfirmed, _told=told)["notes"] == []
        more = decide(
            "rest", _seen=found(not_declared=[{**ROW, "fix": line} for line in ("- {a}", "- {b}")]), _told=told
        )
        assert more["notes"][1:] == ["- {a}", "- {b}"]
        assert decide("rest", _seen=unconfirmed, _told={"msg": "it failed"})["notes"]

    def test_the_plan_of_a_wave_keeps_the_lines_that_the_first_plan_has_printed(self) -> None:
        inventory: Any = {"_inventory": FOREIGN}
        first = decide("plan", **inventory)
        assert first["told"] == first["notes"] != []
        again = decide("plan", **inventory, _told={"msg": first["told"]})
        assert (again["notes"], again["told"]) == ([], first["notes"])
        assert decide("plan", **inventory, _told={"msg": ["other"]})["told"] == first["notes"]
        assert decide("plan", _plan=found(copies={"to_change": 1}), _told={"msg": "it was refused"})["told"] == []


class TestRollback:
    """A rollback writes the old login again, so its messages name the user of each login."""

    BACK: Any = {"rollback": True, "ansible_check_mode": True}

    def test_the_plan_names_both_users(self) -> None:
        plan = found(to_change=[ROW], copies={"to_change": 1})
        title, *_lines = decide("plan", _plan=plan, **self.BACK)["notes"]
        assert title == "1 secret would get the login of u back, instead of that of n for quay.io"

    def test_the_options_tell_two_logins_of_one_user_apart(self) -> None:
        plan = found(to_change=[ROW], copies={"to_change": 1})
        same = {"new": {"username": "u", "password": "q"}}
        title, *_lines = decide("plan", _plan=plan, **self.BACK, **same)["notes"]
        assert title.startswith("1 secret would get the old login of u back, instead of that of u for quay.io")
        assert "do not disable the new login of u yet" in self.rest(**same)

    def rest(self, **given: Any) -> str:
        seen = found(to_change=[ROW], copies={"to_change": 1})
        return str(decide("rest", _seen=seen, rollback=True, **given)["refusal"])

    def test_no_message_calls_a_login_old_or_new(self) -> None:
        rows = [{**ROW, "fix": "- {}"}]
        plan = found(not_declared=rows, unreadable_secrets=["x"], old_login="refused", copies={"to_change": 1})
        plan_texts = str(decide("plan", _plan=plan, _inventory=FOREIGN, rollback=True))
        nodes: Any = {"supported": False, "reason": "r", "pools": [], "notes": []}
        notes = str(
            decide(
                "plan",
                rollback=True,
                _inventory=FOREIGN,
                _named=[ROW],
                verify=False,
                _plan=found(copies={"to_change": 1}),
            )
        )
        planned = found(users=label_users("n", "u"))
        pods = str(decide("pods", rollback=True, verify=False, _plan=planned, _seen=look("a/p r")))
        texts = (
            (plan_texts, "hold the login of n, or", "allowed to have the login of u", "must not have the login of u"),
            (plan_texts, "the login of n may be", "rejects the login of n,"),
            (notes, "replace it there with the login of u.", "the login of u was not verified"),
            (str(decide("plan", rollback=True)), "tests the login of u neither"),
            (str(decide("canary", rollback=True)), "no secret with the login of u is known"),
            (pods, "To give secrets the login of n again, run again without credential_rotation_rollback"),
            (str(decide("nodes", rollback=True, _nodes=nodes, _plan=found(nodes=[ROW]))), "have the login of u. The pull", "a has the login of n in"),
            (self.rest(), "do not disable the login of n yet: it is still in 1 place"),
        )  # fmt: skip
        for text, *parts in texts:
            assert not [part for part in parts if part not in text], text
            assert "the old login" not in text and "the new login" not in text


class TestOtherPasswords:
    """The old login is not retired if confirmed secrets have its user with another password, and the given one may be mistyped."""

    def refuses(self, count: int, old_login: str = "refused", **given: Any) -> bool:
        """Whether the end of a rotation refuses the retirement. The answer of the registries counts, and not that of the plan."""
        rows = [ROW] * count
        answer = {
            "item": "quay.io",
            "login": {"outcome": {"refused": "bad_login", "works": "logs_in"}.get(old_login, ""), "message": "m"},
        }
        step = decide(
            "retirement", _seen=found(other_passwords=rows), _asked={"results": [answer]}, **{**RETIRE, **given}
        )
        assert bool(count) == ("with another password" in str(step))
        return "may be mistyped, and pods with these secrets" in step["refusal"]

    def test_the_retirement_is_refused_unless_it_is_allowed(self) -> None:
        assert (self.refuses(1), self.refuses(0)) == (True, False)
        assert (self.refuses(1, "unknown"), self.refuses(1, "works")) == (True, False)
        assert not self.refuses(1, allow=["remaining"])

    def test_a_plan_refuses_only_if_the_login_is_retired_later(self) -> None:
        plan = found(other_passwords=[ROW] * 2, old_login="unknown")
        said = decide("plan", _plan=plan, **RETIRE)["refusal"]
        assert "2 confirmed secrets have its user with another password" in said
        for given in (
            {},
            {**RETIRE, "emergency": True},
            {**RETIRE, "rollback": True},
            {**RETIRE, **REVIEW},
        ):
            assert decide("plan", _plan=plan, **given)["refusal"] == ""
        assert decide("plan", _plan=found(other_passwords=[ROW]), **RETIRE)["refusal"] == "", (
            "the plan says that it works"
        )


class TestOldLogin:
    """The tasks that retire the old login run only if the registries accept it, because a mistyped one is in no secret."""

    def answer(self, outcome: str, scheme: str = "bearer") -> dict[str, Any]:
        return {"item": "quay.io", "scheme": scheme, "login": {"outcome": outcome, "message": "said"}}

    def state(self, *answers: Any, plans: tuple[str, ...] = (), password: str = "p", **more: Any) -> str:
        """`more`: other facts of the plans, which are for another registry by default."""
        of_other = {"registries": ["other.example.com"], "copies": {"old": 0, "new": 0}, **more}
        hosts = {
            str(n): {"__credential_rotation_plan": found(**{**of_other, "old_login": plan})}
            for n, plan in enumerate(plans)
        }
        old = {"username": "u", **({"password": password} if password else {})}
        asked = {"results": [*answers]} if answers else None
        return rotation.state_of_old_login(facts({**hosts, "none": {}}, old=old, _asked=asked))

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
        assert self.state(works, plans=("works", "unknown"), copies={"old": 1}) == "unknown"
        assert self.state(works, plans=("works", "refused")) == "unknown"
        assert self.state(bad, plans=("refused", "works")) == "unknown"

    def test_the_plan_of_another_login_does_not_count(self) -> None:
        assert self.state(self.answer("bad_login"), plans=("works",), users="others") == "refused"
        assert self.state(password="", plans=("works",), users="others") == "unknown"

    def test_an_answer_of_today_replaces_that_of_the_plan(self) -> None:
        """The login can expire while nodes are rolled out."""
        assert self.state(self.answer("bad_login"), plans=("works",), registries=["quay.io"]) == "refused"
        assert self.state(self.answer("logs_in"), plans=("refused",), registries=["quay.io"]) == "works"
        assert self.state(password="", plans=("works",), registries=["quay.io"]) == "works"

    def test_without_a_password_the_plan_decides(self) -> None:
        stale = self.answer("logs_in")
        assert self.state(stale, password="", plans=("unknown", "works")) == "works"
        assert self.state(stale, password="", plans=("unknown", "works"), copies={"old": 1}) == "works"
        assert self.state(stale, password="", plans=("unknown",)) == "unknown"
        assert self.state(password="") == "unknown"


class TestCanary:
    """The conditions under which a node tests the new login."""

    def runs(self, to_change: int, **given: Any) -> tuple[bool, bool]:
        plan = found(copies={"to_change": to_change})
        notes = str(decide("plan", _plan=plan, **given)["notes"])
        return "watch" in decide("steps", _plan=plan, **given)["files"], "tests the new login neither" in notes

    def test_a_run_that_only_retires_pulls_first(self) -> None:
        assert self.runs(0, **RETIRE) == (True, False)
        assert self.runs(0, **RETIRE, rollback="true") == (False, False)
        assert self.runs(0, **RETIRE, ansible_check_mode=True) == (False, False)
        assert self.runs(0, **RETIRE, emergency=True) == (False, False)

    def test_a_run_that_changes_nothing_reports_that_nothing_was_tested(self) -> None:
        assert (self.runs(1), self.runs(0)) == ((True, False), (False, True))
        assert self.runs(0, verify_revoked="yes") == (False, False), "the registries are asked at the end"

    PROBES = ({"namespace": "b", "image": "i", "secret": "s"}, {"namespace": "a", "image": "j", "secret": "t"})

    def test_the_first_namespace_that_uses_the_login_is_the_canary(self) -> None:
        plan = found(probes=[*self.PROBES], copies={"to_change": 1})
        step = decide("canary", _plan=plan, canary_soak_seconds="5")
        assert step == {"refusal": "", "notes": [], "namespaces": ["b"], "probes": [self.PROBES[0]], "seconds": 5}
        files = decide("steps", _plan=plan, canary_soak_seconds="5", _confirmed=[ROW])["files"]
        assert files == ["canary", "probe", "canary_soak", "watch", "namespaces", "imports", "check"]
        assert decide("steps", _plan=plan, probe=False)["files"] == ["canary", "watch", "namespaces", "check"]
        assert decide("canary", _plan=plan, canary_namespaces=["a", "c"])["probes"] == [self.PROBES[1]]

    def test_a_canary_that_no_node_can_test_is_refused_before_the_first_write(self) -> None:
        def refusal(has_ready_node: bool | None = False, **given: Any) -> str:
            plan = found(probes=[*self.PROBES], copies={"to_change": 1}, has_ready_node=has_ready_node)
            return str(decide("plan", _plan=plan, **given)["refusal"])

        assert refusal() == refusal(ansible_check_mode=True)
        assert refusal().startswith(
            "nothing was changed: no node can test the new login: the cluster has no ready node"
        )
        assert refusal(True) == refusal(None) == ""
        assert refusal(emergency=True) == refusal(probe="no") == refusal(canary_namespaces=["c"]) == ""
        assert refusal(**REVIEW) == "", "the plan can be reviewed before the nodes are there"

    def test_a_secret_that_keeps_its_login_is_not_tested(self) -> None:
        kept = found(not_accepted=[{"namespace": "b", "secret": "s"}, {"namespace": "a", "secret": "other"}])
        step = decide("canary", _plan=found(probes=[*self.PROBES]), canary_namespaces=["a", "b"], _canary=kept)
        assert step["probes"] == [self.PROBES[1]]

    def test_a_canary_that_no_node_tests_is_noted(self) -> None:
        (note,) = decide(
            "canary", canary_namespaces=["c"], _plan=found(copies={"to_change": 1}), canary_soak_seconds=5
        )["notes"]
        assert note.endswith("before all namespaces get it")
        step = decide("canary", canary_soak_seconds=5)
        assert (step["seconds"], step["notes"][0].endswith("in this run")) == (0, True)
        off = decide("canary", _plan=found(probes=[*self.PROBES]), probe="no")
        assert (off["namespaces"], off["probes"], off["notes"]) == (["b"], [], [])

    @pytest.mark.parametrize(
        ("nodes", "rotates", "expected"), [([ROW], True, True), ([ROW], "no", False), ([], True, False)]
    )
    def test_nodes_and_imports(self, nodes: Any, rotates: Any, expected: bool) -> None:
        rows = [{"namespace": "a"}, {"namespace": "b"}, {"namespace": "a"}]
        step = decide("steps", _plan=found(nodes=nodes), nodes=rotates, _confirmed=rows)
        assert ("nodes" in step["files"], "imports" in step["files"]) == (expected, True)
        assert step["imports_selector"]["include"] == (["*"] if expected else ["a", "b"])
        given: Any = {"_plan": found(nodes=nodes), "nodes": rotates}
        assert ("imports" in decide("steps", **given)["files"]) is expected
        assert "imports" not in decide("steps", **given, _confirmed=rows, reimport="no")["files"]
        check = decide("steps", **given, _confirmed=rows, ansible_check_mode=True)
        assert check["files"] == ["nodes"] * expected

    def test_a_wave_ends_before_it_begins_if_a_cluster_has_failed_or_check_mode_has_shown_all(self) -> None:
        plans = {name: {"__credential_rotation_plan": found(nodes=nodes)} for name, nodes in (("a", []), ("b", [ROW]))}
        assert not decide("wave", plans)["ends"]
        assert decide("wave", plans, ["a"])["ends"]
        assert not decide("wave", plans, ansible_check_mode=True)["ends"]
        assert decide("wave", {"a": plans["a"]}, ansible_check_mode=True)["ends"]


class TestNodes:
    FOUND = (
        {
            "supported": True,
            "reason": "",
            "notes": ["slow"],
            "pools": [{"name": "w", "paused": True, "rendered": "r1"}],
        },
    )

    def test_a_paused_pool_or_an_unsupported_cluster_refuses(self) -> None:
        (pools,) = self.FOUND
        assert "paused pools would not get it: w. Resume" in decide("nodes", _nodes=pools)["refusal"]
        assert decide("nodes", _nodes=pools, nodes_allow_paused="yes") == {"refusal": "", "notes": ["slow"]}
        hosted = {**pools, "supported": False, "reason": "hosted"}
        said = decide("nodes", _nodes=hosted, _plan=found(nodes=[ROW]), nodes_allow_paused="yes")["refusal"]
        assert "a has the old login in a pull secret of nodes: hosted. Change" in said

    def test_a_secret_that_keeps_its_login_refuses(self) -> None:
        (pools,) = self.FOUND
        kept = decide("written_nodes", _nodes=pools, _nodes_result=found(not_accepted=[ROW]))
        assert "The pull secret of the nodes was not changed: a/quay: why. Run again" in kept["refusal"]
        changed = decide("written_nodes", _nodes=pools, _nodes_result={**found(), "changed": True})
        assert changed == {"refusal": "", "notes": [], "rendered_before": {"w": "r1"}}
        assert decide("written_nodes", _nodes=pools, _nodes_result=found())["rendered_before"] == {}


class TestRest:
    def refusal(self, seen: Any, **given: Any) -> str:
        return str(decide("rest", _seen=seen, **given)["refusal"])

    def test_secrets_to_change_always_refuse(self) -> None:
        seen = found(to_change=[ROW], copies={"to_change": 1})
        assert "do not disable the old login yet: it is still in 1 place. a/quay: why. Remove it" in self.refusal(
            seen, allow=["remaining"]
        )

    def test_other_places_refuse_unless_they_are_allowed(self) -> None:
        rest = found(remaining=[{**ROW, "location": "auths"}], nodes=[{**ROW, "namespace": "openshift-config"}])
        said = self.refusal(rest)
        assert "still in 2 places. a/quay (auths): why. openshift-config/quay: the pull secret of the nodes" in said
        assert self.refusal(rest, allow=["remaining"]) == ""
        nodes = found(nodes=[ROW])
        assert (self.refusal(nodes) != "", self.refusal(nodes, nodes="no")) == (True, "")

    def test_the_number_of_the_other_places_is_said(self) -> None:
        row = {**ROW, "location": "auths"}
        said = self.refusal(
            found(to_change=[ROW] * 12, remaining=[row] * 10, remaining_count=1200, copies={"to_change": 500})
        )
        assert (said.count("And 490 more. "), said.count("And 1,190 more. ")) == (1, 1)
        assert "still in 1,700 places" in said

    def test_logins_without_an_answer_are_named(self) -> None:
        rows = [{**ROW, "is_refused": True}, {**ROW, "secret": "other", "is_refused": False}]
        said = self.refusal(found(to_change=[ROW], copies={"to_change": 1}), _plan=found(not_accepted=rows))
        assert said.count("a/quay: why") == 1
        assert "a/other: why" in said


def new_failures(plan: Any, seen: Any, **given: Any) -> list[str]:
    """Return the failures that count. Without a plan, the play has no plan of this rotation."""
    own = {"_plan": None} if plan is None else {"_plan": plan}
    return [row["place"] for row in rotation.new_failures(facts(_seen=seen, **own, **given))]


def after_retirement(plan: Any, before: Any, after: Any) -> list[str]:
    """Return the failures that count in a look after the retirement."""
    own = {"_plan": None} if plan is None else {"_plan": plan}
    known = decide("disable", _seen=before, **own)["known_failures"]
    return new_failures(plan, after, _known_failures=known)


class TestBeforeTheRetirement:
    def test_only_failures_since_the_plan_with_a_proven_image_count(self) -> None:
        plan = look("a x", undecided=("b x",), proven=("x",), to_change=1)
        assert new_failures(plan, look("a x", "b x", "c x", "d y", "e other")) == ["c x"]

    @pytest.mark.parametrize("proven", [(), ("x",)], ids=str)
    def test_a_run_that_changes_nothing_is_not_the_cause_of_a_failure(self, proven: tuple[str, ...]) -> None:
        """Otherwise, a user whose pods fail again and again, each with another image, prevents the retirement."""
        assert new_failures(look(proven=proven), look("a x")) == []

    @pytest.mark.parametrize("verify", [False, "false", "no"])
    def test_each_failure_counts_if_no_registry_was_queried(self, verify: Any) -> None:
        plan = look(to_change=1)
        assert new_failures(plan, look("a x"), verify=verify) == ["a x"]

    def test_the_refusal_names_the_pods(self) -> None:
        said = decide("pods", _seen=look("c x"), _plan=look(proven=("x",), to_change=1))["refusal"]
        assert said == "stopped: registries reject the login of pods that did not fail before: a/p (i, c). Go back"
        assert decide("pods")["refusal"] == ""


class TestAfterTheRetirement:
    def test_an_earlier_failure_is_not_counted(self) -> None:
        plan = look("a x", proven=("x",), to_change=1)
        assert after_retirement(plan, look("a x"), look("a x", "b x")) == ["b x"]

    def test_a_failure_undecided_since_the_plan_is_not_counted(self) -> None:
        plan = look("a x", undecided=("b x",), proven=("x",), to_change=1)
        assert after_retirement(plan, look(undecided=("a x", "b x")), look("a x", "b x")) == []

    @pytest.mark.parametrize("before", [{"failing": ("a x",)}, {"undecided": ("a x",)}], ids=str)
    def test_a_pull_that_worked_just_before_is_counted(self, before: Any) -> None:
        plan = look(*before.get("failing", ()), undecided=before.get("undecided", ()), proven=("x",), to_change=1)
        assert after_retirement(plan, look(), look("a x")) == ["a x"]

    def test_a_pull_that_waited_at_the_retirement_is_counted(self) -> None:
        plan = look(proven=("x",), to_change=1)
        assert after_retirement(plan, look(undecided=("a x",)), look("a x")) == ["a x"]

    def test_a_later_run_that_only_retires_counts_all(self) -> None:
        """It has nothing to change, so it has not proven any repository."""
        assert after_retirement(look(), look(), look("a x")) == ["a x"]

    def test_failures_are_compared_with_the_last_look_without_a_plan(self) -> None:
        assert after_retirement(None, look("a x"), look("a x", "b x")) == ["b x"]

    def test_the_failures_of_another_rotation_stay(self) -> None:
        step = decide("disable", _known_failures={"other": ["x"]}, _seen=look("a x"))
        assert step["known_failures"] == {"other": ["x"], KEY: ["a x"]}


@pytest.mark.parametrize(
    ("given", "scope"),
    [
        ({"_confirmed": ["row"]}, {"secrets": ["row"]}),
        ({"_plan": found(registries=["other"]), "plan": "x", "_reviewed": {"secrets": []}}, {"plan": {"secrets": []}}),
        ({"_plan": None, "_named": ["entry"]}, {"secrets": ["entry"]}),
    ],
)
def test_a_check_searches_the_confirmed_secrets(given: Any, scope: Any) -> None:
    assert decide("scope", **given) == scope
