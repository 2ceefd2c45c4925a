# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks whether a secret has a working login for a registry that rejects the declared one: a rotation has probably renewed it.

No registry is asked unless one rejects a declared login. A stored login is sent to the registry of its own key, which an option also names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice

from ...clients.kube.client import Cluster
from ...clients.registry.proof import RegistryProof
from ...core.changes import Failure
from ...core.errors import ImagePullError
from ...core.objects import SECRET, ObjectRef
from ...declarations.batch import Batch
from ...discovery.proofs import LoginCheck, collect_proofs
from ...dockerconfig.registry_keys import same_path
from ...engine.result import NamespaceResult, Outcome
from ...engine.run import RunSettings
from ...engine.workers import Workers
from ...explain.verification import LoginQuestion, Verification
from ...secrets.content import StoredSecret
from .plan import PullSecret

__all__ = ["name_working_logins"]

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
    with Workers(settings.concurrency) as workers:
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
