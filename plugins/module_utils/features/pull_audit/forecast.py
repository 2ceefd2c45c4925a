# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds pulls that work today and will not work with a later version of the cluster. Pure.

Kubernetes 1.34 and 1.35 are OpenShift 4.21 and 4.22. OpenShift 5.0 has everything that 4.23 has.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ...core.documents import INFO
from ...core.objects import POD, Json, ObjectRef, as_dict, as_list, as_str, metadata
from ...core.text import join_and, pluralize
from ...core.times import seconds_of
from ...explain import fixes
from ...explain.lookup import Lookup, ReadRequired, UnreadableObject
from ...explain.node_settings import NodeGroup, NodeSettings, SettledNode
from ...explain.snapshot import ClusterSnapshot, ImageSignature, NamespaceSnapshot
from ...explain.steps.streams import resolve_image
from ...explain.subjects import ContainerPull
from ...images.credential_providers import CRIO_PROVIDER
from ...images.image_verification import (
    ASKS,
    NEVER_VERIFY_PRELOADED,
    USES,
    VERIFIES_SINCE,
    PullRecord,
    RecordEntry,
    VerificationPolicy,
    decide_cached_image,
    finds_records,
    record_key,
    runtime_effect,
)
from ...images.node_registries import CLUSTER_POLICIES
from ...images.nodes import NodeVersions, kubernetes_version, nodes_of
from ...images.references import Reference, reference_of
from ...images.registry_sources import MIRROR_KINDS, MirrorItem, is_nested, is_within, mirror_items
from ...platform.account_lists import names_in
from ...platform.cluster import INFRASTRUCTURE
from ...secrets.expiry import is_legacy_token
from .findings import Finding
from .rules_pods import find_pods_without_login

Version = tuple[int, int]

RELEASE_SIGNATURE = "forecast-release-signature"

#: The versions of Kubernetes and of OpenShift from which on each rule counts. None: it counts for every version, or decides that itself.
FORECASTS: Mapping[str, tuple[Version, Version] | None] = {
    "forecast-short-name": None,
    "forecast-cached-image": ((1, 35), (4, 22)),
    "forecast-recreated-secret": ((1, 35), (4, 22)),
    "forecast-legacy-token": None,
    "forecast-registry-removed": None,
    RELEASE_SIGNATURE: None,
    "forecast-credential-provider": ((1, 36), (4, 23)),
    "forecast-image-name": ((1, 36), (4, 23)),
}

#: The first version of CRI-O that refuses ambiguous names, and so the version of Kubernetes. On OpenShift, no version does.
_SHORT_NAMES_REFUSED: Version = (1, 34)
#: The first version of the kubelet that records an image by the text of the pod.
_RENAMES: Version = (1, 36)
#: Versions from this one on are those of OpenShift.
_OPENSHIFT: Version = (4, 0)

#: The repositories of a release that the cluster image policy `openshift` covers, by the versions from which on it does
#: (openshift/cluster-update-keys manifests.rhel/0000_90_openshift-cluster-image-policy.yaml of each branch).
_RELEASE_SCOPES: Mapping[tuple[Version, Version], Sequence[str]] = {
    ((1, 34), (4, 21)): ("quay.io/openshift-release-dev/ocp-release",),
    ((1, 35), (4, 22)): (
        "quay.io/openshift-release-dev/ocp-v4.0-art-dev",
        "quay.io/openshift-release-dev/ocp-v5.0-art-dev",
    ),
}
#: The objects that `release_mirrors` looks up.
RELEASE_REFS = (*(ObjectRef(kind, "", "") for kind in MIRROR_KINDS), CLUSTER_POLICIES, INFRASTRUCTURE)


def is_due(rule: str, current: Version | None, target: Version) -> bool:
    """Whether the rule begins to count after the version `current` and up to `target`. An unknown version counts as an old one."""
    since = FORECASTS[rule]
    return since is None or _begins(since, current, target)


def _begins(since: tuple[Version, Version], current: Version | None, target: Version) -> bool:
    begins = since[0] if target[0] == 1 else since[1]
    return target >= begins and (current is None or current < begins)


def find_short_names(place: NamespaceSnapshot, survey: ClusterSnapshot, target: Version | None) -> Iterator[Finding]:
    """Find images without a registry, if a node of plain Kubernetes has a CRI-O that does not refuse such names yet."""
    if target is None or not _SHORT_NAMES_REFUSED <= target < _OPENSHIFT or not _has_older_crio(survey):
        return
    for access in survey.accesses.get(place.namespace, ()):
        subject, reference = access.subject, reference_of(access.subject.image)
        if reference is None or not reference.is_short or (subject.is_pod and subject.ref.name in place.templated):
            continue
        message = (
            f"{subject.ref} has image {subject.image}, which names no registry: CRI-O will refuse it, unless its nodes have an alias for it or "
            "exactly one search registry"
        )
        yield Finding("forecast-short-name", subject.ref, subject.location, message)


def find_renamed_images(place: NamespaceSnapshot, survey: ClusterSnapshot) -> Iterator[Finding]:
    """Find images that kubelet 1.36 records by another name than 1.35, so that it does not find the record of 1.35."""
    for access in survey.accesses.get(place.namespace, ()):
        subject = access.subject
        if subject.pull_policy == "Always" or (subject.is_pod and subject.ref.name in place.templated):
            continue
        image = _resolved_image(subject, survey)
        old, new = record_key(image, VERIFIES_SINCE), record_key(image, _RENAMES)
        if old is None or old == new or not _misses_record(image, old, subject.node, survey):
            continue
        effect = "on each node needs the registry"
        if subject.pull_policy == "Never":
            effect = "on a node is refused (ErrImageNeverPull), because its pull policy is Never"
        message = f"{subject.ref} has image {image}, which kubelet 1.35 records as {old}, and 1.36 as {new}: its next start {effect}"
        yield Finding("forecast-image-name", subject.ref, subject.location, message)


def _resolved_image(subject: ContainerPull, survey: ClusterSnapshot) -> str:
    """The image that a pod of the template gets. It can be the one of an image stream."""
    try:
        return subject.image if subject.is_pod else resolve_image(subject, survey.evidence).image
    except ReadRequired:
        return subject.image


def _misses_record(image: str, recorded: str, name: str, survey: ClusterSnapshot) -> bool:
    """Whether a kubelet asks the registry because its record has the image under another name. Without a node, any node counts."""
    record = PullRecord({recorded: RecordEntry(node_accessible=True)})
    known = survey.nodes_by_name
    nodes = [known[name]] if name in known else list(known.values())
    return not nodes or any(
        finds_records(node.versions) is not False
        and decide_cached_image(
            image,
            NodeVersions("", _RENAMES, node.versions.runtime, None),
            group.coming.policy or VerificationPolicy(),
            None,
            record,
        ).answer
        == ASKS
        for node, group in nodes
    )


def begins_to_verify(survey: ClusterSnapshot, current: Version | None, target: Version) -> bool:
    """Whether kubelets that should verify images do not, because of a fault of the runtime that an update corrects."""
    effects = (
        runtime_effect(node.settings.policy, node.versions)
        for group in survey.node_groups
        for node in group.nodes
        if node.settings.policy
    )
    return current is not None and target >= current and "verifies_nothing" in effects


def find_cached_images(
    place: NamespaceSnapshot, survey: ClusterSnapshot, repositories: frozenset[str], target: Version
) -> Iterator[Finding]:
    """Find pods without a login for their image, for the `repositories` for which another pod has a login."""
    for subject, reference in find_pods_without_login(place, survey, repositories):
        effect = _effect_of_verification(
            subject.image, survey.nodes_by_name.get(subject.node), kubernetes_version(target)
        )
        if not effect:
            continue
        message = (
            f"{subject.ref} uses {subject.image}, which is on its node, without a login of its own for it: other pods have one, so the "
            f"registry may require one, and the kubelet will ask for it {effect}"
        )
        fix = fixes.create_secret(place.namespace, subject.account, reference.host)
        yield Finding("forecast-cached-image", subject.ref, subject.location, message, fix)


def _effect_of_verification(image: str, node: tuple[SettledNode, NodeGroup] | None, kubelet: Version) -> str:
    """Return when the kubelet of the node will ask for a login after the update, or an empty text if it will not."""
    settings = NodeSettings(None) if node is None else node[1].coming
    policy = settings.policy or VerificationPolicy()
    runtime = "" if node is None else node[0].versions.runtime
    later = NodeVersions("", kubelet, runtime, None)
    if decide_cached_image(image, later, policy).answer == USES:
        return ""
    when = "once it has pulled the image there"
    if policy.effective != NEVER_VERIFY_PRELOADED:
        when = f"at the next start, because of the policy {policy.effective} ({settings.source})"
    if runtime == "cri-o" and kubelet == VERIFIES_SINCE:
        when += ". CRI-O before 1.35.2 prevents that"
    return f"{when}. Its policy is not known: {settings.why}" if settings.why else when


def find_recreated_secrets(place: NamespaceSnapshot, _survey: ClusterSnapshot) -> Iterator[Finding]:
    """Find secrets that are younger than a running container whose pod lists them: it was started with another secret."""
    younger: dict[str, ObjectRef] = {}
    for pod in place.pods:
        started = min(_start_times(pod), default=0)
        for name in names_in(as_dict(pod.get("spec")), "imagePullSecrets") if started else ():
            secret = place.secrets.get(name)
            if secret is None or secret.is_generated:
                continue
            if (seconds_of(metadata(secret.obj).get("creationTimestamp")) or 0) > started + _MARGIN:
                younger.setdefault(name, ObjectRef(POD, place.namespace, as_str(metadata(pod).get("name"))))
    for name, pod_ref in younger.items():
        ref = place.secrets[name].ref
        message = f"{ref} is younger than a container of {pod_ref}, which lists it: something may be deleting and recreating it"
        yield Finding("forecast-recreated-secret", ref, "", message)


def _start_times(pod: Json) -> Iterator[int]:
    """Yield the start time of each running container, in seconds since 1970."""
    for status in map(as_dict, as_list(as_dict(pod.get("status")).get("containerStatuses"))):
        started = seconds_of(as_dict(as_dict(status.get("state")).get("running")).get("startedAt"))
        if started:
            yield started


def find_legacy_tokens(place: NamespaceSnapshot, _survey: ClusterSnapshot) -> Iterator[Finding]:
    for secret in place.secrets.values():
        if secret.is_generated:
            continue
        for login in secret.logins:
            if is_legacy_token(login.password):
                message = f"the login for {login.key} in {secret.ref} is a legacy service account token, which the cluster may remove"
                fix = fixes.add_registry(place.namespace, secret.name, login.key)
                yield Finding("forecast-legacy-token", secret.ref, login.key, message, fix)


def find_credential_providers(survey: ClusterSnapshot) -> Iterator[Finding]:
    """Yield one finding for each CRIOCredentialProviderConfig that names images."""
    for config in survey.providers:
        images = [as_str(each) for each in as_list(as_dict(config.get("spec")).get("matchImages"))]
        if any(images):
            ref = ObjectRef(CRIO_PROVIDER[0].kind, "", as_str(metadata(config).get("name")))
            named = ", ".join(filter(None, images))
            message = (
                f"{ref} gives logins for {named}, where these have mirrors: a pod's own secret replaces them only at a mirror on the host "
                "of the image"
            )
            yield Finding("forecast-credential-provider", ref, "", message)


def _has_older_crio(survey: ClusterSnapshot) -> bool:
    if survey.is_openshift:
        return False
    runtimes = [node for node in nodes_of(survey.nodes).values() if node.runtime == "cri-o"]
    return any(node.runtime_version is None or node.runtime_version < _SHORT_NAMES_REFUSED for node in runtimes)


@dataclass(frozen=True)
class ReleaseMirror:
    """A source in a mirror set, with the repositories in it whose images need a signature after the upgrade."""

    ref: ObjectRef
    item: MirrorItem
    scopes: Sequence[str]

    def serves(self, image: Reference) -> bool:
        return is_within(image.repository, self.item.source) and any(
            is_within(image.repository, each) for each in self.scopes
        )


def release_mirrors(
    evidence: Lookup, current: Version | None, target: Version, *, is_openshift: bool
) -> list[ReleaseMirror]:
    """Return the mirrors of repositories whose images need a signature after the upgrade, which nodes read at the mirror.

    Hosted clusters do not have the policy. What could not be read is reported with the evidence.
    """
    scopes = [scope for since, each in _RELEASE_SCOPES.items() if _begins(since, current, target) for scope in each]
    if not is_openshift or _is_hosted(evidence):
        return []
    listed = as_list(as_dict(_look(evidence, CLUSTER_POLICIES)).get("items"))
    present = {scope for each in map(as_dict, listed) for scope in as_list(as_dict(each.get("spec")).get("scopes"))}
    wanted, mirrors = [scope for scope in scopes if scope not in present], []
    for kind in MIRROR_KINDS:
        for mirror_set in map(as_dict, as_list(as_dict(_look(evidence, ObjectRef(kind, "", ""))).get("items"))):
            ref = ObjectRef(kind, "", as_str(metadata(mirror_set).get("name")))
            for item in mirror_items(kind, [mirror_set]):
                found = [each for each in wanted if is_nested(each, item.source) or is_nested(item.source, each)]
                if found and item.mirrors:
                    mirrors.append(ReleaseMirror(ref, item, found))
    return mirrors


def find_release_mirrors(survey: ClusterSnapshot, current: Version | None, target: Version) -> Iterator[Finding]:
    """Yield one finding for each mirror. If registries were asked, it has their answers about the images in use.

    Signatures of these images do not prove that those of the next version are there too, so the finding remains, as information.
    """
    asked = survey.release_signatures
    for mirror in release_mirrors(survey.evidence, current, target, is_openshift=survey.is_openshift):
        message = (
            f"{mirror.ref} mirrors {mirror.item.source} at {', '.join(mirror.item.mirrors)}: images of {join_and(mirror.scopes)} will need a "
            "signature, which nodes read at the mirror that serves the image"
        )
        severity = ""
        if asked is not None:
            images = [
                each for found in asked.values() for each in found if mirror.serves(each.image.required.reference)
            ]
            answer, is_signed = _describe_release(images)
            message, severity = f"{message}. {answer}", INFO if is_signed else ""
        yield Finding(RELEASE_SIGNATURE, mirror.ref, mirror.item.source, message, (), severity)


def _describe_release(images: Sequence[ImageSignature]) -> tuple[str, bool]:
    """Return a sentence about the images in use, and whether all of them have a signature.

    Namespaces can pull an image with different logins. Of their answers, a refusal counts most, and no answer least.
    """
    order = sorted(images, key=lambda each: (None, False, True).index(None if each.found is None else each.found.fails))
    answers = {str(each.image.required.reference): each.found for each in order}
    if not answers:
        return "The audited namespaces use no such image, so no registry was asked", False
    failing = [name for name, found in answers.items() if found is not None and found.fails]
    if failing:
        first = answers[failing[0]]
        why = "" if first is None else first.said
        return f"Nodes would refuse {pluralize(len(failing), 'image')} in use now: {why}", False
    unknown = [name for name, found in answers.items() if found is None or found.fails is None]
    if unknown:
        first = answers[unknown[0]]
        why = "it was not asked for" if first is None else first.said
        return f"Whether {_count(unknown)} it is not known. For {unknown[0]}: {why}", False
    return f"{_count(answers)} it. Mirror the new version with its signatures as well", True


def _count(images: Collection[str]) -> str:
    return f"{pluralize(len(images), 'image')} in use {'has' if len(images) == 1 else 'have'}"


def _is_hosted(evidence: Lookup) -> bool:
    status = as_dict(as_dict(_look(evidence, INFRASTRUCTURE)).get("status"))
    return status.get("controlPlaneTopology") == "External"


def _look(evidence: Lookup, ref: ObjectRef) -> Json | None:
    """The object, or None if it does not exist or could not be read."""
    try:
        return evidence.look(ref)
    except (ReadRequired, UnreadableObject):
        return None


#: Seconds that a container may be older than a secret that was created together with it.
_MARGIN = 60.0
