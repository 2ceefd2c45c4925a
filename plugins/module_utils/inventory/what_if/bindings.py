# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The effect of changed role bindings on the right to pull from a project: gains and losses. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from ...core.errors import ImagePullError
from ...core.objects import CLUSTER_ROLE, Json, ObjectRef, as_dict
from ...explain.lookup import Lookup, UnreadableObject, require_all, try_lookup
from ...features.pull_audit.rules_access import pullers_of
from ...rbac.access_reviews import SUBJECT_ACCESS_REVIEW, is_pull_review, puller_of
from ...rbac.subjects import IMAGE_PULLER, Subject, gives_pull, role_of
from .patches import Answer, GrantPatch

__all__ = ["BindingPatch", "ProjectGrants"]

_PULLER = ObjectRef(CLUSTER_ROLE, "", IMAGE_PULLER)
_Pairs = frozenset[tuple[ObjectRef, Subject]]


@dataclass(frozen=True)
class ProjectGrants:
    """The subjects of the role bindings of one project that may pull from it, each with the names of these bindings.

    `others` have a role that could not be read, so it is not known whether it lets them pull.
    """

    pullers: Mapping[Subject, Sequence[str]]
    others: frozenset[tuple[ObjectRef, Subject]]

    @classmethod
    def of(cls, bindings: Iterable[Json], evidence: Lookup) -> ProjectGrants:
        """Return the grants of bindings. `evidence` has the roles.

        :raises ReadRequired: when roles have to be read first.
        """
        every = list(bindings)
        pulling, unread = _judge_roles((role_of(each) for each in every), evidence)
        pullers: dict[Subject, list[str]] = {}
        for binding in every:
            for name, subject in pullers_of([binding]) if role_of(binding) in pulling else ():
                pullers.setdefault(subject, []).append(name)
        return cls(pullers, frozenset(pair for pair in _pairs_of(every) if pair[0] in unread))


def _pairs_of(bindings: Iterable[Json]) -> _Pairs:
    """Each role with each subject of the bindings."""
    return frozenset((role_of(binding), subject) for binding in bindings for _name, subject in pullers_of([binding]))


def _judge_roles(roles: Iterable[ObjectRef], evidence: Lookup) -> tuple[set[ObjectRef], dict[ObjectRef, str]]:
    """The roles that let pull, and those that could not be read, with the reason."""
    named = dict.fromkeys(roles)
    others = [role for role in named if role != _PULLER]
    require_all(evidence, others)
    found = {role: try_lookup(evidence, role) for role in others}
    pulling = {role for role, (obj, _why) in found.items() if gives_pull(obj)}
    return pulling | {_PULLER}, {role: why for role, (_obj, why) in found.items() if why}


@dataclass(frozen=True)
class BindingPatch:
    """The role bindings of projects before and after a change. `cluster_bindings` are those of the cluster, which stay.

    `evidence` has the roles. `unread` has the reason by project, or an empty text for the cluster, if the bindings are not known. Of such a
    project, `after` has only the changed ones, so every right may have been lost.
    """

    before: Mapping[str, Sequence[Json]]
    after: Mapping[str, Sequence[Json]]
    cluster_bindings: Sequence[Json]
    evidence: Lookup
    unread: Mapping[str, str] = field(default_factory=dict)

    def touches(self, ref: ObjectRef) -> bool:
        """See `EvidencePatch`."""
        if ref.kind != SUBJECT_ACCESS_REVIEW or not is_pull_review(ref) or ref.namespace not in self.after:
            return False
        before, after = self._pairs[ref.namespace]
        if ref.namespace in self.unread:
            return True
        return bool({subject for _role, subject in before ^ after} & puller_of(ref).identities)

    def undoes_grant(self, review: ObjectRef) -> bool:
        """Whether a new grant for the account of the review would be lost."""
        before, after = self._pairs.get(review.namespace, (frozenset(), frozenset()))
        return puller_of(review) in {subject for _role, subject in before - after}

    def apply(self, ref: ObjectRef, answer: Answer) -> Answer:
        """See `EvidencePatch`. The right stays unknown if it may come from a role that cannot be read.

        :raises ReadRequired: when roles have to be read first.
        """
        who, (before, after) = puller_of(ref).identities, self._pairs[ref.namespace]
        is_allowed = not isinstance(answer, ImagePullError) and as_dict(answer).get("allowed") is True
        pulling, unread = _judge_roles((role for role, subject in after if subject in who), self.evidence)
        if any(subject in who and role in pulling for role, subject in after):
            return answer if is_allowed else {"allowed": True}
        gained = [role for role, subject in after - before if subject in who and role in unread]
        if gained and not is_allowed:
            role = min(gained, key=str)
            return UnreadableObject(f"{role}, which the change grants, may give the right, and {unread[role]}")
        lost = frozenset(subject for _role, subject in before - after)
        if not lost & who and ref.namespace not in self.unread:
            return answer
        patch = GrantPatch({ref.namespace: lost}, self.after, self.cluster_bindings, self.evidence, self.unread)
        return patch.apply(ref, answer)

    @cached_property
    def _pairs(self) -> Mapping[str, tuple[_Pairs, _Pairs]]:
        """The roles with their subjects before and after the change, by project."""
        return {name: (_pairs_of(self.before.get(name, ())), _pairs_of(each)) for name, each in self.after.items()}
