# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about who may pull from a project. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ...core.names import is_name, is_namespace
from ...core.objects import (
    CLUSTER_ROLE,
    CLUSTER_ROLE_BINDING,
    ROLE_BINDING,
    Json,
    ObjectRef,
    as_dict,
    as_list,
    as_str,
    metadata,
)
from ...core.text import summarize
from ...explain import fixes
from ...platform.protected import RESERVED_BINDINGS
from ...rbac.subjects import AUTHENTICATED, IMAGE_PULLER, PROJECT_GROUPS, UNAUTHENTICATED, Subject, subject_of
from .findings import Finding
from .survey import ClusterSnapshot, NamespaceSnapshot

__all__ = [
    "find_cluster_grants",
    "find_dead_subjects",
    "find_duplicate_bindings",
    "find_grants_to_everybody",
    "is_pull_binding",
    "pullers_of",
    "refs_in_grants",
]

_ALL_ACCOUNTS = PROJECT_GROUPS.rstrip(":")
_EVERYBODY: Mapping[str, str] = {
    AUTHENTICATED: "everyone who is logged in (including all service accounts)",
    UNAUTHENTICATED: "clients that send no login",
    _ALL_ACCOUNTS: "all service accounts of the cluster",
}


def is_pull_binding(binding: Json) -> bool:
    """Whether the binding refers to the cluster role system:image-puller."""
    role = as_dict(binding.get("roleRef"))
    return (role.get("kind"), role.get("name")) == (CLUSTER_ROLE.kind, IMAGE_PULLER)


def pullers_of(bindings: Iterable[Json]) -> Iterator[tuple[str, Subject]]:
    """Yield the name of each binding with each of its subjects."""
    for binding in bindings:
        meta = metadata(binding)
        for entry in as_list(binding.get("subjects")):
            subject = subject_of(entry, as_str(meta.get("namespace")))
            if subject is not None:
                yield as_str(meta.get("name")), subject


def refs_in_grants(place: NamespaceSnapshot) -> Iterator[ObjectRef]:
    """Yield the accounts and projects that the grants of a namespace name."""
    for _name, subject in pullers_of(_custom_bindings(place)):
        if subject.ref is not None:
            yield subject.ref


def find_dead_subjects(place: NamespaceSnapshot, survey: ClusterSnapshot) -> Iterator[Finding]:
    for name, subject in dict.fromkeys(pullers_of(_custom_bindings(place))):
        if subject.ref is None or survey.known.get(subject.ref, {}) is not None:
            continue
        ref = ObjectRef(ROLE_BINDING, place.namespace, name)
        message = f"{ref} lets {subject} pull, but {subject.ref} does not exist"
        yield Finding("grant-dead-subject", ref, str(subject), message, _revoke_tasks(place.namespace, subject))


def find_duplicate_bindings(place: NamespaceSnapshot, _survey: ClusterSnapshot) -> Iterator[Finding]:
    """Yield one finding for each subject, at the first of its bindings."""
    places: dict[Subject, list[str]] = defaultdict(list)
    for name, subject in dict.fromkeys(pullers_of(_custom_bindings(place))):
        places[subject].append(name)
    for subject, names in places.items():
        if len(names) < 2:
            continue
        ref = ObjectRef(ROLE_BINDING, place.namespace, names[0])
        message = (
            f"{len(names)} role bindings of namespace {place.namespace} let {subject} pull: {summarize(names, _SHOWN)}"
        )
        options = _options(subject)
        fix = [*fixes.revoke(place.namespace, options), *fixes.grant_to(place.namespace, options)] if options else []
        yield Finding("grant-duplicate-bindings", ref, str(subject), message, fix)


def find_grants_to_everybody(place: NamespaceSnapshot, _survey: ClusterSnapshot) -> Iterator[Finding]:
    for name, subject in dict.fromkeys(pullers_of(_custom_bindings(place))):
        if subject.kind == "Group" and subject.name in _EVERYBODY:
            ref = ObjectRef(ROLE_BINDING, place.namespace, name)
            message = f"{ref} lets {_EVERYBODY[subject.name]} pull from project {place.namespace}"
            yield Finding("grant-to-everybody", ref, subject.name, message, _revoke_tasks(place.namespace, subject))


def find_cluster_grants(survey: ClusterSnapshot) -> Iterator[Finding]:
    """Find cluster role bindings that let everyone pull from all projects."""
    for name, subject in dict.fromkeys(pullers_of(filter(is_pull_binding, survey.cluster_bindings))):
        if subject.kind == "Group" and subject.name in _EVERYBODY:
            ref = ObjectRef(CLUSTER_ROLE_BINDING, "", name)
            message = f"{ref} lets {_EVERYBODY[subject.name]} pull from all projects"
            yield Finding("grant-to-everybody", ref, subject.name, message)


def _custom_bindings(place: NamespaceSnapshot) -> Iterator[Json]:
    """Return the bindings except those that the platform creates in each project."""
    return (
        binding
        for binding in place.bindings
        if is_pull_binding(binding) and as_str(metadata(binding).get("name")) not in RESERVED_BINDINGS
    )


def _revoke_tasks(namespace: str, subject: Subject) -> Sequence[fixes.Fix]:
    options = _options(subject)
    return fixes.revoke(namespace, options) if options else []


def _options(subject: Subject) -> dict[str, Any]:
    """Return the subject as options of image_puller_grant, or empty options for a name that the module rejects."""
    if subject.kind == "ServiceAccount":
        valid = is_namespace(subject.namespace) and is_name(subject.name)
        return {"service_accounts": [{"namespace": subject.namespace, "name": subject.name}]} if valid else {}
    if subject.kind == "Group" and subject.name in (AUTHENTICATED, UNAUTHENTICATED):
        return {"authenticated": True} if subject.name == AUTHENTICATED else {"anonymous": True}
    project = subject.name.removeprefix(PROJECT_GROUPS)
    if subject.kind == "Group" and project != subject.name and is_namespace(project):
        return {"projects": [project]}
    if not subject.name.strip() or not subject.name.isprintable():
        return {}
    return {{"Group": "groups", "User": "users"}.get(subject.kind, "users"): [subject.name]}


_SHOWN = 5
