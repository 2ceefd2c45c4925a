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
from ..images.image_questions import SIGNATURE_QUESTION, ImageQuestion, RegistryAccess, SignatureQuestion
from ..secrets.content import StoredSecret
from .proofs import LoginCheck, SignatureCheck, collect_proofs, explain_refusal

__all__ = ["prove_images"]


def prove_images(refs: Sequence[ObjectRef], evidence: Lookup, access: RegistryAccess) -> dict[ObjectRef, Json]:
    """Return the answer to each question: `outcome`, `message` and `realm_host` of the proof. The evidence already contains the secrets.

    The answer to a question about signatures also has `platforms`: `architecture`, `outcome` and `message` of each.

    :raises OptionError: if a certificate authority cannot be read.
    """
    attempts = {ref: _attempt(ref, evidence, access) for ref in refs}
    answers = collect_proofs(attempts.values())
    return {
        ref: _proof_row(
            explain_refusal(answers[attempt], attempt.wanted.host, attempt.login, _login_time(ref, evidence))
        )
        for ref, attempt in attempts.items()
    }


def _attempt(ref: ObjectRef, evidence: Lookup, access: RegistryAccess) -> LoginCheck:
    question = _image_question(ref)
    wanted, login = _pull_target(question), RegistryLogin(*_login(question, evidence))
    is_named = wanted.host == access.named
    if ref.kind == SIGNATURE_QUESTION:
        architectures = SignatureQuestion.of(ref).architectures
        return SignatureCheck(wanted, login, access, is_named, question.is_insecure, architectures)
    return LoginCheck(wanted, login, access, is_named, question.is_insecure)


def _image_question(ref: ObjectRef) -> ImageQuestion:
    return SignatureQuestion.of(ref).image if ref.kind == SIGNATURE_QUESTION else ImageQuestion.of(ref)


def _pull_target(question: ImageQuestion) -> RegistryImage:
    host, _slash, path = question.repository.partition("/")
    return RegistryImage(host, path, question.reference)


def _login(question: ImageQuestion, evidence: Lookup) -> tuple[str, str]:
    """User and password as the kubelet reads them. Two empty strings without a secret."""
    logins: Mapping[str, tuple[str, str]] = StoredSecret.of(_secret(question, evidence)).for_kubelet.logins
    return logins.get(question.key, ("", ""))


def _login_time(ref: ObjectRef, evidence: Lookup) -> float:
    """The time at which the login was written, in seconds since 1970. 0 if unknown."""
    changed = content_change(_secret(_image_question(ref), evidence))
    return float(changed.at) if changed and changed.is_exact else 0.0


def _secret(question: ImageQuestion, evidence: Lookup) -> Json:
    """The secret. Empty if there is none."""
    return evidence.look(ObjectRef(SECRET, question.namespace, question.secret)) or {} if question.secret else {}


def _proof_row(proof: RegistryProof) -> Json:
    platforms = [
        {"architecture": each.architecture, "outcome": each.outcome, "message": each.said} for each in proof.platforms
    ]
    return {
        "outcome": proof.outcome,
        "message": proof.said,
        "realm_host": proof.realm_host,
        **({"platforms": platforms} if platforms else {}),
    }
