# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The known objects of a cluster, for questions that lead from one object to the next, and how a step reads them. Pure.

A question is asked repeatedly: each object that is not known yet is recorded as wanted, the caller reads all wanted objects at once, and
asks again until nothing is wanted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar, Union

from ..core.errors import ImagePullError
from ..core.objects import Json, ObjectRef, as_dict, as_list, as_str, metadata
from ..images.image_verification import NODES
from ..images.node_registries import KNOWN_IMAGE_POLICIES
from ..images.nodes import NodeVersions, kinds_of, nodes_by_architecture, nodes_of
from ..images.registry_sources import IMAGE_CONFIG, NODE_NETWORK, RegistrySources, registry_sources_of
from .subjects import ContainerPull

Made = TypeVar("Made")

#: Stands for an object that was not read, and for a result that was not computed.
_ABSENT: Any = object()


class ReadRequired(Exception):
    """The object is not known yet, and is now recorded as wanted."""


class UnreadableObject(ImagePullError):
    """The object cannot be read. The message is the reason, as the rest of a sentence."""


class Lookup:
    """Objects by reference: None for an object that does not exist, an error for one that could not be read."""

    def __init__(self, known: Mapping[ObjectRef, Union[Json, ImagePullError, None]] | None = None) -> None:
        self._known = dict(known or {})
        self._wanted: dict[ObjectRef, None] = {}
        self._made: dict[tuple[ObjectRef, Callable[..., Any]], Any] = {}

    def look(self, ref: ObjectRef) -> Json | None:
        """Return the object, or None if it does not exist. For a reference without a name, return the list under `items`.

        :raises ReadRequired: when it has to be read first.
        :raises UnreadableObject: when it cannot be read.
        """
        answer: Any = self._known.get(ref, _ABSENT)
        if answer is _ABSENT:
            # No object shows the network, and an explanation of one namespace must not need rights in all of them.
            if ref.kind == NODE_NETWORK or ref == KNOWN_IMAGE_POLICIES:
                return None
            self._wanted[ref] = None
            raise ReadRequired
        if isinstance(answer, ImagePullError):
            raise UnreadableObject(str(answer))
        found: Json | None = answer
        return found

    def derive(self, ref: ObjectRef, make: Callable[[Json | None], Made]) -> Made:
        """Return the result of a pure function of the object, computed once: for large objects that every container needs.

        :raises ReadRequired, UnreadableObject: as `look`.
        """
        key = ref, make
        made: Made = self._made.get(key, _ABSENT)
        if made is _ABSENT:
            made = self._made[key] = make(self.look(ref))
        return made

    def peek(self, ref: ObjectRef) -> Json | None:
        """Return the object if it is known and can be read. It is not requested."""
        is_wanted = ref in self._wanted
        try:
            return self.look(ref)
        except UnreadableObject:
            return None
        except ReadRequired:
            if not is_wanted:
                self._wanted.pop(ref, None)
            return None

    @property
    def unrecorded(self) -> Lookup:
        """The same objects. Nothing records that they are read: they decide only a reason or a task, and no verdict."""
        return self

    @property
    def unread(self) -> dict[ObjectRef, str]:
        """The objects that could not be read, with the reason."""
        return {ref: str(answer) for ref, answer in self._known.items() if isinstance(answer, ImagePullError)}

    def add(self, answers: Mapping[ObjectRef, Union[Json, ImagePullError, None]]) -> None:
        self._known.update(answers)
        self._made = {key: made for key, made in self._made.items() if key[0] not in answers}

    def take_wanted(self) -> list[ObjectRef]:
        """Return the wanted objects, each once, and clear the list."""
        wanted, self._wanted = list(self._wanted), {}
        return wanted


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

    A pod that is limited to nodes that do not exist waits for such ones: their architectures have no names.

    :raises ReadRequired: when they have to be read first.
    """
    nodes, unread = node_objects_for(subject, evidence)
    found = evidence.derive(NODES, _by_architecture) if len(nodes) > 1 else nodes_by_architecture(nodes)
    limited: dict[str, Sequence[str]] = {name: found[name] for name in subject.architectures if name in found}
    if found and not (limited or subject.node):
        limited = dict.fromkeys(subject.architectures, ())
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
