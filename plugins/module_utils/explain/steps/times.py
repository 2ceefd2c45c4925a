# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a secret was changed before or after the node's last attempt. Pure.

The change has the API server's time, the attempt the node's, so a difference of less than a minute proves nothing. A pod that was created
after the change never had the old content. Both of these times are the API server's.
"""

from __future__ import annotations

from collections.abc import Iterable

from ...core.objects import SECRET, ObjectRef, as_dict
from ...core.times import ChangeTime, content_change, seconds_of
from ...images.pull_messages import POD_EVENTS, PodEvents, pod_events
from ..lookup import Lookup, items_of, try_lookup
from ..subjects import ContainerPull

__all__ = ["CHANGED_BEFORE", "CHANGED_SINCE", "CLOSE", "NOT_KNOWN", "events_of", "order_of", "order_of_objects"]

#: The secret was changed before the last attempt, after it, at about the same time, or at an unknown time.
CHANGED_BEFORE, CHANGED_SINCE, CLOSE, NOT_KNOWN = "before", "since", "close", "not known"

#: Maximum clock differences in seconds: between the API server and a node, and between API servers.
_SKEW_OF_NODES = 60
_SKEW_OF_SERVERS = 5


def order_of(subject: ContainerPull, secrets: Iterable[str], evidence: Lookup) -> str:
    """Return the order for the most recently changed of the secrets in the subject's namespace.

    :raises ReadRequired: when they or the pod's events have to be read first. Events are read only if they make a difference.
    """
    return order_of_objects(subject, [ObjectRef(SECRET, subject.namespace, name) for name in secrets], evidence)


def order_of_objects(subject: ContainerPull, secrets: Iterable[ObjectRef], evidence: Lookup) -> str:
    """Return the same for secrets of any namespace."""
    changes = [_content_change(ref, evidence) for ref in secrets]
    known = [change for change in changes if change is not None]
    if not known or len(known) < len(changes):
        return NOT_KNOWN
    at, is_exact = max(change.at for change in known), all(change.is_exact for change in known)
    created = seconds_of(subject.created)
    if is_exact and created is not None and created - at > _SKEW_OF_SERVERS:
        return CHANGED_BEFORE
    attempt = events_of(subject, evidence).last_attempt
    return NOT_KNOWN if attempt is None else _compare_times(at, attempt, is_exact=is_exact)


def events_of(subject: ContainerPull, evidence: Lookup) -> PodEvents:
    """Return the pull events of the subject. Empty if they cannot be read, or are not worth reading."""
    if not (subject.is_pod and subject.is_asked_alone):
        return PodEvents()
    listed, _unread = try_lookup(evidence, ObjectRef(POD_EVENTS, subject.namespace, subject.ref.name))
    image = subject.image if subject.volume else ""
    return pod_events(items_of(listed), subject.container, subject.uid, image)


def _compare_times(changed: int, attempt: int, *, is_exact: bool) -> str:
    if changed - attempt > _SKEW_OF_NODES:
        return CHANGED_SINCE
    if not is_exact:
        return NOT_KNOWN
    return CHANGED_BEFORE if attempt - changed > _SKEW_OF_NODES else CLOSE


def _content_change(ref: ObjectRef, evidence: Lookup) -> ChangeTime | None:
    secret, _unread = try_lookup(evidence, ref)
    return content_change(as_dict(secret))
