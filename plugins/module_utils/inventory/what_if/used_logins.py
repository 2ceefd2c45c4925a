# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The logins that a pull has before and after the changes. Pure.

If no registry is asked, an explanation assumes that a login works. That cannot be assumed of the logins that are left after another one
is lost, because nodes try all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ...core.json_types import as_dict
from ...core.objects import SECRET, Json, ObjectRef
from ...explain.credentials import KubeletLogin, credentials_of
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


def loses_login(
    before: PullVerdict,
    after: PullVerdict,
    states: tuple[Lookup, Lookup],
    touches: Callable[[ObjectRef], bool],
    *,
    asks: bool,
) -> bool:
    """Whether a pull that works before and after loses a login, and no registry confirms that another one works.

    `states` are the evidence before and after. `touches`: whether the changes affect an object. The same login in another secret is not
    lost.

    :raises ReadRequired: when objects must be read first.
    """
    subject = before.subject
    first, last = (_source_of(subject, state) for state in states)
    if first is None or last is None or (asks and not last.is_short):
        return False
    had = _PullLogins.of(subject, first, states[0])
    if not had.logins:
        # The login for a mirror, or that of a credential provider, is only in the reason.
        return before.reason != after.reason
    is_touched = any(map(touches, (subject.account_ref, *had.secrets)))
    return is_touched and not had.contents <= _PullLogins.of(subject, last, states[1]).contents


def _source_of(subject: ContainerPull, state: Lookup) -> Reference | None:
    return reference_of(resolve_image(subject, state, has_failed=bool(subject.reason)).image)


@dataclass(frozen=True)
class _PullLogins:
    """The logins for the source of the image in one state: of the pod, otherwise of the nodes. Empty if only other hosts are asked."""

    state: Lookup
    namespace: str = ""
    logins: Sequence[KubeletLogin] = ()

    @classmethod
    def of(cls, subject: ContainerPull, reference: Reference, state: Lookup) -> _PullLogins:
        found = mirrors_of(reference, state)
        only = found.mirrors if found is not None and found.never_source else ()
        if only and not any(mirror.partition("/")[0] == reference.host for mirror in only):
            return cls(state)
        names, _seen = explain_secret_list(subject, state)
        for namespace, listed in ((subject.namespace, names), (NODE_SECRET.namespace, [NODE_SECRET.name])):
            if usable := credentials_of(namespace, listed, reference.repository, state).usable_logins:
                return cls(state, namespace, usable)
        return cls(state)

    @property
    def secrets(self) -> Iterator[ObjectRef]:
        return (ObjectRef(SECRET, self.namespace, each.secret) for each in self.logins)

    @property
    def contents(self) -> frozenset[tuple[str, str]]:
        """The users and passwords."""
        pairs = zip(self.logins, self.secrets, strict=True)
        return frozenset(self.state.derive(ref, _entries_of)[login.key] for login, ref in pairs)


def _entries_of(secret: Json | None) -> Mapping[str, tuple[str, str]]:
    return StoredSecret.of(as_dict(secret)).for_kubelet.logins
