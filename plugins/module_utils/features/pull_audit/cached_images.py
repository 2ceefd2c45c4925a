# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pods that use an image of their node without a login of their own for it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...explain.lookup import ReadRequired
from ...explain.steps.providers import may_provide
from ...explain.subjects import ContainerPull
from ...images.references import Reference, reference_of
from ...platform.protected import NODE_SECRET
from .rules_pods import logins_for_image
from .survey import ClusterSnapshot, NamespaceSnapshot

__all__ = ["find_pods_without_login", "repositories_with_login"]


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
