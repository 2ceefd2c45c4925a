# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which groups of its API a server has: every caller who is logged in may read that."""

from __future__ import annotations

from ...core.json_types import as_dict, as_list, as_str
from .client import Cluster

__all__ = ["listed_groups"]


def listed_groups(cluster: Cluster) -> frozenset[str]:
    """:raises ImagePullError: when that cannot be read."""
    groups = as_list(cluster.get_path("/apis").get("groups"))
    return frozenset(name for group in groups if (name := as_str(as_dict(group).get("name"))))
