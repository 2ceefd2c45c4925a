# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The entries of a task or of a plan decide which secrets a rotation is allowed to write."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.namespaces import NamespaceSelector
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SECRET, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.credential_rotation.confirmation import (
    ConfirmedEntry,
    ConfirmedSecrets,
    confirmed_entries,
    plan_problems,
)
from ansible_collections.openshift_ops.image_pull.plugins.modules.credential_rotation import SECRETS
from support.objects import raised

UID = "8d1c1f6e-6f3b-4d0a-9f3e-0a5a0e2c9b11"
ROW = {"namespace": "a", "name": "quay", "uid": UID}


def options(*rows: dict[str, Any], **plan: Any) -> dict[str, Any]:
    """Return the options of a task with or without a plan."""
    logins = {"old": {"username": "robot"}, "new": {"username": "robot2"}, "registries": ["quay.io"]}
    if not plan:
        return {**logins, "secrets": list(rows), "plan": None}
    usual = {"server": "https://api", "registries": ["quay.io"], "old_username": "robot", "new_username": "robot2"}
    return {**logins, "secrets": None, "plan": {**usual, "secrets": list(rows), **plan}}


def refused(*rows: dict[str, Any], **plan: Any) -> str:
    return raised(OptionError, lambda: confirmed_entries(options(*rows, **plan)))


class TestEntries:
    def test_entries_may_name_one_namespace_several_or_a_selector(self) -> None:
        selector = {
            "include": ["team-*"],
            "labels": None,
            "exclude": ["team-x"],
            "phases": ["Active"],
            "system_namespaces": False,
        }
        found = confirmed_entries(
            options(
                {"name": "s", "namespace": "a"},
                {"name": "s", "namespaces": ["a", "b", "a"]},
                {"name": "s", "namespace_selector": selector},
                {**ROW, "declared": True},
            )
        )
        assert found == (
            ConfirmedEntry("s", ("a",)),
            ConfirmedEntry("s", ("a", "b")),
            ConfirmedEntry("s", NamespaceSelector(include=("team-*",), exclude=("team-x",))),
            ConfirmedEntry("quay", ("a",), UID),
        )

    @pytest.mark.parametrize(("told", "is_accepted"), [(None, True), (True, True), (False, False)])
    def test_a_row_can_exclude_a_secret_but_not_prove_its_login(self, told: bool | None, is_accepted: bool) -> None:
        """The answer in a plan is that of an earlier run, so the registries are asked again."""
        row = {**ROW, "is_accepted": told}
        (entry,) = confirmed_entries(options(row))
        assert entry == ConfirmedEntry("quay", ("a",), UID, is_accepted)
        assert confirmed_entries(options(row, server="https://api")) == (ConfirmedEntry("quay", ("a",), UID),)
        place = ("a", "quay")
        assert ConfirmedSecrets.of([(entry, ["a"])]).unaccepted == (frozenset() if is_accepted else {place})

    @pytest.mark.parametrize("given", [{"secrets": None}, {"secrets": []}, {}], ids=str)
    def test_empty_options_give_no_entries(self, given: dict[str, Any]) -> None:
        assert confirmed_entries(given) == ()

    @pytest.mark.parametrize(
        ("row", "said"),
        [
            ({"name": "{{ x }}", "namespace": "a"}, "'name' cannot be the name of a secret"),
            ({"name": "../x", "namespace": "a"}, "'name' cannot be the name of a secret"),
            ({"name": "s", "namespace": "a/b"}, "it contains an invalid namespace name"),
            ({"name": "s", "namespaces": ["a", "B"]}, "it contains an invalid namespace name"),
            ({"name": "s", "namespaces": []}, "give one of 'namespace', 'namespaces' and 'namespace_selector'"),
            ({"name": "s"}, "give one of 'namespace', 'namespaces' and 'namespace_selector'"),
            ({"name": "s", "namespace_selector": {}}, "gives none of 'labels', 'include' and 'requesters'"),
            ({"name": "s", "namespace": "a", "uid": "{{ x }}"}, "'uid' cannot be the UID of an object"),
            ({"name": "s", "namespace": "a", "uid": "x" * 65}, "'uid' cannot be the UID of an object"),
            ({"name": "s", "namespaces": ["a"], "uid": UID}, "'uid' identifies one secret: give 'namespace' with it"),
            ({**ROW, "declared": False}, "'declared' is false, so this row is not confirmed"),
        ],
    )
    def test_invalid_entries_are_refused(self, row: dict[str, Any], said: str) -> None:
        message = refused(ROW, row)
        assert message.startswith("option 'secrets[1]': ")
        assert said in message
        assert "{{" not in message

    def test_many_problems_are_reported_at_once_up_to_a_limit(self) -> None:
        message = refused(*({"name": "_", "namespace": "a"} for _number in range(23)))
        assert message.count("'name' cannot be") == 20
        assert message.endswith("; and 3 more")


class TestPlan:
    def test_rows_of_a_plan_become_entries(self) -> None:
        assert confirmed_entries(options({**ROW, "declared": False}, server="https://api")) == (
            ConfirmedEntry("quay", ("a",), UID),
        )

    @pytest.mark.parametrize(
        ("row", "said"),
        [
            ({"uid": None}, "'uid' is missing, but a plan needs it in each row"),
            ({"uid": ""}, "'uid' is missing, but a plan needs it in each row"),
            ({"namespace": None}, "'namespace' is missing"),
        ],
    )
    def test_a_row_names_one_object(self, row: dict[str, Any], said: str) -> None:
        message = refused({**ROW, **row}, server="https://api")
        assert message.startswith("option 'plan.secrets[0]': ")
        assert said in message

    @pytest.mark.parametrize(
        "plan",
        [
            {"server": "x"},
            {"registries": ["https://quay.io/v2/", "quay.io"]},
            {"old_username": "robot2", "new_username": "robot"},
        ],
    )
    def test_a_plan_for_this_rotation_or_its_reverse_is_accepted(self, plan: dict[str, Any]) -> None:
        assert list(plan_problems(options(**plan))) == []
        assert list(plan_problems(options())) == []

    @pytest.mark.parametrize(
        ("plan", "said"),
        [
            (
                {"registries": ["quay.io", "b.io"]},
                "is for the registries b.io, quay.io, but this rotation is for quay.io",
            ),
            ({"registries": ["quay.io/team"]}, "is for the registries quay.io/team, but this rotation is for quay.io"),
            ({"registries": []}, "is for the registries "),
            (
                {"old_username": "other"},
                "for the user names other and robot2, but options 'old' and 'new' have robot and robot2",
            ),
            (
                {"new_username": "robot"},
                "for the user names robot and robot, but options 'old' and 'new' have robot and robot2",
            ),
        ],
    )
    def test_a_plan_for_another_rotation_is_a_problem(self, plan: dict[str, Any], said: str) -> None:
        (problem,) = plan_problems(options(**plan))
        assert said in problem


class TestConfirmed:
    def ref(self, namespace: str, name: str) -> ObjectRef:
        return ObjectRef(SECRET, namespace, name)

    def test_entries_confirm_their_secrets_and_no_others(self) -> None:
        entries = [(ConfirmedEntry("quay", ()), ["a", "b"]), (ConfirmedEntry("other", (), UID), ["a"])]
        found = ConfirmedSecrets.of(entries)
        every = {(space, name) for space in "abc" for name in ("quay", "other") if found.names(self.ref(space, name))}
        assert every == {("a", "quay"), ("b", "quay"), ("a", "other")}
        assert found.includes(self.ref("b", "quay"), "whatever")
        assert found.includes(self.ref("a", "other"), UID)
        assert not found.includes(self.ref("a", "other"), "x")
        assert not found.includes(self.ref("a", "other"), "")
        assert not found.includes(self.ref("b", "other"), UID)

    def test_an_entry_without_a_uid_confirms_any_object(self) -> None:
        found = ConfirmedSecrets.of([(ConfirmedEntry("quay", (), UID), ["a"]), (ConfirmedEntry("quay", ()), ["a"])])
        assert found.includes(self.ref("a", "quay"), "x")

    def test_no_secret_is_confirmed_by_default(self) -> None:
        assert not ConfirmedSecrets().includes(self.ref("a", "quay"), UID)


@pytest.mark.parametrize(
    ("places", "is_valid"),
    [
        ({"namespace": "a"}, True),
        ({"namespaces": ["a"]}, True),
        ({"namespace_selector": {"include": ["a"]}}, True),
        ({}, False),
        ({"namespace": "a", "namespaces": ["a"]}, False),
    ],
)
def test_an_entry_gives_its_namespaces_in_one_way(places: dict[str, Any], is_valid: bool) -> None:
    found = ArgumentSpecValidator({"secrets": SECRETS}).validate({"secrets": [{"name": "s", **places}]})
    assert bool(found.error_messages) is not is_valid
