# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A wrong shape of a JSON value is reported with the problem and the path, and never with the value."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_report.documents import (
    find_problem,
)

FOLDER = Path(__file__).parents[6] / "plugins/plugin_utils/pull_report"
DEFINITIONS = {"count": {"type": "integer", "minimum": 0}, "tasks": {"type": "array"}}
ALL = {
    "type": "object",
    "required": ["a", "n"],
    "additionalProperties": False,
    "properties": {"a": {"type": "string"}, "n": {"$ref": "#/$defs/count"},
                   "l": {"type": "array", "items": {"enum": ["x", "y"]}},
                   "m": {"type": "object", "additionalProperties": {"type": "boolean"}}, "t": {"type": ["string", "null"]},
                   "f": {"const": "f/1"}, "i": {"type": "string", "pattern": "^[0-9a-f]{16}$"},
                   "p": {"type": "string", "pattern": "^[a-z]*$"}, "x": {}},
}  # fmt: skip
GOOD: dict[str, Any] = {"a": "", "n": 0}


def problem_of(value: Any, schema: dict[str, Any] = ALL) -> str:
    return find_problem(value, schema, DEFINITIONS)


def test_a_fitting_value_has_no_problem() -> None:
    full = {**GOOD, "l": ["x"], "m": {"k": True}, "t": None, "f": "f/1", "i": "0123456789abcdef", "p": "", "x": [1]}
    assert problem_of(GOOD) == problem_of(full) == problem_of({**full, "t": ""}) == ""


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
        ({**GOOD, "t": 1}, ".t is neither a text nor null"),
        ({**GOOD, "f": "f/2"}, ".f is not one of f/1"),
        ({**GOOD, "f": ["f/1"]}, ".f is not one of f/1"),
        ({**GOOD, "i": 1}, ".i is not an id of 16 hexadecimal digits"),
        ({**GOOD, "i": "0123456789abcdef\n"}, ".i is not an id of 16 hexadecimal digits"),
        ({**GOOD, "p": "A"}, ".p is not a text of the required format"),
        ({**GOOD, "__proto__": {}}, " has a member that this format does not know: __proto__"),
        ({**GOOD, "hunter2 !": {}}, " has a member that this format does not know: one with an unusual name"),
    ],
)
def test_a_wrong_value_is_named_by_its_place(value: Any, problem: str) -> None:
    assert problem_of(value) == problem


PULL_SECRET = "openshift_ops.image_pull.pull_secret"


def tasks(value: Any) -> str:
    return problem_of(value, {"$ref": "#/$defs/tasks"})


def test_the_fixes_must_be_tasks_of_this_collection() -> None:
    options = {"namespaces": ["a"], "registries": [{"registry": "q.io"}], "recreate": True, "none": None}
    assert tasks([]) == tasks([{"name": "t", PULL_SECRET: options}] * 2) == ""
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
        assert tasks(wrong) == " is not a list of tasks of this collection"


KEYWORDS = {"$ref", "const", "enum", "type", "pattern", "items", "required", "properties", "additionalProperties"}
#: Keywords that only describe, or that restrict no reader: the writer keeps them, and the tests of the writer check them.
NOT_READ = {
    "$schema",
    "$defs",
    "title",
    "description",
    "minimum",
    "minLength",
    "minItems",
    "uniqueItems",
    "if",
    "then",
    "else",
}


@pytest.mark.parametrize("name", ["audit", "what_if"])
def test_the_schemas_have_only_known_keywords(name: str) -> None:
    schema = json.loads((FOLDER / f"{name}.schema.json").read_text(encoding="utf-8"))

    def check(part: Any) -> None:
        assert {*part} <= KEYWORDS | NOT_READ
        assert part.get("minimum", 0) == 0
        for inner in (part.get("items"), part.get("additionalProperties"), *part.get("properties", {}).values()):
            if isinstance(inner, dict):
                check(inner)

    definitions = {key: part for key, part in schema["$defs"].items() if key != "task"}
    unchecked = {"summary", "images_to_mirror"}
    shown = {key: part for key, part in schema["properties"].items() if key not in unchecked}
    for part in ({**schema, "properties": shown}, *definitions.values()):
        check(part)
