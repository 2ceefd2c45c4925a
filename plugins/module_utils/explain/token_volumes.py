# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tokens of a service account in the volumes of a pod. Pure.

For a pod, a node may request tokens for the audiences of its volumes, and for others only with a right (Kubernetes 1.36
plugin/pkg/admission/noderestriction, podReferencesAudience). These are the audiences of projected tokens, and those that the CSI driver of a
volume requests.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..core.objects import Json, as_dict, as_list, as_str

__all__ = ["audiences_of", "trim_token_volumes"]

#: The kinds of volumes that have no CSI driver. The API server converts others, such as those of clouds, to volumes of a driver.
_WITHOUT_DRIVER = frozenset(
    ("configMap", "downwardAPI", "emptyDir", "hostPath", "image", "nfs", "projected", "secret", "name")
)


def audiences_of(spec: Json) -> tuple[str, ...] | None:
    """Return the audiences for which a node may request tokens for a pod with this spec, sorted. None if a volume may have a CSI driver.

    Tokens for the API server itself, which every pod has, are left out.
    """
    volumes = _volumes(spec)
    if any(volume.keys() - _WITHOUT_DRIVER for volume in volumes):
        return None
    return tuple(sorted({audience for volume in volumes for audience in _audiences(volume)}))


def trim_token_volumes(spec: Json) -> Iterator[dict[str, Any]]:
    """Yield the volumes of a pod's spec that `audiences_of` needs, without their content."""
    for volume in _volumes(spec):
        kept: dict[str, Any] = dict.fromkeys(sorted(volume.keys() - _WITHOUT_DRIVER))
        if found := [*_audiences(volume)]:
            kept["projected"] = {"sources": [{"serviceAccountToken": {"audience": audience}} for audience in found]}
        if kept:
            yield kept


def _volumes(spec: Json) -> list[Mapping[str, Any]]:
    return [*map(as_dict, as_list(spec.get("volumes")))]


def _audiences(volume: Json) -> Iterator[str]:
    for source in map(as_dict, as_list(as_dict(volume.get("projected")).get("sources"))):
        if audience := as_str(as_dict(source.get("serviceAccountToken")).get("audience")):
            yield audience
