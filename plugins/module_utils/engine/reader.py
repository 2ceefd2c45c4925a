# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads what a question needs to see: the objects of each namespace, then what these refer to."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Union

from ..clients.kube.client import Cluster
from ..clients.kube.errors import Forbidden
from ..core.errors import ImagePullError
from ..core.objects import Json, ObjectRef, Objects, metadata
from ..core.protocols import NO_SELECTORS, ListedBy, Question, Related
from .fetching import Answer, fetch, read_one
from .workers import Workers

__all__ = ["View", "look_up", "observe", "read"]

#: The objects of one namespace, or why they could not be read.
Observed = Union[Objects, ImagePullError]

_NONE: frozenset[str] = frozenset()


@dataclass(frozen=True)
class View:
    """What was seen in one namespace. `unread` names objects that may exist although a list did not bring them."""

    objects: Objects = field(default_factory=dict)
    related: Related = field(default_factory=dict)
    unread: frozenset[str] = _NONE


def read(
    cluster: Cluster, workers: Workers, question: Question, namespaces: Sequence[str], *, leave_unread: bool = False
) -> dict[str, View | ImagePullError]:
    """What the question needs to see of each namespace, or why that could not be read.

    `leave_unread`: what a list did not tell is left unread, for a write may tell it as well.

    :raises ImagePullError: when a list over all namespaces fails, and with it every namespace.
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
    """One namespace's share of what was looked up; the first failure in it is the namespace's."""
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
    """The objects of each namespace that the question names, and the names of those that are left unread."""
    wanted = {
        name: [ObjectRef(question.kind, name, each) for each in question.names(name) or ("",)] for name in namespaces
    }
    found, unread = fetch(
        cluster, workers, [ref for refs in wanted.values() for ref in refs], question.listed_by, strict=True
    )
    if unread and not leave_unread:
        _read_the_rest(cluster, workers, found, unread)
    return (
        {name: _observed(refs, found) for name, refs in wanted.items()},
        {name: names for name, refs in wanted.items() if (names := _names(refs, unread))},
    )


def _read_the_rest(cluster: Cluster, workers: Workers, found: dict[ObjectRef, Answer], unread: set[ObjectRef]) -> None:
    refs = sorted(unread, key=str)
    found.update(zip(refs, workers.map(lambda ref: read_one(cluster, ref), refs), strict=True))
    unread.clear()


def _names(refs: Sequence[ObjectRef], unread: Collection[ObjectRef]) -> frozenset[str]:
    return frozenset(ref.name for ref in refs if ref in unread) if unread else _NONE


def _observed(refs: Sequence[ObjectRef], found: Mapping[ObjectRef, Answer]) -> Observed:
    """One namespace's objects by name; the first failure among them is the namespace's."""
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
    """Each of the objects, None where there is none, the error where it could not be read.

    Those that the caller may not read are left out. A list over all namespaces that fails is an error for what it was to bring.
    """
    found, unread = fetch(cluster, workers, refs, listed_by)
    _read_the_rest(cluster, workers, found, unread)
    return {ref: answer for ref, answer in found.items() if not isinstance(answer, Forbidden)}
