# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rights that a task missed on its way, told once at its end: whatever went on without one says less than it could."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..clients.kube.api_groups import listed_groups
from ..clients.kube.client import Cluster
from ..core.errors import ImagePullError
from ..core.permissions import Need, lacking

__all__ = ["missed", "untold"]

#: Every API server has these; others may not be there, and a server refuses also what it does not know.
_EVERYWHERE = ("", "rbac.authorization.k8s.io", "authorization.k8s.io", "apps", "batch")


def missed(cluster: Cluster) -> set[Need]:
    """The rights that were missed, without those to kinds that the cluster does not have."""
    needs = cluster.needs
    if all(need.group in _EVERYWHERE for need in needs):
        return needs
    try:
        groups = listed_groups(cluster)
    except ImagePullError:
        return needs
    return {need for need in needs if need.group in _EVERYWHERE or need.group in groups}


def untold(needs: Iterable[Need], told: Sequence[str]) -> list[str]:
    """The sentence for those that none of the texts names; none when there are none."""
    return lacking(need for need in needs if not any(str(need) in text for text in told))
