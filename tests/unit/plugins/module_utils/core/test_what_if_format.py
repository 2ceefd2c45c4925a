# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The constants of a what-if document equal the values in its published schema, and each has words."""

from __future__ import annotations

import json
from pathlib import Path

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.documents import (
    ANSWER_TITLES,
    ANSWERS,
    LISTED_ANSWERS,
    MOMENT_TITLES,
    MOMENTS,
    WHAT_IF_FORMAT,
)
from support import what_ifs

SCHEMA = json.loads(
    (Path(__file__).parents[5] / "plugins/plugin_utils/pull_report/what_if.schema.json").read_text(encoding="utf-8")
)


def test_the_constants_equal_those_of_the_schema() -> None:
    assert SCHEMA["properties"]["format"]["const"] == WHAT_IF_FORMAT
    assert tuple(SCHEMA["$defs"]["answer"]["enum"]) == LISTED_ANSWERS == what_ifs.ANSWERS
    assert tuple(SCHEMA["$defs"]["counts"]["required"]) == ANSWERS
    assert tuple(SCHEMA["$defs"]["counts"]["required"]) == ANSWERS
    assert tuple(SCHEMA["$defs"]["moment"]["enum"]) == MOMENTS


def test_each_constant_has_words() -> None:
    assert tuple(ANSWER_TITLES) == ANSWERS
    assert tuple(MOMENT_TITLES) == MOMENTS
