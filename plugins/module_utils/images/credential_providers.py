# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Credentials of nodes that are not in any object of the cluster. Pure.

On clouds, the kubelet has a provider for the registries of that cloud (machine-config-operator templates for aws, azure, gcp).
crio-credential-provider uses secrets of the pod's namespace for the mirrors of an image, as configured in CRIOCredentialProviderConfig.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..core.cluster_text import redact_line
from ..core.json_types import as_dict, as_list, as_str, as_strs
from ..core.objects import Json, Kind, ObjectRef
from ..dockerconfig.key_matching import kubelet_keys

__all__ = ["CRIO_PROVIDER", "cloud_of", "crio_match", "crio_problem", "platform_of"]

_CONFIG = "config.openshift.io"
#: The same object in each API version that a cluster may serve, newest first.
CRIO_PROVIDER: Sequence[ObjectRef] = tuple(
    ObjectRef(
        Kind(
            f"{_CONFIG}/{version}",
            "CRIOCredentialProviderConfig",
            "criocredentialproviderconfigs",
            "CRI-O credential provider config",
            namespaced=False,
        ),
        "",
        "cluster",
    )
    for version in ("v1", "v1alpha1")
)

#: Registries by platform, with the platform names of an Infrastructure.
_REGISTRIES: Mapping[str, Sequence[str]] = {
    "AWS": ("*.dkr.ecr.*.amazonaws.com", "*.dkr.ecr.*.amazonaws.com.cn", "*.dkr.ecr-fips.*.amazonaws.com"),
    "Azure": ("*.azurecr.io", "*.azurecr.cn", "*.azurecr.us"),
    "GCP": ("gcr.io", "*.gcr.io", "*.pkg.dev"),
}


def cloud_of(repository: str) -> str:
    """Return the cloud that the registry belongs to. Empty for other registries."""
    return next((cloud for cloud, hosts in _REGISTRIES.items() if kubelet_keys(hosts, repository)), "")


def platform_of(infrastructure: Json | None) -> str:
    """Return the platform of the cluster. Empty when it is unknown."""
    return as_str(as_dict(as_dict(as_dict(infrastructure).get("status")).get("platformStatus")).get("type"))


def crio_match(config: Json | None, repository: str) -> str:
    """Return the entry of `matchImages` for the image. Empty when there is none."""
    images = as_strs(as_dict(as_dict(config).get("spec")).get("matchImages"))
    return next(iter(kubelet_keys(images, repository)), "")


def crio_problem(config: Json | None) -> str:
    """Return the reason why the `Validated` condition is false, redacted. Empty when it is not."""
    for condition in map(as_dict, as_list(as_dict(as_dict(config).get("status")).get("conditions"))):
        if (condition.get("type"), condition.get("status")) == ("Validated", "False"):
            told = as_str(condition.get("message")) or as_str(condition.get("reason"))
            return redact_line(told) or "no reason is given"
    return ""
