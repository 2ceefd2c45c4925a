# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Group the changes of a short time into one event: 500 namespaces at once are one run, not 500. Pure.

Objects that appear and disappear in between are not reported.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from ...core.objects import ROLE_BINDING, SECRET
from .event_text import encode_name, first_labels, valid_time
from .known_objects import Difference, ObservedObject
from .settings import WatchSettings

__all__ = ["Grouping"]

#: Maximum wait of a batch while changes keep coming, as a multiple of `batch_seconds`.
_LONGEST_WAITS = 5

#: Maximum number of objects in an event, and of one namespace, because users can create any number. The rest is counted.
_MOST_OBJECTS, _MOST_OF_NAMESPACE = 2000, 200
#: Maximum number of characters of labels in an event. A larger one is split: receivers such as AWX reject large events as a whole.
_MOST_LABEL_TEXT = 500_000
#: Changes after which an object exists, so that a run for its namespace has something to do.
_THERE = ("existing", "created", "changed")
#: Kinds that the roles create.
_MADE_ANEW = (SECRET.kind, ROLE_BINDING.kind)


class Grouping:
    """The pending differences. Times are those of the caller's clock."""

    def __init__(self, settings: WatchSettings) -> None:
        self._settings = settings
        self._told = {one.kind.kind: one.changes for one in settings.watched}
        #: By namespace, in the order of the first change.
        self._waiting: dict[str, dict[tuple[str, str, str], Difference]] = {}
        self._first = self._last = 0.0

    def add(self, differences: Iterable[Difference], now: float) -> None:
        """Add the differences."""
        for one in differences:
            if not self._waiting:
                self._first = now
            if self._note(one):
                self._last = now

    @property
    def due(self) -> float | None:
        """Return the time of the next event; None if nothing is pending."""
        if not self._waiting:
            return None
        if len(self._waiting) >= self._settings.batch_size:
            return self._first
        patience = self._settings.batch_seconds
        return min(self._last + patience, self._first + _LONGEST_WAITS * patience)

    def take(self, now: float, is_going: Callable[[str], bool]) -> list[dict[str, Any]]:
        """Return the next event, or none if nothing is left to report. `is_going`: whether a namespace is being deleted."""
        names = self._next()
        # The remaining differences have waited long enough.
        self._last = self._first = now - self._settings.batch_seconds
        found = [one for name in names for one in self._waiting.pop(name).values()]
        told = [one for one in found if one.change not in _THERE or not is_going(one.seen.namespace)]
        if not told:
            return []
        served = [one for one in told if one.change in _THERE or _can_be_returned(one)]
        places = dict.fromkeys(one.seen.namespace for one in served if not is_going(one.seen.namespace))
        listed = list(_first_per_namespace(told))
        return [
            {
                "type": "objects",
                "namespaces": list(places),
                "count": len(places),
                "objects": [describe_object(one) for one in listed],
                "omitted": len(told) - len(listed),
            }
        ]

    def _next(self) -> list[str]:
        """Return the namespaces of the next event: up to the batch size, or fewer if they have very many objects."""
        names: list[str] = []
        objects = text = 0
        for name, place in self._waiting.items():
            objects += min(len(place), _MOST_OF_NAMESPACE)
            text += sum(_label_text(one) for one in islice(place.values(), _MOST_OF_NAMESPACE))
            is_large = objects > _MOST_OBJECTS or text > _MOST_LABEL_TEXT
            if names and (len(names) >= self._settings.batch_size or is_large):
                break
            names.append(name)
        return names

    def _note(self, new: Difference) -> bool:
        """Merge a difference with the pending one of the same object. Return whether the result is reported."""
        place = self._waiting.get(new.seen.namespace, {})
        old = place.get(new.seen.key)
        joined = Difference(_join_changes(old.change if old else "", new.change), new.seen)
        if self._is_told(joined):
            self._waiting.setdefault(new.seen.namespace, place)[new.seen.key] = joined
            return True
        if old:
            del place[new.seen.key]
            if not place:
                del self._waiting[new.seen.namespace]
        return False

    def _is_told(self, one: Difference) -> bool:
        return one.change in self._told[one.seen.kind]


def _first_per_namespace(told: Iterable[Difference]) -> Iterator[Difference]:
    counts: Counter[str] = Counter()
    for one in told:
        counts[one.seen.namespace] += 1
        if counts[one.seen.namespace] <= _MOST_OF_NAMESPACE:
            yield one


def _label_text(one: Difference) -> int:
    return sum(len(key) + len(value) for key, value in first_labels(one.seen.labels).items())


def _can_be_returned(one: Difference) -> bool:
    """Whether a run would recreate the deleted object."""
    return one.change == "deleted" and one.seen.kind in _MADE_ANEW


def _join_changes(old: str, new: str) -> str:
    """Return the sum of two changes of one object; empty if they cancel out."""
    if new == "changed" and old in _THERE:
        return old
    if new == "deleted" and old in ("existing", "created"):
        return ""
    return new


def describe_object(one: Difference) -> Mapping[str, Any]:
    """Return an object as an event shows it."""
    kept: ObservedObject = one.seen
    name = encode_name(kept.name)
    found: dict[str, Any] = {"kind": kept.kind, "namespace": kept.namespace, "name": name, "change": one.change}
    parts = {"labels": first_labels(kept.labels), "deletion_timestamp": valid_time(kept.deletion_timestamp)}
    return {**found, **{name: value for name, value in parts.items() if value}}
