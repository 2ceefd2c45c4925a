# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Credentials that the nodes may have but no object of the cluster contains. Their existence is reported as unknown. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from ...images.credential_providers import cloud_of, platform_of
from ...images.references import Reference
from ...platform.cluster_kind import INFRASTRUCTURE
from ..lookup import Lookup
from ..reading import try_lookup
from ..verdict import StepResult, info

__all__ = ["explain_providers"]


def explain_providers(reference: Reference, evidence: Lookup) -> Iterator[StepResult]:
    """Yield the providers that may be for the image. Used only if there is no other login.

    :raises ReadRequired: when the objects that configure them have to be read first.
    """
    if cloud := cloud_of(reference.repository):
        yield _explain_cloud(cloud, reference, evidence)


def _explain_cloud(cloud: str, reference: Reference, evidence: Lookup) -> StepResult:
    infrastructure, unread = try_lookup(evidence, INFRASTRUCTURE)
    platform = platform_of(infrastructure)
    if platform == cloud:
        text = f"the nodes run on {cloud}, whose credential provider gives them a login for {reference.host}: whether it may pull this"
        return info("providers", f"{text} image cannot be seen from here", ok=None)
    if platform:
        text = f"the nodes run on {platform}, so they have no credential provider of their own for {reference.host}"
        return info("providers", text, ok=False)
    because = f": {unread}" if unread else ""
    text = f"on {cloud} the nodes have a credential provider for {reference.host}, but the platform of these nodes is not known{because}"
    return info("providers", text, ok=None)
