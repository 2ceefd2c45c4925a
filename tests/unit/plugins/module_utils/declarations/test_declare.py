# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A list of entries becomes one declaration for each namespace. All errors are reported at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.changes import Entry
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.namespaces import NamespaceSelector, Targets
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SECRET
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.declarations.declare import (
    CLAIMS,
    Contradiction,
    EntryList,
    ListForm,
    batch_of,
    entry_at,
    entry_problems,
    list_entries,
    problems_of_entries,
    read_claims,
    read_declarations,
    selected_namespaces,
)
from support.objects import raised

CANARY = "canary-S3cret"

SOURCES = ("inline", "file")

ITEM = {"password": {"type": "str", "no_log": True}, "key": {"type": "str", "required": True}}

DECLARATION: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "namespaces": {"type": "list", "elements": "str"},
    "namespace_selector": {"type": "dict", "options": {"labels": {"type": "str"}}},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "purposes": {"type": "list", "elements": "str", "choices": ["pull", "mount"]},
    "count": {"type": "int", "default": 1},
    "ratio": {"type": "float"},
    "forced": {"type": "bool"},
    "size": {"type": "bytes"},
    "inline": {"type": "list", "elements": "dict", "options": ITEM},
    "file": {"type": "path"},
}


@dataclass(frozen=True)
class Thing:
    """Holds the given options."""

    options: Mapping[str, Any]
    text: str = ""


def declare(options: Mapping[str, Any], read_file: Callable[[str], str]) -> Thing:
    if options.get("state") == "wrong":
        raise OptionError("option 'state' is wrong")
    return Thing(options, read_file(options["file"]) if options.get("file") else "")


def same_state(things: Sequence[Thing]) -> Iterator[Contradiction]:
    for position, thing in enumerate(things):
        for first, other in enumerate(things[:position]):
            if other.options["state"] != thing.options["state"]:
                yield Contradiction(first, position, f"{other.options['state']}, then {thing.options['state']}")


FORM = ListForm(
    "things", "name", [SOURCES], kind=SECRET, arguments=DECLARATION, declare=declare, contradictions=same_state
)

ARGUMENTS = {**DECLARATION, FORM.option: FORM.spec}


def wanted(*items: Any, form: ListForm[Any] = FORM, **params: Any) -> Any:
    return read_declarations(form, {**params, "things": list(items)}, lambda path: f"text of {path}")


def refused(*items: Any, **params: Any) -> str:
    return raised(OptionError, lambda: wanted(*items, **params))


class TestSpec:
    def test_the_spec_of_the_list_has_the_options_of_the_task_without_defaults(self) -> None:
        option = ARGUMENTS["things"]
        assert (option["type"], option["elements"], option["no_log"]) == ("list", "dict", False)
        assert list(option["options"]) == [*DECLARATION, "title"]
        assert option["options"]["state"] == {"type": "str", "choices": ["present", "absent"]}
        assert option["options"]["name"] == {"type": "str"}
        assert option["options"]["inline"]["options"] is ITEM, "those of a list in it are its own"
        assert DECLARATION["state"]["default"] == "present"

    def test_the_spec_of_the_list_has_the_rules_of_the_task(self) -> None:
        targets = ("namespaces", "namespace_selector")
        assert ARGUMENTS["things"]["mutually_exclusive"] == [targets, SOURCES]
        assert replace(FORM, alternatives=()).spec["mutually_exclusive"] == [targets]


class TestDeclared:
    def test_the_options_of_the_task_are_the_only_declaration_without_a_list(self) -> None:
        params = {"name": "n", "namespaces": ["b", "a"], "things": None}
        (one,) = read_declarations(FORM, params, lambda path: path)
        assert one.entry is None
        assert one.desired == Thing(params)
        assert one.targets == Targets(["b", "a"])
        (same,) = read_declarations(FORM, {"name": "n", "namespaces": ["b", "a"]}, lambda path: path)
        assert same.targets == one.targets

    def test_an_error_of_the_only_declaration_names_no_entry(self) -> None:
        with pytest.raises(OptionError, match="^option 'state' is wrong$"):
            read_declarations(FORM, {"namespaces": ["a"], "state": "wrong"}, lambda path: path)

    def test_an_empty_list_is_refused(self) -> None:
        assert refused(namespaces=["a"]) == "option 'things' is empty: give at least one entry"

    def test_entries_are_declared_in_the_given_order(self) -> None:
        first, second = wanted({"name": "b", "namespaces": ["x"]}, {"namespace_selector": {"labels": "l=1"}})
        assert (first.entry, second.entry) == (Entry("things", 0, "b"), Entry("things", 1))
        assert first.targets == Targets(["x"])
        assert second.targets == NamespaceSelector(labels="l=1")

    def test_an_option_of_an_entry_replaces_the_alternatives_of_the_task(self) -> None:
        params = {"namespaces": ["a"], "namespace_selector": None, "inline": [1], "file": None}
        selects, reads, neither = wanted(
            {"namespace_selector": {"labels": "x=y"}}, {"file": "f"}, {"namespaces": None, "file": None}, **params
        )
        assert selects.targets == NamespaceSelector(labels="x=y")
        assert "namespaces" not in selects.desired.options
        assert selects.desired.options["inline"] == [1]
        assert reads.desired.text == "text of f"
        assert "inline" not in reads.desired.options
        assert neither.targets == Targets(["a"])
        assert neither.desired.options["inline"] == [1]

    def test_all_invalid_entries_are_named_at_once(self) -> None:
        said = refused(
            {"name": "one", "namespaces": ["a"]},
            {"name": "two", "namespaces": ["a"], "state": "wrong"},
            {"name": "three", "namespaces": []},
            {"state": "wrong", "namespaces": ["a"]},
            {"name": "five"},
        )
        assert said == (
            "nothing was read or changed: things[1] (two): option 'state' is wrong; "
            "things[2] (three): option 'namespaces' is empty: give at least one; things[3]: option 'state' is wrong; "
            "things[4] (five): give one of the options 'namespaces' and 'namespace_selector', such as 'namespaces: [project-a]'"
        )

    @pytest.mark.parametrize(("count", "told"), [(1, ""), (20, ""), (21, "; and 1 more"), (25, "; and 5 more")])
    def test_the_first_twenty_invalid_entries_are_named(self, count: int, told: str) -> None:
        said = refused(*[{"state": "wrong", "namespaces": ["a"]} for _one in range(count)])
        assert said.startswith("nothing was read or changed: things[0]: ")
        assert said.endswith(f"things[{min(count, 20) - 1}]: option 'state' is wrong{told}")


class TestEntryProblems:
    """Ansible's own validation reports only the first error. Here all errors are reported, without any value."""

    def said(self, *items: Any) -> str:
        return entry_problems(FORM, ARGUMENTS, list(items))

    def test_valid_entries_have_no_problem(self) -> None:
        assert self.said() == ""
        assert self.said({"name": "n", "namespaces": ["a"], "count": "3"}, {}) == ""

    @pytest.mark.parametrize("items", [None, "things", {"name": "n"}, 5], ids=str)
    def test_a_value_that_is_not_a_list_is_left_to_ansible(self, items: Any) -> None:
        assert entry_problems(FORM, ARGUMENTS, items) == ""
        assert problems_of_entries(FORM, ARGUMENTS, items) == []

    @pytest.mark.parametrize(
        ("item", "said"),
        [
            ({"count": CANARY}, "option 'count' is a text: give a whole number"),
            ({"ratio": CANARY}, "option 'ratio' is a text: give a number"),
            ({"forced": CANARY}, "option 'forced' is a text: give true or false"),
            ({"state": CANARY}, "option 'state' has an unknown value: it takes present, absent"),
            (
                {"state": "presnt"},
                "option 'state' has an unknown value: did you mean 'present' instead of 'presnt'? It takes present, absent",
            ),
            (
                {"purposes": "pull, mount"},
                "option 'purposes' has a space before 'mount': write it as a list, such as [pull, mount]",
            ),
            (
                {"namespaces": {CANARY: 1}},
                "option 'namespaces' is a dictionary: give a list: begin each item with '- '",
            ),
            (
                {"namespace_selector": CANARY},
                "option 'namespace_selector' is a text: give lines of the form 'name: value'",
            ),
            ({"inline": [{"password": CANARY}]}, "inline[0].key is missing or empty: write 'key: VALUE'"),
            ({"inline": [CANARY]}, "an item of option 'inline' is a text: give lines of the form 'name: value'"),
            ({"inline": [[CANARY]]}, " a list, not 'list'"),
            ({"inline": [[f"x\n{CANARY}"]]}, " a list, not 'list'"),
            ({"inline": [{"key": "k", "word": CANARY}]}, "inline[0].word is unknown; it takes key, password"),
            ({"nmae": CANARY}, "nmae"),
            (
                {"inline": [], "file": CANARY},
                "give only one of options 'inline' and 'file' ('inline' and 'file' are set)",
            ),
            (
                {"namespaces": [CANARY], "namespace_selector": {"labels": CANARY}},
                "give only one of options 'namespaces' and 'namespace_selector'",
            ),
            (CANARY, "it is not a dictionary of options"),
            (None, "it is not a dictionary of options"),
            ([CANARY], "it is not a dictionary of options"),
        ],
    )
    def test_the_problem_of_an_entry_is_reported_without_the_value(self, item: Any, said: str) -> None:
        found = self.said({"name": "fine"}, item)
        # Ansible may report two errors for one option.
        assert re.match(r"nothing was read or changed: things\[1\]: ", found)
        assert said in found
        assert "things[0]" not in found
        assert CANARY not in found

    def test_the_problem_of_a_type_without_a_notation_has_no_advice(self) -> None:
        assert self.said({"size": CANARY}).endswith("option 'size' is a text: it cannot be converted to bytes")

    def test_all_problems_of_all_entries_are_reported(self) -> None:
        found = self.said({"name": "one", "count": "x", "state": "y"}, {"name": "two"}, CANARY, {"state": "z"})
        assert found.startswith("nothing was read or changed: things[0] (one): ")
        assert [found.count(f"things[{number}]") for number in range(4)] == [2, 0, 1, 1]

    def test_a_value_of_several_lines_is_not_shown(self) -> None:
        found = self.said({"count": f"x\n{CANARY}"}, {"state": f"x\n{CANARY}"})
        assert CANARY not in found


class TestBatchOf:
    def test_batch_of_groups_the_declarations_by_namespace(self) -> None:
        items = wanted(*({"name": f"n{number}", "namespaces": ["x"], "state": "present"} for number in range(3)))
        found = [Targets(["b", "a"]), Targets([], ["going"]), Targets(["a", "c"])]
        batch = batch_of(FORM, items, found)
        assert batch.kind == SECRET
        assert {name: [one.entry.position for one in every] for name, every in batch.namespaces.items()} == {
            "b": [0],
            "a": [0, 2],
            "c": [2],
        }
        assert list(batch.namespaces) == ["b", "a", "c"]

    def test_contradicting_entries_are_refused_with_both_titles_and_the_namespace(self) -> None:
        items = wanted(
            {"name": "one", "namespaces": ["x"], "state": "present"},
            {"name": "two", "namespaces": ["x"], "state": "absent"},
        )
        assert batch_of(FORM, items, [Targets(["a"]), Targets(["b"])])
        assert raised(
            OptionError, lambda: batch_of(FORM, items, [Targets(["a", "c", "d"]), Targets(["b", "c", "d"])])
        ) == (
            "things[0] (one) and things[1] (two) contradict each other in namespace c: present, then absent. "
            "Nothing was changed"
        )

    @pytest.mark.parametrize("opened", [0, 1])
    def test_a_contradiction_in_a_namespace_of_a_user_refuses_only_that_namespace(self, opened: int) -> None:
        items = wanted(*({"namespaces": ["x"], "state": state} for state in ("present", "absent")))
        found = [Targets(["a", "evil"]), Targets(["b", "evil"])]
        found[opened] = replace(found[opened], open_to_users=["evil"])
        batch = batch_of(FORM, items, found)
        assert list(batch.refused) == ["evil"]
        assert batch.refused["evil"] == (
            "things[0] and things[1] contradict each other in namespace evil: present, then absent. "
            "A user requested this project with a name that one of their namespace_selectors includes, so nothing was "
            "done in it: add 'requesters' or 'labels' to that selector, or exclude the name"
        )
        with pytest.raises(OptionError, match="in namespace b: present, then absent. Nothing was changed"):
            batch_of(FORM, items, [Targets(["b", "evil"], open_to_users=["evil"]), Targets(["b", "evil"])])

    def test_each_contradicting_pair_is_named_once_with_its_first_namespace(self) -> None:
        states = ("present", "absent", "absent")
        items = wanted(*({"namespaces": ["x"], "state": state} for state in states))
        assert raised(
            OptionError, lambda: batch_of(FORM, items, [Targets(["a", "b", "c"]), Targets(["b"]), Targets(["b", "c"])])
        ) == (
            "things[0] and things[1] contradict each other in namespace b: present, then absent; "
            "things[0] and things[2] contradict each other in namespace b: present, then absent. Nothing was changed"
        )

    def test_the_first_twenty_contradictions_are_named(self) -> None:
        items = wanted(*({"namespaces": ["x"], "state": state} for state in ("present", *["absent"] * 23)))
        with pytest.raises(OptionError, match=r"things\[20\] contradict .*; and 3 more. Nothing was changed$"):
            batch_of(FORM, items, [Targets(["a"])] * 24)

    def test_the_same_entries_are_compared_once(self) -> None:
        """A thousand namespaces with the same ten entries cost no more than one."""
        asked: list[int] = []

        def compare(things: Sequence[Thing]) -> Iterator[Contradiction]:
            asked.append(len(things))
            return iter(())

        form = ListForm("things", "name", kind=SECRET, declare=declare, contradictions=compare)
        items = wanted({"namespaces": ["x"]}, {"namespaces": ["x"]}, form=form)
        batch_of(form, items, [Targets(["a", "b", "c"]), Targets(["b", "c", "d"])])
        assert asked == [2]


class TestClaims:
    """Objects that another task declares must not contradict the entries of this one."""

    def claims(self, *items: Any, **params: Any) -> Any:
        return read_claims(FORM, {**params, CLAIMS: list(items)}, lambda path: path)

    def test_a_claim_has_a_name_and_namespaces_only(self) -> None:
        assert [*FORM.claims.spec["options"]] == ["name", "namespaces", "namespace_selector", "title"]
        (one,) = self.claims({"name": "one", "namespaces": ["a"], "title": "mine[0]"}, count=7, file="x")
        assert (str(one.entry), one.targets, one.is_claim) == ("mine[0] (one)", Targets(["a"]), True)
        assert (one.desired.options["count"], one.desired.text) == (1, "")

    @pytest.mark.parametrize("params", [{}, {CLAIMS: None}, {CLAIMS: []}])
    def test_a_task_without_claims_has_none(self, params: dict[str, Any]) -> None:
        assert read_claims(FORM, params, lambda path: path) == []

    def test_an_invalid_claim_is_refused_with_its_title(self) -> None:
        with pytest.raises(OptionError, match=r"mine\[0\] \(one\): give one of the options 'namespaces'"):
            self.claims({"name": "one", "title": "mine[0]"})

    def test_an_entry_that_contradicts_a_claim_is_refused_with_both_titles(self) -> None:
        items = wanted({"name": "one", "namespaces": ["x"], "state": "present"})
        others = self.claims({"name": "one", "namespaces": ["x"], "title": "mine[0]"})
        assert raised(
            OptionError, lambda: batch_of(FORM, [*items, *others], [Targets(["a", "b"]), Targets(["b", "c"])])
        ) == (
            "things[0] (one) and mine[0] (one) contradict each other in namespace b: present, then absent. "
            "Nothing was changed"
        )

    def test_claims_are_not_planned_and_do_not_contradict_each_other(self) -> None:
        items = wanted({"name": "one", "namespaces": ["x"], "state": "absent"})
        others = self.claims(*[{"name": "two", "namespaces": ["x"]}] * 2)
        others[1] = replace(others[1], desired=Thing({"state": "present"}))
        batch = batch_of(FORM, [*items, *others], [Targets(["a"]), Targets(["a", "b"]), Targets(["b"])])
        assert batch.namespaces == {"a": items}
        assert (batch.refused, batch.confirmed) == ({}, {"a"})

    def test_a_contradiction_in_a_namespace_of_a_user_refuses_only_that_namespace(self) -> None:
        items = wanted({"name": "one", "namespaces": ["x"], "state": "present"})
        others = self.claims({"name": "one", "namespaces": ["x"]})
        found = [Targets(["a", "evil"], open_to_users=["evil"]), Targets(["evil"])]
        batch = batch_of(FORM, [*items, *others], found)
        assert ([*batch.namespaces], [*batch.refused]) == (["a", "evil"], ["evil"])


def test_selected_namespaces_are_listed_once_for_all_entries_that_select_them() -> None:
    team, other = {"labels": "team=a"}, {"labels": "team=b"}
    items = [{"name": "x", "namespace_selector": team}, {"name": "y", "namespaces": ["n"]}]
    items += [{"name": "z", "namespace_selector": team, "title": "mine[0]"}, {"name": "o", "namespace_selector": other}]
    found = [Targets(["a", "b"]), Targets(["n"]), Targets(["a", "b"]), Targets([])]
    assert selected_namespaces(wanted(*items), found) == [
        {"titles": ["things[0]", "mine[0]"], "namespaces": ["a", "b"]},
        {"titles": ["things[3]"], "namespaces": []},
    ]
    one = read_declarations(FORM, {"name": "x", "namespace_selector": team, "things": None}, str)
    assert selected_namespaces(one, [Targets(["a"])]) == []


# --- Entries of a list inherit options of the task and are named in messages

LIST = EntryList("secrets", "name", (("registries", "auth_file"),))

TASK: dict[str, Any] = {"namespaces": ["task"], "namespace_selector": None, "auth_file": "f", "type": "t", "name": None}


def options(**item: Any) -> dict[str, Any]:
    ((_entry, found),) = list_entries(LIST, {**TASK, "secrets": [item]})
    del found["secrets"]
    return found


def test_options_that_an_entry_lacks_come_from_the_task() -> None:
    assert options(name="a") == {**TASK, "name": "a"}
    assert options(name="a", type=None) == {**TASK, "name": "a"}
    assert options(type="other")["type"] == "other"


@pytest.mark.parametrize(
    ("item", "gone"),
    [
        ({"namespace_selector": {"labels": "x"}}, "namespaces"),
        ({"namespaces": ["own"]}, "namespace_selector"),
        ({"registries": []}, "auth_file"),
        ({"auth_file": "own"}, "registries"),
    ],
)
def test_an_option_of_an_entry_replaces_the_alternatives_of_the_task(item: dict[str, Any], gone: str) -> None:
    found = options(**item)
    assert gone not in found
    assert {name: found[name] for name in item} == item
    assert found["type"] == "t"


def test_entries_have_their_position_and_title() -> None:
    found = list_entries(LIST, {**TASK, "secrets": [{"name": "a"}, {"name": "b", "title": "of team b"}]})
    assert [entry for entry, _options in found] == [Entry("secrets", 0, "a"), Entry("secrets", 1, "b", "of team b")]


@pytest.mark.parametrize("items", [[], None], ids=str)
def test_a_list_without_entries_is_refused(items: Any) -> None:
    with pytest.raises(OptionError, match="^option 'secrets' is empty: give at least one entry$"):
        list_entries(LIST, {**TASK, "secrets": items})


@pytest.mark.parametrize(
    ("item", "name", "title"),
    [
        ({"name": "pull"}, "pull", ""),
        ({"name": ["a", "b"]}, "a, b", ""),
        ({"name": "No name: a password?"}, "", ""),
        ({"name": ["a", "No name", 1]}, "a", ""),
        ({"name": 5, "title": 6}, "", ""),
        ({"title": "t"}, "", "t"),
        ("no mapping", "", ""),
        (None, "", ""),
    ],
)
def test_text_that_cannot_be_a_name_is_not_shown_as_the_name_of_an_entry(item: Any, name: str, title: str) -> None:
    assert entry_at(LIST, 3, item) == Entry("secrets", 3, name, title)
