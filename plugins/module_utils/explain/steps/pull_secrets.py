# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pull secrets of a container, whether a node can read them, and why there is no login for its image. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from ...core.objects import SECRET, Json, ObjectRef, as_dict, as_str, metadata
from ...core.text import summarize
from ...dockerconfig.registry_keys import kubelet_keys, without_user
from ...images.references import Reference
from ...platform.account_lists import names_in
from .. import fixes
from ..credentials import (
    Credentials,
    KubeletLogin,
    PullSecretStatus,
    credentials_of,
    logins_of,
    nearest_key,
    secret_status,
)
from ..fixes import Fix
from ..lookup import Lookup, UnreadableObject, items_of, require_all, try_lookup
from ..subjects import ContainerPull
from ..verdict import StepResult, failure, info, unknown
from .asked import NOT_FOUND, NOT_GIVEN, PullRoute, RegistryAttempt, read_attempts
from .providers import idle_providers

#: Texts for the states of a secret, with a placeholder for its detail.
STATES = {
    "usable": "is read",
    "missing": "does not exist, so the node ignores it",
    "wrong_type": "has type {}, which no node reads",
}


def explain_secret_list(subject: ContainerPull, evidence: Lookup) -> tuple[Sequence[str], StepResult]:
    """Return the names of the secrets that the pod has, or will get, and the result of the step."""
    if subject.is_pod or subject.own:
        return subject.own, info("pull_secrets", f"{subject.ref} lists {_join_names(subject.own)}")
    account, unread = try_lookup(evidence, subject.account_ref)
    if unread:
        return (), unknown("pull_secrets", f"the list of {subject.account_ref} is not known: {unread}")
    if account is None:
        reason = f"{subject.account_ref} does not exist, so no pod can be created. Correct its name, or create it"
        return (), failure("pull_secrets", reason)
    names = list(dict.fromkeys(names_in(account, "imagePullSecrets")))
    text = f"{subject.account_ref} lists {_join_names(names)}. A pod gets this list when it is created"
    return names, info("pull_secrets", text)


def explain_secrets(namespace: str, found: Credentials, reference: Reference) -> Iterator[StepResult]:
    """Yield the result for each secret. `reference`: the image that a fix is for."""
    for secret in found.secrets:
        ref = ObjectRef(SECRET, namespace, secret.name)
        if secret.state == "unparsable":
            reason = f"{ref} stops every pull of a pod that lists it, because {secret.detail}"
            needed = [*kubelet_keys(secret.keys, reference.repository)]
            fix = fixes.repair_content(
                namespace, secret.name, secret.keys, reference.host, needed, has_logins=secret.has_logins
            )
            yield failure("secret", reason, fix)
        elif secret.state == "unread":
            yield unknown("secret", f"the content of {ref} is not known: {secret.detail}")
        else:
            text = f"{ref} {STATES[secret.state].format(secret.detail)}"
            yield info("secret", text, ok=secret.state == "usable")


def _join_names(names: Sequence[str]) -> str:
    return ", ".join(names) or "no pull secret"


class MissingLogin(NamedTuple):
    """Why a node has no login for an image. `outcome`: that of a login that no list names, if a registry accepts it and does not give the image."""

    reason: str
    fix: Sequence[Fix] = ()
    outcome: str = ""


def explain_missing_login(held: PullRoute, *, is_needed: bool = True) -> MissingLogin:
    """Return the reason and its fix. The simplest fix comes first, and a credential provider that gives no login before the secrets.

    Without `is_needed`, a registry reports that the image does not exist. Then no task adds a login that nothing refers to yet.
    """
    subject, reference, credentials, evidence = held.subject, held.reference, held.credentials, held.evidence.unrecorded
    host, namespace = reference.host, subject.namespace
    listed = _account_list(subject, evidence)
    # The list of a pod can be a copy of the account's. That of a template cannot.
    copied = listed if subject.is_pod else ()
    own = [secret for secret in credentials.secrets if secret.name in subject.own and secret.name not in copied]
    linked = _linked_secret(subject, reference, listed, evidence)
    if linked and not own:
        link = [] if subject.is_bare else fixes.link(namespace, subject.account, linked)
        return MissingLogin(_created_before(subject, linked), link)
    ignored = _explain_ignored(namespace, credentials, host)
    # None if the pod's list is a present or past copy of the account's.
    fix = ignored.fix or (_write(namespace, own, host) if is_needed else [])
    if linked:
        reason = (
            f"{subject.ref} has its own imagePullSecrets list, so it does not use {linked} of {subject.account_ref}"
        )
        return MissingLogin(_join_clauses(ignored.reason, reason), fix)
    lead = [*idle_providers(subject, reference, evidence), ignored.reason]
    if unusable := next((login for login in credentials.logins if login.is_empty), None):
        why = "its entry has no user or no password (a node does not use an identity token), so the node sends no login"
        named = [secret for secret in credentials.secrets if secret.name == unusable.secret]
        written = _write(namespace, named, unusable.key) or fixes.create_secret(namespace, subject.account, host)
        reason = f"secret {unusable.secret} has the key {without_user(unusable.key)}, but {why}"
        return MissingLogin(_join_clauses(*lead, reason), written if is_needed else [])
    found = _explain_unlinked(
        held, [*subject.own, *listed], subject.ref if own else subject.account_ref, is_needed=is_needed
    )
    if not (found.reason or ignored.reason):
        near = nearest_key(credentials.secrets, reference.repository)
        hint = f"; the nearest is {near}" if near else ""
        found = MissingLogin(f"no pull secret of {subject.ref} is for {reference.repository}{hint}")
    reason = _join_clauses(*lead, found.reason)
    if (found.fix and not own) or found.outcome == NOT_FOUND:
        return found._replace(reason=reason)
    if not fix and is_needed and not own and subject.account:
        fix = fixes.create_secret(namespace, subject.account, host)
    return MissingLogin(reason, fix, found.outcome)


def _join_clauses(*clauses: str) -> str:
    return ", and ".join(filter(None, clauses))


def _explain_ignored(namespace: str, credentials: Credentials, host: str) -> MissingLogin:
    """Return the first secret that the node ignores. A type that no node reads is reported before a secret that does not exist."""
    for state, offer in (("wrong_type", fixes.convert_secret), ("missing", fixes.create_listed_secret)):
        for secret in credentials.in_state(state):
            ref = ObjectRef(SECRET, namespace, secret.name)
            return MissingLogin(f"{ref} {STATES[state].format(secret.detail)}", offer(namespace, secret.name, host))
    return MissingLogin("")


def explain_later_link(held: PullRoute) -> Iterator[StepResult]:
    """Yield a hint if the account got another secret for the image after the pod was created, whose own logins fail."""
    subject, evidence = held.subject, held.evidence.unrecorded
    listed = _account_list(subject, evidence) if subject.is_pod and held.credentials.usable_logins else ()
    linked = _linked_secret(subject, held.reference, listed, evidence) if listed else ""
    if linked and {*subject.own}.issubset(listed):
        yield info("pull_secrets", _created_before(subject, linked), ok=None)


def _created_before(subject: ContainerPull, linked: str) -> str:
    return f"{subject.ref} was created before {linked} was linked to {subject.account_ref}, and never gets it{subject.way_out}"


#: Maximum number of secrets without a link that are named, and whose login is tested.
_SHOWN, _TESTED = 3, 8


def _explain_unlinked(held: PullRoute, listed: Sequence[str], lacking: ObjectRef, *, is_needed: bool) -> MissingLogin:
    """Return the reason if secrets of the namespace have a login for the image, but `lacking` does not list them, and the link of one.

    Project users can plant such secrets. So a link is offered for the login that a registry accepts, or for the only one, as an untested one.
    """
    subject, evidence = held.subject, held.evidence.unrecorded
    try:
        logins = _unlinked_logins(held, listed, evidence) if subject.account else {}
    except UnreadableObject as error:
        which = f"whether another secret of namespace {subject.namespace} is for it is not known: {error}"
        return MissingLogin(f"no pull secret of {subject.ref} is for {held.reference.repository}, and {which}")
    if not logins:
        return MissingLogin("")
    names, tested = list(logins), _test_logins(held, logins, evidence)
    proven = next((name for name, attempt in tested.items() if attempt.pulls), "")
    left = [name for name in names if name not in tested]
    chosen = proven or (left[0] if len(left) == 1 else "")
    which, them = (
        f"secrets {summarize(names, _SHOWN)} of namespace {subject.namespace} have a login for the image",
        "them",
    )
    if chosen or len(names) == 1:
        name, them = chosen or names[0], "it"
        state = f", with which {tested[name].said}" if proven else " (login not tested)" if chosen else ""
        which = f"secret {subject.namespace}/{name} has the key {without_user(logins[name].key)}{state}"
    text = f"{which}, but {lacking} does not list {them}"
    if chosen:
        link = fixes.link(subject.namespace, subject.account, chosen) if proven or is_needed else []
        return MissingLogin(text, link)
    answers = {attempt.outcome: attempt.said for attempt in reversed(tested.values())}
    outcome = "" if left else next((each for each in NOT_GIVEN if each in answers), "")
    why = "it is not known which login works" if left else answers.get(outcome, tested[names[0]].said)
    return MissingLogin(f"{text}, and no link is offered, because {why}", outcome=outcome)


def _unlinked_logins(held: PullRoute, listed: Sequence[str], evidence: Lookup) -> dict[str, KubeletLogin]:
    """The first login of each secret that is not in the list. The platform links its own secrets."""
    every = evidence.derive(ObjectRef(SECRET, held.namespace, ""), _statuses_of)
    secrets = [each for each in every if each.name not in listed and not each.is_generated]
    found: dict[str, KubeletLogin] = {}
    for login in logins_of(secrets, held.reference.repository, [each.reference.host for each in held.tried]):
        if not (login.is_empty or login.is_refused):
            found.setdefault(login.secret, login)
    return found


def _statuses_of(listed: Json | None) -> Sequence[PullSecretStatus]:
    return [secret_status(as_str(metadata(secret).get("name")), secret) for secret in items_of(listed)]


def _test_logins(held: PullRoute, logins: Mapping[str, KubeletLogin], evidence: Lookup) -> dict[str, RegistryAttempt]:
    """The attempt that pulls with the login of each secret, or the first one if none does. Without the logins whose answers are not known."""
    names = list(logins)[:_TESTED] if held.asks else []
    require_all(evidence, [ObjectRef(SECRET, held.namespace, name) for name in names])
    route = replace(held, evidence=evidence, credentials=Credentials((), [logins[name] for name in names]))
    attempts: dict[str, list[RegistryAttempt]] = {name: [] for name in names}
    for attempt in read_attempts(route) if names else ():
        if attempt.question.namespace == held.namespace and attempt.question.secret in attempts:
            attempts[attempt.question.secret].append(attempt)
    return {
        name: next((each for each in made if each.pulls), made[0])
        for name, made in attempts.items()
        if made and (all(each.is_known for each in made) or any(each.pulls for each in made))
    }


def _account_list(subject: ContainerPull, evidence: Lookup) -> Sequence[str]:
    """The list of the account, or nothing when it is unknown. Images of the platform have no account."""
    if not subject.account:
        return ()
    account, _unread = try_lookup(evidence, subject.account_ref)
    return names_in(as_dict(account), "imagePullSecrets")


def _linked_secret(subject: ContainerPull, reference: Reference, listed: Sequence[str], evidence: Lookup) -> str:
    """A secret for the image that is in the account's list but not in the pod's."""
    if not (subject.is_pod or subject.own):
        return ""
    names = [name for name in listed if name not in subject.own]
    found = credentials_of(subject.namespace, names, reference.repository, evidence)
    return next((login.secret for login in found.usable_logins), "")


def _write(namespace: str, secrets: Sequence[PullSecretStatus], key: str) -> Sequence[Fix]:
    """A login for the key in the first of these secrets that can have one."""
    writable = [secret.name for secret in secrets if secret.state == "usable" and not secret.is_generated]
    return fixes.add_registry(namespace, writable[0], key) if writable else []
