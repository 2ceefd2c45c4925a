# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks registries what an explanation wants to know of them, each different question once, many at the same time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Union

from ..clients.registry.proof import Login, Proof, Wanted, prove
from ..clients.registry.transport import RegistryOptions
from ..core.errors import ImagePullError
from ..core.evidence import Evidence
from ..core.objects import SECRET, Json, ObjectRef
from ..nodes.image_questions import ImageQuestion, RegistryAccess
from ..reconcile.workers import Workers
from ..secrets.content import StoredSecret

__all__ = ["prove_images"]

#: So many registries are asked at the same time.
_AT_ONCE = 16


def prove_images(
    refs: Sequence[ObjectRef], evidence: Evidence, access: RegistryAccess
) -> dict[ObjectRef, Union[Json, ImagePullError]]:
    """The answer to each question: `outcome`, `said` and `realm_host`, as in a proof. The secrets are in the evidence already."""
    asked: dict[tuple[Wanted, tuple[str, str]], list[ObjectRef]] = {}
    for ref in refs:
        question = ImageQuestion.of(ref)
        asked.setdefault((_wanted(question), _login(question, evidence)), []).append(ref)

    def ask(pair: tuple[Wanted, tuple[str, str]]) -> Union[Json, ImagePullError]:
        return _told(pair[0], Login(*pair[1]), access)

    with Workers(_AT_ONCE) as workers:
        answers = workers.map(ask, list(asked))
    return {ref: answer for refs_of, answer in zip(asked.values(), answers, strict=True) for ref in refs_of}


def _wanted(question: ImageQuestion) -> Wanted:
    host, _slash, path = question.repository.partition("/")
    return Wanted(host, path, question.reference)


def _login(question: ImageQuestion, evidence: Evidence) -> tuple[str, str]:
    """User and password as the kubelet reads them; two empty strings without a secret."""
    if not question.secret:
        return "", ""
    secret = evidence.look(ObjectRef(SECRET, question.namespace, question.secret))
    logins: Mapping[str, tuple[str, str]] = StoredSecret.of(secret or {}).for_kubelet.logins
    return logins.get(question.key, ("", ""))


def _told(wanted: Wanted, login: Login, access: RegistryAccess) -> Union[Json, ImagePullError]:
    options = RegistryOptions(wanted.host, None, access.ca_cert, access.validate_certs, access.timeout)
    try:
        proof = prove(options, wanted, login, access.realm_hosts)
    except ImagePullError as error:
        proof = Proof("unanswered", str(error))
    return _report(proof)


def _report(proof: Proof) -> dict[str, Any]:
    return {"outcome": proof.outcome, "said": proof.said, "realm_host": proof.realm_host}
