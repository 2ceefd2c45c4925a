# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists the API groups of a server. Every authenticated caller is allowed to read them."""

from __future__ import annotations

from ...core.objects import as_dict, as_list, as_str
from .client import Cluster

__all__ = ["list_api_groups"]


def list_api_groups(cluster: Cluster) -> frozenset[str]:
    """Return the names of the API groups.

    :raises ImagePullError: if they cannot be read.
    """
    groups = as_list(cluster.get_path("/apis").get("groups"))
    return frozenset(name for group in groups if (name := as_str(as_dict(group).get("name"))))
