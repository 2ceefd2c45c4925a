# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What kind of cluster this is: does it generate pull secrets for service accounts, now or ever? Pure.

When the controllers are switched off: cluster-openshift-controller-manager-operator pkg/operator/internalimageregistry.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from ..core.objects import Json

__all__ = ["ClusterFacts", "why_none_will_come"]

#: From this minor version of OpenShift 4 on, nothing is generated while the image registry is Removed.
_REMOVED_COUNTS_FROM = 15


@dataclass(frozen=True)
class ClusterFacts:
    """What the cluster says of itself. None: it could not be read, which proves nothing."""

    api_groups: Collection[str] | None
    cluster_version: Json | None = None
    image_registry: Json | None = None


def why_none_will_come(facts: ClusterFacts) -> str:
    """Why this cluster generates no pull secrets; empty when it does, or when that cannot be known."""
    if facts.api_groups is not None and "config.openshift.io" not in facts.api_groups:
        return "this cluster is not OpenShift, so nothing generates pull secrets"
    status = (facts.cluster_version or {}).get("status") or {}
    capabilities = status.get("capabilities") or {}
    enabled, known = capabilities.get("enabledCapabilities"), capabilities.get("knownCapabilities")
    if enabled is not None and "ImageRegistry" not in enabled and (known is None or "ImageRegistry" in known):
        return "the ImageRegistry capability of this cluster is off, so nothing generates pull secrets"
    conditions = ((facts.image_registry or {}).get("status") or {}).get("conditions") or [{}]
    if conditions[0].get("reason") == "Removed" and _minor(status) >= _REMOVED_COUNTS_FROM:
        return "the image registry of this cluster is Removed, so nothing generates pull secrets"
    return ""


def _minor(status: Json) -> int:
    """The minor version of OpenShift 4; of an unknown one, that of the newest."""
    parts = str((status.get("desired") or {}).get("version") or "").split(".")
    return int(parts[1]) if len(parts) > 1 and parts[1].isdigit() else _REMOVED_COUNTS_FROM
