# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of the objects that a plan looked up besides, once one of them is written. Pure."""

from __future__ import annotations

from dataclasses import replace

from ..core.objects import Json, Kind, ObjectRef, metadata
from ..core.protocols import Related

__all__ = ["known", "stored", "updated"]


def known(found: Related, ref: ObjectRef) -> Json | None:
    """The object as it was read, on its own or in the list of its kind; None where it was not."""
    if ref in found:
        return found[ref]
    listed = found.get(replace(ref, name="")) or {}
    return next((item for item in listed.get("items") or [] if metadata(item).get("name") == ref.name), None)


def updated(found: Related, ref: ObjectRef, now: Json | None) -> Related:
    """`found` with `ref` as it is now, None once it is gone: on its own and in the list of its kind."""
    whole = replace(ref, name="")
    known = {**found, ref: now} if ref in found else dict(found)
    listed = known.get(whole)
    if listed is not None:
        others = [item for item in listed.get("items") or [] if metadata(item).get("name") != ref.name]
        known[whole] = {**listed, "items": [*others, *([now] if now is not None else [])]}
    return known


def stored(kind: Kind, objects: dict[str, Json], found: Related, ref: ObjectRef, now: Json | None) -> Related:
    """Puts an object as it is now, None once it is gone, where a plan looks for it.

    `objects` are those of `kind` by name, and are changed; returned is `found`, with an object of any other kind `updated`.
    """
    if ref.kind != kind:
        return updated(found, ref, now)
    if now is None:
        objects.pop(ref.name, None)
    else:
        objects[ref.name] = now
    return found
