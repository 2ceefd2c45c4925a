# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What pulls today and will not with another version of the cluster. Pure.

Kubernetes 1.34 and 1.35 are OpenShift 4.21 and 4.22. OpenShift 5.0 has all that 4.23 has.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ...core.json_types import as_dict, as_list, as_str
from ...core.objects import POD, Json, ObjectRef, metadata
from ...core.times import seconds_of
from ...dockerconfig.registry_keys import without_user
from ...explain import fixes
from ...explain.lookup import ReadRequired, UnreadableObject
from ...explain.subjects import template_of
from ...images.credential_providers import CRIO_PROVIDER
from ...images.node_versions import nodes_of
from ...images.references import Reference, reference_of
from ...images.registry_sources import IMAGE_CONFIG
from ...images.short_names import may_have_alias, search_registries
from ...platform.account_lists import names_in
from ...platform.protected import NODE_SECRET
from ...secrets.expiry import is_legacy_token
from .findings import Finding
from .rules_pods import logins_of
from .survey import ClusterSnapshot, NamespaceSnapshot

__all__ = [
    "FORECASTS",
    "cached_image",
    "credential_provider",
    "is_due",
    "legacy_token",
    "logged_in",
    "recreated_secret",
    "short_name",
]

Version = tuple[int, int]

#: From which version on each rule counts: of Kubernetes, and of OpenShift. None: whatever the version is.
FORECASTS: Mapping[str, tuple[Version, Version] | None] = {
    "forecast-short-name": ((1, 34), (4, 21)),
    "forecast-cached-image": ((1, 35), (4, 22)),
    "forecast-recreated-secret": ((1, 35), (4, 22)),
    "forecast-legacy-token": None,
    "forecast-credential-provider": ((1, 36), (4, 23)),
}

_RESOLVE_NAMES = "alpha.image.policy.openshift.io/resolve-names"


def is_due(rule: str, current: Version | None, target: Version) -> bool:
    """Whether the rule begins to count between the version that the cluster has and that one. An unknown version is an old one."""
    since = FORECASTS[rule]
    if since is None:
        return True
    begins = since[0] if target[0] == 1 else since[1]
    return target >= begins and (current is None or current < begins)


def short_name(place: NamespaceSnapshot, survey: ClusterSnapshot) -> Iterator[Finding]:
    """Only where a node has CRI-O, and where more than one registry could be meant."""
    if not _has_crio(survey) or _search_registries(survey) == 1:
        return
    streams = {as_str(metadata(each).get("name")) for each in place.streams if _is_looked_up(each)}
    resolving = {
        as_str(metadata(obj).get("name")) for _kind, obj in place.workloads if _RESOLVE_NAMES in _annotations(obj)
    }
    for access in survey.accesses.get(place.namespace, ()):
        subject, reference = access.subject, reference_of(access.subject.image)
        if (
            reference is None
            or not reference.is_short
            or may_have_alias(subject.image)
            or (subject.is_pod and subject.ref.name in place.templated)
        ):
            continue
        if not subject.is_pod and (reference.path.removeprefix("library/") in streams or subject.ref.name in resolving):
            continue
        message = f"{subject.ref} has image {subject.image}, which names no registry"
        yield Finding("forecast-short-name", subject.ref, subject.container, message)


def logged_in(survey: ClusterSnapshot) -> frozenset[str]:
    """The repositories for which some pod has a login of its own."""
    found = set()
    for place in survey.places.values():
        seen = {}
        for subject, _access in survey.subject_pods(place.namespace):
            reference = reference_of(subject.image)
            if reference is not None and subject.own:
                seen[reference.repository, tuple(subject.own)] = reference
        for (repository, own), reference in seen.items():
            if repository not in found and logins_of(survey, place.namespace, own, reference):
                found.add(repository)
    return frozenset(found)


def cached_image(place: NamespaceSnapshot, survey: ClusterSnapshot, repositories: frozenset[str]) -> Iterator[Finding]:
    """`repositories`: those for which some pod has a login."""
    for subject, _access in survey.subject_pods(place.namespace):
        reference = reference_of(subject.image)
        if not subject.is_pulled or reference is None or reference.repository not in repositories:
            continue
        if subject.pull_policy == "Always" or _has_login(survey, place, subject.own, reference):
            continue
        message = (
            f"{subject.ref} has {subject.image} on its node, without a login of its own for it; other pods have one, so the registry may "
            "want one, and the kubelet will ask for it"
        )
        fix = fixes.new_secret(place.namespace, subject.account, reference.host)
        yield Finding("forecast-cached-image", subject.ref, subject.container, message, fix)


def recreated_secret(place: NamespaceSnapshot, _survey: ClusterSnapshot) -> Iterator[Finding]:
    """Told from a secret that is younger than a running container whose pod lists it: that one was started with another."""
    younger: dict[str, ObjectRef] = {}
    for pod in place.pods:
        started = min(_started(pod), default=0)
        for name in names_in(as_dict(pod.get("spec")), "imagePullSecrets") if started else ():
            secret = place.secrets.get(name)
            if secret is None or secret.is_generated:
                continue
            if (seconds_of(metadata(secret.obj).get("creationTimestamp")) or 0) > started + _MARGIN:
                younger.setdefault(name, ObjectRef(POD, place.namespace, as_str(metadata(pod).get("name"))))
    for name, pod_ref in younger.items():
        ref = place.secrets[name].ref
        message = f"{ref} is younger than a container of {pod_ref}, which lists it: perhaps something deletes it and creates it again"
        yield Finding("forecast-recreated-secret", ref, "", message)


def _started(pod: Json) -> Iterator[int]:
    """When each of its running containers was started."""
    for status in map(as_dict, as_list(as_dict(pod.get("status")).get("containerStatuses"))):
        started = seconds_of(as_dict(as_dict(status.get("state")).get("running")).get("startedAt"))
        if started:
            yield started


def legacy_token(place: NamespaceSnapshot, _survey: ClusterSnapshot) -> Iterator[Finding]:
    for secret in place.secrets.values():
        if secret.is_generated:
            continue
        for login in secret.logins:
            if is_legacy_token(login.password):
                key = without_user(login.key)
                message = f"the login for {key} in {secret.ref} is a service account token of the old kind, which the cluster may remove"
                fix = fixes.add_registry(place.namespace, secret.name, login.key)
                yield Finding("forecast-legacy-token", secret.ref, key, message, fix)


def credential_provider(survey: ClusterSnapshot) -> Iterator[Finding]:
    for config in survey.providers:
        images = [as_str(each) for each in as_list(as_dict(config.get("spec")).get("matchImages"))]
        if any(images):
            ref = ObjectRef(CRIO_PROVIDER[0].kind, "", as_str(metadata(config).get("name")))
            message = f"{ref} gives logins for {', '.join(filter(None, images))}: pods with a secret of their own for them bypass it"
            yield Finding("forecast-credential-provider", ref, "", message)


def _has_login(survey: ClusterSnapshot, place: NamespaceSnapshot, own: Sequence[str], reference: Reference) -> bool:
    if logins_of(survey, place.namespace, own, reference):
        return True
    return bool(logins_of(survey, NODE_SECRET.namespace, [NODE_SECRET.name], reference))


def _has_crio(survey: ClusterSnapshot) -> bool:
    nodes = nodes_of({"items": survey.nodes}).values()
    return survey.is_openshift or any(node.runtime == "cri-o" for node in nodes)


def _search_registries(survey: ClusterSnapshot) -> int:
    """How many registries a name without one may mean."""
    try:
        return len(search_registries(survey.evidence.look(IMAGE_CONFIG)))
    except (ReadRequired, UnreadableObject):
        return len(search_registries(None))


def _is_looked_up(stream: object) -> bool:
    return as_dict(as_dict(as_dict(stream).get("spec")).get("lookupPolicy")).get("local") is True


def _annotations(workload: object) -> Mapping[str, object]:
    template = template_of(as_dict(workload))
    return {**as_dict(metadata(as_dict(workload)).get("annotations")), **as_dict(metadata(template).get("annotations"))}


#: Seconds by which a container may be older than a secret that was created with it.
_MARGIN = 60.0
