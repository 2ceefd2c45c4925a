# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the cluster's configuration lets a node do with an image: allowed and blocked registries, mirrors. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from ...core.evidence import Evidence
from ...core.objects import ObjectRef
from ...nodes.references import Reference
from ...nodes.registry_sources import IMAGE_CONFIG, MIRROR_KINDS, Mirrors, mirrors_for, registry_sources_of
from ..answers import Seen, breaks, doubts, says
from ..reading import items_of, look

__all__ = ["mirrors_of", "mirrors_seen", "registries"]


def registries(reference: Reference, evidence: Evidence) -> Iterator[Seen]:
    """Whether a registry is blocked or not allowed."""
    config, unread = look(evidence, IMAGE_CONFIG)
    if unread:
        yield doubts("registries", f"which registries are allowed is not known: {unread}")
    elif why := registry_sources_of(config).why_not(reference.repository):
        yield breaks("registries", f"the nodes may not pull {reference}: {why}")


def mirrors_of(reference: Reference, evidence: Evidence) -> tuple[Mirrors | None, list[Seen]]:
    """The mirrors of an image, and what could not be read of them."""
    sets, unknown = {}, []
    for kind in MIRROR_KINDS:
        listed, unread = look(evidence, ObjectRef(kind, "", ""))
        if unread:
            unknown.append(doubts("mirrors", f"whether an {kind.title} names the image is not known: {unread}"))
        sets[kind] = items_of(listed)
    return mirrors_for(reference, sets), unknown


def mirrors_seen(reference: Reference, found: Mirrors) -> Iterator[Seen]:
    by = f"source {found.source} in {' and '.join(dict.fromkeys(found.objects))}"
    if found.mirrors:
        text = f"it is looked for at {', '.join(found.mirrors)} first, with the nodes' own credential ({by})"
        yield says("mirrors", text)
    if not found.never_source:
        return
    if found.mirrors:
        text = f"it comes from {', '.join(found.mirrors)} only, with the nodes' own credential ({by})"
        yield doubts("mirrors", text)
        return
    way = "digest" if reference.is_by_digest else "tag"
    reason = f"registry {found.source} is blocked: no mirror is for a pull by {way}, and the source is never contacted ({by})"
    yield breaks("mirrors", reason)
