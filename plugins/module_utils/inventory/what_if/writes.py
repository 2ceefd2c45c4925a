# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The effects of planned writes on the evidence of one cluster. Pure.

The plan of a module has each write as it is sent, so the object after it is exact.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Union

from ...core.changes import Change
from ...core.errors import ImagePullError
from ...core.json_types import as_dict, as_list, as_str
from ...core.objects import ROLE_BINDING, SECRET, SERVICE_ACCOUNT, Json, ObjectRef, metadata
from ...declarations.writes import object_after
from ...features.pull_audit.rules_grants import is_pull_binding, pullers_of
from ...features.pull_audit.survey import ClusterSnapshot
from ...rbac.subjects import Subject
from .effects import unread_bindings
from .patches import EvidencePatch, GrantPatch

__all__ = ["WritePatch", "patches_of_writes"]

Answer = Union[Json, ImagePullError, None]


@dataclass(frozen=True)
class WritePatch:
    """Secrets and service accounts after the writes, which are in their order by object."""

    writes: Mapping[ObjectRef, Sequence[Change]]

    def touches(self, ref: ObjectRef) -> bool:
        """See `EvidencePatch`. A list has the objects of its kind and namespace."""
        if ref.name:
            return ref in self.writes
        return any((each.kind, each.namespace) == (ref.kind, ref.namespace) for each in self.writes)

    def apply(self, ref: ObjectRef, answer: Answer) -> Answer:
        """See `EvidencePatch`. After a deletion or a creation, the object is known, even if it could not be read before."""
        if ref.name:
            return self._after(ref, answer)
        if answer is None or isinstance(answer, ImagePullError):
            return answer
        listed = {as_str(metadata(as_dict(each)).get("name")): each for each in as_list(answer.get("items"))}
        for each in self.writes:
            if (each.kind, each.namespace) == (ref.kind, ref.namespace):
                listed[each.name] = self._after(each, listed.get(each.name))
        return {"items": [obj for obj in listed.values() if obj is not None]}

    def _after(self, ref: ObjectRef, answer: Answer) -> Answer:
        for change in self.writes[ref]:
            is_patch = change.action == "update"
            # A patch of an object that was deleted in the meantime fails, and one of an unreadable object stays unknown.
            if not is_patch or not (answer is None or isinstance(answer, ImagePullError)):
                answer = object_after(change, None if isinstance(answer, ImagePullError) else answer)
        return answer


def patches_of_writes(changes: Iterable[Change], survey: ClusterSnapshot) -> list[EvidencePatch]:
    """Return the effects of all these writes together. Writes to other kinds, such as the restart of a pod, do not decide a pull."""
    writes: dict[ObjectRef, list[Change]] = {}
    bindings: dict[ObjectRef, list[Change]] = {}
    for change in changes:
        if change.ref.kind in (SECRET, SERVICE_ACCOUNT):
            writes.setdefault(change.ref, []).append(change)
        elif change.ref.kind == ROLE_BINDING:
            bindings.setdefault(change.ref, []).append(change)
    objects = [WritePatch(writes)] if writes else []
    return [*objects, *([_revoke(bindings, survey)] if bindings else [])]


def _revoke(writes: Mapping[ObjectRef, Sequence[Change]], survey: ClusterSnapshot) -> GrantPatch:
    """The loss of subjects by any written binding, unless a binding to system:image-puller still has them."""
    after: dict[str, list[Json]] = {}
    removed: dict[str, frozenset[Subject]] = {}
    for project in {ref.namespace for ref in writes}:
        before = survey.places[project].bindings if project in survey.places else ()
        by_name = {as_str(metadata(each).get("name")): each for each in before}
        lost: set[Subject] = set()
        written = {ref: changes for ref, changes in writes.items() if ref.namespace == project}
        for ref, changes in written.items():
            old = by_name.get(ref.name)
            kept = old
            for change in changes:
                kept = object_after(change, kept)
            by_name = {**by_name, ref.name: kept} if kept is not None else _without(by_name, ref.name)
            lost |= _subjects([old]) - _subjects([kept])
        after[project] = list(by_name.values())
        removed[project] = frozenset(lost) - _subjects([each for each in after[project] if is_pull_binding(each)])
    return GrantPatch(removed, after, survey.cluster_bindings, survey.evidence, unread_bindings(after, survey))


def _without(bindings: Mapping[str, Json], name: str) -> dict[str, Json]:
    return {each: binding for each, binding in bindings.items() if each != name}


def _subjects(bindings: Iterable[Json | None]) -> frozenset[Subject]:
    return frozenset(subject for _name, subject in pullers_of(each for each in bindings if each is not None))
