# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a step reads objects of the cluster. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ..core.objects import Json, ObjectRef, as_dict, as_list, as_str, metadata
from ..images.kubelet_settings import NODES
from ..images.nodes import NodeVersions, kinds_of, nodes_by_architecture, nodes_of
from ..images.registry_sources import IMAGE_CONFIG, RegistrySources, registry_sources_of
from .lookup import Lookup, ReadRequired, UnreadableObject
from .subjects import ContainerPull

__all__ = [
    "architectures_for",
    "items_of",
    "node_objects_for",
    "nodes_for",
    "refs_of_nodes",
    "registry_sources",
    "require_all",
    "try_lookup",
]


def try_lookup(evidence: Lookup, ref: ObjectRef) -> tuple[Json | None, str]:
    """Return the object (None if it does not exist) and the reason why it could not be read (empty if it could).

    :raises ReadRequired: when it has to be read first.
    """
    try:
        return evidence.look(ref), ""
    except UnreadableObject as error:
        return None, str(error)


def refs_of_nodes(subject: ContainerPull) -> Sequence[ObjectRef]:
    """Return the node of a pod that is explained alone, otherwise the list of all nodes, which serves all subjects."""
    alone = subject.is_asked_alone and subject.node
    return [ObjectRef(NODES.kind, "", subject.node)] if alone else [NODES]


def nodes_for(subject: ContainerPull, evidence: Lookup) -> tuple[Sequence[NodeVersions], str]:
    """Return the subject's node, or one node of each kind if it has none, and the reason why they could not be read.

    :raises ReadRequired: when they have to be read first.
    """
    found, unread = node_objects_for(subject, evidence)
    # Many subjects without a node have the same list.
    return (evidence.derive(NODES, _kinds) if len(found) > 1 else list(nodes_of(found).values())), unread


def node_objects_for(subject: ContainerPull, evidence: Lookup) -> tuple[Sequence[Json], str]:
    """Return the subject's node, or all nodes if it has none, and the reason why they could not be read.

    :raises ReadRequired: when they have to be read first.
    """
    (ref,) = refs_of_nodes(subject)
    if ref.name:
        node, unread = try_lookup(evidence, ref)
        return [node] if node else [], unread
    try:
        every = evidence.derive(NODES, _by_name)
    except UnreadableObject as error:
        return [], str(error)
    return [every[subject.node]] if subject.node in every else list(every.values()), ""


def architectures_for(subject: ContainerPull, evidence: Lookup) -> tuple[Mapping[str, Sequence[str]], str]:
    """Return the names of the nodes on which the subject may run, by architecture, and the reason why they could not be read.

    :raises ReadRequired: when they have to be read first.
    """
    nodes, unread = node_objects_for(subject, evidence)
    found = evidence.derive(NODES, _by_architecture) if len(nodes) > 1 else nodes_by_architecture(nodes)
    limited = {name: each for name, each in found.items() if name in subject.architectures}
    return limited or found, unread


def _by_architecture(listed: Json | None) -> Mapping[str, Sequence[str]]:
    return nodes_by_architecture(items_of(listed))


def _by_name(listed: Json | None) -> Mapping[str, Json]:
    return {as_str(metadata(node).get("name")): node for node in items_of(listed)}


def _kinds(listed: Json | None) -> Sequence[NodeVersions]:
    return kinds_of(nodes_of(items_of(listed)).values())


def registry_sources(evidence: Lookup) -> RegistrySources:
    """Return the registry sources of the cluster's image config. Without any settings if it cannot be read: a step reports that.

    :raises ReadRequired: when it has to be read first.
    """
    try:
        return evidence.derive(IMAGE_CONFIG, registry_sources_of)
    except UnreadableObject:
        return RegistrySources()


def require_all(evidence: Lookup, refs: Iterable[ObjectRef]) -> None:
    """Request all of these objects at once. :raises ReadRequired: when some of them are unknown."""
    waits = False
    for ref in refs:
        try:
            try_lookup(evidence, ref)
        except ReadRequired:
            waits = True
    if waits:
        raise ReadRequired


def items_of(listed: Json | None) -> Sequence[Json]:
    """Return the objects of a list."""
    return [as_dict(item) for item in as_list(as_dict(listed).get("items"))]
