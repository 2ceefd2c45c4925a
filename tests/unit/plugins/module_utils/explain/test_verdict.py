# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A verdict is reported with one line for each step and its result."""

from __future__ import annotations

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.fixes import link, make_offer
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.verdict import (
    PULLS,
    UNKNOWN,
    WILL_NOT_PULL,
    PullVerdict,
    Step,
    StepResult,
    failure,
    info,
    unknown,
)
from support.pull_evidence import pod

WAY = [Step("image", "a"), Step("secret", "b", ok=False), Step("mirrors", "c", ok=None)]


def test_the_text_has_one_line_for_each_step() -> None:
    found = PullVerdict(pod(), WILL_NOT_PULL, "why", WAY)
    assert found.text() == ["cannot pull: why", "  ok image: a", "  NO secret: b", "  ?  mirrors: c"]


def test_a_brief_report_omits_the_steps_if_no_step_fails() -> None:
    assert "steps" not in PullVerdict(pod(), PULLS, "why", WAY).report(brief=True)
    assert PullVerdict(pod(), UNKNOWN, "why", WAY).report(brief=True)["steps"][2] == {
        "step": "mirrors",
        "message": "c",
        "ok": None,
    }
    assert "steps" in PullVerdict(pod(), PULLS, "why", WAY, runs=False).report(brief=True)
    full = PullVerdict(pod(), PULLS, "why", WAY, (), "dns").report()
    assert (full["text"][0], full["fix"], full["cause"]) == ("has a login (not tested): why", [], "dns")


def test_a_container_or_a_volume_is_named() -> None:
    found = PullVerdict(pod(), PULLS, "why", WAY).report()
    assert (found["container"], found["volume"]) == ("app", "")
    found = PullVerdict(pod(container="", volume="model"), PULLS, "why", WAY).report()
    assert (found["container"], found["volume"]) == ("", "model")


def test_the_effects_of_the_fix_are_reported_with_it() -> None:
    tasks = link("ns", "builder", "pull")
    found = PullVerdict(pod(), WILL_NOT_PULL, "why", WAY, tasks).report()
    assert (found["fix"], found["fix_effects"], found["fix_refusal"]) == (tasks, list(make_offer(tasks).effects), "")
    found = PullVerdict(pod(), WILL_NOT_PULL, "why", WAY, link("ns", "builder", "{{ x }}")).report()
    assert (found["fix"], found["fix_effects"]) == ([], [])
    assert "'{{ x }}' is unusual" in found["fix_refusal"]


def test_an_image_that_does_not_run_has_the_effect_of_one_that_is_not_pulled() -> None:
    def effect(verdict: str, runs: bool | None = True) -> str:
        return PullVerdict(pod(), verdict, "why", WAY, runs=runs).effect

    assert [effect(PULLS), effect(PULLS, None), effect(PULLS, False)] == [PULLS, UNKNOWN, WILL_NOT_PULL]
    assert [effect(UNKNOWN), effect(UNKNOWN, None), effect(UNKNOWN, False)] == [UNKNOWN, UNKNOWN, WILL_NOT_PULL]
    assert effect(WILL_NOT_PULL, None) == WILL_NOT_PULL


def test_a_step_can_inform_fail_or_doubt() -> None:
    assert info("s", "a", ok=None) == StepResult(Step("s", "a", None))
    assert failure("s", "a") == StepResult(Step("s", "a", ok=False), WILL_NOT_PULL, "a", ())
    assert failure("s", "a", reason="b").reason == "b"
    assert unknown("s", "a", [{}], reason="b") == StepResult(Step("s", "a", None), UNKNOWN, "b", [{}])
