# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks registries the questions of an explanation, each distinct question once and many at the same time."""

from __future__ import annotations

import math
import time
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from ..clients.registry.proof import RegistryImage, RegistryLogin, RegistryProof
from ..core.objects import SECRET, Json, ObjectRef
from ..core.times import content_change
from ..explain.lookup import Lookup
from ..images.image_questions import (
    SIGNATURE_QUESTION,
    TRUST_QUESTION,
    ImageQuestion,
    RegistryAccess,
    SignatureQuestion,
    TrustQuestion,
)
from ..secrets.content import StoredSecret
from .parallel import ask_all
from .proofs import LoginCheck, Patience, PlatformCheck, SignatureCheck, TrustCheck, collect_proofs, explain_refusal

__all__ = ["NamespaceQuestions", "prove_images"]


def prove_images(refs: Sequence[ObjectRef], evidence: Lookup, access: RegistryAccess) -> dict[ObjectRef, Json]:
    """Return the answer to each question: `outcome`, `message` and `realm_host` of the proof. The evidence already contains the secrets.

    The answer to a question about signatures also has `platforms`: `architecture`, `outcome` and `message` of each. The answer to one about
    architectures has `architectures`: the members of `ImageArchitectures`.

    :raises OptionError: if a certificate authority cannot be read.
    """
    attempts = {ref: _attempt(ref, evidence, access) for ref in refs}
    return _rows_of(attempts, collect_proofs(attempts.values()), evidence)


class NamespaceQuestions:
    """Asks the questions of many namespaces, so that no namespace delays the others or uses up their questions.

    The questions of one namespace are asked one after the other, and those of 16 namespaces at the same time, in short turns. Each namespace
    has its own time and its own patience with silent registries. `seconds`: the time of one namespace, for all calls together. `of_run`: the
    seconds after which registries that only objects of the cluster name are no longer asked, for all namespaces and calls together. `turn`: the
    seconds after which a namespace waits for its next turn.
    """

    def __init__(
        self, access: RegistryAccess, seconds: float = 60.0, of_run: float = math.inf, turn: float = 5.0
    ) -> None:
        self._access, self._of_run, self._turn = access, of_run, turn
        self._spent = 0.0
        self._patience: defaultdict[str, Patience] = defaultdict(lambda: Patience(seconds))
        #: The answers, also to equal questions of other namespaces.
        self._known: dict[LoginCheck, RegistryProof] = {}

    def answers(self, wanted: Mapping[str, Sequence[ObjectRef]], evidence: Lookup) -> dict[ObjectRef, Json]:
        """Return the answers as `prove_images` does, to the questions by namespace. Questions that are not asked have an answer as well.

        :raises OptionError: if a certificate authority cannot be read.
        """
        attempts = {ref: _attempt(ref, evidence, self._access) for refs in wanted.values() for ref in refs}
        waiting = {name: (self._patience[name], deque(attempts[ref] for ref in refs)) for name, refs in wanted.items()}
        skipped: dict[LoginCheck, RegistryProof] = {}
        begin = time.monotonic()
        end = begin + self._of_run - self._spent
        while waiting := {name: each for name, each in waiting.items() if each[1]}:
            for refused in ask_all(waiting, lambda name: self._ask(*waiting[name], end)).values():
                skipped.update(refused)
        self._spent += time.monotonic() - begin
        return _rows_of(attempts, {**skipped, **self._known}, evidence)

    def _ask(self, patience: Patience, attempts: deque[LoginCheck], end: float) -> dict[LoginCheck, RegistryProof]:
        """Ask the questions of one namespace until its turn ends. Return the answers to those that are not asked: another namespace may ask
        them."""
        skipped: dict[LoginCheck, RegistryProof] = {}
        turn = time.monotonic() + self._turn
        while attempts and time.monotonic() < turn:
            attempt = attempts.popleft()
            if attempt in self._known:
                continue
            if refusal := self._why_late(attempt, end) or patience.refusal(attempt):
                skipped[attempt] = refusal
            else:
                self._known[attempt] = patience.proof(attempt)
        return skipped

    def _why_late(self, attempt: LoginCheck, end: float) -> RegistryProof | None:
        if attempt.is_named or time.monotonic() < end:
            return None
        why = f"the registries that objects of the cluster name took more than {self._of_run:g} seconds"
        return RegistryProof("unanswered", f"not asked, because {why}")


def _rows_of(
    attempts: Mapping[ObjectRef, LoginCheck], answers: Mapping[LoginCheck, RegistryProof], evidence: Lookup
) -> dict[ObjectRef, Json]:
    return {
        ref: _proof_row(
            explain_refusal(answers[attempt], attempt.wanted.host, attempt.login, _login_time(ref, evidence))
        )
        for ref, attempt in attempts.items()
    }


def _attempt(ref: ObjectRef, evidence: Lookup, access: RegistryAccess) -> LoginCheck:
    if ref.kind == TRUST_QUESTION:
        asked = TrustQuestion.of(ref)
        registry, is_named = RegistryImage(asked.host), asked.host == access.named
        return TrustCheck(registry, RegistryLogin("", ""), access, is_named, authorities=asked.authorities)
    question = _image_question(ref)
    wanted, login = _pull_target(question), RegistryLogin(*_login(question, evidence))
    is_named = wanted.host == access.named
    if ref.kind == SIGNATURE_QUESTION:
        architectures = SignatureQuestion.of(ref).architectures
        return SignatureCheck(wanted, login, access, is_named, question.is_insecure, architectures=architectures)
    if question.reads_index or question.reads_configuration:
        reads = {"reads_index": question.reads_index, "reads_configuration": question.reads_configuration}
        return PlatformCheck(wanted, login, access, is_named, question.is_insecure, **reads)
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
    if ref.kind == TRUST_QUESTION:
        return 0.0
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
        **({"architectures": asdict(proof.architectures)} if proof.architectures else {}),
    }
