# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The architectures of the nodes of a cluster, from `status.nodeInfo`. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..core.json_types import as_dict, as_list, as_str
from ..core.objects import Json, metadata

__all__ = ["architectures_of"]

#: The form of Go's names of architectures, such as `amd64` and `ppc64le`.
_ARCHITECTURE = re.compile(r"[a-z0-9]{1,20}", re.ASCII)


def architectures_of(listed: Json | None, node: str = "") -> Sequence[str]:
    """Return the different architectures in a list of nodes, sorted. `node`: only that of this node, if the list contains it."""
    found = {}
    for each in map(as_dict, as_list(as_dict(listed).get("items"))):
        info = as_dict(as_dict(each.get("status")).get("nodeInfo"))
        if _ARCHITECTURE.fullmatch(architecture := as_str(info.get("architecture"))):
            found[as_str(metadata(each).get("name"))] = architecture
    return [found[node]] if node in found else sorted(set(found.values()))
