# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps the related objects of a plan up to date after writes. Pure."""

from __future__ import annotations

from dataclasses import replace

from ..core.objects import Json, Kind, ObjectRef, metadata
from ..core.protocols import Related

__all__ = ["find_related", "store_object", "update_related"]


def find_related(found: Related, ref: ObjectRef) -> Json | None:
    """Return the object that was read, separately or in the list of its kind. None if it was not read."""
    if ref in found:
        return found[ref]
    listed = found.get(replace(ref, name="")) or {}
    return next((item for item in listed.get("items") or [] if metadata(item).get("name") == ref.name), None)


def update_related(found: Related, ref: ObjectRef, now: Json | None) -> Related:
    """Return `found` with the current state of `ref`, None if it is deleted: separately and in the list of its kind."""
    whole = replace(ref, name="")
    known = {**found, ref: now} if ref in found else dict(found)
    listed = known.get(whole)
    if listed is not None:
        others = [item for item in listed.get("items") or [] if metadata(item).get("name") != ref.name]
        known[whole] = {"items": [*others, *([now] if now is not None else [])]}
    return known


def store_object(kind: Kind, objects: dict[str, Json], found: Related, ref: ObjectRef, now: Json | None) -> Related:
    """Store the current state of an object, None if it is deleted, for the next plan.

    `objects` are the objects of `kind` by name, and are changed. Return `found`, in which an object of any other kind is `updated`.
    """
    if ref.kind != kind:
        return update_related(found, ref, now)
    if now is None:
        objects.pop(ref.name, None)
    else:
        objects[ref.name] = now
    return found
