# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports the content of pull secrets in many namespaces, and checks their logins, each different login once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...clients.kube.client import Cluster
from ...clients.registry.proof import RegistryProof
from ...discovery.proofs import LoginCheck, collect_proofs, explain_refusal
from ...engine.fetching import FEW_UNFILTERED
from ...engine.result import NamespaceResult, Outcome
from ...engine.run import RunSettings, read_each
from ...images.image_questions import LoginQuestion, Verification
from .question import PullSecrets, SecretQuestion, SecretReport

__all__ = ["inspect_secrets"]


def inspect_secrets(cluster: Cluster, wanted: PullSecrets, namespaces: Sequence[str], settings: RunSettings) -> Outcome:
    """Return the outcome with `secrets` for each namespace and, with a verification, the number of each answer in `outcomes`.

    :raises OptionError: when the certificate authorities of registries cannot be read.
    """
    count = len(wanted.exact)
    # One name is always read by name, because the server selects it in a list of many namespaces.
    by_name = count == 1 or count * len(namespaces) <= FEW_UNFILTERED
    question = SecretQuestion(wanted, cluster.name, by_name)
    outcome, found = read_each(cluster, question, namespaces, settings, question.reports)
    secrets = (secret for reports in found.values() for secret in reports)
    proven = _LoginVerdicts.of(wanted.verification, secrets) if wanted.verification else None
    results = [_finish_result(result, found.get(result.name), proven) for result in outcome.namespaces]
    if proven is None:
        return replace(outcome, namespaces=results)
    return replace(
        outcome,
        namespaces=results,
        extra=_count_outcomes(results),
        remarks=(*outcome.remarks, *proven.unasked_warnings()),
    )


@dataclass(frozen=True)
class _LoginVerdicts:
    how: Verification
    answers: Mapping[LoginCheck, RegistryProof]

    @classmethod
    def of(cls, how: Verification, secrets: Iterable[SecretReport]) -> _LoginVerdicts:
        questions = (question for secret in secrets for question in _questions(how, secret))
        return cls(how, collect_proofs(_attempt(how, question) for question in questions))

    def of_secret(self, secret: SecretReport) -> dict[str, list[dict[str, str]]]:
        """Return the results of the checks by registry key."""
        rows: dict[str, list[dict[str, str]]] = {key: [] for key in secret.keys}
        for question in _questions(self.how, secret):
            attempt = _attempt(self.how, question)
            proof = explain_refusal(self.answers[attempt], attempt.wanted.host, attempt.login, secret.written)
            repository = str(attempt.wanted) if question.image else ""
            rows[question.key].append({"repository": repository, "outcome": proof.outcome, "message": proof.said})
        return rows

    def unasked_warnings(self) -> Iterator[str]:
        """Yield a warning for each repository for which no secret has a login."""
        hosts = {(attempt.wanted.host, attempt.wanted.path) for attempt in self.answers}
        for text, image in self.how.images:
            if (image.host, image.path) not in hosts:
                yield f"{text} was not checked: none of the secrets has a login for it"


def _attempt(how: Verification, question: LoginQuestion) -> LoginCheck:
    """Return the check. Only the registries in options count as named, because anyone who may write a secret chooses its keys."""
    is_named = question.host in {image.host for _text, image in how.images}
    return LoginCheck.of(question, how.access, is_named=is_named)


def _questions(how: Verification, secret: SecretReport) -> Sequence[LoginQuestion]:
    """Return the questions, or none for a generated secret: the platform renews it, and mostly only the cluster reaches its registry."""
    return () if secret.is_generated else how.of_logins(secret.logins)


def _finish_result(
    result: NamespaceResult, secrets: Sequence[SecretReport] | None, proven: _LoginVerdicts | None
) -> NamespaceResult:
    """Return the result with a row for each secret. `secrets`: None if they could not be read."""
    if secrets is None:
        return result
    rows = [_row(secret, proven) for secret in secrets]
    return replace(result, extra={"secrets": rows}, unremarkable=not rows)


def _row(secret: SecretReport, proven: _LoginVerdicts | None) -> dict[str, Any]:
    if proven is None:
        return dict(secret.report)
    proofs = proven.of_secret(secret)
    rows = [{**row, "proofs": proofs[key]} for key, row in zip(secret.keys, secret.report["registries"], strict=True)]
    return {**secret.report, "registries": rows}


def _count_outcomes(results: Sequence[NamespaceResult]) -> dict[str, Any]:
    counts = Counter(
        proof["outcome"]
        for result in results
        for secret in result.extra.get("secrets", ())
        for registry in secret["registries"]
        for proof in registry["proofs"]
    )
    return {"outcomes": dict(sorted(counts.items())), "works": {*counts} <= {"logs_in", "pulls"}}
