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
from ...explain.reading import architectures_for
from ...explain.subjects import ContainerPull
from ...features.pull_audit.accesses import explanation_key
from .overlay import ChangedLookup, RecordingLookup
from .patches import EvidencePatch

__all__ = ["Comparison", "PullEvaluator", "answer_of"]

#: A message of a node about an earlier attempt counts against a change that would correct its cause.
_OLD_ERROR = "after the change, nothing visible fails, but the node reports an error today: {}"


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
        return answer_of(self.before.effect, self.after.effect)


def answer_of(before: str, after: str) -> str:
    """Return the answer for two effects. A pull that surely fails after the changes breaks, unless it surely fails before them."""
    if after == WILL_NOT_PULL:
        return STILL_BROKEN if before == WILL_NOT_PULL else WOULD_BREAK
    if UNKNOWN in (before, after):
        return NOT_KNOWN
    return STILL_PULLS if before == PULLS else WOULD_WORK


class PullEvaluator:
    """Compares pulls. `patches` are the effects of each change, in order. `asks`: whether registries are asked."""

    def __init__(self, base: Lookup, patches: Sequence[Sequence[EvidencePatch]], *, asks: bool) -> None:
        self._base = RecordingLookup(base)
        self._after = ChangedLookup(base, [patch for each in patches for patch in each])
        self._each = [ChangedLookup(base, each) for each in patches]
        self._asks = asks
        self._known: dict[Hashable, Comparison] = {}
        #: All evidence that may want objects.
        self.lookups: Sequence[Lookup] = (base, self._after, *self._each)

    def compare(self, subject: ContainerPull) -> Comparison:
        """Return the comparison for one subject.

        :raises ReadRequired: when more objects must be read first.
        """
        if subject.reason:
            return self._compare(subject)
        key = (explanation_key(replace(subject, is_pulled=False)), self._architecture(subject))
        if key not in self._known:
            self._known[key] = self._compare(subject)
        found = self._known[key]
        return replace(found, subject=subject)

    def _architecture(self, subject: ContainerPull) -> tuple[str, ...]:
        """The architecture of the subject's node. Registries are asked for it, so pods on other nodes may have another answer."""
        return tuple(architectures_for(subject, self._base)[0]) if self._asks and subject.node else ()

    def _compare(self, subject: ContainerPull) -> Comparison:
        asked = replace(subject, is_pulled=False)
        self._base.take_read()
        before = explain(asked, self._base, asks=self._asks)
        read = self._base.take_read()
        touched = tuple(at for at, each in enumerate(self._each) if any(map(each.touches, read)))
        if not touched:
            return Comparison(subject, before, before)
        after = self._explain_after(asked, before)
        causes = self._causes(asked, touched) if answer_of(before.effect, after.effect) == WOULD_BREAK else ()
        return Comparison(subject, before, after, touched, causes)

    def _explain_after(self, asked: ContainerPull, before: PullVerdict) -> PullVerdict:
        after = explain(asked, self._after, asks=self._asks)
        if not asked.reason or before.verdict != WILL_NOT_PULL or after.verdict != WILL_NOT_PULL:
            return after
        # The error of the node was about the cluster before the changes.
        without_error = replace(asked, reason="", message="", shares_error=False)
        now = explain(without_error, self._after, asks=self._asks)
        if now.verdict != PULLS:
            return after
        return now if self._asks else replace(now, verdict=UNKNOWN, reason=_OLD_ERROR.format(before.reason))

    def _causes(self, asked: ContainerPull, touched: Sequence[int]) -> tuple[int, ...]:
        """The changes that make the pull fail alone. If none does, all that touch it together."""
        if len(touched) == 1:
            return tuple(touched)
        alone = [at for at in touched if explain(asked, self._each[at], asks=self._asks).effect == WILL_NOT_PULL]
        return tuple(alone or touched)
