# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries out one change. A replacement deletes and creates an object. Either both happen or, as far as possible, neither."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import NoReturn

from ..clients.kube.client import Cluster
from ..clients.kube.errors import AlreadyExists, ConnectError, Unanswered
from ..core.changes import Change, delete, restore
from ..core.errors import ImagePullError, Refusal
from ..core.objects import Json
from .clock import Clock

__all__ = ["apply_change"]

#: Seconds for which a create is repeated while the object that was just deleted is missing.
_PATIENCE_SECONDS = 15.0
_PAUSE_SECONDS = 0.25


def apply_change(cluster: Cluster, change: Change, clock: Clock) -> Json | None:
    """Carry out the change and return the object after it, or None after a deletion. Errors are those of `Cluster.write`.

    :raises Refusal: if a replacement failed after the deletion. The message reports whether the old object was restored.
    """
    if change.action != "replace":
        return cluster.write(change)
    creation = replace(change, action="create")
    # The dry run may only fail because the name is taken. Any other refusal is found before the deletion.
    with suppress(AlreadyExists):
        cluster.write(creation, dry_run=True)
    _remove(cluster, change)
    try:
        return _create(cluster, creation, clock, (ConnectError, Unanswered))
    except (AlreadyExists, _UnknownOwner):
        raise  # an object of that name exists: it is read and planned again
    except ImagePullError as error:
        _put_back(cluster, change, clock, error)


class _UnknownOwner(Unanswered):
    """The object exists, but it could not be read whether it is the one that we created."""


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
            return _find_own_object(cluster, creation)
        except worth_another_try as error:
            doubtful = doubtful or isinstance(error, Unanswered)
            if clock.now() > given_up_at:
                raise
        clock.sleep(_PAUSE_SECONDS)


def _find_own_object(cluster: Cluster, creation: Change) -> Json | None:
    """The object of an earlier attempt whose response was lost.

    :raises AlreadyExists: if another client created another one in the meantime. `_UnknownOwner` if it cannot be read.
    """
    try:
        found = cluster.get(creation.ref)
    except ImagePullError as error:
        raise _UnknownOwner(
            f"{creation.ref} exists, and may be the new one or another client's: {error}. Run again"
        ) from None
    if found is not None and not _has_content(found, creation.body):
        raise AlreadyExists(f"{creation.ref} was created by another client in the meantime")
    return found


def _has_content(found: Json, wanted: Json) -> bool:
    """Whether an object contains everything that was sent. The server may have added more."""
    return all(
        _has_content(found[key], value)
        if isinstance(value, Mapping) and isinstance(found.get(key), Mapping)
        else found.get(key) == value
        for key, value in wanted.items()
    )


def _put_back(cluster: Cluster, change: Change, clock: Clock, error: ImagePullError) -> NoReturn:
    try:
        _create(cluster, restore(change), clock, (ImagePullError,))
    except (AlreadyExists, _UnknownOwner):
        raise Refusal(f"{error}. In the meantime, another {change.ref} was created: check it, then run again") from None
    except ImagePullError as second:
        is_gone = "may be gone" if isinstance(second, (ConnectError, Unanswered)) else "is gone"
        raise Refusal(
            f"{change.ref} {is_gone}: {error}. Restoring the old one also failed: {second}. Create it again"
        ) from None
    raise Refusal(f"{error}. The old {change.ref} was restored") from None
