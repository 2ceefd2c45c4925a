# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The credential providers of the kubelets, as the rendered MachineConfigs of the machine config pools show them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..core.objects import Json, ObjectRef, as_dict, as_list
from ..images.credential_providers import KubeletProvider
from ..images.kubelet_settings import KUBELET_FILE, POOLS, PROVIDERS
from ..platform.machine_config import Pool
from .lookup import Lookup, UnreadableObject
from .reading import items_of, require_all, try_lookup

__all__ = ["KubeletProviders", "find_providers"]


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
