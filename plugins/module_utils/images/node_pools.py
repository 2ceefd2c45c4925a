# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nodes of a cluster with their versions and the data that leads to their configuration. Pure."""

from __future__ import annotations

from dataclasses import replace

from ..core.json_types import as_dict
from ..core.objects import NODE, Json, ObjectRef, metadata, pick, trim_object
from ..images.kubelet_settings import CURRENT_CONFIG
from .node_versions import NODES

__all__ = ["NODES_IN_POOLS"]


def _trim_node(node: Json) -> Json:
    kept, meta = trim_object(NODES.kind, node), metadata(node)
    notes = pick(as_dict(meta.get("annotations")), CURRENT_CONFIG)
    return {**kept, "metadata": {**metadata(kept), **pick(meta, "labels"), **({"annotations": notes} if notes else {})}}


#: Reference to the list of all nodes, with their labels and the name of their rendered configuration. It equals `NODES`.
NODES_IN_POOLS = ObjectRef(replace(NODE, trim=_trim_node), "", "")
