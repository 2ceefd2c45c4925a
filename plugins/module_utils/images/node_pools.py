# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nodes of a cluster with their versions and the data that leads to their configuration, and the images of one node. Pure."""

from __future__ import annotations

from dataclasses import replace

from ..core.objects import NODE, Json, ObjectRef, as_dict, as_list, as_strs, metadata, pick
from ..images.kubelet_settings import CURRENT_CONFIG
from .references import reference_of

__all__ = ["NODES", "lists_image"]


def _trim_node(node: Json) -> Json:
    meta, info = metadata(node), as_dict(as_dict(node.get("status")).get("nodeInfo"))
    notes = pick(as_dict(meta.get("annotations")), CURRENT_CONFIG)
    kept = {"name": meta.get("name"), **pick(meta, "labels"), **({"annotations": notes} if notes else {})}
    return {"metadata": kept, "status": {"nodeInfo": info}}


#: Reference to the list of all nodes, with their versions, their labels and the name of their rendered configuration. A node that is read
#: alone also has its images, which would be most of the list.
NODES = ObjectRef(replace(NODE, trim=_trim_node), "", "")


def lists_image(node: Json, image: str) -> bool:
    """Whether the node lists the image among its images. The kubelet lists only the 50 largest, so a missing one may be there.

    The search registries decide about a short name, so it is never found.
    """
    reference = reference_of(image)
    if reference is None or reference.is_short:
        return False
    images = as_list(as_dict(node.get("status")).get("images"))
    names = (name for each in map(as_dict, images) for name in as_strs(each.get("names")))
    return any(str(reference_of(name)) == str(reference) for name in names)
