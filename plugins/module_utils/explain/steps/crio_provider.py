# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CRI-O's credential provider: which pull secrets of the namespace the nodes use for an image that has mirrors. Pure.

With a token of the pod's account, the provider lists the secrets of the namespace, whether the pod lists them or not, and adds their logins
to the nodes' own in a file for the image. CRI-O uses that file for the mirrors, and for the source if the kubelet sends no login (CRI-O
server/image_pull.go). A login that the kubelet sends reaches only endpoints on the host of the source.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ...core.objects import SECRET, Json, ObjectRef, as_dict, as_str, metadata
from ...dockerconfig.json_text import InvalidContent
from ...dockerconfig.node_reading import file_key, is_login_for, provider_logins
from ...images.credential_providers import (
    CRIO_AUDIENCE,
    CRIO_PROVIDER,
    crio_doubt,
    crio_match,
    node_problem,
    skipped_entries,
)
from ...images.nodes import NodeVersions
from ...images.references import Reference
from ...images.registry_sources import Mirrors
from ...rbac.access_reviews import secrets_review, token_review
from ...secrets.content import DOCKERCONFIGJSON, StoredSecret
from ..lookup import Lookup, UnreadableObject, items_of, nodes_for, require_all, try_lookup
from ..node_settings import KubeletProviders, find_providers
from ..subjects import ContainerPull
from ..verdict import StepResult, info

__all__ = ["CrioProvider", "ProvidedLogin", "crio_provider_for", "explain_crio", "providers_without_config"]

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
