# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds images in use without a signature that nodes can read. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...core.text import pluralize, summarize
from .findings import Finding
from .survey import ClusterSnapshot, ImageSignature, NamespaceSnapshot

__all__ = ["IMAGE_UNSIGNED", "MOST_IMAGES", "find_unsigned_images", "unknown_signatures"]

IMAGE_UNSIGNED = "image-unsigned"
#: Maximum number of images whose signatures one audit asks registries for.
MOST_IMAGES = 2000
#: Maximum number of namespaces in a message.
_SHOWN = 10


def find_unsigned_images(place: NamespaceSnapshot, survey: ClusterSnapshot) -> Iterator[Finding]:
    """Yield one finding for each image of the namespace that nodes refuse at the next pull."""
    for each in survey.signatures.get(place.namespace, ()):
        image, found = each.image, each.found
        if found is not None and found.fails:
            required = image.required
            others = f" and {pluralize(image.others, 'other object')}" if image.others else ""
            message = f"{required.reference} of {image.user}{others}: {required.requirement}, but {found.said}"
            yield Finding(IMAGE_UNSIGNED, image.user, image.location, message)


def unknown_signatures(survey: ClusterSnapshot) -> Iterator[str]:
    """Yield a sentence for the images that were not asked for, and one for those without a usable answer."""
    every = [(namespace, each) for namespace, found in survey.signatures.items() for each in found]
    left_out = [(namespace, each) for namespace, each in every if each.found is None]
    if left_out:
        yield (
            f"{_begin(left_out)}: one audit asks for {MOST_IMAGES:,} images, and shares them evenly among the namespaces. Audit these "
            "namespaces in a run of their own"
        )
    unknown = [(namespace, each) for namespace, each in every if each.found is not None and _is_unknown(each)]
    if unknown:
        _namespace, first = unknown[0]
        why = "" if first.found is None else first.found.said
        yield f"{_begin(unknown)}. For {first.image.required.reference}: {why}"


def _is_unknown(each: ImageSignature) -> bool:
    return each.found is not None and each.found.fails is None


def _begin(found: Sequence[tuple[str, ImageSignature]]) -> str:
    namespaces = list(dict.fromkeys(namespace for namespace, _each in found))
    count = pluralize(len(found), "image")
    noun = "namespace" if len(namespaces) == 1 else "namespaces"
    verb = "has" if len(found) == 1 else "have"
    return f"whether {count} of {noun} {summarize(namespaces, _SHOWN)} {verb} the signature that a policy requires is not known"
