# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of an audit, as data. Pure.

Each rule has a section in docs/docsite/rst/audit.rst, with its title. Its anchor is the id of the rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...core.documents import ERROR, INFO, WARNING
from ...explain.snapshot import ACCOUNTS, BINDINGS, BUILDS, PODS, SECRETS, STREAMS, WORKLOADS_READ


@dataclass(frozen=True)
class AuditRule:
    """One rule of an audit.

    `id` never changes. `severity` is the severity of most of its findings. `meaning` and `fix` are whole sentences. `needs` names the kinds
    that must be read in a namespace, as in `survey`: without them the rule is not applied there.
    """

    id: str
    severity: str
    title: str
    meaning: str
    fix: str
    needs: tuple[str, ...] = ()

    def report(self) -> dict[str, str]:
        """Return the rule as the document shows it: `severity`, `title`, `meaning` and `fix`."""
        return {"severity": self.severity, "title": self.title, "meaning": self.meaning, "fix": self.fix}


_ALL = (
    AuditRule(
        "secret-type-unread",
        WARNING,
        "A login in a secret of a type that no node reads",
        "Nodes read only kubernetes.io/dockerconfigjson and kubernetes.io/dockercfg. They skip every other "
        "type silently.",
        "Write the login into a secret of type kubernetes.io/dockerconfigjson. The type of a secret cannot be "
        "changed, so the secret must be recreated.",
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
        "another number of labels or a name that is not a host matches no image.",
        "Write the key as host[:port][/path].",
        (SECRETS,),
    ),
    AuditRule(
        "secret-key-matches-too-much",
        INFO,
        "A registry key that clients interpret differently",
        "The kubelet also uses the key for images that it does not seem to be for, or other clients do not "
        "use it where the kubelet does.",
        "Write the key in a form that all clients interpret in the same way, or one entry for each host.",
        (SECRETS,),
    ),
    AuditRule(
        "secret-unused",
        INFO,
        "A pull secret that nothing references",
        "No service account, pod, workload or build of the namespace references it, and no image stream of "
        "the namespace imports with it. A custom resource may still reference it.",
        "Remove it, unless an operator uses it: each copy of a login is one more place from which it can leak.",
        (SECRETS, ACCOUNTS, PODS, WORKLOADS_READ, STREAMS, BUILDS),
    ),
    AuditRule(
        "link-dangling",
        WARNING,
        "A service account lists a secret that does not exist",
        "Each pod of the account inherits the name, and the node reports it with each pull. Anyone who "
        "creates a secret of that name gives it to all of these pods.",
        "Create the secret, or unlink it.",
        (SECRETS, ACCOUNTS),
    ),
    AuditRule(
        "pod-secret-missing",
        WARNING,
        "A pod or workload lists a secret that does not exist",
        "The node ignores the name. The finding is a warning if the images have no other login, and info if "
        "they have one.",
        "Create the secret, or remove its name from the list.",
        (SECRETS, ACCOUNTS, PODS, WORKLOADS_READ),
    ),
    AuditRule(
        "link-duplicate",
        INFO,
        "A service account lists a secret twice",
        "Harmless for pulls, but each careless script adds another entry.",
        "Link it again with sa_link, which leaves one entry.",
        (ACCOUNTS,),
    ),
    AuditRule(
        "secret-duplicate",
        INFO,
        "Two pull secrets of a namespace hold the same logins",
        "One of them is easily forgotten when the password changes.",
        "Keep one, link it where the other is linked, and remove the other.",
        (SECRETS,),
    ),
    AuditRule(
        "pod-hides-account-list",
        WARNING,
        "A pod's own list hides the secret of its service account",
        "A pod or template with its own imagePullSecrets list does not get the service account's list, and "
        "its own list has no login for the image.",
        "Remove the list from the template, or add the registry to a secret in it.",
        (SECRETS, ACCOUNTS, PODS, WORKLOADS_READ),
    ),
    AuditRule(
        "pod-older-than-link",
        WARNING,
        "A pod that was created before its secret was linked",
        "A pod gets the service account's list when it is created, and never afterwards. This pod has no "
        "login for its image.",
        "Delete the pod, so that its controller recreates it.",
        (SECRETS, ACCOUNTS, PODS),
    ),
    AuditRule(
        "account-not-provisioned",
        ERROR,
        "A service account without its generated pull secret",
        "OpenShift generates a pull secret for each service account. Without it, pods of the account cannot "
        "pull from the integrated registry.",
        "If the secret has the token of a deleted account, delete the secret. Otherwise wait for it with "
        "sa_wait. If it does not appear, check the cluster operator openshift-controller-manager.",
        (ACCOUNTS, SECRETS),
    ),
    AuditRule(
        "grant-dead-subject",
        WARNING,
        "A grant to a service account or project that does not exist",
        "Anyone who creates an account or project of that name gets the right to pull.",
        "Revoke the grant.",
        (BINDINGS,),
    ),
    AuditRule(
        "grant-duplicate-bindings",
        INFO,
        "Several role bindings grant the same right",
        "oc policy add-role-to-user leaves one binding after the other. To revoke the right, all of them must "
        "be found.",
        "Keep one: revoke the right from every binding, and grant it once.",
        (BINDINGS,),
    ),
    AuditRule(
        "grant-to-everybody",
        WARNING,
        "Everyone is allowed to pull from a project",
        "The right is granted to all users, to all service accounts, or to clients without a login.",
        "Grant the right to the projects that need it, and revoke the broad grant.",
        (BINDINGS,),
    ),
    AuditRule(
        "credential-breaks-public-pull",
        WARNING,
        "A login that a public registry rejects",
        "A node that has a login uses it, even for an image that needs none. A rejected login makes such a "
        "pull fail. The cluster's objects do not show whether this image is public.",
        "Correct the login, or remove it if the image is public.",
        (SECRETS, PODS),
    ),
    AuditRule(
        "stream-import-fails",
        ERROR,
        "A tag of an image stream cannot be imported",
        "The stream keeps its old image, or has none, and pods that need the tag do not get it.",
        "Fix the problem in the message, then import the tag again: only scheduled tags are retried automatically.",
        (STREAMS,),
    ),
    AuditRule(
        "stream-import-stale-secret",
        ERROR,
        "An import fails because of a rejected login",
        "An import uses the first secret of the namespace whose key matches the image. A stale login makes "
        "the import fail, even if another one is correct.",
        "Correct the login in each secret of the namespace that is for the registry, then import the tag again.",
        (STREAMS, SECRETS),
    ),
    AuditRule(
        "credential-expired",
        ERROR,
        "An expired login",
        "The registry rejects it. Pods that have their image run until they are recreated on another node.",
        "Write a new login into the secret.",
        (SECRETS,),
    ),
    AuditRule(
        "credential-expires",
        WARNING,
        "A login that expires soon",
        "From then on, the registry rejects it.",
        "Write a new login into the secret, preferably one that does not expire, such as a robot account's.",
        (SECRETS,),
    ),
    AuditRule(
        "credential-short-lived",
        WARNING,
        "A login of a kind that is valid for hours",
        "Such a token is intended for one session. If nothing refreshes the secret, pulls stop when the token expires.",
        "Use a robot or service account of the registry, or let a controller refresh the secret.",
        (SECRETS,),
    ),
    AuditRule(
        "credential-in-many-places",
        INFO,
        "One login in many secrets",
        "All of them must be changed when the password changes, and each is one more place from which it can leak.",
        "Keep it in one list with pull_secret, or give each team its own login.",
        (SECRETS,),
    ),
    AuditRule(
        "credential-copies-differ",
        WARNING,
        "Copies of one login with different passwords",
        "Usually one of them was forgotten when the password changed.",
        "Write the same password into all of them.",
        (SECRETS,),
    ),
    AuditRule(
        "credential-found",
        ERROR,
        "The searched credential was found",
        "It was searched for with 'search_credential'.",
        "Revoke it at the registry, and write a new one.",
        (SECRETS,),
    ),
    AuditRule(
        "pod-cannot-pull",
        ERROR,
        "A pod cannot pull its image",
        "The pull fails. The message names the first step that fails.",
        "Run the fix if there is one, or see all steps with the playbook explain.",
        (PODS,),
    ),
    AuditRule(
        "workload-cannot-pull",
        ERROR,
        "Pods of a workload cannot pull their image",
        "One of its pods does not get its image, or the pull would fail for pods that it creates. The message "
        "names the first step that fails.",
        "Run the fix if there is one, or see all steps with the playbook explain.",
        (WORKLOADS_READ,),
    ),
    AuditRule(
        "pod-pull-unknown",
        WARNING,
        "A node reports why a pull failed, and the objects do not explain it",
        "The message contains the node's text.",
        "Read the text, and see all steps with the playbook explain.",
        (PODS,),
    ),
    AuditRule(
        "pull-not-known",
        INFO,
        "A pull that is not known",
        "No node reports an error, and the objects do not show whether the pull works. The message contains the reason, such as a pod "
        "without a login for its image, which the registry may give to everybody.",
        "Explain the pod or workload with the playbook explain, which can also ask the registry.",
    ),
    AuditRule(
        "image-unsigned",
        WARNING,
        "An image without the signature that a policy requires",
        "A ClusterImagePolicy or an ImagePolicy requires a signature of the image, and the registry or mirror that serves it has none that "
        "nodes read. Pods that have the image run until it is pulled again. In a namespace with an ImagePolicy, the next start of a container "
        "may be refused even if its node has the image.",
        "Sign the manifest of each platform in the form that nodes read, at the registry or mirror that serves the image.",
        (PODS, WORKLOADS_READ),
    ),
    AuditRule(
        "verification-stops-kubelet",
        ERROR,
        "Settings for images with which kubelets do not start",
        "The settings imagePullCredentialsVerificationPolicy and preloadedImagesVerificationAllowlist are invalid, or the kubelet of this "
        "version does not verify images. The machine config operator does not check that, so each node that restarts with them stays down.",
        "Correct or remove the settings before a node restarts with them.",
    ),
    AuditRule(
        "verification-runtime-fault",
        WARNING,
        "A runtime that defeats the verification of images",
        "CRI-O before 1.35.2 and 1.36.0 gives an image another identity after a pull than later, so the kubelet does not find its records. "
        "The kubelet's default policy then verifies nothing. With AlwaysVerify or an allow-list, each start of a container pulls its image.",
        "Update CRI-O to 1.35.2, 1.36.0 or later.",
    ),
    AuditRule(
        "verification-entry-unmatched",
        WARNING,
        "An entry of an allow-list that matches no image",
        "An entry exempts an image if it is the image's name as the pod writes it, without tag and digest, or if it ends with /* and the "
        "name begins with it.",
        "Write the entry as the pods write the image, or remove it.",
        (PODS, WORKLOADS_READ),
    ),
    AuditRule(
        "verification-exempts-private",
        WARNING,
        "A policy, or a login of CRI-O's credential provider, that gives private images to every pod",
        "Some pods pull the image with a login. Because of the policy NeverVerify or an allow-list, every other pod gets it from a node "
        "that has it. The same is true for a login that only CRI-O's credential provider gives: the kubelet records a pull without a login.",
        "Use another policy, or remove the image from the allow-list. For the provider, give the pods a secret of their own for the image, or "
        "remove it from matchImages.",
        (SECRETS, ACCOUNTS, PODS),
    ),
    AuditRule(
        "verification-refuses-pod",
        WARNING,
        "A pod without a login that the kubelet will ask for",
        "With AlwaysVerify, or with an allow-list without the image, the kubelet asks the registry even for an image that it did not pull "
        "itself. The pod has no login for it, but other pods have one.",
        "Add the registry to a secret that the pod gets.",
        (SECRETS, ACCOUNTS, PODS),
    ),
    AuditRule(
        "node-secret-unusable",
        ERROR,
        "The pull secret of the nodes cannot be used",
        "The secret openshift-config/pull-secret lacks its data key, has another type, or has an entry that the "
        "kubelet cannot decode. The machine config operator then delivers nothing, or the kubelet uses none of its "
        "logins.",
        "Correct the entry, or write the whole content again from a copy or from OpenShift Cluster Manager.",
    ),
    AuditRule(
        "node-secret-unlinked",
        INFO,
        "The nodes' pull secret does not link the cluster to Red Hat",
        "The secret openshift-config/pull-secret has no entry for cloud.openshift.com, or an entry without an email. "
        "The cluster then sends no telemetry, or support cannot match it to its owner. This is normal for a cluster "
        "that is not connected.",
        "Merge the entry of the pull secret that OpenShift Cluster Manager gives the owner of the cluster, for "
        "example with ocm_pull_secret_info, or ignore the rule.",
    ),
    AuditRule(
        "selector-open-to-users",
        WARNING,
        "A selector gives a login to anyone who requests a project of a matching name",
        "Users choose the names of the projects that they request, and the selector of an entry selects namespaces by their names "
        "alone.",
        "Add 'requesters' to the selector, add 'labels' that only administrators set, or name the namespaces.",
    ),
    AuditRule(
        "declared-differs",
        WARNING,
        "The cluster differs from the inventory",
        "The modules of this collection would change the cluster, as check mode shows.",
        "Run the playbook site, or correct the inventory.",
    ),
    AuditRule(
        "declared-cannot-be-applied",
        ERROR,
        "A declaration of the inventory cannot be applied",
        "A module of this collection rejects it or fails in check mode. The message gives the reason.",
        "Correct the inventory or the cluster as the message says.",
    ),
    AuditRule(
        "forecast-short-name",
        WARNING,
        "An image without a registry will be rejected",
        "From version 1.34 on, CRI-O rejects a name that several search registries could have, except on OpenShift, which "
        "tries them one after the other. The search registries and aliases of such nodes are in files that no object shows.",
        "Write the image with its registry's host.",
        (PODS, WORKLOADS_READ),
    ),
    AuditRule(
        "forecast-cached-image",
        WARNING,
        "A pod uses an image that was pulled with another pod's credentials",
        "From Kubernetes 1.35 (OpenShift 4.22) on, the kubelet checks whether a pod's own credentials give "
        "access to an image that is already on the node, unless its policy exempts the image.",
        "Add the registry to a secret that the pod gets.",
        (SECRETS, ACCOUNTS, PODS),
    ),
    AuditRule(
        "forecast-recreated-secret",
        INFO,
        "A pull secret that is deleted and recreated",
        "From Kubernetes 1.35 (OpenShift 4.22) on, the kubelet remembers a secret by its UID and by its login. If both are "
        "new, the next start of each image on each node needs the registry and a valid login. The rule infers this from a "
        "secret that is younger than a container whose pod lists it, so it may have been a one-off.",
        "Change the content of the secret in place, as pull_secret does.",
        (SECRETS, PODS),
    ),
    AuditRule(
        "forecast-legacy-token",
        WARNING,
        "A legacy service account token is used as a password",
        "Such tokens are no longer created, and the cluster removes tokens that it considers unused.",
        "Use a robot account, or a bound token that is refreshed automatically.",
        (SECRETS,),
    ),
    AuditRule(
        "forecast-registry-removed",
        WARNING,
        "An image of the integrated registry, which is removed",
        "The integrated registry is set to Removed. Its operator deletes the registry with all images in it. Tags of "
        "image streams then resolve to their source, even with referencePolicy Local. Builds that push to image streams fail. "
        "The platform deletes generated pull secrets that no pod lists, and the tokens in them.",
        "Push the image to another registry and use it from there, or set managementState to Managed again before the "
        "images are deleted. Give workloads a login for the source of such tags, builds an output in another registry, "
        "and clients a token of their own.",
        (PODS, WORKLOADS_READ, STREAMS),
    ),
    AuditRule(
        "forecast-release-signature",
        WARNING,
        "Mirrors of a release need its signatures",
        "The cluster image policy openshift requires signatures of the release image from OpenShift 4.21 on, and of all component images "
        "from 4.22 on. Nodes read them at the mirror that serves the image, and refuse an image without a signature.",
        "Mirror the release with its signatures, as oc-mirror does without --remove-signatures, or copy them with cosign copy, before "
        "the upgrade.",
    ),
    AuditRule(
        "forecast-credential-provider",
        INFO,
        "CRIOCredentialProviderConfig is configured",
        "From OpenShift 4.23 on, it is no longer a technology preview. For mirrors of these images, the nodes use "
        "the pull secrets that the pod's service account is allowed to list. A pod's own secret replaces them only "
        "at a mirror on the host of the image. Every pod of a node can use an image that was pulled this way "
        "(derived from the kubelet's code).",
        "Give the service accounts the right to list the secrets of their namespace, and list only images that all pods of a node may use.",
    ),
    AuditRule(
        "forecast-image-name",
        INFO,
        "An image that a later kubelet records by another name",
        "From Kubernetes 1.36 (OpenShift 4.23) on, the kubelet records the login for an image under the name that the pod "
        "writes, and no longer under its full name. It does not find the record of version 1.35, so the next start of the "
        "image on each node needs the registry and a valid login. With the pull policy Never, it is refused.",
        "Write the full name of the image, such as docker.io/library/nginx, or keep the registry reachable after the upgrade.",
        (PODS, WORKLOADS_READ),
    ),
)

#: All rules by id, in the order of the page.
RULES: Mapping[str, AuditRule] = {rule.id: rule for rule in _ALL}
