# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nodes of a cluster with their versions and the data that leads to their configuration. Pure."""

from __future__ import annotations

from dataclasses import replace

from ..core.json_types import as_dict
from ..core.objects import NODE, Json, ObjectRef, metadata, pick
from ..images.kubelet_settings import CURRENT_CONFIG

__all__ = ["NODES"]


def _trim_node(node: Json) -> Json:
    meta, info = metadata(node), as_dict(as_dict(node.get("status")).get("nodeInfo"))
    notes = pick(as_dict(meta.get("annotations")), CURRENT_CONFIG)
    kept = {"name": meta.get("name"), **pick(meta, "labels"), **({"annotations": notes} if notes else {})}
    return {"metadata": kept, "status": {"nodeInfo": info}}


#: Reference to the list of all nodes, with their versions, their labels and the name of their rendered configuration.
NODES = ObjectRef(replace(NODE, trim=_trim_node), "", "")
