# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries out one change. A replacement is a delete and a create, of which both happen or, as far as it can be had, neither."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace
from typing import NoReturn

from ..clients.kube.client import Cluster
from ..clients.kube.errors import AlreadyExists, ConnectError, Unanswered
from ..core.changes import Change, delete, restored
from ..core.errors import ImagePullError, Refusal
from ..core.objects import Json

__all__ = ["carry_out"]

#: How long a create is tried again while an object is missing that has just been deleted.
_PATIENCE_SECONDS = 15.0


def carry_out(cluster: Cluster, change: Change) -> Json | None:
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
        return _create(cluster, creation, (ConnectError, Unanswered))
    except AlreadyExists:
        raise  # somebody else was faster: what is there now is planned for anew
    except ImagePullError as error:
        _put_back(cluster, change, error)


def _remove(cluster: Cluster, change: Change) -> None:
    try:
        cluster.write(delete(change.ref, change.old, {}, {}))
    except Unanswered:
        if cluster.get(change.ref) is not None:
            raise


def _create(cluster: Cluster, creation: Change, worth_another_try: tuple[type[ImagePullError], ...]) -> Json | None:
    given_up_at, doubtful = time.monotonic() + _PATIENCE_SECONDS, False
    while True:
        try:
            return cluster.write(creation)
        except AlreadyExists:
            if not doubtful:
                raise
            return cluster.get(creation.ref)
        except worth_another_try as error:
            doubtful = doubtful or isinstance(error, Unanswered)
            if time.monotonic() > given_up_at:
                raise
        time.sleep(0.25)


def _put_back(cluster: Cluster, change: Change, error: ImagePullError) -> NoReturn:
    try:
        _create(cluster, restored(change), (ImagePullError,))
    except ImagePullError as second:
        raise Refusal(f"{change.ref} is gone: {error}; and putting the old one back failed too: {second}") from None
    raise Refusal(f"{error}; the old {change.ref} was put back") from None
