# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries out one change. A replacement is a delete and a create, of which both happen or, as far as it can be had, neither."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import NoReturn

from ..clients.kube.client import Cluster
from ..clients.kube.errors import AlreadyExists, ConnectError, Unanswered
from ..core.changes import Change, delete, restored
from ..core.errors import ImagePullError, Refusal
from ..core.objects import Json
from .clock import Clock

__all__ = ["carry_out"]

#: How long a create is tried again while an object is missing that has just been deleted.
_PATIENCE_SECONDS = 15.0
_PAUSE_SECONDS = 0.25


def carry_out(cluster: Cluster, change: Change, clock: Clock) -> Json | None:
    """The object as it now is, None once deleted. Errors are those of `Cluster.write`.

    :raises Refusal: when a replacement failed half-way, and whether the old object is back.
    """
    if change.action != "replace":
        return cluster.write(change)
    creation = replace(change, action="create")
    # All that may be wrong with the new object is that the name is taken. What is refused now costs nothing.
    with suppress(AlreadyExists):
        cluster.write(creation, dry_run=True)
    _remove(cluster, change)
    try:
        return _create(cluster, creation, clock, (ConnectError, Unanswered))
    except (AlreadyExists, _UnknownOwner):
        raise  # an object of that name is there: it is read and planned for again
    except ImagePullError as error:
        _put_back(cluster, change, clock, error)


class _UnknownOwner(Unanswered):
    """The object exists, and whether it is the one that we created could not be read."""


def _remove(cluster: Cluster, change: Change) -> None:
    try:
        cluster.write(delete(change.ref, change.old, {}, {}))
    except Unanswered:
        if cluster.get(change.ref) is not None:
            raise


def _create(
    cluster: Cluster, creation: Change, clock: Clock, worth_another_try: tuple[type[ImagePullError], ...]
) -> Json | None:
    given_up_at, doubtful = clock.now() + _PATIENCE_SECONDS, False
    while True:
        try:
            return cluster.write(creation)
        except AlreadyExists:
            if not doubtful:
                raise
            return _created_before(cluster, creation)
        except worth_another_try as error:
            doubtful = doubtful or isinstance(error, Unanswered)
            if clock.now() > given_up_at:
                raise
        clock.sleep(_PAUSE_SECONDS)


def _created_before(cluster: Cluster, creation: Change) -> Json | None:
    """The object of an earlier try whose answer was lost.

    :raises AlreadyExists: when another client created another one meanwhile; `_UnknownOwner` when it cannot be read.
    """
    try:
        found = cluster.get(creation.ref)
    except ImagePullError as error:
        raise _UnknownOwner(
            f"{creation.ref} exists, and may be the new one or another client's: {error}; run again"
        ) from None
    if found is not None and not _holds(found, creation.body):
        raise AlreadyExists(f"{creation.ref} was created by another client meanwhile")
    return found


def _holds(found: Json, wanted: Json) -> bool:
    """Whether an object has all that was sent, beside what the server added."""
    return all(
        _holds(found[key], value)
        if isinstance(value, Mapping) and isinstance(found.get(key), Mapping)
        else found.get(key) == value
        for key, value in wanted.items()
    )


def _put_back(cluster: Cluster, change: Change, clock: Clock, error: ImagePullError) -> NoReturn:
    try:
        _create(cluster, restored(change), clock, (ImagePullError,))
    except (AlreadyExists, _UnknownOwner):
        raise Refusal(f"{error}; meanwhile another {change.ref} was created: look at it, then run again") from None
    except ImagePullError as second:
        is_gone = "may be gone" if isinstance(second, (ConnectError, Unanswered)) else "is gone"
        raise Refusal(
            f"{change.ref} {is_gone}: {error}; and putting the old one back failed too: {second}; create it again"
        ) from None
    raise Refusal(f"{error}; the old {change.ref} was put back") from None
