# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Credentials that the nodes may have but no object of the cluster contains. Their existence is reported as unknown. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from ...core.json_types import as_dict
from ...core.phrases import join_and
from ...images.credential_providers import TOKEN_PROVIDERS, TokenProvider, cloud_of, platform_of
from ...images.references import Reference
from ...platform.cluster_kind import INFRASTRUCTURE
from ...rbac.access_reviews import token_review
from ..lookup import Lookup
from ..reading import try_lookup
from ..subjects import ContainerPull
from ..verdict import StepResult, info

__all__ = ["explain_providers", "may_provide"]


def explain_providers(subject: ContainerPull, reference: Reference, evidence: Lookup) -> Iterator[StepResult]:
    """Yield the providers that may be for the image. Used only if there is no other login.

    :raises ReadRequired: when the objects that configure them have to be read first.
    """
    if cloud := cloud_of(reference.repository):
        yield _explain_cloud(cloud, reference, evidence)
        yield _explain_token(TOKEN_PROVIDERS[cloud], subject, evidence)


def may_provide(reference: Reference, evidence: Lookup) -> bool:
    """Whether the nodes may have a login for the image from the credential provider of their cloud.

    :raises ReadRequired: when the platform of the cluster has to be read first.
    """
    cloud = cloud_of(reference.repository)
    return bool(cloud) and platform_of(try_lookup(evidence, INFRASTRUCTURE)[0]) in ("", cloud)


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


def _explain_token(provider: TokenProvider, subject: ContainerPull, evidence: Lookup) -> StepResult:
    """The facts about a login with a token of the pod's account. Only the nodes' files show whether the provider uses such tokens."""
    account, unread = try_lookup(evidence, subject.account_ref)
    named = join_and(list(provider.annotations))
    if unread:
        text = f"whether {subject.account_ref} has {named} is not known: {unread}"
    elif missing := provider.missing_annotations(account):
        text = f"{subject.account_ref} lacks {join_and(list(missing))}, so {provider.without_annotations}"
    else:
        text = f"{subject.account_ref} has {named}, and {_explain_audience(provider, subject, evidence)}"
    begin = f"if {provider.plugin} uses tokens of service accounts, which only the nodes' files show"
    return info("providers", f"{begin}: {text}. The pod never shows why a provider gives no login", ok=None)


def _explain_audience(provider: TokenProvider, subject: ContainerPull, evidence: Lookup) -> str:
    if not provider.audience:
        return f"if the exchange of the token fails, {provider.after_failure}"
    review = token_review(subject.namespace, subject.account, provider.audience)
    answer, unread = try_lookup(evidence, review)
    right = f"request its tokens for {provider.audience}"
    if unread:
        return f"whether the nodes may {right} is not known: {unread}"
    if as_dict(answer).get("allowed") is True:
        return f"the nodes may {right}"
    return f"the nodes may not {right}, so {provider.after_failure}, unless the pod has a volume with such a token"
