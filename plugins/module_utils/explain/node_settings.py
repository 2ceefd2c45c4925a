# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of nodes for images that they have, as far as objects show them. Pure.

OpenShift: the kubelet's file in the rendered MachineConfig of the node, with its drop-in files, or, if the caller may not read it, the
KubeletConfig of the node's pool. Elsewhere: the file that kubeadm gives to new nodes. The kubelet's own answer needs `nodes/proxy`, which also
allows commands in pods, so nothing asks for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..core.objects import Json, ObjectRef, as_dict, as_str, metadata
from ..images.image_verification import VerificationPolicy
from ..images.kubelet_settings import (
    CURRENT_CONFIG,
    DROP_INS,
    KUBEADM_SETTINGS,
    KUBELET_CONFIGS,
    KUBELET_FILE,
    POOLS,
    config_for,
    parse_config,
    pool_for,
    refusal_of,
)
from ..images.nodes import NodeVersions, Version, nodes_of
from ..platform.machine_config import Pool
from .lookup import Lookup, ReadRequired
from .reading import items_of, require_all, try_lookup

__all__ = ["NodeGroup", "NodeSettings", "SettledNode", "can_verify", "group_nodes", "settings_of_nodes"]


#: First version of the kubelet that has the settings. Its feature gate is off until 1.35.
_SETTINGS_SINCE: Version = (1, 33)


@dataclass(frozen=True)
class NodeSettings:
    """The settings of a kubelet. `policy` is None if they are unknown, because of `why`.

    `source` names the object that contains them. It is empty if no object sets anything, so that the kubelet has its defaults.
    `is_assumed`: no object shows the settings of this kubelet, so the defaults are assumed.
    """

    policy: VerificationPolicy | None
    source: str = ""
    why: str = ""
    is_assumed: bool = False


@dataclass(frozen=True)
class SettledNode:
    """One node with its versions and settings. `pool`: the name of its machine config pool, empty without one."""

    versions: NodeVersions
    settings: NodeSettings
    pool: str = ""


@dataclass(frozen=True)
class NodeGroup:
    """The nodes of one machine config pool, or all nodes without one, with the settings that they will have at their next start."""

    pool: str
    nodes: Sequence[SettledNode]
    coming: NodeSettings


@dataclass
class _Reading:
    """Looks objects up. Unknown ones are wanted together: `waits` is then set."""

    evidence: Lookup
    waits: bool = field(default=False)

    def look(self, ref: ObjectRef) -> tuple[Json | None, str]:
        try:
            return try_lookup(self.evidence, ref)
        except ReadRequired:
            self.waits = True
            return None, ""


def can_verify(nodes: Sequence[Json]) -> bool:
    """Whether the settings of these nodes matter. Older kubelets do not have them. An unknown version counts as a new one."""
    return any(node.kubelet is None or node.kubelet >= _SETTINGS_SINCE for node in nodes_of(nodes).values())


def settings_of_nodes(nodes: Sequence[Json], evidence: Lookup) -> list[SettledNode]:
    """Return the settings of each node.

    :raises ReadRequired: when objects have to be read first.
    """
    require_all(evidence, [POOLS, KUBELET_CONFIGS])
    listed, unread = try_lookup(evidence, POOLS)
    pools = items_of(listed)
    reading, found = _Reading(evidence), []
    for node in nodes:
        (versions,) = nodes_of([node]).values()
        pool = pool_for(as_dict(metadata(node).get("labels")), pools)
        if pool is not None:
            current = as_str(as_dict(metadata(node).get("annotations")).get(CURRENT_CONFIG))
            settings = _of_pool(pool, pools, reading, current)
        else:
            settings = NodeSettings(None, why=unread) if unread else _of_kubeadm(reading)
            if pools and settings.is_assumed:
                settings = NodeSettings(None, why=f"node {versions.name} is in no machine config pool, or in several")
        found.append(SettledNode(versions, settings, "" if pool is None else Pool.of(pool).name))
    if reading.waits:
        raise ReadRequired
    return found


def group_nodes(nodes: Sequence[Json], evidence: Lookup) -> list[NodeGroup]:
    """Return the nodes by their configuration.

    :raises ReadRequired: when objects have to be read first.
    """
    settled = settings_of_nodes(nodes, evidence)
    pools = items_of(try_lookup(evidence, POOLS)[0])
    by_pool: dict[str, list[SettledNode]] = {}
    for node in settled:
        by_pool.setdefault(node.pool, []).append(node)
    return [
        NodeGroup(name, members, _coming_settings(name, pools, members, evidence)) for name, members in by_pool.items()
    ]


def _coming_settings(name: str, pools: Sequence[Json], nodes: Sequence[SettledNode], evidence: Lookup) -> NodeSettings:
    """The settings of the pool's KubeletConfig, unless drop-in files override them. Without a pool, those of its nodes, which are all alike."""
    pool = next((each for each in pools if name and Pool.of(each).name == name), None)
    if pool is None:
        return nodes[0].settings
    target = Pool.of(pool).target
    file = try_lookup(evidence, ObjectRef(KUBELET_FILE, "", target))[0] if target else None
    if file is not None and file.get(DROP_INS):
        return _settings_in(file, _source_of(file, target))
    listed, unread = try_lookup(evidence, KUBELET_CONFIGS)
    return NodeSettings(None, why=unread) if unread else _of_kubelet_configs(pool, pools, items_of(listed))


def _of_pool(pool: Json, pools: Sequence[Json], reading: _Reading, current: str) -> NodeSettings:
    state = Pool.of(pool)
    rendered = current or (state.current if state.is_done else "")
    if rendered:
        file, _unread = reading.look(ObjectRef(KUBELET_FILE, "", rendered))
        if file is not None:
            return _settings_in(file, _source_of(file, rendered))
    listed, not_listed = reading.look(KUBELET_CONFIGS)
    if not_listed:
        return NodeSettings(None, why=not_listed)
    if rendered != state.target:
        return NodeSettings(None, why=f"machine config pool {state.name} is being updated")
    return _of_kubelet_configs(pool, pools, items_of(listed))


def _of_kubelet_configs(pool: Json, pools: Sequence[Json], configs: Sequence[Json]) -> NodeSettings:
    config = config_for(pool, pools, configs)
    if config is None:
        return NodeSettings(VerificationPolicy())
    ref = ObjectRef(KUBELET_CONFIGS.kind, "", as_str(metadata(config).get("name")))
    if refusal := refusal_of(config):
        return NodeSettings(None, why=f"the machine config operator does not apply {ref}: {refusal}")
    return _settings_in(as_dict(as_dict(config.get("spec")).get("kubeletConfig")), str(ref))


def _of_kubeadm(reading: _Reading) -> NodeSettings:
    file, unread = reading.look(KUBEADM_SETTINGS)
    if unread:
        return NodeSettings(None, why=unread)
    if file is None:
        return NodeSettings(VerificationPolicy(), is_assumed=True)
    return _settings_in(file, "the config map of kubeadm for new nodes")


def _source_of(file: Json, rendered: str) -> str:
    return f"{'a drop-in file of ' if file.get(DROP_INS) else ''}machine config {rendered}"


def _settings_in(configuration: Json, source: str) -> NodeSettings:
    policy = parse_config(configuration)
    if policy is None:
        return NodeSettings(None, why=f"the settings in {source} are invalid")
    return NodeSettings(policy, "" if policy == VerificationPolicy() else source)
