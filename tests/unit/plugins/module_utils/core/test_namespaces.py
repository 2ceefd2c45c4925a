# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A selector selects exactly the described namespaces, and never the platform's own ones by accident."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError, Refusal
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.namespaces import (
    REQUESTER,
    NamespaceSelector,
    Targets,
    compile_selector,
    is_platform_namespace,
    is_selected,
    requester_of,
    required_keys,
    selector_of,
    targets_of,
)
from support.objects import raised


def namespace(name: str, phase: str = "Active", **metadata: str) -> dict:
    return {"metadata": {"name": name, **metadata}, "status": {"phase": phase}}


ALL = [
    namespace(name)
    for name in (
        "team-b",
        "team-a",
        "other",
        "default",
        "kube-system",
        "openshift",
        "openshift-x",
        "redhat-x",
        "openshifty",
    )
]

EVERY = NamespaceSelector(include=("*",))


class TestChoose:
    @pytest.mark.parametrize(
        ("selector", "names"),
        [
            (EVERY, ["openshifty", "other", "team-a", "team-b"]),
            (NamespaceSelector(include=("team-*",), exclude=("*-b",)), ["team-a"]),
            (NamespaceSelector(include=("team-a", "o*")), ["openshifty", "other", "team-a"]),
            (NamespaceSelector(include=("Team-*",)), []),
            (NamespaceSelector(labels="a=b"), ["openshifty", "other", "team-a", "team-b"]),
            (NamespaceSelector(include=("kube-*",)), []),
            (NamespaceSelector(include=("default",)), []),
            (NamespaceSelector(include=("redhat-*",)), []),
            (NamespaceSelector(include=("kube-*",), system=True), ["kube-system"]),
            (NamespaceSelector(include=("openshift",), system=True), ["openshift"]),
        ],
    )
    def test_choose_applies_include_exclude_and_system(self, selector: NamespaceSelector, names: list[str]) -> None:
        assert selector.choose(ALL) == (names, [])

    def test_left_out_lists_the_namespaces_of_the_platform(self) -> None:
        there = [{"metadata": {"name": name}} for name in ("openshift-b", "kube-a", "user", "kube-x", "default")]
        selector = NamespaceSelector(include=("*",), exclude=("kube-x",))
        assert selector.left_out(there) == ["default", "kube-a", "openshift-b"]
        assert NamespaceSelector(include=("user", "kube-a")).left_out(there) == ["kube-a"]
        assert NamespaceSelector(include=("*",), system=True).left_out(there) == []

    def test_terminating_namespaces_are_listed_separately(self) -> None:
        going = [namespace("b", "Terminating"), namespace("a", deletionTimestamp="now"), namespace("c")]
        assert EVERY.choose(going) == (["c"], ["a", "b"])
        assert NamespaceSelector(include=("*",), phases=("Terminating",)).choose(going) == ([], ["a", "b"])
        assert NamespaceSelector(include=("c",)).choose(going) == (["c"], [])

    def test_namespaces_in_other_phases_are_chosen_only_on_request(self) -> None:
        odd = [namespace("a", "Failed"), {"metadata": {"name": "b"}}]
        assert EVERY.choose(odd) == (["b"], [])
        assert NamespaceSelector(include=("*",), phases=("Failed",)).choose(odd) == (["a"], [])

    def test_a_namespace_that_appears_twice_counts_once_in_its_last_state(self) -> None:
        """The list had to be read again from the start. The newer state comes last."""
        assert EVERY.choose([namespace("a"), namespace("b"), namespace("a", "Terminating")]) == (["b"], ["a"])
        assert EVERY.choose([namespace("a"), namespace("a")]) == (["a"], [])

    @pytest.mark.parametrize("status", [None, [], "Terminating", {"phase": None}, {"phase": ["Terminating"]}], ids=str)
    def test_an_unreadable_phase_does_not_leave_a_namespace_out(self, status: Any) -> None:
        assert EVERY.choose([{"metadata": {"name": "a"}, "status": status}]) == (["a"], [])

    @pytest.mark.parametrize("odd", [None, "text", {}, {"metadata": None}, {"metadata": {"name": None}}], ids=str)
    def test_a_namespace_without_a_name_is_an_error(self, odd: Any) -> None:
        assert (
            raised(Refusal, lambda: EVERY.choose([namespace("a"), odd]))
            == "the list of namespaces contains one without a name, so it is unclear which namespaces are selected"
        )


def requested(name: str, user: Any) -> dict:
    return {"metadata": {"name": name, "annotations": {REQUESTER: user}}}


class TestRequesters:
    """Users choose the names of the projects that they request, but cannot change the recorded requester."""

    THERE = (
        requested("team-a", "ann"),
        requested("team-evil", "mallory"),
        namespace("team-admin"),
        requested("x", "ann"),
    )

    def test_choose_selects_by_requester(self) -> None:
        selector = NamespaceSelector(include=("team-*",), requesters=("ann", "joe"))
        assert selector.choose(self.THERE) == (["team-a"], [])
        assert NamespaceSelector(requesters=("ann",)).choose(self.THERE) == (["team-a", "x"], [])
        assert NamespaceSelector(include=("team-*",)).choose(self.THERE)[0] == ["team-a", "team-admin", "team-evil"]

    @pytest.mark.parametrize("user", ["an*", "*", "ANN", "ann "])
    def test_requesters_are_compared_as_whole_names(self, user: str) -> None:
        assert NamespaceSelector(requesters=(user,)).choose(self.THERE) == ([], [])

    @pytest.mark.parametrize("annotations", [None, [], "ann", {REQUESTER: None}, {REQUESTER: ["ann"]}, {REQUESTER: ""}])
    def test_an_unreadable_annotation_means_no_requester(self, annotations: Any) -> None:
        odd = {"metadata": {"name": "a", "annotations": annotations}}
        assert requester_of(odd) == ""
        assert NamespaceSelector(requesters=("ann",)).choose([odd]) == ([], [])

    def test_the_newest_requester_of_a_repeated_namespace_counts(self) -> None:
        twice = [requested("a", "ann"), requested("a", "mallory")]
        assert NamespaceSelector(requesters=("ann",)).choose(twice) == ([], [])

    def test_left_out_lists_only_namespaces_of_the_requesters(self) -> None:
        there = [requested("openshift-x", "ann"), requested("openshift-y", "joe")]
        assert NamespaceSelector(requesters=("ann",)).left_out(there) == ["openshift-x"]

    def test_a_cluster_without_the_requester_annotation_is_reported(self) -> None:
        selector = NamespaceSelector(requesters=("ann",))
        (remark,) = selector.remarks([namespace("a"), namespace("b")])
        assert "none of 2 namespaces has the annotation openshift.io/requester" in remark
        assert selector.remarks(self.THERE) == selector.remarks([]) == EVERY.remarks([namespace("a")]) == ()

    @pytest.mark.parametrize("requesters", [[], [""], ["ann", ""]], ids=str)
    def test_an_empty_list_of_requesters_is_refused(self, requesters: list[str]) -> None:
        with pytest.raises(OptionError, match="'namespace_selector.requesters' names no user"):
            selector_of({"include": ["*"], "requesters": requesters})

    @pytest.mark.parametrize(
        ("selector", "is_closed"),
        [
            (NamespaceSelector(include=("team-a-*",)), False),
            (NamespaceSelector(include=("team-a-*",), requesters=("ann",)), True),
            (NamespaceSelector(labels="team=a"), True),
            (NamespaceSelector(labels="team"), True),
            (NamespaceSelector(labels="team in (a,b),!x"), True),
            (NamespaceSelector(labels="!team"), False),
            (NamespaceSelector(labels="team!=a"), False),
            (NamespaceSelector(labels="team notin (a)"), False),
            (NamespaceSelector(labels="kubernetes.io/metadata.name in (a,b)"), False),
            (NamespaceSelector(labels="pod-security.kubernetes.io/enforce=restricted"), False),
            (NamespaceSelector(labels="kubernetes.io/metadata.name=a,team=a"), True),
            (NamespaceSelector(labels="team=a=b"), False),
        ],
    )
    def test_a_selector_is_closed_if_only_administrators_decide(
        self, selector: NamespaceSelector, is_closed: bool
    ) -> None:
        assert selector.is_closed is is_closed


class TestSelectorOption:
    @pytest.mark.parametrize("options", [{}, {"labels": " "}, {"include": []}, {"exclude": ["a"]}], ids=str)
    def test_a_selector_without_criteria_is_refused(self, options: dict) -> None:
        assert raised(OptionError, lambda: selector_of(options)) == (
            "option 'namespace_selector' gives none of 'labels', 'include' and 'requesters': for all namespaces write include: ['*']"
        )

    def test_options_of_a_selector_are_all_used(self) -> None:
        options = {
            "labels": " team=a ",
            "include": ["a*"],
            "exclude": ["b"],
            "requesters": ["ann"],
            "phases": ["Failed"],
            "system_namespaces": True,
        }
        assert selector_of(options) == NamespaceSelector(
            "team=a", ("a*",), ("b",), ("Failed",), system=True, requesters=("ann",)
        )

    def test_the_default_selector_means_active_namespaces_of_users(self) -> None:
        nothing = dict.fromkeys(("labels", "exclude", "phases", "system_namespaces"))
        assert selector_of({**nothing, "include": ["*"]}) == NamespaceSelector(
            labels="", include=("*",), exclude=(), phases=("Active",), system=False
        )


def test_namespaces_of_the_platform_are_recognized_by_name() -> None:
    names = [each["metadata"]["name"] for each in ALL]
    assert [name for name in names if not is_platform_namespace(name)] == ["team-b", "team-a", "other", "openshifty"]


# --- Label selectors match as in the API server (apimachinery pkg/labels/selector_test.go), which refuses invalid ones

LABELS = {"team": "red", "tier": "", "example.com/stage": "prod-1", "a.b": "x"}


@pytest.mark.parametrize(
    "selector",
    [
        "",
        "  ",
        "team",
        "!absent",
        " ! absent ",
        "team=red",
        "team==red",
        "team = red",
        "team!=blue",
        "absent!=red",
        "tier=",
        "tier",
        "team in (red)",
        "team in (blue, red)",
        "team in(blue,red)",
        "team notin (blue,green)",
        "absent notin (red)",
        "tier in (,)",
        "example.com/stage=prod-1",
        "a.b=x",
        "team=red,tier=",
        "team in (red,blue),example.com/stage in (prod-1,prod-2),!absent",
        "\tteam=red\n",
    ],
)
def test_a_matching_selector_selects_the_labels(selector: str) -> None:
    test = compile_selector(selector)
    assert test is not None
    assert test(LABELS)


@pytest.mark.parametrize(
    "selector",
    [
        "absent",
        "!team",
        "team=blue",
        "team==blue",
        "team=re",
        "team!=red",
        "absent=",
        "absent=red",
        "absent in (red)",
        "team in (blue,green)",
        "team notin (blue, red)",
        "tier!=",
        "team=red,tier=x",
        "team=blue,tier=",
        "Team=red",
        "stage=prod-1",
    ],
)
def test_a_selector_that_does_not_match_selects_nothing(selector: str) -> None:
    test = compile_selector(selector)
    assert test is not None
    assert not test(LABELS)


@pytest.mark.parametrize(
    "selector",
    [
        "team>1",
        "team < 1",
        "team=red,",
        ",team=red",
        "team=red,,tier=",
        "!team=red",
        "team=red=red",
        "team in red",
        "team in ()",
        "team notin ( )",
        "team in (red",
        "team in (red))",
        "team in (re d)",
        "team in (-red)",
        "team in(red) x",
        "=red",
        "in (a)",
        "te am=red",
        "-team=red",
        "team=-red",
        "team=red-",
        "a/b/c=red",
        "Example.com/x=red",
        "a..b/c",
        "a.-b/c",
        "/team=red",
        "team=r\u00e9d",
        "team\u00a0=red",
        "team=red\v",
        "team in red (red)",
        f"{'k' * 64}=red",
        f"team={'v' * 64}",
        f"team!={'v' * 64}",
        f"team notin ({'v' * 64})",
        f"{'p' * 254}/team",
    ],
)
def test_a_selector_that_is_not_understood_is_left_to_the_server(selector: str) -> None:
    assert compile_selector(selector) is None


@pytest.mark.parametrize("selector", [f"{'k' * 63}!=red", f"team!={'v' * 63}", f"!{'p' * 253}/{'k' * 63}"])
def test_the_longest_valid_selectors_are_compiled(selector: str) -> None:
    test = compile_selector(selector)
    assert test is not None
    assert test(LABELS)


@pytest.mark.parametrize("value", [None, [], {}, 1, True], ids=str)
def test_a_label_that_is_not_text_equals_none_of_the_values(value: Any) -> None:
    for selector, expected in {"team": True, "team=red": False, "team!=red": True, "team in (red)": False}.items():
        test = compile_selector(selector)
        assert test is not None
        assert test({"team": value}) is expected


@pytest.mark.parametrize(
    ("selector", "keys"),
    [
        ("", set()),
        ("team", {"team"}),
        ("!team", set()),
        ("team=red, tier== ,a.b!=x", {"team", "tier"}),
        ("example.com/stage in (a,b),team notin (red)", {"example.com/stage"}),
        ("team in (red", set()),
    ],
)
def test_required_keys_are_the_labels_that_every_selected_object_has(selector: str, keys: set[str]) -> None:
    assert required_keys(selector) == keys


def expression(key: str, operator: Any, *values: str) -> dict[str, Any]:
    return {"matchExpressions": [{"key": key, "operator": operator, "values": [*values]}]}


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ({}, False),
        ({"matchLabels": {}}, False),
        ({"matchLabels": {"team": "red"}}, True),
        ({"matchLabels": {"team": "red", "tier": "x"}}, False),
        ({"matchLabels": {"absent": None}}, False),
        (expression("team", "In", "blue", "red"), True),
        (expression("team", "In", "blue"), False),
        (expression("absent", "In", "blue"), False),
        (expression("team", "NotIn", "blue"), True),
        (expression("absent", "NotIn", "blue"), True),
        (expression("team", "NotIn", "red"), False),
        (expression("team", "Exists"), True),
        (expression("absent", "Exists"), False),
        (expression("absent", "DoesNotExist"), True),
        (expression("team", "DoesNotExist"), False),
        (expression("team", "Gt", "1"), False),
        (expression("team", "Gt", "red"), False),
        ({"matchLabels": {"team": "red"}, **expression("tier", "DoesNotExist")}, False),
        ({"matchExpressions": ["team"]}, False),
    ],
)
def test_a_selector_object_selects_by_labels_and_expressions(selector: dict[str, Any], expected: bool) -> None:
    assert is_selected(LABELS, selector) is expected


# --- The namespaces of a declaration are checked before a request is sent


class TestTargets:
    def test_namespaces_are_listed_once_in_the_given_order(self) -> None:
        assert targets_of({"namespaces": ["b", "a", "b"]}) == Targets(["b", "a"])

    def test_an_empty_list_of_namespaces_is_refused(self) -> None:
        with pytest.raises(OptionError, match=r"^option 'namespaces' is empty: give at least one$"):
            targets_of({"namespaces": []})

    def test_an_invalid_namespace_is_refused(self) -> None:
        with pytest.raises(OptionError, match=r"^option 'namespaces': 'a.b' cannot be a namespace"):
            targets_of({"namespaces": ["a", "a.b"]})

    def test_a_selector_is_kept_for_the_cluster(self) -> None:
        assert targets_of({"namespace_selector": {"labels": "a=b"}}) == NamespaceSelector(labels="a=b")

    def test_namespaces_or_a_selector_must_be_given(self) -> None:
        for options in ({}, {"namespaces": None, "namespace_selector": None}):
            with pytest.raises(
                OptionError, match="^give one of the options 'namespaces' and 'namespace_selector', such as"
            ):
                targets_of(options)
