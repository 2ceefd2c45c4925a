# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Limit how much a prune removes, and in which namespaces. Pure.

Users of a project can write labels and links. So a percentage counts only declarations of the lists, and objects with an owner's
labels in one project do not stop the prune in the others. No object of a namespace that no entry confirms changes anything in a
confirmed one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from math import floor

from ...core.option_values import Limit

__all__ = ["Balance", "PruneVerdict", "judge_removals"]

#: At most one in this number of namespaces is held back so that the others can continue, but always at least one.
_ONE_OF = 10
#: Maximum number of removals that each percentage above 0 allows: one entry in the three namespaces of a small team (development, test,
#: production). Never more than a third, so a lost part of a short list is still noticed.
_FEW, _SHARE_OF_FEW = 3, 3


@dataclass(frozen=True)
class Balance:
    """One namespace: how many objects of each kind are declared and exist, and how many would be removed.

    `is_confirmed`: an entry selects the namespace, independently of the namespace's users.
    """

    declared: Counter[str] = field(default_factory=Counter)
    removed: Counter[str] = field(default_factory=Counter)
    is_confirmed: bool = False


@dataclass(frozen=True)
class PruneVerdict:
    """`held_back` are the namespaces in which nothing is removed. With `is_refused`, these are all namespaces.

    `declared`, `removed` and `allowed` count each kind: existing declared objects, objects to remove, and the maximum of removals.
    """

    declared: Counter[str]
    removed: Counter[str]
    allowed: Counter[str]
    held_back: frozenset[str] = frozenset()
    is_refused: bool = False

    @classmethod
    def of(cls, declared: Counter[str], removed: Counter[str], most: Limit) -> PruneVerdict:
        few = _FEW if most.is_share and most.amount else 0
        total = declared + removed
        allowed = {kind: max(floor(most.of(total[kind])), min(few, total[kind] // _SHARE_OF_FEW)) for kind in total}
        return cls(declared, removed, Counter(allowed))

    @property
    def exceeded(self) -> list[str]:
        """Return the kinds whose removals exceed the limit."""
        return [kind for kind, removed in self.removed.items() if removed > self.allowed[kind]]


def judge_removals(balances: Mapping[str, Balance], most: Limit) -> PruneVerdict:
    """Decide in which namespaces objects are removed, so that the removals of each kind stay within `most`.

    The confirmed namespaces are judged without the others, which get the rest of the limit. If a group exceeds it, leave out the few
    namespaces of the group with the most removals. If that is not enough, leave out the group, and the unconfirmed one with the confirmed one.
    An unconfirmed namespace that exceeds the limit on its own is left out in any case, so it is not one of the few.
    """
    declared = _total(one.declared for one in balances.values() if one.is_confirmed)
    judge = partial(PruneVerdict.of, declared, most=most)
    concerned = {name: one for name, one in balances.items() if one.removed}
    confirmed = {name: one.removed for name, one in concerned.items() if one.is_confirmed}
    others = {
        name: one.removed for name, one in concerned.items() if not (one.is_confirmed or judge(one.removed).exceeded)
    }
    removed, kept = Counter[str](), list[str]()
    for group in (confirmed, others):
        chosen = _leave_out_heaviest(group, judge, removed)
        if chosen is None:
            break
        removed = removed + _total(group[name] for name in chosen)
        kept += chosen
    if concerned and not kept:
        everything = judge(_total(one.removed for one in concerned.values()))
        return replace(everything, held_back=frozenset(concerned), is_refused=True)
    return replace(judge(removed), held_back=frozenset(concerned) - {*kept})


def _leave_out_heaviest(
    group: Mapping[str, Counter[str]], judge: Callable[[Counter[str]], PruneVerdict], before: Counter[str]
) -> Sequence[str] | None:
    """Return the namespaces whose removals, with those `before`, stay within the limit: all, or all without the few with the most removals
    of the exceeded kinds. None if that is not enough."""
    removed = before + _total(group.values())
    exceeded = judge(removed).exceeded
    heaviest = sorted(group, key=lambda name: (-sum(group[name][kind] for kind in exceeded), name))
    for count in range(max(1, len(heaviest) // _ONE_OF) + 1):
        if not judge(removed).exceeded:
            return heaviest[count:]
        removed = removed - group[heaviest[count]]
    return None


def _total(counts: Iterable[Counter[str]]) -> Counter[str]:
    total = Counter[str]()
    for count in counts:
        total.update(count)
    return total
