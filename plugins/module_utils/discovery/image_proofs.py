# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks registries the questions of an explanation, each distinct question once and many at the same time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..clients.registry.proof import RegistryImage, RegistryLogin, RegistryProof
from ..core.objects import SECRET, Json, ObjectRef
from ..core.times import content_change
from ..explain.lookup import Lookup
from ..images.image_questions import ImageQuestion, RegistryAccess
from ..secrets.content import StoredSecret
from .proofs import LoginCheck, collect_proofs, explain_refusal

__all__ = ["prove_images"]


def prove_images(refs: Sequence[ObjectRef], evidence: Lookup, access: RegistryAccess) -> dict[ObjectRef, Json]:
    """Return the answer to each question: `outcome`, `message` and `realm_host` of the proof. The evidence already contains the secrets.

    :raises OptionError: if a certificate authority cannot be read.
    """
    attempts = {ref: _attempt(ImageQuestion.of(ref), evidence, access) for ref in refs}
    answers = collect_proofs(attempts.values())
    return {
        ref: _proof_row(
            explain_refusal(answers[attempt], attempt.wanted.host, attempt.login, _login_time(ref, evidence))
        )
        for ref, attempt in attempts.items()
    }


def _attempt(question: ImageQuestion, evidence: Lookup, access: RegistryAccess) -> LoginCheck:
    wanted = _pull_target(question)
    is_named = wanted.host == access.named
    return LoginCheck(wanted, RegistryLogin(*_login(question, evidence)), access, is_named, question.is_insecure)


def _pull_target(question: ImageQuestion) -> RegistryImage:
    host, _slash, path = question.repository.partition("/")
    return RegistryImage(host, path, question.reference)


def _login(question: ImageQuestion, evidence: Lookup) -> tuple[str, str]:
    """User and password as the kubelet reads them. Two empty strings without a secret."""
    logins: Mapping[str, tuple[str, str]] = StoredSecret.of(_secret(question, evidence)).for_kubelet.logins
    return logins.get(question.key, ("", ""))


def _login_time(ref: ObjectRef, evidence: Lookup) -> float:
    """The time at which the login was written, in seconds since 1970. 0 if unknown."""
    changed = content_change(_secret(ImageQuestion.of(ref), evidence))
    return float(changed.at) if changed and changed.is_exact else 0.0


def _secret(question: ImageQuestion, evidence: Lookup) -> Json:
    """The secret. Empty if there is none."""
    return evidence.look(ObjectRef(SECRET, question.namespace, question.secret)) or {} if question.secret else {}


def _proof_row(proof: RegistryProof) -> Json:
    return {"outcome": proof.outcome, "message": proof.said, "realm_host": proof.realm_host}
