# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Locate the pull secret of a cluster's nodes, predict the effects of a change, and check whether the nodes have it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...clients.kube.client import Cluster
from ...clients.kube.errors import Forbidden
from ...core.changes import Inspection
from ...core.errors import Refusal
from ...core.files import VariableFile, Write
from ...core.objects import NODE, Json, ObjectRef, as_str, metadata
from ...discovery.cluster import ClusterKind, detect_cluster_kind, get_if_readable
from ...engine.run import RunSettings, inspect
from ...platform.cluster import HOSTED, INFRASTRUCTURE, MANAGED, MANAGEMENT, STANDALONE, why_unsupported
from ...platform.hosted import (
    ADDITIONAL_SECRET,
    NODE_POOL,
    excluded_pools,
    keeps_edits,
    node_pools_of_cluster,
    node_pools_of_nodes,
    overridden_registries,
    pull_secret_of,
    unmerged_sentence,
    why_never_merged,
)
from ...platform.machine_config import (
    MACHINE_CONFIG,
    MACHINE_CONFIG_POOL,
    MACHINE_CONFIGURATION,
    Pool,
    differences,
    drain_effect,
)
from ...platform.protected import NODE_SECRET
from ...secrets.content import StoredSecret
from .question import GlobalPullSecret, HostedMerge, PoolRollout, require_auth_file

#: A resourceVersion as an API server writes it. It becomes part of a file name.
_VERSION = re.compile(r"[0-9]{1,20}\Z")


@dataclass(frozen=True)
class BackupSink:
    """Where a copy goes: `hide` receives its content first, `write` returns the writer for a file name."""

    hide: Callable[[str], None]
    write: Callable[[str], Write]


def inspect_global_secret(cluster: Cluster, asked: GlobalPullSecret, settings: RunSettings) -> dict[str, Any]:
    """Return the result of `global_pull_secret_info`.

    :raises ImagePullError: when the state cannot be determined, or with `wait` when the nodes do not get the secret in time.
    """
    found, reason = _kind_of(cluster, asked.hosted_cluster)
    base = {"changed": False, **_describe_cluster(found), "supported": not reason}
    if reason:
        return {**base, "reason": reason}
    looking = _ClusterInspector(cluster, asked, settings, found)
    ref = asked.hosted_cluster
    seen = _LOOKS[found.nature](looking) if ref is None else looking.management(ref)
    exists = cluster.get(ObjectRef(NODE_SECRET.kind, seen["namespace"], seen["name"])) is not None
    return {**base, "reason": "", **seen, "exists": exists}


def back_up(cluster: Cluster, hosted_cluster: ObjectRef | None, saving: BackupSink) -> dict[str, Any]:
    """Return the result of `global_pull_secret_backup`. `files` is empty if the secret does not exist, or this version has a copy already.

    :raises ImagePullError: when the cluster has no global pull secret, or when the secret or its version cannot be read.
    """
    found, reason = _kind_of(cluster, hosted_cluster)
    if reason:
        raise Refusal(f"the nodes' pull secret was not copied: {reason}")
    place = _secret_of(cluster, found, hosted_cluster)
    secret = cluster.get(place)
    return {
        **_describe_cluster(found),
        **_place(place),
        "exists": secret is not None,
        **_save_backup(place, secret, found, saving),
    }


def _kind_of(cluster: Cluster, hosted_cluster: ObjectRef | None) -> tuple[ClusterKind, str]:
    """Return the kind of cluster, and why it has no global pull secret. The reason is empty if it has one."""
    found = detect_cluster_kind(cluster)
    if hosted_cluster is not None:
        found = replace(found, nature=MANAGEMENT)
    never = why_never_merged(found.platform) if found.nature == HOSTED else ""
    return found, why_unsupported(found.nature) or never


def _describe_cluster(found: ClusterKind) -> dict[str, Any]:
    return {"cluster_kind": found.nature, "cluster_id": found.cluster_id, "version": found.version}


def _secret_of(cluster: Cluster, found: ClusterKind, hosted_cluster: ObjectRef | None) -> ObjectRef:
    """Return the secret to change on this kind of cluster."""
    if hosted_cluster is not None:
        return pull_secret_of(hosted_cluster, cluster.get(hosted_cluster))
    return ADDITIONAL_SECRET if found.nature == HOSTED else NODE_SECRET


@dataclass(frozen=True)
class _ClusterInspector:
    cluster: Cluster
    asked: GlobalPullSecret
    settings: RunSettings
    nature: ClusterKind

    def standalone(self) -> dict[str, Any]:
        """Return the result of a cluster on which the machine config operator writes the secret to the nodes."""
        costs, how = drain_effect(get_if_readable(self.cluster, MACHINE_CONFIGURATION), self.nature.version)
        pools = (
            self._wait_for_rollout() if self.asked.wait else [*map(self._pool, self.cluster.list(MACHINE_CONFIG_POOL))]
        )
        notes = [_cost_note(costs, how), *_pool_notes(pools)]
        if self.nature.nature == MANAGED:
            notes.append(
                "this is a managed cluster (ROSA classic or OpenShift Dedicated): a Red Hat webhook refuses changes of its pull secret by "
                "most callers. Use pull secrets in the namespaces instead (role private_registry)"
            )
        rolled_out = all(not pool["waits_for"] for pool in pools) if self.asked.wait else None
        return _result(NODE_SECRET, notes, pools=pools, drains=costs, rolled_out=rolled_out)

    def hosted(self) -> dict[str, Any]:
        """Return the result of a hosted cluster, seen from within."""
        original = self.cluster.get(NODE_SECRET)
        if original is None:
            raise Refusal(
                f"{NODE_SECRET} does not exist on {self.cluster.name}, so the platform's own pull secret is unknown"
            )
        ignored = overridden_registries(require_auth_file(NODE_SECRET, original), self.asked.merge)
        pools, unknown = self._nodes()
        waited = self._wait_for(HostedMerge(), ADDITIONAL_SECRET.namespace) if self.asked.wait else {}
        if "unmerged" in waited:
            raise Refusal(f"not all nodes of {self.cluster.name} have the pull secret: {waited['unmerged']}")
        unseen = waited.get("unseen", "")
        notes = [
            "a change of the secret restarts the kubelet of all nodes that get it at about the same time, but drains no node",
            *unknown,
            *_platform_notes(self.nature),
            *_node_pool_notes(pools),
            *_unseen_notes(unseen),
            *([] if self.asked.wait else self._unmerged_notes()),
        ]
        rolled_out = True if self.asked.wait and not unseen else None
        return _result(ADDITIONAL_SECRET, notes, node_pools=pools, overridden=ignored, rolled_out=rolled_out)

    def _unmerged_notes(self) -> list[str]:
        """Return why the platform does not merge the additional secret; empty if it does."""
        return [said] if (said := unmerged_sentence(self.cluster.get(ADDITIONAL_SECRET))) else []

    def management(self, ref: ObjectRef) -> dict[str, Any]:
        """Return the result of a hosted cluster, seen from the cluster that runs its control plane."""
        hosted_cluster = self.cluster.get(ref)
        place = pull_secret_of(ref, hosted_cluster)
        pools = node_pools_of_cluster(self.cluster.list(NODE_POOL, namespace=ref.namespace), ref.name)
        notes = [
            f"change the content of {place}, not the name of the secret in {ref}: another name replaces all its nodes",
            *_node_pool_notes(pools),
        ]
        if keeps_edits(hosted_cluster):
            notes.append(
                f"{ref} is annotated so that changes of {NODE_SECRET} inside the hosted cluster are kept, and then its copy can differ from "
                f"{place}"
            )
        if self.asked.wait:
            notes.append(f"the management cluster does not show whether the nodes of {ref} have the secret")
        return _result(place, notes, node_pools=pools)

    def _pool(self, obj: Any) -> dict[str, Any]:
        """Return the report of a pool, with its other pending changes."""
        pool = Pool.of(obj)
        return {**pool.report(), "waits_for": "", "pending": [] if pool.current == pool.target else self._pending(pool)}

    def _pending(self, pool: Pool) -> list[str]:
        before, after = (self._config(name) for name in (pool.current, pool.target))
        if before is None or after is None:
            return [f"machine config {pool.target} instead of {pool.current}"]
        return differences(before, after)

    def _config(self, name: str) -> Any:
        return get_if_readable(self.cluster, ObjectRef(MACHINE_CONFIG, "", name)) if name else None

    def _wait_for_rollout(self) -> list[dict[str, Any]]:
        extra = self._wait_for(PoolRollout(self.asked.allow_paused, self.asked.rendered_before), "")
        pools = [{**pool, "pending": []} for pool in extra["pools"]]
        paused = [pool for pool in pools if pool["paused"] and pool["waits_for"]]
        if paused and not self.asked.allow_paused:
            words = "; ".join(f"machine config pool {pool['name']} {pool['waits_for']}" for pool in paused)
            raise Refusal(
                f"not all nodes of {self.cluster.name} have the pull secret: {words}. Resume the pools, or set 'allow_paused: true'"
            )
        return pools

    def _wait_for(self, inspection: Inspection, namespace: str) -> Mapping[str, Any]:
        """Wait, and return what the inspection found.

        :raises Refusal: when the wait times out, or the cluster fails.
        """
        outcome = inspect(self.cluster, inspection, [namespace], self.settings)
        (result,) = outcome.namespaces
        if outcome.stopped:
            raise Refusal(outcome.stopped)
        if result.status != "unchanged":
            seconds = f"{self.settings.wait_timeout:.0f}"
            raise Refusal(
                f"not all nodes of {self.cluster.name} have the pull secret after {seconds} s: {result.error}"
            )
        return result.extra

    def _nodes(self) -> tuple[list[dict[str, Any]], list[str]]:
        try:
            return node_pools_of_nodes(self.cluster.list(NODE)), []
        except Forbidden:
            return [], ["the caller may not list nodes, so it is not known which of them get the secret"]


_LOOKS: Mapping[str, Callable[[_ClusterInspector], dict[str, Any]]] = {
    STANDALONE: _ClusterInspector.standalone,
    MANAGED: _ClusterInspector.standalone,
    HOSTED: _ClusterInspector.hosted,
}


def _place(ref: ObjectRef) -> dict[str, Any]:
    return {"namespace": ref.namespace, "name": ref.name}


def _result(ref: ObjectRef, notes: Sequence[str], **found: Any) -> dict[str, Any]:
    """Return the result for the secret that a change writes. `found` are the parts that differ from those of a cluster without pools."""
    usual = {"pools": [], "node_pools": [], "drains": False, "overridden": [], "rolled_out": None, "notes": notes}
    return {**_place(ref), **usual, **found}


def _pool_notes(pools: Sequence[Mapping[str, Any]]) -> list[str]:
    notes = []
    for pool in pools:
        which = f"machine config pool {pool['name']}"
        if pool["paused"]:
            notes.append(f"{which} is paused: its machines receive no changes until it is resumed")
        if pool["degraded"]:
            notes.append(f"{which} is degraded: its machines may not get the pull secret until it is repaired")
        if pool["pending"]:
            notes.append(
                f"{which} has more pending changes, which roll out with the pull secret and may drain nodes: {', '.join(pool['pending'])}"
            )
    return notes


def _cost_note(costs: bool | None, how: str) -> str:
    if costs is None:
        return f"it is not known whether a change of the pull secret drains nodes: {how}"
    return f"a change of the pull secret {'drains or reboots nodes' if costs else 'drains no node'}: {how}"


def _platform_notes(found: ClusterKind) -> list[str]:
    if found.platform:
        return []
    return [
        f"{INFRASTRUCTURE} does not show the platform of this hosted cluster. Only on AWS and Azure is {ADDITIONAL_SECRET} merged into the "
        "nodes' pull secret, so a wait can end without result"
    ]


def _node_pool_notes(pools: Sequence[Mapping[str, Any]]) -> list[str]:
    names = excluded_pools(pools)
    if not names:
        return []
    return [
        f"nodes of node pool {', '.join(names)} do not receive it until they are replaced: only nodes of AWS and Azure pools with upgrade "
        "type Replace receive it while they run. The others get the pull secret that their pool has when they are created"
    ]


def _unseen_notes(unseen: str) -> list[str]:
    if not unseen:
        return []
    return [
        f"the platform has merged the pull secret. It is not known which nodes have it already, because {unseen}: they follow within about "
        "a minute"
    ]


def _save_backup(ref: ObjectRef, secret: Json | None, nature: ClusterKind, saving: BackupSink) -> dict[str, Any]:
    """Write a copy of the secret, and return the result. The file name has the secret's name and version: an existing copy is kept.

    :raises Refusal: when the secret's version cannot be part of a file name.
    """
    if secret is None:
        return {"files": [], "changed": False}
    held = StoredSecret.of(secret)
    saving.hide(held.value if held.unreadable else held.text)
    version = as_str(metadata(secret).get("resourceVersion"))
    if not _VERSION.match(version):
        raise Refusal(
            f"{ref} has a resourceVersion that is not a number, so no copy was written and nothing was changed: check for a proxy "
            "between this host and the API server"
        )
    name = f"{ref.name}-{version}.yml"
    kept = {"cluster_id": nature.cluster_id, "namespace": ref.namespace, "name": ref.name, "content": held.value}
    # The role reads it with the filter `from_yaml`, which does not support Ansible's tags.
    file = VariableFile(name, {"global_pull_secret_backup": kept}, encrypted=True, for_ansible=False)
    files = saving.write(name)([file])
    return {"files": list(files), "changed": bool(files)}
