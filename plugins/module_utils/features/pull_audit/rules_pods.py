# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about pods and workloads, their lists of pull secrets, and images of their nodes. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ...core.documents import INFO
from ...core.objects import POD, ObjectRef
from ...core.text import join_and, summarize
from ...explain import fixes
from ...explain.credentials import KubeletLogin, credentials_of
from ...explain.lookup import ReadRequired
from ...explain.snapshot import ClusterSnapshot, NamespaceSnapshot
from ...explain.steps.providers import may_provide
from ...explain.subjects import ContainerPull
from ...explain.verdict import PULLS, UNKNOWN, WILL_NOT_PULL, PullVerdict
from ...images.pull_messages import parse_message
from ...images.pull_rules import OWN_LIMIT
from ...images.references import PUBLIC_REGISTRIES, Reference, reference_of
from ...platform.account_lists import names_in
from ...platform.protected import NODE_SECRET
from .findings import Finding

#: Maximum number of pods in one message.
_SHOWN = 5


def find_failing_pods(
    place: NamespaceSnapshot, survey: ClusterSnapshot, *, with_workloads: bool = False
) -> Iterator[Finding]:
    """Find pods that do not get their images. `with_workloads`: without those that the finding of their workload names."""
    named = _pods_by_workload(place, survey, WILL_NOT_PULL) if with_workloads else {}
    reported = {(pod, location) for (_workload, location), pods in named.items() for pod in pods}
    for subject, access in survey.subject_pods(place.namespace):
        if access.verdict == WILL_NOT_PULL and (subject.ref, subject.location) not in reported:
            yield _failing_finding("pod-cannot-pull", access)


def find_failing_workloads(place: NamespaceSnapshot, survey: ClusterSnapshot) -> Iterator[Finding]:
    pods = _pods_by_workload(place, survey, WILL_NOT_PULL)
    for access in survey.accesses.get(place.namespace, ()):
        if access.verdict == WILL_NOT_PULL and not access.subject.is_pod:
            names = [pod.name for pod in pods[access.subject.ref, access.subject.location]]
            # The reason names the first one.
            every = f". Failing pods: {summarize(names, _SHOWN)}" if len(names) > 1 else ""
            yield _failing_finding("workload-cannot-pull", access, every)


def _failing_finding(rule: str, access: PullVerdict, more: str = "") -> Finding:
    subject = access.subject
    message = f"{subject.ref} cannot pull {subject.image}: {access.reason}{more}"
    return Finding(rule, subject.ref, subject.location, message, access.fix)


def _pods_by_workload(
    place: NamespaceSnapshot, survey: ClusterSnapshot, verdict: str
) -> Mapping[tuple[ObjectRef, str], Sequence[ObjectRef]]:
    """Return the pods with the verdict of their workload by workload and location, without those for which the node reports another cause."""
    failing = _group_by_ref(access for access in survey.accesses.get(place.namespace, ()) if access.verdict == verdict)
    found: dict[tuple[ObjectRef, str], list[ObjectRef]] = defaultdict(list)
    for kind, workload in place.workloads:
        ref = place.ref_of(kind, workload)
        causes = {access.subject.location: access.cause for access in failing.get(ref, ())}
        pods = place.owners.pods_of(kind, workload) if causes else ()
        for each in (each for pod in pods for each in failing.get(place.ref_of(POD, pod), ())):
            location = each.subject.location
            if location in causes and len({causes[location], each.cause} - {""}) < 2:
                found[ref, location].append(each.subject.ref)
    return found


def find_unknown_pulls(place: NamespaceSnapshot, survey: ClusterSnapshot) -> Iterator[Finding]:
    for subject, access in survey.subject_pods(place.namespace):
        if access.verdict == UNKNOWN and access.cause:
            message = f"{subject.ref} does not get {subject.image}: {access.reason}"
            severity = INFO if access.cause == OWN_LIMIT else ""
            yield Finding("pod-pull-unknown", subject.ref, subject.location, message, access.fix, severity)


def find_not_known_pulls(place: NamespaceSnapshot, survey: ClusterSnapshot) -> Iterator[Finding]:
    """Find pulls that are not known, and of which no node reports an error. The finding of a workload names its pods."""
    pods = _pods_by_workload(place, survey, UNKNOWN)
    named = {(pod, location) for (_workload, location), of_workload in pods.items() for pod in of_workload}
    for access in survey.accesses.get(place.namespace, ()):
        subject = access.subject
        where = (subject.ref, subject.location)
        if access.verdict != UNKNOWN or (subject.is_pod and (access.cause or where in named)):
            continue
        names = [pod.name for pod in pods.get(where, ())]
        every = f". Pods: {summarize(names, _SHOWN)}" if names else ""
        message = f"it is not known whether {subject.ref} can pull {subject.image}: {access.reason}{every}"
        yield Finding("pull-not-known", *where, message)


def find_missing_secrets(place: NamespaceSnapshot, survey: ClusterSnapshot) -> Iterator[Finding]:
    """Find listed secrets that do not exist. A name in the account's list is reported for the account, a template's for the template."""
    accesses = _group_by_ref(survey.accesses.get(place.namespace, ()))
    for ref, spec in place.specs():
        missing = [name for name in dict.fromkeys(names_in(spec, "imagePullSecrets")) if name not in place.secrets]
        containers = accesses.get(ref, ())
        if not missing or not containers or (containers[0].subject.is_pod and ref.name in place.templated):
            continue
        account = place.listed.get(containers[0].subject.account, ())
        for name in missing:
            if not (containers[0].subject.is_pod and name in account):
                yield _missing_secret_finding(ref, name, containers)


def _missing_secret_finding(ref: ObjectRef, name: str, containers: Sequence[PullVerdict]) -> Finding:
    harmed = [access.subject for access in containers if access.verdict != PULLS]
    matters = f"it may matter for {_join_locations(harmed)}" if harmed else "its images do not need it now"
    registry = next((each.host for each in map(_reference, containers) if each), "")
    fix = fixes.create_listed_secret(ref.namespace, name, registry) if registry else []
    message = f"{ref} lists {name}, but there is no such secret: {matters}"
    return Finding("pod-secret-missing", ref, name, message, fix, "" if harmed else INFO)


def _join_locations(subjects: Sequence[ContainerPull]) -> str:
    containers = [subject.container for subject in subjects if not subject.volume]
    named = [f"container {', '.join(containers)}"] if containers else []
    return join_and([*named, *(subject.location for subject in subjects if subject.volume)])


@dataclass(frozen=True)
class _HiddenLogin:
    """A container or volume without a login, whose account has the secret for its image."""

    subject: ContainerPull
    secret: str
    is_copy: bool


def _find_hidden_secrets(place: NamespaceSnapshot, survey: ClusterSnapshot) -> Iterator[_HiddenLogin]:
    """Yield the hidden logins. `is_copy`: whether the pod's list may be the account's list of the time when the pod was created."""
    for access in survey.accesses.get(place.namespace, ()):
        subject, reference = access.subject, _reference(access)
        listed = place.listed.get(subject.account, ())
        others = [name for name in listed if name not in subject.own]
        if reference is None or not others or not (subject.is_pod or subject.own):
            continue
        if logins_for_image(survey, place.namespace, subject.own, reference):
            continue
        for login in logins_for_image(survey, place.namespace, others, reference)[:1]:
            yield _HiddenLogin(subject, login.secret, set(subject.own) <= set(listed))


def find_hidden_account_lists(place: NamespaceSnapshot, survey: ClusterSnapshot) -> Iterator[Finding]:
    for found in _find_hidden_secrets(place, survey):
        subject = found.subject
        if not subject.own or (subject.is_pod and (found.is_copy or subject.ref.name in place.templated)):
            continue
        message = (
            f"{subject.ref} lists {', '.join(subject.own)}, which hides {found.secret} of {subject.account_ref}, and only that "
            f"secret has a login for {subject.image}"
        )
        yield Finding(
            "pod-hides-account-list", subject.ref, subject.location, message, _add_registry_tasks(place, subject)
        )


def _add_registry_tasks(place: NamespaceSnapshot, subject: ContainerPull) -> list[fixes.Fix]:
    reference = reference_of(subject.image)
    for name in subject.own:
        secret = place.secrets.get(name)
        if reference and secret and secret.is_read and not secret.reading.problems and not secret.is_generated:
            return fixes.add_registry(place.namespace, name, reference.host)
    return []


def find_pods_older_than_link(place: NamespaceSnapshot, survey: ClusterSnapshot) -> Iterator[Finding]:
    """Find pods without the linked secret. A pod that has its image needs no login, unless the node asks the registry at each start."""
    for found in _find_hidden_secrets(place, survey):
        subject = found.subject
        if not (subject.is_pod and found.is_copy):
            continue
        if subject.is_pulled and subject.pull_policy != "Always":
            continue
        message = (
            f"{subject.ref} was created before secret {found.secret} was linked to {subject.account_ref}, and never gets it"
            f"{subject.way_out or ': delete the pod, so that it is recreated'}"
        )
        fix = [] if subject.is_bare else fixes.link(place.namespace, subject.account, found.secret)
        yield Finding("pod-older-than-link", subject.ref, subject.location, message, fix)


def find_broken_public_pulls(place: NamespaceSnapshot, survey: ClusterSnapshot) -> Iterator[Finding]:
    """Find rejected logins for public registries, where a rejected login does more harm than none.

    A mirror rejects another login. One that the registry accepts now was renewed since the error of the node.
    """
    for subject, access in survey.subject_pods(place.namespace):
        reference = _reference(access)
        if access.cause != "bad_credentials" or reference is None or reference.host not in PUBLIC_REGISTRIES:
            continue
        told = parse_message(subject.reason, subject.message, subject.image).cause
        if access.verdict == PULLS or (told is not None and told.is_mirror):
            continue
        for login in logins_for_image(survey, place.namespace, subject.own, reference)[:1]:
            message = (
                f"{reference.host} rejects the login of secret {login.secret} for {subject.image} of {subject.ref}: if everyone may pull "
                "this image, it is pulled without that login"
            )
            fix = fixes.remove_registry(place.namespace, login.secret, login.key)
            yield Finding("credential-breaks-public-pull", subject.ref, subject.location, message, fix)


def logins_for_image(
    survey: ClusterSnapshot, namespace: str, names: Sequence[str], reference: Reference
) -> list[KubeletLogin]:
    """Return the logins with user and password, or none if a secret cannot be parsed or was not read."""
    try:
        found = credentials_of(namespace, names, reference.repository, survey.evidence)
    except ReadRequired:
        return []
    return [] if found.in_state("unparsable") else found.usable_logins


def _group_by_ref(accesses: Iterable[PullVerdict]) -> dict[ObjectRef, list[PullVerdict]]:
    found: dict[ObjectRef, list[PullVerdict]] = defaultdict(list)
    for access in accesses:
        found[access.subject.ref].append(access)
    return found


def _reference(access: PullVerdict) -> Reference | None:
    return reference_of(access.subject.image)


def repositories_with_login(survey: ClusterSnapshot) -> frozenset[str]:
    """Return the repositories for which some pod has its own login."""
    found = set()
    for place in survey.places.values():
        seen = {}
        for subject, _access in survey.subject_pods(place.namespace):
            reference = reference_of(subject.image)
            if reference is not None and subject.own:
                seen[reference.repository, tuple(subject.own)] = reference
        for (repository, own), reference in seen.items():
            if repository not in found and logins_for_image(survey, place.namespace, own, reference):
                found.add(repository)
    return frozenset(found)


def find_pods_without_login(
    place: NamespaceSnapshot, survey: ClusterSnapshot, repositories: frozenset[str]
) -> Iterator[tuple[ContainerPull, Reference]]:
    """Yield the containers with an image of their node for which they and the nodes have no login, for these `repositories`, and no provider of one.

    With pull policy Always, the registry is asked at each start anyway.
    """
    for subject, _access in survey.subject_pods(place.namespace):
        reference = reference_of(subject.image)
        if not subject.is_pulled or reference is None or reference.repository not in repositories:
            continue
        if subject.pull_policy == "Always" or _has_login(survey, place, subject.own, reference):
            continue
        if not _may_have_provider(survey, subject, reference):
            yield subject, reference


def _has_login(survey: ClusterSnapshot, place: NamespaceSnapshot, own: Sequence[str], reference: Reference) -> bool:
    if logins_for_image(survey, place.namespace, own, reference):
        return True
    return bool(logins_for_image(survey, NODE_SECRET.namespace, [NODE_SECRET.name], reference))


def _may_have_provider(survey: ClusterSnapshot, subject: ContainerPull, reference: Reference) -> bool:
    """Whether a credential provider of the nodes may give a login. A kubelet asks it whenever it verifies an image."""
    try:
        return may_provide(subject, reference, survey.evidence)
    except ReadRequired:  # no explanation needed it, because a mirror has a login or another step fails
        return True
