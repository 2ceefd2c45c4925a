# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Credentials of nodes that are not in any object of the cluster. Pure.

On clouds, the kubelet has a provider for the registries of that cloud (machine-config-operator templates for aws, azure, gcp).
crio-credential-provider uses secrets of the pod's namespace for the mirrors of an image, as configured in CRIOCredentialProviderConfig.
On OpenShift, the rendered MachineConfig has the file that configures the providers of the kubelet.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..core.objects import Json, Kind, ObjectRef, as_dict, as_list, as_str, as_strs, metadata
from ..core.text import redact_line
from ..dockerconfig.registry_keys import is_url_match, kubelet_keys
from .nodes import NodeVersions, format_version

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
#: The name of its provider in the kubelet's configuration.
_CRIO_NAME = "crio-credential-provider"
_TOKENS, _AUDIENCE, _ANNOTATIONS = (
    "tokenAttributes",
    "serviceAccountTokenAudience",
    "requiredServiceAccountAnnotationKeys",
)
#: The first version of the kubelet in which the feature gate for tokens is on by default, and the first CRI-O that may read the provider's
#: files: 1.34.0 and 1.34.1 do not, 1.34.11 and 1.35.0 do.
_GIVES_TOKENS, _READS_FILES = (1, 34), (1, 34, 2)
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

    `annotations` are those that it needs on the account, unless it has `variable`. `audience` is that of the token, empty if its
    configuration chooses it.
    `without_annotations` and `after_failure` are clauses: the effect of missing annotations, and of a failed exchange of the token.
    `without_tokens`: the name of the provider of OpenShift, if that takes no tokens.
    """

    plugin: str
    annotations: Sequence[str]
    audience: str
    without_annotations: str
    after_failure: str
    without_tokens: str = ""
    variable: str = ""

    def unset_annotations(self, account: Json | None) -> Sequence[str]:
        """Return the annotations that the account lacks, or has without a value."""
        present = as_dict(metadata(as_dict(account)).get("annotations"))
        return [name for name in self.annotations if not _is_set(name, as_str(present.get(name)))]


_GCP_OPT_IN = "iam.gke.io/enable-wi-image-pull"
#: By cloud: cloud-provider-aws cmd/ecr-credential-provider, cloud-provider-azure pkg/credentialprovider, cloud-provider-gcp
#: pkg/gcpcredential, whose audience is that of a pool of GKE. No branch of openshift/cloud-provider-gcp takes tokens.
TOKEN_PROVIDERS: Mapping[str, TokenProvider] = {
    "AWS": TokenProvider(
        "ecr-credential-provider",
        ("eks.amazonaws.com/ecr-role-arn",),
        "sts.amazonaws.com",
        "it pulls with the role of the nodes (on OpenShift 4.21, it fails), or does not run if its configuration requires the annotation",
        "the pod gets no login",
        variable="AWS_ECR_ROLE_ARN",
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
        without_tokens="gcr-credential-provider",
    ),
}


@dataclass(frozen=True)
class KubeletProvider:
    """A credential provider of the kubelet (k8s.io/kubelet config/v1, CredentialProvider).

    `images` are the entries of `matchImages`. `audience` is that of the tokens of service accounts that it gets, empty if it gets none.
    `annotations`: those without which the kubelet does not run it for a pod of the account. `variables`: the names of its variables.
    """

    name: str
    images: tuple[str, ...]
    audience: str = ""
    annotations: tuple[str, ...] = ()
    cache_type: str = ""
    variables: tuple[str, ...] = ()

    @classmethod
    def of(cls, obj: Json) -> KubeletProvider:
        tokens = as_dict(obj.get(_TOKENS))
        return cls(
            as_str(obj.get("name")),
            tuple(as_strs(obj.get("matchImages"))),
            as_str(tokens.get(_AUDIENCE)),
            tuple(as_strs(tokens.get(_ANNOTATIONS))),
            as_str(tokens.get("cacheType")),
            tuple(filter(None, (as_str(as_dict(each).get("name")) for each in as_list(obj.get("env"))))),
        )

    @property
    def is_crio(self) -> bool:
        """Whether it is the provider that `CRIO_PROVIDER` configures."""
        return self.name == _CRIO_NAME

    def match(self, repository: str) -> str:
        """Return the entry for an image. Empty if there is none."""
        return next(_matches(self.images, repository), "")

    def missing_annotations(self, account: Json | None) -> Sequence[str]:
        """Return the required annotations that the account lacks. An empty value is enough (pkg/credentialprovider/plugin)."""
        present = as_dict(metadata(as_dict(account)).get("annotations"))
        return [name for name in self.annotations if name not in present]


def _is_set(annotation: str, value: str) -> bool:
    return value == "true" if annotation == _GCP_OPT_IN else bool(value)


def cloud_of(repository: str) -> str:
    """Return the cloud that the registry belongs to. Empty for other registries."""
    return next((cloud for cloud, hosts in _REGISTRIES.items() if kubelet_keys(hosts, repository)), "")


def crio_match(config: Json | None, repository: str) -> str:
    """Return the entry of `matchImages` for the image, if possible one that the nodes have. Empty when there is none."""
    images = as_strs(as_dict(as_dict(config).get("spec")).get("matchImages"))
    found, skipped = [*_matches(images, repository)], skipped_entries(config)
    return next((each for each in found if each not in skipped), next(iter(found), ""))


def _matches(images: Sequence[str], repository: str) -> Iterator[str]:
    """The entries of `matchImages` for a repository. The kubelet compares them as they are (pkg/credentialprovider/plugin, isImageAllowed)."""
    return (each for each in images if is_url_match(each, repository))


def skipped_entries(config: Json | None) -> frozenset[str]:
    """Return the entries that the nodes do not have, because they overlap with the provider of the cloud."""
    condition = _condition(config, "Validated")
    is_partial = (condition.get("status"), condition.get("reason")) == ("False", "ConfigurationPartiallyApplied")
    found = _SKIPPED.search(as_str(condition.get("message"))) if is_partial else None
    return frozenset(found[1].split() if found else ())


def node_problem(node: NodeVersions) -> str:
    """Return why crio-credential-provider cannot work on a node with these versions, as a sentence. Empty if nothing is known against it."""
    if node.kubelet is not None and node.kubelet < _GIVES_TOKENS:
        gate = "KubeletServiceAccountTokenForCredentialProviders"
        return f"kubelet {format_version(node.kubelet)} does not have the feature gate {gate} on by default"
    if node.runtime and node.runtime != "cri-o":
        return f"{node.runtime} does not read the files of the provider"
    if node.runtime_version is not None and node.runtime_version < _READS_FILES:
        return f"CRI-O {format_version(node.runtime_version)} does not read the files of the provider"
    return ""


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
