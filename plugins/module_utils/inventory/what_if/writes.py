# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The effects of our own writes on the evidence of one cluster, for the plan of a module and for that of a whole inventory. Pure.

A plan has each write as it is sent, so the object after it is exact.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ...core.changes import Change
from ...core.errors import ImagePullError
from ...core.objects import ROLE_BINDING, ObjectRef, as_dict
from ...declarations.batch import object_after
from ...explain.lookup import Lookup, UnreadableObject, items_of, require_all, try_lookup
from ...features.pull_audit.survey import BINDINGS, ClusterSnapshot
from .bindings import BindingPatch
from .declared import ACCESS_KINDS
from .effects import unread_in_cluster
from .patches import Answer, EvidencePatch, ObjectPatch

__all__ = ["objects_after", "patches_of_objects"]


def objects_after(changes: Iterable[Change], evidence: Lookup) -> dict[ObjectRef, Answer]:
    """Return the objects after these writes, applied in their order. Other kinds, such as restarted pods, do not decide a pull.

    After a deletion or a creation, an object is known, even if it could not be read before. The patch of an object that does not exist any
    more fails, and that of an unreadable object leaves it unknown.

    :raises ReadRequired: when objects have to be read first.
    """
    writes: dict[ObjectRef, list[Change]] = {}
    for change in changes:
        if change.ref.kind in ACCESS_KINDS:
            writes.setdefault(change.ref, []).append(change)
    patched = [ref for ref, each in writes.items() if each[0].action == "update"]
    require_all(evidence, patched)
    found: dict[ObjectRef, Answer] = {ref: _look(evidence, ref) for ref in patched}
    for ref, each in writes.items():
        for change in each:
            found[ref] = _after(change, found.get(ref))
    return found


def _look(evidence: Lookup, ref: ObjectRef) -> Answer:
    try:
        return evidence.look(ref)
    except UnreadableObject as error:
        return error


def _after(change: Change, answer: Answer) -> Answer:
    if change.action == "update" and (answer is None or isinstance(answer, ImagePullError)):
        return answer
    return object_after(change, None if isinstance(answer, ImagePullError) else answer)


def patches_of_objects(objects: Mapping[ObjectRef, Answer], survey: ClusterSnapshot) -> list[EvidencePatch]:
    """Return the effects of written objects: each object after the writes, None if it is deleted, or an error if it is not known.

    :raises ReadRequired: when role bindings have to be read first.
    """
    patch = ObjectPatch(objects)
    projects = dict.fromkeys(ref.namespace for ref in objects if ref.kind == ROLE_BINDING)
    if not projects:
        return [patch] if objects else []
    lists = [ObjectRef(ROLE_BINDING, project, "") for project in projects]
    require_all(survey.evidence, lists)
    known = ObjectPatch({ref: obj for ref, obj in objects.items() if not isinstance(obj, ImagePullError)})
    before, after, unread = {}, {}, unread_in_cluster(survey)
    for whole in lists:
        listed, why = try_lookup(survey.evidence, whole)
        project, before[whole.namespace] = whole.namespace, items_of(listed)
        after[project] = items_of(as_dict(known.apply(whole, {"items": before[project]})))
        if why:
            unread[project] = f"the {BINDINGS} of project {project} could not be read: {why}"
    return [patch, BindingPatch(before, after, survey.cluster_bindings, survey.evidence, unread)]
