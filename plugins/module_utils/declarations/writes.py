# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Joins the changes of several entries to one write per object. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..core.changes import Change, Entry
from ..core.objects import Json, ObjectRef, metadata

__all__ = ["Writes", "object_after"]

#: The placeholder for the version of an object that is not written yet.
_UNWRITTEN = "unwritten"


class Writes:
    """The changes of several plans in their order. Changes of one object are joined if one write has the same effect."""

    def __init__(self) -> None:
        self._changes: list[Change] = []
        self._last: dict[ObjectRef, int] = {}

    def add(self, change: Change, entry: Entry) -> None:
        """Append a change, or join it with the last one of the same object."""
        change = replace(change, entries=(entry,))
        at = self._last.get(change.ref)
        joined = None if at is None else _join_changes(self._changes[at], change)
        if at is not None and joined is not None:
            self._changes[at] = joined
        else:
            self._last[change.ref] = len(self._changes)
            self._changes.append(change)

    def has(self, ref: ObjectRef) -> bool:
        return ref in self._last

    def drop(self, ref: ObjectRef) -> None:
        """Remove all changes of an object."""
        self._changes = [change for change in self._changes if change.ref != ref]
        self._last = {change.ref: at for at, change in enumerate(self._changes)}

    @property
    def changes(self) -> tuple[Change, ...]:
        return tuple(self._changes)


def object_after(change: Change, observed: Json | None) -> Json | None:
    """Return the object after the change, or None after a deletion.

    It keeps the resourceVersion that was read, because the next write is bound to it. A new object gets a placeholder.
    """
    if change.action == "delete":
        return None
    if change.action == "update":
        after: Json = _apply_patch(observed, change.body)
        return after
    return {**change.body, "metadata": {**metadata(change.body), "resourceVersion": _UNWRITTEN}}


def _join_changes(first: Change, second: Change) -> Change | None:
    """One change with the effect of both, or None if two writes are needed."""
    ends = second.action in ("delete", "replace")
    if second.action == "create" or (ends and first.action != "update"):
        return None
    entries = tuple(dict.fromkeys((*first.entries, *second.entries)))
    details, before = _merge_details(first.details, second.details), {**second.before, **first.before}
    if ends:
        # The planned deletion includes the update: `old` has the observed version.
        return replace(second, entries=entries, details=details, before=before)
    is_patch = first.action == "update"
    if is_patch and not _is_one_patch(first.body, second.body):
        return None
    return replace(
        first,
        body=_join_patches(first.body, second.body)
        if is_patch
        else _without_version(_apply_patch(first.body, second.body)),
        entries=entries,
        details=details,
        before=before if is_patch else first.before,
        after={**first.after, **second.after},
    )


def _apply_patch(observed: Any, patch: Any) -> Any:
    """A JSON merge patch, applied (RFC 7386)."""
    if not isinstance(patch, Mapping):
        return patch
    result = dict(observed) if isinstance(observed, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = _apply_patch(result.get(key), value)
    return result


def _is_one_patch(first: Any, second: Any) -> bool:
    """Whether one merge patch has the effect of both. None replaces the old value with an object: it would merge the two."""
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        return all(_is_one_patch(first[key], value) for key, value in second.items() if key in first)
    return not isinstance(second, Mapping)


def _join_patches(first: Any, second: Any) -> Any:
    """One merge patch for two successive ones: as `_apply_patch`, but removed keys stay null."""
    if not (isinstance(first, Mapping) and isinstance(second, Mapping)):
        return second
    return {
        **first,
        **{key: _join_patches(first[key], value) if key in first else value for key, value in second.items()},
    }


def _without_version(body: Json) -> Json:
    meta = {key: value for key, value in metadata(body).items() if key != "resourceVersion"}
    return {**body, "metadata": meta}


def _merge_details(first: Any, second: Any) -> Any:
    """The merged report of both: lists are joined, each item once. Otherwise the second value is used."""
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        return {
            **first,
            **{key: _merge_details(first[key], value) if key in first else value for key, value in second.items()},
        }
    if _is_list(first) and _is_list(second):
        return [*first, *(item for item in second if item not in first)]
    return second


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)
