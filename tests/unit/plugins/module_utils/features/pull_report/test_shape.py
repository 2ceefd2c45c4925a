# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A wrong shape of a JSON value is reported with the problem and the path, and never with the value."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_report import shape

ALL = shape.members(
    {"a": shape.text, "n": shape.count},
    {"l": shape.list_of(shape.one_of(("x", "y"))), "m": shape.mapping_of(shape.flag)},
)
GOOD: dict[str, Any] = {"a": "", "n": 0}


def test_a_fitting_value_has_no_problem() -> None:
    assert ALL(GOOD) == ALL({**GOOD, "l": ["x"], "m": {"k": True}}) == ""


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (None, " is not an object"),
        ({"a": ""}, " lacks the member 'n'"),
        ({**GOOD, "a": None}, ".a is not a text"),
        ({**GOOD, "n": True}, ".n is not a whole number from 0 on"),
        ({**GOOD, "n": -1}, ".n is not a whole number from 0 on"),
        ({**GOOD, "n": 1.0}, ".n is not a whole number from 0 on"),
        ({**GOOD, "l": {}}, ".l is not a list"),
        ({**GOOD, "l": ["x", "z"]}, ".l[1] is not one of x, y"),
        ({**GOOD, "l": [["x"]]}, ".l[0] is not one of x, y"),
        ({**GOOD, "m": []}, ".m is not an object"),
        ({**GOOD, "m": {"k": 1}}, ".m.k is neither true nor false"),
        ({**GOOD, "m": {"a secret value": 1}}, ".m.one with an unusual name is neither true nor false"),
        ({**GOOD, "__proto__": {}}, " has a member that this format does not know: __proto__"),
        ({**GOOD, "hunter2 !": {}}, " has a member that this format does not know: one with an unusual name"),
    ],
)
def test_a_wrong_value_is_named_by_its_place(value: Any, problem: str) -> None:
    assert ALL(value) == problem


PULL_SECRET = "openshift_ops.image_pull.pull_secret"


def test_the_fixes_must_be_tasks_of_this_collection() -> None:
    options = {"namespaces": ["a"], "registries": [{"registry": "q.io"}], "recreate": True, "none": None}
    assert shape.tasks([]) == shape.tasks([{"name": "t", PULL_SECRET: options}] * 2) == ""
    for wrong in (
        {},
        [1],
        [{}],
        [{"name": "t"}],
        [{PULL_SECRET: {}}],
        [{"name": 1, PULL_SECRET: {}}],
        [{"name": "t", PULL_SECRET: []}],
        [{"name": "t", "ansible.builtin.command": {"cmd": "id"}}],
        [{"name": "t", f"{PULL_SECRET}\n": {}}],
        [{"name": "t", PULL_SECRET: {}, "delegate_to": "localhost"}],
        [{"name": "t", PULL_SECRET: {"a": [[1]]}}],
        [{"name": "t", PULL_SECRET: {"a": {"b": {}}}}],
        [{"name": "t", PULL_SECRET: {"a": [{"b": [1]}]}}],
    ):
        assert shape.tasks(wrong) == " is not a list of tasks of this collection"
    digits = shape.text_matching("[0-9]+", "a number")
    assert (digits("12"), digits("12\n"), digits(12)) == ("", " is not a number", " is not a number")
