# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Evaluates one pull before and after the changes. Pure.

Both evaluations are about the next pull: that a container has its image today says nothing about it. Where the changes touch nothing
that the explanation before them has read, the answer is the same, and is not computed again.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, replace

from ...core.objects import ObjectRef
from ...core.what_if_format import NOT_KNOWN, STILL_BROKEN, STILL_PULLS, WOULD_BREAK, WOULD_WORK
from ...explain.chain import PULLS, UNKNOWN, WILL_NOT_PULL, PullVerdict, explain
from ...explain.lookup import Lookup
from ...explain.subjects import ContainerPull
from ...features.pull_audit.accesses import explanation_key
from .overlay import ChangedLookup, RecordingLookup
from .patches import EvidencePatch

__all__ = ["Comparison", "PresentPulls", "PullEvaluator", "answer_of"]

#: A message of a node about an earlier attempt counts against a change that would correct its cause.
_OLD_ERROR = "after the change, nothing visible fails, but the node reports an error today: {}"


@dataclass(frozen=True)
class Comparison:
    """One pull before and after the changes. `touched` and `causes` are positions of changes.

    `touched`: those that change something that the explanation reads. `causes`: those that make it fail. `read`: what the explanation before
    the changes reads, if one touches it.
    """

    subject: ContainerPull
    before: PullVerdict
    after: PullVerdict
    touched: tuple[int, ...] = ()
    causes: tuple[int, ...] = ()
    read: frozenset[ObjectRef] = field(default=frozenset(), repr=False)

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


class PresentPulls:
    """The explanations without any change, each made once. `asks`: whether registries are asked."""

    def __init__(self, base: Lookup, *, asks: bool) -> None:
        self.base, self.asks = base, asks
        self._evidence = RecordingLookup(base)
        self._known: dict[Hashable, tuple[PullVerdict, frozenset[ObjectRef]]] = {}

    def explain(self, subject: ContainerPull) -> tuple[PullVerdict, frozenset[ObjectRef]]:
        """Return the verdict, and the references that the explanation reads.

        :raises ReadRequired: when more objects must be read first.
        """
        key = replace(subject, own=tuple(subject.own))
        if key not in self._known:
            self._evidence.take_read()
            verdict = explain(subject, self._evidence, asks=self.asks)
            self._known[key] = verdict, self._evidence.take_read()
        return self._known[key]


class PullEvaluator:
    """Compares pulls. `patches` are the effects of each change, in order."""

    def __init__(self, present: PresentPulls, patches: Sequence[Sequence[EvidencePatch]]) -> None:
        base, self._asks = present.base, present.asks
        self._present = present
        #: The evidence after all changes.
        self.after = ChangedLookup(base, [patch for each in patches for patch in each])
        self._each = [self.after] if len(patches) == 1 else [ChangedLookup(base, each) for each in patches]
        self._known: dict[Hashable, Comparison] = {}
        #: All evidence that may want objects.
        self.lookups: Sequence[Lookup] = (base, self.after, *self._each)

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
        before, read = self._present.explain(asked)
        touched = tuple(at for at, each in enumerate(self._each) if any(map(each.touches, read)))
        if not touched:
            return Comparison(subject, before, before)
        after = self._explain_after(asked, before)
        causes = self._causes(asked, touched) if answer_of(before.verdict, after.verdict) == WOULD_BREAK else ()
        return Comparison(subject, before, after, touched, causes, read)

    def _explain_after(self, asked: ContainerPull, before: PullVerdict) -> PullVerdict:
        after = explain(asked, self.after, asks=self._asks)
        if not asked.reason or before.verdict != WILL_NOT_PULL or after.verdict != WILL_NOT_PULL:
            return after
        # The error of the node was about the cluster before the changes.
        without_error = replace(asked, reason="", message="", shares_error=False)
        now = explain(without_error, self.after, asks=self._asks)
        if now.verdict != PULLS:
            return after
        return now if self._asks else replace(now, verdict=UNKNOWN, reason=_OLD_ERROR.format(before.reason))

    def _causes(self, asked: ContainerPull, touched: Sequence[int]) -> tuple[int, ...]:
        """The changes that make the pull fail alone. If none does, all that touch it together."""
        if len(touched) == 1:
            return tuple(touched)
        alone = [at for at in touched if explain(asked, self._each[at], asks=self._asks).verdict == WILL_NOT_PULL]
        return tuple(alone or touched)
