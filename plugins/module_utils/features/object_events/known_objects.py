# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep track of the cluster's objects, and find the differences to what lists and watches report. Pure.

Lists and watches report existing objects, but an event reports only differences. So each change is reported once, however often the
connection breaks, however much happens in between, and however often the same objects are listed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b

from ...core.names import is_namespace
from ...core.objects import NAMESPACE, Json, as_dict, as_str, metadata
from .event_text import valid_labels
from .settings import WatchedKind, WatchSettings

__all__ = ["Difference", "KnownObjects", "ObservedObject", "observe_object"]


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
