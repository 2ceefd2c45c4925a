# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdict about a pull: the result of each step, and the overall verdict. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..core.documents import VERDICT_TITLES, verdict_of
from .fixes import Fix, make_offer
from .subjects import ContainerPull

PULLS, WILL_NOT_PULL, UNKNOWN = "pulls", "will_not_pull", "unknown"
#: Verdicts of a step about an image that is pulled, but not for the architecture of the nodes.
WILL_NOT_RUN, MAY_NOT_RUN = "will_not_run", "may_not_run"
#: The verdict of a step about a login that no registry was asked about.
UNTESTED = "untested"
#: The verdict of a result without a text: registries were not asked, and an answer would count.
UNASKED = "unasked"

_MARKS = {True: "ok", False: "NO", None: "? "}


@dataclass(frozen=True)
class Step:
    """The result of one step. `ok` is None when unknown."""

    name: str
    seen: str
    ok: bool | None = True


@dataclass(frozen=True)
class StepResult:
    """One result of a step. `verdict` is one of the constants except `PULLS` if it affects the overall verdict, with its sentence in
    `reason` and the tasks in `fix`. It is empty for information. Without `step`, the result is not listed among the steps."""

    step: Step | None
    verdict: str = ""
    reason: str = ""
    fix: Sequence[Fix] = ()


@dataclass(frozen=True)
class PullVerdict:
    """The verdict for one container or volume. `reason` is the first failure or, if there is none, how the pull works. `cause` is the class of the
    node's error, or empty when the node reports none. `step` is the step that decides the verdict, `login` for results that are not listed
    among the steps, and empty if nothing fails or is unknown. `runs`: whether the image is for the nodes, None if that is not known. `is_tested`:
    whether a registry or the image on the node confirms that it pulls. `is_unasked`: registries were not asked, and an answer would count."""

    subject: ContainerPull
    verdict: str
    reason: str
    steps: Sequence[Step]
    fix: Sequence[Fix] = ()
    cause: str = ""
    step: str = ""
    runs: bool | None = True
    is_tested: bool = False
    is_unasked: bool = False

    @property
    def effect(self) -> str:
        """The verdict about the pull and the use of the image: an image that does not run on the nodes is like one without a pull."""
        if self.verdict == WILL_NOT_PULL or self.runs is False:
            return WILL_NOT_PULL
        return UNKNOWN if self.runs is None else self.verdict

    def report(self, access_options: Sequence[str] = (), *, brief: bool = False) -> dict[str, Any]:
        """Return the verdict for a result. `access_options`: see `make_offer`. `brief`: without the steps if nothing fails."""
        ref = self.subject.ref
        way = {
            "steps": [{"step": step.name, "message": step.seen, "ok": step.ok} for step in self.steps],
            "text": self.text(),
        }
        return {
            "kind": ref.kind.kind,
            "name": ref.name,
            "container": self.subject.container,
            "volume": self.subject.volume,
            "service_account": self.subject.account,
            "image": self.subject.image,
            "verdict": self.verdict,
            "tested": self.is_tested,
            "reason": self.reason,
            "cause": self.cause,
            **({} if brief and self.effect == PULLS else way),
            **make_offer(self.fix, access_options).report(),
        }

    @property
    def title(self) -> str:
        """Return the verdict's name in `VERDICT_TITLES`."""
        return verdict_of({"verdict": self.verdict, "tested": self.is_tested})

    def text(self) -> list[str]:
        """Return the verdict in lines, for people."""
        return [
            f"{VERDICT_TITLES[self.title]}: {self.reason}",
            *(f"  {_MARKS[step.ok]} {step.name}: {step.seen}" for step in self.steps),
        ]


def info(name: str, seen: str, *, ok: bool | None = True) -> StepResult:
    """Return an informational step that does not affect the verdict."""
    return StepResult(Step(name, seen, ok))


def failure(name: str, seen: str, fix: Sequence[Fix] = (), *, reason: str = "") -> StepResult:
    """Return a failure. `reason` is a sentence for the verdict if `seen` is not the best one."""
    return StepResult(Step(name, seen, ok=False), WILL_NOT_PULL, reason or seen, fix)


def unknown(name: str, seen: str, fix: Sequence[Fix] = (), *, reason: str = "") -> StepResult:
    return StepResult(Step(name, seen, ok=None), UNKNOWN, reason or seen, fix)
