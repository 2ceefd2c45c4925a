# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks registries for the signatures of the images in use, with an equal share for each namespace."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from ...core.changes import NO_SELECTORS
from ...core.objects import ObjectRef
from ...discovery.lookup_reader import QUESTIONS, read_lookups, read_objects
from ...discovery.proofs import NamespaceQuestions
from ...engine.run import Run
from ...explain.chain import PullVerdict
from ...explain.lookup import Lookup, ReadRequired, UnreadableObject, items_of, try_lookup
from ...explain.steps.sources import RegistrySignatures
from ...images.image_questions import RegistryAccess
from ...images.node_registries import CLUSTER_POLICIES
from .accesses import answer_of, share_evenly, signed_images
from .rules_images import MOST_IMAGES
from .survey import ImageSignature, SignedImage

__all__ = ["ask_for_coming_signatures", "ask_for_signatures"]


def ask_for_signatures(
    run: Run, accesses: Mapping[str, Sequence[PullVerdict]], evidence: Lookup, access: RegistryAccess
) -> Mapping[str, Sequence[ImageSignature]]:
    """Return the images that need a signature by namespace, with the answers of registries.

    :raises ImagePullError: if the cluster fails, or an option about registries is invalid.
    """
    return _ask_for(run, _read_images(run, accesses, evidence), evidence, access)


def ask_for_coming_signatures(
    run: Run,
    accesses: Mapping[str, Sequence[PullVerdict]],
    evidence: Lookup,
    access: RegistryAccess,
    scopes: Sequence[str],
) -> Mapping[str, Sequence[ImageSignature]]:
    """Return the images in these scopes as `ask_for_signatures` does, as if the policy of the next version existed already.

    :raises ImagePullError: as `ask_for_signatures`.
    """
    listed, unread = try_lookup(evidence, CLUSTER_POLICIES)
    policy = {"metadata": {"name": "openshift"}, "spec": {"scopes": [*scopes]}}
    evidence.add({CLUSTER_POLICIES: {"items": [*items_of(listed), policy]}})
    try:
        every = _read_images(run, accesses, evidence)
        images = {
            namespace: [each for each in of_namespace if each.required.requirement.scope in scopes]
            for namespace, of_namespace in every.items()
        }
        return _ask_for(run, images, evidence, access)
    finally:
        evidence.add({CLUSTER_POLICIES: UnreadableObject(unread) if unread else listed})


def _ask_for(
    run: Run, images: Mapping[str, Sequence[SignedImage]], evidence: Lookup, access: RegistryAccess
) -> Mapping[str, Sequence[ImageSignature]]:
    chosen = share_evenly(images, MOST_IMAGES)
    found = _ask(run, chosen, evidence, NamespaceQuestions(access))
    answers = {id(image): answer for (_namespace, image), answer in zip(chosen, found, strict=True)}
    return {
        namespace: [ImageSignature(each, answers.get(id(each))) for each in of_namespace]
        for namespace, of_namespace in images.items()
    }


def _read_images(
    run: Run, accesses: Mapping[str, Sequence[PullVerdict]], evidence: Lookup
) -> dict[str, Sequence[SignedImage]]:
    """Find the images. Repeat until no namespace needs another object."""
    found: dict[str, Sequence[SignedImage]] = {}
    waiting = list(accesses)
    while waiting:
        late = []
        for namespace in waiting:
            try:
                found[namespace] = signed_images(accesses[namespace], evidence)
            except ReadRequired:
                late.append(namespace)
        waiting = late
        evidence.add(read_lookups(run.cluster, run.workers, evidence, NO_SELECTORS))
    return {namespace: found[namespace] for namespace in accesses}


def _ask(
    run: Run, chosen: Sequence[tuple[str, SignedImage]], evidence: Lookup, questions: NamespaceQuestions
) -> list[RegistrySignatures]:
    """Return the answer for each image. Repeat until no image has another question."""
    found: dict[int, RegistrySignatures] = {}
    waiting = list(enumerate(chosen))
    while waiting:
        late, objects, asked = [], dict[ObjectRef, None](), defaultdict[str, list[ObjectRef]](list)
        for at, (namespace, image) in waiting:
            try:
                found[at] = answer_of(image, evidence)
            except ReadRequired:
                late.append((at, (namespace, image)))
                for ref in evidence.take_wanted():
                    if ref.kind in QUESTIONS:
                        asked[namespace].append(ref)
                    else:
                        objects[ref] = None
        waiting = late
        evidence.add(read_objects(run.cluster, run.workers, list(objects), NO_SELECTORS))
        evidence.add(questions.answers(asked, evidence))
    return [found[at] for at in range(len(chosen))]
