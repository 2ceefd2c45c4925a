# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks registries what an explanation wants to know of them, each different question once, many at the same time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..clients.registry.proof import Login, Proof, Wanted, prove
from ..clients.registry.transport import RegistryOptions
from ..core.errors import ImagePullError
from ..core.evidence import Evidence
from ..core.objects import SECRET, Json, ObjectRef
from ..nodes.image_questions import ImageQuestion, RegistryAccess
from ..secrets.content import StoredSecret
from .asking import answers_to

__all__ = ["prove_images"]


def prove_images(refs: Sequence[ObjectRef], evidence: Evidence, access: RegistryAccess) -> dict[ObjectRef, Json]:
    """The answer to each question: `outcome`, `said` and `realm_host`, as in a proof. The secrets are in the evidence already."""
    asked = {ref: _attempt(ImageQuestion.of(ref), evidence) for ref in refs}
    answers = answers_to(asked.values(), lambda attempt: _told(*attempt, access))
    return {ref: answers[attempt] for ref, attempt in asked.items()}


def _attempt(question: ImageQuestion, evidence: Evidence) -> tuple[Wanted, Login]:
    return _wanted(question), Login(*_login(question, evidence))


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


def _told(wanted: Wanted, login: Login, access: RegistryAccess) -> Json:
    options = RegistryOptions(wanted.host, None, access.ca_cert, access.validate_certs, access.timeout)
    try:
        proof = prove(options, wanted, login, access.realm_hosts)
    except ImagePullError as error:
        proof = Proof("unanswered", str(error))
    return {"outcome": proof.outcome, "said": proof.said, "realm_host": proof.realm_host}
