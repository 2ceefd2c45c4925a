# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Credentials that the nodes may have but no object of the cluster contains: those of the kubelets' credential providers. Pure.

The rendered MachineConfigs show which providers the kubelets have. Without them, the platform of the cluster suggests one. No object shows
whether the login of a provider has the right to an image.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...core.objects import as_dict
from ...core.text import join_and, redact_line, summarize
from ...images.credential_providers import (
    CRIO_PROVIDER,
    TOKEN_PROVIDERS,
    KubeletProvider,
    TokenProvider,
    cloud_of,
    platform_of,
)
from ...images.references import Reference
from ...platform.cluster import INFRASTRUCTURE
from ...rbac.access_reviews import token_review
from ..lookup import Lookup, try_lookup
from ..node_settings import KubeletProviders, find_providers
from ..subjects import ContainerPull
from ..verdict import StepResult, info

__all__ = ["explain_crio_files", "explain_providers", "idle_providers", "may_provide", "name_provider"]

#: Number of pools that are named.
_SHOWN = 3


def explain_providers(subject: ContainerPull, reference: Reference, evidence: Lookup) -> Iterator[StepResult]:
    """Yield the providers that may be for the image. Used only if there is no other login.

    :raises ReadRequired: when the objects that configure them have to be read first.
    """
    cloud, known = cloud_of(reference.repository), find_providers(reference.repository, evidence)
    for provider, pools in known.found.items():
        yield _explain_provider(provider, pools, subject, reference, evidence)
    yield from _explain_hidden(known, reference)
    if not cloud or any(_may_give_login(provider, subject, evidence) for provider in known.found):
        return
    if known.is_complete:
        text = f"the machine configs of the nodes have no credential provider for {reference.host}"
        yield info("providers", text, ok=False)
    else:
        yield _explain_cloud(cloud, reference, evidence)
        yield _explain_token(TOKEN_PROVIDERS[cloud], subject, evidence)


def explain_crio_files(
    known: KubeletProviders, subject: ContainerPull, reference: Reference, *, shows_hidden: bool
) -> Iterator[StepResult]:
    """Yield the provider of CRI-O that only machine configs set up, and with `shows_hidden` the pools that may have it."""
    for provider, pools in known.found.items():
        entry = redact_line(provider.match(reference.repository))
        text = f"the nodes of {summarize(pools, _SHOWN)} have the credential provider {provider.name} for {entry}, but there is no {CRIO_PROVIDER[0]}"
        way = f"the pull secrets of namespace {subject.namespace} may give a login for the mirrors, if {subject.account_ref} may list them"
        yield info("providers", f"{text}: {way}. This was not checked", ok=None)
    if shows_hidden:
        yield from _explain_hidden(known, reference)


def _explain_hidden(known: KubeletProviders, reference: Reference) -> Iterator[StepResult]:
    if known.hidden:
        text = f"the nodes of {summarize(known.hidden, _SHOWN)} have credential providers that no object shows: whether one is for {reference.host}"
        yield info("providers", f"{text} is not known", ok=None)


def may_provide(subject: ContainerPull, reference: Reference, evidence: Lookup) -> bool:
    """Whether the nodes may have a login for the image from a credential provider that an object or their platform shows.

    :raises ReadRequired: when the objects that configure them have to be read first.
    """
    cloud, known = cloud_of(reference.repository), find_providers(reference.repository, evidence)
    if known.hidden or any(_may_give_login(provider, subject, evidence) for provider in known.found):
        return True
    if not cloud or known.is_complete:
        return False
    return platform_of(try_lookup(evidence, INFRASTRUCTURE)[0]) in ("", cloud)


def idle_providers(subject: ContainerPull, reference: Reference, evidence: Lookup) -> Sequence[str]:
    """Return a clause for each provider for the image that gives the pod no login, with the reason.

    :raises ReadRequired: when the objects that configure them have to be read first.
    """
    found = find_providers(reference.repository, evidence).found.items()
    seen = [_explain_provider(provider, pools, subject, reference, evidence).step for provider, pools in found]
    return [step.seen for step in seen if step is not None and step.ok is False]


def name_provider(subject: ContainerPull, reference: Reference, evidence: Lookup) -> str:
    """Return the provider that the nodes have for the image and that may give a login, as a subject. Empty if no object shows one.

    :raises ReadRequired: when the objects that configure them have to be read first.
    """
    cloud, known = cloud_of(reference.repository), find_providers(reference.repository, evidence)
    names = [redact_line(each.name) for each in known.found if _may_give_login(each, subject, evidence)]
    if names:
        return f"the credential provider {join_and(names)} of the nodes"
    has_own = cloud and not known.is_complete and platform_of(try_lookup(evidence, INFRASTRUCTURE)[0]) == cloud
    return "the credential provider of the nodes" if has_own else ""


def _may_give_login(provider: KubeletProvider, subject: ContainerPull, evidence: Lookup) -> bool:
    """Whether the kubelet runs a provider for the subject, as far as known."""
    missing, _unread = _missing_annotations(provider, subject, evidence)
    return not missing and not _lacks_token(provider.audience, subject, evidence)


def _explain_provider(
    provider: KubeletProvider, pools: Sequence[str], subject: ContainerPull, reference: Reference, evidence: Lookup
) -> StepResult:
    """A provider that the machine configs show."""
    name, entry = redact_line(provider.name), redact_line(provider.match(reference.repository))
    begin = f"the nodes of {summarize(pools, _SHOWN)} have the credential provider {name} for {entry}"
    missing, unread = _missing_annotations(provider, subject, evidence)
    if missing:
        text = (
            f"{subject.account_ref} lacks {redact_line(join_and(missing))}, so the kubelet does not run it for this pod"
        )
        return info("providers", f"{begin}: {text}", ok=False)
    if _lacks_token(provider.audience, subject, evidence):
        right = _explain_right(provider.audience, "it gives no login", subject, evidence)
        return info("providers", f"{begin}, with tokens of service accounts: {right}", ok=False)
    if unread:
        begin = f"{begin}, which needs annotations of {subject.account_ref}, and these are not known: {unread}"
    elif provider.audience:
        right = _explain_right(provider.audience, "it gives no login", subject, evidence)
        begin = f"{begin}, with tokens of service accounts: {right}{_explain_use(subject, reference, evidence)}"
    text = "Whether its login may pull this image cannot be seen from here, and the pod never shows why a provider gives no login"
    return info("providers", f"{begin}. {text}", ok=None)


def _explain_use(subject: ContainerPull, reference: Reference, evidence: Lookup) -> str:
    """The effect of annotations that the provider of a cloud itself needs, and that the account lacks. Empty without such ones."""
    provider = TOKEN_PROVIDERS.get(cloud_of(reference.repository))
    account, unread = try_lookup(evidence, subject.account_ref)
    if provider is None or unread or not (missing := provider.unset_annotations(account)):
        return ""
    return f". {subject.account_ref} lacks {join_and(list(missing))}, so {provider.without_annotations}"


def _missing_annotations(
    provider: KubeletProvider, subject: ContainerPull, evidence: Lookup
) -> tuple[Sequence[str], str]:
    """The annotations that the account lacks, and the reason why this is not known."""
    if not provider.annotations:
        return [], ""
    account, unread = try_lookup(evidence, subject.account_ref)
    return [] if unread else provider.missing_annotations(account), unread


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
    elif missing := provider.unset_annotations(account):
        text = f"{subject.account_ref} lacks {join_and(list(missing))}, so {provider.without_annotations}"
    else:
        text = f"{subject.account_ref} has {named}, and {_explain_audience(provider, subject, evidence)}"
    begin = f"if {provider.plugin} uses tokens of service accounts, which only the nodes' files show"
    return info("providers", f"{begin}: {text}. The pod never shows why a provider gives no login", ok=None)


def _explain_audience(provider: TokenProvider, subject: ContainerPull, evidence: Lookup) -> str:
    if not provider.audience:
        return f"if the exchange of the token fails, {provider.after_failure}"
    return _explain_right(provider.audience, provider.after_failure, subject, evidence)


def _lacks_token(audience: str, subject: ContainerPull, evidence: Lookup) -> bool:
    """Whether a provider that needs a token for the audience gets none: the nodes have no right, and no volume of the pod has one."""
    if not audience or subject.audiences is None or audience in subject.audiences:
        return False
    answer, _unread = try_lookup(evidence, token_review(subject.namespace, subject.account, audience))
    return as_dict(answer).get("allowed") is False


def _explain_right(audience: str, after_failure: str, subject: ContainerPull, evidence: Lookup) -> str:
    """Whether the nodes may request the tokens that a provider gets. `after_failure`: the effect if they may not, as a clause."""
    right = f"request its tokens for {redact_line(audience)}"
    if audience in (subject.audiences or ()):
        return f"the nodes may {right}, because a volume of the pod has such a token"
    answer, unread = try_lookup(evidence, token_review(subject.namespace, subject.account, audience))
    if unread:
        return f"whether the nodes may {right} is not known: {unread}"
    if as_dict(answer).get("allowed") is True:
        return f"the nodes may {right}"
    if _lacks_token(audience, subject, evidence):
        return f"the nodes may not {right}, and no volume of the pod has such a token, so {after_failure}"
    return f"the nodes may not {right}, so {after_failure}, unless the pod has a volume with such a token"
