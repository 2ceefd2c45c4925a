# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nodes' registry files, made of the evidence. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial

from ..core.objects import Json, Kind, ObjectRef, as_dict, as_str
from ..images.node_registries import NodeRegistries, registries_for
from ..images.references import reference_of
from ..images.registry_sources import IMAGE_CONFIG, MIRROR_KINDS, MirrorItems, mirror_items
from ..platform.cluster import CLUSTER_VERSION
from .lookup import Lookup, UnreadableObject
from .reading import items_of, registry_sources, require_all, try_lookup

__all__ = ["read_mirror_sets", "registries_of", "why_release_unknown"]


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
