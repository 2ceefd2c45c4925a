# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the options of an event source: the watched kinds, and how changes are grouped. Restrict the text of events. Pure.

An event becomes variables of a playbook, and Ansible evaluates text that looks like a template. Project users choose names of role
bindings, labels, and much more. So an event contains only text that Kubernetes itself restricts. Other text is encoded or left out.
At the end every text passes through `escape_templates`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import accumulate, islice
from typing import Any

from ...core.errors import OptionError
from ...core.names import is_object_name
from ...core.namespaces import NamespaceSelector
from ...core.objects import NAMESPACE, ROLE_BINDING, SECRET, SERVICE_ACCOUNT, Kind

__all__ = [
    "CHANGES",
    "KINDS",
    "WatchSettings",
    "WatchedKind",
    "encode_name",
    "escape_templates",
    "first_labels",
    "from_options",
    "valid_labels",
    "valid_time",
]

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
