# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The images in use that need a signature, and the share of each namespace in the questions to registries. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice, zip_longest
from typing import TypeVar

from ...explain.chain import PULLS, PullVerdict
from ...explain.lookup import Lookup, node_objects_for
from ...explain.required_signatures import RequiredSignature, find_signature, required_signature
from ...explain.steps.sources import RegistrySignatures
from ...explain.subjects import ContainerPull
from ...images.nodes import architectures_of
from .accesses import explanation_key
from .survey import SignedImage

__all__ = ["answer_of", "share_evenly", "signed_images"]

_Item = TypeVar("_Item")


def signed_images(accesses: Sequence[PullVerdict], evidence: Lookup) -> list[SignedImage]:
    """Return the images of a namespace that need a signature, each once, sorted by name.

    :raises ReadRequired: when more objects have to be read first.
    """
    same: dict[str, list[tuple[PullVerdict, RequiredSignature]]] = defaultdict(list)
    known: dict[Hashable, RequiredSignature | None] = {}
    for access in accesses:
        key = explanation_key(access.subject)  # many pods are equal
        if key not in known:
            known[key] = required_signature(access.subject, evidence)
        if required := known[key]:
            same[str(required.reference)].append((access, replace(required, subject=access.subject)))
    return [_signed_image(same[name], evidence) for name in sorted(same)]


def _signed_image(found: Sequence[tuple[PullVerdict, RequiredSignature]], evidence: Lookup) -> SignedImage:
    """A workload represents its pods. Containers that can pull are asked for first: their login probably works."""
    subjects = sorted((access.subject for access, _required in found), key=_order)
    users = list(dict.fromkeys(subject.ref for subject in subjects))
    by_architecture: dict[Sequence[str], RequiredSignature] = {}
    for access, required in sorted(found, key=lambda each: (each[0].verdict != PULLS, _order(each[0].subject))):
        nodes, _unread = node_objects_for(access.subject, evidence)
        by_architecture.setdefault(tuple(architectures_of(nodes)), required)
    # A template can run on any node. Its pods show on which nodes it does.
    asked = [each for each in by_architecture.values() if each.subject.node] or list(by_architecture.values())
    return SignedImage(subjects[0].ref, subjects[0].location, len(users) - 1, asked)


def _order(subject: ContainerPull) -> tuple[bool, str, str, str]:
    return subject.is_pod, subject.ref.kind.kind, subject.ref.name, subject.location


def share_evenly(wanted: Mapping[str, Sequence[_Item]], most: int) -> list[tuple[str, _Item]]:
    """Return up to `most` items with their namespaces: the first item of each namespace, then the second of each, and so on.

    So a namespace with many items takes none from a namespace with few.
    """
    return list(islice(_in_rounds(wanted), most))


def _in_rounds(wanted: Mapping[str, Sequence[_Item]]) -> Iterator[tuple[str, _Item]]:
    some = {namespace: items for namespace, items in wanted.items() if items}
    for items in zip_longest(*some.values()):
        yield from ((namespace, item) for namespace, item in zip(some, items, strict=True) if item is not None)


def answer_of(image: SignedImage, evidence: Lookup) -> RegistrySignatures:
    """Return whether nodes refuse the image: it needs a signature on each architecture that its nodes have.

    :raises ReadRequired: when a registry has to be asked first.
    """
    found = [find_signature(each, evidence) for each in image.asked]
    refused = next((each for each in found if each.fails), None)
    return refused or next((each for each in found if each.fails is None), found[0])
