# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans what the declarations of an inventory would change, step by step: secrets, links, grants, and then the prune.

Each step is the check mode of the module that would carry it out, on the objects that the steps before would leave. The objects are read
whole for it, because an audit keeps only parts of them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, Union

from ...clients.kube.errors import ClusterError
from ...core.errors import ImagePullError
from ...core.objects import ROLE_BINDING, SECRET, Kind, ObjectRef
from ...core.protocols import Desired
from ...declarations.batch import Batch
from ...engine.fetching import View
from ...engine.reconciliation import reconcile
from ...engine.result import NamespaceResult
from ...engine.run import Run
from .declared import KEPT, LISTS, InventoryLists, PlannedObjects, UnplannedEntry

__all__ = ["NO_INVENTORIES", "Inventories", "OwnedObjects", "OwnedReader", "plan_inventory"]

_NOT_APPLIED = "it is declared, but would not be applied. A prune keeps its objects"

_Views = Mapping[str, Union[View, ImagePullError]]
_Batches = Mapping[str, Batch[Any]]


class OwnedObjects(Protocol):
    """The objects of an owner, and their prune. `left_out` has the reason for each namespace that it leaves out."""

    @property
    def desired(self) -> Desired:
        """The prune."""

    @property
    def views(self) -> Mapping[str, View]:
        """The objects that its plan needs, for each namespace in which the owner has objects."""

    @property
    def left_out(self) -> Mapping[str, str]:
        """The reasons."""

    def find_refusals(self, views: Mapping[str, View]) -> Mapping[str, str]:
        """Return the namespaces in which the limit of the prune allows no removal, with the reasons."""


#: Reads the objects of the owner of an inventory in namespaces, except in the excluded ones.
OwnedReader = Callable[[Run, InventoryLists, _Batches, Sequence[str], Collection[str]], OwnedObjects]


@dataclass(frozen=True)
class Inventories:
    """The declarations for each namespace: by the position of the change, and by list. `namespaces` are those of the cluster.

    `read_owned` is needed for a prune.
    """

    batches: Mapping[int, _Batches]
    namespaces: Sequence[str] = ()
    read_owned: OwnedReader | None = None


NO_INVENTORIES = Inventories({})


def plan_inventory(run: Run, inventory: InventoryLists, inventories: Inventories, position: int) -> PlannedObjects:
    """Return the objects that the inventory of the change at `position` would leave.

    :raises ClusterError: when the cluster fails.
    """
    planned, batches = PlannedObjects(), inventories.batches[position]
    for batch in (batches[name] for name in LISTS if name in batches):
        views = run.read(batch, list(batch.namespaces))
        if run.stopped:
            raise ClusterError(run.stopped)
        _plan_step(run, batch, _update_views(batch.kind, views, planned), planned)
    if inventory.prunes and inventories.read_owned is not None:
        # As the playbook does: nothing is pruned in a namespace where a step failed.
        failed = {each.namespace for each in planned.unplanned}
        places = inventories.namespaces
        owned = inventories.read_owned(run, inventory, batches, places, failed)
        _plan_prune(run, inventory.owner, owned, planned, {*places} - failed)
    planned.unplanned += [
        UnplannedEntry(namespace, str(one.entry), _NOT_APPLIED)
        for batch in (batches[name] for name in KEPT if name in batches)
        for namespace, declared in batch.namespaces.items()
        for one in declared
    ]
    return planned


def _plan_prune(run: Run, owner: str, owned: OwnedObjects, planned: PlannedObjects, places: Collection[str]) -> None:
    """Plan the prune, within its limit. What the steps before would create counts as declared, also where the owner has nothing yet."""
    title = f"prune of owner {owner}"
    new = planned.namespaces.intersection(places) - owned.left_out.keys()
    empty = {
        name: View({}, {ObjectRef(kind, name, ""): {"items": []} for kind in (SECRET, ROLE_BINDING)}) for name in new
    }
    views = {**empty, **owned.views}
    seen = _update_views(owned.desired.kind, views, planned)
    refused = owned.find_refusals({name: view for name, view in seen.items() if isinstance(view, View)})
    planned.unplanned += [
        UnplannedEntry(name, title, why) for name, why in sorted({**owned.left_out, **refused}.items())
    ]
    batch = Batch.of_one(owned.desired, [name for name in seen if name not in refused])
    _plan_step(run, batch, seen, planned, title)


def _plan_step(run: Run, batch: Batch[Any], views: _Views, planned: PlannedObjects, title: str = "") -> None:
    """Plan one step in check mode, on the objects that the steps before would leave. `title` names it if no entry does."""
    known = {name: view for name, view in views.items() if name in batch.namespaces}
    settings = replace(run.settings, check_mode=True, wait_timeout=0.0, max_failures=None, say=None)
    outcome = reconcile(run.cluster, batch, settings, known)
    if outcome.stopped:
        raise ClusterError(outcome.stopped)
    for result in outcome.namespaces:
        view = known.get(result.name)
        if isinstance(view, View):
            planned.keep(batch, result.name, result.changes, (view.objects, view.related), title)
        planned.unplanned += _unplanned(result, title)


def _update_views(kind: Kind, views: _Views, planned: PlannedObjects) -> _Views:
    return {
        name: view if isinstance(view, ImagePullError) else _update_view(kind, name, view, planned)
        for name, view in views.items()
    }


def _update_view(kind: Kind, namespace: str, view: View, planned: PlannedObjects) -> View:
    objects, related = planned.update(kind, namespace, view.objects, view.related)
    return replace(view, objects=objects, related=related)


def _unplanned(result: NamespaceResult, title: str) -> list[UnplannedEntry]:
    own = [UnplannedEntry(result.name, str(failure.entry), failure.error) for failure in result.failures]
    is_whole = result.status in ("failed", "skipped") and result.error
    return [UnplannedEntry(result.name, title, result.error), *own] if is_whole else own
