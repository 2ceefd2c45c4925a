# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much a prune may remove, and in which namespaces. Pure.

Users of a project write labels and links. So only the declarations of the lists make a percentage allow more, and objects with an
owner's labels in one project do not stop the prune in the others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import floor

from ...core.limits import Limit

__all__ = ["Balance", "PruneVerdict", "judge"]

#: At most one namespace in this number is held back so that the others can go on, but always one.
_ONE_OF = 10


@dataclass(frozen=True)
class Balance:
    """One namespace: how many objects of each kind are declared and exist, and how many would be removed.

    `is_confirmed`: an entry means the namespace, and its users did not choose that it does.
    """

    declared: Counter[str] = field(default_factory=Counter)
    removed: Counter[str] = field(default_factory=Counter)
    is_confirmed: bool = False


@dataclass(frozen=True)
class PruneVerdict:
    """`held_back` are the namespaces in which nothing may be removed; all of them where `is_refused`.

    `declared`, `removed` and `allowed` count each kind: declared objects that exist, objects to remove, and the most that may be removed.
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
        """The kinds of which more would be removed than is allowed."""
        return [kind for kind, removed in self.removed.items() if removed > self.allowed[kind]]


def judge(balances: Mapping[str, Balance], most: Limit) -> PruneVerdict:
    """The namespaces in which objects may be removed, so that of each kind no more are removed than `most` allows.

    If all together are too much: without the few in which most would be removed, then the same for the confirmed namespaces.
    """
    declared = _total(one.declared for one in balances.values() if one.is_confirmed)
    concerned = {name: one for name, one in balances.items() if one.removed}
    everything = PruneVerdict.of(declared, _total(one.removed for one in concerned.values()), most)
    if not everything.exceeded:
        return everything
    confirmed = {name: one for name, one in concerned.items() if one.is_confirmed}
    for places in (concerned, confirmed):
        for removed, kept in _lighter(places, everything.exceeded):
            verdict = PruneVerdict.of(declared, removed, most)
            if not verdict.exceeded:
                return replace(verdict, held_back=frozenset(concerned) - {*kept})
    return replace(everything, held_back=frozenset(concerned), is_refused=True)


def _lighter(places: Mapping[str, Balance], exceeded: Sequence[str]) -> Iterator[tuple[Counter[str], Sequence[str]]]:
    """Removals and their namespaces: all, then without the namespaces in which most of the exceeded kinds is removed. Never none."""

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
