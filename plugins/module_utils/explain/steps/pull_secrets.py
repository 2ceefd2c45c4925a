# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pull secrets of a container, whether a node can read them, and why there is no login for its image. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...core.objects import SECRET, ObjectRef, as_dict
from ...dockerconfig.registry_keys import without_user
from ...images.references import Reference
from ...platform.account_lists import names_in
from .. import fixes
from ..credentials import Credentials, PullSecretStatus, credentials_of, nearest_key
from ..fixes import Fix
from ..lookup import Lookup, try_lookup
from ..subjects import ContainerPull
from ..verdict import StepResult, failure, info, unknown
from .providers import idle_providers

__all__ = [
    "STATES",
    "explain_missing_login",
    "explain_secret_list",
    "explain_secrets",
]

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
        return (), failure("pull_secrets", f"{subject.account_ref} does not exist, so no pod can be created")
    names = list(dict.fromkeys(names_in(account, "imagePullSecrets")))
    text = f"{subject.account_ref} lists {_join_names(names)}. A pod gets this list when it is created"
    return names, info("pull_secrets", text)


def explain_secrets(namespace: str, found: Credentials, host: str) -> Iterator[StepResult]:
    """Yield the result for each secret. `host`: the registry that a fix is for."""
    for secret in found.secrets:
        ref = ObjectRef(SECRET, namespace, secret.name)
        if secret.state == "unparsable":
            reason = f"{ref} stops every pull of a pod that lists it, because {secret.detail}"
            yield failure("secret", reason, fixes.rewrite_secret(namespace, secret.name, host))
        elif secret.state == "unread":
            yield unknown("secret", f"the content of {ref} is not known: {secret.detail}")
        else:
            text = f"{ref} {STATES[secret.state].format(secret.detail)}"
            yield info("secret", text, ok=secret.state == "usable")


def _join_names(names: Sequence[str]) -> str:
    return ", ".join(names) or "no pull secret"


def explain_missing_login(
    subject: ContainerPull,
    reference: Reference,
    credentials: Credentials,
    evidence: Lookup,
    *,
    is_needed: bool = True,
) -> tuple[str, Sequence[Fix]]:
    """Return the reason and its fix. The simplest fix comes first, and a credential provider that gives no login before the secrets.

    Without `is_needed`, a registry reports that the image does not exist. Then no task adds a login that nothing refers to yet.
    """
    host, namespace, evidence = reference.host, subject.namespace, evidence.unrecorded
    for state, offer in (("wrong_type", fixes.rewrite_secret), ("missing", fixes.create_listed_secret)):
        for secret in credentials.in_state(state):
            ref = ObjectRef(SECRET, namespace, secret.name)
            return f"{ref} {STATES[state].format(secret.detail)}", offer(namespace, secret.name, host)
    listed = _account_list(subject, evidence)
    # The list of a pod can be a copy of the account's. That of a template cannot.
    copied = listed if subject.is_pod else ()
    own = [secret for secret in credentials.secrets if secret.name in subject.own and secret.name not in copied]
    linked = _linked_secret(subject, reference, listed, evidence)
    if linked and not own:
        return (
            f"{subject.ref} was created before {linked} was linked to {subject.account_ref}, and never gets it",
            fixes.link(namespace, subject.account, linked),
        )
    # None if the pod's list is a present or past copy of the account's.
    fix = _write(namespace, own, host) if is_needed else []
    if linked:
        return (
            f"{subject.ref} has its own imagePullSecrets list, so it does not use {linked} of {subject.account_ref}",
            fix,
        )
    idle = "".join(f"{each}, and " for each in idle_providers(subject, reference, evidence))
    if unusable := next((login for login in credentials.logins if login.is_empty), None):
        why = "its entry has no user or no password (a node does not use an identity token), so the node sends no login"
        named = [secret for secret in credentials.secrets if secret.name == unusable.secret]
        return (
            f"{idle}secret {unusable.secret} has the key {without_user(unusable.key)}, but {why}",
            (_write(namespace, named, unusable.key) or fixes.create_secret(namespace, subject.account, host))
            if is_needed
            else [],
        )
    near = nearest_key(credentials.secrets, reference.repository)
    hint = f"; the nearest is {near}" if near else ""
    return (
        f"{idle}no pull secret of {subject.ref} is for {reference.repository}{hint}",
        fix
        or (fixes.create_secret(namespace, subject.account, host) if is_needed and not own and subject.account else []),
    )


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
