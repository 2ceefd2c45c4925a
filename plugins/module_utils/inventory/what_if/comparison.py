# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compares two inventories without a cluster: each is planned on a cluster that has only the accounts that one of them names. Pure.

What only a cluster knows has a place of its own: a selector counts as a namespace, and a pattern of account names as an account.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...core.errors import ImagePullError
from ...core.objects import CLUSTER_ROLE, SERVICE_ACCOUNT, Json, Kind, ObjectRef
from ...declarations.batch import Batch
from ...explain.lookup import Lookup, UnreadableObject
from ...features.pull_audit.survey import ClusterSnapshot
from ...features.sa_link.plan import SaLink
from ...rbac.subjects import ROLE
from .access import AccessReview, review_access
from .declared import LISTS, PlannedObjects, UnplannedEntry
from .overlay import ChangedLookup
from .patches import ObjectPatch

__all__ = ["LIMITS", "compare_inventories"]

#: The facts that such a comparison cannot know.
LIMITS = (
    "no cluster was read, so a namespace_selector counts as a namespace of its own, and a pattern of service accounts as an account",
    "objects that the inventories do not declare, or that an entry would only change, count as missing before and after",
)

_Batches = Mapping[str, Batch[Any]]


class _ClosedLookup(Lookup):
    """Evidence that is complete: nothing else exists."""

    def look(self, ref: ObjectRef) -> Json | None:
        """See `Lookup.look`. The rules of a role are not known."""
        if ref.kind in (CLUSTER_ROLE, ROLE):
            raise UnreadableObject("no cluster was read")
        return self._known.get(ref)  # type: ignore[return-value]


def compare_inventories(before: _Batches, after: _Batches) -> AccessReview:
    """Return the access that `after` gives and `before` does not, and the other way round. The batches are by list, in their order."""
    accounts = _accounts_of(before, after)
    earlier = _plan(before, accounts)
    later = _plan(after, accounts).instead_of(earlier)
    evidence = _ClosedLookup(_as_evidence({**accounts, **earlier.objects}))
    changed = ChangedLookup(evidence, [ObjectPatch(later.objects)])
    return review_access([evidence, changed, changed], ClusterSnapshot({}, 0.0), {0: later})


def _accounts_of(*inventories: _Batches) -> dict[ObjectRef, Json]:
    found: dict[ObjectRef, Json] = {}
    for batches in inventories:
        for batch in batches.values():
            for namespace, declared in batch.namespaces.items():
                for link in (one.desired for one in declared if isinstance(one.desired, SaLink)):
                    refs = (ObjectRef(SERVICE_ACCOUNT, namespace, name) for name in link.service_accounts)
                    found.update({ref: _account(ref) for ref in refs})
    return found


def _account(ref: ObjectRef) -> Json:
    return {"metadata": {"name": ref.name, "namespace": ref.namespace, "resourceVersion": "1"}}


def _plan(batches: _Batches, accounts: Mapping[ObjectRef, Json]) -> PlannedObjects:
    planned, known = PlannedObjects(), _by_place(accounts)
    for batch in (batches[name] for name in LISTS if name in batches):
        for namespace in batch.namespaces:
            objects = {ref.name: obj for ref, obj in known.get((batch.kind, namespace), {}).items() if obj is not None}
            state = planned.update(batch.kind, namespace, objects, {})
            try:
                plan = batch.plan(namespace, *state)
            except ImagePullError as error:
                planned.unplanned.append(UnplannedEntry(namespace, "", str(error)))
                continue
            planned.keep(batch, namespace, plan.changes, state)
            planned.unplanned += [UnplannedEntry(namespace, str(each.entry), each.error) for each in plan.failures]
    return planned


def _as_evidence(objects: Mapping[ObjectRef, Json | None]) -> dict[ObjectRef, Json | None]:
    """The objects, and the lists of their namespaces."""
    lists: dict[ObjectRef, Json | None] = {
        ObjectRef(kind, namespace, ""): {"items": [obj for obj in each.values() if obj is not None]}
        for (kind, namespace), each in _by_place(objects).items()
    }
    return {**objects, **lists}


def _by_place(objects: Mapping[ObjectRef, Json | None]) -> dict[tuple[Kind, str], dict[ObjectRef, Json | None]]:
    """The objects by kind and namespace."""
    found: dict[tuple[Kind, str], dict[ObjectRef, Json | None]] = {}
    for ref, obj in objects.items():
        found.setdefault((ref.kind, ref.namespace), {})[ref] = obj
    return found
