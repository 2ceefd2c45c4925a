# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the objects that a question needs: the objects of each namespace, then the objects that these refer to."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Union

from ..clients.kube.client import Cluster
from ..clients.kube.errors import Forbidden
from ..core.errors import ImagePullError
from ..core.objects import Json, ObjectRef, Objects, metadata
from ..core.protocols import NO_SELECTORS, ListedBy, Question, Related
from .fetching import Answer, fetch_objects, read_one
from .workers import Workers

__all__ = ["View", "look_up", "observe", "read_views"]

#: The objects of one namespace, or the error.
Observed = Union[Objects, ImagePullError]

_NONE: frozenset[str] = frozenset()


@dataclass(frozen=True)
class View:
    """The objects that were read in one namespace. `unread` are names of objects that may exist although a list did not contain them."""

    objects: Objects = field(default_factory=dict)
    related: Related = field(default_factory=dict)
    unread: frozenset[str] = _NONE


def read_views(
    cluster: Cluster, workers: Workers, question: Question, namespaces: Sequence[str], *, leave_unread: bool = False
) -> dict[str, View | ImagePullError]:
    """Return the objects of each namespace that the question needs, or the error.

    `leave_unread`: objects that a list did not contain are left unread, because a write also shows whether they exist.

    :raises ImagePullError: if a list over all namespaces fails.
    """
    observed, unread = observe(cluster, workers, question, namespaces, leave_unread=leave_unread)
    wanted = {
        name: question.related(name, objects)
        for name, objects in observed.items()
        if not isinstance(objects, ImagePullError)
    }
    refs = dict.fromkeys(ref for refs in wanted.values() for ref in refs)
    found = look_up(cluster, workers, refs, question.listed_by)
    return {
        name: objects
        if isinstance(objects, ImagePullError)
        else _view(objects, wanted[name], found, unread.get(name, _NONE))
        for name, objects in observed.items()
    }


def _view(
    objects: Objects, refs: Sequence[ObjectRef], found: Mapping[ObjectRef, Answer], unread: frozenset[str]
) -> View | ImagePullError:
    """One namespace's part of the related objects. The first error in it is the error of the namespace."""
    related: dict[ObjectRef, Json | None] = {}
    for ref in refs:
        answer = found.get(ref)
        if isinstance(answer, ImagePullError):
            return answer
        if ref in found:
            related[ref] = answer
    return View(objects, related, unread)


def observe(
    cluster: Cluster, workers: Workers, question: Question, namespaces: Sequence[str], *, leave_unread: bool = False
) -> tuple[dict[str, Observed], dict[str, frozenset[str]]]:
    """Return the objects of each namespace that the question names, and the names of the unread ones."""
    wanted = {
        name: [ObjectRef(question.kind, name, each) for each in question.names(name) or ("",)] for name in namespaces
    }
    found, unread = fetch_objects(
        cluster, workers, [ref for refs in wanted.values() for ref in refs], question.listed_by, strict=True
    )
    if unread and not leave_unread:
        _read_unlisted(cluster, workers, found, unread)
    return (
        {name: _collect_objects(refs, found) for name, refs in wanted.items()},
        {name: names for name, refs in wanted.items() if (names := _names(refs, unread))},
    )


def _read_unlisted(cluster: Cluster, workers: Workers, found: dict[ObjectRef, Answer], unread: set[ObjectRef]) -> None:
    refs = sorted(unread, key=str)
    found.update(zip(refs, workers.map(lambda ref: read_one(cluster, ref), refs), strict=True))
    unread.clear()


def _names(refs: Sequence[ObjectRef], unread: Collection[ObjectRef]) -> frozenset[str]:
    return frozenset(ref.name for ref in refs if ref in unread) if unread else _NONE


def _collect_objects(refs: Sequence[ObjectRef], found: Mapping[ObjectRef, Answer]) -> Observed:
    """One namespace's objects by name. The first error among them is the error of the namespace."""
    objects: dict[str, Json] = {}
    for ref in refs:
        answer = found.get(ref)
        if isinstance(answer, ImagePullError):
            return answer
        if answer is not None:
            items = [answer] if ref.name else answer["items"]
            objects.update({metadata(obj)["name"]: obj for obj in items})
    return objects


def look_up(
    cluster: Cluster, workers: Workers, refs: Collection[ObjectRef], listed_by: ListedBy = NO_SELECTORS
) -> dict[ObjectRef, Answer]:
    """Return each object, None if it does not exist, or the error.

    Objects that the caller is not allowed to read are left out. If a list over all namespaces fails, its objects get the error.
    """
    found, unread = fetch_objects(cluster, workers, refs, listed_by)
    _read_unlisted(cluster, workers, found, unread)
    return {ref: answer for ref, answer in found.items() if not isinstance(answer, Forbidden)}
