# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds changes that affect nothing, because a name is mistyped, for example. Without them, an answer without breaks would be misleading. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from ...core.objects import ROLE_BINDING, SECRET, SERVICE_ACCOUNT, ObjectRef
from ...explain.lookup import Lookup
from ...images.nodes import CONFIG_MAP
from ...images.registry_sources import IMAGE_CONFIG
from ...platform.protected import NODE_SECRET
from .changes import WhatIfChange
from .overlay import ChangedLookup
from .rows import WhatIfRow

__all__ = ["find_changes_without_effect"]

_OF_REGISTRIES = ("unreachable_registries", "only_registries")
_OF_OBJECTS = ("remove_secrets", "remove_links", "remove_grants", "remove_credential", "delete_objects")


def find_changes_without_effect(
    changes: Sequence[WhatIfChange], states: Sequence[Lookup], namespaces: Collection[str], rows: Iterable[WhatIfRow]
) -> frozenset[int]:
    """Return the positions of changes that name registries or objects, and affect nothing that was read.

    `states` are the evidence before the changes, after all of them, and after each of them alone. `namespaces` are those that were read.
    A change of an object that could not be read may have an effect.
    """
    touched = {at for row in rows for at in row.deciding.touched}
    found = set()
    for at, change in enumerate(changes):
        if change.kind in _OF_REGISTRIES:
            has_effect = at in touched
        elif change.kind in _OF_OBJECTS:
            refs = _lists_of(change, namespaces)
            is_elsewhere = bool(change.targets([*namespaces]).difference(namespaces))
            alone = states[2 + at]
            is_changed = isinstance(alone, ChangedLookup) and any(map(alone.changes, refs))
            has_effect = (is_elsewhere and at in touched) or is_changed
        else:
            continue
        if not has_effect:
            found.add(at)
    return frozenset(found)


def _lists_of(change: WhatIfChange, namespaces: Collection[str]) -> Iterator[ObjectRef]:
    """The lists with the objects of a change, and single objects that no list has."""
    for ref in change.objects:
        yield ref if ref == IMAGE_CONFIG or ref.kind == CONFIG_MAP else ObjectRef(ref.kind, ref.namespace, "")
    if not change.objects:
        yield NODE_SECRET
        for kind in (SECRET, SERVICE_ACCOUNT, ROLE_BINDING):
            yield from (ObjectRef(kind, namespace, "") for namespace in namespaces)
