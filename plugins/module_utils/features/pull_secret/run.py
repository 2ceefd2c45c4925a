# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verifies the logins of pull secrets at their registries before anything is written, each different login once.

No registry is asked unless one rejects a declared login. A stored login is sent to the registry of its own key, which an option also names.

A login that a registry rejects fails only its own entry, and so does one that could not be verified. The other entries are carried out:
neither a registry nor the owner of one login decides about the logins of others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from typing import Any, Literal

from ...clients.kube.client import Cluster
from ...clients.registry.proof import RegistryProof
from ...core.changes import Entry, Failure
from ...core.errors import ImagePullError, OptionError, Refusal
from ...core.objects import SECRET, ObjectRef
from ...core.text import join_alike, summarize
from ...declarations.batch import Batch, Declaration
from ...discovery.proofs import LoginCheck, collect_proofs, explain_refusal
from ...dockerconfig.registry_keys import same_path, without_user
from ...engine.result import NamespaceResult, Outcome
from ...engine.run import RunSettings
from ...images.image_questions import LoginQuestion, Verification
from ...secrets.content import StoredSecret
from .plan import PullSecret

#: Maximum number of secrets to read.
_MOST_READ = 100
#: The answers of a registry that rejects a login, or denies it the image.
_REFUSED = ("bad_login", "no_right", "not_found")


@dataclass(frozen=True, repr=False)
class _EntryFailure:
    """One entry that failed in one namespace. `questions` are the questions that its registry answered with a refusal."""

    result: NamespaceResult
    failure: Failure
    desired: PullSecret
    questions: tuple[LoginQuestion, ...] = ()

    @property
    def how(self) -> Verification:
        return self.desired.verification or Verification()

    @property
    def ref(self) -> ObjectRef:
        return ObjectRef(SECRET, self.result.name, self.desired.name)

    def attempts(self, questions: Iterable[LoginQuestion]) -> Iterator[tuple[LoginQuestion, LoginCheck]]:
        for question in questions:
            yield question, LoginCheck.of(question, self.how.access, is_named=True)


def name_working_logins(
    known: Mapping[LoginCheck, RegistryProof],
    cluster: Cluster,
    declared: Batch[PullSecret],
    outcome: Outcome,
    settings: RunSettings,
) -> Outcome:
    """Return the outcome. The error of each entry whose login is rejected also names the key of a stored login that works.

    `known` are the answers about the declared logins.
    """
    failed = [*islice(_refused_entries(declared, outcome, known), _MOST_READ)]
    if not failed or outcome.stopped:
        return outcome
    with settings.workers() as workers:
        stored = workers.map(partial(_stored_questions, cluster), failed)
    attempts = (
        attempt for one, questions in zip(failed, stored, strict=True) for _question, attempt in one.attempts(questions)
    )
    answers = {**known, **collect_proofs(attempt for attempt in attempts if attempt not in known)}
    found: dict[str, dict[Failure, Failure]] = {}
    for one, questions in zip(failed, stored, strict=True):
        keys = [question.key for question, attempt in one.attempts(questions) if answers[attempt].works]
        if keys:
            found.setdefault(one.result.name, {})[one.failure] = _name_logins(one, keys)
    return replace(
        outcome, namespaces=[_replace_failures(result, found.get(result.name, {})) for result in outcome.namespaces]
    )


def _refused_entries(
    declared: Batch[PullSecret], outcome: Outcome, known: Mapping[LoginCheck, RegistryProof]
) -> Iterator[_EntryFailure]:
    """Yield the failed entries whose login a registry rejects."""
    refusals: dict[int, tuple[LoginQuestion, ...]] = {}
    for result in outcome.failed:
        entries = {one.entry: one.desired for one in declared.declared(result.name)}
        for failure in result.failures:
            desired = entries.get(failure.entry)
            if desired is None or desired.verification is None:
                continue
            one = _EntryFailure(result, failure, desired)
            if id(desired) not in refusals:
                asked = one.attempts(one.how.questions(desired.auth_file))
                refused = (question for question, attempt in asked if known[attempt].outcome in _REFUSED)
                refusals[id(desired)] = tuple(refused)
            if questions := refusals[id(desired)]:
                yield replace(one, questions=questions)


def _stored_questions(cluster: Cluster, one: _EntryFailure) -> list[LoginQuestion]:
    """Return the same questions with the stored logins of the same keys, if these differ."""
    try:
        secret = cluster.get(one.ref)
    except ImagePullError:
        return []
    held = StoredSecret.of(secret or {}).for_kubelet.logins
    logins = {same_path(key): login for key, login in held.items()}
    found = []
    for question in one.questions:
        username, password = logins.get(same_path(question.key), ("", ""))
        if username and password and (username, password) != (question.username, question.password):
            found.append(replace(question, username=username, password=password))
    return found


def _name_logins(one: _EntryFailure, keys: Iterable[str]) -> Failure:
    sentence = (
        f"{one.failure.error}. The secret has another login for {', '.join(dict.fromkeys(keys))}, and the registry accepts that one: it was "
        "probably renewed. Users of the namespace can write this secret, so give that login to this entry only if you know it. Without "
        "'verify', the login that works would be replaced"
    )
    return replace(one.failure, error=sentence)


def _replace_failures(result: NamespaceResult, failures: Mapping[Failure, Failure]) -> NamespaceResult:
    return replace(result, failures=tuple(failures.get(each, each) for each in result.failures)) if failures else result


#: Maximum number of logins of one entry in a message.
_SHOWN = 20

#: Outcomes that do not show whether the login works.
_UNPROVEN = ("unanswered", "rate_limited")

#: The decision about a login: write it, write it with a warning, or do not write it.
Verdict = Literal["write", "warn", "refuse"]


@dataclass(frozen=True, repr=False)
class _EntryLogin:
    key: str
    attempt: LoginCheck
    must_answer: bool

    @property
    def trust(self) -> object:
        """The trusted certificate authorities, as a key: each different one is read once."""
        access = self.attempt.access
        return access.ca_cert, access.validate_certs


def verdict_of(proof: RegistryProof, *, must_answer: bool) -> Verdict:
    """Decide whether a login is written. No other code decides it. `must_answer`: a login that could not be verified is not written."""
    if proof.accepts_login or proof.outcome == "pulls":
        return "write"
    return "warn" if _is_unproven(proof) and not must_answer else "refuse"


def _is_unproven(proof: RegistryProof) -> bool:
    return proof.outcome in _UNPROVEN or _is_open(proof)


def _is_open(proof: RegistryProof) -> bool:
    """Whether the registry answered a login without a repository before the login was sent. Its repositories can require one."""
    return proof.outcome == "logs_in" and not proof.accepts_login


@dataclass(frozen=True)
class LoginVerification:
    """The declarations, of which those whose logins must not be written are refused. `warnings` are about logins that were not verified.

    `answers` are the answers of the registries about all logins.
    """

    declared: Sequence[Declaration[PullSecret]]
    warnings: Sequence[str] = ()
    answers: Mapping[LoginCheck, RegistryProof] = field(default_factory=dict)

    def report(self) -> dict[str, Any]:
        """Return the number of different logins that registries accepted, for the result. Empty if there are none."""
        working = {
            (attempt.wanted.host, attempt.login) for attempt, proof in self.answers.items() if proof.accepts_login
        }
        return {"verified_logins": len(working)} if working else {}


def check_verification(desired: PullSecret, *, reads_files: bool) -> None:
    """Check the options for the verification without a request. `reads_files`: check the file with the authorities as well.

    :raises OptionError: if the logins cannot be verified with these options.
    """
    for question in _questions(Declaration(desired, None)):
        if reads_files:
            question.attempt.check()


def verify_logins(declared: Sequence[Declaration[PullSecret]]) -> LoginVerification:
    """Verify the logins of all declarations. Entries with the same title are refused together.

    :raises Refusal: when the task's only declaration is refused.
    """
    asked = _all_questions(declared)
    answers = collect_proofs(question.attempt for _entry, question in asked)
    pulled = {(entry, question.key) for entry, question in asked if answers[question.attempt].outcome == "pulls"}
    unverified: list[tuple[str, str]] = []
    refused: dict[Entry | None, list[tuple[str, str]]] = {}
    for entry, question in asked:
        proof = _explain_proof(question, answers)
        if _is_open(proof) and (entry, question.key) in pulled:
            continue
        verdict = verdict_of(proof, must_answer=question.must_answer)
        sentence = _sentence(question, proof)
        if verdict == "warn":
            unverified.append((question.key, f"{entry}: {sentence}" if entry else sentence))
        if verdict == "refuse":
            refused.setdefault(entry, []).append((question.key, sentence))
    if None in refused:
        raise Refusal(_refusal_sentence(refused[None]))
    warnings = join_alike(unverified)
    warnings += (
        f"{one.entry}: {sentence}" if one.entry else sentence for one in declared for sentence in _unasked(one.desired)
    )
    reasons = {entry: _refusal_sentence(sentences) for entry, sentences in refused.items() if entry}
    return LoginVerification([*_refuse(declared, reasons)], list(dict.fromkeys(warnings)), answers)


def _all_questions(declared: Sequence[Declaration[PullSecret]]) -> list[tuple[Entry | None, _EntryLogin]]:
    """:raises OptionError: for all questions that cannot be asked, with their entries."""
    found: list[tuple[Entry | None, _EntryLogin]] = []
    problems: list[str] = []
    trusted: set[object] = set()
    for each in declared:
        try:
            for question in _questions(each):
                if question.trust not in trusted:
                    question.attempt.check()
                    trusted.add(question.trust)
                found.append((each.entry, question))
        except OptionError as error:
            problems.append(f"{each.entry}: {error}" if each.entry else str(error))
    if problems:
        raise OptionError(summarize(problems, _SHOWN, "; "))
    return found


def _questions(each: Declaration[PullSecret]) -> Iterator[_EntryLogin]:
    """:raises OptionError: for a repository for which no entry has a login."""
    how = each.desired.verification
    if how is None:
        return
    for question in how.questions(each.desired.auth_file):
        yield _EntryLogin(question.key, LoginCheck.of(question, how.access, is_named=True), how.must_answer)


def _explain_proof(asked: _EntryLogin, answers: Mapping[LoginCheck, RegistryProof]) -> RegistryProof:
    attempt = asked.attempt
    return explain_refusal(answers[attempt], attempt.wanted.host, attempt.login)


#: The options to correct, by the outcome of a proof.
_PARTS = {"bad_login": "'username' and 'password'", "not_found": "'verify_repositories'"}


def _sentence(asked: _EntryLogin, proof: RegistryProof) -> str:
    if not _is_unproven(proof):
        part = _PARTS.get(proof.outcome)
        return f"registry key {asked.key}: {proof.said}{f' (correct {part})' if part else ''}"
    sentence = f"the login for {asked.key} was not verified: {proof.said}"
    if not asked.must_answer:
        return sentence
    if _is_open(proof):
        return f"{sentence} (name a repository that requires one in 'verify_repositories', or set 'verify: warn')"
    return f"{sentence} (if only the nodes reach this registry, set 'verify: warn')"


def _unasked(desired: PullSecret) -> Iterator[str]:
    """Yield a warning for the keys with a star that no registry was asked about. Without `warn`, they are refused before."""
    how = desired.verification
    keys = how.unasked(desired.auth_file) if how else ()
    if keys:
        names = summarize([*map(without_user, keys)], _SHOWN)
        yield f"the login for {names} was not verified: a key with a star names no registry. Name an image for it in 'verify_repositories'"


def _refusal_sentence(sentences: Iterable[tuple[str, str]]) -> str:
    found = summarize(join_alike(sentences), _SHOWN, "; ")
    unchecked = "To write it unchecked, remove 'verify' and 'verify_repositories'"
    return f"nothing was written because a login does not work or could not be verified: {found}. {unchecked}"


def _refuse(
    declared: Iterable[Declaration[PullSecret]], reasons: Mapping[Entry, str]
) -> Iterator[Declaration[PullSecret]]:
    """Refuse the entries with a reason, and those with the same title: a role creates several entries from one of its own."""
    titles = {entry.title: reason for entry, reason in reasons.items() if entry.title}
    for one in declared:
        reason = (reasons.get(one.entry) or titles.get(one.entry.title)) if one.entry else None
        yield replace(one, refused=reason) if reason else one
