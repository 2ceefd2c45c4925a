# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Events of an event source: its options, the known objects, the health of the watch, and the groups of changes. Pure.

An event becomes variables of a playbook, and Ansible evaluates text that looks like a template. Project users choose names of role
bindings, labels, and much more. So an event contains only text that Kubernetes itself restricts. Other text is encoded or left out.
At the end every text passes through `escape_templates`.

Lists and watches report existing objects, but an event reports only differences. So each change is reported once, however often the
connection breaks, however much happens in between, and however often the same objects are listed.

Objects that appear and disappear in between are not reported.

A failure affects the cluster, and is reported once for all kinds, or one kind, such as a right that the caller lacks for it.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from hashlib import blake2b
from itertools import accumulate, islice
from typing import Any

from ...core.errors import OptionError
from ...core.names import is_namespace, is_object_name
from ...core.namespaces import NamespaceSelector
from ...core.objects import NAMESPACE, ROLE_BINDING, SECRET, SERVICE_ACCOUNT, Json, Kind, as_dict, as_str, metadata
from ...core.text import redact_text

#: Maximum number of labels of one object that an event shows, and of characters in them: Kubernetes has no such limit.
_MOST_LABELS, _MOST_LABEL_TEXT = 100, 4000
#: Maximum number of bytes of an encoded name.
_LONGEST_NAME = 253

_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"
_PREFIX = r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?"
#: Keys and values of labels as the API server validates them (apimachinery pkg/util/validation).
_LABEL_KEY = re.compile(rf"(?:{_PREFIX}/)?{_NAME}\Z")
_LABEL_VALUE = re.compile(rf"(?:{_NAME})?\Z")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z\Z")
#: Characters outside this set: a template, or its header, cannot be written without them.
_UNSAFE = re.compile(r"""[^A-Za-z0-9 ._/:@+,;=()'"\[\]*?&<>|~-]""")


def encode_name(name: str) -> str:
    """Return the name as an event shows it. A name that is not plain becomes `hex/`, which no name starts with, and its UTF-8 bytes."""
    if is_object_name(name):
        return name
    return f"hex/{name.encode('utf-8', 'surrogatepass')[:_LONGEST_NAME].hex()}"


def valid_labels(labels: Mapping[str, Any]) -> dict[str, str]:
    """Return the labels that Kubernetes allows, in order of their keys."""
    return {
        key: value
        for key, value in sorted(labels.items())
        if isinstance(value, str) and _LABEL_KEY.match(key) and _LABEL_VALUE.match(value)
    }


def valid_time(text: str) -> str:
    """Return the time, or an empty text if it is not in the API server's format."""
    return text if _TIME.match(text) else ""


def escape_templates(value: Any) -> Any:
    """Return the JSON-like value with a question mark for each character of its texts that could be part of a template."""
    if isinstance(value, str):
        return _UNSAFE.sub("?", value)
    if isinstance(value, Mapping):
        return {escape_templates(name): escape_templates(part) for name, part in value.items()}
    return [escape_templates(part) for part in value] if isinstance(value, (list, tuple)) else value


def first_labels(labels: Mapping[str, str]) -> dict[str, str]:
    """Return the labels of one object that an event shows."""
    first = dict(islice(labels.items(), _MOST_LABELS))
    ends = accumulate(len(key) + len(value) for key, value in first.items())
    return {key: first[key] for key, end in zip(first, ends, strict=True) if end <= _MOST_LABEL_TEXT}


#: Kinds that can be watched.
KINDS: Mapping[str, Kind] = {kind.kind: kind for kind in (NAMESPACE, SERVICE_ACCOUNT, SECRET, ROLE_BINDING)}

#: Changes of an object. `existing`: it existed when the source started.
CHANGES = ("existing", "created", "changed", "terminating", "deleted")

#: Bounds of the options, in seconds or as a number.
_LONGEST_BATCH, _LARGEST_BATCH = 600, 10_000
_SHORTEST_RESYNC, _LONGEST_RESYNC = 10, 86_400
_LONGEST_REPEAT = 31 * 86_400


@dataclass(frozen=True)
class WatchedKind:
    """One kind, and its selected objects: `include` and `exclude` are globs of names. `changes` are the reported ones."""

    kind: Kind
    label_selector: str = ""
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    changes: frozenset[str] = frozenset(("existing", "created", "changed"))

    def matches(self, name: str) -> bool:
        """Whether an object with this name is selected."""
        included = not self.include or any(fnmatchcase(name, pattern) for pattern in self.include)
        return included and not any(fnmatchcase(name, pattern) for pattern in self.exclude)


@dataclass(frozen=True)
class WatchSettings:
    """The settings of a source. Times are in seconds.

    A batch becomes an event when nothing new has come for `batch_seconds`, or when it has `batch_size` namespaces. Everything is listed
    again after `resync_seconds`. After `repeat_seconds`, such a list is reported in full like the first one, 0 for never. A watch ends
    after `watch_seconds`, so that a hanging connection is noticed.
    """

    watched: tuple[WatchedKind, ...]
    namespaces: NamespaceSelector
    batch_seconds: float = 2.0
    batch_size: int = 500
    resync_seconds: float = 600.0
    repeat_seconds: float = 3600.0
    watch_seconds: int = 60

    def repeats(self, kind: str) -> bool:
        """Whether objects of a kind are reported again. Namespaces are enough, because a run covers all their objects."""
        names = [one.kind.kind for one in self.watched]
        return bool(self.repeat_seconds) and (kind == NAMESPACE.kind or NAMESPACE.kind not in names)


def from_options(options: Mapping[str, Any]) -> WatchSettings:
    """Return the settings. :raises OptionError: with all invalid options at once."""
    watched = tuple(_watched_kind(one) for one in options["kinds"])
    problems = [*_problems_of(watched), *_problems(options)]
    if problems:
        raise OptionError("; ".join(problems))
    return WatchSettings(
        watched=watched,
        namespaces=NamespaceSelector(
            include=tuple(options["namespaces"] or ()),
            exclude=tuple(options["exclude_namespaces"] or ()),
            system=options["system_namespaces"],
        ),
        batch_seconds=options["batch_seconds"],
        batch_size=options["batch_size"],
        resync_seconds=options["resync_seconds"],
        repeat_seconds=options["repeat_seconds"],
    )


def _watched_kind(one: Mapping[str, Any]) -> WatchedKind:
    changes = one.get("changes")
    given = {} if changes is None else {"changes": frozenset(changes)}
    return WatchedKind(
        kind=KINDS[one["kind"]],
        label_selector=(one.get("label_selector") or "").strip(),
        include=tuple(one.get("include") or ()),
        exclude=tuple(one.get("exclude") or ()),
        **given,
    )


def _problems_of(watched: Sequence[WatchedKind]) -> Iterator[str]:
    names = [one.kind.kind for one in watched]
    if not names:
        yield "option 'kinds' names no kind to watch"
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"option 'kinds' names {name} twice: give it once, with everything to include"
    for one in watched:
        if not one.changes:
            yield f"option 'kinds': {one.kind.kind} has no 'changes', so it would never be reported"


def _problems(options: Mapping[str, Any]) -> Iterator[str]:
    if not 0 <= options["batch_seconds"] <= _LONGEST_BATCH:
        yield f"option 'batch_seconds' must be from 0 to {_LONGEST_BATCH}"
    if not 1 <= options["batch_size"] <= _LARGEST_BATCH:
        yield f"option 'batch_size' must be from 1 to {_LARGEST_BATCH}"
    if not _SHORTEST_RESYNC <= options["resync_seconds"] <= _LONGEST_RESYNC:
        yield f"option 'resync_seconds' must be from {_SHORTEST_RESYNC} to {_LONGEST_RESYNC}"
    if not 0 <= options["repeat_seconds"] <= _LONGEST_REPEAT:
        yield f"option 'repeat_seconds' must be from 0 to {_LONGEST_REPEAT}"


@dataclass(frozen=True)
class ObservedObject:
    """The kept part of an object's metadata. For a namespace, `namespace` is its own name. `name` can be any text."""

    kind: str
    namespace: str
    name: str
    uid: str = ""
    labels: Json = field(default_factory=dict)
    deletion_timestamp: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        return (self.kind, self.namespace, self.name)

    @property
    def digest(self) -> bytes:
        """Return a digest of the kept parts, which saves memory for known objects."""
        kept = json.dumps([self.labels, self.deletion_timestamp], sort_keys=True)
        return blake2b(kept.encode("utf-8", "surrogatepass"), digest_size=16).digest()


@dataclass(frozen=True)
class Difference:
    """The change of an object: one of `CHANGES`."""

    change: str
    seen: ObservedObject


@dataclass(frozen=True)
class _KnownObject:
    uid: str
    digest: bytes
    is_going: bool


def observe_object(obj: Json, watched: WatchedKind, settings: WatchSettings) -> ObservedObject | None:
    """Return the kept part of an object. None if it is not selected, or if Kubernetes does not allow the name of its namespace."""
    meta = metadata(obj)
    name = as_str(meta.get("name"))
    namespace = as_str(meta.get("namespace")) if watched.kind.namespaced else name
    if not (is_namespace(namespace) and watched.matches(name) and settings.namespaces.matches(namespace)):
        return None
    return ObservedObject(
        kind=watched.kind.kind,
        namespace=namespace,
        name=name,
        uid=as_str(meta.get("uid")),
        labels=valid_labels(as_dict(meta.get("labels"))),
        deletion_timestamp=as_str(meta.get("deletionTimestamp")),
    )


class KnownObjects:
    """The known objects of all kinds."""

    def __init__(self) -> None:
        self._known: dict[str, dict[tuple[str, str, str], _KnownObject]] = {}
        #: Namespaces that were deleted since they were last listed: later reports from them are outdated.
        self._gone: set[str] = set()

    def __len__(self) -> int:
        return sum(len(known) for known in self._known.values())

    def update_from_list(
        self, kind: str, objects: Iterable[ObservedObject], *, again: bool = False
    ) -> list[Difference]:
        """Return the differences of a list of all objects of a kind. With `again`, all objects, as for the first list."""
        is_first = kind not in self._known
        known = self._known.setdefault(kind, {})
        there = {one.key: one for one in objects}
        gone = [ObservedObject(*key, uid=known[key].uid) for key in known if key not in there]
        if kind == NAMESPACE.kind:
            self._gone.clear()
        left = [found for one in gone for found in self.remove(one)]
        return [
            *left,
            *(found for one in there.values() for found in self._record(one, is_first=is_first, again=again)),
        ]

    def add(self, one: ObservedObject) -> list[Difference]:
        """Return the differences for an object that a watch reports as existing."""
        return list(self._record(one, is_first=False))

    def remove(self, one: ObservedObject) -> list[Difference]:
        """Return the differences for an object that a watch reports as deleted or no longer selected."""
        known = self._known.get(one.kind, {}).pop(one.key, None)
        if one.kind == NAMESPACE.kind:
            self._gone.add(one.name)
        return [Difference("deleted", one)] if known else []

    def is_going(self, namespace: str) -> bool:
        """Whether the namespace is being deleted or is gone. Always false if namespaces are not watched."""
        if namespace in self._gone:
            return True
        known = self._known.get(NAMESPACE.kind, {}).get((NAMESPACE.kind, namespace, namespace))
        return known is not None and known.is_going

    def _record(self, one: ObservedObject, *, is_first: bool, again: bool = False) -> Iterator[Difference]:
        kept = self._known.setdefault(one.kind, {})
        old, new = kept.get(one.key), _KnownObject(one.uid, one.digest, bool(one.deletion_timestamp))
        kept[one.key] = new
        if one.kind == NAMESPACE.kind:
            self._gone.discard(one.name)
        if old is not None and old.uid != new.uid:
            # An object with this name was deleted and recreated between two reports.
            yield Difference("deleted", ObservedObject(*one.key, uid=old.uid))
            old = None
        if old == new:
            if again and not new.is_going:
                yield Difference("existing", one)
            return
        if new.is_going:
            if old is None or not old.is_going:
                yield Difference("terminating", one)
        else:
            yield Difference("changed" if old else "existing" if is_first else "created", one)


#: Maximum wait of a batch while changes keep coming, as a multiple of `batch_seconds`.
_LONGEST_WAITS = 5

#: Maximum number of objects in an event, and of one namespace, because users can create any number. The rest is counted.
_MOST_OBJECTS, _MOST_OF_NAMESPACE = 2000, 200
#: Maximum number of characters of labels in an event. A larger one is split: receivers such as AWX reject large events as a whole.
_MOST_EVENT_TEXT = 500_000
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
            is_large = objects > _MOST_OBJECTS or text > _MOST_EVENT_TEXT
            if names and (len(names) >= self._settings.batch_size or is_large):
                break
            names.append(name)
        return names

    def _note(self, new: Difference) -> bool:
        """Merge a difference with the pending one of the same object. Return whether the result is reported."""
        place = self._waiting.get(new.seen.namespace, {})
        old = place.get(new.seen.key)
        joined = Difference(_join_changes(old.change if old else "", new.change), new.seen)
        if joined.change in self._told[joined.seen.kind]:
            self._waiting.setdefault(new.seen.namespace, place)[new.seen.key] = joined
            return True
        if old:
            del place[new.seen.key]
            if not place:
                del self._waiting[new.seen.namespace]
        return False


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


Event = dict[str, Any]


class WatchHealth:
    """The kinds that are watched, that are lost, and that are watched but cannot be listed."""

    def __init__(self, kinds: Iterable[str]) -> None:
        self._kinds = tuple(kinds)
        self._heard: set[str] = set()
        #: By kind, whether the failure affects only this kind.
        self._lost: dict[str, bool] = {}
        self._unlisted: dict[str, bool] = {}
        #: Kinds that were last reported as watched; empty after a reported failure.
        self._told: tuple[str, ...] = ()

    @property
    def is_undecided(self) -> bool:
        """Whether the state of a kind is not known yet."""
        return len(self._heard) + len(self._lost) < len(self._kinds)

    def is_lost(self, kind: str) -> bool:
        """Whether the watch of the kind has failed."""
        return kind in self._lost

    def mark_healthy(self, kind: str) -> list[Event]:
        """Return the events for a kind that is watched."""
        self._heard.add(kind)
        self._lost.pop(kind, None)
        return self._connected_event()

    def mark_lost(self, kind: str, message: str, *, alone: bool) -> list[Event]:
        """Return the events for a kind whose watch failed."""
        self._heard.discard(kind)
        self._unlisted.pop(kind, None)
        told = _note_failure(self._lost, "lost", kind, message, alone=alone)
        if told:
            self._told = ()
        return [*told, *self._connected_event()]

    def mark_unlisted(self, kind: str, message: str, *, alone: bool) -> list[Event]:
        """Return the events for a kind that is watched but cannot be listed again."""
        return _note_failure(self._unlisted, "degraded", kind, message, alone=alone)

    def mark_listed(self, kind: str) -> list[Event]:
        """Return the events for a kind that was listed."""
        if self._unlisted.pop(kind, None) is None:
            return []
        self._told = ()
        return self._connected_event()

    def _connected_event(self) -> list[Event]:
        """Return the event that the cluster is watched, and which kinds are not, unless already reported or undecided."""
        watched = tuple(kind for kind in self._kinds if kind in self._heard)
        missing = [kind for kind in self._kinds if kind in self._lost]
        if self.is_undecided or not all(self._lost.values()) or watched == self._told:
            return []
        self._told = watched
        unlisted = [kind for kind in self._kinds if kind in self._unlisted]
        return [{"type": "health", "state": "connected", "kinds": [*watched], "missing": missing, "unlisted": unlisted}]


def _note_failure(failures: dict[str, bool], state: str, kind: str, message: str, *, alone: bool) -> list[Event]:
    """Record a failure, and return its events. Only the first failure of the cluster is reported."""
    is_known = failures.get(kind) is alone or (not alone and not all(failures.values()))
    failures[kind] = alone
    return [] if is_known else [{"type": "health", "state": state, "kind": kind, "message": redact_text(message)}]
