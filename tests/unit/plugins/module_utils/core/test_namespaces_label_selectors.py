# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Label selectors match as in the API server (apimachinery pkg/labels/selector_test.go), which refuses invalid ones."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.namespaces import (
    compile_selector,
    is_selected,
    required_keys,
)

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
