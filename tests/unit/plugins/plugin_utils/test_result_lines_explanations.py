# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A terminal shows the answer, the reason and the fix of an explanation."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible import constants as C
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain import fixes
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.fixes import make_offer
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.result_lines import lines_of, outcome_of

ANSWER: dict[str, Any] = {
    "kind": "Pod",
    "name": "app",
    "container": "web",
    "image": "q.io/a",
    "verdict": "will_not_pull",
    "reason": "why",
    "text": ["cannot pull: why", "  ok image: a", "  NO secret: b", "  ?  mirrors: c"],
    **make_offer(fixes.create_secret("ns", "default", "q.io")).report(),
}


def shown(**changes: Any) -> list[tuple[str, str | None]]:
    return list(lines_of({"namespaces": [{"name": "ns", "access": [{**ANSWER, **changes}]}]}))


def test_the_colours_are_ansibles_own() -> None:
    assert shown()[:5] == [
        ("Pod ns/app, container web, image q.io/a", None),
        ("cannot pull: why", C.COLOR_ERROR),
        ("  ok image: a", C.COLOR_OK),
        ("  NO secret: b", C.COLOR_ERROR),
        ("  ?  mirrors: c", C.COLOR_CHANGED),
    ]
    assert shown(verdict="pulls")[1][1] == C.COLOR_OK
    assert shown(verdict="unknown")[1][1] == C.COLOR_CHANGED


def test_a_line_without_a_mark_has_no_colour() -> None:
    assert shown(text=["unknown: why", "  more"], fix=[])[1:] == [("unknown: why", C.COLOR_ERROR), ("  more", None)]
    assert shown(verdict="other", text=["other"], fix=[])[1] == ("other", None)


def test_a_volume_is_shown_with_its_name() -> None:
    assert shown(container="", volume="model")[0] == ("Pod ns/app, volume model, image q.io/a", None)
    assert shown(volume="")[0] == ("Pod ns/app, container web, image q.io/a", None)


def test_the_tasks_can_be_pasted() -> None:
    lines = [line for line, _colour in shown()]
    begin = lines.index("what fixes it:")
    assert lines[begin - 3 : begin - 1] == ANSWER["fix_effects"]
    assert lines[begin - 1].startswith("If the inventory has this login, run site instead of these tasks")
    for others in (fixes.grant("images", "ns", "default"), fixes.add_registry("ns", "pull", "q.io")):
        without = shown(**make_offer(others).report())
        assert not any(line.startswith("If the inventory") for line, _colour in without), (
            "a corrected secret is repaired in place"
        )
    assert yaml.safe_load("\n".join(lines[begin + 1 :])) == ANSWER["fix"]
    assert "what fixes it:" not in [line for line, _colour in shown(fix=[])]
    doubtful = [line for line, _colour in shown(verdict="unknown")]
    assert [line for line in doubtful if line.startswith("what")] == ["what may fix it:"]


def test_the_reason_for_a_missing_task_is_shown() -> None:
    assert shown(fix=[], fix_refusal="no task is offered\x1b")[-1] == ("no task is offered⟨U+001B⟩", None)


def test_an_answer_without_text_and_container_is_shown_briefly() -> None:
    brief = {name: value for name, value in ANSWER.items() if name != "text"}
    (namespace,) = [{"name": "ns", "access": [{**brief, "container": "", "fix": []}]}]
    assert [line for line, _colour in lines_of({"namespaces": [namespace]})] == [
        "Pod ns/app, image q.io/a",
        "cannot pull: why",
    ]


@pytest.mark.parametrize(
    ("verdict", "tested", "title"),
    [
        ("pulls", True, "pulls"),
        ("pulls", False, "has a login (not tested)"),
        ("will_not_pull", False, "cannot pull"),
        ("unknown", False, "not known"),
    ],
)
def test_each_verdict_has_its_words(verdict: str, tested: bool, title: str) -> None:
    assert shown(verdict=verdict, tested=tested, text=[])[1][0] == f"{title}: why"


def test_control_characters_are_escaped() -> None:
    lines = [line for line, _colour in shown(image="q.io/\x1b[2Ja", text=["unknown: \x9b31m\r\u202e\n"])]
    assert lines[:2] == ["Pod ns/app, container web, image q.io/⟨U+001B⟩[2Ja", "unknown: ⟨U+009B⟩31m⟨U+000D⟩⟨U+202E⟩ "]


def test_a_failed_result_has_no_lines() -> None:
    assert list(lines_of({"failed": True, "msg": "x"})) == []
    assert list(lines_of({"namespaces": [{"name": "ns", "error": "x"}]})) == []


def test_the_plan_without_a_secret_has_a_line_for_each_check() -> None:
    checks = [
        {"check": "provider", "message": "it is for q.io", "ok": True, "fix": ""},
        {"check": "right", "message": "the nodes may not", "ok": False, "fix": "a: 1\nb: 2\n"},
        {"check": "issuer", "message": "it is\n\x1b[31mnot known", "ok": None, "fix": ""},
    ]
    found = shown(secretless={"verdict": "not_ready", "checks": checks})
    lines = [line for line, _colour in found if "without a secret" in line or line.startswith("     ")]
    assert lines[:4] == [
        "  ok without a secret, provider: it is for q.io",
        "  NO without a secret, right: the nodes may not",
        "     a: 1",
        "     b: 2",
    ]
    assert (
        lines[4].startswith("  ?  without a secret, issuer: it is") and "\x1b" not in lines[4] and "\n" not in lines[4]
    )


# --- Only failures of single namespaces let the next steps of a run go on

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
