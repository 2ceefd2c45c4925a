# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Credentials of nodes that are not in any object of the cluster. Pure.

On clouds, the kubelet has a provider for the registries of that cloud (machine-config-operator templates for aws, azure, gcp).
crio-credential-provider uses secrets of the pod's namespace for the mirrors of an image, as configured in CRIOCredentialProviderConfig.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..core.cluster_text import redact_line
from ..core.json_types import as_dict, as_list, as_str, as_strs
from ..core.objects import Json, Kind, ObjectRef, metadata
from ..dockerconfig.key_matching import kubelet_keys

__all__ = [
    "CRIO_AUDIENCE",
    "CRIO_PROVIDER",
    "TOKEN_PROVIDERS",
    "TokenProvider",
    "cloud_of",
    "crio_doubt",
    "crio_match",
    "platform_of",
    "skipped_entries",
]

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

#: The audience of the tokens with which the provider lists secrets (machine-config-operator updateCredentialProviderConfig).
CRIO_AUDIENCE = "https://kubernetes.default.svc"
#: The end of the message of `Validated` if entries are left out. Entries contain no spaces.
_SKIPPED = re.compile(r"Skip rendering entries: \[([^\]]*)\]")

#: Registries by platform, with the platform names of an Infrastructure.
_REGISTRIES: Mapping[str, Sequence[str]] = {
    "AWS": ("*.dkr.ecr.*.amazonaws.com", "*.dkr.ecr.*.amazonaws.com.cn", "*.dkr.ecr-fips.*.amazonaws.com"),
    "Azure": ("*.azurecr.io", "*.azurecr.cn", "*.azurecr.us"),
    "GCP": ("gcr.io", "*.gcr.io", "*.pkg.dev"),
}


@dataclass(frozen=True)
class TokenProvider:
    """A credential provider that can pull with a token of the pod's service account (KEP-4412).

    `annotations` are those that it needs on the account. `audience` is that of the token, empty if its configuration chooses it.
    `without_annotations` and `after_failure` are clauses: the effect of missing annotations, and of a failed exchange of the token.
    """

    plugin: str
    annotations: Sequence[str]
    audience: str
    without_annotations: str
    after_failure: str

    def missing_annotations(self, account: Json | None) -> Sequence[str]:
        """Return the annotations that the account lacks."""
        present = as_dict(metadata(as_dict(account)).get("annotations"))
        return [name for name in self.annotations if not _is_set(name, as_str(present.get(name)))]


_GCP_OPT_IN = "iam.gke.io/enable-wi-image-pull"
#: By cloud: cloud-provider-aws cmd/ecr-credential-provider, cloud-provider-azure pkg/credentialprovider, cloud-provider-gcp pkg/gcpcredential.
TOKEN_PROVIDERS: Mapping[str, TokenProvider] = {
    "AWS": TokenProvider(
        "ecr-credential-provider",
        ("eks.amazonaws.com/ecr-role-arn",),
        "sts.amazonaws.com",
        "it pulls with the role of the nodes, or does not run if its configuration requires the annotation",
        "the pod gets no login",
    ),
    "Azure": TokenProvider(
        "acr-credential-provider",
        ("kubernetes.azure.com/acr-client-id", "kubernetes.azure.com/acr-tenant-id"),
        "api://AzureADTokenExchange",
        "it does not run, or it fails if its configuration does not require them",
        "the pod gets no login",
    ),
    "GCP": TokenProvider(
        "auth-provider-gcp",
        (_GCP_OPT_IN,),
        "",
        "it pulls with the account of the nodes",
        "the pod gets no login, and the account of the nodes is not used",
    ),
}


def _is_set(annotation: str, value: str) -> bool:
    return value == "true" if annotation == _GCP_OPT_IN else bool(value)


def cloud_of(repository: str) -> str:
    """Return the cloud that the registry belongs to. Empty for other registries."""
    return next((cloud for cloud, hosts in _REGISTRIES.items() if kubelet_keys(hosts, repository)), "")


def platform_of(infrastructure: Json | None) -> str:
    """Return the platform of the cluster. Empty when it is unknown."""
    return as_str(as_dict(as_dict(as_dict(infrastructure).get("status")).get("platformStatus")).get("type"))


def crio_match(config: Json | None, repository: str) -> str:
    """Return the entry of `matchImages` for the image, if possible one that the nodes have. Empty when there is none."""
    images = as_strs(as_dict(as_dict(config).get("spec")).get("matchImages"))
    found, skipped = kubelet_keys(images, repository), skipped_entries(config)
    return next((each for each in found if each not in skipped), next(iter(found), ""))


def skipped_entries(config: Json | None) -> frozenset[str]:
    """Return the entries that the nodes do not have, because they overlap with the provider of the cloud."""
    condition = _condition(config, "Validated")
    is_partial = (condition.get("status"), condition.get("reason")) == ("False", "ConfigurationPartiallyApplied")
    found = _SKIPPED.search(as_str(condition.get("message"))) if is_partial else None
    return frozenset(found[1].split() if found else ())


def crio_doubt(config: Json | None) -> str:
    """Return why it is not known whether the nodes have the configuration, as the rest of a sentence. Empty if they have it.

    The machine config operator sets the conditions. It never does so on hosted clusters.
    """
    for name in ("Validated", "MachineConfigRendered"):
        condition = _condition(config, name)
        is_partial = name == "Validated" and bool(skipped_entries(config))
        if condition.get("status") == "False" and not is_partial:
            told = redact_line(as_str(condition.get("message")) or as_str(condition.get("reason")))
            return f"its condition {name} is False: {told or 'no reason is given'}"
    is_rendered = _condition(config, "MachineConfigRendered").get("status") == "True"
    return "" if is_rendered else "it has no condition MachineConfigRendered, so nothing reports that the nodes have it"


def _condition(config: Json | None, name: str) -> Json:
    conditions = map(as_dict, as_list(as_dict(as_dict(config).get("status")).get("conditions")))
    return next((each for each in conditions if each.get("type") == name), {})
