# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Credential providers of the kubelets and of CRI-O: credentials that no pull secret of the pod contains. Pure.

With a token of the pod's account, the provider lists the secrets of the namespace, whether the pod lists them or not, and adds their logins
to the nodes' own in a file for the image. CRI-O uses that file for the mirrors, and for the source if the kubelet sends no login (CRI-O
server/image_pull.go). A login that the kubelet sends reaches only endpoints on the host of the source.

The rendered MachineConfigs show which providers the kubelets have. Without them, the platform of the cluster suggests one. No object shows
whether the login of a provider has the right to an image.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ...core.objects import SECRET, Json, ObjectRef, as_dict, as_str, metadata
from ...core.text import join_and, redact_line, summarize
from ...dockerconfig.credential_entry import file_key, is_login_for, provider_logins
from ...dockerconfig.json_text import InvalidContent
from ...images.credential_providers import (
    CRIO_AUDIENCE,
    CRIO_PROVIDER,
    TOKEN_PROVIDERS,
    KubeletProvider,
    TokenProvider,
    cloud_of,
    crio_doubt,
    crio_match,
    node_problem,
    skipped_entries,
)
from ...images.nodes import NodeVersions
from ...images.references import Reference
from ...images.registry_sources import Mirrors
from ...platform.cluster import INFRASTRUCTURE, platform_of
from ...rbac.subjects import secrets_review, token_review
from ...secrets.content import DOCKERCONFIGJSON, StoredSecret
from ..lookup import Lookup, UnreadableObject, items_of, nodes_for, require_all, try_lookup
from ..node_settings import KubeletProviders, find_providers
from ..subjects import ContainerPull
from ..verdict import StepResult, info

_NAME = CRIO_PROVIDER[0]


@dataclass(frozen=True)
class ProvidedLogin:
    """A login of a secret, with its key in that secret. `is_empty`: the entry has no login, and hides the nodes' own."""

    secret: str
    key: str
    is_empty: bool


@dataclass(frozen=True)
class CrioProvider:
    """The provider for one image in one namespace. `match` is its entry for the image, or empty if that is not known.

    `logins` are the added logins, by the key in the file of CRI-O. `refusal` is the reason for adding none, `unread` the reason why the
    logins are not known. Both end a sentence. `lacks_right`: the account is not allowed to list the secrets. `has_old_nodes`: all nodes are
    too old for the provider, which an update changes. `doubt` is a sentence about nodes whose version is not known.
    """

    namespace: str
    match: str
    logins: Mapping[str, ProvidedLogin] = field(default_factory=dict)
    refusal: str = ""
    unread: str = ""
    lacks_right: bool = False
    has_old_nodes: bool = False
    doubt: str = ""

    @property
    def problem(self) -> str:
        return self.refusal or self.unread

    @property
    def explained_problem(self) -> str:
        """Return the problem as a sentence. Empty if there is none."""
        return f"{_NAME} has {self.match}, but {self.problem}" if self.match and self.problem else self.problem

    def ref_of(self, login: ProvidedLogin) -> ObjectRef:
        """Return the secret of a login."""
        return ObjectRef(SECRET, self.namespace, login.secret)


def crio_provider_for(
    subject: ContainerPull, reference: Reference, mirrors: Mirrors | None, evidence: Lookup
) -> CrioProvider | None:
    """Return the provider, or None if it is not for the image: it does nothing for an image without mirrors.

    :raises ReadRequired: when more objects have to be read first.
    """
    if mirrors is None or not mirrors.locations:
        return None
    config, unread = _crio_config(evidence)
    if unread:
        return CrioProvider(subject.namespace, "", unread=f"whether {_NAME} is for the image is not known: {unread}")
    match = crio_match(config, reference.repository)
    if not match:
        return None
    if match in skipped_entries(config):
        reason = "the nodes do not have this entry, because it overlaps with the provider of their cloud"
        return CrioProvider(subject.namespace, match, refusal=reason)
    if doubt := crio_doubt(config):
        return CrioProvider(subject.namespace, match, unread=f"whether the nodes use it is not known: {doubt}")
    found = CrioProvider(subject.namespace, match, doubt=_doubt_nodes(*nodes_for(subject, evidence)))
    return _find_problem(found, subject, evidence) or _add_logins(found, reference, mirrors, evidence)


def explain_crio(subject: ContainerPull, provider: CrioProvider | None) -> StepResult | None:
    """Return the step about the provider, if it is for the image."""
    if provider is None:
        return None
    if provider.problem:
        return info("providers", provider.explained_problem, ok=False if provider.refusal else None)
    found = sorted({login.secret for login in provider.logins.values()})
    which = f"secret {', '.join(found)}" if found else "no secret there has a key for it"
    text = f"for a mirror, the nodes use all pull secrets of namespace {provider.namespace}, because {subject.account_ref} may list them"
    doubt = f". {provider.doubt}" if provider.doubt else ""
    return info("providers", f"{_NAME} has {provider.match}: {text}: {which}{doubt}", ok=bool(found))


def providers_without_config(
    reference: Reference, mirrors: Mirrors | None, evidence: Lookup
) -> KubeletProviders | None:
    """Return the provider that only machine configs set up, as before OpenShift 4.22. None if it cannot matter for the image.

    :raises ReadRequired: when the objects that configure it have to be read first.
    """
    if mirrors is None or not mirrors.locations or any(_crio_config(evidence)):
        return None
    return find_providers(reference.repository, evidence, of_crio=True)


def _doubt_nodes(nodes: Sequence[NodeVersions], unread: str) -> str:
    """The sentence about versions that are not known. Such nodes count as new ones, because the cluster has the configuration."""
    if not unread and all(node.runtime_version is not None for node in nodes):
        return ""
    why = unread or "some nodes do not report the version of CRI-O"
    return f"Whether all nodes read the files of the provider is not known: {why}"


def _find_problem(found: CrioProvider, subject: ContainerPull, evidence: Lookup) -> CrioProvider | None:
    """The provider with the reason for which it gives no login, or for which that is not known. None if nothing is known against it."""
    problems = [node_problem(node) for node in nodes_for(subject, evidence)[0]]
    old = next(filter(None, problems), "")
    if old and all(problems):
        return replace(found, refusal=old, has_old_nodes=True)
    lacking = _find_missing_right(found, subject, evidence)
    if lacking or not old:
        return lacking
    return replace(found, unread=f"it depends on the node whether it is used: {old}")


def _find_missing_right(found: CrioProvider, subject: ContainerPull, evidence: Lookup) -> CrioProvider | None:
    """The provider with the right that it lacks, or that is not known. None if it has all rights."""
    account = subject.account_ref
    lists = secrets_review(subject.namespace, subject.account)
    tokens = token_review(subject.namespace, subject.account, CRIO_AUDIENCE)
    require_all(evidence, (lists, tokens, ObjectRef(SECRET, subject.namespace, "")))
    for review, who, right in (
        (tokens, "the nodes", f"request a token of {account} for {CRIO_AUDIENCE}"),
        (lists, str(account), "list the secrets of its namespace"),
    ):
        answer, unread = try_lookup(evidence, review)
        if unread:
            return replace(found, unread=f"whether {who} may {right} is not known: {unread}")
        if as_dict(answer).get("allowed") is not True:
            refusal = f"{who} may not {right}, so it gives no login"
            return replace(found, refusal=refusal, lacks_right=review == lists)
    return None


def _add_logins(found: CrioProvider, reference: Reference, mirrors: Mirrors, evidence: Lookup) -> CrioProvider:
    try:
        every = evidence.derive(ObjectRef(SECRET, found.namespace, ""), _logins_of)
    except UnreadableObject as error:
        return replace(found, unread=f"which pull secrets namespace {found.namespace} has is not known: {error}")
    taken = (login for login in every if is_login_for(login.key, reference.repository, mirrors.locations))
    return replace(found, logins={file_key(login.key): login for login in taken})


def _logins_of(listed: Json | None) -> Sequence[ProvidedLogin]:
    """The logins of all secrets of a namespace, in the order in which they replace each other: the server lists by name."""
    secrets = sorted(items_of(listed), key=lambda secret: as_str(metadata(secret).get("name")))
    return [login for secret in secrets for login in _logins_of_secret(secret)]


def _logins_of_secret(secret: Json) -> Sequence[ProvidedLogin]:
    held = StoredSecret.of(secret)
    if held.type != DOCKERCONFIGJSON or not held.value:
        return ()
    try:
        logins = provider_logins(held.text)
    except InvalidContent:
        return ()
    name = as_str(metadata(secret).get("name"))
    return [ProvidedLogin(name, key, is_empty=not user) for key, (user, _password) in logins.items()]


def _crio_config(evidence: Lookup) -> tuple[Json | None, str]:
    """The configuration in the newest version that the cluster serves."""
    require_all(evidence, CRIO_PROVIDER)
    answers = [try_lookup(evidence, ref) for ref in CRIO_PROVIDER]
    found = next((config for config, _unread in answers if config is not None), None)
    return found, "" if found is not None else next((unread for _config, unread in answers if unread), "")


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
    if provider.without_tokens and platform_of(try_lookup(evidence, INFRASTRUCTURE)[0]):
        text = f"{provider.without_tokens} of OpenShift takes no tokens of service accounts, so annotations of {subject.account_ref} have no effect"
        return info("providers", text, ok=False)
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
