# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The images that need a signature, and whether the registry that serves them has it. Pure.

An explanation asks this for a pull that is due. An audit asks it for all images in use, since a node that has an image does not check its
signature again before the next pull.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..core.objects import SECRET, ObjectRef
from ..images.node_registries import SignatureRequirement
from ..images.references import Reference, reference_of
from ..platform.protected import NODE_SECRET
from .credentials import credentials_of
from .lookup import Lookup, require_all
from .node_settings import registries_of
from .steps.asked import PullRoute, read_attempts
from .steps.mirrors import mirrors_of
from .steps.pull_secrets import explain_secret_list
from .steps.sources import (
    RegistrySignatures,
    policies_of,
    registry_signatures,
    resolve_short_name,
    source_refs,
    why_outdated,
)
from .steps.streams import resolve_image
from .subjects import ContainerPull

__all__ = ["RequiredSignature", "find_signature", "required_signature"]


@dataclass(frozen=True)
class RequiredSignature:
    """An image of which image policies require a signature. `why_not_asked`: the reason why no registry can be asked for it, or empty."""

    subject: ContainerPull
    reference: Reference
    requirement: SignatureRequirement
    why_not_asked: str = ""


def required_signature(subject: ContainerPull, evidence: Lookup) -> RequiredSignature | None:
    """Return the signature that the image of a container needs. None if no policy is for the image, or nothing is pulled.

    :raises ReadRequired: when more objects have to be read first.
    """
    if subject.pull_policy == "Never":
        return None
    require_all(evidence, source_refs(subject.namespace))
    policies, registries = policies_of(subject.namespace, evidence), registries_of(evidence)
    if not (policies.of_cluster or policies.of_namespace):
        return None
    reference = reference_of(resolve_image(subject, evidence).image)
    if reference is None:
        return None
    for each in resolve_short_name(subject, reference, evidence).references:
        if found := policies.requirement_for(each, registries.policy):
            why = why_outdated(policies, registries, evidence)
            if why:
                why = f"the nodes keep their previous policy files, because {why}"
            elif reference.is_short:
                why = f"{subject.image} names no registry"
            return RequiredSignature(subject, each, found, why)
    return None


def find_signature(required: RequiredSignature, evidence: Lookup) -> RegistrySignatures:
    """Return the signature at the registry that serves the image, or why it is not known.

    :raises ReadRequired: when a registry has to be asked first.
    """
    subject, reference = required.subject, required.reference
    if required.why_not_asked:
        return RegistrySignatures(None, required.why_not_asked)
    names, seen = explain_secret_list(subject, evidence)
    if seen.verdict:
        return RegistrySignatures(None, seen.reason)
    require_all(evidence, [*(ObjectRef(SECRET, subject.namespace, name) for name in names), NODE_SECRET])
    credentials = credentials_of(subject.namespace, names, reference.repository, evidence)
    if stopped := credentials.in_state("unparsable"):
        return RegistrySignatures(None, f"secret {stopped[0].name} stops every pull, because {stopped[0].detail}")
    route = PullRoute(subject, reference, credentials, mirrors_of(reference, evidence), evidence, asks=True)
    return registry_signatures(route) or RegistrySignatures(None, _why_not_served(route))


def _why_not_served(route: PullRoute) -> str:
    """The reason why no registry serves the image: the first attempt without an answer, otherwise the first refusal."""
    attempts = read_attempts(route)
    first = next((each for each in attempts if not each.is_known), next(iter(attempts), None))
    return "the image has no mirror, and its source is never contacted" if first is None else first.said
