# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each option gets its own text."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.outputs import (
    OUTPUTS,
    render_outputs,
)
from support.hostile_text import TEXTS
from support.junit import check
from support.what_ifs import ANSWERS, container, document, hostile

SCHEMA = jsonschema.Draft202012Validator(
    json.loads(
        (Path(__file__).parents[6] / "plugins/plugin_utils/pull_report/what_if.schema.json").read_text(encoding="utf-8")
    )
)


def test_only_the_given_outputs_are_rendered() -> None:
    found = document(*map(container, ANSWERS))
    texts = render_outputs(OUTPUTS, found, ())
    assert json.loads(texts["dest"]) == found
    assert check(texts["junit"]).get("failures") == "1"
    assert texts["markdown"].startswith("## ")
    assert render_outputs((), found, ()) == {}


def test_the_answers_of_fail_on_fail_the_cases() -> None:
    found = document(*map(container, ANSWERS))
    text = render_outputs(["junit"], found, ("would_break", "unknown"))["junit"]
    assert check(text).get("failures") == "2"


def test_the_schema_is_a_valid_json_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA.schema)


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_a_hostile_document_fits_the_schema(text: str) -> None:
    found = hostile(text)
    if text:
        assert [error.json_path for error in SCHEMA.iter_errors(found)] == []


@pytest.mark.parametrize(
    "wrong",
    [
        container(changes=[]),
        container(when=""),
        container("unknown", when="at_once"),
        container("still_pulls", fix=container()["fix"]),
        {**container("unknown"), "answer": "maybe"},
        container(more=1),
        container(fix=[{"name": "x", "ansible.builtin.command": {}}]),
        {**container(), "after": {"verdict": "unknown", "reason": "", "step": "login"}},
    ],
)
def test_a_row_that_contradicts_itself_does_not_fit_the_schema(wrong: dict[str, object]) -> None:
    assert [*SCHEMA.iter_errors(document(container()))] == []
    assert [*SCHEMA.iter_errors({**document(container()), "containers": [wrong]})] != []
