# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rights that each job needs, as data. Pure.

tests/modules/test_rights.py removes each right on a real API server and checks the effect on the job: a right without an effect does
not belong here. The table in docs/docsite/rst/rights.rst is generated from this data.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from .subjects import IMAGE_PULLER, RBAC

#: Where a right is needed: in each namespace of the job, or in the whole cluster. Any other value is a namespace.
EVERY = ""
CLUSTER = "*"

#: The option for the pull secrets that hosted clusters name on their management cluster.
HOSTED_PULL_SECRETS = "hosted_pull_secrets"

#: The effect on the job without the right: it fails, it continues and reports the missing information, or it takes more requests.
Without = Literal["fails", "told", "slower"]


@dataclass(frozen=True)
class Right:
    """`resource` is written as in kubectl, `RESOURCE.GROUP`. `names` limits the right to these objects. `why` is its purpose.

    `named_by`: the option of `automation_account` with the names, for objects whose names are not known in advance.
    """

    resource: str
    verbs: tuple[str, ...]
    why: str
    without: Without = "fails"
    where: str = EVERY
    names: tuple[str, ...] = ()
    named_by: str = ""

    @property
    def group(self) -> str:
        return self.resource.partition(".")[2]

    @property
    def plural(self) -> str:
        return self.resource.partition(".")[0]


@dataclass(frozen=True)
class Job:
    """`what` describes the job, with the modules, roles and playbooks that do it."""

    what: str
    rights: tuple[Right, ...]


_CONFIG = "config.openshift.io"
_MACHINES = "machineconfiguration.openshift.io"
_WORKLOADS = (
    "deployments.apps",
    "statefulsets.apps",
    "daemonsets.apps",
    "replicasets.apps",
    "jobs.batch",
    "cronjobs.batch",
    "deploymentconfigs.apps.openshift.io",
    "replicationcontrollers",
)


def _reported_right(resource: str, verbs: str, why: str, where: str = EVERY, *names: str) -> Right:
    return Right(resource, tuple(verbs.split()), why, "told", where, names)


def _slow_right(resource: str, why: str = "reading many at once") -> Right:
    return Right(resource, ("list",), why, "slower")


def _needed_right(resource: str, verbs: str, why: str, where: str = EVERY, *names: str) -> Right:
    return Right(resource, tuple(verbs.split()), why, "fails", where, names)


_REVIEW = "subjectaccessreviews.authorization.k8s.io"

#: The objects that show who manages the nodes' pull secret.
_NATURE = (
    _needed_right(f"infrastructures.{_CONFIG}", "get", "the kind of the cluster", CLUSTER, "cluster"),
    _reported_right(f"clusterversions.{_CONFIG}", "get", "the version", CLUSTER, "version"),
)

_RELEASE = _reported_right(
    f"clusterversions.{_CONFIG}",
    "get",
    "the version, and whether a registry of the release is blocked",
    CLUSTER,
    "version",
)
_POLICIES = _reported_right(f"imagepolicies.{_CONFIG}", "list", "required signatures in a namespace")
#: The objects that determine how a node pulls an image, for the whole cluster.
_OF_THE_NODES = (
    _reported_right(f"images.{_CONFIG}", "get", "blocked, allowed and insecure registries", CLUSTER, "cluster"),
    _RELEASE,
    _reported_right(f"imagedigestmirrorsets.{_CONFIG}", "list", "mirrors", CLUSTER),
    _reported_right(f"imagetagmirrorsets.{_CONFIG}", "list", "mirrors", CLUSTER),
    _reported_right("imagecontentsourcepolicies.operator.openshift.io", "list", "mirrors, in older clusters", CLUSTER),
    _reported_right(f"clusterimagepolicies.{_CONFIG}", "list", "required signatures", CLUSTER),
    _reported_right(
        f"infrastructures.{_CONFIG}", "get", "the cloud whose credential provider the nodes have", CLUSTER, "cluster"
    ),
    _reported_right(
        f"criocredentialproviderconfigs.{_CONFIG}",
        "get",
        "mirrors for which secrets of the namespace are used",
        CLUSTER,
    ),
    _POLICIES,
)

_POOLS = _reported_right(f"machineconfigpools.{_MACHINES}", "list", "which node has which settings", CLUSTER)
#: The objects that show the policy of the kubelets for images that they have.
_OF_THE_KUBELETS = (
    _POOLS,
    _reported_right(f"kubeletconfigs.{_MACHINES}", "list", "the kubelets' policy for images that they have", CLUSTER),
    _reported_right(
        "configmaps", "get", "the same on clusters of kubeadm, for new nodes", "kube-system", "kubelet-config"
    ),
)

#: The objects that name secrets for builds of node images. They are read only if the namespace of these secrets is.
_OF_NODE_BUILDS = _reported_right(
    f"machineosconfigs.{_MACHINES}",
    "list",
    "secrets for builds of node images, in openshift-machine-config-operator",
    CLUSTER,
)

#: The objects that a list of images reads, and an audit as well.
_OF_IMAGES = (
    _reported_right("secrets", "list", "pull secrets"),
    _reported_right("serviceaccounts", "list", "links"),
    _reported_right("pods", "list", "running pods and failed pulls"),
    *(_reported_right(resource, "list", "images that workloads would run") for resource in _WORKLOADS),
    _reported_right("buildconfigs.build.openshift.io", "list", "pull secrets and images of builds"),
    _reported_right("imagestreams.image.openshift.io", "list", "failed imports, and the location of images"),
    _reported_right(_REVIEW, "create", "whether an account is allowed to pull from another project", CLUSTER),
    _reported_right(
        f"clusteroperators.{_CONFIG}", "get", "whether pull secrets are generated", CLUSTER, "image-registry"
    ),
    *_OF_THE_NODES,
    _reported_right("nodes", "list", "the versions of the nodes, and the images that they have", CLUSTER),
)


def _of_operators(when: str = "", where: str = EVERY) -> Iterator[Right]:
    for resource in ("catalogsources", "clusterserviceversions"):
        why = f"{when}images of operators and their catalogs"
        yield _reported_right(f"{resource}.operators.coreos.com", "list", why, where)


#: The objects that an audit reads, and a what-if question as well.
_OF_AN_AUDIT = (
    *_OF_IMAGES,
    _reported_right(f"rolebindings.{RBAC}", "list", "grants"),
    _reported_right(f"clusterrolebindings.{RBAC}", "list", "grants in the whole cluster", CLUSTER),
    *_OF_THE_KUBELETS,
    _reported_right(
        f"criocredentialproviderconfigs.{_CONFIG}",
        "list",
        "with target_version: whether they are used",
        CLUSTER,
    ),
    _reported_right(
        "configs.imageregistry.operator.openshift.io",
        "get",
        "with target_version: whether the integrated registry is removed",
        CLUSTER,
        "cluster",
    ),
)

#: The objects that show who else reads a pull secret, and who signs tokens.
_READS = "with secretless: other readers of a pull secret"
_READING_POLICIES = (
    *("clusterpolicies.kyverno.io", "imagevalidatingpolicies.policies.kyverno.io"),
    "clusterimagepolicies.policy.sigstore.dev",
)
_READING = (
    *("serviceaccounts", "buildconfigs.build.openshift.io", "imagestreams.image.openshift.io", "policies.kyverno.io"),
    "namespacedimagevalidatingpolicies.policies.kyverno.io",
    *("catalogsources.operators.coreos.com", "imagerepositories.image.toolkit.fluxcd.io"),
    *(f"{each}.source.toolkit.fluxcd.io" for each in ("ocirepositories", "helmrepositories")),
)
_OF_SECRETLESS = (
    _reported_right(f"authentications.{_CONFIG}", "get", "with secretless: the issuer of tokens", CLUSTER, "cluster"),
    *(_reported_right(each, "list", _READS, CLUSTER) for each in _READING_POLICIES),
    *(_reported_right(each, "list", _READS) for each in _READING),
)

#: On a hosted cluster: the users' additions to the nodes' pull secret, and the platform's secrets.
_HOSTED_SECRETS = ("kube-system", "additional-pull-secret", "global-pull-secret", "original-pull-secret")

JOBS: Mapping[str, Job] = {
    "secrets": Job(
        "pull secrets: module pull_secret",
        (
            _needed_right("secrets", "get create patch delete", "the pull secret"),
            _slow_right("secrets"),
            _reported_right("namespaces", "get", "check mode: whether the namespace exists"),
        ),
    ),
    "links": Job(
        "links of secrets to service accounts: module sa_link",
        (
            _needed_right("serviceaccounts", "get patch", "the lists of the account"),
            _needed_right("serviceaccounts", "list", "accounts that match a pattern, and reading many at once"),
            _reported_right("secrets", "get", "whether the secret exists and is usable for pulls"),
            _slow_right("secrets"),
        ),
    ),
    "create_accounts": Job(
        "option create of sa_link",
        (_needed_right("serviceaccounts", "create", "creating a missing account"),),
    ),
    "restart_pods": Job(
        "option restart_pods of sa_link",
        (
            _reported_right("pods", "list", "pods that lack the linked secrets"),
            _needed_right("pods", "delete", "with restart_pods=stuck, pods that a controller recreates"),
        ),
    ),
    "grants": Job(
        "the right to pull a project's image streams: module image_puller_grant",
        (
            _needed_right(
                f"rolebindings.{RBAC}", "list create patch delete", "the binding, and existing grants of others"
            ),
            _reported_right(f"clusterroles.{RBAC}", "get", "whether the role exists", CLUSTER, IMAGE_PULLER),
            _needed_right(f"clusterroles.{RBAC}", "bind", "granting it without having it", CLUSTER, IMAGE_PULLER),
            _reported_right("serviceaccounts", "get", "whether an account with a grant exists"),
            _reported_right("namespaces", "get", "whether a project with a grant exists"),
        ),
    ),
    "verify_access": Job(
        "option verify_access of image_puller_grant",
        (_reported_right(_REVIEW, "create", "whether the subjects are allowed to pull", CLUSTER),),
    ),
    "wait": Job(
        "waiting for generated pull secrets: module sa_wait",
        (
            _needed_right("serviceaccounts", "get", "the account and its list"),
            _reported_right("serviceaccounts", "list", "a similar name, for a misspelt one"),
            _reported_right("secrets", "get", "whether the generated secret works"),
            _reported_right(f"clusterversions.{_CONFIG}", "get", "whether any will be generated", CLUSTER, "version"),
            _reported_right(
                f"clusteroperators.{_CONFIG}", "get", "whether any will be generated", CLUSTER, "image-registry"
            ),
            _reported_right("services", "get", "why none was generated", "openshift-image-registry", "image-registry"),
            _reported_right("namespaces", "get", "whether the namespace exists"),
        ),
    ),
    "namespace_selector": Job(
        "option namespace_selector, and the module pull_access_prune",
        (_needed_right("namespaces", "list", "the list of namespaces", CLUSTER),),
    ),
    "prune": Job(
        "removing objects that are no longer declared: module pull_access_prune",
        (
            _needed_right("namespaces", "list", "the list of namespaces", CLUSTER),
            _reported_right("secrets", "list", "objects of the owner"),
            _needed_right("secrets", "delete", "objects that are no longer declared"),
            _reported_right("serviceaccounts", "list", "links of these secrets"),
            _needed_right("serviceaccounts", "patch", "links of these secrets"),
            _reported_right(f"rolebindings.{RBAC}", "list", "objects of the owner"),
            _needed_right(f"rolebindings.{RBAC}", "patch delete", "objects that are no longer declared"),
            _needed_right(f"clusterroles.{RBAC}", "bind", "changing a grant without having it", CLUSTER, IMAGE_PULLER),
        ),
    ),
    "export": Job(
        "exporting a cluster to an inventory: module pull_access_export, playbook export",
        (
            _needed_right("secrets", "list", "the pull secrets"),
            _needed_right("serviceaccounts", "list", "the links"),
            _needed_right(f"rolebindings.{RBAC}", "list", "the grants"),
            _reported_right(f"clusterroles.{RBAC}", "get", "whether the role exists", CLUSTER, IMAGE_PULLER),
        ),
    ),
    "explain": Job(
        "why a pod can or cannot pull: module pull_access_info, playbook explain",
        (
            _needed_right("pods", "get", "the pod"),
            _reported_right("serviceaccounts", "get", "its account"),
            _reported_right("secrets", "get", "the content of its pull secrets"),
            _reported_right("secrets", "list", "secrets without a link, or for CRIOCredentialProviderConfig"),
            _reported_right("events", "list", "errors that the node reported"),
            _reported_right("imagestreams.image.openshift.io", "get", "whether the image exists"),
            _reported_right(
                _REVIEW,
                "create",
                "whether the account is allowed to pull from the project, or to list secrets",
                CLUSTER,
            ),
            *_OF_THE_NODES,
            *_OF_THE_KUBELETS,
            _reported_right("nodes", "get list", "versions of the nodes", CLUSTER),
            _needed_right("pods", "list", "the pods of a workload, or all pods"),
            *(_needed_right(resource, "get list", "the workload, or all workloads") for resource in _WORKLOADS),
            *_OF_SECRETLESS,
        ),
    ),
    "nodes_secret": Job(
        "the nodes' own logins and files, for explain, audit and what_if (whoever has one of these rights can read the logins)",
        (
            _reported_right(
                "secrets", "get", "the content of the nodes' pull secret", "openshift-config", "pull-secret"
            ),
            _reported_right(f"machineconfigs.{_MACHINES}", "get", "the files of the kubelets on OpenShift", CLUSTER),
        ),
    ),
    "audit": Job(
        "finding problems with pulls: module and role pull_access_audit, playbook audit",
        (*_OF_AN_AUDIT, _OF_NODE_BUILDS),
    ),
    "images": Job("images in use: module pull_access_images, playbook images", (*_OF_IMAGES, _POOLS, *_of_operators())),
    "what_if": Job(
        "which pods a change would break: module and role pull_access_what_if, playbook what_if",
        (
            *(right for right in _OF_AN_AUDIT if right != _POLICIES),
            replace(_POLICIES, why=f"{_POLICIES.why}, including those of the platform's images", where=CLUSTER),
            _reported_right(f"clusterroles.{RBAC}", "get", "other roles that may also give a removed right", CLUSTER),
            _reported_right(f"roles.{RBAC}", "get", "other roles that may also give a removed right"),
            _reported_right(
                "configmaps",
                "get",
                "with only_registries, new mirrors or an image config: the certificate authorities of the nodes. Others are in ConfigMaps that "
                "cluster objects name",
                "openshift-config",
                "user-ca-bundle",
            ),
            _reported_right(
                f"proxies.{_CONFIG}",
                "get",
                "with only_registries, new mirrors or an image config: the name of another such ConfigMap",
                CLUSTER,
                "cluster",
            ),
            *_of_operators("with registries out of reach: ", CLUSTER),
        ),
    ),
    "rotation": Job(
        "renewing a login everywhere: module and role credential_rotation, playbook rotate",
        (
            _reported_right("secrets", "list", "copies of the old login"),
            _needed_right("secrets", "patch", "the new login"),
            _needed_right("secrets", "create", "a second secret instead of an immutable one"),
            _needed_right("serviceaccounts", "list patch", "links to that second secret"),
            _reported_right("pods", "list", "images in use"),
            *(_reported_right(resource, "list", "images in use") for resource in _WORKLOADS),
            _reported_right("events", "list", "with pulls_timeout: finished pulls"),
            _OF_NODE_BUILDS,
        ),
    ),
    "probe": Job(
        "testing whether a node can pull now: module pull_probe",
        (_needed_right("pods", "list create delete", "pods that pull"),),
    ),
    "import": Job(
        "importing image streams again: module image_stream_import",
        (
            _needed_right("imagestreams.image.openshift.io", "list", "failed imports"),
            _needed_right("imagestreams.image.openshift.io", "get", "the result of an import whose response was lost"),
            _needed_right("imagestreamimports.image.openshift.io", "create", "the import"),
        ),
    ),
    "global_pull_secret": Job(
        "the nodes' pull secret: role and playbook global_pull_secret, modules global_pull_secret_info and global_pull_secret_backup",
        (
            _needed_right("secrets", "get patch", "the secret", "openshift-config", "pull-secret"),
            *_NATURE,
            _needed_right(f"machineconfigpools.{_MACHINES}", "list", "which nodes have it", CLUSTER),
            _needed_right(f"machineconfigs.{_MACHINES}", "get", "which nodes have it", CLUSTER),
            _reported_right(
                "machineconfigurations.operator.openshift.io",
                "get",
                "whether a change drains nodes",
                CLUSTER,
                "cluster",
            ),
        ),
    ),
    "hosted_pull_secret": Job(
        "the nodes' pull secret of a hosted cluster, seen from within: role and playbook global_pull_secret",
        (
            _needed_right("secrets", "get", "the platform's own secret", "openshift-config", "pull-secret"),
            _needed_right("secrets", "get", "the added logins, and whether they are merged", *_HOSTED_SECRETS),
            _needed_right("secrets", "create", "creating the secret with the added logins", "kube-system"),
            _needed_right("secrets", "patch delete", "the added logins", *_HOSTED_SECRETS[:2]),
            _reported_right(
                "namespaces", "get", "check mode: whether the namespace exists", "kube-system", "kube-system"
            ),
            *_NATURE,
            _reported_right(
                "daemonsets.apps", "get", "which nodes have it", "kube-system", "global-pull-secret-syncer"
            ),
            _reported_right("nodes", "list", "which node pools get it", CLUSTER),
        ),
    ),
    "management_pull_secret": Job(
        "the nodes' pull secret of a hosted cluster, seen from its management cluster: the option of global_pull_secret for that",
        (
            _needed_right("hostedclusters.hypershift.openshift.io", "get", "which secret it is"),
            _needed_right("nodepools.hypershift.openshift.io", "list", "which node pools get it"),
            Right(
                "secrets", ("get", "patch"), "the secret that the hosted cluster names", named_by=HOSTED_PULL_SECRETS
            ),
            *_NATURE,
        ),
    ),
    "events": Job(
        "new namespaces and accounts as they appear: the event source",
        (
            _needed_right("namespaces", "list watch", "new namespaces", CLUSTER),
            _needed_right("serviceaccounts", "list watch", "new accounts", CLUSTER),
        ),
    ),
}


def rights_of(jobs: Iterable[str], named: Mapping[str, Sequence[str]]) -> Iterator[Right]:
    """Yield the rights of all these jobs. `named` maps options to names of objects. A right whose option has no names is left out."""
    for right in (right for name in jobs for right in JOBS[name].rights):
        if not right.named_by:
            yield right
        elif names := named.get(right.named_by):
            yield replace(right, names=tuple(names))


def options_of(jobs: Iterable[str]) -> frozenset[str]:
    """Return the options with names of objects that these jobs need."""
    return frozenset(right.named_by for name in jobs for right in JOBS[name].rights if right.named_by)


def rules_of(rights: Iterable[Right]) -> list[dict[str, list[str]]]:
    """Return the rules of a role that has exactly these rights."""
    verbs: dict[tuple[str, str, tuple[str, ...]], set[str]] = {}
    for right in rights:
        verbs.setdefault((right.group, right.plural, right.names), set()).update(right.verbs)
    alike: dict[tuple[str, tuple[str, ...], tuple[str, ...]], list[str]] = {}
    for (group, plural, names), allowed in sorted(verbs.items()):
        alike.setdefault((group, names, tuple(sorted(allowed, key=_ORDER.index))), []).append(plural)
    return [
        {
            "apiGroups": [group],
            "resources": resources,
            **({"resourceNames": [*names]} if names else {}),
            "verbs": [*allowed],
        }
        for (group, names, allowed), resources in alike.items()
    ]


_ORDER: Sequence[str] = ("get", "list", "watch", "create", "patch", "delete", "bind")
