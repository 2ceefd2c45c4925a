# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pull secrets of a container, and whether a node can read them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...core.objects import SECRET, ObjectRef
from ...platform.account_lists import names_in
from .. import fixes
from ..credentials import Credentials
from ..lookup import Lookup, try_lookup
from ..subjects import ContainerPull
from ..verdict import StepResult, failure, info, unknown

__all__ = ["STATES", "explain_secret_list", "explain_secrets"]

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
