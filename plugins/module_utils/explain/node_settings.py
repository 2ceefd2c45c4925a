# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of nodes for images, as far as objects show them: kubelets, credential providers, registry files. Pure.

OpenShift: the kubelet's file in the rendered MachineConfig of the node, with its drop-in files, or, if the caller may not read it, the
KubeletConfig of the node's pool. Elsewhere: the file that kubeadm gives to new nodes. The kubelet's own answer needs `nodes/proxy`, which also
allows commands in pods, so nothing asks for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from ..core.objects import Json, Kind, ObjectRef, as_dict, as_list, as_str, metadata
from ..images.credential_providers import KubeletProvider
from ..images.image_verification import (
    CURRENT_CONFIG,
    DROP_INS,
    KUBEADM_SETTINGS,
    KUBELET_CONFIGS,
    KUBELET_FILE,
    POOLS,
    PROVIDER_PROBLEMS,
    PROVIDERS,
    VerificationPolicy,
    config_for,
    parse_config,
    pool_for,
    refusal_of,
)
from ..images.node_registries import NodeRegistries, registries_for
from ..images.nodes import NodeVersions, Version, nodes_of
from ..images.references import reference_of
from ..images.registry_sources import IMAGE_CONFIG, MIRROR_KINDS, MirrorItems, mirror_items
from ..platform.cluster import CLUSTER_VERSION
from ..platform.machine_config import Pool
from .lookup import Lookup, ReadRequired, UnreadableObject, items_of, registry_sources, require_all, try_lookup

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


@dataclass(frozen=True)
class KubeletProviders:
    """The providers of the kubelets for an image, with the names of the pools whose nodes have them.

    `hidden`: the pools whose kubelets have providers that no object shows. `is_complete`: the kubelets of all pools have providers, all of them
    are known, and no pool is being updated. A kubelet without the option has none, but until 1.28 those of its cloud were part of it.
    `unread`: why some of the configurations could not be read, as the rest of a sentence. Empty if all were, or the cluster has none.
    """

    found: Mapping[KubeletProvider, Sequence[str]] = field(default_factory=dict)
    hidden: Sequence[str] = ()
    is_complete: bool = False
    unread: str = ""


def find_providers(repository: str, evidence: Lookup, *, of_crio: bool = False) -> KubeletProviders:
    """Return the providers for an image, without that of CRI-O, or with `of_crio` only that one.

    A pool that is being updated has nodes with its last configuration and with its next one, and may have nodes with others.

    :raises ReadRequired: when objects have to be read first.
    """
    try:
        pools = evidence.derive(POOLS, _configurations_by_pool)
    except UnreadableObject as error:
        return KubeletProviders(unread=f"the {POOLS.kind.resource} could not be read: {error}")
    refs = {name: [ObjectRef(KUBELET_FILE, "", each) for each in names] for name, names in pools.items()}
    require_all(evidence, [ref for each in refs.values() for ref in each])
    found: dict[KubeletProvider, list[str]] = {}
    hidden: list[str] = []
    is_complete = bool(refs)
    for name, files in refs.items():
        known = [_providers_in(ref, evidence) for ref in files]
        providers = dict.fromkeys(each for some in known for each in some or ())
        for provider in providers:
            if provider.is_crio == of_crio and provider.match(repository):
                found.setdefault(provider, []).append(name)
        if None in known:
            hidden.append(name)
        is_complete = is_complete and len(known) == 1 and all(known)
    reasons = (try_lookup(evidence, ref)[1] for each in refs.values() for ref in each)
    return KubeletProviders(found, hidden, is_complete, next(filter(None, reasons), ""))


@dataclass(frozen=True)
class ProviderFile:
    """The providers in one configuration of a pool, None if no object shows them, and why no kubelet starts with them."""

    pool: str
    providers: Sequence[Json] | None
    problems: Sequence[str] = ()


def provider_files(evidence: Lookup) -> tuple[Sequence[ProviderFile], str]:
    """Return the providers of each pool with nodes, in its present and its next configuration, and why the pools could not be read.

    :raises ReadRequired: when the objects that configure them have to be read first.
    """
    try:
        pools = evidence.derive(POOLS, _configurations_by_pool)
    except UnreadableObject as error:
        return [], f"the {POOLS.kind.resource} could not be read: {error}"
    refs = [(name, ObjectRef(KUBELET_FILE, "", each)) for name, files in pools.items() for each in files]
    require_all(evidence, [ref for _name, ref in refs])
    found = [(name, as_dict(try_lookup(evidence, ref)[0])) for name, ref in refs]
    return [ProviderFile(name, each.get(PROVIDERS), each.get(PROVIDER_PROBLEMS, ())) for name, each in found], ""


def _configurations_by_pool(listed: Json | None) -> Mapping[str, Sequence[str]]:
    """The names of the rendered configurations. An empty pool has no node that needs one."""
    pools = map(Pool.of, items_of(listed))
    return {pool.name: [*filter(None, dict.fromkeys((pool.current, pool.target)))] for pool in pools if pool.machines}


def _providers_in(ref: ObjectRef, evidence: Lookup) -> Sequence[KubeletProvider] | None:
    """The providers in a configuration: None if it does not show them, and empty if nothing shows whether there are any."""
    try:
        return evidence.derive(ref, _parse_providers)
    except UnreadableObject:
        return ()


def _parse_providers(settings: Json | None) -> Sequence[KubeletProvider] | None:
    providers = as_dict(settings).get(PROVIDERS, ())
    return None if providers is None else [KubeletProvider.of(as_dict(each)) for each in as_list(providers)]


def _parse(kind: Kind, listed: Json | None) -> MirrorItems:
    return MirrorItems(tuple(mirror_items(kind, items_of(listed))))


#: The parsed mirror sets of each kind, computed once for all images. Unreadable objects are the same for all of them.
_PARSE: Mapping[ObjectRef, partial[MirrorItems]] = {
    ObjectRef(kind, "", ""): partial(_parse, kind) for kind in MIRROR_KINDS
}
_UNREAD = MirrorItems()


def read_mirror_sets(evidence: Lookup) -> Iterable[MirrorItems]:
    """Yield the mirror sets of each kind that can be read.

    :raises ReadRequired: when a list of them has to be read first.
    """
    for ref, parse in _PARSE.items():
        try:
            yield evidence.derive(ref, parse)
        except UnreadableObject:
            yield _UNREAD


def registries_of(evidence: Lookup) -> NodeRegistries:
    """Return the nodes' files by the objects that can be read.

    :raises ReadRequired: when more objects have to be read first.
    """
    require_all(evidence, [IMAGE_CONFIG, *_PARSE])
    sources = registry_sources(evidence)
    release = _release_image(evidence)[0] if sources.blocked else ""
    return registries_for(sources, tuple(read_mirror_sets(evidence)), release)


def why_release_unknown(evidence: Lookup) -> str:
    """Return why it is not known which blocked registries have an effect, as a sentence. Empty if that is known.

    :raises ReadRequired: when more objects have to be read first.
    """
    unread = _release_image(evidence)[1] if registry_sources(evidence).blocked else ""
    doubt = "An entry around the repository of the release has no effect without a mirror of it, and this repository is not known"
    return f"{doubt}: {unread}" if unread else ""


def _release_image(evidence: Lookup) -> tuple[str, str]:
    version, unread = try_lookup(evidence, CLUSTER_VERSION)
    image = as_str(as_dict(as_dict(as_dict(version).get("status")).get("desired")).get("image"))
    if image and reference_of(image) is None:
        return "", f"status.desired.image of {CLUSTER_VERSION} is not the name of an image"
    return image, unread
