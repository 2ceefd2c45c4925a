# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The architectures of the nodes of a cluster, from `status.nodeInfo`. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from ..core.json_types import as_dict, as_str
from ..core.objects import Json

__all__ = ["architectures_of"]

#: The form of Go's names of architectures, such as `amd64` and `ppc64le`.
_ARCHITECTURE = re.compile(r"[a-z0-9]{1,20}", re.ASCII)


def architectures_of(nodes: Iterable[Json]) -> Sequence[str]:
    """Return the different architectures of nodes, sorted."""
    infos = (as_dict(as_dict(node.get("status")).get("nodeInfo")) for node in nodes)
    return sorted(set(filter(_ARCHITECTURE.fullmatch, (as_str(info.get("architecture")) for info in infos))))
