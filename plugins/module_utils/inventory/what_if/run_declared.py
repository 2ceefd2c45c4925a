# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans what the declarations of an inventory would change, step by step: secrets, links, grants, and then the prune.

Each step is the check mode of the module that would carry it out, on the objects that the steps before would leave. The objects are read
whole for it, because an audit keeps only parts of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Union

from ...clients.kube.client import Cluster
from ...clients.kube.errors import ClusterError
from ...core.errors import ImagePullError
from ...declarations.batch import Batch
from ...engine.reader import View
from ...engine.reconciliation import reconcile
from ...engine.result import NamespaceResult
from ...engine.run import Run
from ...engine.workers import Workers
from .declared import InventoryLists, PlannedObjects, UnplannedEntry

__all__ = ["NO_INVENTORIES", "Inventories", "OwnedReader", "plan_inventory"]

_Views = Mapping[str, Union[View, ImagePullError]]
_Batches = Mapping[str, Batch[Any]]
#: Reads the objects of an owner in namespaces: the prune of these namespaces, the objects that its plan needs, and the reasons why it leaves
#: other namespaces out.
OwnedReader = Callable[
    [Cluster, Workers, str, _Batches, Sequence[str]], tuple[Batch[Any], Mapping[str, View], Mapping[str, str]]
]


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
    for batch in batches.values():
        views = run.read(batch, list(batch.namespaces))
        if run.stopped:
            raise ClusterError(run.stopped)
        _plan_step(run, batch, views, planned)
    if inventory.prunes and inventories.read_owned is not None:
        title = f"prune of owner {inventory.owner}"
        batch, views, left_out = inventories.read_owned(
            run.cluster, run.workers, inventory.owner, batches, inventories.namespaces
        )
        planned.unplanned += [UnplannedEntry(name, title, why) for name, why in sorted(left_out.items())]
        # As the playbook does: nothing is pruned in a namespace where a step failed.
        failed = {each.namespace for each in planned.unplanned}
        kept = replace(batch, namespaces={name: each for name, each in batch.namespaces.items() if name not in failed})
        _plan_step(run, kept, views, planned, title)
    return planned


def _plan_step(run: Run, batch: Batch[Any], views: _Views, planned: PlannedObjects, title: str = "") -> None:
    """Plan one step in check mode. `title` names it if no entry does."""
    known = {
        name: view if isinstance(view, ImagePullError) else _update_view(batch, name, view, planned)
        for name, view in views.items()
        if name in batch.namespaces
    }
    settings = replace(run.settings, check_mode=True, wait_timeout=0.0, max_failures=None, say=None)
    outcome = reconcile(run.cluster, batch, settings, known)
    if outcome.stopped:
        raise ClusterError(outcome.stopped)
    for result in outcome.namespaces:
        view = known.get(result.name)
        if isinstance(view, View):
            planned.keep(batch, result.name, result.changes, (view.objects, view.related), title)
        planned.unplanned += _unplanned(result, title)


def _update_view(batch: Batch[Any], namespace: str, view: View, planned: PlannedObjects) -> View:
    objects, related = planned.update(batch.kind, namespace, view.objects, view.related)
    return replace(view, objects=objects, related=related)


def _unplanned(result: NamespaceResult, title: str) -> list[UnplannedEntry]:
    own = [UnplannedEntry(result.name, str(failure.entry), failure.error) for failure in result.failures]
    is_whole = result.status in ("failed", "skipped") and result.error
    return [UnplannedEntry(result.name, title, result.error), *own] if is_whole else own
