# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Evaluates one pull before and after the changes. Pure.

Both evaluations are about the next pull: that a container has its image today says nothing about it. Where the changes touch nothing
that the explanation before them has read, the answer is the same, and is not computed again.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

from ...core.what_if_format import NOT_KNOWN, STILL_BROKEN, STILL_PULLS, WOULD_BREAK, WOULD_WORK
from ...explain.chain import PULLS, UNKNOWN, WILL_NOT_PULL, PullVerdict, explain
from ...explain.lookup import Lookup
from ...explain.subjects import ContainerPull
from ...features.pull_audit.accesses import explanation_key
from .overlay import ChangedLookup, DifferencePatch, RecordingLookup
from .patches import EvidencePatch

__all__ = ["Comparison", "PullEvaluator", "answer_of"]

#: A message of a node about an earlier attempt counts against a change that would correct its cause.
_OLD_ERROR = "nothing visible fails in this state, but the node reports an error today: {}"


@dataclass(frozen=True)
class Comparison:
    """One pull before and after the changes. `touched` and `causes` are positions of changes.

    `touched`: those that change something that the explanation reads. `causes`: those that make it fail.
    """

    subject: ContainerPull
    before: PullVerdict
    after: PullVerdict
    touched: tuple[int, ...] = ()
    causes: tuple[int, ...] = ()

    @property
    def answer(self) -> str:
        return answer_of(self.before.verdict, self.after.verdict)


def answer_of(before: str, after: str) -> str:
    """Return the answer for two verdicts. A pull that surely fails after the changes breaks, unless it surely fails before them."""
    if after == WILL_NOT_PULL:
        return STILL_BROKEN if before == WILL_NOT_PULL else WOULD_BREAK
    if UNKNOWN in (before, after):
        return NOT_KNOWN
    return STILL_PULLS if before == PULLS else WOULD_WORK


class PullEvaluator:
    """Compares pulls. `patches` are the effects of each change, in order. `asks`: whether registries are asked.

    `earlier` are the effects on the cluster before the changes: the changes then replace them. Without any, it is the present cluster.
    """

    def __init__(
        self,
        evidence: Lookup,
        patches: Sequence[Sequence[EvidencePatch]],
        *,
        asks: bool,
        earlier: Sequence[EvidencePatch] = (),
    ) -> None:
        self._earlier = ChangedLookup(evidence, earlier)
        self._later = ChangedLookup(evidence, [patch for each in patches for patch in each])
        base: Lookup = self._earlier if earlier else evidence
        alone = [[DifferencePatch(self._earlier, self._later)]] if earlier else patches
        self._each = [ChangedLookup(base, each) for each in alone]
        self._after = self._each[0] if earlier else self._later
        self._present = RecordingLookup(evidence)
        self._base = RecordingLookup(base) if earlier else self._present
        self._asks = asks
        self._known: dict[Hashable, Comparison] = {}
        #: The evidence before the changes, after all of them, and after each of them alone.
        self.states: Sequence[Lookup] = (base, self._after, *self._each)
        #: All evidence that may want objects, each after the evidence on which it is based.
        self.lookups: Sequence[Lookup] = list(dict.fromkeys((evidence, base, self._later, *self._each)))

    def compare(self, subject: ContainerPull) -> Comparison:
        """Return the comparison for one subject.

        :raises ReadRequired: when more objects must be read first.
        """
        if subject.reason:
            return self._compare(subject)
        key = explanation_key(replace(subject, is_pulled=False))
        if key not in self._known:
            self._known[key] = self._compare(subject)
        found = self._known[key]
        return replace(found, subject=subject)

    def _compare(self, subject: ContainerPull) -> Comparison:
        asked = replace(subject, is_pulled=False)
        self._present.take_read()
        present = explain(asked, self._present, asks=self._asks)
        read_today = read = self._present.take_read()
        before = present
        if self._base is not self._present and any(map(self._earlier.touches, read_today)):
            self._base.take_read()
            before = self._explain_changed(asked, self._base, present)
            read = self._base.take_read()
        touched = tuple(at for at, each in enumerate(self._each) if any(map(each.touches, read)))
        if not touched:
            return Comparison(subject, before, before)
        is_changed = any(map(self._later.touches, read_today))
        after = self._explain_changed(asked, self._after, present) if is_changed else present
        causes = self._causes(asked, touched) if answer_of(before.verdict, after.verdict) == WOULD_BREAK else ()
        return Comparison(subject, before, after, touched, causes)

    def _explain_changed(self, asked: ContainerPull, evidence: Lookup, present: PullVerdict) -> PullVerdict:
        """The verdict in another state than the present one, for which the error of the node does not count."""
        found = explain(asked, evidence, asks=self._asks)
        if not asked.reason or present.verdict != WILL_NOT_PULL or found.verdict != WILL_NOT_PULL:
            return found
        without_error = replace(asked, reason="", message="", shares_error=False)
        now = explain(without_error, evidence, asks=self._asks)
        if now.verdict != PULLS:
            return found
        return now if self._asks else replace(now, verdict=UNKNOWN, reason=_OLD_ERROR.format(present.reason))

    def _causes(self, asked: ContainerPull, touched: Sequence[int]) -> tuple[int, ...]:
        """The changes that make the pull fail alone. If none does, all that touch it together."""
        if len(touched) == 1:
            return tuple(touched)
        alone = [at for at in touched if explain(asked, self._each[at], asks=self._asks).verdict == WILL_NOT_PULL]
        return tuple(alone or touched)
