# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Limit how much a prune removes, and in which namespaces. Pure.

Users of a project can write labels and links. So a percentage counts only declarations of the lists, and objects with an owner's
labels in one project do not stop the prune in the others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import floor

from ...core.limits import Limit

__all__ = ["Balance", "PruneVerdict", "judge_removals"]

#: At most one in this number of namespaces is held back so that the others can continue, but always at least one.
_ONE_OF = 10


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
        allowed = {kind: floor(most.of(declared[kind] + removed[kind])) for kind in {*declared, *removed}}
        return cls(declared, removed, Counter(allowed))

    @property
    def exceeded(self) -> list[str]:
        """Return the kinds whose removals exceed the limit."""
        return [kind for kind, removed in self.removed.items() if removed > self.allowed[kind]]


def judge_removals(balances: Mapping[str, Balance], most: Limit) -> PruneVerdict:
    """Decide in which namespaces objects are removed, so that the removals of each kind stay within `most`.

    If all namespaces together exceed it, leave out the few with the most removals, then try the same with the confirmed namespaces.
    """
    declared = _total(one.declared for one in balances.values() if one.is_confirmed)
    concerned = {name: one for name, one in balances.items() if one.removed}
    everything = PruneVerdict.of(declared, _total(one.removed for one in concerned.values()), most)
    if not everything.exceeded:
        return everything
    confirmed = {name: one for name, one in concerned.items() if one.is_confirmed}
    for places in (concerned, confirmed):
        for removed, kept in _drop_heaviest(places, everything.exceeded):
            verdict = PruneVerdict.of(declared, removed, most)
            if not verdict.exceeded:
                return replace(verdict, held_back=frozenset(concerned) - {*kept})
    return replace(everything, held_back=frozenset(concerned), is_refused=True)


def _drop_heaviest(
    places: Mapping[str, Balance], exceeded: Sequence[str]
) -> Iterator[tuple[Counter[str], Sequence[str]]]:
    """Yield removals and their namespaces: all, then without those with the most removals of the exceeded kinds. Never an empty set."""

    def weight(name: str) -> tuple[int, bool, str]:
        return (-sum(places[name].removed[kind] for kind in exceeded), places[name].is_confirmed, name)

    heaviest = sorted(places, key=weight)
    removed = _total(one.removed for one in places.values())
    for count, name in enumerate(heaviest[: max(1, len(heaviest) // _ONE_OF) + 1]):
        yield removed, heaviest[count:]
        removed = removed - places[name].removed


def _total(counts: Iterable[Counter[str]]) -> Counter[str]:
    total = Counter[str]()
    for count in counts:
        total.update(count)
    return total
