# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of an audit, as data. Pure.

docs/docsite/rst/audit.rst has a section for each of them, whose anchor is the id.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...core.audit_format import ERROR, INFO, WARNING
from .survey import ACCOUNTS, BINDINGS, BUILDS, PODS, SECRETS, STREAMS, WORKLOADS_READ

__all__ = ["RULES", "AuditRule"]


@dataclass(frozen=True)
class AuditRule:
    """One rule.

    `id` is stable. `severity` is that of most of its findings. `meaning` and `fix` are sentences. `needs` has to be read in a
    namespace: what could not be read gives no finding.
    """

    id: str
    severity: str
    title: str
    meaning: str
    fix: str
    needs: tuple[str, ...] = ()

    def report(self) -> dict[str, str]:
        return {"severity": self.severity, "title": self.title, "meaning": self.meaning, "fix": self.fix}


_ALL = (
    AuditRule(
        "secret-type-unread",
        WARNING,
        "A login in a secret of a type that no node reads",
        "Nodes read kubernetes.io/dockerconfigjson and kubernetes.io/dockercfg only, and skip every other "
        "type without a word.",
        "Write the login into a secret of type kubernetes.io/dockerconfigjson; the type of a secret cannot "
        "be changed, so it is created again.",
        (SECRETS, ACCOUNTS, PODS, WORKLOADS_READ),
    ),
    AuditRule(
        "secret-unparsable",
        ERROR,
        "A pull secret that stops every pull",
        "One entry that the kubelet cannot decode makes it give up all pull secrets of the pod, so that no "
        "image is pulled, not even a public one.",
        "Correct or remove the entry.",
        (SECRETS,),
    ),
    AuditRule(
        "secret-key-never-matches",
        WARNING,
        "A registry key that never matches",
        "The kubelet compares keys with the image's host, port and path as text. A tag, a standard port, "
        "another number of labels or a name that is no host matches no image.",
        "Write the key as host[:port][/path].",
        (SECRETS,),
    ),
    AuditRule(
        "secret-key-matches-too-much",
        INFO,
        "A registry key that readers understand differently",
        "The kubelet also uses it for images that it does not seem to be for, or other readers do not use it "
        "where the kubelet does.",
        "Write the key in the spelling that all readers understand, or one entry for each host.",
        (SECRETS,),
    ),
    AuditRule(
        "secret-unused",
        INFO,
        "A pull secret that nothing names",
        "No service account, pod, workload or build of the namespace names it, and no image stream of the "
        "namespace imports with it. A custom resource may still do.",
        "Remove it, unless an operator uses it: each copy of a login is one more place from which it can leak.",
        (SECRETS, ACCOUNTS, PODS, WORKLOADS_READ, STREAMS, BUILDS),
    ),
    AuditRule(
        "link-dangling",
        WARNING,
        "A service account lists a secret that does not exist",
        "Each pod of the account carries the name on, and the node reports it with each pull. Whoever "
        "creates a secret of that name gives it to all of these pods.",
        "Create the secret, or unlink it.",
        (SECRETS, ACCOUNTS),
    ),
    AuditRule(
        "pod-secret-missing",
        WARNING,
        "A pod or workload lists a secret that does not exist",
        "The node goes on without it. It is a warning where the images have no other login, and worth a look "
        "where they have.",
        "Create the secret, or take its name out of the list.",
        (SECRETS, ACCOUNTS, PODS, WORKLOADS_READ),
    ),
    AuditRule(
        "link-duplicate",
        INFO,
        "A service account lists a secret twice",
        "It does no harm to pulls, and grows with each careless script.",
        "Link it again with sa_link, which leaves one.",
        (ACCOUNTS,),
    ),
    AuditRule(
        "secret-duplicate",
        INFO,
        "Two pull secrets of a namespace hold the same logins",
        "One of them will be forgotten when the password changes.",
        "Keep one, link it where the other is linked, and remove the other.",
        (SECRETS,),
    ),
    AuditRule(
        "pod-hides-account-list",
        WARNING,
        "A pod's own list hides the secret that its account has",
        "A pod or template with a list of its own does not get the service account's, and its own list has "
        "no login for the image.",
        "Take the list out of the template, or add the registry to a secret in it.",
        (SECRETS, ACCOUNTS, PODS, WORKLOADS_READ),
    ),
    AuditRule(
        "pod-older-than-link",
        WARNING,
        "A pod that was created before its secret was linked",
        "A pod gets the service account's list when it is created, and never again. This one lacks the login "
        "for its image.",
        "Delete the pod, so that its controller creates it again.",
        (SECRETS, ACCOUNTS, PODS),
    ),
    AuditRule(
        "account-not-provisioned",
        ERROR,
        "A service account without its generated pull secret",
        "OpenShift generates a pull secret for each service account. Without it, pods of the account cannot "
        "pull from the integrated registry.",
        "If the secret has the token of a deleted account, delete the secret. Otherwise wait for it with sa_wait; if "
        "it does not come, look at the cluster operator openshift-controller-manager.",
        (ACCOUNTS, SECRETS),
    ),
    AuditRule(
        "grant-dead-subject",
        WARNING,
        "A grant to a service account or project that does not exist",
        "Whoever creates an account or project of that name gets the right to pull.",
        "Revoke it.",
        (BINDINGS,),
    ),
    AuditRule(
        "grant-duplicate-bindings",
        INFO,
        "Several role bindings give the same right",
        "oc policy add-role-to-user leaves one binding after the other. To revoke the right, all of them "
        "have to be found.",
        "Keep one: revoke the right from every binding, and grant it once.",
        (BINDINGS,),
    ),
    AuditRule(
        "grant-to-everybody",
        WARNING,
        "Everybody may pull from a project",
        "The right is given to all users, all service accounts, or to clients without a login.",
        "Name the projects that need it, and revoke the wide grant.",
        (BINDINGS,),
    ),
    AuditRule(
        "credential-breaks-public-pull",
        WARNING,
        "A login that a public registry refuses",
        "A node that has a login uses it, also for an image that needs none. A login that is refused breaks "
        "such a pull. Whether this image is public cannot be known from the cluster.",
        "Correct the login, or remove it if the image is public.",
        (SECRETS, PODS),
    ),
    AuditRule(
        "stream-import-fails",
        ERROR,
        "A tag of an image stream cannot be imported",
        "The stream keeps its old image, or has none, and pods that want the tag do not get it.",
        "Mend what the message says, then import the tag again: only scheduled tags are tried again by themselves.",
        (STREAMS,),
    ),
    AuditRule(
        "stream-import-stale-secret",
        ERROR,
        "An import fails because of a login that is refused",
        "An import uses the first secret of the namespace whose key is for the image. A stale one breaks it, "
        "although another one may be right.",
        "Correct the login in each secret of the namespace that is for the registry, then import the tag again.",
        (STREAMS, SECRETS),
    ),
    AuditRule(
        "credential-expired",
        ERROR,
        "A login that has expired",
        "The registry refuses it. Pods that have their image run until they are created again on another node.",
        "Write a new login into the secret.",
        (SECRETS,),
    ),
    AuditRule(
        "credential-expires",
        WARNING,
        "A login that expires soon",
        "From then on the registry refuses it.",
        "Write a new login into the secret, best one that does not expire, such as a robot account's.",
        (SECRETS,),
    ),
    AuditRule(
        "credential-short-lived",
        WARNING,
        "A login of a kind that lives hours",
        "Such a token is meant for one session. In a secret that nobody refreshes, pulls stop when it ends.",
        "Use a robot or service account of the registry, or let a controller refresh the secret.",
        (SECRETS,),
    ),
    AuditRule(
        "credential-in-many-places",
        INFO,
        "One login in many secrets",
        "All of them have to be changed when the password does, and each is one more place from which it can leak.",
        "Keep it in one list with pull_secret, or give each team a login of its own.",
        (SECRETS,),
    ),
    AuditRule(
        "credential-copies-differ",
        WARNING,
        "Copies of one login with different passwords",
        "Mostly one of them was forgotten when the password changed.",
        "Write the same password into all of them.",
        (SECRETS,),
    ),
    AuditRule(
        "credential-found",
        ERROR,
        "The searched credential stands here",
        "It was searched for with search_credential.",
        "Revoke it at the registry, and write a new one.",
        (SECRETS,),
    ),
    AuditRule(
        "pod-cannot-pull",
        ERROR,
        "A pod cannot pull its image",
        "The way of the node to the image breaks; the message says where first.",
        "Run the fix, or see pull_access_info for the whole way.",
        (PODS,),
    ),
    AuditRule(
        "workload-cannot-pull",
        ERROR,
        "Pods of a workload could not pull their image",
        "A pod of it does not get its image, or the way breaks for pods that it would create; the message says where first.",
        "Run the fix, or see pull_access_info for the whole way.",
        (WORKLOADS_READ,),
    ),
    AuditRule(
        "pod-pull-unknown",
        INFO,
        "A node says why a pull failed, and the objects do not explain it",
        "The node's text stands in the message.",
        "Read the text; see pull_access_info for the whole way.",
        (PODS,),
    ),
    AuditRule(
        "selector-open-to-users",
        WARNING,
        "A selector gives a login to whoever requests a project of a matching name",
        "Users choose the names of the projects that they request, and the namespace_selector of an entry selects namespaces by their names "
        "alone.",
        "Add 'requesters' to the selector, or 'labels' that only administrators set, or name the namespaces.",
    ),
    AuditRule(
        "declared-differs",
        WARNING,
        "The cluster is not as the inventory declares it",
        "The modules of this collection would change it: in check mode they say so.",
        "Run the playbook site, or correct the inventory.",
    ),
    AuditRule(
        "declared-cannot-be-applied",
        ERROR,
        "What the inventory declares cannot be applied",
        "A module of this collection refuses it or fails, in check mode; the message says why.",
        "Correct the inventory or the cluster as the message says.",
    ),
    AuditRule(
        "forecast-short-name",
        WARNING,
        "An image without a registry will be refused",
        "From CRI-O 1.34 (OpenShift 4.21) on, a name that several search registries could have is refused.",
        "Write the image with its registry's host.",
        (PODS, WORKLOADS_READ),
    ),
    AuditRule(
        "forecast-cached-image",
        WARNING,
        "A pod lives on an image that others' login fetched",
        "From Kubernetes 1.35 (OpenShift 4.22) on, the kubelet checks whether a pod's own credentials give "
        "access to an image that is on the node already.",
        "Add the registry to a secret that the pod gets.",
        (SECRETS, ACCOUNTS, PODS),
    ),
    AuditRule(
        "forecast-recreated-secret",
        INFO,
        "A pull secret that is deleted and created again",
        "From Kubernetes 1.35 (OpenShift 4.22) on, the kubelet remembers a secret by its UID. A new one "
        "makes each restart of a pod need the registry and a valid login. It is told from a secret that is "
        "younger than a container whose pod lists it, so it may have happened once by hand.",
        "Change the content of the secret in place, as pull_secret does.",
        (SECRETS, PODS),
    ),
    AuditRule(
        "forecast-legacy-token",
        WARNING,
        "A legacy service account token is used as a password",
        "Such tokens are no longer created, and the cluster removes those that it believes to be unused.",
        "Use a robot account, or a bound token that something refreshes.",
        (SECRETS,),
    ),
    AuditRule(
        "forecast-credential-provider",
        INFO,
        "CRIOCredentialProviderConfig is configured",
        "From OpenShift 4.23 on it is no technology preview. A pod whose own secret is for the image "
        "bypasses it, and the accounts of others need the right to list secrets.",
        "Decide for each source whether pods pull with their own secrets or by the provider.",
    ),
)

#: By their ids, in the order of the page.
RULES: Mapping[str, AuditRule] = {rule.id: rule for rule in _ALL}
