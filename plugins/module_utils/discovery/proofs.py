# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks many registries at the same time, each distinct question once: logins, images, signatures, certificates."""

from __future__ import annotations

import math
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from ..clients.https.transport import KeptConnections
from ..clients.registry.image_details import prove_platforms, prove_signatures
from ..clients.registry.proof import RegistryImage, RegistryLogin, RegistryProof, prove_login, prove_pull, prove_trust
from ..clients.registry.transport import RegistryOptions, check_authorities, option_host
from ..core.objects import SECRET, Json, ObjectRef
from ..core.times import content_change
from ..engine.workers import Workers
from ..images.image_questions import (
    SIGNATURE_QUESTION,
    TRUST_QUESTION,
    ImageQuestion,
    LoginQuestion,
    RegistryAccess,
    SignatureQuestion,
    TrustQuestion,
)
from ..secrets.content import StoredSecret
from ..secrets.expiry import why_expired

if TYPE_CHECKING:
    from ..explain.lookup import Lookup


#: Maximum number of concurrent requests to registries.
_AT_ONCE = 16

_Question = TypeVar("_Question", bound=Hashable)
_Answer = TypeVar("_Answer")


def ask_all(questions: Iterable[_Question], ask: Callable[[_Question], _Answer]) -> dict[_Question, _Answer]:
    """Return the answer to each distinct question.

    :raises BaseException: the first error of `ask`.
    """
    different = list(dict.fromkeys(questions))
    with KeptConnections() as kept, Workers(_AT_ONCE) as workers:

        def ask_one(question: _Question) -> _Answer:
            with kept.in_effect():
                return ask(question)

        return dict(zip(different, workers.map(ask_one, different), strict=True))


#: Outcomes for a login that was valid earlier. Some registries deny the request instead of rejecting the login.
_REFUSED = ("bad_login", "no_right")
#: Maximum number of attempts without an answer. The registry is then no longer asked.
_MOST_SILENT = 16
#: Maximum number of registries without an answer. After that, only registries that an option names are asked. 16 at a time take 2 minutes.
_MOST_SILENT_HOSTS = 200


@dataclass(frozen=True, repr=False)
class LoginCheck:
    """One question to a registry. Equal questions are asked once. Without a path in `wanted`, it is whether the login is accepted.

    `is_named`: an option names the registry, and not only text of the cluster. `is_insecure`: the cluster's image config lists it as a
    registry whose certificate is not verified.
    """

    wanted: RegistryImage
    login: RegistryLogin
    access: RegistryAccess
    is_named: bool = False
    is_insecure: bool = False

    @classmethod
    def of(cls, question: LoginQuestion, access: RegistryAccess, *, is_named: bool = False) -> LoginCheck:
        """Return the check for a question. An option always names the registry of an image."""
        image, login = question.image, RegistryLogin(question.username, question.password)
        wanted = (
            RegistryImage(question.host)
            if image is None
            else RegistryImage(image.host, image.path, image.digest or image.tag)
        )
        return cls(wanted, login, access, is_named or image is not None)

    @property
    def _options(self) -> RegistryOptions:
        return registry_options(self.access, self.wanted.host)

    def check(self) -> None:
        """Check the options.

        :raises OptionError: if a certificate authority cannot be read.
        """
        check_authorities(self._options)

    def proof(self) -> RegistryProof:
        """Ask the registry.

        :raises OptionError: if a certificate authority cannot be read.
        """
        how, host, options = self.access, self.wanted.host, self._options
        if self.wanted.path:
            return prove_pull(
                options,
                self.wanted,
                self.login,
                how.realm_hosts,
                is_named=self.is_named,
                is_insecure=self.is_insecure,
            )
        return prove_login(options, host, self.login, how.realm_hosts, is_named=self.is_named)


@dataclass(frozen=True, repr=False, kw_only=True)
class PlatformCheck(LoginCheck):
    """A question about the architectures of an image. The members are those of `ImageQuestion`."""

    reads_index: bool
    reads_configuration: bool

    def proof(self) -> RegistryProof:
        """Ask the registry.

        :raises OptionError: if a certificate authority cannot be read.
        """
        return prove_platforms(
            self._options,
            self.wanted,
            self.login,
            self.access.realm_hosts,
            reads_index=self.reads_index,
            reads_configuration=self.reads_configuration,
            is_named=self.is_named,
            is_insecure=self.is_insecure,
        )


@dataclass(frozen=True, repr=False, kw_only=True)
class SignatureCheck(LoginCheck):
    """A question about the signatures of an image, for these architectures or for all that it has."""

    architectures: tuple[str, ...]

    def proof(self) -> RegistryProof:
        """Ask the registry.

        :raises OptionError: if a certificate authority cannot be read.
        """
        return prove_signatures(
            self._options,
            self.wanted,
            self.login,
            self.access.realm_hosts,
            self.architectures,
            is_named=self.is_named,
            is_insecure=self.is_insecure,
        )


@dataclass(frozen=True, repr=False, kw_only=True)
class TrustCheck(LoginCheck):
    """A question about the certificate of a registry, without a login. `authorities` are in PEM format."""

    authorities: str

    def proof(self) -> RegistryProof:
        """Ask the registry."""
        host, options = self.wanted.host, self._options
        return prove_trust(options, host, self.authorities, self.access.realm_hosts, is_named=self.is_named)


def registry_options(access: RegistryAccess, host: str, realm_host: str | None = None) -> RegistryOptions:
    """Return the options of requests to a registry, and with `realm_host` without a request."""
    return RegistryOptions(host, realm_host, access.ca_cert, access.validate_certs, access.timeout)


def check_access(access: RegistryAccess) -> None:
    """Check how registries will be asked, before anything is read.

    :raises OptionError: if a certificate authority cannot be read, or an option names an invalid host.
    """
    check_authorities(registry_options(access, ""))
    for host in access.realm_hosts:
        option_host("realm_hosts", host)


def collect_proofs(attempts: Iterable[LoginCheck]) -> dict[LoginCheck, RegistryProof]:
    """Return the answer to each distinct attempt, many at the same time. A registry that repeatedly does not answer is no longer asked.

    :raises OptionError: if a certificate authority cannot be read.
    """
    return ask_all(attempts, Patience().proof)


class Patience:
    """Counts the consecutive attempts without an answer for each host, and the hosts without an answer.

    Otherwise, a thousand logins would each wait for the whole timeout, and a user whose pods name ten thousand hosts would delay everyone.
    `seconds`: the maximum sum of the durations of all attempts. A registry that answers slowly is no silent one.
    """

    def __init__(self, seconds: float = math.inf, clock: Callable[[], float] = time.monotonic) -> None:
        self._lock = threading.Lock()
        #: The consecutive failed attempts of each host.
        self._silent: dict[str, list[str]] = {}
        self._seconds, self._clock = seconds, clock
        self._spent = 0.0

    def proof(self, attempt: LoginCheck) -> RegistryProof:
        return self.refusal(attempt) or self._ask(attempt)

    def refusal(self, attempt: LoginCheck) -> RegistryProof | None:
        """Return the answer to an attempt that is not made, or None if it can be made."""
        with self._lock:
            why = self._why_not(attempt)
        return RegistryProof("unanswered", f"not asked, because {why}") if why else None

    def _ask(self, attempt: LoginCheck) -> RegistryProof:
        host, begin = attempt.wanted.host, self._clock()
        proof = attempt.proof()
        with self._lock:
            self._spent += self._clock() - begin
            if proof.outcome == "unanswered":
                self._silent.setdefault(host, []).append(proof.said)
            else:
                self._silent.pop(host, None)
        return proof

    def _why_not(self, attempt: LoginCheck) -> str:
        host = attempt.wanted.host
        silent = self._silent.get(host, [])
        if self._spent >= self._seconds:
            return f"the registries took more than {self._seconds:g} seconds"
        if len(silent) >= _MOST_SILENT:
            return f"{host} did not answer {_MOST_SILENT} times: {silent[-1]}"
        if attempt.is_named or silent or len(self._silent) < _MOST_SILENT_HOSTS:
            return ""
        return f"{_MOST_SILENT_HOSTS} other registries that objects of the cluster name did not answer"


def explain_refusal(proof: RegistryProof, host: str, login: RegistryLogin, written: float = 0.0) -> RegistryProof:
    """Return the proof. If the registry refuses a login that has expired, the proof says so and explains how to renew it.

    `written`: the time at which the login was written, in seconds since 1970. 0 if unknown.
    """
    if proof.outcome not in _REFUSED:
        return proof
    why = why_expired(host, login.username, login.password, time.time(), written)
    return (
        replace(proof, outcome="expired", said=f"{proof.realm_host or host} refuses the login, which {why}")
        if why
        else proof
    )


def prove_images(refs: Sequence[ObjectRef], evidence: Lookup, access: RegistryAccess) -> dict[ObjectRef, Json]:
    """Return the answer to each question: `outcome`, `message` and `realm_host` of the proof. The evidence already contains the secrets.

    The answer to a question about signatures also has `platforms`: `architecture`, `outcome` and `message` of each. The answer to one about
    architectures has `architectures`: the members of `ImageArchitectures`.

    :raises OptionError: if a certificate authority cannot be read.
    """
    attempts = {ref: _attempt(ref, evidence, access) for ref in refs}
    return _rows_of(attempts, collect_proofs(attempts.values()), evidence)


#: Maximum number of seconds for the questions of a task to registries that only objects of the cluster name.
_TASK_SECONDS = 300.0


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

    @classmethod
    def of_task(cls, access: RegistryAccess) -> NamespaceQuestions:
        """The questions about all containers of a task. One namespace can use all of the time only if the others have no questions."""
        return cls(access, _TASK_SECONDS, _TASK_SECONDS)

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
