# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Only failures of single namespaces let the next steps of a run go on."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.result_lines import outcome_of

ONE = [{"namespace": "a", "error": "no"}]


def outcome(*results: dict[str, Any]) -> dict[str, Any]:
    return outcome_of(results)


@pytest.mark.parametrize(
    ("result", "goes_on"),
    [
        ({}, True),
        ({"changed": True, "failures": []}, True),
        ({"skipped": True, "changed": False}, True),
        ({"failed": True, "failures": ONE}, True),
        ({"failed": True, "msg": "option x is unknown"}, False),
        ({"failed": True, "failures": [], "msg": "refused"}, False),
        ({"failed": True, "failures": ONE, "stopped": "the API server does not answer"}, False),
    ],
    ids=str,
)
def test_only_failures_of_namespaces_let_the_next_steps_run(result: dict[str, Any], goes_on: bool) -> None:
    assert outcome(result)["goes_on"] is goes_on
    assert outcome({"changed": True}, result, {})["goes_on"] is goes_on


def test_namespaces_in_which_a_step_failed_are_not_applied() -> None:
    rows = [{"name": name, "status": name} for name in ("changed", "failed", "skipped", "unchanged")]
    late = {"namespaces": [*rows, {"name": "x", "status": "failed"}]}
    assert outcome({"failed": True, "failures": ONE, "namespaces": rows}, {}, late) == {
        "goes_on": True,
        "not_applied": ["failed", "skipped", "x"],
    }
