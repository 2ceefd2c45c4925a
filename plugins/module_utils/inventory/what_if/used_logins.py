# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The logins that a pull has before and after the changes. Pure.

If no registry is asked, an explanation assumes that a login works. That cannot be assumed of the logins that are left after another one
is lost, because nodes try all of them.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...core.json_types import as_dict
from ...core.objects import SECRET, Json, ObjectRef
from ...explain.credentials import credentials_of
from ...explain.lookup import Lookup
from ...explain.steps.mirrors import mirrors_of
from ...explain.steps.pull_secrets import explain_secret_list
from ...explain.steps.streams import resolve_image
from ...explain.subjects import ContainerPull
from ...explain.verdict import PullVerdict
from ...images.references import Reference, reference_of
from ...platform.protected import NODE_SECRET
from ...secrets.content import StoredSecret

__all__ = ["loses_login"]


def loses_login(before: PullVerdict, after: PullVerdict, states: tuple[Lookup, Lookup], *, asks: bool) -> bool:
    """Whether a pull that works before and after loses a login, and no registry confirms that another one works.

    `states` are the evidence before and after. The same login in another secret is not lost.

    :raises ReadRequired: when objects must be read first.
    """
    subject = before.subject
    given = [resolve_image(subject, state, has_failed=bool(subject.reason)).image for state in states]
    references = [found for found in map(reference_of, given) if found is not None]
    if len(references) < len(states) or (asks and not references[-1].is_short):
        return False
    had, has = (_logins_of(subject, *each) for each in zip(references, states, strict=False))
    # The login for a mirror, or that of a credential provider, is only in the reason.
    return bool(had - has) or (not had and before.reason != after.reason)


def _logins_of(subject: ContainerPull, reference: Reference, state: Lookup) -> frozenset[tuple[str, str]]:
    """The users and passwords for the source of the image: of the pod, otherwise of the nodes. None if only other hosts are asked."""
    found = mirrors_of(reference, state)
    only = found.mirrors if found is not None and found.never_source else ()
    if only and not any(mirror.partition("/")[0] == reference.host for mirror in only):
        return frozenset()
    names, _seen = explain_secret_list(subject, state)
    for namespace, listed in ((subject.namespace, names), (NODE_SECRET.namespace, [NODE_SECRET.name])):
        usable = credentials_of(namespace, listed, reference.repository, state).usable_logins
        if usable:
            contents = {each.secret: _read(ObjectRef(SECRET, namespace, each.secret), state) for each in usable}
            return frozenset(contents[each.secret][each.key] for each in usable)
    return frozenset()


def _read(ref: ObjectRef, state: Lookup) -> Mapping[str, tuple[str, str]]:
    return state.derive(ref, _entries_of)


def _entries_of(secret: Json | None) -> Mapping[str, tuple[str, str]]:
    return StoredSecret.of(as_dict(secret)).for_kubelet.logins
