# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The answer to a pull: what was seen at each station of the way, and the verdict of all of it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .fixes import Fix
from .offers import offer
from .subjects import ContainerPull

__all__ = ["PULLS", "UNKNOWN", "WILL_NOT_PULL", "PullVerdict", "Step", "StepResult", "breaks", "doubts", "says"]

PULLS, WILL_NOT_PULL, UNKNOWN = "pulls", "will_not_pull", "unknown"

_MARKS = {True: "ok", False: "NO", None: "? "}


@dataclass(frozen=True)
class Step:
    """What was seen at one station of the way. `ok` is None where it is not known."""

    name: str
    seen: str
    ok: bool | None = True


@dataclass(frozen=True)
class StepResult:
    """One answer of a station. `verdict` is `WILL_NOT_PULL` or `UNKNOWN` where it decides something, with `reason` as the sentence
    for it and `fix` as what fixes it; empty where it is only said. Without `step` it is not said on the way."""

    step: Step | None
    verdict: str = ""
    reason: str = ""
    fix: Sequence[Fix] = ()


@dataclass(frozen=True)
class PullVerdict:
    """The answer for one container. `reason` is what breaks first or, where nothing does, what pulls; `cause` is the class of the
    node's error, empty when the node says nothing."""

    subject: ContainerPull
    verdict: str
    reason: str
    steps: Sequence[Step]
    fix: Sequence[Fix] = ()
    cause: str = ""

    def report(self, *, brief: bool = False) -> dict[str, Any]:
        """`brief`: without the way, where nothing breaks on it."""
        ref = self.subject.ref
        way = {
            "steps": [{"step": step.name, "message": step.seen, "ok": step.ok} for step in self.steps],
            "text": self.text(),
        }
        return {
            "kind": ref.kind.kind,
            "name": ref.name,
            "container": self.subject.container,
            "service_account": self.subject.account,
            "image": self.subject.image,
            "verdict": self.verdict,
            "reason": self.reason,
            "cause": self.cause,
            **({} if brief and self.verdict == PULLS else way),
            **offer(self.fix).report(),
        }

    def text(self) -> list[str]:
        """The answer in lines, for people."""
        return [
            f"{self.verdict}: {self.reason}",
            *(f"  {_MARKS[step.ok]} {step.name}: {step.seen}" for step in self.steps),
        ]


def says(name: str, seen: str, *, ok: bool | None = True) -> StepResult:
    """It is said, and decides nothing."""
    return StepResult(Step(name, seen, ok))


def breaks(name: str, seen: str, fix: Sequence[Fix] = (), *, reason: str = "") -> StepResult:
    """`reason` where another sentence than what is seen tells it best."""
    return StepResult(Step(name, seen, ok=False), WILL_NOT_PULL, reason or seen, fix)


def doubts(name: str, seen: str, fix: Sequence[Fix] = (), *, reason: str = "") -> StepResult:
    return StepResult(Step(name, seen, ok=None), UNKNOWN, reason or seen, fix)
