# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job of AWX runs only with answers to its survey, whatever a bulk launch gives it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.launch import launch_problems
from support.templates import trusted


class Marked(str):
    """A text that is marked as unsafe, before ansible-core 2.19. Later versions evaluate only trusted text."""

    __UNSAFE__ = True


def marked(text: str) -> str:
    return text if trusted(text) is not text else Marked(text)


ASKED = {
    "name": "text",
    "days": "number",
    "jobs": "list",
    "how": ["in steps", "back"],
    "all": ["no", "yes"],
    "passed_on": "any",
}


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"name": "a\nb", "days": 0, "jobs": ["links"], "how": "back", "all": "yes", "passed_on": {"a": [1]}},
        dict.fromkeys(ASKED, ""),
        dict.fromkeys(ASKED),
        # From ansible-core 2.19 on, no and yes arrive as booleans.
        {"all": False},
        {"awx_job_id": 5, "tower_user_name": "x"},
        # The controller marks texts, so Ansible does not evaluate them.
        {"name": marked("{{ x }}"), "passed_on": [{"a": marked("{% x %}")}]},
    ],
)
def test_answers_and_variables_of_awx_are_accepted(given: dict[str, Any]) -> None:
    assert launch_problems(given, ASKED) == []


@pytest.mark.parametrize(
    "name",
    [
        "ansible_connection",
        "Name",
        "name ",
        " name",
        "names",
        "image_pull_host",
        "__name",
        "_awx_x",
        "AWX_x",
        "",
        "towerx",
    ],
)
def test_another_variable_is_refused(name: str) -> None:
    (problem,) = launch_problems({"name": "x", name: "y"}, ASKED)
    assert problem.startswith(f"the survey does not ask for {name!r}. ")


def test_a_message_names_some_of_many_variables_in_part() -> None:
    (problem,) = launch_problems({f"{number}-{'x' * 10000}": 1 for number in range(1000)}, ASKED)
    assert "and 980 more" in problem and len(problem) < 3000


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("name", ["a"], "is not text"),
        ("name", {"a": "b"}, "is not text"),
        ("name", 83, "its text is lost. Set it in the inventory instead"),
        ("name", False, "its text is lost"),
        ("days", "5", "is not a number"),
        ("days", True, "is not a number"),
        ("days", [5], "is not a number"),
        ("jobs", "links", "is not a list of texts"),
        ("jobs", [{"a": 1}], "is not a list of texts"),
        ("jobs", {"links": 1}, "is not a list of texts"),
        ("how", "Back", "is not one of 'in steps' and 'back'"),
        ("how", ["back"], "is not one of"),
        ("how", True, "is not one of"),
        ("all", "maybe", "is not one of 'no' and 'yes'"),
        ("all", 1, "is not one of"),
    ],
)
def test_an_answer_of_another_kind_is_refused(name: str, value: Any, expected: str) -> None:
    (problem,) = launch_problems({name: value}, ASKED)
    assert problem.startswith(f"the answer to {name!r} ") and expected in problem


@pytest.mark.parametrize(
    "value", ["{{ x }}", "a{% x %}", "{# x", "#jinja2: x", ["a", {"b": "{{ x }}"}], {"{{ x }}": 1}]
)
@pytest.mark.parametrize("name", ["passed_on", "awx_user_first_name"])
def test_a_value_that_ansible_would_evaluate_is_refused(name: str, value: Any) -> None:
    """The controller marks no text if its ALLOW_JINJA_IN_EXTRA_VARS is `always`."""
    keys = {trusted(key): part for key, part in value.items()} if isinstance(value, dict) else trusted(value)
    (problem,) = launch_problems({name: keys}, ASKED)
    assert problem.startswith(f"Ansible would evaluate the text of {name!r}: ")
